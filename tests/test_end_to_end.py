"""Server and feeds over real sockets: what the market did is what the store holds, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TypeVar

import pytest

from tests.conftest import until
from tui.clock import NS, Clock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds.hub import FeedHub
from tui.market.events import Bar, BookSnapshot, Event, NewsItem, Quote, Status, Trade
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import Freshness, MarketStore
from tui.market.terms import FeedState
from tui.rest import RestClient
from tui.simulator.faults import Fault, FaultKind
from tui.simulator.market import AggregatedLevel, Change, SimBar, SimTrade
from tui.simulator.server import SimulatorServer

AAPL, SPX, BTC = Symbol("AAPL"), Symbol("SPX"), Symbol("BTC/USDT")
NEWS = Subscription(Kind.NEWS)
CARRIED = {
    "aries": [
        Subscription(Kind.QUOTE, AAPL), Subscription(Kind.TRADE, AAPL), Subscription(Kind.BOOK, AAPL),
        Subscription(Kind.BAR, AAPL, Interval.M1), NEWS,
    ],
    "insightsentry": [
        Subscription(Kind.QUOTE, AAPL), Subscription(Kind.QUOTE, SPX), Subscription(Kind.QUOTE, BTC),
        Subscription(Kind.BAR, AAPL, Interval.M1), Subscription(Kind.BAR, BTC, Interval.M1), NEWS,
    ],
    "quantcite": [Subscription(Kind.BOOK, BTC)],
}  # fmt: skip
EVERYTHING = frozenset(
    [NEWS, Subscription(Kind.TRADE, AAPL)]
    + [Subscription(kind, symbol) for kind in (Kind.QUOTE, Kind.BOOK) for symbol in (AAPL, BTC)]
    + [Subscription(Kind.BAR, symbol, Interval.M1) for symbol in (AAPL, BTC)]
)
BOOK_VENUES = {"AAPL": None, "BTC/USDT": ["binance", "okx", "bybit", "kraken", "coinbase"]}
Levels = list[AggregatedLevel]
SIM_FIELDS = ("bid", "ask", "bid_size", "ask_size", "last", "open", "high", "low", "prev_close")


class ShiftedClock(Clock):
    """The real clock, set so that a minute is over soon."""

    def __init__(self, seconds_left: float = 4.0) -> None:
        super().__init__()
        self._offset_ns += int((60 - seconds_left) * NS) - self.now_ns() % (60 * NS)

    def drift_s(self) -> float:
        return 0.0  # or the feeds would take the wall clock anew


class Source:
    """Everything the market showed, step by step, taken down where it is made."""

    def __init__(self, server: SimulatorServer, symbols: Iterable[str]) -> None:
        self.market = server.market
        self.started_ns = server.market.now_ns
        self.symbols = list(symbols)
        self.figures: dict[tuple[str, str], set[Decimal | None]] = defaultdict(set)
        self.books: dict[str, list[tuple[Levels, Levels]]] = defaultdict(list)
        self._advance = server.market.advance
        server.market.advance = self.advance  # type: ignore[method-assign]

    def advance(self, now_ns: int) -> list[Change]:
        """Advance as the server asks to, a step at most, and take down what is to be seen."""
        changes = self._advance(now_ns)
        self._take_down()
        return changes

    def _take_down(self) -> None:
        for symbol in self.symbols:
            quote = self.market.quote(symbol)
            for name in SIM_FIELDS:
                self.figures[symbol, name].add(getattr(quote, name))
        for symbol, venues in BOOK_VENUES.items():
            self.books[symbol].append(self.market.aggregated(symbol, venues, depth=80))

    def compare(self, client: Client) -> None:
        """Every figure that arrived is one that the market showed."""
        bars = {symbol: bars_of(self.market.trades(symbol)) for symbol in self.symbols}
        for event in client.events:
            match event:
                case Quote():
                    for name in event.model_fields_set & set(SIM_FIELDS):
                        assert getattr(event, name) in self.figures[event.symbol, name], (name, event)
                case BookSnapshot():
                    assert any(is_book(event, bids, asks) for bids, asks in self.books[event.symbol]), event
                case Trade():
                    prints = {(each.price, each.size, each.venue) for each in self.market.trades(event.symbol)}
                    assert (event.price, event.size, event.venue) in prints, event
                case Bar() if event.start_ns >= self.started_ns:
                    assert bar_figures(event) in bars[event.symbol], event
                case NewsItem():
                    assert event.title in {each.title for each in self.market.news(200)}


def is_book(event: BookSnapshot, bids: Levels, asks: Levels) -> bool:
    """Whether a book is the market's, down to the depth that was sent."""
    return bool(event.bids and event.asks) and all(
        [(price, size) for price, size, _ in got] == [(price, size) for price, size, _ in true[: len(got)]]
        for got, true in ((event.bids, bids), (event.asks, asks))
    )


