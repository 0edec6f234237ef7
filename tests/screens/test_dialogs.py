"""What all dialogs have in common."""

from __future__ import annotations

import pytest
from textual import events

from tests.conftest import until
from tests.test_app import dashboard
from tui.simulator.server import SimulatorServer


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
