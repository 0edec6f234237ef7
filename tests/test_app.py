"""The whole dashboard, driven by keys, on the simulator over real sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tests.conftest import until
from tui.actions import ACTIONS
from tui.app import MarketApp
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import Freshness
from tui.market.terms import FeedState
from tui.orderly import MOST_EARLY
from tui.panes.bars import BarsPane
from tui.panes.base import Pane
from tui.panes.book import BookPane
from tui.panes.news import NewsPane
from tui.panes.quotes import QuotesPane
from tui.screens.credentials import CredentialsScreen
from tui.screens.help import KeysScreen, PaneHelpScreen
from tui.screens.main import MainScreen
from tui.screens.symbols import SymbolPrompt
from tui.screens.top_bar import TopBar
from tui.simulator.server import SimulatorServer

WIDE = (140, 45)


@asynccontextmanager
async def dashboard(
    simulator: SimulatorServer,
    size: tuple[int, int] = WIDE,
    *,
    secrets: dict[str, dict[str, str]] | None = None,
    symbols: tuple[str, ...] = (),
    **changes: Any,
) -> AsyncIterator[tuple[MarketApp, Pilot[None]]]:
    """The app on a simulator, quit the way a user quits."""
    config = Config(**changes).with_providers(simulator.settings(), only=True)
    app = MarketApp(
        config, FixedSecrets(secrets or simulator.credentials()), symbols=[Symbol(s) for s in symbols], demo=True
    )
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.hub is not None)
        yield app, pilot
        if app.is_running:
            await app.action_quit()


def text_of(pane: Pane) -> str:
    """What a pane shows."""
    return "\n".join(strip.text for strip in pane._strips)


def shows(app: MarketApp, pane_id: str, *words: str) -> bool:
    """Whether a pane shows all these words."""
    assert app.main
    return all(word in text_of(app.main.pane(pane_id)) for word in words)


def at_main(app: MarketApp) -> bool:
    """No dialog is open."""
    return isinstance(app.screen, MainScreen)


def symbols(app: MarketApp) -> list[str]:
    return list(app.desk.symbols)


async def add(app: MarketApp, pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash")
    await until(lambda: isinstance(app.screen, SymbolPrompt))
    await pilot.press(*text)
    await until(lambda: app.screen.query_one(OptionList).option_count > 0)
    await pilot.press("enter")
    await until(lambda: at_main(app))


async def test_every_pane_shows_live_data_of_all_three_providers(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        live = {
            Subscription(Kind.QUOTE, Symbol("AAPL")),
            Subscription(Kind.QUOTE, Symbol("BTC/USDT")),
            Subscription(Kind.BAR, Symbol("AAPL"), Interval.M5),
            Subscription(Kind.BOOK, Symbol("AAPL")),
            Subscription(Kind.TRADE, Symbol("AAPL")),
            Subscription(Kind.NEWS),
        }
        await until(lambda: all(app.store.freshness(s) is Freshness.LIVE for s in live), what="all live")
        await pilot.press("down", "down", "down")
        book = Subscription(Kind.BOOK, Symbol("BTC/USDT"))
        await until(lambda: app.store.freshness(book) is Freshness.LIVE)
        assert app.store.serving(book) == "quantcite:book"
        await until(
            lambda: shows(app, "book", "BTC/USDT") and shows(app, "bars", "BTC/USDT") and shows(app, "tape", "AAPL")
        )
        await until(lambda: shows(app, "feeds", "aries:market", "insightsentry:live", "quantcite:book"))
        assert not simulator.violations()


async def test_a_symbol_is_added_by_typing_removed_and_brought_back(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        await add(app, pilot, "TSLA")
        assert symbols(app)[-1] == "TSLA"
        assert app.main
        top = app.main.query_one(TopBar)
        await until(lambda: top.symbol == "TSLA")
        await until(lambda: app.store.freshness(Subscription(Kind.QUOTE, Symbol("TSLA"))) is Freshness.LIVE)
        await pilot.press("x")
        assert "TSLA" not in symbols(app)
        await pilot.press("u")
        assert symbols(app)[-1] == "TSLA"


async def test_enter_waits_for_an_answer_that_is_under_way(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        await pilot.press("slash", *"solana", "enter")
        await until(lambda: at_main(app) and symbols(app)[-1] == "SOL/USDT")


async def test_text_that_is_no_symbol_is_refused_in_the_prompt(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        await pilot.press("slash")
        await until(lambda: isinstance(app.screen, SymbolPrompt))
        app.screen.query_one(Input).value = "$"
        await pilot.press("enter")
        assert isinstance(app.screen, SymbolPrompt)
        await pilot.press("escape")
        assert at_main(app)


async def test_intervals_switch_by_key_and_by_list(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.main
        bars = app.main.query_one(BarsPane)
        await pilot.press("2", "left_square_bracket")
        assert bars.interval is Interval.M1
        await until(lambda: shows(app, "bars", "1m"))
        minutes = Subscription(Kind.BAR, Symbol("AAPL"), Interval.M1)
        await until(lambda: app.store.freshness(minutes) is Freshness.LIVE)
        await pilot.press("t", "down", "enter")
        await until(lambda: bars.interval is not Interval.M1)


async def test_a_pane_is_maximised_and_restored(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.main
        for pane in list(app.main.panes):
            await pilot.press(str(pane.number), "z")
            assert [p.pane_id for p in app.main.panes if p.display] == [pane.pane_id]
            await until(lambda pane=pane: pane.size.width == WIDE[0])  # type: ignore[misc]
            await pilot.press("escape")
            assert all(p.display for p in app.main.panes)


async def test_a_pane_that_is_shown_again_shows_the_present(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.main
        quotes = app.main.query_one(QuotesPane)
        await until(lambda: shows(app, "quotes", "▲") or shows(app, "quotes", "▼"))
        await pilot.press("6", "z")
        await until(lambda: not quotes.display)
        app._pace.beat = lambda: False  # type: ignore[method-assign]  # no frame is drawn from here on
        before, updates = text_of(quotes), app.store.feed("aries:market").stats.frames
        await until(lambda: app.store.feed("aries:market").stats.frames > updates + 20)
        await pilot.press("escape")
        await until(lambda: quotes.display and text_of(quotes) != before)


async def test_what_is_hidden_is_not_subscribed(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.hub
        book = Subscription(Kind.BOOK, Symbol("AAPL"))
        await until(lambda: book in app.hub.manager.wanted if app.hub else False)
        await pilot.press("z")
        await until(lambda: book not in app.hub.manager.wanted if app.hub else False)
        await pilot.press("escape")
        await until(lambda: book in app.hub.manager.wanted if app.hub else False)


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (99, 45)])
async def test_a_small_terminal_shows_one_pane_with_tabs(simulator: SimulatorServer, size: tuple[int, int]) -> None:
    async with dashboard(simulator, size) as (app, pilot):
        assert app.main
        assert [p.pane_id for p in app.main.panes if p.display] == ["quotes"]
        assert app.main.query_one("#tabs").display
        await pilot.press("3")
        assert [p.pane_id for p in app.main.panes if p.display] == ["book"]
        await pilot.press("tab")
        assert [p.pane_id for p in app.main.panes if p.display] == ["news"]
        await until(lambda: shows(app, "news", "News"))


@pytest.mark.fault("M70")
async def test_resizing_at_random_breaks_nothing(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        for size in [(20, 5), (1, 1), (400, 120), (80, 24), (100, 28), (60, 3), (140, 45)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert app.main
        await until(lambda: shows(app, "quotes", "AAPL"))


async def test_freezing_stops_the_screen_and_counts_what_is_behind(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.main
        await until(lambda: shows(app, "quotes", "▲") or shows(app, "quotes", "▼"))
        await pilot.press("p")
        before = text_of(app.main.pane("quotes"))
        top = app.main.query_one(TopBar)
        await until(lambda: (top.behind or 0) > 5)
        assert text_of(app.main.pane("quotes")) == before
        await pilot.press("p")
        assert top.behind is None
        await until(lambda: app.main is not None and text_of(app.main.pane("quotes")) != before)


async def test_another_symbol_ends_the_freeze(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.main
        await until(lambda: shows(app, "book", "bid ") and shows(app, "bars", "AAPL"))
        await pilot.press("p")
        top = app.main.query_one(TopBar)
        assert top.behind is not None
        await pilot.press("down")
        await until(lambda: top.behind is None)
        await until(lambda: shows(app, "bars", "NVDA") and shows(app, "book", "NVDA"))


async def test_every_theme_can_be_chosen(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        seen = set()
        for _ in app.themes.palettes:
            await pilot.press("T")
            seen.add(app.desk.palette.name)
        assert seen == set(app.themes.palettes)


async def test_help_lists_every_action_and_the_pane_its_own(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, KeysScreen)
        shown = "\n".join(str(widget.render()) for widget in app.screen.query("Static"))
        assert all(action.title in shown for action in ACTIONS)
        await pilot.press("escape", "f1")
        assert isinstance(app.screen, PaneHelpScreen)
        await pilot.press("escape")
        assert at_main(app)


def test_every_action_of_the_table_exists() -> None:
    owners = {pane.pane_id: pane for pane in MainScreen.PANES} | {"app": MarketApp}
    for action in ACTIONS:
        owner, _, rest = action.method.rpartition(".")
        target = MarketApp if owner == "app" else owners[action.scope]
        assert hasattr(target, "action_" + rest.partition("(")[0]), action.id
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


async def test_a_key_can_be_moved_by_the_configuration(simulator: SimulatorServer) -> None:
    async with dashboard(simulator, keys={"app.add": "a"}) as (app, pilot):
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, SymbolPrompt))


@pytest.mark.fault("M8", "M54")
async def test_a_refused_key_fails_that_feed_alone_and_a_new_one_brings_it_back(simulator: SimulatorServer) -> None:
    secrets = {**simulator.credentials(), "quantcite": {"api_key": "wrong"}}
    async with dashboard(simulator, secrets=secrets) as (app, pilot):
        feeds = app.store.feeds

        def state(name: str) -> FeedState | None:
            status = feeds[name].status
            return status.state if status else None

        await pilot.press("down", "down", "down")
        await until(lambda: state("quantcite:book") is FeedState.FAILED)
        await until(lambda: state("aries:market") is FeedState.LIVE and state("insightsentry:live") is FeedState.LIVE)
        attempts = feeds["quantcite:book"].stats.attempts
        assert attempts <= 2
        await pilot.press("C")
        await until(lambda: isinstance(app.screen, CredentialsScreen))
        inputs = list(app.screen.query(Input))
        asked = [(p.name, f.name) for p in app.hub.providers.values() for f in p.credential_fields] if app.hub else []
        index = asked.index(("quantcite", "api_key"))
        inputs[index].value = simulator.credentials()["quantcite"]["api_key"]
        inputs[index].focus()
        await pilot.press("enter")
        await until(lambda: state("quantcite:book") is FeedState.LIVE)


@pytest.mark.fault("S12")
async def test_keys_are_not_asked_for_while_typed_keys_are_written_down(
    simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dashboard(simulator) as (app, pilot):
        monkeypatch.setenv("TEXTUAL_LOG", "x")
        await pilot.press("C")
        assert isinstance(app.screen, CredentialsScreen)
        assert not app.screen.query(Input)


@pytest.mark.fault("M64")
async def test_losing_every_connection_makes_values_stale_and_all_comes_back(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, _):
        wanted = [Subscription(Kind.QUOTE, symbol) for symbol in app.desk.symbols]
        await until(lambda: all(app.store.freshness(s) is Freshness.LIVE for s in wanted))
        simulator.drop()
        await until(lambda: all(app.store.freshness(s) is Freshness.STALE for s in wanted))
        assert app.hub
        for feed in app.hub.feeds:
            app.hub.retry(feed)
        await until(lambda: all(app.store.freshness(s) is Freshness.LIVE for s in wanted), what="all back")
        assert not simulator.violations()


@pytest.mark.fault("M49", "M50")
async def test_hostile_headlines_are_shown_as_text_and_do_nothing(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.main
        await until(lambda: bool(app.store.news()))
        before = len(app.store.news())
        simulator.publish_hostile_news()
        await until(lambda: len(app.store.news()) > before)
        await pilot.press("4", "enter")
        await until(lambda: app.main is not None and app.main.query_one(NewsPane).is_reading)
        assert "\x1b" not in text_of(app.main.pane("news"))
        assert app.is_running


async def test_the_same_notice_is_shown_once(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        for _ in range(5):
            app.tell("BTC/XYZ: not supported")
        await pilot.pause()
        assert len(app._notifications) == 1
        for number in range(10):
            app.tell(f"another {number}")
        assert len(app._notifications) <= 3


async def test_sorting_moves_the_row_and_keeps_the_selection(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        assert app.main
        quotes = app.main.query_one(QuotesPane)
        await pilot.press("down", "s")
        assert (quotes.chosen, quotes.order()[-1]) == ("NVDA", "SPX")
        await pilot.press("s", "s", "s", "s", "J")
        assert quotes.chosen == "NVDA"
        assert symbols(app).index("NVDA") == 2


@pytest.mark.parametrize("key", ["J", "K"])
async def test_a_row_that_cannot_be_moved_in_a_sorted_list_says_why(simulator: SimulatorServer, key: str) -> None:
    async with dashboard(simulator, keys={"quotes.sort": "S"}) as (app, pilot):
        before = symbols(app)
        await pilot.press("down", "S", key)
        said = "Rows move only in the list's own order. It is sorted by symbol: press S until it is not."
        await until(lambda: said in {notice.message for notice in app._notifications})
        assert symbols(app) == before


def type_at_once(app: MarketApp, *keys: str) -> None:
    """All keys are waiting before the first one is looked at, as when a terminal delivers them in one piece."""
    for key in keys:
        app.post_message(events.Key(key_of(key), key if len(key) == 1 else None))


def key_of(text: str) -> str:
    return {"/": "slash", "$": "dollar_sign", ".": "full_stop"}.get(text, text)


async def test_letters_typed_at_once_after_the_slash_reach_the_prompt(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, _):
        type_at_once(app, *"/solpx")
        await until(lambda: isinstance(app.screen, SymbolPrompt) and app.screen.query_one(Input).value == "solpx")
        assert app.main
        assert app.main.query_one(TopBar).behind is None


async def test_enter_typed_at_once_after_slash_and_symbol_adds_it(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, _):
        type_at_once(app, *"/solusdt", "enter")
        await until(lambda: "SOL/USDT" in symbols(app) and at_main(app))


async def test_digits_typed_at_once_after_the_dollar_are_the_size(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        await pilot.press("end", "up")
        await until(lambda: shows(app, "book", "bid ") and shows(app, "book", "BTC/USDT"))
        type_at_once(app, *"3$2.5")
        await until(lambda: shows(app, "book", "cost of 2.5▏ BTC"))
        assert isinstance(app.focused, BookPane)
        type_at_once(app, "escape", *"$6m", "enter", "2")
        await until(lambda: isinstance(app.focused, BarsPane))
        assert shows(app, "book", "cost of 6m BTC")


async def test_what_is_typed_at_once_after_c_is_the_key_and_nothing_else(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, _):
        before = symbols(app)
        type_at_once(app, *"CxqT", "1")
        await until(lambda: isinstance(app.screen, CredentialsScreen) and app.screen.query(Input).first().value)
        await until(lambda: app.screen.query(Input).first().value == "xqT1")
        assert (app.is_running, symbols(app), app.desk.palette.name) == (True, before, "tickdeck-dark")


async def test_what_is_typed_at_once_after_the_palette_finds_an_action(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, _):
        type_at_once(app, "ctrl+p", *"freeze")
        await until(lambda: isinstance(app.screen, CommandPalette) and app.screen.query(Input))
        await until(lambda: app.screen.query_one(Input).value == "freeze")


async def test_keys_pressed_before_the_first_frame_are_worked_off_after_it_in_their_order(
    simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dashboard(simulator) as (app, _):
        monkeypatch.setattr(app, "_start_feeds", lambda: None)
        app._early = deque()  # as it was at the start
        type_at_once(app, *"/so")
        await until(lambda: len(app._early or ()) == 3)
        type_at_once(app, *"lana")  # while the others are worked off
        await app._go_on()
        await until(lambda: any(field.value == "solana" for field in app.screen.query(Input)))


async def test_more_keys_than_anybody_types_before_the_first_frame_lose_their_end_and_not_their_beginning(
    simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dashboard(simulator) as (app, _):
        monkeypatch.setattr(app, "_start_feeds", lambda: None)
        app._early = deque()
        for _ in range(MOST_EARLY):
            await app.on_event(events.Key("down", None))
        await app.on_event(events.Key("q", "q"))
        assert len(app._early) == MOST_EARLY
        assert {key.key for key in app._early} == {"down"}


async def test_who_leaves_before_the_first_frame_starts_nothing(
    simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dashboard(simulator) as (app, _):
        started: list[bool] = []
        monkeypatch.setattr(app, "_start_feeds", lambda: started.append(True))
        app._early = deque([events.Key("q", "q")])
        await app._go_on()
        assert not started


async def test_a_key_that_is_on_its_way_while_the_program_ends_goes_nowhere(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, _):
        pass
    await app.on_event(events.Key("j", "j"))
    assert app.return_code in (0, None)


async def test_what_is_typed_at_once_after_the_list_of_intervals_chooses_there(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, _):
        assert app.main
        bars = app.main.query_one(BarsPane)
        type_at_once(app, *"2tj", "down", "enter")
        await until(lambda: bars.interval is Interval.H1 and at_main(app))


async def test_keys_typed_at_once_are_worked_off_in_their_order(simulator: SimulatorServer) -> None:
    async with dashboard(simulator) as (app, pilot):
        await pilot.press("end", "up")
        await until(lambda: shows(app, "book", "bid "))
        type_at_once(app, *"3zmv", "escape", "m")
        await until(lambda: shows(app, "book", "heatmap"))
        assert app.main
        assert app.main.is_maximised, "esc closed the list of venues, which was open by then"
