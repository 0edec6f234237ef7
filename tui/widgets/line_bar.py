"""One-row bars at the top and bottom of the screen."""

from __future__ import annotations

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tui.panes.base import Desk
from tui.widgets.lines import Line


class LineBar(Widget):
    """A row of text that is drawn again only when it changed."""

    DEFAULT_CSS = """
    LineBar { height: 1; width: 1fr; background: $panel; color: $foreground; }
    """

    def __init__(self, desk: Desk, *, id: str) -> None:
        super().__init__(id=id)
        self.desk = desk
        self._strip: Strip | None = None

    def line(self, width: int) -> Line:
        """The row as it should be now."""
        raise NotImplementedError

    def draw(self) -> None:
        """Make the row anew and refresh when it differs."""
        strip = self._make()
        if strip != self._strip:
            self._strip = strip
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The row for Textual."""
        if self._strip is None:
            self._strip = self._make()
        return self._strip if y == 0 else Strip.blank(self.size.width)

    def _make(self) -> Strip:
        width = self.size.width
        return self.line(width).strip(width, self.desk.palette.style("text", bg="panel"))

    def on_resize(self, event: events.Resize) -> None:
        """Another width, another row."""
        self._strip = None
        self.draw()
