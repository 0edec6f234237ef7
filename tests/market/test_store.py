"""The store: merging, freshness, bounds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tui.clock import ManualClock
from tui.market.events import Bar, BookSnapshot, Event, Greeks, MarketStatus, NewsItem, Notice, Quote, Status, Trade
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.quotes import MAX_SPARK
from tui.market.store import MAX_NEWS, MAX_NOTICES, MAX_SYMBOLS, MAX_TRADES, Freshness, MarketStore, Topic
from tui.market.terms import FeedState, Session

AAPL = Symbol("AAPL")
QUOTE = Subscription(Kind.QUOTE, AAPL)
BOOK = Subscription(Kind.BOOK, Symbol("BTC/USDT"))
FEED = "aries:market"


def go_live(store: MarketStore, clock: ManualClock, feed: str = FEED, state: FeedState = FeedState.LIVE) -> None:
    if state is FeedState.LIVE:
        store.feed(feed).stats.live_since_ns = clock.now_ns()
    store.apply(Status(source=feed.partition(":")[0], ts_recv_ns=clock.now_ns(), feed=feed, state=state))


def quote(clock: ManualClock, source: str = "aries", **figures: str | None) -> Quote:
    values = {name: None if text is None else Decimal(text) for name, text in figures.items()}
    return Quote(source=source, ts_recv_ns=clock.now_ns(), symbol=AAPL, **values)


def book(clock: ManualClock, bid: str = "97210.4", ask: str = "97212.1") -> BookSnapshot:
    return BookSnapshot(
        source="quantcite",
        ts_recv_ns=clock.now_ns(),
        symbol=Symbol("BTC/USDT"),
        bids=((Decimal(bid), Decimal(1), ("okx",)),),
        asks=((Decimal(ask), Decimal(1), ("okx",)),),
    )


def test_the_store_merges_every_kind_of_event(store: MarketStore) -> None:
    assert set(store._merges) == set(Event.__subclasses__())


def test_a_kind_that_a_plugin_extends_is_merged_as_what_it_extends(store: MarketStore, clock: ManualClock) -> None:
    class Auction(Quote):
        indicative: Decimal | None = None

    store.apply(Auction(source="plugin", ts_recv_ns=clock.now_ns(), symbol=AAPL, last=Decimal("190.25")))
    state = store.quote(AAPL)
    assert state
    assert state.price == Decimal("190.25")


def test_sensitivities_are_merged_field_by_field(store: MarketStore, clock: ManualClock) -> None:
    for figures in ({"delta": "0.52", "gamma": "0.031"}, {"delta": "0.54"}, {"gamma": None}):
        store.apply(Greeks.model_validate({"source": "aries", "ts_recv_ns": clock.now_ns(), "symbol": AAPL, **figures}))
    greeks = store.greeks(AAPL)
    assert greeks
    assert (greeks.delta, greeks.gamma, greeks.theta) == (Decimal("0.54"), None, None)
    assert store.drain().keys == {Subscription(Kind.GREEKS, AAPL)}


@pytest.mark.fault("A9", "I2")
def test_a_quote_is_merged_field_by_field_and_null_clears(store: MarketStore, clock: ManualClock) -> None:
    store.apply(quote(clock, bid="187.41", ask="187.43", last="187.42"))
    store.apply(quote(clock, last="187.45"))
    store.apply(quote(clock, ask=None))
    state = store.quote(AAPL)
    assert state
    assert state.values == {"bid": Decimal("187.41"), "last": Decimal("187.45")}
    assert state.direction == 1


def test_another_source_starts_with_its_own_figures(store: MarketStore, clock: ManualClock) -> None:
    store.apply(quote(clock, last="187.42", volume="1000"))
    store.apply(quote(clock, source="insightsentry", last="187.50"))
    state = store.quote(AAPL)
    assert state
    assert (state.source, state.values) == ("insightsentry", {"last": Decimal("187.50")})


@pytest.mark.fault("M39")
def test_a_jump_is_suspect_until_a_second_update_agrees(store: MarketStore, clock: ManualClock) -> None:
    for last, suspect in (("100", False), ("100000", True), ("100000", False), ("99000", False)):
        store.apply(quote(clock, last=last))
        state = store.quote(AAPL)
        assert state
        assert ("last" in state.suspects) is suspect


def test_the_trend_samples_the_price_every_five_seconds_and_forgets_the_oldest(
    store: MarketStore, clock: ManualClock
) -> None:
    for second in range(5 * MAX_SPARK + 10):
        store.apply(quote(clock, last=str(1000 + second)))
        clock.advance(1)
    state = store.quote(AAPL)
    assert state is not None
    assert list(state.spark) == [1000.0 + second for second in range(10, 5 * MAX_SPARK + 10, 5)]


def test_drain_says_what_changed_once(store: MarketStore, clock: ManualClock) -> None:
    store.apply(quote(clock, last="1"))
    go_live(store, clock)
    changes = store.drain()
    assert changes.keys == {QUOTE}
    assert changes.topics == {Topic.FEEDS}
    assert not store.drain()


@pytest.mark.fault("M24")
def test_a_value_is_live_only_on_the_present_connection_of_the_feed_that_serves_it(
    store: MarketStore, clock: ManualClock
) -> None:
    assert store.freshness(QUOTE) is Freshness.ABSENT
    store.assign(QUOTE, FEED)
    go_live(store, clock)
    store.apply(quote(clock, last="187.42"))
    assert store.freshness(QUOTE) is Freshness.LIVE
    clock.advance(3600)
    assert store.freshness(QUOTE) is Freshness.LIVE  # a quiet market is not a dead feed
    go_live(store, clock, state=FeedState.BACKING_OFF)
    assert store.freshness(QUOTE) is Freshness.STALE
    clock.advance(1)
    go_live(store, clock)
    assert store.freshness(QUOTE) is Freshness.STALE  # connected again, but nothing new came yet
    store.apply(quote(clock, last="187.43"))
    assert store.freshness(QUOTE) is Freshness.LIVE


def test_the_first_patch_after_an_outage_does_not_revive_what_it_leaves_out(
    store: MarketStore, clock: ManualClock
) -> None:
    store.assign(QUOTE, FEED)
    go_live(store, clock)
    store.apply(quote(clock, bid="100.0", ask="100.1", last="100"))
    go_live(store, clock, state=FeedState.BACKING_OFF)
    clock.advance(3600)
    go_live(store, clock)
    store.apply(quote(clock, bid="101"))
    state = store.quote(AAPL)
    assert state
    assert (store.freshness(QUOTE), state.values) == (Freshness.LIVE, {"bid": Decimal(101)})


def test_a_feed_that_falls_silent_makes_its_quotes_stale(store: MarketStore, clock: ManualClock) -> None:
    store.assign(QUOTE, FEED)
    go_live(store, clock)
    for _ in range(40):
        clock.advance(0.1)
        store.feed(FEED).stats.received(100, clock.now_ns())
    store.apply(quote(clock, last="187.42"))
    clock.advance(6)
    assert store.freshness(QUOTE) is Freshness.STALE
    store.feed(FEED).stats.received(100, clock.now_ns())
    assert store.freshness(QUOTE) is Freshness.LIVE


def test_the_session_is_unknown_while_who_told_it_is_not_live(store: MarketStore, clock: ManualClock) -> None:
    go_live(store, clock)
    store.apply(MarketStatus(source="aries", feed=FEED, ts_recv_ns=clock.now_ns(), session=Session.REGULAR))
    assert store.session
    go_live(store, clock, state=FeedState.BACKING_OFF)
    assert store.session is None


def test_a_quote_is_stale_while_nobody_serves_it(store: MarketStore, clock: ManualClock) -> None:
    store.assign(QUOTE, FEED)
    go_live(store, clock)
    store.apply(quote(clock, last="187.42"))
    store.assign(QUOTE, None)
    assert store.freshness(QUOTE) is Freshness.STALE


@pytest.mark.fault("M23")
def test_a_book_is_stale_when_it_falls_out_of_its_own_rhythm(store: MarketStore, clock: ManualClock) -> None:
    store.assign(BOOK, "quantcite:book")
    go_live(store, clock, "quantcite:book")
    for _ in range(5):
        store.apply(book(clock))
        clock.advance(2)
    assert store.freshness(BOOK) is Freshness.LIVE
    clock.advance(7)
    assert store.freshness(BOOK) is Freshness.STALE
    store.apply(book(clock))
    assert store.freshness(BOOK) is Freshness.LIVE


def test_news_is_live_again_as_soon_as_its_feed_is(store: MarketStore, clock: ManualClock) -> None:
    news = Subscription(Kind.NEWS)
    store.assign(news, "insightsentry:newsfeed")
    go_live(store, clock, "insightsentry:newsfeed")
    store.apply(NewsItem(source="insightsentry", ts_recv_ns=clock.now_ns(), id="1", title="t", published_ns=1))
    go_live(store, clock, "insightsentry:newsfeed", FeedState.BACKING_OFF)
    assert store.freshness(news) is Freshness.STALE
    clock.advance(5)
    go_live(store, clock, "insightsentry:newsfeed")
    assert store.freshness(news) is Freshness.LIVE


def test_absence_says_why(store: MarketStore, clock: ManualClock) -> None:
    assert store.absence(QUOTE) == "not asked for yet"
    store.assign(QUOTE, None)
    assert store.absence(QUOTE) == "no provider carries it"
    store.assign(QUOTE, FEED)
    assert store.absence(QUOTE) == "connecting to aries:market"
    go_live(store, clock)
    clock.advance(4)
    assert store.absence(QUOTE) == "waiting for aries:market, 4s"
    refusal = "Symbol is not supported"
    store.apply(Notice(source="aries", ts_recv_ns=clock.now_ns(), text=refusal, subscription=QUOTE, refused=True))
    assert store.absence(QUOTE) == refusal


def test_what_is_forgotten_is_gone(store: MarketStore, clock: ManualClock) -> None:
    store.assign(BOOK, "quantcite:book")
    store.apply(book(clock))
    store.forget(BOOK)
    assert store.book(Symbol("BTC/USDT")) is None
    assert store.freshness(BOOK) is Freshness.ABSENT


def test_decimals_are_learned_from_what_is_seen(store: MarketStore, clock: ManualClock) -> None:
    assert store.decimals(AAPL) == 2
    store.apply(quote(clock, last="0.12345"))
    store.apply(quote(clock, last="0.1"))
    assert store.decimals(AAPL) == 5
    store.apply(quote(clock, last="0.000000000001"))
    assert store.decimals(AAPL) == 8


@pytest.mark.fault("M33")
def test_the_same_print_counts_once(store: MarketStore, clock: ManualClock) -> None:
    for sequence in ("1", "1", "2", None, None):
        store.apply(
            Trade(source="aries", ts_recv_ns=clock.now_ns(), symbol=AAPL, price=Decimal(1), size=Decimal(1),
                  venue="XNAS", sequence=sequence)
        )  # fmt: skip
    assert len(list(store.trades(AAPL))) == 4


@pytest.mark.fault("S14")
def test_every_container_is_bounded(store: MarketStore, clock: ManualClock) -> None:
    now = clock.now_ns()
    for i in range(MAX_SYMBOLS + 50):
        symbol = Symbol(f"S{i}")
        store.apply(Quote(source="x", ts_recv_ns=now, symbol=symbol, last=Decimal("1.23456")))
        store.apply(
            Notice(source="x", ts_recv_ns=now, text="no", subscription=Subscription(Kind.QUOTE, symbol), refused=True)
        )
        store.apply(NewsItem(source="x", ts_recv_ns=now, id=str(i), title="t", published_ns=now + i))
        store.apply(Trade(source="x", ts_recv_ns=now, symbol=AAPL, price=Decimal(1), size=Decimal(1)))
    for i in range(3000):
        store.apply(
            Bar(source="x", ts_recv_ns=now, symbol=AAPL, interval=Interval.M1, start_ns=i * 60 * 10**9,
                open=Decimal(1), high=Decimal(1), low=Decimal(1), close=Decimal(1))
        )  # fmt: skip
    assert len(store.news()) == MAX_NEWS
    assert store.news()[-1].id == str(MAX_SYMBOLS + 50 - MAX_NEWS)  # the oldest went, and were counted
    assert store.news_dropped == MAX_SYMBOLS + 50 - MAX_NEWS
    assert len(list(store.trades(AAPL))) == MAX_TRADES
    assert len(store.notices) == MAX_NOTICES
    assert len(store.bars(AAPL, Interval.M1)) == 2000
    assert store.quote(Symbol("S0")) is None
    assert store.quote(Symbol(f"S{MAX_SYMBOLS}")) is not None
    sizes = [len(value) for value in vars(store).values() if hasattr(value, "__len__")]
    assert max(sizes) <= 2 * MAX_SYMBOLS + 100


def test_absence_names_the_remedy_of_a_feed_that_waits_for_the_user(store: MarketStore, clock: ManualClock) -> None:
    failed = Status(
        source="aries", ts_recv_ns=clock.now_ns(), feed=FEED, state=FeedState.FAILED, reason="key rejected",
        remedy="Store a key.", needs_key=True,
    )  # fmt: skip
    store.assign(QUOTE, FEED)
    store.apply(failed)
    assert store.absence(QUOTE) == "press C to enter a key: key rejected (aries:market)"
    store.apply(failed.model_copy(update={"needs_key": False, "reason": "wrong address", "remedy": "Check it."}))
    assert store.absence(QUOTE) == "aries:market failed: wrong address. Check it."


@pytest.mark.parametrize(
    ("prices", "decimals"),
    [(["1.5"], 2), (["1.125", "1.5"], 3), (["1.50000"], 2), (["0.0000000123"], 8), ([f"{'9' * 19}.5", "1.234"], 3),
     (["1.2345", "1" * 19 + "." + "1" * 21], 8)],
)  # fmt: skip
def test_decimals_are_the_most_that_a_price_needed(
    store: MarketStore, clock: ManualClock, prices: list[str], decimals: int
) -> None:
    for price in prices:
        store.apply(Quote(source="aries", ts_recv_ns=clock.now_ns(), symbol=Symbol("AAPL"), last=Decimal(price)))
    assert store.decimals(Symbol("AAPL")) == decimals
