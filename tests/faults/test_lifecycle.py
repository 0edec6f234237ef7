"""Many symbols, many connections, many turns: everything comes back once, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from dataclasses import replace

import pytest

from tests.faults.test_connection import BOOK, ten_feeds
from tests.feeds.plain import APPLE, QUICK, Caller, behave, feed_to, quote, scripted, until
from tests.feeds.test_connection import BACKING_OFF, FAILED, UP
from tests.feeds.test_hub import QUOTES, clock_of, hub_of, running
from tui.clock import Clock, ManualClock
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.feeds.refusals import OWN
from tui.market.names import Kind, Symbol, Wants
from tui.market.store import Freshness
from tui.market.terms import FeedState

SYMBOLS = [f"S{number:03d}" for number in range(500)]


class NotedLimiter(SendLimiter):
    """Notes when something was sent."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.clock = clock
        self.noted: list[float] = []

    def spend(self) -> None:
        super().spend()
        self.noted.append(self.clock.monotonic())


@pytest.mark.fault("M29")
async def test_five_hundred_symbols_are_asked_for_again_once_each_in_order_and_within_the_limit() -> None:
    clock, limit = ManualClock(), 120
    limiter = NotedLimiter(clock)
    limits = replace(QUICK, subscribes_per_minute=limit, silence_s=1e6, login_s=1e6)
    wants: Wants = frozenset(quote(symbol) for symbol in SYMBOLS)
    async with scripted() as server, feed_to(server.url, wants, clock=clock, limits=limits, limiter=limiter) as running:

        def has_all(number: int) -> bool:
            clock.advance(1)
            return len(server.callers) > number and len(server.callers[number].heard) == 501

        await until(lambda: has_all(0), 20)
        server.callers[0].socket.transport.abort()
        await until(lambda: has_all(1), 20)
        for caller in server.callers:
            assert caller.heard == ["login good", *(f"add quote {symbol}" for symbol in SYMBOLS)]
        assert len(server.callers) == 2
        assert running.sink.states.count(UP[-1]) == 2
    assert len(limiter.noted) == 1000
    spans = [late - early for early, late in zip(limiter.noted, limiter.noted[limit:], strict=False)]
    assert min(spans) >= 60, "never more than the limit in any minute, over both connections"


