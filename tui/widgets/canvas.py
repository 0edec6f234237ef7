"""A rectangle of cells painted back to front, then read row by row."""

from __future__ import annotations

from typing import Final

from rich.style import Style

from tui.widgets.lines import Line, mixed
from tui.widgets.row_strip import Piece

BLANK = " "


class Canvas:
    """Cells with a character and a style each. Characters must be one cell wide; what lies outside is not painted."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._chars = [[BLANK] * width for _ in range(height)]
        self._styles: list[list[Style | None]] = [[None] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: Style | None) -> None:
        """Paint text over what is there; its blanks let it show through."""
        if not 0 <= y < self.height:
            return
        chars, styles = self._chars[y], self._styles[y]
        for column, char in enumerate(text, x):
            if char != BLANK and 0 <= column < self.width:
                chars[column] = char
                styles[column] = style

    def write(self, x: int, y: int, text: str, style: Style | None) -> None:
        """Paint text over what is there, blanks too."""
        if 0 <= y < self.height:
            for column in range(max(x, 0), min(x + len(text), self.width)):
                self._chars[y][column] = text[column - x]
                self._styles[y][column] = style

    def char(self, x: int, y: int) -> str:
        """What stands in a cell."""
        return self._chars[y][x]

    def tint(self, x: int, y: int, background: Style) -> None:
        """Lay a background under a cell."""
        style = self._styles[y][x]
        self._styles[y][x] = mixed(style, background) if style else background

    def line(self, y: int) -> Line:
        """A row, neighbours of one style in one piece."""
        text, styles = "".join(self._chars[y]), self._styles[y]
        key = (text, *map(id, styles))
        known = _rows.get(key)
        if known is None:
            if len(_rows) >= MAX_ROWS:
                _rows.clear()
            known = _rows[key] = styles, _pieces(text, styles)
        return Line.of(known[1], self.width)


MAX_ROWS: Final = 256
_rows: dict[tuple[object, ...], tuple[list[Style | None], list[Piece]]] = {}
"""Rows painted lately, with the styles that keep the identities: most rows of a chart stay as they are."""


def _pieces(text: str, styles: list[Style | None]) -> list[Piece]:
    line = Line()
    start, style = 0, styles[0] if styles else None
    for x, each in enumerate(styles):
        if each is not style:
            line.add(text[start:x], style)
            start, style = x, each
    return line.add(text[start:], style).pieces
