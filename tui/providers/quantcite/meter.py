"""How much data comes, and how long an allowance lasts at this rate (reference, section 7)."""

from __future__ import annotations

from collections import deque
from typing import Final

from tui.clock import NS

GIB: Final = 1024**3
MINUTE_NS: Final = 60 * NS
WINDOW: Final = 60
"""Minutes over which the rate is measured."""
LEAST_S: Final = 60.0
"""A rate measured for less than this says nothing."""
MOST_CODES: Final = 1000
DAY_S: Final = 86_400
_OTHERS: Final = "others"


class DataMeter:
    """Counts received payload, in total and by symbol; outlives connections.

    Attributes:
        total: Bytes since the start of the program, frames of every kind.
        by_code: Bytes of books by symbol.
    """

    def __init__(self) -> None:
        self.total = 0
        self.by_code: dict[str, int] = {}
        self._minutes: deque[tuple[int, int]] = deque(maxlen=WINDOW + 1)
        self._first_ns: int | None = None

    def received(self, size: int, now_ns: int) -> None:
        """A frame came."""
        self.total += size
        minute = now_ns // MINUTE_NS
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1] = minute, self._minutes[-1][1] + size
            return
        self._minutes.append((minute, size))
        if self._first_ns is None:
            self._first_ns = now_ns

    def book(self, code: str, size: int) -> None:
        """That frame was a book of a symbol."""
        if code not in self.by_code and len(self.by_code) >= MOST_CODES:
            code = _OTHERS
        self.by_code[code] = self.by_code.get(code, 0) + size

    def rate(self, now_ns: int) -> float | None:
        """Bytes a second over the last hour, or since the first frame; None while that is too short a time."""
        if self._first_ns is None:
            return None
        since_minute = now_ns // MINUTE_NS - WINDOW
        measured_s = (now_ns - max(self._first_ns, since_minute * MINUTE_NS)) / NS
        if measured_s < LEAST_S:
            return None
        return sum(size for minute, size in self._minutes if minute >= since_minute) / measured_s

    def largest(self) -> tuple[str, float] | None:
        """The symbol that most comes of, and its part of all books; None while there are not several."""
        if len(self.by_code) < 2:
            return None
        code = max(self.by_code, key=self.by_code.__getitem__)
        return code, self.by_code[code] / sum(self.by_code.values())


def span(seconds: float) -> str:
    """How long something lasts, for people: `12 days`, `5 hours`, `20 minutes`, `over a year`."""
    for length, word, most in ((60, "minute", 60), (3600, "hour", 48), (DAY_S, "day", 366)):
        count = int(seconds // length)
        if count < most:
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "over a year"
