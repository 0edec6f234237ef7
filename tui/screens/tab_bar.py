"""The row of pane names where only one pane has room."""

from __future__ import annotations

from textual import events

from tui.widgets.line_bar import LineBar
from tui.widgets.lines import Line

TABS = (("1", "Quotes"), ("2", "Bars"), ("3", "Book"), ("4", "News"), ("5", "Tape"), ("6", "Feeds"))


class TabBar(LineBar):
    """Numbers are the keys; the shown pane is marked."""

    current: str = "quotes"

    def line(self, width: int) -> Line:
        """All names, or only their numbers where they do not fit."""
        palette = self.desk.palette
        line = Line().add(" ")
        for number, name in TABS:
            chosen = name.lower() == self.current
            style = palette.style("background", bg="accent", bold=True) if chosen else palette.muted
            line.add(f" {number} {name} ", style).add(" ")
        return line

    def on_click(self, event: events.Click) -> None:
        """Show the pane whose name was clicked."""
        column = 1
        for number, name in TABS:
            width = len(number) + len(name) + 3
            if column <= event.x < column + width:
                self.app.call_later(self.app.run_action, f"app.focus_pane('{name.lower()}')")
            column += width + 1