def bars_of(trades: Iterable[SimTrade]) -> set[tuple[object, ...]]:
    """Every state that the minutes' bars went through, trade by trade."""
    states: set[tuple[object, ...]] = set()
    minutes: dict[int, list[SimTrade]] = defaultdict(list)
    for trade in trades:
        start_ns = Interval.M1.start_of(trade.ns)
        minutes[start_ns].append(trade)
        prices = [each.price for each in minutes[start_ns]]
        volume = sum(each.size for each in minutes[start_ns])
        states.add((start_ns, prices[0], max(prices), min(prices), prices[-1], volume))
    return states


def bar_figures(bar: Bar | SimBar) -> tuple[object, ...]:
    return bar.start_ns, bar.open, bar.high, bar.low, bar.close, bar.volume


class Client:
    """A hub at work, and all that it heard."""

    def __init__(self, server: SimulatorServer, only: Sequence[str] = (), **wrong: str) -> None:
        settings = {name: each for name, each in server.settings().items() if not only or name in only}
        secrets = {name: {field: wrong.get(name, value) for field, value in fields.items()}
                   for name, fields in server.credentials().items()}  # fmt: skip
        self.store = MarketStore(server.clock.now_ns)
        self.http = RestClient()
        config = Config().with_providers(settings, only=True)
        self.hub = FeedHub(config, self.store, FixedSecrets(secrets), self.http, server.clock)
        self.hub.listener = self.heard
        self.events: list[Event] = []
        self.unmasked: list[str] = []
        """Values that were shown as live while their feed was not."""

    def heard(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Status) and event.state is not FeedState.LIVE:
            served = {wanted for wanted in EVERYTHING if self.store.serving(wanted) == event.feed}
            self.unmasked += [f"{w}" for w in served if self.store.freshness(w) is Freshness.LIVE]

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def missing(self, wants: Iterable[Subscription]) -> set[Subscription]:
        """What is wanted and not there, fresh."""
        return {wanted for wanted in wants if self.store.freshness(wanted) is not Freshness.LIVE}

    def states(self) -> dict[str, FeedState]:
        return {name: feed.state for name, feed in self.hub.feeds.items()}

    async def has(self, wants: Iterable[Subscription], limit_s: float = 15.0) -> None:
        await until(lambda: not self.missing(wants), limit_s=limit_s, what=lambda: f"{self.missing(wants)}")

    async def has_again(self, server: SimulatorServer, limit_s: float = 25.0) -> None:
        """Like `has`, with a new headline: those that are known do not come twice."""
        await self.has(EVERYTHING - {NEWS}, limit_s)
        await until(lambda: self.store.is_live(self.store.serving(NEWS)), limit_s=limit_s)
        server.publish_hostile_news()
        await self.has(EVERYTHING)


T = TypeVar("T", bound=Event)


@asynccontextmanager
async def running(client: Client, wants: Iterable[Subscription]) -> AsyncIterator[Client]:
    client.hub.want("test", frozenset(wants))
    task = asyncio.create_task(client.hub.run())
    try:
        yield client
    finally:
        await client.hub.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.http.close()


@pytest.mark.parametrize("provider", CARRIED)
async def test_what_arrives_is_what_the_market_did(provider: str) -> None:
    async with SimulatorServer(seed=7, clock=ShiftedClock()) as server:
        source = Source(server, ("AAPL", "SPX", "BTC/USDT"))
        async with running(Client(server, [provider]), CARRIED[provider]) as client:
            await client.has(CARRIED[provider])
            if any(wanted.kind is Kind.BAR for wanted in CARRIED[provider]):
                await until(lambda: len({bar.start_ns for bar in live_bars(client, source)}) >= 2)
            await until(lambda: len(client.of(BookSnapshot) + client.of(Quote)) >= 10)
        source.compare(client)
        assert_history_agrees(client, source)
        assert server.violations() == {}


