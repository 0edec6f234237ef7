"""A screen on which nothing happens comes to rest, and says so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from textual.driver import Driver

from tests.conftest import until
from tests.panes.conftest import set_feed, text_of
from tests.recorder import Recorder
from tui.app import MarketApp
from tui.clock import NS, ManualClock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.market.events import Bar, BookSnapshot, NewsItem, Quote, Trade
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.panes.bars import BarsPane
from tui.panes.base import Desk, Pane
from tui.panes.book import BookPane
from tui.panes.feeds import FeedsPane
from tui.panes.news import NewsPane
from tui.panes.quotes import QuotesPane
from tui.panes.tape import TapePane
from tui.quiet import Quiet
from tui.screens.status_bar import StatusBar
from tui.screens.top_bar import TopBar
from tui.themes import load_themes

AAPL = Symbol("AAPL")
QUOTES, BOOK = "insightsentry:live", "quantcite:book"


@pytest.fixture
def quiet(store: MarketStore) -> Quiet:
    return Quiet(store)


def quote(store: MarketStore, price: str = "190.25") -> None:
    store.apply(Quote(source="insightsentry", ts_recv_ns=store.now_ns(), symbol=AAPL, last=Decimal(price)))


def book(store: MarketStore) -> None:
    sides = {"bids": ((Decimal(99), Decimal(1), ()),), "asks": ((Decimal(101), Decimal(1), ()),)}
    store.apply(BookSnapshot(source="quantcite", ts_recv_ns=store.now_ns(), symbol=AAPL, **sides))


def ticks(quiet: Quiet, store: MarketStore) -> bool:
    """The next frame."""
    return quiet.ticks(store.drain(), store.now_ns())


def seconds_drawn(quiet: Quiet, store: MarketStore, clock: ManualClock, count: int) -> list[int]:
    """Which of the coming seconds draw what shows time, ten frames each."""
    drawn = set()
    for frame in range(count * 10):
        clock.advance(0.1)
        if ticks(quiet, store):
            drawn.add(frame // 10)
    return sorted(drawn)


def test_ages_are_drawn_once_a_second_while_something_happens(
    quiet: Quiet, store: MarketStore, clock: ManualClock
) -> None:
    drawn = 0
    for _ in range(30):
        quote(store)
        drawn += ticks(quiet, store)
        clock.advance(0.1)
    assert drawn in (3, 4)
    assert store.quiet_since_ns is None


def test_ten_seconds_after_the_last_news_it_rests_and_says_since_when(
    quiet: Quiet, store: MarketStore, clock: ManualClock
) -> None:
    set_feed(store, QUOTES, FeedState.LIVE, Subscription(Kind.QUOTE, AAPL))
    quote(store)
    since_ns = clock.now_ns()
    drawn = seconds_drawn(quiet, store, clock, 60)
    assert drawn[-1] in (9, 10)  # the last frame tells times instead of ages
    assert store.quiet_since_ns == pytest.approx(since_ns, abs=NS / 5)
    assert store.ages.is_quiet


def test_what_comes_wakes_all_that_shows_time_at_once(quiet: Quiet, store: MarketStore, clock: ManualClock) -> None:
    seconds_drawn(quiet, store, clock, 20)
    assert store.quiet_since_ns is not None
    quote(store)
    assert ticks(quiet, store)
    assert store.quiet_since_ns is None


def test_whoever_draws_is_woken_before_the_change_can_be_read(
    quiet: Quiet, store: MarketStore, clock: ManualClock
) -> None:
    woken: list[bool] = []
    store.wake = lambda: woken.append(store.is_changed)
    quote(store)
    store.assign(Subscription(Kind.QUOTE, AAPL), QUOTES)
    assert not woken, "nobody rests"
    seconds_drawn(quiet, store, clock, 20)
    quote(store)
    store.assign(Subscription(Kind.QUOTE, AAPL), BOOK)
    store.forget(Subscription(Kind.QUOTE, AAPL))
    assert woken == [False, True, True]


@pytest.mark.parametrize("state", [FeedState.BACKING_OFF, FeedState.CONNECTING, FeedState.AUTHENTICATING])
def test_no_rest_while_a_feed_is_on_its_way(
    quiet: Quiet, store: MarketStore, clock: ManualClock, state: FeedState
) -> None:
    set_feed(store, QUOTES, state)
    assert seconds_drawn(quiet, store, clock, 30) == [*range(30)]
    set_feed(store, QUOTES, FeedState.FAILED)
    assert len(seconds_drawn(quiet, store, clock, 30)) < 12


def test_a_book_that_grows_stale_is_drawn_so(quiet: Quiet, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, BOOK, FeedState.LIVE, Subscription(Kind.BOOK, AAPL))
    book(store)
    before = seconds_drawn(quiet, store, clock, 40)
    assert max(before) <= 11
    assert len(seconds_drawn(quiet, store, clock, 10)) == 1, "45 s after the last book"
    assert not seconds_drawn(quiet, store, clock, 60)


def test_a_feed_that_falls_silent_is_drawn_so(quiet: Quiet, store: MarketStore, clock: ManualClock) -> None:
    set_feed(store, QUOTES)
    ticks(quiet, store)
    for _ in range(40):
        clock.advance(2)
        store.feed(QUOTES).stats.received(100, clock.now_ns())
    seconds_drawn(quiet, store, clock, 2)
    assert store.quiet_since_ns is not None
    assert len(seconds_drawn(quiet, store, clock, 20)) == 1, "eight seconds after its last frame"


def test_a_clock_that_is_set_back_does_not_keep_it_awake(quiet: Quiet, store: MarketStore, clock: ManualClock) -> None:
    seconds_drawn(quiet, store, clock, 5)
    clock.advance(-3600)
    seconds_drawn(quiet, store, clock, 15)
    assert store.quiet_since_ns is not None
    assert store.quiet_since_ns <= clock.now_ns()


def everything(store: MarketStore) -> None:
    """A value of each kind, none of them live any more, and one that never came."""
    for kind in (Kind.QUOTE, Kind.BOOK, Kind.TRADE):
        store.assign(Subscription(kind, AAPL), QUOTES)
    store.assign(Subscription(Kind.QUOTE, Symbol("MSFT")), BOOK)
    quote(store)
    book(store)
    now_ns = store.now_ns()
    came = {"source": "insightsentry", "ts_recv_ns": now_ns}
    price = dict.fromkeys(("open", "high", "low", "close"), Decimal(190))
    store.apply(Bar(**came, symbol=AAPL, interval=Interval.M5, start_ns=now_ns // (300 * NS) * 300 * NS, **price))
    store.apply(Trade(**came, symbol=AAPL, price=Decimal(190), size=Decimal(1)))
    store.apply(NewsItem(**came, id="1", title="Chip maker lifts forecast", published_ns=now_ns - 600 * NS))
    set_feed(store, QUOTES, FeedState.FAILED, reason="key rejected")
    set_feed(store, BOOK)
    for feed in (QUOTES, BOOK):
        store.feed(feed).stats.received(100, now_ns)


@pytest.mark.parametrize("width", [30, 45, 60, 90, 140])
def test_at_rest_nothing_that_is_shown_depends_on_the_time(store: MarketStore, clock: ManualClock, width: int) -> None:
    desk = Desk(store=store, palette=load_themes().get("tickdeck-dark"), names={"main": [AAPL, Symbol("MSFT")]})
    everything(store)
    clock.advance(60)
    quotes, news = QuotesPane(desk), NewsPane(desk)
    panes = [quotes, BarsPane(desk), BookPane(desk), news, TapePane(desk), FeedsPane(desk)]
    quotes.on_mount()
    news.on_mount()
    top, status = TopBar(desk, id="top"), StatusBar(desk, id="status", keys={})
    top.symbol = AAPL
    for pane in panes:
        pane.set_reactive(Pane.symbol, AAPL)
        pane.wants()

    def shown() -> list[str]:
        lines = [row for pane in panes for row in pane.lines(width, 18)]
        return text_of([*lines, top.line(width), status.line(width)])

    live = shown()
    store.quiet_since_ns = clock.now_ns()
    rested = shown()
    assert rested != live
    assert "stale 14:37" in "\n".join(rested)
    assert width < 60 or "quiet " in rested[-2]
    assert width < 90 or "quiet since 14:38:51 UTC" in rested[-2]
    for seconds in (1, 8, 49, 600):
        clock.advance(seconds)
        assert [row for row in shown() if "as of" not in row] == [row for row in rested if "as of" not in row]


def test_a_time_of_day_never_stands_there_for_longer_than_a_day(
    quiet: Quiet, store: MarketStore, clock: ManualClock
) -> None:
    quote(store)
    came_ns, told = clock.now_ns(), []
    for _ in range(30 * 60):
        clock.advance(60)
        if ticks(quiet, store):
            told = [store.ages.by_time(came_ns)]
        assert told != [True] or clock.now_ns() - came_ns < 86_400 * NS
    assert told == [False]


@pytest.mark.parametrize(
    ("hours", "width", "time"),
    [
        (22, 140, "quiet since 14:37:51 UTC"),
        (22, 30, "quiet 14:37"),
        (50, 140, "quiet since 2026-01-05 14:37:51 UTC"),
        (50, 30, "quiet 2d"),
    ],
)
def test_quiet_over_a_weekend_says_since_which_day(
    store: MarketStore, clock: ManualClock, hours: float, width: int, time: str
) -> None:
    desk = Desk(store=store, palette=load_themes().get("tickdeck-dark"))
    store.quiet_since_ns = clock.now_ns()
    clock.advance(hours * 3600)
    top = TopBar(desk, id="top")
    assert text_of([top.line(width)]) == [" tickdeck" + time.rjust(width - 10)]


class Sheet:
    """Takes what is written to the terminal."""

    def __init__(self) -> None:
        self.written = ""

    def write(self, data: str) -> None:
        self.written += data

    def flush(self) -> None:
        pass


class Watched(MarketApp):
    """The dashboard without any provider, and what it writes."""

    def __init__(self, clock: ManualClock) -> None:
        self.sheet = Sheet()
        config = Config(watchlists={"main": [AAPL]}).with_providers({}, only=True)
        super().__init__(config, FixedSecrets({}), clock=clock)

    def get_driver_class(self) -> type[Driver]:
        return Recorder


async def at_rest(app: Watched, clock: ManualClock) -> None:
    """Let the frame clock of a running app stop, with everything drawn for it."""

    def rests() -> bool:
        clock.advance(1)
        return "quiet since" in app.sheet.written and not app._frames._active.is_set()

    await until(lambda: app.hub is not None)
    await until(rests)
    app.sheet.written = ""


async def test_at_rest_the_frame_goes_where_the_keys_go(clock: ManualClock) -> None:
    app = Watched(clock)
    async with app.run_test(headless=False, size=(140, 45)) as pilot:
        await at_rest(app, clock)
        for key, pane_id in (("6", "feeds"), ("1", "quotes"), ("tab", "bars")):
            await pilot.press(key)
            assert app.main
            focus = app.desk.palette.style("focus", bold=True)
            framed = [pane.pane_id for pane in app.main.panes if ("│", focus) in pane._pieces[1]]
            assert framed == [pane_id], key


async def test_nothing_is_written_while_nothing_happens(clock: ManualClock) -> None:
    app = Watched(clock)
    async with app.run_test(headless=False, size=(140, 45)):
        await until(lambda: app.hub is not None)
        quote(app.store)
        await until(lambda: "190.25" in app.sheet.written)
        clock.advance(11)
        await until(lambda: "quiet since" in app.sheet.written)
        app.sheet.written = ""
        for _ in range(30):
            clock.advance(1)
            await app.draw_frame()
        assert app.sheet.written == ""
        for price in ("190.30", "190.31"):
            quote(app.store, price)
            await until(lambda price=price: price in app.sheet.written)  # type: ignore[misc]
        assert "quiet since" not in app.sheet.written
        assert app._pace.lag_s < 1, "rest is not lateness"
