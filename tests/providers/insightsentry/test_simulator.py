"""Client and simulated server against each other, in process and on a clock that the tests move."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.providers.contract import drained
from tests.providers.insightsentry.stand_ins import bar, of, quote
from tui.clock import NS
from tui.market.events import Bar, NewsItem, Notice, Quote, Trade
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.providers.base import Close, Codec, Count, Credential, LoggedIn, LoginRefused, Send, Signal, Then
from tui.providers.insightsentry.live import LiveCodec
from tui.providers.insightsentry.newsfeed import NewsfeedCodec, SeenNews
from tui.providers.insightsentry.simulator import InsightSentryDialect, LiveConversation
from tui.providers.insightsentry.symbols import to_code, to_symbol
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.wire import SeriesOptions
from tui.simulator.dialect import Conversation, Request
from tui.simulator.market import SimulatedMarket

KEY = InsightSentryDialect.credentials["api_key"]
RAPIDAPI = InsightSentryDialect.credentials["rapidapi_key"]
LISTS_A_MINUTE = 20


class Session:
    """A connection loop without sockets: what is wanted, a send budget, reconnects, refusals taken out of the wants."""

    def __init__(self, dialect: InsightSentryDialect, channel: str, make: Callable[[], Codec]) -> None:
        self.dialect = dialect
        self.channel = channel
        self.make = make
        self.now_ns = dialect.market.now_ns
        self.want: frozenset[Subscription] = frozenset()
        self.refused: set[Subscription] = set()
        self.signals: list[Signal] = []
        self.connects = 0
        self.closes: list[Close] = []
        self.codec: Codec | None = None
        self.talk: Conversation | None = None
        self._asked: frozenset[Subscription] | None = None
        self._not_before_ns = 0
        self._queue: deque[Send] = deque()
        self._sent_ns: deque[int] = deque()

    @property
    def effective(self) -> frozenset[Subscription]:
        return self.want - self.refused

    def run(self, seconds: float, *, moves: bool = True) -> list[Signal]:
        """Let time pass in steps of 100 ms; returns what the codec said meanwhile."""
        before = len(self.signals)
        for _ in range(round(seconds * 10)):
            self.now_ns += NS // 10
            self._connect_if_due()
            if self.codec is None or self.talk is None:
                continue
            changes = self.dialect.market.advance(self.now_ns) if moves else []
            self._take(self.talk.changed(changes, self.now_ns))
            if self.codec is not None and self.now_ns // NS != (self.now_ns - NS // 10) // NS:
                self._apply(self.codec.ticked(self.now_ns))
            self._flush()
        return self.signals[before:]

    def _connect_if_due(self) -> None:
        if self.codec is None and self.effective and self.now_ns >= self._not_before_ns:
            self.connects += 1
            self.codec, self.talk = self.make(), self.dialect.conversation(self.channel)
            self._asked = None
            self._take(self.talk.opened(self.now_ns))
            self._apply(self.codec.opened(self.now_ns))
            self._flush()

    def _flush(self) -> None:
        while self.codec is not None:
            while self._sent_ns and self.now_ns - self._sent_ns[0] >= 60 * NS:
                self._sent_ns.popleft()
            has_budget = len(self._sent_ns) < LISTS_A_MINUTE
            if has_budget and not self._queue and self._asked != self.effective:
                self._asked = self.effective
                self._apply(self.codec.wanted(self._asked, self.now_ns))
            if not has_budget or not self._queue:
                return
            self._sent_ns.append(self.now_ns)
            self._send(self._queue.popleft())

    def _apply(self, output: Iterable[Signal]) -> None:
        for signal in drained(output):
            self.signals.append(signal)
            match signal:
                case Send(purpose="subscribe"):
                    self._queue.append(signal)
                case Send():
                    self._send(signal)
                case Close() | LoginRefused():
                    self._end(signal)
                case Notice(refused=True) if signal.subscription is not None:
                    self.refused.add(signal.subscription)

    def _send(self, send: Send) -> None:
        if self.talk is not None:
            self._take(self.talk.received(send.frame, self.now_ns))

    def _take(self, replies: Iterable[Any]) -> None:
        for reply in replies:
            if self.codec is not None:
                self._apply(self.codec.received(reply, self.now_ns))

    def _end(self, signal: Close | LoginRefused) -> None:
        self.codec = None
        self._queue.clear()
        if isinstance(signal, Close):
            self.closes.append(signal)
            wait_s = 300.0 if signal.then is Then.FAIL else max(signal.delay_s, 0.1)  # the user tries again later
            self._not_before_ns = self.now_ns + int(wait_s * NS)
        else:
            self._not_before_ns = 2**63


@pytest.fixture
def dialect() -> InsightSentryDialect:
    return InsightSentryDialect(SimulatedMarket(seed=3))


def live(dialect: InsightSentryDialect, key: str = KEY, options: SeriesOptions | None = None) -> Session:
    trials = Trials()
    credential = Credential(SecretStr(key))
    return Session(dialect, "live", lambda: LiveCodec(credential, to_code, trials, options or SeriesOptions()))


def newsfeed(dialect: InsightSentryDialect, seen: SeenNews | None = None) -> Session:
    remembered = seen or SeenNews()
    return Session(dialect, "newsfeed", lambda: NewsfeedCodec(Credential(SecretStr(KEY)), to_symbol, remembered))


def bad_counts(signals: list[Signal]) -> list[Count]:
    return [each for each in of(Count, signals) if each.what != "late"]


def server_list(session: Session) -> set[str]:
    assert isinstance(session.talk, LiveConversation)
    return {f"{each['code']} {each['type']}" for each in session.talk.listed}


def test_quotes_and_bars_arrive_as_the_market_has_them(dialect: InsightSentryDialect) -> None:
    session = live(dialect)
    session.want = frozenset({quote("AAPL"), quote("SPX"), bar("BTC/USDT"), bar("BTC/USDT", Interval.S1)})
    made = session.run(30)
    assert len(of(LoggedIn, made)) == 1
    assert not bad_counts(made)
    assert not dialect.violations

    merged: dict[str, Any] = {}
    for patch in of(Quote, made):
        if patch.symbol == "AAPL":
            merged.update({name: getattr(patch, name) for name in patch.model_fields_set})
    now = dialect.market.quote("AAPL")
    session.run(1, moves=False)
    for patch in of(Quote, session.signals):
        if patch.symbol == "AAPL":
            merged.update({name: getattr(patch, name) for name in patch.model_fields_set})
    assert (merged["bid"], merged["ask"], merged["last"]) == (now.bid, now.ask, now.last)
    assert (merged["change"], merged["prev_close"]) == (now.change, now.prev_close)
    assert {each.symbol for each in of(Quote, made)} == {"AAPL", "SPX"}

    bars = {each.start_ns: each for each in of(Bar, session.signals) if each.interval is Interval.M1}
    assert len(bars) >= 16
    truth = {each.start_ns: each for each in dialect.market.recent_bars("BTC/USDT", 60, 16)}
    assert {start: bars[start].close for start in truth} == {start: each.close for start, each in truth.items()}
    assert [each.closed for _, each in sorted(bars.items())] == [True] * (len(bars) - 1) + [False]


def test_closed_second_bars_are_what_the_market_says_they_were(dialect: InsightSentryDialect) -> None:
    session = live(dialect)
    session.want = frozenset({bar("BTC/USDT", Interval.S1)})
    session.run(20)
    closed = {each.start_ns: each for each in of(Bar, session.signals) if each.closed}
    truth = {each.start_ns: each for each in dialect.market.recent_bars("BTC/USDT", 1, 15)[:-2]}
    assert len(truth) > 5
    for start_ns, each in truth.items():
        mine = closed[start_ns]
        assert (mine.open, mine.high, mine.low, mine.close, mine.volume) == (
            each.open,
            each.high,
            each.low,
            each.close,
            each.volume,
        )


def test_newer_history_fields_bring_more_bars_and_the_running_one(dialect: InsightSentryDialect) -> None:
    session = live(dialect, options=SeriesOptions(history="max_dp", bars=100))
    session.want = frozenset({bar("AAPL")})
    session.run(0.3)
    assert len({each.start_ns for each in of(Bar, session.signals)}) == 100


def test_flat_sparse_and_wrapped_quotes_all_occur(dialect: InsightSentryDialect) -> None:
    talk = dialect.conversation("live")
    frames = [json.loads(str(each)) for each in talk.received(_list("BINANCE:BTCUSDT"), 0)]
    start_ns = dialect.market.now_ns
    for step in range(1, 200):
        now_ns = start_ns + step * NS // 10
        frames += [json.loads(str(each)) for each in talk.changed(dialect.market.advance(now_ns), now_ns)]
    flat = [each for each in frames if "code" in each]
    assert any("data" in each for each in frames)
    assert len({frozenset(each) for each in flat}) > 1, "patches hold what changed"
    assert any("server_time" in each for each in frames)


def test_ticks_become_trades(dialect: InsightSentryDialect) -> None:
    session = live(dialect)
    session.want = frozenset({Subscription(Kind.TRADE, Symbol("BTC/USDT"))})
    made = of(Trade, session.run(5))
    truth = dialect.market.trades("BTC/USDT")
    assert [(each.price, each.size) for each in made] == [(each.price, each.size) for each in truth][-len(made) :]
    assert made


@pytest.mark.fault("I6")
def test_replacement_add_remove_and_the_last_removal(dialect: InsightSentryDialect) -> None:
    session = live(dialect)
    session.want = frozenset({quote("AAPL")})
    session.run(1)
    session.want = frozenset({quote("AAPL"), quote("MSFT")})
    session.run(1)
    assert server_list(session) == {"NASDAQ:AAPL quote", "NASDAQ:MSFT quote"}
    session.want = frozenset()
    session.run(1)
    assert [each.then for each in session.closes] == [Then.IDLE]
    session.want = frozenset({quote("MSFT")})
    session.run(1)
    assert session.connects == 2
    assert server_list(session) == {"NASDAQ:MSFT quote"}
    assert not dialect.violations


@pytest.mark.fault("M27")
def test_an_unknown_symbol_is_found_and_the_others_go_on(dialect: InsightSentryDialect) -> None:
    session = live(dialect)
    session.want = frozenset({quote("AAPL"), quote("NOSUCH"), quote("MSFT"), bar("MSFT")})
    session.run(40, moves=False)
    assert session.refused == {quote("NOSUCH")}
    assert server_list(session) == {"NASDAQ:AAPL quote", "NASDAQ:MSFT quote", "NASDAQ:MSFT series"}
    assert session.connects <= 4
    assert not dialect.violations


@pytest.mark.fault("I7", "I8", "M28")
def test_forty_changes_in_ten_seconds_never_trip_the_limiter(dialect: InsightSentryDialect) -> None:
    session = live(dialect)
    symbols = [each for each, kind in dialect.market.instruments.items() if kind.kind == "stock"][:20]
    for number in range(40):
        session.want = frozenset(quote(each) for each in symbols[: 1 + number % 20])
        session.run(0.25, moves=False)
    session.run(120, moves=False)
    assert server_list(session) == {f"{to_code(Symbol(each))} quote" for each in symbols}
    assert not dialect.violations


def test_a_wrong_key_is_refused_on_both_sockets(dialect: InsightSentryDialect) -> None:
    session = live(dialect, key="wrong")
    session.want = frozenset({quote("AAPL")})
    assert of(LoginRefused, session.run(1))
    assert not of(LoggedIn, session.signals)
    talk = dialect.conversation("newsfeed")
    assert talk.received('{"api_key": "wrong"}', 0) == ['{"message": "Invalid API key"}']


def test_news_brings_ten_items_then_new_ones_and_repeats_nothing(dialect: InsightSentryDialect) -> None:
    seen = SeenNews()
    titles: list[str] = []
    for _ in range(3):  # each login packs the first items in another way
        session = newsfeed(dialect, seen)
        session.want = frozenset({Subscription(Kind.NEWS)})
        titles += [each.title for each in of(NewsItem, session.run(60))]
        assert not bad_counts(session.signals)
    known = [each.title for each in dialect.market.news(len(titles))]
    assert len(titles) > 10
    assert titles == known
    assert not dialect.violations


def test_an_idle_hour_of_news_survives_on_pings(dialect: InsightSentryDialect) -> None:
    session = newsfeed(dialect)
    session.want = frozenset({Subscription(Kind.NEWS)})
    session.run(600, moves=False)
    assert session.connects == 1
    assert not dialect.violations


WANTED = [
    *map(quote, ("AAPL", "MSFT", "SPX", "BTC/USDT", "BAD")),
    *map(bar, ("AAPL", "BTC/USDT", "WORSE")),
    bar("AAPL", Interval.D1),
]
MARKET = SimulatedMarket(seed=5)


@pytest.mark.fault("I8")
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.frozensets(st.sampled_from(WANTED)), st.sampled_from([0.2, 1.0, 6.0, 20.0])), max_size=10),
    st.frozensets(st.sampled_from(WANTED), min_size=1),
)
def test_any_sequence_of_wants_settles_without_a_violation(
    steps: list[tuple[frozenset[Subscription], float]], last: frozenset[Subscription]
) -> None:
    dialect = InsightSentryDialect(MARKET)
    session = live(dialect)
    for want, seconds in steps:
        session.want = want
        session.run(seconds, moves=False)
    session.want = last
    session.run(420, moves=False)
    good = {each for each in last if each.symbol not in ("BAD", "WORSE")}
    assert last & session.refused == last - good
    assert not session.refused & good
    if good:
        assert server_list(session) == {
            f"{to_code(each.symbol or Symbol(''))} {'quote' if each.kind is Kind.QUOTE else 'series'}" for each in good
        }
    else:
        assert session.codec is None
    assert not dialect.violations


def _list(*codes: str, **fields: Any) -> str:
    wanted = [{"code": code, "type": "quote", **fields} for code in codes]
    return json.dumps({"api_key": KEY, "subscriptions": wanted})


@pytest.mark.parametrize(
    ("frames", "violation"),
    [
        (['{"api_key": "demo-insightsentry", "subscriptions": []}'], "empty list"),
        (['{"api_key": "demo-insightsentry"}'], "wrong first message"),
        (["{}"], "wrong first message"),
        (["ping", "ping"], "ping too soon"),
        ([_list("NASDAQ:AAPL"), _list("NASDAQ:AAPL")], "unchanged list resent"),
        ([_list("NASDAQ:AAPL", interval_type="minute")], "old field names"),
        ([_list("NASDAQ:AAPL", foo=1)], "unknown field"),
        ([_list("NASDAQ:AAPL", "NASDAQ:AAPL")], "duplicate subscription"),
        ([_list("NASDAQ:AAPL", type="series", bar_type="minute", bar_interval=0)], "wrong bar"),
        ([_list(each) for each in ["NASDAQ:AAPL", "NASDAQ:MSFT"] * 16], "too many lists a minute"),
    ],
)
@pytest.mark.violates
def test_the_server_counts_what_the_protocol_forbids(
    dialect: InsightSentryDialect, frames: list[str], violation: str
) -> None:
    talk = dialect.conversation("live")
    for number, frame in enumerate(frames):
        list(talk.received(frame, number * NS))
    assert dialect.violations[violation] >= 1


@pytest.mark.fault("I8")
@pytest.mark.violates("too many lists a minute")
def test_a_client_over_the_limit_is_ignored_for_a_minute_without_a_word(dialect: InsightSentryDialect) -> None:
    talk = dialect.conversation("live")
    for number in range(30):
        list(talk.received(_list("NASDAQ:AAPL" if number % 2 else "NASDAQ:MSFT"), number))
    assert list(talk.received(_list("NASDAQ:NVDA"), 100)) == []
    assert isinstance(talk, LiveConversation)
    assert talk.listed[0]["code"] == "NASDAQ:AAPL"
    list(talk.received(_list("NASDAQ:NVDA"), 61 * NS))
    assert talk.listed[0]["code"] == "NASDAQ:NVDA"


def test_a_bad_symbol_stops_the_whole_request(dialect: InsightSentryDialect) -> None:
    talk = dialect.conversation("live")
    list(talk.received(_list("NASDAQ:AAPL"), 0))
    assert list(talk.received(_list("NASDAQ:MSFT", "NASDAQ:NOSUCH"), NS)) == ['{"message": "Invalid Symbol Code"}']
    assert isinstance(talk, LiveConversation)
    assert [each["code"] for each in talk.listed] == ["NASDAQ:AAPL"]


def _get(dialect: InsightSentryDialect, path: str, **query: str) -> Any:
    headers = {"authorization": f"Bearer {KEY}"}
    return dialect.rest(Request("GET", path, query, headers))


def test_a_rotation_really_ends_the_key_before(dialect: InsightSentryDialect) -> None:
    headers = {"x-rapidapi-key": RAPIDAPI, "x-rapidapi-host": "127.0.0.1"}
    first, second = (dialect.rest(Request("GET", "/v2/websocket-key", {}, headers)).body for _ in range(2))
    assert not dialect.accepts(first["api_key"])
    assert dialect.accepts(second["api_key"])
    assert dialect.rest(Request("GET", "/v2/websocket-key", {}, {"x-rapidapi-key": "no"})).status == 401


def test_rest_answers_search_quotes_series_and_news(dialect: InsightSentryDialect) -> None:
    assert _get(dialect, "/v3/symbols/search", query="apple").body["symbols"][0]["code"] == "NASDAQ:AAPL"
    rows = _get(dialect, "/v3/symbols/quotes", codes="NASDAQ:AAPL,BINANCE:BTCUSDT").body["data"]
    assert [each["code"] for each in rows] == ["NASDAQ:AAPL", "BINANCE:BTCUSDT"]
    series = _get(dialect, "/v3/symbols/NASDAQ%3AAAPL/series", bar_type="minute", bar_interval="5", dp="7").body
    assert series["bar_type"] == "5m"
    assert all(first["time"] < second["time"] for first, second in pairwise(series["series"]))
    assert _get(dialect, "/v3/symbols/NASDAQ:AAPL/series", bar_type="minute", bar_interval="7").body["bar_type"] == "1m"
    assert len(_get(dialect, "/v3/newsfeed", limit="3").body["data"]) == 3
    assert _get(dialect, "/v3/symbols/NASDAQ:NOSUCH/series").status == 404
    assert _get(dialect, "/v3/nothing").status == 404
    assert dialect.rest(Request("GET", "/v3/newsfeed", {}, {})).status == 401