def live_bars(client: Client, source: Source) -> list[Bar]:
    return [bar for bar in client.of(Bar) if bar.start_ns >= source.started_ns - 60 * NS]


def assert_history_agrees(client: Client, source: Source) -> None:
    """Every bar that has closed is the market's own."""
    for symbol in {bar.symbol for bar in client.of(Bar)}:
        series = [bar for bar in client.store.bars(symbol, Interval.M1) if bar.closed]
        assert len(series) > 50
        true = source.market.bars(symbol, 60, series[0].start_ns, series[-1].start_ns + 1)
        assert [bar_figures(bar) for bar in series] == [bar_figures(bar) for bar in true][-len(series) :]


async def test_dropped_connections_come_back_with_everything_and_show_nothing_false() -> None:
    async with SimulatorServer(seed=7) as server, running(Client(server), EVERYTHING) as client:
        await client.has(EVERYTHING)
        before = {name for name, state in client.states().items() if state is FeedState.LIVE}
        assert server.drop() == len(before)
        await until(lambda: not before & {n for n, state in client.states().items() if state is FeedState.LIVE})
        assert client.missing(EVERYTHING) == EVERYTHING
        await client.has_again(server)
        assert client.unmasked == []
        assert before <= {name for name, state in client.states().items() if state is FeedState.LIVE}
        assert server.violations() == {}


async def test_a_server_that_was_restarted_is_found_again() -> None:
    async with SimulatorServer(seed=7) as first, running(Client(first), EVERYTHING) as client:
        await client.has(EVERYTHING)
        port = first.port
        await first.stop()
        await until(lambda: FeedState.LIVE not in client.states().values())
        assert client.missing(EVERYTHING) == EVERYTHING
        async with SimulatorServer(seed=8, port=port) as second:
            assert second.http_base == first.http_base
            await client.has_again(second)
            assert client.unmasked == []
            assert second.violations() == {}


@pytest.mark.parametrize("provider", CARRIED)
async def test_a_refused_key_fails_its_own_feeds_only(provider: str, simulator: SimulatorServer) -> None:
    client = Client(simulator, **{provider: "wrong-key"})
    wants = frozenset().union(*CARRIED.values())
    async with running(client, wants):
        await until(lambda: FeedState.FAILED in client.states().values())
        others = {wanted for name in CARRIED if name != provider for wanted in CARRIED[name]}
        await client.has(others, limit_s=20)
        states = client.states()
        assert {name.split(":")[0] for name, state in states.items() if state is FeedState.FAILED} == {provider}
        for name in states:
            if name.startswith(provider):
                assert client.store.feed(name).stats.attempts <= 2
                status = client.store.feed(name).status
                assert status is None or status.state is not FeedState.FAILED or status.remedy
        assert "wrong-key" not in repr(client.events)


async def test_bad_frames_and_slow_links_leave_everything_running(simulator: SimulatorServer) -> None:
    async with running(Client(simulator), EVERYTHING) as client:
        await client.has(EVERYTHING)
        for kind in (FaultKind.NOISE, FaultKind.SLOW, FaultKind.HEADLINE):
            for number in range(24):
                simulator.cause(Fault(kind, 0.5, number / 24 + number * 1e-6))
        await until(lambda: sum(feed.stats.counts["undecodable"] for feed in client.hub.feeds.values()) > 5)
        await until(lambda: any("Clipboard maker lifts outlook" in item.title for item in client.store.news()))
        for item in client.store.news():
            assert all(char.isprintable() for char in item.title + item.publisher)
            assert item.link is None or item.link.startswith("https://news.example/")
        await client.has(EVERYTHING)
        assert simulator.violations() == {}


async def test_broken_framing_and_refused_upgrades_are_survived(simulator: SimulatorServer) -> None:
    async with running(Client(simulator), EVERYTHING) as client:
        await client.has(EVERYTHING)
        for number in range(12):
            simulator.cause(Fault(FaultKind.GARBLE, 0.0, number / 12 + number * 1e-6))
        simulator.cause(Fault(FaultKind.REFUSE, 2.0, 0.0))
        await until(lambda: client.missing(EVERYTHING))
        await client.has_again(simulator)
        assert client.unmasked == []
        assert simulator.violations() == {}
