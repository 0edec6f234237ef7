"""What is shown instead of a dashboard that has no room: half a number is a wrong number."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widgets import Static

LEAST = (60, 12)
"""Columns and rows that the smallest dashboard needs."""


class TooSmall(Static):
    """Covers the screen while the terminal is smaller than `LEAST`; what is underneath goes on."""

    DEFAULT_CSS = """
    TooSmall {
        layer: cover; display: none; width: 100%; height: 100%;
        background: $background; color: $foreground; content-align: center middle; text-align: center;
    }
    """

    def on_resize(self, event: events.Resize) -> None:
        """Say what is needed and what there is."""
        width, height = event.size
        self.update(Content(f"too small\n{width}×{height}, needs {LEAST[0]}×{LEAST[1]}"))
