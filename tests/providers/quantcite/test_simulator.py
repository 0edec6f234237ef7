"""The codec against the dialect, in process: plain calls, frames in flight, and a clock that moves when told."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.providers.contract import drained
from tui.clock import NS
from tui.market.events import BookSnapshot, Notice, Quote
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.market.terms import Severity
from tui.providers.base import (
    Close,
    Count,
    Latency,
    LoggedIn,
    LoginRefused,
    Pause,
    Send,
    Signal,
    SymbolTable,
    Then,
)
from tui.providers.quantcite import QuantCiteSettings
from tui.providers.quantcite.codec import BookCodec
from tui.providers.quantcite.rest import Account, Health
from tui.providers.quantcite.simulator import GIB, KEY, BookConversation, QuantCiteDialect
from tui.providers.quantcite.symbols import PairIndex
from tui.simulator.dialect import Hangup, Request
from tui.simulator.market import SimulatedMarket

START_NS = 1_767_623_871 * NS
STEP_NS = NS // 10
VENUES = ("binance", "okx", "kraken")
SYMBOLS = tuple(Symbol(f"{base}/USDT") for base in ("BTC", "ETH", "SOL", "ADA"))
BTC, ETH, SOL, ADA = SYMBOLS
DOT = Symbol("DOT/USDT")
T = TypeVar("T")


@pytest.fixture
def dialect() -> QuantCiteDialect:
    return QuantCiteDialect(SimulatedMarket(start_ns=START_NS))


class Session:
    """A codec and a conversation with a wire between them; each frame takes a step to arrive."""

    def __init__(self, dialect: QuantCiteDialect, key: str = KEY, exchanges: tuple[str, ...] | None = VENUES) -> None:
        self.dialect = dialect
        self.index = PairIndex()
        self.codec = BookCodec(SecretStr(key), SymbolTable(), self.index, exchanges=exchanges)
        self.server = dialect.conversation("book")
        self.now_ns = dialect.market.now_ns
        self.up: deque[Send] = deque()
        self.down: deque[str] = deque()
        self.said: list[Signal] = []
        self.pause_until_ns = 0
        self.hangup: Hangup | None = None
        self.market_moves = True
        self._answer(self.server.opened(self.now_ns))
        self._keep(self.codec.opened(self.now_ns))

    def want(self, want: Wants) -> None:
        self._keep(self.codec.wanted(want, self.now_ns))

    def run(self, seconds: float) -> list[Signal]:
        """Let time pass; returns what the codec said meanwhile."""
        before = len(self.said)
        for _ in range(round(seconds * 10)):
            self.now_ns += STEP_NS
            for send in [send for send in self.up if send.purpose == "ping" or self.now_ns >= self.pause_until_ns]:
                self.up.remove(send)
                self._answer(self.server.received(send.frame, self.now_ns))
            changes = self.dialect.market.advance(self.now_ns) if self.market_moves else ()
            self._answer(self.server.changed(changes, self.now_ns))
            while self.down:
                self._keep(self.codec.received(self.down.popleft(), self.now_ns))
            if self.now_ns % NS == 0:
                self._keep(self.codec.ticked(self.now_ns))
        return self.said[before:]

    @property
    def streams(self) -> frozenset[str]:
        """What the server believes is subscribed."""
        assert isinstance(self.server, BookConversation)
        return frozenset(self.server.streams)

    def _keep(self, output: Iterable[Signal]) -> None:
        for signal in drained(output):
            self.said.append(signal)
            if isinstance(signal, Send):
                self.up.append(signal)
            elif isinstance(signal, Pause):
                self.pause_until_ns = self.now_ns + int(signal.seconds * NS)

    def _answer(self, replies: Iterable[str | Hangup]) -> None:
        for reply in replies:
            if isinstance(reply, Hangup):
                self.hangup = reply
            else:
                self.down.append(reply)


def book(*symbols: Symbol) -> Wants:
    return frozenset(Subscription(Kind.BOOK, symbol) for symbol in symbols)


def of(signals: Iterable[Signal], kind: type[T]) -> list[T]:
    return [signal for signal in signals if isinstance(signal, kind)]


def sent(signals: Iterable[Signal], kind: str) -> list[dict[str, Any]]:
    return [frame for send in of(signals, Send) if (frame := json.loads(send.frame))["type"] == kind]


def ask(dialect: QuantCiteDialect, path: str) -> Any:
    return dialect.rest(Request("GET", path, {}, {})).body


def test_a_login_brings_pairs_exchanges_books_and_quotes(dialect: QuantCiteDialect) -> None:
    session = Session(dialect)
    session.run(0.2)
    session.want(book(BTC, ETH) | {Subscription(Kind.QUOTE, BTC)})
    out = session.run(3)
    assert of(session.said, LoggedIn) == [LoggedIn("developer plan")]
    assert session.index.search("btc", 1) == ["BTC/USDT"]
    assert set(VENUES) <= session.index.supported
    books = of(out, BookSnapshot)
    assert {each.symbol for each in books} == {BTC, ETH}
    assert 10 <= sum(each.symbol == BTC for each in books) <= 15, "a busy symbol updates five times a second"
    assert all(40 <= len(each.bids) <= 80 and each.venues for each in books)
    assert {name for each in books for level in each.bids for name in level[2]} == set(VENUES)
    assert of(out, Quote)
    assert not of(out, Count)
    assert not dialect.violations


def test_a_book_is_that_of_the_market(dialect: QuantCiteDialect) -> None:
    session = Session(dialect)
    session.run(0.2)
    session.want(book(SOL) | {Subscription(Kind.QUOTE, SOL)})
    for _ in range(50):
        out = session.run(0.1)
        if of(out, BookSnapshot):
            bids, asks = dialect.market.aggregated(SOL, VENUES, 80)
            (snapshot,), (quote,) = of(out, BookSnapshot), of(out, Quote)
            assert snapshot.bids == tuple(bids)
            assert snapshot.asks == tuple(asks)
            assert (quote.bid, quote.bid_size, quote.ask) == (bids[0][0], bids[0][1], asks[0][0])
            return
    raise AssertionError("no book in five seconds")


def test_a_quiet_symbol_updates_slowly_and_its_first_book_comes_at_once(dialect: QuantCiteDialect) -> None:
    session = Session(dialect)
    session.run(0.2)
    session.want(book(DOT))
    assert 2 <= len(of(session.run(11), BookSnapshot)) <= 3


def test_a_wrong_key_is_refused(dialect: QuantCiteDialect) -> None:
    session = Session(dialect, key="qc_wrong_key")
    assert of(session.run(0.5), LoginRefused)
    assert session.hangup is not None


@pytest.mark.fault("M27")
def test_an_unknown_symbol_is_refused_with_suggestions_and_the_rest_goes_on(dialect: QuantCiteDialect) -> None:
    session = Session(dialect)
    session.run(0.2)
    session.want(book(BTC, Symbol("BTCC/USDT")))
    out = session.run(2)
    (notice,) = of(out, Notice)
    assert notice.refused
    assert "BTC/USDT" in notice.suggestions
    assert of(out, BookSnapshot)


def test_an_unknown_exchange_is_left_out_and_the_symbol_comes_after_all(dialect: QuantCiteDialect) -> None:
    session = Session(dialect, exchanges=("okx", "bitstmap", "bitstamp"))
    session.want(book(BTC))  # before the list of exchanges can warn
    out = session.run(13)
    assert any("bitstmap" in notice.text for notice in of(out, Notice))
    snapshot = of(out, BookSnapshot)[-1]
    assert (snapshot.venues, snapshot.missing_venues) == (("okx",), ("bitstmap", "bitstamp"))
    assert not dialect.violations


def test_pings_are_answered_and_never_too_many(dialect: QuantCiteDialect) -> None:
    session = Session(dialect)
    session.want(book(DOT))
    out = session.run(95)
    assert [0 <= latency.seconds < 1 for latency in of(out, Latency)] == [True] * 3
    assert not dialect.violations


@pytest.mark.fault("Q8", "M28")
@pytest.mark.violates("rate limit")
def test_too_many_requests_are_paused_and_the_wants_restored(dialect: QuantCiteDialect) -> None:
    dialect.requests_per_minute = 5
    session = Session(dialect)
    session.run(0.2)
    session.want(book(*SYMBOLS))
    out = session.run(3)
    assert of(out, Pause)
    assert dialect.violations == {"rate limit": 2}
    quiet = session.run(50)
    assert not of(quiet, Send)
    out = session.run(30)
    assert {each.symbol for each in of(out, BookSnapshot)} == set(SYMBOLS)
    assert dialect.violations == {"rate limit": 2}


@pytest.mark.fault("Q9")
def test_data_is_counted_warned_about_and_ended(dialect: QuantCiteDialect) -> None:
    session = Session(dialect)
    session.run(0.2)
    before = dialect.bytes_used
    session.want(book(BTC))
    session.run(2)
    assert dialect.bytes_used - before > 10_000
    for percent, severity in ((81, Severity.WARNING), (101, Severity.ERROR)):
        dialect.bytes_used = dialect.bytes_limit * percent // 100
        assert [notice.severity for notice in of(session.run(2), Notice)] == [severity]
    dialect.bytes_used = dialect.bytes_limit * 106 // 100
    (close,) = of(session.run(1), Close)
    assert close.then is Then.FAIL
    assert session.hangup is not None


def test_http_answers_are_read_as_the_reference_says(dialect: QuantCiteDialect) -> None:
    assert Health.model_validate(ask(dialect, "/api/v1/health")).is_healthy
    dialect.bytes_used = 25 * GIB
    account = Account.model_validate(ask(dialect, f"/api/v1/data-usage/{KEY}"))
    assert account.refusal() == ""
    assert account.sentence(START_NS) == "developer plan, 25 of 50 GB used (50.0 %), resets on 2026-01-15"
    assert dialect.rest(Request("GET", "/api/v1/data-usage/other", {}, {})).status == 404
    assert dialect.rest(Request("GET", "/api/v1/nothing", {}, {})).status == 404
    assert dialect.rest(Request("POST", "/api/v1/health", {}, {})).status == 405


def test_its_settings_point_at_its_paths() -> None:
    found = QuantCiteSettings.model_validate(QuantCiteDialect.settings("ws://127.0.0.1:1", "http://127.0.0.1:2"))
    assert found.url.removeprefix("ws://127.0.0.1:1") in QuantCiteDialect.paths
    assert found.http_url == f"http://127.0.0.1:2{QuantCiteDialect.rest_prefix}"


def talk(dialect: QuantCiteDialect, *frames: str, login: bool = True, step_s: float = 0.0) -> list[dict[str, Any]]:
    server = dialect.conversation("book")
    now_ns, replies = START_NS, list(server.opened(START_NS))
    opening = [json.dumps({"type": "authenticate", "api_key": KEY})] if login else []
    for frame in (*opening, *frames):
        now_ns += int(step_s * NS)
        replies += server.received(frame, now_ns)
    return [json.loads(reply) for reply in replies if isinstance(reply, str)]


@pytest.mark.parametrize(
    ("frames", "violation"),
    [
        (['{"type": "ping"}', '{"type": "ping"}'], "ping too soon"),
        (['{"type": "authenticate", "api_key": "demo-quantcite"}'], "second authenticate"),
        (['{"type": "subscribe_aggregated", "symbol": "BTC/USDT", "exchanges": []}'], "empty exchanges"),
        (['{"type": "subscribe_aggregated", "symbol": "BTC/USDT"}'], "empty exchanges"),
        (['{"type": "subscribe_aggregated", "symbol": "BTC/USDT", "exchanges": "all"}'] * 2, "double subscribe"),
        (['{"action": "get_exchanges"}'], "not a message"),
        (["[" * 100_000], "not a message"),
        (['{"type": "place_order"}'], "unknown request"),
    ],
)
@pytest.mark.violates
def test_what_a_client_must_not_do_is_counted(dialect: QuantCiteDialect, frames: list[str], violation: str) -> None:
    talk(dialect, *frames)
    assert dialect.violations == {violation: 1}


@pytest.mark.violates("request before login")
def test_a_request_before_the_login_is_counted(dialect: QuantCiteDialect) -> None:
    greeting, answer = talk(dialect, '{"type": "get_pairs"}', login=False)
    assert "available_commands" in greeting
    assert answer["error"] == "authentication_required"
    assert dialect.violations == {"request before login": 1}


def test_pings_every_20_seconds_are_fine(dialect: QuantCiteDialect) -> None:
    talk(dialect, *['{"type": "ping"}'] * 3, step_s=20)
    assert not dialect.violations


@pytest.mark.parametrize(
    ("request_fields", "answer"),
    [
        ({"type": "get_aggregated_orderbook", "symbol": "BTC/USDT"}, "no_subscription"),
        ({"type": "get_aggregated_orderbook", "symbol": ["BTC/USDT"]}, "invalid_symbol"),
        ({"type": "get_pairs", "exchange": "nowhere"}, "invalid_exchange"),
        ({"type": "get_pairs", "exchange": {"a": 1}}, "invalid_exchange"),
        ({"type": "subscribe_aggregated", "symbol": 5, "exchanges": "all"}, "invalid_symbol"),
        ({"type": "subscribe_aggregated", "symbol": "BTC/USDT", "exchanges": [["okx"]]}, "exchange_unavailable"),
    ],
)
def test_odd_requests_are_answered_with_errors(
    dialect: QuantCiteDialect, request_fields: dict[str, Any], answer: str
) -> None:
    assert talk(dialect, json.dumps(request_fields))[-1]["error"] == answer


def test_a_subscription_without_a_common_exchange_is_refused(dialect: QuantCiteDialect) -> None:
    frame = json.dumps({"type": "subscribe_aggregated", "symbol": "BTC/USDT", "exchanges": ["gemini"]})
    assert talk(dialect, frame)[-1]["success"] is False


def test_the_sums_beside_a_book_agree_with_its_levels(dialect: QuantCiteDialect) -> None:
    subscribe = json.dumps({"type": "subscribe_aggregated", "symbol": "BTC/USDT", "exchanges": "all"})
    data = talk(dialect, subscribe, '{"type": "get_aggregated_orderbook", "symbol": "BTC/USDT"}')[-1]["data"]
    stats, bids, asks = data["market_stats"], data["bids"], data["asks"]
    assert (stats["best_bid"], stats["best_ask"]) == (bids[0]["price"], asks[0]["price"])
    assert stats["total_bid_volume"] == pytest.approx(sum(level["amount"] for level in bids))
    assert stats["spread"] == pytest.approx(asks[0]["price"] - bids[0]["price"])
    assert Decimal(str(stats["spread_percent"])) == pytest.approx(
        Decimal(str(stats["spread"] / stats["mid_price"] * 100)), abs=Decimal("0.0001")
    )
    for level in bids + asks:
        assert level["exchange_count"] == len(level["exchanges"])
        assert level["value"] == pytest.approx(level["price"] * level["amount"], abs=0.001)


MARKET = SimulatedMarket(start_ns=START_NS)
STEPS = st.lists(
    st.tuples(st.frozensets(st.sampled_from(SYMBOLS)), st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0])), max_size=12
)


def follow(session: Session, steps: list[tuple[frozenset[Symbol], float]]) -> frozenset[Symbol]:
    session.run(0.2)
    last: frozenset[Symbol] = frozenset()
    for last, seconds in steps:
        session.want(book(*last))
        session.run(seconds)
    return last


@pytest.mark.fault("Q12")
@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_any_sequence_of_wants_settles_on_the_last_one(steps: list[tuple[frozenset[Symbol], float]]) -> None:
    dialect = QuantCiteDialect(MARKET)
    session = Session(dialect)
    last = follow(session, steps)
    session.run(1)
    late = session.run(2)
    assert {each.symbol for each in of(late, BookSnapshot)} == last
    assert not of(late, Send)
    assert not of(late, Count)
    assert not of(session.said, Close)
    assert not dialect.violations


@pytest.mark.fault("Q8")
@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(min_value=3, max_value=8))
@pytest.mark.violates("rate limit")
def test_wants_settle_through_rate_limits_too(steps: list[tuple[frozenset[Symbol], float]], allowed: int) -> None:
    dialect = QuantCiteDialect(MARKET)
    dialect.requests_per_minute = allowed
    session = Session(dialect)
    session.market_moves = False
    last = follow(session, steps)
    session.run(400)
    assert session.streams == last
    assert set(dialect.violations) <= {"rate limit"}
