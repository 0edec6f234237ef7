"""Texts that reach for the screen: they are shown letter by letter, in their place, and do nothing."""

from __future__ import annotations

import webbrowser
from decimal import Decimal

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tests.faults.test_raw_terminal import PAYLOADS
from tests.feeds.plain import Caller, PlainProvider, feed_to, scripted, until
from tests.feeds.test_connection import BACKING_OFF, FAILED, closing
from tests.panes.conftest import set_feed, text_of
from tests.test_app import dashboard
from tui.clock import ManualClock
from tui.market.events import NewsItem, Trade
from tui.market.names import Kind, Subscription, Symbol, parse_symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.market.text import clean
from tui.messages import LinkOpened
from tui.panes.base import Desk
from tui.panes.news import NewsPane
from tui.panes.tape import TapePane
from tui.simulator.server import SimulatorServer
from tui.themes import load_themes

WIDE = [
    "漢字" * 200,
    "👨‍👩‍👧‍👦" * 200,
    "e\u0301" * 300,
    "Z" + "\u0301" * 500,
    "\u202e" + "abc " * 300,
    "ا" * 300,
    "x" * 10_000,
]
HOSTILE = [*PAYLOADS, *WIDE]


@pytest.fixture
def desk() -> Desk:
    clock = ManualClock()
    return Desk(
        store=MarketStore(clock.now_ns),
        palette=load_themes().get("tickdeck-dark"),
        names={"main": [parse_symbol("AAPL")]},
    )


def put(store: MarketStore, title: str, number: int = 0) -> None:
    store.apply(
        NewsItem(
            source="insightsentry", ts_recv_ns=store.now_ns(), id=str(number), title=clean(title, 300),
            summary=clean(title, 300), publisher=clean(title, 80), published_ns=store.now_ns() - number,
        )
    )  # fmt: skip


@pytest.mark.fault("M51")
@pytest.mark.parametrize("width", [30, 44, 80])
@pytest.mark.parametrize("is_reading", [False, True])
def test_no_headline_moves_a_row_or_a_column(desk: Desk, width: int, is_reading: bool) -> None:
    pane = NewsPane(desk)
    pane.on_mount()
    for number, title in enumerate(HOSTILE):
        put(desk.store, title, number)
    pane.is_reading = is_reading
    for number in range(len(HOSTILE)):
        pane.selected_id = str(number)
        rows = text_of(pane.rows(width, 12))
        assert len(rows) <= 12
        assert all(cell_len(row) <= width for row in rows), rows
        assert all(char.isprintable() or char in "\u200d\ufe0f" for row in rows for char in row)


@pytest.mark.fault("M51")
def test_a_venue_with_a_hostile_name_leaves_the_tape_in_its_columns(desk: Desk) -> None:
    store, pane = desk.store, TapePane(desk)
    pane.shown = Symbol("AAPL")
    prints = Subscription(Kind.TRADE, Symbol("AAPL"))
    set_feed(store, "aries:market", FeedState.LIVE, prints)
    for hostile in ["XNAS", *HOSTILE]:
        store.apply(
            Trade(source="aries", ts_recv_ns=store.now_ns(), symbol=Symbol("AAPL"), price=Decimal("187.42"),
                  size=Decimal(100), venue=clean(hostile, 40))
        )  # fmt: skip
    rows = text_of(pane.rows(44, 60))
    assert {row.index("187.42") for row in rows} == {rows[0].index("187.42")}
    assert len(rows) == len(HOSTILE) + 1
    assert all(char.isprintable() or char in "\u200d\ufe0f" for row in rows for char in row)


class OnePane(App[None]):
    """An app with the news alone; notes what it is asked to do."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.done: list[str] = []

    def compose(self) -> ComposeResult:
        yield NewsPane(self.desk)

    def action_pwn(self) -> None:
        self.done.append("pwned")

    def on_link_opened(self, message: LinkOpened) -> None:
        self.done.append(message.url)


@pytest.mark.fault("M50", "S2")
async def test_clicking_on_a_headline_runs_nothing_that_it_names(desk: Desk) -> None:
    titles = [
        "[@click=app.pwn]Click me[/]", "[@click='app.pwn']Click me", "[link=http://pwned.example/]Click me[/link]",
        "[/] [/bold] [Q3", "[@click=app.quit]Click me[/]", "[@click=app.simulate_key('q')]Click me[/]",
    ]  # fmt: skip
    for number, title in enumerate(titles):
        put(desk.store, title, number)
    app = OnePane(desk)
    async with app.run_test(size=(60, 20)) as pilot:
        pane = app.query_one(NewsPane)
        pane.draw()
        await pilot.pause()
        shown = [strip.text for strip in pane._strips]
        for y, title in enumerate(titles):
            assert title in shown[y + 1], "every bracket is on the screen"
            for x in range(2, 40, 6):
                await pilot.click(NewsPane, offset=(x, y + 1))
        await pilot.pause()
        assert app.done == []
        assert app.is_running


@pytest.mark.fault("M53")
async def test_a_server_that_repeats_the_key_in_its_reason_is_masked() -> None:
    def with_key(provider: PlainProvider) -> None:
        provider.key = "planted-secret-key"

    async def refuse(caller: Caller) -> None:
        await caller.hear()
        await caller.say("no the key planted-secret-key is bad")
        await caller.hear()

    for script in (refuse, closing(4777, "bad planted-secret-key")):
        async with scripted(script) as server, feed_to(server.url, prepare=with_key) as running:
            await until(lambda: running.feed.state in (FAILED, BACKING_OFF))
            assert "***" in running.feed.reason
            await until(lambda: running.feed.state is FAILED)
            assert "planted" not in repr(running.sink.events)


@pytest.mark.fault("M53")
@pytest.mark.parametrize("payload", [each for each in PAYLOADS if len(each.encode()) < 60])
async def test_a_close_reason_arrives_as_plain_text(payload: str) -> None:
    async with scripted(closing(1011, f"{payload}sorry")) as server, feed_to(server.url) as running:
        await until(lambda: len(running.sink.statuses) > 3)
        reason = running.sink.statuses[3].reason
        assert reason.startswith("closed by the server (1011)")
        assert reason.isprintable()


@pytest.mark.fault("M52", "S3")
async def test_of_all_links_only_plain_ones_are_opened(
    simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def note(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", note)
    async with dashboard(simulator) as (app, _):
        for url in ("javascript:alert(1)", "file:///etc/passwd", "--help", "https://u:p@x/", "https://x/\x1b]0;x\x07"):
            app.post_message(LinkOpened(url))
        app.post_message(LinkOpened("https://news.example/a"))
        await until(lambda: opened)
        assert opened == ["https://news.example/a"]
        assert app.clipboard == ""
