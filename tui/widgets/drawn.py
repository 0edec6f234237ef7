"""A widget that draws its own lines: rows that came out as in the last frame are kept, only the others are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.style import Style
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.lines import PLAIN, Line
from tui.widgets.row_strip import Piece


class Drawn(Widget):
    """Base of everything that is drawn several times a second.

    It has no border, padding or other style of Textual's, so its strips go to the compositor as they are: the way
    through the styles costs more than making the strips.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._width = 0
        self._base = PLAIN
        self._pieces: list[list[Piece]] = []
        self._strips: list[Strip] = []

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """All rows of the widget, top to bottom."""
        raise NotImplementedError

    def base(self) -> Style:
        """What the lines lie on: Textual gives drawn lines no background. The same object while the theme stays."""
        raise NotImplementedError

    def draw(self) -> None:
        """Make all rows and refresh those that differ from the last frame."""
        width, height = self.outer_size
        lines, base = self.lines(width, height), self.base()
        if width != self._width or base is not self._base or len(lines) != len(self._strips):
            self._width, self._base = width, base
            self._pieces = [line.pieces for line in lines]
            self._strips = self._made(lines)
            self._show(Region(0, 0, width, height))
            return
        changed = [y for y, line in enumerate(lines) if line.pieces != self._pieces[y]]
        if not changed:
            return
        for y, strip in zip(changed, self._made(lines[y] for y in changed), strict=True):
            self._pieces[y], self._strips[y] = lines[y].pieces, strip
        self._show(*(Region(0, top, width, bottom - top) for top, bottom in runs(changed)))

    def _show(self, *regions: Region) -> None:
        """Have rows written: tells the screen at once what Textual would pass on in three messages for each widget.

        In a batch the screen is not even woken: who began it has the screen look at its end.
        """
        if not (self.is_mounted and self.is_running and self.display):
            self.refresh(*regions)
            return
        screen = self.screen
        self._repaint_regions.update(regions)
        screen._dirty_widgets.add(self)
        if not self.app._batch_count:
            screen.check_idle()

    def render_line(self, y: int) -> Strip:
        """One row."""
        return self._strips[y] if y < len(self._strips) else self._made([Line()])[0]

    def row(self, y: int, width: int) -> Strip:
        """One row, in a width that may be new."""
        if width != self._width:
            self.draw()
        return self.render_line(y)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows for Textual's compositor."""
        width = self.outer_size.width
        strips = [self.row(y, width) for y in crop.line_range]
        return strips if crop.width == self._width else [strip.crop(crop.x, crop.right) for strip in strips]

    def _made(self, lines: Iterable[Line]) -> list[Strip]:
        strips: list[Strip] = [line.strip(self._width, self._base) for line in lines]
        for each in self.get_line_filters() if strips else ():
            if not isinstance(each, ANSIToTruecolor):  # ours are true colours: this is for NO_COLOR
                strips = [strip.apply_filter(each, self.background_colors[1]) for strip in strips]
        return strips


def runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring rows together: first row and the row after the last."""
    start = rows[0]
    for before, row in zip(rows, [*rows[1:], -1], strict=True):
        if row != before + 1:
            yield start, before + 1
            start = row
