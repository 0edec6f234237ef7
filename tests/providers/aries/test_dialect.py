"""Codecs against the simulator's side of the protocol, which was written apart from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.providers.aries.sessions import subscription, want
from tests.providers.aries.talk import Talk
from tui.market.events import (
    Balance,
    Bar,
    BookSnapshot,
    Greeks,
    MarketStatus,
    NewsItem,
    Notice,
    Order,
    PnlCandle,
    Position,
    Quote,
    Trade,
    Watchlist,
)
from tui.market.names import Wants
from tui.market.terms import Session
from tui.providers.aries.simulator import AriesDialect, Behaviour
from tui.providers.base import Close, Latency, LoggedIn, LoginRefused, Then
from tui.simulator.dialect import Hangup
from tui.simulator.market import SimulatedMarket

OPTION = "AAPL 2026-12-18 200C"
EVERYTHING: dict[str, Wants] = {
    "market": want("quote AAPL", "quote SPX", "book NVDA", "trade AAPL", f"greeks {OPTION}", f"quote {OPTION}"),
    "charts": want("bar AAPL 1m", "bar AAPL 5m", "bar SPX 1m"),
    "accounts": want("news", "account"),
}


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return SimulatedMarket(seed=7)


@pytest.fixture
def dialect(market: SimulatedMarket) -> AriesDialect:
    return AriesDialect(market)


def talk(channel: str, dialect: AriesDialect, seconds: float = 5, wants: Wants | None = None) -> Talk:
    return Talk(channel, dialect=dialect).start(EVERYTHING[channel] if wants is None else wants).run(seconds)


def purposes(talked: Talk) -> Counter[str]:
    return Counter(send.purpose for send in talked.sent)


@pytest.mark.parametrize(
    ("channel", "kinds"),
    [
        ("market", {LoggedIn, MarketStatus, Quote, Trade, BookSnapshot, Greeks, Latency}),
        ("charts", {LoggedIn, Bar, Latency}),
        ("accounts", {LoggedIn, Order, Position, Balance, PnlCandle, Watchlist, Latency}),
    ],
)
def test_each_socket_delivers_what_it_is_asked_for(channel: str, kinds: set[type], dialect: AriesDialect) -> None:
    talked = talk(channel, dialect, 15)
    assert {type(signal) for signal in talked.said} - {NewsItem} == kinds
    assert not dialect.violations
    assert talked.over is None


def test_quotes_merge_into_what_the_market_shows(dialect: AriesDialect) -> None:
    talked = talk("market", dialect, 10)
    for code in ("AAPL", "SPX"):
        merged: dict[str, Any] = {}
        for quote in talked.of(Quote):
            if quote.symbol == code:
                merged |= {name: getattr(quote, name) for name in quote.model_fields_set}
        shown = dialect.market.quote(code)
        for name in ("last", "bid", "ask", "bid_size", "ask_size", "open", "high", "low", "change", "prev_close"):
            assert merged.get(name) == getattr(shown, name), f"{code} {name}"
        assert merged["change_percent"] == shown.change_percent


def test_depth_adds_up_to_the_books_of_the_venues(dialect: AriesDialect) -> None:
    talked = talk("market", dialect, 10)
    book = talked.of(BookSnapshot)[-1]
    bids, asks = dialect.market.aggregated("NVDA", None, 20)
    near = {price: size for price, size, _ in (*book.bids, *book.asks)}
    same = sum(near.get(price) == size for price, size, _ in (*bids[:10], *asks[:10]))
    assert same >= 18, "a level or two may be dropped while venues cross"
    best = book.bids[0]
    assert best[0] == bids[0][0]
    assert set(best[2]) <= set(bids[0][2])
    assert set(book.venues) == set(dialect.market.instruments["NVDA"].venues)


def test_prints_are_those_of_the_market(dialect: AriesDialect) -> None:
    before = len(dialect.market.trades("AAPL"))
    trades = talk("market", dialect, 5).of(Trade)
    printed = dialect.market.trades("AAPL")[before:]
    assert [(t.price, t.size, t.venue, t.sequence) for t in trades] == [
        (t.price, t.size, t.venue, str(t.seq)) for t in printed
    ]


def test_bars_agree_with_the_market(dialect: AriesDialect) -> None:
    talked = Talk("charts", dialect=dialect)
    start = talked.now_ns
    talked.start(want("bar AAPL 1m")).run(130)
    made = {bar.start_ns: bar for bar in talked.of(Bar)}
    for expected in dialect.market.bars("AAPL", 60, start - start % 60_000_000_000 + 60_000_000_000, talked.now_ns):
        bar = made[expected.start_ns]
        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (
            expected.open,
            expected.high,
            expected.low,
            expected.close,
            expected.volume,
        )


def test_news_arrives_under_both_spellings(dialect: AriesDialect) -> None:
    while len(dialect.market.news()) < 2:
        dialect.market.advance(dialect.market.now_ns + 1_000_000_000)
    items = talk("accounts", dialect, 1, want("news")).of(NewsItem)
    assert [(item.title, item.link, item.symbols) for item in items] == [
        (item.title, item.link, tuple(symbol for symbol in item.symbols if "/" not in symbol))
        for item in dialect.market.news(5)
    ]
    assert items[0].summary == dialect.market.news(5)[0].content


def test_the_account_is_what_the_market_says(dialect: AriesDialect) -> None:
    talked = talk("accounts", dialect, 3, want("account"))
    account = dialect.market.account
    assert {position.symbol: position.quantity for position in talked.of(Position)} == {
        position.symbol: position.quantity for position in account.positions
    }
    latest = {order.client_order_id: order for order in talked.of(Order)}
    assert {order.id: order.filled for order in account.orders} == {key: o.filled for key, o in latest.items()}
    assert all(order.status != "NEW" for order in latest.values())
    assert talked.of(Watchlist)[0].symbols == ("AAPL", "NVDA", "SPX")


CHANGES: list[Callable[[Behaviour], None]] = [
    lambda b: setattr(b, "greets", False),
    lambda b: setattr(b, "auth_type", "response"),
    lambda b: setattr(b, "auth_id_at_top", True),
    lambda b: setattr(b, "knows_upper_case", False),
    lambda b: setattr(b, "takes_arrays", False),
    lambda b: setattr(b, "answers_pings", False),
]


@pytest.mark.parametrize("channel", EVERYTHING)
@pytest.mark.parametrize("change", CHANGES)
def test_either_reading_of_the_documentation_works(
    channel: str, change: Callable[[Behaviour], None], dialect: AriesDialect
) -> None:
    change(dialect.behaviour)
    talked = talk(channel, dialect, 2)
    assert talked.over is None
    assert len(talked.of(LoggedIn)) == 1
    assert not [notice for notice in talked.of(Notice) if notice.refused]
    wanted = {"market": Quote, "charts": Bar, "accounts": Order}[channel]
    assert talked.of(wanted)


@pytest.mark.parametrize("channel", EVERYTHING)
def test_a_server_that_does_not_answer_the_login_closes_in_time(channel: str, dialect: AriesDialect) -> None:
    dialect.behaviour.answers_auth = False
    talked = talk(channel, dialect, 20)
    assert isinstance(talked.over, Hangup | LoginRefused)
    assert purposes(talked) == {"login": 1}


@pytest.mark.parametrize("channel", EVERYTHING)
def test_a_wrong_token_is_refused_once(channel: str, dialect: AriesDialect) -> None:
    talked = Talk(channel, dialect=dialect, token="wrong").start(EVERYTHING[channel]).run(2)
    assert isinstance(talked.over, LoginRefused)
    assert talked.over.refresh
    assert purposes(talked) == {"login": 1}


def test_a_server_without_depth_refuses_nothing_else(dialect: AriesDialect) -> None:
    dialect.behaviour.level2_key = None
    wants = want("quote AAPL", "book AAPL", "quote MSFT", "book NVDA")
    talked = talk("market", dialect, 3, wants)
    refused = {notice.subscription for notice in talked.of(Notice) if notice.refused}
    assert refused == {subscription("book AAPL"), subscription("book NVDA")}
    assert {quote.symbol for quote in talked.of(Quote)} == {"AAPL", "MSFT"}


def test_an_unknown_symbol_is_refused_and_the_others_live(dialect: AriesDialect) -> None:
    talked = talk("market", dialect, 3, want("quote AAPL", "quote ZZZZ", "quote MSFT", "quote SPX", "trade NVDA"))
    [notice] = [notice for notice in talked.of(Notice) if notice.refused]
    assert (notice.subscription, notice.text) == (subscription("quote ZZZZ"), "invalid symbol ZZZZ")
    assert {quote.symbol for quote in talked.of(Quote)} == {"AAPL", "MSFT", "SPX"}
    assert talked.of(Trade)


def test_a_server_that_only_knows_the_newer_name_of_the_watchlist_is_fine(dialect: AriesDialect) -> None:
    dialect.behaviour.refused_topics = frozenset({"watchlistUpdates"})
    assert talk("accounts", dialect, 1).of(Watchlist)


def test_topics_that_are_refused_leave_the_rest(dialect: AriesDialect) -> None:
    dialect.behaviour.refused_topics = frozenset({"news", "pnl"})
    talked = talk("accounts", dialect, 2)
    assert [notice.subscription for notice in talked.of(Notice) if notice.refused] == [subscription("news")]
    assert talked.of(Order)


@pytest.mark.parametrize("channel", EVERYTHING)
def test_a_short_session_is_renewed_in_place_again_and_again(channel: str, dialect: AriesDialect) -> None:
    dialect.behaviour.expires_ms[channel] = 120_000
    talked = talk(channel, dialect, 100, frozenset())
    assert talked.over is None
    assert 3 <= purposes(talked)["login"] <= 5
    assert len(talked.of(LoggedIn)) == 1
    assert not dialect.violations


def test_an_expired_session_reconnects(dialect: AriesDialect) -> None:
    dialect.behaviour.expires_ms["market"] = 120_000
    talked = talk("market", dialect, 1, frozenset())
    dialect.tokens.access.clear()
    talked.run(200)
    assert isinstance(talked.over, Close)
    assert talked.over.then is Then.RECONNECT


def test_pings_are_never_too_close(dialect: AriesDialect) -> None:
    talked = talk("charts", dialect, 100, frozenset())
    assert len(talked.of(Latency)) == 4
    assert not dialect.violations


NAMES = {
    "market": [
        "quote AAPL", "quote MSFT", "quote SPX", "trade AAPL", "trade NVDA", "book AAPL", "book NVDA", "quote ZZZZ",
        "book ZZZZ", f"greeks {OPTION}", f"quote {OPTION}",
    ],
    "charts": ["bar AAPL 1m", "bar AAPL 1h", "bar MSFT 5m", "bar SPX 1d", "bar ZZZZ 1m"],
    "accounts": ["news", "account"],
}  # fmt: skip


@pytest.mark.parametrize("channel", NAMES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sequence_of_wants_settles_without_a_violation(
    channel: str, market: SimulatedMarket, data: st.DataObject
) -> None:
    steps = data.draw(st.lists(st.frozensets(st.sampled_from(NAMES[channel])), min_size=1, max_size=6))
    dialect = AriesDialect(market)
    if data.draw(st.booleans()):
        dialect.behaviour.level2_key = None
    talked = Talk(channel, dialect=dialect).start()
    for names in steps:
        talked.want(want(*names))
        talked.run(0.2)
    assert not dialect.violations
    assert talked.over is None
    quiet = len(talked.sent)
    talked.want(talked.wants)
    assert len(talked.sent) == quiet, "the same wants again send nothing"
    assert subscribed(talked) == expected(talked, steps[-1])


def subscribed(talked: Talk) -> set[str]:
    """What the server has, out of the frames that it took."""
    conversation: Any = talked._conversation
    match talked.codec.channel:
        case "market":
            return set(conversation._streams)
        case "charts":
            return set(conversation._codes)
        case _:
            return set(conversation._topics)


def expected(talked: Talk, names: frozenset[str]) -> set[str]:
    if talked.codec.channel == "accounts":
        topics = {"news": {"news"}, "account": {"account", "pnl", "watchlistUpdates"}}
        return set().union(*(topics[name] for name in names))
    wanted = {each.symbol for each in want(*names) if each.symbol != "ZZZZ"}
    refused = {notice.subscription for notice in talked.of(Notice) if notice.refused}
    if talked.dialect.behaviour.level2_key is None:
        wanted = {each.symbol for each in want(*names) if each.symbol != "ZZZZ" and each not in refused}
    return {talked.codec.code(symbol) or "" for symbol in wanted if symbol is not None}


@pytest.mark.violates
def test_the_simulator_counts_what_a_client_should_know_better(dialect: AriesDialect) -> None:
    def frames(channel: str, *messages: Any) -> Counter[str]:
        dialect.violations.clear()
        conversation = dialect.conversation(channel)
        auth = {"type": "request", "payload": {"method": "POST", "path": "/auth", "body": {"token": "demo-aries"}}}
        for message in messages:
            list(conversation.received(json.dumps(auth if message == "auth" else message), 1))
        return dialect.violations

    ping = {"type": "ping"}
    many = [{"symbol": "AAPL"}] * 101
    nested = {"type": "request", "payload": {"method": "POST", "path": "/auth", "body": {"data": {"token": "x"}}}}
    topics = [{"topic": "news"}, {"topic": "watchlist"}]
    assert frames("market", ping) == {"frame before authSuccess": 1}
    assert frames("market", {"type": "subscribe", "payload": []}) == {"frame before authSuccess": 1}
    assert frames("market", nested) == {"token is required": 1}
    assert frames("market", "auth", ping, ping) == {"ping too soon": 1}
    assert frames("market", "auth", {"type": "subscribe", "payload": many}) == {"more than 100 symbols a frame": 1}
    assert frames("accounts", "auth", {"type": "subscribe", "payload": topics}) == {"several topics in a frame": 1}
    assert frames("charts", "auth", {"type": "dance"}, [1]) == {"unknown frame": 1, "broken frame": 1}


def test_the_market_status_follows_the_session(dialect: AriesDialect) -> None:
    talked = talk("market", dialect, 1, frozenset())
    assert [status.session for status in talked.of(MarketStatus)] == [Session.REGULAR]


def test_greeks_are_plausible(dialect: AriesDialect) -> None:
    greeks = talk("market", dialect, 3).of(Greeks)[-1]
    assert Decimal(0) < greeks.delta < Decimal(1)
    assert greeks.gamma > 0 > greeks.theta
    assert Decimal("0.05") < greeks.implied_volatility < Decimal(2)
