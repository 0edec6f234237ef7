"""From the history of a book to the rows of a heatmap: which prices and seconds show, and how strong a size is.

Steady: prices follow the mid a row at a time once it has left the middle, and not at all while a cursor holds them;
while a cursor holds a second the picture stands still; shades change only when sizes have left their range for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import floor
from typing import TYPE_CHECKING, Final

from tui.market import book as arithmetic
from tui.market import format as fmt
from tui.market.heat import KEPT_S, NS, HeatColumn, HeatHistory
from tui.widgets.axis import PriceScale
from tui.widgets.heat_legend import key_row, told_row
from tui.widgets.heat_shades import HeatShades
from tui.widgets.heatmap import Heatmap, draw, scale_of
from tui.widgets.ladder import Look
from tui.widgets.lines import Line, message

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

SPANS: Final = (1, 2, 5, 10)
"""Seconds a column."""
LEAST_COLUMNS: Final = 16
LEAST_ROWS: Final = 3
_DRIFT: Final = 0.15
"""What shows may leave the middle by this part of the height before the picture follows."""
_NEAR: Final = Decimal("0.5")
"""How far from the middle the newest price may be, as a part of half the height."""
_SPARED: Final = 0.1
"""The part of the mids that may lie outside of the picture, at each end: one spike does not make all else small."""
_SPARE: Final = Decimal("1.25")
"""A finer step is taken once it would leave this much room."""


@dataclass(eq=False)
class HeatView:
    """The heatmap of one symbol.

    Attributes:
        history: What was recorded of it, if anything.
        now_ns: UTC now.
        decimals: Of the instrument's prices.
        step: Price of a bucket; None to suit the book.
        seconds: Length of a column.
        price: Lower edge of the bucket under the cursor, or None.
        second: First second of the column under the cursor, or None.
        is_quiet: Nothing happens and so nothing is drawn: seconds behind now would soon be wrong.
    """

    history: Callable[[], HeatHistory | None]
    now_ns: Callable[[], int]
    decimals: int = 2
    step: Decimal | None = None
    seconds: int = 1
    price: Decimal | None = None
    second: int | None = None
    is_quiet: bool = False
    _book: BookSnapshot | None = None
    _tick: Decimal | None = None
    _chosen: Decimal | None = None
    _end: int | None = None
    _scale: PriceScale | None = None
    _starts: Sequence[int] = ()
    _legend: int = 0
    _axis: int = 0
    _shades: HeatShades = field(default_factory=HeatShades)

    def show(self, book: BookSnapshot, tick: Decimal | None = None) -> None:
        """Take a book and the finest price step in it: they choose the steps. What is drawn comes from the history."""
        if book is not self._book:
            self._book = book
            tick = tick or arithmetic.learn_tick(book)
            self._tick = min(tick, self._tick or tick)

    def zoom(self, direction: int) -> None:
        """Fewer (1) or more (-1) seconds a column."""
        index = SPANS.index(self.seconds) - direction
        self.seconds = SPANS[min(max(index, 0), len(SPANS) - 1)]
        if self.second is not None:
            self.second -= self.second % self.seconds
            self._end = min(self._now, self.second + len(self._starts) // 2 * self.seconds)

    def regroup(self, direction: int) -> None:
        """The next coarser (1) or finer (-1) price step."""
        middle, present = self._middle(), self._step
        if middle is None or self._tick is None or present is None:
            return
        further = [n for n in arithmetic.grouping_steps(middle, self._tick) if (n - present) * direction > 0]
        if not further:
            return
        row = self._row()
        self.step = further[0] if direction > 0 else further[-1]
        self._scale, scale = None, self._scale
        if self.price is not None and row is not None and scale is not None:
            self.price = floor(self.price / self.step) * self.step
            self._scale = scale_of(self.step, row + self._rows_above(self.step), scale.rows)

    def move(self, step: int) -> None:
        """The cursor to the next bucket down (1) or up (-1); at the edge the picture moves."""
        bucket, scale = self._step, self._scale
        if bucket is None or scale is None or self._book is None:
            return
        best = arithmetic.touch(self._book)
        start = (best.bid or best.ask) if step > 0 else (best.ask or best.bid)
        if self.price is not None:
            self.price = max(self.price - step * bucket, Decimal())
        elif start is not None:
            self.price = floor(start / bucket) * bucket
        row = self._row()
        if row is not None and not 0 <= row < scale.rows:
            off = row if row < 0 else row - scale.rows + 1
            self._scale = scale_of(bucket, scale.top - off, scale.rows)

    def shift(self, step: int) -> None:
        """The cursor to the next column right (1) or left (-1); right of the newest it lets go of the time."""
        history = self.history()
        oldest = history.first_second if history else None
        if oldest is None or not self._starts:
            return
        if self.second is None:
            self.second = self._starts[-1]
            self._end = self._starts[-1] + self.seconds - 1
            return
        now = self._now
        second = self.second + step * self.seconds
        if second > now:
            self.second = self._end = None
            return
        self.second = max(second, oldest - oldest % self.seconds, now - KEPT_S)
        if self.second > self._starts[-1]:
            self._end = self.second + self.seconds - 1
        elif self.second < self._starts[0]:
            self._end = self.second + len(self._starts) * self.seconds - 1

    def point(self, x: int, y: int) -> None:
        """Put the cursor on a cell of the picture."""
        scale, row, bucket = self._scale, y - self._legend, self._step
        if scale is None or bucket is None or not (0 <= row < scale.rows and 0 <= x < len(self._starts)):
            return
        self.price = (2 * (scale.top - row)) * bucket
        self.second, self._end = self._starts[x], self._starts[-1] + self.seconds - 1

    def centre(self) -> None:
        """Let go of price and time: back to now and to the best prices."""
        self.price = self.second = self._end = self._scale = None

    def facts(self) -> list[str]:
        """What the heading says of it."""
        facts = ["heatmap"]
        if self._step is not None:
            facts.append(f"step {self._step.normalize():,f}")
        return facts if self.seconds == 1 else [*facts, f"{self.seconds}s a column"]

    def rows(self, width: int, height: int, look: Look, stale: str = "") -> list[Line]:
        """The legend or the cursor's figures, the picture, the time axis."""
        history, middle = self.history(), self._middle()
        self._legend = int(height >= 7)
        rows = height - self._legend - 1
        if history is None or history.first_second is None or middle is None:
            return message(["Nothing recorded yet."], width, height, look.palette.muted)
        if width < LEAST_COLUMNS or rows < LEAST_ROWS:
            return message(["Too small for a heatmap."], width, height, look.palette.muted)
        self._axis = max(self._axis, len(fmt.price(middle, self.decimals)) + 2)
        axis = self._axis if width - self._axis >= LEAST_COLUMNS else 0
        end = self._now if self._end is None else max(self._end, self._now - KEPT_S)
        columns = history.window(end, width - axis, self.seconds, is_live=not stale)
        last = end // self.seconds
        self._starts = [n * self.seconds for n in range(last - len(columns) + 1, last + 1)]
        newest = next((column.best.mid for column in reversed(columns) if column and column.best.mid), middle)
        low, high = self._range(columns, middle)
        self._choose_step(rows, low, high)
        self._follow(rows, low, high, newest)
        picture = draw(self._picture(history, columns, newest, axis, look, stale))
        return [self._line(columns, width, look), *picture] if self._legend else picture

    def _line(self, columns: Sequence[HeatColumn | None], width: int, look: Look) -> Line:
        """What the cursor is on, or what the shades mean."""
        if self.price is None and self.second is None:
            return key_row(self._shades.inked(look), self._shades.full, width)
        x, step = self._cross(), self._step
        range_ = None if self.price is None or step is None else (self.price, step)
        return told_row(columns[-1 if x is None else x], self.second, range_, self.decimals, width, look)

    def _picture(
        self,
        history: HeatHistory,
        columns: Sequence[HeatColumn | None],
        newest: Decimal,
        axis: int,
        look: Look,
        stale: str,
    ) -> Heatmap:
        assert self._scale
        starts, row = self._starts, self._row()
        oldest = history.first_second or 0
        return Heatmap(
            columns=self._shades.of(columns, self._scale, look),
            prints=[history.prints(start, self.seconds) for start in starts],
            starts=starts,
            first=next((x for x, start in enumerate(starts) if start + self.seconds > oldest), len(starts)),
            scale=self._scale,
            axis=axis,
            decimals=self.decimals,
            ink=self._shades.inked(look),
            last=newest,
            is_live=not stale and self._end is None,
            row=row if row is not None and 0 <= row < self._scale.rows else None,
            price=self.price,
            cross=self._cross(),
            behind=max(self._now - self._end, 0) if self._end is not None and not self.is_quiet else 0,
            note=f"since {fmt.time_of_day(oldest * NS)}",
        )

    @property
    def _now(self) -> int:
        return self.now_ns() // NS

    @property
    def _step(self) -> Decimal | None:
        return self.step or self._chosen

    def _middle(self) -> Decimal | None:
        best = arithmetic.touch(self._book) if self._book else None
        return best and (best.mid or best.bid or best.ask)

    def _choose_step(self, rows: int, low: Decimal, high: Decimal) -> None:
        """The finest step that shows all prices of a range; it stays while it suits, and while a cursor holds it."""
        if self.step is not None or self._tick is None or (self._chosen and self.price is not None):
            return
        steps = arithmetic.grouping_steps((low + high) / 2, self._tick)
        chosen, need = self._chosen, high - low
        if chosen in steps and need <= 2 * rows * chosen:
            finer = [step for step in steps if step < chosen and need * _SPARE <= 2 * rows * step]
            if not finer:
                return
        self._chosen = next((step for step in steps if need <= 2 * rows * step), steps[-1])

    def _range(self, columns: Sequence[HeatColumn | None], middle: Decimal) -> tuple[Decimal, Decimal]:
        """Most of the mids that show, and as much around them as the book reaches."""
        assert self._book
        mids = sorted(column.best.mid for column in columns if column and column.best.mid) or [middle]
        spared = int(len(mids) * _SPARED)
        ends = [side[-1][0] for side in (self._book.bids, self._book.asks) if side]
        reach = min((abs(end - middle) for end in ends), default=Decimal())
        return mids[spared] - reach, mids[-1 - spared] + reach

    def _follow(self, rows: int, low: Decimal, high: Decimal, newest: Decimal) -> None:
        """Choose the prices that show: all of a range; in any case the newest, not at the edge."""
        step, scale = self._step, self._scale
        assert step
        room = rows * step * _NEAR
        centre = min(max((low + high) / 2, newest - room), newest + room)
        top = round(float(centre) / float(2 * step) + (rows - 1) / 2)
        if scale is None or scale.rows != rows or scale.step != scale_of(step, 0, rows).step:
            row = None if self.price is None else min(max(self._row() or 0, 0), rows - 1)
            self._scale = scale_of(step, top if row is None else row + self._rows_above(step), rows)
        elif self.price is None and abs(off := top - scale.top) > rows * _DRIFT:
            self._scale = scale_of(step, top if abs(off) > rows / 2 else scale.top + (1 if off > 0 else -1), rows)

    def _row(self) -> int | None:
        """The row of the cursor's bucket; off the picture when it is out of sight."""
        if self.price is None or self._scale is None or self._step is None:
            return None
        return (2 * self._scale.top - floor(self.price / self._step)) // 2

    def _rows_above(self, step: Decimal) -> int:
        """How many rows the cursor's bucket lies above the price 0."""
        return -(floor((self.price or 0) / step) // -2)

    def _cross(self) -> int | None:
        if self.second is None or not self._starts:
            return None
        x = (self.second - self._starts[0]) // self.seconds
        return x if 0 <= x < len(self._starts) else None
