"""Rows of cells: what panes build and Textual shows. Widths are in terminal cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tui.widgets.row_strip import Piece, RowStrip, cells, inks_on

PLAIN: Final = Style.null()
"""No style of its own. Never None: the filter that Textual applies under NO_COLOR fails on cells without a style."""


def fit(text: str, width: int) -> str:
    """Text cut to a width with `…`, or padded with spaces on the right. Wide characters count double."""
    length = cells(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return text + " " * (width - length)


def fit_right(text: str, width: int) -> str:
    """Text padded on the left. A figure that does not fit becomes `…` signs: a part of a number is a wrong number."""
    length = cells(text)
    return "…".rjust(width) if length > width else " " * (width - length) + text


class Line:
    """A row under construction: pieces of text with styles, left to right. Plain pairs: most are never drawn."""

    __slots__ = ("pieces", "width")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.width = 0

    @classmethod
    def of(cls, pieces: Sequence[Piece], width: int) -> Line:
        """A line that begins with these pieces, of so many cells together."""
        line = cls()
        line.pieces, line.width = list(pieces), width
        return line

    @property
    def segments(self) -> list[Segment]:
        """The pieces as they are drawn, without a base."""
        return [Segment(text, style) for text, style in self.pieces]

    def add(self, text: str, style: Style | None = None) -> Line:
        """Append text as it is; to the piece before when that has the same style."""
        if text:
            pieces, style = self.pieces, PLAIN if style is None else style
            self.width += len(text) if text.isascii() else cell_len(text)
            if pieces and pieces[-1][1] is style:
                text = pieces.pop()[0] + text
            pieces.append((text, style))
        return self

    def left(self, text: str, width: int, style: Style | None = None) -> Line:
        """Append text in a column, cut or padded."""
        return self.add(fit(text, width), style)

    def right(self, text: str, width: int, style: Style | None = None) -> Line:
        """Append a figure in a column, aligned right, never cut inside a number."""
        return self.add(fit_right(text, width), style)

    def to(self, column: int, style: Style | None = None, fill: str = " ") -> Line:
        """Fill up to a column."""
        return self.add(fill * (column - self.width), style) if column > self.width else self

    def extend(self, other: Line) -> Line:
        """Append another line."""
        self.pieces.extend(other.pieces)
        self.width += other.width
        return self

    def on(self, background: Style, but: Callable[[Style], bool]) -> Line:
        """Lay a background under all pieces but those with certain styles."""
        self.pieces = [(text, style if but(style) else mixed(style, background)) for text, style in self.pieces]
        return self

    def strip(self, width: int, base: Style = PLAIN) -> RowStrip:
        """Exactly `width` cells, cut or filled, on a base style: Textual gives drawn lines no background."""
        pieces = self.pieces
        if self.width < width:
            pieces = [*pieces, (" " * (width - self.width), PLAIN)]
        elif self.width > width:
            pieces = cut(pieces, width)
        return RowStrip(pieces, width, base)


def cut(pieces: Sequence[Piece], width: int) -> list[Piece]:
    """The first `width` cells; half of a wide character becomes a space."""
    kept: list[Piece] = []
    for text, style in pieces:
        length = cells(text)
        kept.append((text if length <= width else set_cell_size(text, width), style))
        width -= length
        if width <= 0:
            break
    return kept


def mixed(under: Style, over: Style) -> Style:
    """`under + over`, remembered."""
    if over is PLAIN:
        return under
    inks = inks_on(under, ColorSystem.TRUECOLOR)
    return (inks.get(id(over)) or inks.lay(over)).laid


def message(lines: Sequence[str], width: int, height: int, style: Style) -> list[Line]:
    """A short text in the middle of a pane: what an empty pane says. Words are wrapped."""
    rows = [row for text in lines for row in (wrap(text, max(width - 4, 1)) or [""])][:height]
    top = max(0, (height - len(rows)) // 2)
    out = [Line() for _ in range(top)]
    return out + [Line().add(" " * max(0, (width - cell_len(row)) // 2)).add(row, style) for row in rows]


def wrap(text: str, width: int) -> list[str]:
    """Words in rows of at most `width` cells; a longer word is cut."""
    rows: list[str] = []
    for word in text.split():
        if rows and cell_len(rows[-1]) + 1 + cell_len(word) <= width:
            rows[-1] += " " + word
        else:
            rows.append(fit(word, width).rstrip() if cell_len(word) > width else word)
    return rows
