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

LATER = (
    "tui.config", "tui.credentials", "tui.providers", "tui.feeds", "tui.rest", "tui.simulator", "tui.market.events",
    "pydantic", "pydantic_core", "keyring", "httpx2", "websockets",
)  # fmt: skip
"""Modules that the first frame of a demo does not need."""
START = """
import sys
from tui.commands.demo import Look
from tui.app import MarketApp
from tui.errors import TickdeckError

def prepare():
    print(*sys.modules, file=sys.__stdout__, flush=True)
    raise TickdeckError("that was all")

MarketApp(Look(), None, demo=True, prepare=prepare).run(headless=True, size=(140, 45))
"""
"""A demo that ends when its first frame has been drawn, and says what had been imported until then."""


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

    app = MarketApp(look(), None, demo=True, prepare=prepare)
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

    app = MarketApp(look(), None, demo=True, prepare=prepare)
    async with app.run_test(size=(140, 45)):
        await until(lambda: app.failure is not None)
        async with asyncio.timeout(5):
            await until(lambda: not app.is_running)
    assert str(app.failure) == "the simulator did not start"
    assert app.return_code == 1


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Modules that a demo has imported when its first frame is there."""
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_first_frame_brings_the_screen(loaded: set[str]) -> None:
    assert {"textual", "tui.market.store", "tui.panes.book", "tui.screens.main"} <= loaded


@pytest.mark.parametrize("name", LATER)
def test_the_first_frame_does_not_wait_for_what_only_the_feeds_need(name: str, loaded: set[str]) -> None:
    assert name not in loaded