@pytest.mark.fault("M30")
async def test_symbols_that_come_and_go_during_a_reconnect_end_as_they_are_wanted_last() -> None:
    async def drop(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        caller.socket.transport.abort()

    limits = replace(QUICK, backoff_base_s=0.1, backoff_cap_s=0.1)
    async with scripted(drop, behave) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        for number in range(50):
            running.feed.set_wants(frozenset(quote(f"S{n}") for n in range(number, number + 3)))
            await asyncio.sleep(0)
        await until(lambda: len(running.sink.quotes) == 3)
        assert server.callers[1].heard == ["login good", "add quote S49", "add quote S50", "add quote S51"]


@pytest.mark.fault("M31")
async def test_what_an_old_socket_still_delivers_never_mixes_with_the_new_one() -> None:
    async def lingers(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("quote AAPL 1", "bye reconnect")
        for _ in range(200):
            await caller.say("quote AAPL 666")
            await asyncio.sleep(0)

    async with scripted(lingers, behave) as server, feed_to(server.url) as running:
        await until(lambda: len(running.sink.quotes) == 2)
        await until(lambda: server.callers[0].socket.state.name == "CLOSED")
        assert [str(each.last) for each in running.sink.quotes] == ["1", "1.25"]


@pytest.mark.fault("M64")
async def test_with_every_provider_away_the_last_values_stay_and_grow_old() -> None:
    async with scripted() as one, scripted() as two:
        hub = hub_of(first=one.url, second=two.url, sources={**QUOTES, BOOK.kind: ("second",)})
        async with running(hub):
            hub.want("pane", frozenset({*APPLE, BOOK}))
            await until(lambda: hub.store.freshness(quote("AAPL")) is Freshness.LIVE)
            for server in (one, two):
                server.server.close()
                await server.server.wait_closed()
            await until(lambda: not any(feed.is_live for feed in hub.feeds.values()))
            clock_of(hub).advance(42)
            state = hub.store.quote(Symbol("AAPL"))
            assert state
            assert state.price is not None
            assert hub.store.freshness(quote("AAPL")) is Freshness.STALE
            assert hub.store.age_s(quote("AAPL")) == pytest.approx(42, abs=1)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.fault("M72")
async def test_two_hundred_connections_leave_no_task_no_descriptor_and_no_thread_behind() -> None:
    async def brief(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("quote AAPL 1.25")
        if caller.number % 2:
            caller.socket.transport.abort()
        else:
            await caller.socket.close(1001)

    limits = replace(QUICK, backoff_base_s=0.001, backoff_cap_s=0.001)
    async with scripted(brief) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: len(server.callers) > 20)
        gc.collect()
        tasks, files, threads = len(asyncio.all_tasks()), open_files(), threading.active_count()
        objects = len(gc.get_objects())
        await until(lambda: len(server.callers) > 220, 30)
        server.callers.clear()
        running.sink.events.clear()
        gc.collect()
        assert len(asyncio.all_tasks()) < tasks + 20, "some come and go at any moment"
        assert open_files() < files + 20
        assert threading.active_count() < threads + 5
        assert len(gc.get_objects()) < objects * 1.1


@pytest.mark.fault("M74")
async def test_ten_feeds_in_ten_moments_stop_together_within_two_seconds() -> None:
    async def hang(caller: Caller) -> None:
        await caller.socket.wait_closed()

    async with scripted() as good, scripted(hang) as hangs:
        urls = [good.url, hangs.url, "ws://127.0.0.1:1/", "ws://192.0.2.1/", good.url] * 2
        async with ten_feeds(urls, DialLimiter(Clock(), 1000)) as feeds:
            await until(lambda: {FAILED, BACKING_OFF, UP[1], UP[2]} <= {each.feed.state for each in feeds})
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 2.0
        assert {each.feed.state for each in feeds} == {FeedState.IDLE}


async def brings_too_much(caller: Caller) -> None:
    await caller.log_in()
    while True:
        word, _, rest = (await caller.hear()).partition(" ")
        if word == "add" and rest == "quote BIG":
            await caller.say("quote BIG " + "7" * 5000)
        elif word == "add":
            await caller.say(f"{rest} 1.25")


@pytest.mark.fault("M18")
async def test_a_new_subscription_whose_messages_are_too_large_is_given_up_and_the_others_live() -> None:
    async with scripted(brings_too_much) as server:
        hub = hub_of(first=server.url, sources={Kind.QUOTE: ("first",)})
        feed = hub.feeds["first:main"]
        feed.channel = replace(feed.channel, limits=replace(feed.channel.limits, max_frame=1000))
        async with running(hub):
            hub.want("pane", frozenset({quote("AAPL"), quote("NVDA")}))
            await until(lambda: hub.store.quote(Symbol("NVDA")) and hub.store.quote(Symbol("AAPL")))
            hub.want("pane", frozenset({quote("AAPL"), quote("BIG"), quote("NVDA")}))

            def has_settled() -> bool:
                clock_of(hub).advance(0.01)
                return bool(feed.refused) and feed.is_live and len(server.callers[-1].heard) == 3

            await until(has_settled)
            assert feed.refused == {quote("BIG")}
            await until(lambda: any(n.source == OWN for n in hub.store.notices))  # it has been summed up
            assert hub.store.absence(quote("BIG")) == "given up: a message was too large"
            assert server.callers[-1].heard == ["login good", "add quote AAPL", "add quote NVDA"]
            assert len(server.callers) <= 10
            await until(lambda: hub.store.freshness(quote("NVDA")) is Freshness.LIVE)


@pytest.mark.fault("M18")
@pytest.mark.parametrize("wants", [{"BIG"}, {"AAPL", "BIG", "BIG2"}])
async def test_where_the_culprit_is_a_guess_the_feed_asks_the_user(wants: set[str]) -> None:
    async def both_too_much(caller: Caller) -> None:
        await caller.log_in()
        for _ in wants:
            _, _, symbol = (await caller.hear()).rpartition(" ")
            await caller.say(f"quote {symbol} " + ("7" * 5000 if symbol.startswith("BIG") else "1.25"))
        await caller.hear()

    limits = replace(QUICK, max_frame=1000, healthy_s=10.0)
    everything: Wants = frozenset(map(quote, wants))
    async with scripted(both_too_much) as server, feed_to(server.url, everything, limits=limits) as running:
        await until(lambda: running.feed.state is FAILED)
        assert not running.feed.refused
        assert running.sink.last().remedy == "Ask for fewer symbols or levels."


@pytest.mark.fault("M60", "M21")
@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
async def test_a_clock_that_is_set_never_makes_an_old_value_look_live(jump_s: float) -> None:
    async def once(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        if caller.number == 0:
            await caller.say("quote AAPL 1")
        await caller.hear()

    async with scripted(once) as server:
        hub = hub_of(first=server.url, sources={Kind.QUOTE: ("first",)})
        hub.feeds["first:main"]._tick_s = 0.01
        async with running(hub):
            hub.want("pane", APPLE)
            await until(lambda: hub.store.freshness(quote("AAPL")) is Freshness.LIVE)
            clock_of(hub).set_drift(jump_s)
            await until(lambda: len(server.callers) == 2 and hub.feeds["first:main"].is_live)
            assert hub.store.freshness(quote("AAPL")) is Freshness.STALE
            await server.callers[1].say("quote AAPL 2")
            await until(lambda: hub.store.freshness(quote("AAPL")) is Freshness.LIVE)
            assert hub.store.age_s(quote("AAPL")) == pytest.approx(0, abs=1)
