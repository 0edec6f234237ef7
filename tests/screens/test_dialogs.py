"""What all dialogs have in common."""

from __future__ import annotations

import pytest
from textual import events
from textual.color import Color
from textual.containers import VerticalScroll
from textual.widgets import Input

from tests.conftest import until
from tests.test_app import dashboard
from tui.screens.credentials import CredentialsScreen
from tui.simulator.server import SimulatorServer
from tui.themes import load_themes


@pytest.mark.parametrize(
    "keys", [("slash", "A"), ("2", "t", "down"), ("C",), ("question_mark",), ("f1",), ("ctrl+p",)], ids="-".join
)
@pytest.mark.parametrize("strikes", [("enter", "enter"), ("enter", "escape", "escape")], ids="-".join)
async def test_keys_struck_faster_than_a_dialog_closes_leave_the_dashboard_alone(
    simulator: SimulatorServer, keys: tuple[str, ...], strikes: tuple[str, ...]
) -> None:
    async with dashboard(simulator) as (app, pilot):
        main = app.screen
        assert main is app.main
        await pilot.press(*keys)
        assert app.screen is not main
        for key in strikes:
            app.post_message(events.Key(key, None))
        await pilot.pause()
        for _ in range(3):
            await pilot.press("escape")
        await until(lambda: app.screen is main)
        await until(lambda: app.store.feeds)
        assert main in app.screen_stack
        assert app.is_running


@pytest.mark.parametrize("theme", ["tickdeck-light", "tickdeck-dark", "high-contrast"])
async def test_dialogs_have_the_colours_of_the_theme_that_the_program_started_in(
    simulator: SimulatorServer, theme: str
) -> None:
    async with dashboard(simulator, theme=theme) as (app, pilot):
        await pilot.press("C")
        await until(lambda: isinstance(app.screen, CredentialsScreen) and app.screen.query(Input))
        palette = load_themes().get(theme)
        colors = {".dialog": palette.colors["panel"], "Input": palette.colors["surface"]}
        for selector, color in colors.items():
            assert app.screen.query(selector).first().styles.background == Color.parse(color)
        assert app.has_class("-light-mode") is not palette.dark


async def test_the_keys_dialog_begins_at_its_title(simulator: SimulatorServer) -> None:
    async with dashboard(simulator, (80, 24)) as (app, pilot):
        await pilot.press("C")
        await until(lambda: isinstance(app.screen, CredentialsScreen) and isinstance(app.focused, Input))
        await pilot.pause()
        assert app.screen.query_one(VerticalScroll).scroll_y == 0
        await pilot.press(*["tab"] * 4)
        await until(lambda: app.screen.query_one(VerticalScroll).scroll_y > 0)
