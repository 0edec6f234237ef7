"""Quotes that wait unread: patches of one symbol that come together are laid over each other and read once.

Laying one JSON object over another keeps what a patch leaves out and lets an explicit null clear (4.3), so nothing of
the quote that follows from all of them is lost; what was true for less than a frame of the screen is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from tui.clock import NS
from tui.providers.base import HOLD_S
from tui.providers.insightsentry.decode import QUOTE_FIELDS

_HOLD_NS: Final = int(HOLD_S * NS)
_LONGEST: Final = 2000
"""No quote has so many bytes."""
_FIELDS: Final = QUOTE_FIELDS | {"code", "lp_time", "status", "market_cap", "currency_code", "unit"}


@dataclass(slots=True)
class HeldQuote:
    """All patches of a code since it was last read, as one; and when the last of them came."""

    row: dict[str, Any]
    ts_recv_ns: int


class HeldQuotes:
    """The quotes that wait, one a code. Only a code that was read just now can wait, so the first patch never does."""

    def __init__(self) -> None:
        self._quotes: dict[str, HeldQuote] = {}
        self._read_ns: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._quotes)

    def take(self, frame: bytes, ts_recv_ns: int) -> bool:
        """Let a flat quote wait; False for what has to be read at once: anything else, or anything odd about it."""
        if len(frame) > _LONGEST or not frame.startswith(b'{"code"'):
            return False
        try:
            row = from_json(frame, allow_inf_nan=False)
        except ValueError:
            return False
        code = row["code"]
        if not _FIELDS.issuperset(row) or not isinstance(code, str):
            return False
        held = self._quotes.get(code)
        if held is not None:
            held.row.update(row)
            held.ts_recv_ns = ts_recv_ns
            return True
        if ts_recv_ns - self._read_ns.get(code, -_HOLD_NS) >= _HOLD_NS:
            return False
        self._quotes[code] = HeldQuote(row, ts_recv_ns)
        return True

    def read(self, code: str, row: dict[str, Any], ts_recv_ns: int) -> dict[str, Any]:
        """A quote of a code is read now; what waited of it lies below."""
        self._read_ns[code] = ts_recv_ns
        held = self._quotes.pop(code, None)
        return row if held is None else held.row | row

    def forget(self) -> None:
        """What is wanted has changed: the next patch of every code is read at once."""
        self._read_ns.clear()

    def drain(self) -> list[HeldQuote]:
        """All that wait; then none do."""
        quotes, self._quotes = list(self._quotes.values()), {}
        return quotes
