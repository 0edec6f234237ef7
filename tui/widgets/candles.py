"""Candles, volume and lines as characters: pure functions from figures to cells.

A candle one column wide is drawn with lines (`│` wick, `┃` body, and `╽╿╻╹` where they meet within a cell). Wider ones
are drawn with quarter blocks, which put body and wick at exact half rows at any width. Hollow candles, for screens
where colour says nothing, draw a rise as `║` or `▒` and a fall as always.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from tui.widgets.axis import PriceScale

_LINES: Final = " ╷╻╵│╽╹╿┃"
_QUARTERS: Final = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
MAX_CELLS: Final = 5


class _Figure(Protocol):
    def __float__(self) -> float: ...


class Ohlc(Protocol):
    """Anything with four prices."""

    @property
    def open(self) -> _Figure: ...  # noqa: D102

    @property
    def high(self) -> _Figure: ...  # noqa: D102

    @property
    def low(self) -> _Figure: ...  # noqa: D102

    @property
    def close(self) -> _Figure: ...  # noqa: D102


class Shape(NamedTuple):
    """A candle in half rows from the top, each end included; `rises` when it closed no lower than it opened."""

    top: int
    body_top: int
    body_bottom: int
    bottom: int
    rises: bool


def shape(bar: Ohlc, scale: PriceScale) -> Shape:
    """Where a bar lies on a scale. A body is at least half a row, and never longer than its wick."""
    opened, closed = float(bar.open), float(bar.close)
    body_top, body_bottom = scale.half(max(opened, closed)), scale.half(min(opened, closed))
    top, bottom = scale.half(float(bar.high)), scale.half(float(bar.low))
    return Shape(min(top, body_top), body_top, body_bottom, max(bottom, body_bottom), closed >= opened)


@lru_cache(maxsize=8192)
def candle(shape: Shape, cells: int, hollow: bool = False) -> tuple[tuple[int, str], ...]:
    """The cells of a candle.

    Args:
        shape: Where it lies.
        cells: Its width in columns, the space to the next one included.
        hollow: Draw a rise and a fall with different characters.

    Returns:
        Row and text of each row it touches, from the top.
    """
    draw = _hollow_cell if hollow and shape.rises else _cell
    rows = range(shape.top // 2, shape.bottom // 2 + 1)
    return tuple((row, draw(_part(shape, 2 * row), _part(shape, 2 * row + 1), cells)) for row in rows)


def _part(shape: Shape, half: int) -> int:
    """0 nothing, 1 wick, 2 body."""
    if shape.body_top <= half <= shape.body_bottom:
        return 2
    return 1 if shape.top <= half <= shape.bottom else 0


@lru_cache(maxsize=256)
def _cell(upper: int, lower: int, cells: int) -> str:
    if cells == 1:
        return _LINES[3 * upper + lower]
    return "".join(
        _QUARTERS[
            _is_inked(upper, 2 * cell, cells)
            + 2 * _is_inked(upper, 2 * cell + 1, cells)
            + 4 * _is_inked(lower, 2 * cell, cells)
            + 8 * _is_inked(lower, 2 * cell + 1, cells)
        ]
        for cell in range(cells)
    )


def _is_inked(part: int, half_column: int, cells: int) -> bool:
    """A body leaves the last half column free; its wick is the one in its middle."""
    return half_column < 2 * cells - 1 if part == 2 else part == 1 and half_column == cells - 1


@lru_cache(maxsize=256)
def _hollow_cell(upper: int, lower: int, cells: int) -> str:
    if 2 not in (upper, lower):
        return _cell(upper, lower, cells)
    return ("║" if cells <= 2 else "▒" * (cells - 1)).ljust(cells)


def volume(share: float, rows: int, cells: int) -> list[tuple[int, str]]:
    """The cells of a volume bar, from the top: row and text.

    Args:
        share: Its height as a part of all rows, 0 to 1; anything above 0 shows.
        rows: Height of the volume chart.
        cells: Width in columns, the space to the next one included.
    """
    eighths = min(max(round(share * rows * 8), 1 if share > 0 else 0), rows * 8)
    return list(_volume(eighths, rows, cells))


@lru_cache(maxsize=1024)
def _volume(eighths: int, rows: int, cells: int) -> tuple[tuple[int, str], ...]:
    text_cells = max(cells - 1, 1)
    filled = [(row, min(eighths - 8 * (rows - 1 - row), 8)) for row in range(rows)]
    return tuple((row, (_EIGHTHS[level] * text_cells).ljust(cells)) for row, level in filled if level > 0)


class Pattern(NamedTuple):
    """How a line is drawn, so that it is known without its colour: four heights of a cell, and its dashes."""

    levels: str
    on: int
    period: int

    @property
    def sample(self) -> str:
        """Four cells of it, for a legend."""
        return "".join(self.levels[1] if column % self.period < self.on else " " for column in range(4))


SOLID: Final = Pattern("⠉⠒⠤⣀", 1, 1)
DOTTED: Final = Pattern("⠁⠂⠄⡀", 1, 1)
DASHED: Final = Pattern("⠉⠒⠤⣀", 2, 3)


def curve(
    points: Sequence[tuple[int, float | None]], scale: PriceScale, pattern: Pattern
) -> list[tuple[int, int, str]]:
    """A line through points at quarter-row resolution.

    Args:
        points: Column and price, left to right; None interrupts the line.
        scale: Where prices lie.
        pattern: How it is drawn.

    Returns:
        Column, row and character of each cell.
    """
    out: list[tuple[int, int, str]] = []
    before: tuple[int, float] | None = None
    for x, price in points:
        if price is None:
            before = None
            continue
        start, first = before or (x - 1, price)
        for column in range(start + 1, x + 1):
            level = scale.part(first + (price - first) * (column - start) / (x - start), 4)
            if 0 <= level < 4 * scale.rows and column % pattern.period < pattern.on:
                out.append((column, level // 4, pattern.levels[level % 4]))
        before = x, price
    return out
