"""A depth curve as rows of cells: how much rests between the best price and every other one. Pure.

Every column stands for one round price, and its height is what rests up to and including that price: bids grow to the
left, asks to the right. Where the book ends before the chart does, its last sum goes on as a faint shade: there may be
more, but nobody said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from rich.style import Style

from tui.market import format as fmt
from tui.market.book import BookSide
from tui.market.terms import Level
from tui.widgets.canvas import BLANK, Canvas
from tui.widgets.ladder import Look
from tui.widgets.lines import Line

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
GRID: Final = "▁"
TICK: Final = "·"
MID: Final = "┊"
CURSOR: Final = "│"
UNKNOWN: Final = "░"
FILLS: Final[dict[BookSide, str]] = {"bid": "█", "ask": "▒"}
"""The two sides without colour, and while they are stale."""
_ROUND: Final = tuple(map(Decimal, ("1", "2", "2.5", "5", "10")))
_LABELLED_EVERY: Final = (5, 10, 20, 50, 100)


def decimals_of(step: Decimal) -> int:
    """Decimals that multiples of a step need."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class PriceColumns(NamedTuple):
    """Which column a price falls on. Every column is a whole multiple of `unit`.

    Attributes:
        unit: Price from one column to the next.
        first: The first column's price in units.
        width: Columns.
    """

    unit: Decimal
    first: int
    width: int

    def price(self, x: int) -> Decimal:
        """The price of a column."""
        return (self.first + x) * self.unit

    def x(self, price: Decimal) -> int:
        """The column nearest to a price; outside of 0 … width - 1 when off the chart."""
        return round(price / self.unit) - self.first

    def labels(self, decimals: int) -> list[tuple[int, str]]:
        """Columns to label, far enough apart, with their prices in no more decimals than they need."""
        cells = len(fmt.price(self.price(self.width), min(decimals, decimals_of(self.unit))))
        every = next((n for n in _LABELLED_EVERY if n >= cells + 2), _LABELLED_EVERY[-1])
        decimals = min(decimals, decimals_of(self.unit * every))
        return [(x, fmt.price(self.price(x), decimals)) for x in range(self.width) if (self.first + x) % every == 0]


