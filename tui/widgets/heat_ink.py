"""The colours and characters of a heatmap's cells: two halves a cell, each a shade of size or a line over it."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from rich.style import Style

from tui.market.terms import Side
from tui.themes import Palette
from tui.widgets.lines import PLAIN as NO_STYLE
from tui.widgets.lines import mixed

SHADES: Final = 12
"""Shades of size above nothing; shade 0 is the background."""
ASK: Final = SHADES + 1
BID: Final = SHADES + 2
MID: Final = SHADES + 3
PLAIN: Final = " ░▒▓█"
_FIRST: Final = 0.14
"""How much of the full colour the faintest shade has: enough to be told from the background."""
_DARK_FROM: Final = 5
_LEAST: Final = 5e-324

Cell = tuple[str, Style]
Halves = tuple[int, int]
"""The two halves of a cell, upper first: a shade from 0 to `SHADES`, or `ASK`, `BID`, `MID`."""


def thresholds(full: float) -> list[float]:
    """The least size of every shade, where `full` and more has the strongest; anything above 0 has one.

    By the square root, so that ten times less is still a third of the way up.
    """
    return [_LEAST, *(full * (n / SHADES) ** 2 for n in range(2, SHADES + 1))]


def ramp(palette: Palette) -> list[str]:
    """The background, then all shades in even steps to the accent, as `#rrggbb`."""
    ends = [[int(palette.colors[role][i : i + 2], 16) for i in (1, 3, 5)] for role in ("background", "accent")]
    parts = [0.0, *(_FIRST + (1 - _FIRST) * n / (SHADES - 1) for n in range(SHADES))]
    return ["#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(*ends, strict=True)) for part in parts]


class HeatInk:
    """Cells of one theme.

    Args:
        palette: The theme.
        plain: Shades by character, for screens that cannot tell colours apart; the two halves of a cell are the same.
    """

    def __init__(self, palette: Palette, plain: bool = False) -> None:
        self.palette = palette
        self.plain = plain
        self._cells: dict[Halves, Cell] = {}

    def cell(self, halves: Halves) -> Cell:
        """Character and style; the same object for the same halves."""
        known = self._cells.get(halves)
        if known is None:
            known = self._cells[halves] = self._plain(*halves) if self.plain else self._colored(*halves)
        return known

    @cached_property
    def colors(self) -> list[str]:
        """By shade, then the three lines."""
        return [*ramp(self.palette), *(self.palette.colors[role] for role in ("ask", "bid", "text"))]

    def over(self, halves: Halves, style: Style) -> Style:
        """The style of a character on top of a cell: its stronger half behind it."""
        strongest = _strongest(halves)
        return style if self.plain or not strongest else mixed(style, self.fills[strongest])

    def dot(self, half: int, side: Side | None) -> Style:
        """The style of a trade on a half of a cell, whose colour fills the cell; its side's colour where that shows."""
        role = "text" if side is None else "up" if side == "buy" else "down"
        if self.plain:
            return self.palette.style(role, bold=True)
        style = self.palette.style("background" if half > _DARK_FROM else role, bold=True)
        return mixed(style, self.fills[half]) if half else style

    @cached_property
    def fills(self) -> list[Style]:
        """The same as backgrounds."""
        return [Style(bgcolor=color) for color in self.colors]

    def _colored(self, upper: int, lower: int) -> Cell:
        if upper == lower:
            return " ", self.fills[upper] if upper else NO_STYLE
        return "▀", Style(color=self.colors[upper], bgcolor=self.colors[lower])

    def _plain(self, upper: int, lower: int) -> Cell:
        lines = tuple(half for half in (upper, lower) if half > SHADES)
        if len(lines) == 2 and MID not in lines:
            return "═", self.palette.text
        if MID in lines:
            return "─", self.palette.text
        if lines:
            return "▔" if upper > SHADES else "▁", self.palette.text
        return PLAIN[-(-max(upper, lower) * (len(PLAIN) - 1) // SHADES)], self.palette.muted


def _strongest(halves: Halves) -> int:
    return max((half for half in halves if half <= SHADES), default=0)
