"""A candle chart as rows of cells: candles, volume and lines on a grid, with its price and time axes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.style import Style

from tui.market import format
from tui.themes import Palette
from tui.widgets import candles
from tui.widgets.axis import PriceScale, TimeMark, moment_text, time_marks
from tui.widgets.candles import Pattern
from tui.widgets.canvas import BLANK, Canvas
from tui.widgets.lines import Line
from tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from tui.market.events import Bar

NS: Final = 1_000_000_000
GRID: Final = "┈"
BREAK: Final = "┊"
LAST: Final = "╌"
ARROWS: Final = {1: "▲", -1: "▼", 0: "="}
"""By the sign of a move."""


class Layout(NamedTuple):
    """The parts of a chart in cells: `axis` columns at the right, `volume` rows below the prices, one for the time."""

    width: int
    prices: int
    volume: int
    axis: int

    @property
    def columns(self) -> int:
        """Columns for bars."""
        return self.width - self.axis


class Ink(NamedTuple):
    """The styles of a chart."""

    palette: Palette
    stale: bool

    def moved(self, direction: int) -> Style:
        """Of a candle or a price that rose (1), fell (-1) or did neither."""
        return self.palette.stale if self.stale else self.palette.moved(direction)

    def volume(self, rises: bool) -> Style:
        """Of a volume bar."""
        return self.palette.style("bid-bar" if rises else "ask-bar") if not self.stale else self.palette.faint

    def tag(self, direction: int) -> Style:
        """The last price on the axis, inverse."""
        role = {1: "up", -1: "down", 0: "text"}[direction]
        return self.palette.style("background", bg="stale" if self.stale else role, bold=True)


class Curve(NamedTuple):
    """An indicator: a value for each bar that shows."""

    values: Sequence[float | None]
    pattern: Pattern
    style: Style


class Chart(NamedTuple):
    """Everything that one picture shows.

    Attributes:
        bars: The bars that show, oldest first.
        timeline: Their columns.
        newest: The newest bar of the series, whether or not it shows.
        newer: How many bars are newer than those that show.
        scale: Prices to rows.
        cells: Columns a bar.
        decimals: Precision of the instrument.
        direction: Sign of the newest bar's move, for its tag.
        hollow: Whether candles must tell direction without colour.
        curves: Indicators, drawn behind the candles.
        cross: Index in `bars` under the crosshair, or None.
    """

    bars: Sequence[Bar]
    timeline: Timeline
    newest: Bar
    newer: int
    scale: PriceScale
    cells: int
    decimals: int
    layout: Layout
    ink: Ink
    direction: int = 0
    hollow: bool = False
    curves: Sequence[Curve] = ()
    cross: int | None = None

    @property
    def middle(self) -> int:
        """Column of a candle's middle, from its left."""
        return (self.cells - 1) // 2

    def price(self, value: Decimal) -> str:
        """A price for the axis."""
        return format.price(value, self.decimals)


def draw(chart: Chart) -> list[Line]:
    """The picture, top to bottom: price rows, volume rows, the time axis."""
    layout = chart.layout
    canvas = Canvas(layout.columns, layout.prices + layout.volume)
    middles = [(x + chart.middle, bar.start_ns) for x, bar in zip(chart.timeline.columns, chart.bars, strict=True)]
    marks = time_marks(middles, chart.newest.interval, chart.cells, layout.columns)
    _paint_grid(canvas, chart, marks)
    _paint_breaks(canvas, chart)
    _paint_curves(canvas, chart)
    _paint_last(canvas, chart)
    _paint_candles(canvas, chart)
    _paint_volume(canvas, chart)
    _paint_cross(canvas, chart)
    labels = _axis_labels(chart)
    rows = [_with_axis(canvas.line(y), labels.get(y), layout) for y in range(canvas.height)]
    return [*rows, _time_axis(chart, marks)]


def _paint_grid(canvas: Canvas, chart: Chart, marks: Sequence[TimeMark]) -> None:
    style = chart.ink.palette.faint
    for row, _ in chart.scale.grid:
        canvas.put(0, row, GRID * canvas.width, style)
    breaks = {x + 1 for x, _ in chart.timeline.breaks}
    for mark in marks:
        if mark.x - chart.middle in breaks:
            continue  # the mark of the break is enough of a line
        for row in range(canvas.height):
            canvas.put(mark.x, row, "┼" if canvas.char(mark.x, row) == GRID else "·", style)