class SizeScale(NamedTuple):
    """How high a size reaches. Grid lines lie at the lower edge of their rows, exactly at the sizes beside them.

    Attributes:
        step: Size between two grid lines.
        rows_per_step: Rows between two grid lines.
        rows: Height.
    """

    step: Decimal
    rows_per_step: int
    rows: int

    @property
    def most(self) -> Decimal:
        """The size that reaches the top."""
        return self.step * self.rows / self.rows_per_step

    def eighths(self, size: Decimal) -> int:
        """Height in eighths of a row; anything above 0 shows."""
        return min(max(round(size / self.most * self.rows * 8), int(size > 0)), self.rows * 8)

    @property
    def grid(self) -> list[tuple[int, Decimal]]:
        """Row, counted from the top, and size of every grid line above 0."""
        every = range(self.rows_per_step, self.rows, self.rows_per_step)
        return [(self.rows - 1 - row, self.step * (row // self.rows_per_step)) for row in every]


def size_scale(most: Decimal, rows: int) -> SizeScale:
    """The closest scale with a round grid that shows sizes up to `most`."""
    choices = [SizeScale(_round_step(most * n / rows), n, rows) for n in _spacings(rows)]
    return min(choices, key=lambda scale: scale.most)


def _spacings(rows: int) -> Sequence[int]:
    return (2,) if rows < 4 else (2, 3) if rows < 9 else (3, 4, 5) if rows < 24 else (4, 5, 6)


def _round_step(least: Decimal) -> Decimal:
    power = Decimal(1).scaleb(least.adjusted())
    return next(factor * power for factor in _ROUND if factor * power >= least)


class Point(NamedTuple):
    """A column of the curve: size up to and including its price, and whether the book reaches that far."""

    x: int
    size: Decimal
    is_known: bool


def curve(levels: Sequence[Level], side: BookSide, columns: PriceColumns) -> list[Point]:
    """The curve of one side (levels best first), from the best price outward."""
    if not levels:
        return []
    best, last = levels[0][0], levels[-1][0]
    outward = range(columns.width)[:: -1 if side == "bid" else 1]
    points, index, total = [], 0, Decimal()
    for x in outward:
        price = columns.price(x)
        if price > best if side == "bid" else price < best:
            continue
        while index < len(levels) and (levels[index][0] >= price if side == "bid" else levels[index][0] <= price):
            total += levels[index][1]
            index += 1
        points.append(Point(x, total, price >= last if side == "bid" else price <= last))
    return points


class DepthChart(NamedTuple):
    """Everything that one picture shows.

    Attributes:
        columns: Prices across.
        scale: Sizes up.
        sides: The curve of each side.
        axis: Columns of the size axis at the right, 0 for none.
        mid: The mid, or None with one side only.
        decimals: Of prices.
        size_labels: The grid's sizes as text.
        cursor: Column of the cursor, or None.
    """

    columns: PriceColumns
    scale: SizeScale
    sides: dict[BookSide, list[Point]]
    axis: int
    mid: Decimal | None
    decimals: int
    size_labels: Sequence[str]
    look: Look
    cursor: int | None = None


def draw(chart: DepthChart) -> list[Line]:
    """The picture: the curves, and the price axis below them."""
    canvas = Canvas(chart.columns.width, chart.scale.rows)
    _paint_grid(canvas, chart)
    _paint_mid(canvas, chart)
    areas = [(point, side) for side, points in chart.sides.items() for point in points]
    for point, side in sorted(areas, key=lambda area: -area[0].size):  # where a crossed book overlaps both show
        _paint_column(canvas, chart, point, side)
    if chart.cursor is not None:
        style = chart.look.palette.accent + chart.look.fill("selection")
        for row in range(canvas.height):
            if canvas.char(chart.cursor, row) not in EIGHTHS[2:-1]:
                canvas.put(chart.cursor, row, CURSOR, style)
    labels = {row: text for (row, _), text in zip(chart.scale.grid, chart.size_labels, strict=True)}
    rows = [_with_axis(canvas.line(y), labels.get(y, ""), chart) for y in range(canvas.height)]
    return [*rows, _price_axis(chart)]


def _paint_grid(canvas: Canvas, chart: DepthChart) -> None:
    faint = chart.look.palette.faint
    for x, _ in chart.columns.labels(chart.decimals):
        for row in range(canvas.height):
            canvas.put(x, row, TICK, faint)
    for row, _ in chart.scale.grid:
        canvas.put(0, row, GRID * canvas.width, faint)


def _paint_mid(canvas: Canvas, chart: DepthChart) -> None:
    if chart.mid is None:
        return
    style = chart.look.palette.muted
    for row in range(canvas.height):
        canvas.put(chart.columns.x(chart.mid), row, MID, style)


def _paint_column(canvas: Canvas, chart: DepthChart, point: Point, side: BookSide) -> None:
    look, rows = chart.look, chart.scale.rows
    height = chart.scale.eighths(point.size)
    if not point.is_known:
        for row in range(rows - (height + 4) // 8, rows):
            canvas.write(point.x, row, UNKNOWN, look.palette.faint)
        return
    edge = look.figure(side)
    is_plain = look.sign[0] != BLANK or not look.is_live
    fill, body = (FILLS[side], edge) if is_plain else (BLANK, look.fill(f"{side}-bar"))
    full, part = divmod(height, 8)
    for row in range(rows - full, rows):
        canvas.write(point.x, row, fill, body)
    if part:
        canvas.write(point.x, rows - 1 - full, EIGHTHS[part], edge)
    elif full:
        canvas.write(point.x, rows - full, FILLS[side] if is_plain else EIGHTHS[-1], edge)


def _with_axis(line: Line, label: str, chart: DepthChart) -> Line:
    if chart.axis and label and len(label) < chart.axis:
        line.add(" ").right(label, chart.axis - 2, chart.look.palette.muted)
    return line


def _price_axis(chart: DepthChart) -> Line:
    """Prices below their columns; the mid, and the cursor's price over everything else."""
    palette, columns = chart.look.palette, chart.columns
    row = Canvas(columns.width, 1)
    tags: list[tuple[int, str, Style]] = []
    if chart.cursor is not None:
        price = fmt.price(columns.price(chart.cursor), chart.decimals)
        tags.append((chart.cursor, f" {price} ", palette.style("background", bg="accent")))
    if chart.mid is not None:
        style = palette.style("background", bg="text" if chart.look.is_live else "stale")
        tags.append((columns.x(chart.mid), f" {fmt.price(chart.mid, chart.decimals + 1)} ", style))
    tags += [(x, text, palette.muted) for x, text in columns.labels(chart.decimals)]
    taken: list[range] = []
    for x, text, style in tags:
        left = min(max(x - len(text) // 2, 0), columns.width - len(text))
        if left >= 0 and all(left > one.stop or left + len(text) < one.start for one in taken):
            taken.append(range(left, left + len(text)))
            row.write(left, 0, text, style)
    return row.line(0)
