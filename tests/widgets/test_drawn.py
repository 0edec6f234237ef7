"""Widgets that draw their own lines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region

from tui.widgets.drawn import Drawn
from tui.widgets.lines import Line

BASE = Style.parse("#d5dee8 on #0b0f14")


class OneLine(Drawn):
    """Draws its first row only."""

    def lines(self, width: int, height: int) -> Sequence[Line]:
        return [Line().add("first", Style.parse("#3ecf8e"))]

    def base(self) -> Style:
        return BASE


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield OneLine(id="one")


async def test_without_colours_rows_that_are_not_drawn_have_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with Shown().run_test(size=(20, 3)) as pilot:
        rows = pilot.app.query_one(OneLine).render_lines(Region(0, 0, 20, 3))
    assert [row.text.rstrip() for row in rows] == ["first", "", ""]
    styles = [segment.style for row in rows for segment in row if segment.style]
    shades = [colour.triplet for style in styles for colour in (style.color, style.bgcolor) if colour]
    assert len(shades) >= 6
    assert [shade for shade in shades if shade is None or len(set(shade)) > 1] == []
