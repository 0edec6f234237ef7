"""Lines that are open and dead, feeds that fall silent, and programs that are held up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.faults.proxy import chaos
from tests.feeds.plain import APPLE, QUICK, Caller, NoHttp, NoSecrets, PlainSettings, feed_to, quote, scripted, until
from tests.feeds.test_connection import BACKING_OFF, LIVE, UP
from tests.feeds.test_hub import Config, First, Second, running
from tui.clock import Clock, ManualClock
from tui.config import Config as ProgramConfig
from tui.credentials import FixedSecrets
from tui.feeds.hub import FeedHub
from tui.feeds.transport import WebSocketConnector
from tui.market.events import BookSnapshot, Quote, Status
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness, MarketStore
from tui.market.terms import FeedState
from tui.rest import RestClient
from tui.simulator.server import SimulatorServer

AAPL = quote("AAPL")


async def one_quote_then_nothing(caller: Caller) -> None:
    await caller.log_in()
    await caller.hear()
    await caller.say("quote AAPL 1.25")
    while True:
        await caller.socket.recv()


@pytest.mark.fault("M19", "M22")
@pytest.mark.parametrize("how", ["half open", "mute"])
async def test_a_value_is_stale_once_its_line_is_found_dead(how: str) -> None:
    """Half open: nothing passes any more. Mute: the socket answers pings, but no message comes."""
    clock = Clock()
    limits = replace(QUICK, silence_s=0.3 if how == "mute" else 60.0, backoff_base_s=60.0, backoff_cap_s=60.0)
    async with scripted(one_quote_then_nothing) as server, chaos(server.url) as proxy:
        settings = {"first": PlainSettings(url=proxy.url), "second": PlainSettings(enabled=False)}
        hub = FeedHub(
            Config(settings), MarketStore(clock.now_ns), NoSecrets(), NoHttp(), clock,
            provider_types={"first": First, "second": Second},
            connect=WebSocketConnector(ping_s=0.15, lost_s=0.1),
        )  # fmt: skip
        feed = hub.feeds["first:main"]
        feed._tick_s, feed.channel = 0.02, replace(feed.channel, limits=limits)
        feed._backoff._limits = limits
        async with running(hub):
            hub.want("pane", APPLE)
            await until(lambda: hub.store.freshness(AAPL) is Freshness.LIVE)
            proxy.hole(how == "half open")
            started = time.monotonic()
            await until(lambda: hub.store.freshness(AAPL) is Freshness.STALE)
            assert time.monotonic() - started < 1.5
            assert feed.reason == ("no answer to pings" if how == "half open" else "no data for 0.3 s")
            assert hub.store.quote(Symbol("AAPL")), "the last value stays"


def a_book(symbol: str, clock: ManualClock) -> BookSnapshot:
    bids = ((Decimal(100), Decimal(1), ("okx",)),)
    return BookSnapshot(source="first", ts_recv_ns=clock.now_ns(), symbol=Symbol(symbol), bids=bids, asks=())


@pytest.mark.fault("M23")
def test_of_two_books_on_one_feed_only_the_silent_one_is_stale() -> None:
    clock = ManualClock()
    store = MarketStore(clock.now_ns)
    silent, other = (Subscription(Kind.BOOK, Symbol(symbol)) for symbol in ("BTC/USDT", "ETH/USDT"))
    store.feed("first:main").stats.live_since_ns = clock.now_ns()
    store.apply(Status(source="first", ts_recv_ns=clock.now_ns(), feed="first:main", state=FeedState.LIVE))
    for subscription in (silent, other):
        store.assign(subscription, "first:main")
    for second in range(30):
        clock.advance(1)
        store.apply(a_book("ETH/USDT", clock))
        if second < 10:
            store.apply(a_book("BTC/USDT", clock))
    assert store.freshness(silent) is Freshness.STALE
    assert store.freshness(other) is Freshness.LIVE
    assert (store.age_s(silent), store.age_s(other)) == (20, 0)


WANTS = {
    "aries": {Subscription(Kind.QUOTE, Symbol("AAPL")), Subscription(Kind.TRADE, Symbol("NVDA"))},
    "insightsentry": {Subscription(Kind.QUOTE, Symbol("AAPL")), Subscription(Kind.QUOTE, Symbol("BTC/USDT"))},
    "quantcite": {Subscription(Kind.BOOK, Symbol("BTC/USDT")), Subscription(Kind.BOOK, Symbol("ETH/USDT"))},
}


@asynccontextmanager
async def on_simulator(
    server: SimulatorServer, provider: str, clock: Clock, settings: dict[str, Any] | None = None
) -> AsyncIterator[FeedHub]:
    """One provider at work on a simulator, its feeds with a quick tick."""
    config = ProgramConfig().with_providers({provider: settings or server.settings()[provider]}, only=True)
    http = RestClient()
    hub = FeedHub(config, MarketStore(clock.now_ns), FixedSecrets(server.credentials()), http, clock, random=Random(1))
    for feed in hub.feeds.values():
        feed._tick_s = 0.01
    async with running(hub):
        yield hub
    await http.close()


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param("aries", marks=pytest.mark.fault("A16", "M22")),
        pytest.param("insightsentry", marks=pytest.mark.fault("I4", "M22")),
        pytest.param("quantcite", marks=pytest.mark.fault("Q11", "M22")),
    ],
)
async def test_a_server_that_says_nothing_more_and_answers_no_ping_is_left_for_a_new_connection(provider: str) -> None:
    clock, wants = ManualClock(time.time_ns()), frozenset(WANTS[provider])
    async with SimulatorServer(seed=7) as server, on_simulator(server, provider, clock) as hub:
        hub.want("test", wants)

        def are(freshness: Freshness) -> bool:
            clock.advance(0.02)
            return all(hub.store.freshness(wanted) is freshness for wanted in wants)

        await until(lambda: are(Freshness.LIVE), 10)
        [feed] = [feed for feed in hub.feeds.values() if feed.is_live]
        frozen = server.links(provider)
        assert server.freeze(provider) == len(frozen)
        before = clock.monotonic()

        def is_given_up() -> bool:
            clock.advance(0.25)
            return feed.state is BACKING_OFF

        await until(is_given_up, 10)
        assert 20 < clock.monotonic() - before < 150
        assert feed.reason.startswith("no ")
        assert not any(hub.store.freshness(wanted) is Freshness.LIVE for wanted in wants)
        connects = feed.stats.connects
        await until(lambda: are(Freshness.LIVE), 10)
        assert feed.stats.connects == connects + 1, "one new connection brings everything back"


@pytest.mark.fault("M46")
async def test_a_line_of_a_few_bytes_a_second_is_given_up_and_can_be_quit() -> None:
    async def large(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("quote AAPL 1.25")
        await caller.say("x" * 100_000)
        while True:
            await caller.socket.recv()

    limits = replace(QUICK, silence_s=0.4)
    async with scripted(large) as server, chaos(server.url) as proxy:
        async with feed_to(proxy.url, limits=limits, connect=WebSocketConnector(ping_s=5.0, open_s=0.3)) as running:
            await until(lambda: running.sink.quotes)
            proxy.rate = 200
            await until(lambda: running.feed.state is BACKING_OFF)
            assert running.sink.last().reason == "no data for 0.4 s"
            await until(lambda: running.sink.last().reason == "no answer in time")
            started = time.monotonic()
        assert time.monotonic() - started < 2.0


@contextmanager
def ticking() -> Iterator[str]:
    """A server in a thread of its own: says the time every two milliseconds, whatever our loop does."""

    def talk(socket: ServerConnection) -> None:
        assert socket.recv() == "login good"
        socket.send("ok")
        with suppress(ConnectionClosed):
            while not stopped.wait(0.002):
                socket.send(f"quote AAPL {time.monotonic():.6f}")

    stopped = threading.Event()
    with serve(talk, "127.0.0.1", 0, ping_interval=None, max_queue=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        stopped.set()
        server.shutdown()
        thread.join()


@pytest.mark.fault("M45")
async def test_a_program_that_was_held_up_stays_connected_and_is_up_to_date_at_once() -> None:
    with ticking() as url:
        async with feed_to(url, connect=WebSocketConnector(ping_s=0.3)) as running:
            await until(lambda: running.sink.quotes)
            time.sleep(1.2)  # noqa: ASYNC251
            await asyncio.sleep(0.3)
            newest = running.sink.quotes[-1]
            assert newest.last is not None
            assert time.monotonic() - float(newest.last) < 0.2, "what waited was taken, not shown bit by bit"
            await until(lambda: len(running.sink.quotes) > 700)
            assert running.sink.states == UP
            assert isinstance(newest, Quote)
            assert running.feed.state is LIVE
