"""A series of bars of one symbol and interval: kept in order, bounded, never moving backwards."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tui.market.names import Interval, Symbol

if TYPE_CHECKING:
    from tui.market.events import Bar

MAX_BARS: Final = 2000


class BarSeries:
    """Bars by start, oldest first; the last one is the open bar until a later one comes.

    Args:
        symbol: Whose bars.
        interval: Their length.
        limit: How many are kept; the oldest go first.
    """

    def __init__(self, symbol: Symbol, interval: Interval, limit: int = MAX_BARS) -> None:
        self.symbol = symbol
        self.interval = interval
        self._limit = limit
        self._bars: list[Bar] = []
        self._starts: list[int] = []

    def __len__(self) -> int:
        return len(self._bars)

    def __iter__(self) -> Iterator[Bar]:
        return iter(self._bars)

    @property
    def last(self) -> Bar | None:
        """The newest bar."""
        return self._bars[-1] if self._bars else None

    def tail(self, count: int) -> list[Bar]:
        """The newest `count` bars, oldest first."""
        return self._bars[-count:] if count > 0 else []

    def between(self, start_ns: int, end_ns: int) -> list[Bar]:
        """Bars that start in the half-open range."""
        return self._bars[bisect_left(self._starts, start_ns) : bisect_left(self._starts, end_ns)]

    def upsert(self, bar: Bar) -> bool:
        """Insert a bar or replace the one with the same start.

        A bar that was closed is not opened again. An older bar lands in its place and never becomes the last.

        Returns:
            Whether anything changed.
        """
        index = bisect_left(self._starts, bar.start_ns)
        if index < len(self._bars) and self._starts[index] == bar.start_ns:
            known = self._bars[index]
            if known.closed and not bar.closed:
                bar = bar.model_copy(update={"closed": True})
            if known.closed == bar.closed and _figures(known) == _figures(bar):
                return False
            self._bars[index] = bar
            return True
        if index < len(self._bars) and not bar.closed:
            bar = bar.model_copy(update={"closed": True})  # a later bar exists, so this one has ended
        self._bars.insert(index, bar)
        self._starts.insert(index, bar.start_ns)
        self._close_before(index)
        if (excess := len(self._bars) - self._limit) > 0:
            del self._bars[:excess], self._starts[:excess]
        return True

    def clear(self) -> None:
        """Forget all."""
        self._bars.clear()
        self._starts.clear()

    def _close_before(self, index: int) -> None:
        if index > 0 and not (previous := self._bars[index - 1]).closed:
            self._bars[index - 1] = previous.model_copy(update={"closed": True})


def _figures(bar: Bar) -> tuple[object, ...]:
    return bar.open, bar.high, bar.low, bar.close, bar.volume
