"""From a book to the rows of a depth curve: which prices show, on which scale, and what the cursor tells.

Steady like the ladder: the prices stay where they are until the mid has left the middle of the picture, and not at all
while a cursor holds them; the scale of sizes changes only when the curve has left its range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tui.market import book as arithmetic
from tui.market import format as fmt
from tui.market.book import BookSide, Touch
from tui.market.terms import Level
from tui.widgets.depth import DepthChart, PriceColumns, SizeScale, curve, draw, size_scale
from tui.widgets.figures import SizeColumn, distance
from tui.widgets.ladder import GAP, Columns, Look
from tui.widgets.ladder_foot import Fact, Standing, cursor_rows, flow
from tui.widgets.lines import Line, message
from tui.widgets.midrow import Mid, mid_row

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

LEAST_COLUMNS: Final = 16
LEAST_ROWS: Final = 4
MAX_SHOWN: Final = Decimal("0.5")
"""How far from the mid the picture may reach, as a part of it."""
_DRIFT: Final = Decimal("0.12")
"""The mid may leave the middle by this part of the width before the picture follows."""

_MOST: Final = Decimal("0.8")
"""To begin with, at least this part of the side that ends first shows."""


@dataclass(eq=False)
class DepthView:
    """The depth curve of one symbol.

    Attributes:
        mid_of: Figures of the mid row, by how old the book is (in words) and the bids' share in sight.
        decimals: Of the instrument's prices.
        currency: In which value is told, or empty.
        unit: Price from one column to the next; None to suit the book.
        price: The cursor's price, or None without a cursor.
    """

    mid_of: Callable[[str, float | None], Mid]
    decimals: int = 2
    currency: str = ""
    unit: Decimal | None = None
    price: Decimal | None = None
    _book: BookSnapshot | None = None
    _tick: Decimal = Decimal("0.01")
    _centre: int | None = None
    _chosen: Decimal | None = None
    _columns: PriceColumns | None = None
    _scale: SizeScale | None = None
    _sizes: SizeColumn = field(default_factory=SizeColumn)

    def show(self, book: BookSnapshot, tick: Decimal | None = None) -> None:
        """Take a book, and the finest price step seen in it if that is known."""
        if book is not self._book:
            tick = tick or arithmetic.learn_tick(book)
            self._tick = tick if self._book is None else min(self._tick, tick)
            self._book = book

    def zoom(self, direction: int) -> None:
        """Closer (1) or further (-1)."""
        if self._columns is None or self._centre is None:
            return
        unit = self._columns.unit
        further = _neighbour(unit, -direction)
        middle = self._centre * unit
        if further < self._tick or further * self._columns.width / 2 > middle * MAX_SHOWN:
            return
        self.unit = further
        self._centre = round((self.price or middle) / further)
        self._settle()

    def regroup(self, direction: int) -> None:
        """Finer (-1) or coarser (1) prices: the same as closer and further."""
        self.zoom(-direction)

    def move(self, step: int) -> None:
        """The cursor to the next column: lower prices are left."""
        self.shift(-step)

    def shift(self, step: int) -> None:
        """The cursor a column to the right, or to the left; at the edge the picture moves."""
        columns, book = self._columns, self._book
        if columns is None or book is None:
            return
        if self.price is None:
            best = arithmetic.touch(book)
            start = best.bid if step < 0 else best.ask
            start = start if start is not None else best.ask if best.ask is not None else best.bid
            if start is not None:
                self.price = max(round(start / columns.unit), 1) * columns.unit
            return
        self.price = max(self.price + step * columns.unit, columns.unit)
        x = columns.x(self.price)
        if self._centre is not None and not 0 <= x < columns.width:
            self._centre += x if x < 0 else x - columns.width + 1

    def point(self, x: int, y: int) -> None:
        """Put the cursor on a column of the picture."""
        if self._columns and 0 <= x < self._columns.width and self._columns.price(x) > 0:
            self.price = self._columns.price(x)

    def centre(self) -> None:
        """Let go of the price; the mid returns to the middle."""
        self.price = self._centre = None

    def facts(self) -> list[str]:
        """What the heading says of it."""
        columns = self._columns
        if columns is None or self._centre is None or self._centre <= 0:
            return ["depth"]
        share = Decimal(columns.width) / 2 / self._centre * 100
        return ["depth", f"±{share:.{2 if share < 1 else 1 if share < 10 else 0}f}%"]

    def _settle(self) -> None:
        """Other prices show: their scale starts anew."""
        self._scale = None
        self._sizes = SizeColumn()

    def rows(self, width: int, height: int, look: Look, stale: str = "") -> list[Line]:
        """The mid row, the curves with their axes, and the cursor's figures or those of both sides."""
        book = self._book
        best = arithmetic.touch(book) if book else None
        middle = best and (best.mid or best.bid or best.ask)
        if book is None or best is None or not middle:
            return []
        gauge, footer = int(height >= LEAST_ROWS + 2), int(height >= 9)
        rows = height - gauge - footer - 1
        if width < LEAST_COLUMNS or rows < LEAST_ROWS - 1:
            return message(["Too small for a curve."], width, height, look.palette.muted)
        axis = self._axis(width)
        columns = self._columns = self._place(width - axis, middle)
        sides: dict[BookSide, Sequence[Level]] = {"bid": book.bids, "ask": book.asks}
        curves = {side: curve(levels, side, columns) for side, levels in sides.items()}
        totals = {side: points[-1].size if points else Decimal() for side, points in curves.items()}
        self._fit(max(totals.values()), rows)
        assert self._scale
        chart = DepthChart(
            columns=columns,
            scale=self._scale,
            sides=curves,
            axis=axis,
            mid=best.mid,
            decimals=self.decimals,
            size_labels=[self._sizes.text(size) for _, size in self._scale.grid],
            look=look,
            cursor=self._cursor(columns),
        )
        total = totals["bid"] + totals["ask"]  # nothing, where the picture shows prices beside the book
        share = float(totals["bid"] / total) if total and book.bids and book.asks else None
        lines = [self._gauge(width, stale, share, look)] if gauge else []
        return [*lines, *draw(chart), *([self._footer(width, best, totals, look)] if footer else [])]

    def _axis(self, width: int) -> int:
        axis = max(self._sizes.width, 4) + 2
        return axis if width - axis >= 2 * LEAST_COLUMNS else 0

    def _place(self, width: int, middle: Decimal) -> PriceColumns:
        if self.unit is None and (self._chosen is None or self._columns is None or self._columns.width != width):
            self._chosen = self._suited(width, middle)
        unit = self.unit or self._chosen
        assert unit
        if self._columns is not None and self._columns.unit != unit:
            self._centre = None if self.price is None else round(self.price / unit)
            self._settle()
        at = middle / unit
        if self._centre is None or (self.price is None and abs(at - self._centre) > width * _DRIFT):
            self._centre = round(at)
        return PriceColumns(unit, self._centre - width // 2, width)

    def _suited(self, width: int, middle: Decimal) -> Decimal:
        """The closest prices that show most of the side that ends first."""
        assert self._book
        ends = [side[-1][0] for side in (self._book.bids, self._book.asks) if side]
        reach = min((abs(end - middle) for end in ends), default=Decimal()) * _MOST
        unit = self._tick
        while unit * (width // 2) < reach and unit * width < middle * MAX_SHOWN:
            unit = _neighbour(unit, 1)
        return unit

    def _fit(self, most: Decimal, rows: int) -> None:
        most = max(most, Decimal("1e-8"))
        scale = self._scale
        if scale is None or scale.rows != rows or not scale.most * Decimal("0.55") <= most <= scale.most:
            self._scale = size_scale(most * Decimal("1.05"), rows)
            self._sizes.fit([size for _, size in self._scale.grid])

    def _cursor(self, columns: PriceColumns) -> int | None:
        if self.price is None:
            return None
        x = columns.x(self.price)
        return x if 0 <= x < columns.width else None

    def _gauge(self, width: int, stale: str, share: float | None, look: Look) -> Line:
        assert self._columns
        mid = self.mid_of(stale, share)
        price = len(mid.price) + 1
        end = min(self._columns.width // 2 + (price + 1) // 2, width)
        return mid_row(mid, Columns(width, end - price - GAP, 0, 0, price, 0, 0, 0), look)

    def _footer(self, width: int, best: Touch, totals: dict[BookSide, Decimal], look: Look) -> Line:
        if self.price is not None:
            return self._told(width, self.price, best, look)
        assert self._columns
        columns, muted = self._columns, look.palette.muted
        ends = [self._price(columns.price(x)) for x in (0, columns.width - 1)]
        left = Line().add(" bid ", look.figure("bid")).add(fmt.size(totals["bid"]), look.text)
        right = Line().add(fmt.size(totals["ask"]), look.text).add(" ask ", look.figure("ask"))
        if left.width + right.width + len("".join(ends)) + 12 <= width:
            left.add(f" from {ends[0]}", muted)
            right = Line().add(f"to {ends[1]} ", muted).extend(right)
        return left.to(width - right.width).extend(right) if left.width + right.width < width else left

    def _told(self, width: int, price: Decimal, best: Touch, look: Look) -> Line:
        """What rests up to the cursor's price: size, value, distance from the mid."""
        assert self._book
        side = _side_of(price, best)
        if side is not None:
            size, value = arithmetic.within(self._book.bids if side == "bid" else self._book.asks, price, side)
            standing = Standing(side, price, size, value, self.currency, best.mid, ())
            return cursor_rows(standing, self._price, width, 1, look)[0]
        facts: list[Fact] = [
            [(self._price(price), look.palette.strong)],
            [("inside the spread" if best.spread else "nothing rests here", look.palette.muted)],
            [(distance(price, best.mid), look.text), (" bp", look.palette.muted)],
        ]
        return flow(facts, width, 1)[0]

    def _price(self, price: Decimal) -> str:
        return fmt.price(price, self.decimals)


def _side_of(price: Decimal, best: Touch) -> BookSide | None:
    """Whose sizes a price is told for; in a crossed book the side it is nearer to."""
    is_bid = best.bid is not None and price <= best.bid
    is_ask = best.ask is not None and price >= best.ask
    if is_bid and is_ask:
        return "bid" if best.mid is not None and price <= best.mid else "ask"
    return "bid" if is_bid else "ask" if is_ask else None


def _neighbour(unit: Decimal, direction: int) -> Decimal:
    """The next larger (1) or smaller (-1) of 1, 2, 5, 10 ... times a power of ten."""
    leading = unit.normalize().as_tuple().digits[0]
    if direction > 0:
        return unit * (Decimal("2.5") if leading == 2 else 2)
    return unit / (Decimal("2.5") if leading == 5 else 2)