def _paint_breaks(canvas: Canvas, chart: Chart) -> None:
    palette = chart.ink.palette
    for x, length_ns in chart.timeline.breaks:
        for row in range(canvas.height):
            canvas.put(x, row, BREAK, palette.style("border"))
        text = format.age(length_ns / NS)
        canvas.write(x - len(text) // 2, 0, text, palette.muted)


def _paint_curves(canvas: Canvas, chart: Chart) -> None:
    breaks: list[tuple[int, float | None]] = [(x, None) for x, _ in chart.timeline.breaks]
    for curve in chart.curves:
        columns = (x + chart.middle for x in chart.timeline.columns)
        # a break interrupts the line: nothing was averaged in between
        points = sorted([*zip(columns, curve.values, strict=True), *breaks], key=itemgetter(0))
        for x, row, char in candles.curve(points, chart.scale, curve.pattern):
            canvas.put(x, row, char, curve.style)


def _paint_last(canvas: Canvas, chart: Chart) -> None:
    price = float(chart.newest.close)
    if chart.newer or not chart.scale.shows(price):
        return
    row, style = chart.scale.row(price), chart.ink.moved(chart.direction)
    for x in range(canvas.width):
        if canvas.char(x, row) in (BLANK, GRID, "·", "┼"):
            canvas.put(x, row, LAST, style)


def _paint_candles(canvas: Canvas, chart: Chart) -> None:
    for x, bar in zip(chart.timeline.columns, chart.bars, strict=True):
        shape = candles.shape(bar, chart.scale)
        style = chart.ink.moved(1 if shape.rises else -1)
        for row, text in candles.candle(shape, chart.cells, chart.hollow):
            canvas.put(x, row, text, style)


def _paint_volume(canvas: Canvas, chart: Chart) -> None:
    most = largest_volume(chart.bars)
    if not chart.layout.volume or not most:
        return
    for x, bar in zip(chart.timeline.columns, chart.bars, strict=True):
        style = chart.ink.volume(rises(bar))
        share = float((bar.volume or 0) / most)
        for row, text in candles.volume(share, chart.layout.volume, chart.cells):
            canvas.put(x, chart.layout.prices + row, text, style)


def _paint_cross(canvas: Canvas, chart: Chart) -> None:
    if chart.cross is None:
        return
    background = chart.ink.palette.fill("selection")
    left = chart.timeline.columns[chart.cross]
    for row in range(canvas.height):
        for x in range(left, left + max(chart.cells - 1, 1)):
            canvas.tint(x, row, background)


def _axis_labels(chart: Chart) -> dict[int, tuple[str, Style]]:
    palette, scale = chart.ink.palette, chart.scale
    labels = {row: (f" {chart.price(price)}", palette.muted) for row, price in scale.grid}
    if chart.layout.volume and (most := largest_volume(chart.bars)):
        labels[chart.layout.prices] = (f" {format.compact(most)}", palette.muted)
    if chart.cross is not None:
        close = chart.bars[chart.cross].close
        labels[scale.row(float(close))] = (f" {chart.price(close)}", palette.style("background", bg="accent"))
    last = chart.newest.close
    labels[scale.row(float(last))] = (ARROWS[chart.direction] + chart.price(last), chart.ink.tag(chart.direction))
    return labels


def _with_axis(line: Line, label: tuple[str, Style] | None, layout: Layout) -> Line:
    if label is None or not layout.axis:
        return line
    text, style = label
    width = layout.axis - 1
    return line.add(text[0], style).right(text[1:], width - 1, style) if len(text) <= width else line


def _time_axis(chart: Chart, marks: Sequence[TimeMark]) -> Line:
    palette, columns = chart.ink.palette, chart.layout.columns
    row = Canvas(columns, 1)
    texts = [(mark.left, mark.text, palette.text if mark.is_major else palette.muted) for mark in marks]
    if chart.cross is not None:
        tag = f" {moment_text(chart.bars[chart.cross].start_ns, chart.newest.interval).strip()} "
        x = chart.timeline.columns[chart.cross] + chart.middle - len(tag) // 2
        left = min(max(x, 0), max(columns - len(tag), 0))
        texts = [text for text in texts if text[0] + len(text[1]) < left or text[0] > left + len(tag)]
        texts.append((left, tag, palette.style("background", bg="accent")))
    for left, text, style in texts:
        row.write(left, 0, text, style)
    line = row.line(0)
    if not chart.layout.axis:
        return line
    if chart.newer:
        return line.right(f"+{chart.newer} ▸", chart.layout.axis - 1, palette.accent)
    return line.right("UTC", chart.layout.axis - 1, palette.muted)


def rises(bar: Bar) -> bool:
    """Whether a bar closed no lower than it opened."""
    return bar.close >= bar.open


def largest_volume(bars: Sequence[Bar]) -> Decimal:
    """The largest known volume, 0 when none is known."""
    return max((bar.volume for bar in bars if bar.volume), default=Decimal(0))
