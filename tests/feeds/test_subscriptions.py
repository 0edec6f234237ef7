"""Who wants what, and which feed serves it: a manager with feeds that only remember, and a clock that is moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from tests.feeds.plain import QUICK, bar, quote
from tui.clock import ManualClock
from tui.feeds.subscriptions import RETURN_S, TAKEOVER_S, SubscriptionManager
from tui.market.events import MarketStatus, NewsItem, Notice, Quote
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Session
from tui.providers.base import Channel, Limits

AAPL, NVDA = quote("AAPL"), quote("NVDA")
NEWS = Subscription(Kind.NEWS)


class RememberingFeed:
    """A feed without a socket: it is told its state."""

    def __init__(self, name: str, clock: ManualClock, limits: Limits) -> None:
        self.name = name
        self.channel = Channel(name.partition(":")[2], frozenset(Kind), "", limits)
        self.state = FeedState.IDLE
        self.reason = ""
        self.live_since: float | None = None
        self.wants: Wants = frozenset()
        self.refused: set[Subscription] = set()
        self.asked: list[Wants] = []
        self._clock = clock

    def set_wants(self, wants: Wants) -> None:
        self.wants = wants
        self.asked.append(wants)

    def forgive(self, subscription: Subscription) -> None:
        self.refused.discard(subscription)

    def become(self, state: FeedState, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self.live_since = self._clock.monotonic() if state is FeedState.LIVE else None


class Market:
    """A manager over two feeds, `a:x` before `b:x`."""

    def __init__(self, limits: Limits = QUICK, names: Sequence[str] = ("a:x", "b:x")) -> None:
        self.clock = ManualClock()
        self.store = MarketStore(self.clock.now_ns)
        self.notices: list[Notice] = []
        self.switches: list[tuple[Subscription, str | None]] = []
        self.feeds = {name: RememberingFeed(name, self.clock, limits) for name in names}
        self.manager = SubscriptionManager(
            self.feeds,
            self.candidates,
            self.store,
            self.clock,
            switched=lambda subscription, feed: self.switches.append((subscription, feed)),
            notify=self.notices.append,
        )

    def candidates(self, subscription: Subscription) -> tuple[str, ...]:
        return () if subscription.symbol == "NOTHING" else tuple(self.feeds)

    def __getitem__(self, name: str) -> RememberingFeed:
        return self.feeds[f"{name}:x"]

    def after(self, seconds: float) -> None:
        """Let time pass in ticks of a quarter of a second."""
        for _ in range(max(1, round(seconds * 4))):
            self.clock.advance(min(0.25, seconds))
            self.manager.tick()

    def serving(self, subscription: Subscription = AAPL) -> str | None:
        return self.store.serving(subscription)

    def taken_over(self) -> None:
        """To where `b` serves because `a` is away."""
        self.manager.want("pane", frozenset({AAPL}))
        self["a"].become(FeedState.BACKING_OFF, "connection refused")
        self.after(TAKEOVER_S + 1)
        self["b"].become(FeedState.LIVE)
        self.after(1)
        assert self.serving() == "b:x"


def a_quote(symbol: str = "AAPL", source: str = "a") -> Quote:
    return Quote(source=source, ts_recv_ns=1, symbol=Symbol(symbol), last=Decimal(1))


def test_the_first_source_is_asked_and_serves_from_the_start() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL}))
    assert market["a"].wants == {AAPL}
    assert market["b"].asked == []
    assert market.serving() == "a:x"
    assert market.notices == []


def test_owners_add_up_and_one_owner_cannot_take_what_another_wants() -> None:
    market = Market()
    market.manager.want("quotes", frozenset({AAPL, NVDA}))
    market.manager.want("bars", frozenset({AAPL}))
    market.manager.want("quotes", frozenset())
    market.after(1)
    assert market["a"].wants == {AAPL}
    assert market.manager.wanted == {AAPL}


def test_a_burst_of_changes_settles_into_one_request() -> None:
    market = Market(replace(QUICK, settle_s=0.2))
    for size in range(1, 6):
        market.manager.want("pane", frozenset(quote(f"S{n}") for n in range(size)))
        market.clock.advance(0.02)
    assert market["a"].asked == []
    assert market.serving(quote("S4")) == "a:x", "marked at once, asked for later"
    market.after(0.25)
    assert [len(wants) for wants in market["a"].asked] == [5]


def test_what_nobody_wants_lingers_and_is_then_forgotten() -> None:
    market = Market(replace(QUICK, linger_s=10.0))
    market.manager.want("pane", frozenset({AAPL, NVDA}))
    market["a"].become(FeedState.LIVE)
    market.store.apply(a_quote())
    market.manager.want("pane", frozenset({NVDA}))
    market.after(9)
    assert market["a"].wants == {AAPL, NVDA}
    assert market.store.quote(Symbol("AAPL")) is not None
    market.after(2)
    assert market["a"].wants == {NVDA}
    assert market.store.quote(Symbol("AAPL")) is None
    assert (AAPL, None) in market.switches


def test_what_is_wanted_again_while_it_lingers_was_never_gone() -> None:
    market = Market(replace(QUICK, linger_s=10.0))
    market.manager.want("pane", frozenset({AAPL}))
    market.manager.want("pane", frozenset())
    market.after(9)
    market.manager.want("pane", frozenset({AAPL}))
    market.after(20)
    assert market["a"].asked == [{AAPL}]


def test_the_next_source_takes_over_when_the_first_is_away_for_ten_seconds() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL, NVDA}))
    market["a"].become(FeedState.BACKING_OFF, "connection refused")
    market.after(TAKEOVER_S - 1)
    assert market["b"].asked == []
    market.after(2)
    assert market["b"].wants == {AAPL, NVDA}
    assert market["a"].wants == {AAPL, NVDA}, "the first is still asked, so that it can return"
    assert market.serving() == "a:x", "the second does not work yet either"
    assert market.notices == []
    market["b"].become(FeedState.LIVE)
    market.after(0.25)
    assert market.serving() == "b:x"
    assert [notice.text for notice in market.notices] == ["b:x takes over 2 subscriptions from a:x: connection refused"]


def test_a_short_absence_moves_nothing() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL}))
    for _ in range(5):
        market["a"].become(FeedState.BACKING_OFF, "connection lost")
        market.after(TAKEOVER_S - 1)
        market["a"].become(FeedState.LIVE)
        market.after(1)
    assert market.serving() == "a:x"
    assert market["b"].asked == []


def test_a_failed_source_is_passed_over_at_once() -> None:
    market = Market()
    market["a"].become(FeedState.FAILED, "no key stored")
    market.manager.want("pane", frozenset({AAPL}))
    assert market.serving() == "b:x"
    assert market["b"].wants == {AAPL}


def test_the_first_source_returns_after_thirty_seconds_of_health() -> None:
    market = Market()
    market.taken_over()
    market["a"].become(FeedState.LIVE)
    market.after(RETURN_S - 1)
    assert market.serving() == "b:x"
    assert market["b"].wants == {AAPL}, "it serves, so it stays asked"
    market.after(2)
    assert market.serving() == "a:x"
    assert market["b"].wants == frozenset()
    assert market.notices[-1].text == "quote AAPL back at a:x"
    assert market.switches[-1] == (AAPL, "a:x")


def test_a_first_source_that_comes_and_goes_does_not_return() -> None:
    market = Market()
    market.taken_over()
    for _ in range(4):
        market["a"].become(FeedState.LIVE)
        market.after(RETURN_S - 5)
        market["a"].become(FeedState.BACKING_OFF, "connection lost")
        market.after(2)
    assert market.serving() == "b:x"


def test_a_first_source_that_is_back_helps_out_at_once_when_the_second_goes_too() -> None:
    market = Market()
    market.taken_over()
    market["a"].become(FeedState.LIVE)
    market.after(1)
    market["b"].become(FeedState.BACKING_OFF, "connection lost")
    market.after(1)
    assert market.serving() == "a:x"


def test_while_nobody_works_nothing_wanders_about() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL}))
    for _ in range(5):
        for feed in market.feeds.values():
            feed.become(FeedState.BACKING_OFF, "connection refused")
        market.after(TAKEOVER_S)
    assert market.serving() == "a:x"
    assert market.notices == []


def test_when_all_are_away_the_first_one_gives_the_reason() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL}))
    for feed in market.feeds.values():
        feed.become(FeedState.FAILED, "no key stored")
    market.after(1)
    assert market.serving() == "a:x"


def test_a_refused_subscription_goes_to_the_next_source_at_once_and_the_rest_stays() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL, NVDA}))
    market["a"].become(FeedState.LIVE)
    market["a"].refused.add(NVDA)
    assert market.manager.has_other_source(NVDA, "a:x")
    market.after(0.25)
    assert market.serving(AAPL) == "a:x"
    assert market.serving(NVDA) == "b:x"
    assert market["a"].wants == {AAPL}
    assert market["b"].wants == {NVDA}
    assert market.notices[-1].text == "b:x takes over quote NVDA from a:x: refused there"


def test_what_all_refuse_is_served_by_nobody_and_asked_of_nobody() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL}))
    for feed in market.feeds.values():
        feed.refused.add(AAPL)
    market.after(60)
    assert market.serving() is None
    assert [feed.wants for feed in market.feeds.values()] == [frozenset(), frozenset()]
    assert not market.manager.has_other_source(AAPL, "a:x")


def test_a_refusal_is_forgiven_once_nobody_wants_it() -> None:
    market = Market()
    market.manager.want("pane", frozenset({AAPL}))
    market["a"].refused.add(AAPL)
    market.after(1)
    market.manager.want("pane", frozenset())
    market.after(1)
    market.manager.want("pane", frozenset({AAPL}))
    assert market.serving() == "a:x"


def test_what_nobody_carries_is_said_at_once() -> None:
    market = Market()
    market.manager.want("pane", frozenset({quote("NOTHING")}))
    assert market.serving(quote("NOTHING")) is None
    assert market.store.absence(quote("NOTHING")) == "no provider carries it"


def test_only_the_feed_that_serves_is_listened_to() -> None:
    market = Market()
    market.taken_over()
    assert market.manager.accepts(a_quote(), "b:x")
    assert not market.manager.accepts(a_quote(), "a:x")
    assert not market.manager.accepts(a_quote("TSLA"), "b:x"), "nobody wants it"
    assert market.manager.is_asked(AAPL, "a:x")
    assert not market.manager.is_asked(NVDA, "a:x")


def test_streams_are_accepted_from_the_feed_that_serves_them() -> None:
    market = Market()
    item = NewsItem(source="a", ts_recv_ns=1, id="1", title="t", published_ns=1)
    assert not market.manager.accepts(item, "a:x")
    market.manager.want("pane", frozenset({NEWS}))
    assert market.manager.accepts(item, "a:x")
    assert not market.manager.accepts(item, "b:x")


def test_market_hours_count_from_any_feed() -> None:
    market = Market()
    assert market.manager.accepts(MarketStatus(source="b", ts_recv_ns=1, session=Session.REGULAR), "b:x")


@pytest.mark.parametrize("away", [1, 2])
def test_a_chain_of_sources_is_walked_to_the_first_that_works(away: int) -> None:
    market = Market(names=("a:x", "b:x", "c:x"))
    market.manager.want("pane", frozenset({bar("AAPL")}))
    for name in list(market.feeds)[:away]:
        market.feeds[name].become(FeedState.BACKING_OFF, "connection refused")
    market.after((TAKEOVER_S + 1) * away)
    for name in list(market.feeds)[away:]:
        market.feeds[name].become(FeedState.LIVE)
    market.after(1)
    assert market.serving(bar("AAPL")) == list(market.feeds)[away]


def test_a_manager_rests_until_time_alone_has_something_for_it() -> None:
    market = Market(replace(QUICK, settle_s=0.5, linger_s=7.0))
    market.manager.want("pane", frozenset({AAPL}))
    assert market.manager.rest_s() == 0, "it has not ticked yet"
    market.after(0.25)
    assert market.manager.rest_s() == 0.25, "wants settle"
    market.after(0.5)
    assert market.manager.rest_s() == TAKEOVER_S, "it is asked and down"
    market["a"].become(FeedState.LIVE)
    market.after(0.25)
    market.after(0.25)
    assert market.manager.rest_s() == pytest.approx(RETURN_S - 0.5)
    market.after(RETURN_S)
    assert market.manager.rest_s() == math.inf
    market.manager.want("pane", frozenset())
    assert market.manager.rest_s() == pytest.approx(7.0)


@pytest.mark.parametrize("seed", range(20))
def test_a_manager_that_rests_does_what_one_that_ticks_all_the_time_does(seed: int) -> None:
    """Neither taking over nor settling, lingering, forgiving or coming back waits for a rest to end."""
    limits = replace(QUICK, settle_s=0.3, linger_s=4.0)
    busy, resting = Market(limits), Market(limits)
    random, rests_until = Random(seed), 0.0
    for _ in range(1500):
        is_stirred = random.random() < 0.03
        if is_stirred:
            action = random_action(random)
            action(busy)
            action(resting)
        for market in (busy, resting):
            market.clock.advance(0.1)
        busy.manager.tick()
        now = resting.clock.monotonic()
        if is_stirred or now >= rests_until:
            resting.manager.tick()
            rests_until = now + resting.manager.rest_s() - 0.001
        assert resting.switches == busy.switches
        assert [notice.text for notice in resting.notices] == [notice.text for notice in busy.notices]
        for name, feed in busy.feeds.items():
            assert resting.feeds[name].asked == feed.asked


def random_action(random: Random) -> Callable[[Market], None]:
    name = random.choice("ab")
    match random.randrange(4):
        case 0:
            wants = frozenset(random.sample([AAPL, NVDA, NEWS], random.randrange(4)))
            return lambda market: market.manager.want("pane", wants)
        case 1:
            refused = random.choice([AAPL, NVDA])
            return lambda market: market[name].refused.add(refused)
        case 2:
            state = random.choice([FeedState.CONNECTING, FeedState.BACKING_OFF, FeedState.FAILED])
            return lambda market: market[name].become(state, "lost")
    return lambda market: market[name].become(FeedState.LIVE)
