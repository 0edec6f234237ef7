"""What the dashboard keeps, shares and leaves alone: codes, budgets, other programs with its keys, the user's files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.conftest import until
from tests.test_app import WIDE, add, shows
from tui.app import MarketApp
from tui.clock import Clock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds.hub import FeedHub
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness, MarketStore
from tui.rest import RestClient
from tui.simulator.server import SimulatorServer
from tui.state import StateFile

TSLA = Symbol("TSLA")


@asynccontextmanager
async def dashboard(
    simulator: SimulatorServer, folder: Path | None, **secrets: str
) -> AsyncIterator[tuple[MarketApp, Pilot[None]]]:
    """The app with a state folder, or as a demo without; `secrets` are Aries'."""
    config = Config().with_providers(simulator.settings(), only=True)
    known = simulator.credentials()
    known["aries"] |= secrets
    state = None if folder is None else StateFile(config, folder / "state.json")
    app = MarketApp(config, FixedSecrets(known), demo=folder is None, state=state)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: app.hub is not None)
        yield app, pilot
        await app.action_quit()


def hub_of(app: MarketApp) -> FeedHub:
    assert app.hub
    return app.hub


def entries(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


async def all_live(app: MarketApp) -> None:
    kinds = Subscription(Kind.QUOTE, Symbol("AAPL")), Subscription(Kind.BOOK, Symbol("AAPL"))
    await until(lambda: all(app.store.freshness(each) is Freshness.LIVE for each in kinds))


async def test_a_demo_leaves_the_users_folders_alone(
    simulator: SimulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    async with dashboard(simulator, None, access_token="long gone") as (app, pilot):
        await all_live(app)
        await hub_of(app).upkeep.look()
        await add(app, pilot, "TSLA")
        await until(lambda: app.store.freshness(Subscription(Kind.QUOTE, TSLA)) is Freshness.LIVE)
    assert entries(tmp_path) == []


async def test_what_is_kept_is_kept_in_the_state_folder(simulator: SimulatorServer, tmp_path: Path) -> None:
    def locks() -> set[str]:
        return {path.name.partition("-")[0] for path in (tmp_path / "keys").glob("*-*.lock")}

    async with dashboard(simulator, tmp_path, access_token="long gone") as (app, _):
        await all_live(app)
        await until(lambda: {"aries", "insightsentry"} <= locks())
    assert {"aries-token.lock", "keys", "keys/salt"} <= set(entries(tmp_path))


async def test_a_symbol_added_from_the_search_keeps_its_codes_over_a_restart(
    simulator: SimulatorServer, tmp_path: Path
) -> None:
    async with dashboard(simulator, tmp_path) as (app, pilot):
        await add(app, pilot, "TSLA")
        codes = {name: provider.symbols.kept.get(TSLA) for name, provider in hub_of(app).providers.items()}
        assert codes["insightsentry"] == "NASDAQ:TSLA"
    await until(lambda: (tmp_path / "state.json").exists())
    assert json.loads((tmp_path / "state.json").read_text())["codes"]["TSLA"]["insightsentry"] == "NASDAQ:TSLA"
    async with dashboard(simulator, tmp_path) as (app, _):
        assert TSLA in app.desk.symbols
        again = {name: provider.symbols.kept.get(TSLA) for name, provider in hub_of(app).providers.items()}
        assert again == codes


@pytest.mark.fault("S21")
async def test_the_dashboard_says_that_another_tickdeck_uses_its_keys(
    simulator: SimulatorServer, tmp_path: Path
) -> None:
    clock, http = Clock(), RestClient()
    config = Config().with_providers(simulator.settings(), only=True)
    secrets = FixedSecrets(simulator.credentials())
    other = FeedHub(config, MarketStore(clock.now_ns), secrets, http, clock, state_dir=tmp_path)
    other.feeds["aries:market"].set_wants(frozenset({Subscription(Kind.QUOTE, Symbol("AAPL"))}))
    await other.upkeep.look()
    async with dashboard(simulator, tmp_path) as (app, pilot):
        said = "aries: another tickdeck uses the same Aries key: Aries may cut both. Close one of them."
        await until(lambda: said in [note.message for note in app._notifications], limit_s=8)
        await all_live(app)
        await pilot.press("6", "z")
        await until(lambda: shows(app, "feeds", "the key is also used by another tickdeck"))
    await other.close()
    await http.close()


async def test_what_a_hidden_pane_would_show_is_not_wanted(simulator: SimulatorServer) -> None:
    async with dashboard(simulator, None) as (app, pilot):
        manager = hub_of(app).manager
        await until(lambda: {Kind.BOOK, Kind.BAR, Kind.TRADE} <= {each.kind for each in manager.wanted})
        await pilot.press("1", "z")
        await until(lambda: {each.kind for each in manager.wanted} == {Kind.QUOTE, Kind.NEWS})
        await pilot.press("escape")
        await until(lambda: Kind.BOOK in {each.kind for each in manager.wanted})
