"""One-row bars at the top and bottom of the screen."""

from __future__ import annotations

from rich.style import Style
from textual import events

from tui.panes.base import Desk
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Line


class LineBar(Drawn):
    """A row of text that is drawn again only when it changed."""

    DEFAULT_CSS = """
    LineBar { height: 1; width: 1fr; background: $panel; color: $foreground; }
    """

    def __init__(self, desk: Desk, *, id: str) -> None:
        super().__init__(id=id)
        self.desk = desk

    def line(self, width: int) -> Line:
        """The row as it should be now."""
        raise NotImplementedError

    def lines(self, width: int, height: int) -> list[Line]:
        """The row."""
        return [self.line(width)]

    def base(self) -> Style:
        """Text on a panel."""
        return self.desk.palette.style("text", bg="panel")

    def on_resize(self, event: events.Resize) -> None:
        """Another width, another row."""
        self.draw()
