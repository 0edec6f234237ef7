"""A book over time as rows of cells: price down, time across, size as shade; best prices, mid and trades on top. Pure.

A cell shows two price buckets, one in each half. Row centres are the edges between the two, so that a grid price of the
axis lies exactly in the middle of its row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple

from rich.style import Style

from tui.market import format as fmt
from tui.market.heat import HeatColumn, Print
from tui.market.terms import Side
from tui.widgets.axis import PriceScale
from tui.widgets.canvas import Canvas
from tui.widgets.heat_ink import ASK, BID, MID, SHADES, Cell, HeatInk
from tui.widgets.lines import Line

GAP: Final = "╱"
DOTS: Final = {"buy": "●", "sell": "○", None: "•"}
"""Trades by the taker's side."""
LABEL_ROWS: Final = 5
_LABELLED_EVERY: Final = (10, 15, 20, 30, 60, 120, 300, 600)

Shaded = Sequence[int] | None
"""The halves of a column from the top, or None for a gap."""


def scale_of(step: Decimal, top: int, rows: int) -> PriceScale:
    """The scale of a heatmap: two buckets a row, a round price every fifth row.

    Args:
        step: Price of a bucket.
        top: The first row's centre, in rows above the price 0.
        rows: Height.
    """
    return PriceScale(step * 2 * LABEL_ROWS, LABEL_ROWS, top, rows)


def bucket_at(scale: PriceScale, half: int) -> int:
    """The bucket in a half row, counted from the top."""
    return 2 * scale.top - half


