"""What the first frame waits for: nothing but the screen."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import cast

import pytest

from tests.conftest import until
from tui.app import MarketApp
from tui.commands.demo import Look
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.errors import TickdeckError

LATER = ("tui.config", "tui.providers", "tui.feeds", "tui.rest", "tui.simulator", "keyring", "httpx2", "websockets")
"""Modules that the first frame of a demo does not need."""


def look() -> Config:
    """As much of the configuration as the screen needs."""
    return cast(Config, Look())


def test_the_demo_looks_as_the_configuration_says_by_default() -> None:
    defaults = Config()
    assert {name: getattr(defaults, name) for name in Look._fields} == Look()._asdict()


async def test_the_first_frame_is_drawn_while_the_rest_is_still_prepared() -> None:
    may_go_on = threading.Event()

    def prepare() -> tuple[Config, FixedSecrets]:
        assert may_go_on.wait(10)
        return Config().with_providers({"quantcite": {"url": "ws://127.0.0.1:9/"}}, only=True), FixedSecrets({})

    app = MarketApp(look(), FixedSecrets({}), demo=True, prepare=prepare)
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.pause()
        assert app.main
        assert "AAPL" in "".join(strip.text for strip in app.main.pane("quotes")._strips)
        assert app.hub is None
        may_go_on.set()
        await until(lambda: app.hub is not None)
        assert app.hub
        assert set(app.hub.providers) == {"quantcite"}


async def test_what_cannot_be_prepared_ends_the_program_with_its_reason() -> None:
    def prepare() -> tuple[Config, FixedSecrets]:
        raise TickdeckError("the simulator did not start")

    app = MarketApp(look(), FixedSecrets({}), demo=True, prepare=prepare)
    async with app.run_test(size=(140, 45)):
        await until(lambda: app.failure is not None)
        async with asyncio.timeout(5):
            await until(lambda: not app.is_running)
    assert str(app.failure) == "the simulator did not start"
    assert app.return_code == 1


@pytest.mark.parametrize("name", LATER)
def test_no_import_of_the_screen_brings_what_only_the_feeds_need(name: str) -> None:
    code = f"import sys, tui.commands.demo, tui.app, tui.credentials; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
