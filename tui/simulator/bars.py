"""Bars of one symbol: the made-up past and the live trades as one series in every interval."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import groupby, islice
from typing import Final

from tui.simulator.history import History, Row, floor_to, merged, rows_between
from tui.simulator.sessions import DAY_S, SECOND_NS

# Twenty minutes of seconds of all instruments are about 15 MB, by far the most of what the market holds.
_LIVE_SECONDS: Final = 1_200
_LIVE_MINUTES: Final = 7 * 1_440
_LIVE_DAYS: Final = 400


class BarTable:
    """Seconds, minutes and days of one symbol; other intervals are merged from these when asked for.

    Args:
        history: Makes the past; called once, when it is first needed.
    """

    def __init__(self, history: Callable[[], History]) -> None:
        self._make_history = history
        self._seconds: deque[Row] = deque(maxlen=_LIVE_SECONDS)
        self._minutes: deque[Row] = deque(maxlen=_LIVE_MINUTES)
        self._days: deque[Row] = deque(maxlen=_LIVE_DAYS)

    @cached_property
    def _history(self) -> History:
        return self._make_history()

    def add(self, ns: int, price: int, size: int) -> None:
        """Take in a trade: `price` in ticks, `size` in size steps."""
        second = ns // SECOND_NS
        _add(self._seconds, second, price, size)
        _add(self._minutes, second - second % 60, price, size)
        _add(self._days, second - second % DAY_S, price, size)

    def traded_in_minute(self, start_s: int) -> bool:
        """Tell whether the live minute that starts at `start_s` is the latest with a trade."""
        return bool(self._minutes) and self._minutes[-1][0] == start_s

    def day(self) -> tuple[Row, int]:
        """Return the latest day's bar and the close of the day before, in ticks."""
        before, today = self.latest(DAY_S, 2)
        return today, before[4]

    def between(self, interval_s: int, start_s: int, end_s: int) -> Sequence[Row]:
        """List the bars that start in a span, up to, not including, `end_s`.

        Raises:
            ValueError: The interval is none of whole seconds in a minute, minutes in a day, days, or weeks.
        """
        unit = _unit_of(interval_s)
        source = self._source(unit)
        first = floor_to(start_s, interval_s)
        if first < start_s:
            first += interval_s
        # The last bar may start before `end_s` and go on after it.
        return _merged_by(interval_s, unit, rows_between(source, first, end_s + interval_s - unit), end_s)

    def latest(self, interval_s: int, count: int) -> Sequence[Row]:
        """List the last `count` bars, the open one included; raises as `between` does."""
        unit = _unit_of(interval_s)
        source = self._source(unit)
        needed = (count + 1) * (interval_s // unit)
        return _merged_by(interval_s, unit, source[-needed:] if count > 0 else [], None)[-count:]

    def _source(self, unit: int) -> list[Row]:
        match unit:
            case 1:
                past, live = self._history.seconds, self._seconds
            case 60:
                past, live = self._history.minutes, self._minutes
            case _:
                past, live = self._history.days, self._days
        if len(live) == live.maxlen:
            # The oldest live bars are gone: the past before them would be cut off by a hole.
            return list(live)
        if live and live[0][0] == past[-1][0]:
            joint = merged(past[-1][0], [past[-1], live[0]])
            return [*past[:-1], joint, *islice(live, 1, None)]
        return [*past, *live]


def _add(rows: deque[Row], start_s: int, price: int, size: int) -> None:
    if rows and rows[-1][0] == start_s:
        row = rows[-1]
        if price > row[2]:
            row[2] = price
        if price < row[3]:
            row[3] = price
        row[4] = price
        row[5] += size
    else:
        rows.append([start_s, price, price, price, price, size])


def _unit_of(interval_s: int) -> int:
    """Choose the stored interval that an interval is merged from."""
    if 0 < interval_s < 60 and 60 % interval_s == 0:
        return 1
    if 60 <= interval_s < DAY_S and DAY_S % interval_s == 0 and interval_s % 60 == 0:
        return 60
    if interval_s in (DAY_S, 7 * DAY_S):
        return DAY_S
    raise ValueError(f"no bars of {interval_s} s")


def _merged_by(interval_s: int, unit: int, rows: Iterable[Row], end_s: int | None) -> list[Row]:
    if interval_s == unit:
        return list(rows)
    groups = groupby(rows, lambda row: floor_to(row[0], interval_s))
    return [merged(start, list(within)) for start, within in groups if end_s is None or start < end_s]
