"""Which columns the bars of a chart stand in: true to time over short gaps, folded over long ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from tui.market.names import Interval
from tui.widgets.axis import moment_of

NS: Final = 1_000_000_000
SHORT_GAP: Final = 8
"""Missing bars that are drawn as empty columns; a longer stretch is folded into one mark."""
_DAY_S: Final = 86_400
_SAMPLE: Final = 30


class Timeline(NamedTuple):
    """Bars in their columns.

    Attributes:
        first: Index of the oldest bar that shows.
        columns: Left column of each bar that shows, oldest first.
        breaks: Column and length (nanoseconds without bars) of each folded stretch.
    """

    first: int
    columns: list[int]
    breaks: list[tuple[int, int]]

    @property
    def end(self) -> int:
        """Index after the newest bar that shows."""
        return self.first + len(self.columns)


class Spacing:
    """How far bars stand apart.

    Args:
        starts: Start of every bar, UTC nanoseconds, oldest first.
        interval: Their length.
        cells: Columns a bar.
    """

    def __init__(self, starts: Sequence[int], interval: Interval, cells: int) -> None:
        self.starts = starts
        self.interval = interval
        self.cells = cells
        # Days of the week on which this market never trades are no gap in daily bars.
        sample = starts[-_SAMPLE:] if interval is Interval.D1 else ()
        self._weekdays = {moment_of(start, interval).weekday() for start in sample}

    def missing(self, index: int) -> int:
        """Bars that are not there between a bar and the one before it."""
        before, start = self.starts[index - 1], self.starts[index]
        count = round((start - before) / (self.interval.seconds * NS)) - 1
        if self.interval is not Interval.D1 or count <= 0 or count > 366:
            return max(count, 0)
        days = (moment_of(before + n * _DAY_S * NS, self.interval) for n in range(1, count + 1))
        return sum(day.weekday() in self._weekdays for day in days)

    def gap(self, index: int) -> int:
        """Columns left free before a bar."""
        count = self.missing(index)
        return count * self.cells if count <= SHORT_GAP else 1

    def back_from(self, end: int, width: int) -> Timeline:
        """Fill a width with the bars before index `end`, the newest at the right."""
        columns: list[int] = []
        breaks: list[tuple[int, int]] = []
        right, index = width, end - 1
        while index >= 0 and right >= self.cells:
            right -= self.cells
            columns.append(right)
            if index > 0:
                right -= self.gap(index)
                if right > self.cells and self.missing(index) > SHORT_GAP:
                    length = self.starts[index] - self.starts[index - 1] - self.interval.seconds * NS
                    breaks.append((right, length))
            index -= 1
        return Timeline(end - len(columns), columns[::-1], breaks[::-1])

    def end_from(self, first: int, width: int) -> int:
        """The index after the last bar that still shows when bar `first` is the oldest."""
        used, index = self.cells, first + 1
        while index < len(self.starts) and (used := used + self.gap(index) + self.cells) <= width:
            index += 1
        return index