def half_of(scale: PriceScale, price: Decimal) -> int:
    """The half row of a price; outside of 0 … 2 × rows - 1 when it is off the chart."""
    return 2 * scale.top - int(price / bucket_of(scale) // 1)


def bucket_of(scale: PriceScale) -> Decimal:
    """Price of a bucket."""
    return scale.step / (2 * scale.rows_per_step)


def sizes_of(column: HeatColumn, scale: PriceScale, plain: bool) -> list[float]:
    """What rests in each half row from the top; in each row, told for both its halves, when shades are characters."""
    unit = float(column.unit)
    found = column.bins(bucket_at(scale, 2 * scale.rows - 1), 2 * scale.rows, bucket_of(scale))
    if plain:
        found = [size for low, high in zip(found[::2], found[1::2], strict=True) for size in (low + high,) * 2]
    return [size * unit for size in reversed(found)]


def shaded(column: HeatColumn, sizes: Iterable[float], scale: PriceScale, least: Sequence[float]) -> list[int]:
    """A column as shades (`least` holds the least size of each), best prices and mid drawn over them."""
    halves = [bisect_right(least, size) for size in sizes]
    best = column.best
    for price, line in ((best.ask, ASK), (best.bid, BID), (best.mid, MID)):
        if price is not None and 0 <= (half := half_of(scale, price)) < len(halves):
            halves[half] = line
    return halves


class Heatmap(NamedTuple):
    """Everything that one picture shows.

    Attributes:
        columns: Oldest first; None for a gap.
        prints: Trades of each column.
        starts: First second of each column.
        first: Index of the first column there was a recording for.
        scale: Prices to rows.
        axis: Columns of the price axis at the right.
        decimals: Of prices.
        last: The price that is tagged on the axis (the mid), or None.
        is_live: Whether that price is.
        row: The cursor's row, or None.
        price: The cursor's price.
        cross: The cursor's column, or None.
        behind: Seconds by which the picture ends before now.
        note: A word on the columns before the first one.
    """

    columns: Sequence[Shaded]
    prints: Sequence[Sequence[Print]]
    starts: Sequence[int]
    first: int
    scale: PriceScale
    axis: int
    decimals: int
    ink: HeatInk
    last: Decimal | None
    is_live: bool = True
    row: int | None = None
    price: Decimal | None = None
    cross: int | None = None
    behind: int = 0
    note: str = ""


def draw(heatmap: Heatmap) -> list[Line]:
    """The picture, and the time axis below it."""
    marks = _marks(heatmap)
    labels = _labels(heatmap)
    rows = [_row(heatmap, y, marks.get(y, {})) for y in range(heatmap.scale.rows)]
    return [*(_with_axis(row, labels.get(y), heatmap.axis) for y, row in enumerate(rows)), _time_axis(heatmap)]


def _row(heatmap: Heatmap, y: int, marks: dict[int, Cell]) -> Line:
    line, cells = Line(), []
    for x, column in enumerate(heatmap.columns):
        if mark := marks.get(x):
            cells.append(mark)
        elif column is not None:
            cells.append(heatmap.ink.cell((column[2 * y], column[2 * y + 1])))
        else:
            cells.append(_gap(heatmap, x))
    for (char, style), run in groupby(cells):
        line.add(char * sum(1 for _ in run), style)
    return line


def _gap(heatmap: Heatmap, x: int) -> Cell:
    return (GAP if x >= heatmap.first else " "), heatmap.ink.palette.faint


def _marks(heatmap: Heatmap) -> dict[int, dict[int, Cell]]:
    """Single cells that stand over the shades, by row and column: the cursor's lines, then trades."""
    marks: dict[int, dict[int, Cell]] = {}
    style, palette = heatmap.ink.palette.accent, heatmap.ink.palette
    if heatmap.note and len(heatmap.note) + 4 <= heatmap.first:
        left = (heatmap.first - len(heatmap.note)) // 2
        marks[heatmap.scale.rows // 2] = {left + n: (char, palette.muted) for n, char in enumerate(heatmap.note)}
    if heatmap.row is not None:
        for x in range(len(heatmap.columns)):
            _mark(heatmap, marks, x, heatmap.row, "╌", palette.text)
    if heatmap.cross is not None:
        for y in range(heatmap.scale.rows):
            _mark(heatmap, marks, heatmap.cross, y, "┊", palette.text)
        if heatmap.row is not None:
            _mark(heatmap, marks, heatmap.cross, heatmap.row, "┼", style)
    for x, prints in enumerate(heatmap.prints):
        for one in largest(prints):
            y, lower = divmod(half_of(heatmap.scale, one.price), 2)
            if 0 <= y < heatmap.scale.rows:
                marks.setdefault(y, {})[x] = DOTS[one.side], heatmap.ink.dot(_halves(heatmap, x, y)[lower], one.side)
    return marks


def largest(prints: Iterable[Print]) -> list[Print]:
    """The largest trade of each side, smallest first: more dots a column would hide the best prices."""
    best: dict[Side | None, Print] = {}
    for one in prints:
        if one.side not in best or one.size > best[one.side].size:
            best[one.side] = one
    return sorted(best.values(), key=lambda one: one.size)


def _halves(heatmap: Heatmap, x: int, y: int) -> tuple[int, int]:
    column = heatmap.columns[x]
    return (0, 0) if column is None else (column[2 * y], column[2 * y + 1])


def _mark(heatmap: Heatmap, marks: dict[int, dict[int, Cell]], x: int, y: int, char: str, style: Style) -> None:
    """A character on its cell; lines of best prices and mid stay on top."""
    halves = _halves(heatmap, x, y)
    if max(halves) <= SHADES:
        marks.setdefault(y, {})[x] = char, heatmap.ink.over(halves, style)


def _labels(heatmap: Heatmap) -> dict[int, tuple[str, Style]]:
    palette, scale = heatmap.ink.palette, heatmap.scale
    labels = {row: (f" {fmt.price(price, heatmap.decimals)}", palette.muted) for row, price in scale.grid}
    if heatmap.last is not None and 0 <= (half := half_of(scale, heatmap.last)) < 2 * scale.rows:
        style = palette.style("background", bg="text" if heatmap.is_live else "stale", bold=True)
        labels[half // 2] = (f" {fmt.price(heatmap.last, heatmap.decimals)}", style)
    if heatmap.row is not None:
        labels[heatmap.row] = (
            f" {fmt.price(heatmap.price, heatmap.decimals)}",
            palette.style("background", bg="accent"),
        )
    return labels


def _with_axis(line: Line, label: tuple[str, Style] | None, axis: int) -> Line:
    if label is None or not axis:
        return line
    text, style = label
    return line.right(text, axis - 1, style) if len(text) < axis else line


def _time_axis(heatmap: Heatmap) -> Line:
    palette, starts = heatmap.ink.palette, heatmap.starts
    row = Canvas(len(starts), 1)
    tags: list[tuple[int, str, Style]] = []
    if heatmap.cross is not None:
        moment = _clock(starts[heatmap.cross])
        tags.append((heatmap.cross, f" {moment} ", palette.style("background", bg="accent")))
    tags += [(x, text, palette.muted) for x, text in time_labels(starts)]
    taken: list[range] = []
    for x, text, style in tags:
        left = min(max(x - len(text) // 2, 0), len(starts) - len(text))
        if left >= 0 and all(left > one.stop or left + len(text) < one.start for one in taken):
            taken.append(range(left, left + len(text)))
            row.write(left, 0, text, style)
    line = row.line(0)
    if not heatmap.axis:
        return line
    if heatmap.behind:
        return line.right(f"+{heatmap.behind}s ▸", heatmap.axis - 1, palette.accent)
    return line.right("UTC", heatmap.axis - 1, palette.muted)


def time_labels(starts: Sequence[int]) -> list[tuple[int, str]]:
    """Columns that begin a round stretch of time, far enough apart for their labels, newest first."""
    if len(starts) < 2:
        return []
    seconds = starts[1] - starts[0]
    every = next((n for n in _LABELLED_EVERY if n >= 11 * seconds and n % seconds == 0), _LABELLED_EVERY[-1])
    return [(x, _clock(start, every)) for x, start in reversed(list(enumerate(starts))) if start % every == 0]


def _clock(second: int, every: int = 1) -> str:
    moment = datetime.fromtimestamp(second, UTC)
    return f"{moment:%H:%M}" if every % 60 == 0 else f"{moment:%H:%M:%S}"
