"""Editing the watch lists, and what of that survives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.conftest import until
from tui.clock import ManualClock
from tui.config import Config
from tui.market.names import Symbol
from tui.market.store import MarketStore
from tui.panes.base import Desk
from tui.state import StateFile
from tui.themes import load_themes
from tui.watchlists import Watchlists

AAPL, BTC, NVDA = Symbol("AAPL"), Symbol("BTC/USDT"), Symbol("NVDA")
CONFIGURED = {"main": (AAPL, BTC), "coins": (BTC,)}


def started(
    path: Path | None = None, *symbols: Symbol, configured: Mapping[str, tuple[Symbol, ...]] = CONFIGURED
) -> tuple[Desk, Watchlists]:
    """A desk and its lists, as at the start of the program; with a path what is there survives."""
    config = Config(watchlists=configured, watchlist="main")
    names = {name: list(listed) for name, listed in config.watchlists.items()}
    desk = Desk(store=MarketStore(ManualClock().now_ns), palette=load_themes().get("tickdeck-dark"), names=names)
    return desk, Watchlists(desk, StateFile(config, path) if path else None, symbols)


def test_symbols_of_the_command_line_come_first_and_once() -> None:
    desk, lists = started(None, NVDA, BTC)
    assert desk.symbols == [NVDA, BTC, AAPL]
    assert lists.first == NVDA


def test_what_was_removed_comes_back_where_it_was_on_its_own_list() -> None:
    desk, lists = started()
    desk.remove(AAPL)
    assert lists.show_next()
    assert desk.symbols == [BTC]
    assert lists.undo() == AAPL
    assert (desk.watchlist, desk.symbols) == ("main", [AAPL, BTC])
    assert lists.undo() is None


def test_one_list_has_no_next() -> None:
    desk, lists = started(configured={"main": ()})
    assert not lists.show_next()
    assert lists.first is None
    assert desk.watchlist == "main"


async def test_edits_survive_with_the_codes_that_search_found(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    _, lists = started(path)
    lists.used(NVDA)
    lists.add(NVDA, {"insightsentry": "NASDAQ:NVDA"})
    await until(lambda: path.exists() and "NASDAQ:NVDA" in path.read_text())
    desk, again = started(path)
    assert desk.symbols == [AAPL, BTC, NVDA]
    assert again.recent == [NVDA]


def test_without_a_state_nothing_is_kept() -> None:
    _, lists = started()
    lists.used(NVDA)
    lists.add(NVDA, {})
    assert lists.recent == ()
    assert started()[0].symbols == [AAPL, BTC]
