"""Names, ports, handshakes and networks that fail."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trustme

from tests.faults.proxy import chaos, reset
from tests.feeds.plain import (
    APPLE,
    PATIENT,
    QUICK,
    Caller,
    PlainProvider,
    Running,
    Sink,
    behave,
    context,
    feed_to,
    scripted,
    until,
)
from tests.feeds.raw import raw_port
from tests.feeds.test_connection import AUTHENTICATING, BACKING_OFF, CONNECTING, FAILED, UP, closing, waits_s
from tests.feeds.test_hub import QUOTES, clock_of, hub_of, running
from tests.feeds.test_transport import server_context
from tui.clock import Clock, ManualClock
from tui.feeds.connection import FLAP_WINDOW_S, FLAPS, FeedConnection
from tui.feeds.hub import FeedHub
from tui.feeds.outcome import SLOW_S
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.feeds.transport import WebSocketConnector
from tui.market.health import FeedStats
from tui.market.names import Kind, Subscription, Symbol
from tui.market.terms import FeedState
from tui.providers.base import Channel

BOOK = Subscription(Kind.BOOK, Symbol("AAPL"))


@pytest.mark.fault("M1")
async def test_a_refused_connection_says_when_it_tries_again_and_costs_the_other_feed_nothing() -> None:
    async with scripted() as server:
        hub = hub_of(second=server.url, sources={**QUOTES, Kind.BOOK: ("first",), Kind.QUOTE: ("second",)})
        async with running(hub):
            hub.want("pane", frozenset({*APPLE, BOOK}))
            await until(lambda: hub.store.quote(Symbol("AAPL")) and hub.feeds["first:main"].state is BACKING_OFF)
            status = hub.store.feed("first:main").status
            assert status
            assert status.reason == "connection refused"
            assert status.retry_at_ns is not None
            assert status.retry_at_ns > status.ts_recv_ns
            assert hub.feeds["second:main"].is_live


@pytest.mark.fault("M63")
async def test_a_mistake_in_one_provider_costs_the_other_feed_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def poison(caller: Caller) -> None:
        await caller.log_in()
        await caller.say("bug")
        await caller.hear()

    async with scripted(poison) as one, scripted() as two:
        hub = hub_of(first=one.url, second=two.url, sources={Kind.BOOK: ("first",), Kind.QUOTE: ("second",)})
        async with running(hub):
            hub.want("pane", frozenset({*APPLE, BOOK}))
            await until(lambda: has_failed(hub))
            assert len(one.callers) == 4, "three restarts"
            assert hub.feeds["first:main"].reason == "internal error"
            await until(lambda: hub.store.quote(Symbol("AAPL")))
            assert len(two.callers) == 1


def has_failed(hub: FeedHub) -> bool:
    """Whether the first feed has failed; time goes on meanwhile."""
    clock_of(hub).advance(0.05)
    return hub.feeds["first:main"].state is FAILED


class Resolver:
    """Stands in for the C library: knows `data.example`, after a while or never."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self.real = real
        self.knows = False
        self.waiting = 0
        self.answers = threading.Event()
        self.answers.set()

    def __call__(self, host: Any, *rest: Any, **options: Any) -> Any:
        if host != "data.example":
            return self.real(host, *rest, **options)
        self.waiting += 1
        self.answers.wait(30)
        if not self.knows:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self.real("127.0.0.1", *rest, **options)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.answers.set()


@pytest.mark.fault("M2")
async def test_a_name_that_is_unknown_for_a_while_is_asked_for_until_it_is_known(
    resolver: Resolver, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with scripted(ssl=server_context(authority, "data.example")) as server:
        url = server.url.replace("127.0.0.1", "data.example")
        async with feed_to(url, connect=WebSocketConnector(ca_file=tmp_path / "ca.pem")) as running:
            await until(lambda: running.feed.stats.attempts > 2)
            assert {s.reason for s in running.sink.statuses if s.state is BACKING_OFF} == {"host name not found"}
            resolver.knows = True
            await until(lambda: running.sink.quotes)


@pytest.mark.fault("M2")
async def test_forty_look_ups_that_hang_keep_nobody_else_from_connecting(resolver: Resolver) -> None:
    resolver.answers.clear()
    channel = Channel("main", frozenset(), "wss://data.example/", QUICK)
    dials = [asyncio.create_task(WebSocketConnector()(channel)) for _ in range(40)]
    await until(lambda: resolver.waiting == 40)
    async with scripted() as server, feed_to(server.url.replace("127.0.0.1", "localhost")) as running:
        await until(lambda: running.sink.quotes, 3.0)
    for dial in dials:
        dial.cancel()
    await asyncio.wait(dials)


@contextmanager
def full_port() -> Iterator[str]:
    """A port whose queue is full: the kernel drops what asks for a connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(address)
        yield f"ws://127.0.0.1:{address[1]}/"
        for each in waiting:
            each.close()


@pytest.mark.fault("M3")
async def test_a_connection_attempt_that_nobody_answers_is_given_up() -> None:
    with full_port() as url:
        async with feed_to(url, connect=WebSocketConnector(open_s=0.3), limits=PATIENT) as running:
            started = time.monotonic()
            await until(lambda: running.feed.state is BACKING_OFF)
            assert 0.25 < time.monotonic() - started < 2.0
            assert running.sink.last().reason == "no answer in time"
            assert running.feed.stats.connects == 0


@pytest.mark.fault("M5")
@pytest.mark.parametrize("has_read", [False, True])
async def test_a_reset_during_the_handshake_is_retried(has_read: bool) -> None:
    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if has_read:
            await reader.readuntil(b"\r\n\r\n")
        reset(writer)

    async with raw_port(slam) as url, feed_to(url) as running:
        await until(lambda: running.feed.stats.attempts >= 3)
        down = [status for status in running.sink.statuses if status.state is BACKING_OFF]
        assert {status.reason for status in down} <= {"closed during the handshake", "connection reset"}
        assert len({waits_s(status) for status in down}) == len(down), "the delays have jitter"


@pytest.mark.fault("M6")
@pytest.mark.parametrize(
    "said", [b"\x00\xff" * 500 + b"\r\n\r\n", b"220 mail.example ESMTP\r\n", b"HTTP/9.9 what\r\n\r\n"]
)
async def test_what_is_not_http_is_tried_again_slowly(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with raw_port(answer) as url, feed_to(url) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == "not a WebSocket server"
        assert waits_s(running.sink.last()) >= SLOW_S


@pytest.mark.fault("M13")
async def test_a_feed_that_works_and_breaks_again_and_again_is_said_to_be_unstable() -> None:
    async def short(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("quote AAPL 1.25")
        await caller.hear()

    clock = ManualClock()
    limits = replace(QUICK, healthy_s=10.0, silence_s=1e6, login_s=1e6)
    async with scripted(short) as server, feed_to(server.url, clock=clock, limits=limits) as running:
        waits, reasons = [], []
        for number in range(FLAPS + 1):
            await until(lambda number=number: len(running.sink.quotes) == number + 1)  # type: ignore[misc]
            clock.advance(11.0 if number < FLAPS else FLAP_WINDOW_S)
            server.callers[-1].socket.transport.abort()
            await until(lambda: running.feed.state is BACKING_OFF)
            waits.append(waits_s(running.sink.last()))
            reasons.append(running.sink.last().reason)
            clock.advance(1.0)
        assert all(wait <= limits.backoff_base_s for wait in waits), "every loss starts the delays anew"
        *before, fifth, much_later = reasons
        assert before == ["connection lost"] * (FLAPS - 1)
        assert fifth == "connection lost; unstable, lost 5 times in 10 min"
        assert much_later == "connection lost"


@pytest.mark.fault("M17")
async def test_a_close_code_that_nobody_knows_is_tried_three_times() -> None:
    limits = replace(QUICK, healthy_s=10.0)
    async with scripted(closing(4777, "because")) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: running.feed.state is FAILED)
        assert len(server.callers) == 3
        assert running.sink.last().reason == "ended by the server (4777): because"
        assert running.sink.last().remedy


@pytest.mark.fault("M15")
@pytest.mark.parametrize("how", ["fin", "reset"])
async def test_a_line_that_ends_without_a_word_is_noticed_at_once(how: str) -> None:
    async with scripted() as server, chaos(server.url) as proxy, feed_to(proxy.url, limits=PATIENT) as running:
        await until(lambda: running.sink.quotes)
        started = time.monotonic()
        getattr(proxy, how)()
        await until(lambda: running.feed.state is BACKING_OFF)
        assert time.monotonic() - started < 0.5
        assert running.sink.last().reason == "connection lost"


@pytest.mark.fault("M20")
@pytest.mark.parametrize("by_key", [True, False])
async def test_a_network_that_is_back_is_used_within_two_seconds(by_key: bool) -> None:
    connect = WebSocketConnector(open_s=0.3, ping_s=0.1, lost_s=0.1)
    limits = PATIENT if by_key else replace(QUICK, backoff_cap_s=1.0)
    async with (
        scripted() as server,
        chaos(server.url) as proxy,
        feed_to(proxy.url, connect=connect, limits=limits) as running,
    ):
        await until(lambda: running.sink.quotes)
        proxy.hole()
        await until(lambda: running.feed.state is BACKING_OFF)
        if not by_key:
            await until(lambda: running.feed.stats.attempts >= 3)
        proxy.hole(False)
        started = time.monotonic()
        if by_key:
            running.feed.retry_now()
        await until(lambda: len(running.sink.quotes) == 2)
        assert time.monotonic() - started < 2.0


@pytest.mark.fault("M47")
async def test_late_and_jumping_answers_are_no_reason_to_disconnect() -> None:
    async def steady(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        for number in range(30):
            await caller.say(f"quote AAPL {number}")
            await asyncio.sleep(0.02)
        await caller.hear()

    connect = WebSocketConnector(ping_s=1.0)
    async with scripted(steady) as server, chaos(server.url) as proxy:
        proxy.latency_s, proxy.jitter_s = 0.1, 0.1
        async with feed_to(proxy.url, connect=connect) as running:
            await until(lambda: len(running.sink.quotes) > 5)
            proxy.latency_s = 0.25
            await until(lambda: len(running.sink.quotes) == 30)
            assert running.sink.states == UP
            assert [int(quote.last or 0) for quote in running.sink.quotes] == list(range(30))


@asynccontextmanager
async def ten_feeds(urls: list[str], dials: DialLimiter) -> AsyncIterator[list[Running]]:
    """Feeds of ten providers that share the budget of dials, as in a hub."""
    clock, feeds = Clock(), []
    for number, url in enumerate(urls):
        provider, sink = PlainProvider(context(url)), Sink()
        feed = FeedConnection(
            provider, provider.channels[0], sink, FeedStats(), clock, SendLimiter(clock), Random(number),
            WebSocketConnector(), dials, tick_s=0.02,
        )  # fmt: skip
        feed.set_wants(APPLE)
        feeds.append(Running(feed, provider, sink, asyncio.create_task(feed.run())))
    yield feeds
    await asyncio.gather(*(each.feed.stop() for each in feeds))
    await asyncio.gather(*(each.task for each in feeds))


@pytest.mark.fault("M73")
async def test_ten_providers_that_lose_their_servers_together_do_not_dial_together() -> None:
    dialled: list[float] = []

    async def note(caller: Caller) -> None:
        dialled.append(time.monotonic())
        await behave(caller)

    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(scripted(note)) for _ in range(10)]
        dials = DialLimiter(Clock(), per_second=5)
        async with ten_feeds([server.url for server in servers], dials) as feeds:
            await until(lambda: all(each.feed.is_live for each in feeds))
            for server in servers:
                server.callers[0].socket.transport.abort()
            await until(lambda: len(dialled) == 20)
        assert all(late - early > 0.9 for early, late in zip(dialled, dialled[5:], strict=False))


@pytest.mark.fault("M12", "Q2")
async def test_a_door_that_is_slammed_is_knocked_at_less_and_less_and_the_code_is_said() -> None:
    async def slam(caller: Caller) -> None:
        await caller.socket.close(1013, "go away")

    limits = replace(QUICK, backoff_base_s=0.02, backoff_cap_s=60.0, healthy_s=10.0)
    async with scripted(slam) as server, feed_to(server.url, limits=limits) as running:
        started = time.monotonic()
        await until(lambda: len(server.callers) == 5)
        assert time.monotonic() - started > 0.02 * (1 + 2 + 4 + 8) / 2
        down = [status for status in running.sink.statuses if status.state is BACKING_OFF]
        assert {status.reason for status in down} == {"the server is busy (1013)"}
    assert {*running.sink.states} == {CONNECTING, AUTHENTICATING, BACKING_OFF, FeedState.IDLE}


@pytest.mark.fault("M59")
@pytest.mark.parametrize("by_environment", [False, True])
async def test_a_proxy_that_is_not_there_is_named_and_nothing_goes_around_it(
    by_environment: bool, monkeypatch: pytest.MonkeyPatch, resolver: Resolver
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    if by_environment:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    connect = WebSocketConnector(proxy=None if by_environment else "http://127.0.0.1:1")
    async with feed_to("wss://data.example/", connect=connect, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == "the proxy cannot be reached"
        assert resolver.waiting == 0, "the host is the proxy's to find"


@pytest.mark.fault("M58", "S4")
async def test_a_server_that_speaks_only_old_tls_is_not_spoken_to() -> None:
    offered: list[bytes] = []

    async def only_old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        offered.append(await reader.read(4096))
        writer.write(b"\x15\x03\x01\x00\x02\x02\x46")  # a fatal alert: this version of the protocol is not spoken here
        writer.close()

    async with raw_port(only_old) as url, feed_to(url.replace("ws://", "wss://")) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == "TLS could not be agreed on"
        assert waits_s(running.sink.last()) >= SLOW_S
    versions = offered[0].partition(b"\x00\x2b")[2]  # the extension that lists what the client speaks
    assert b"\x03\x03" in versions[:12]
    assert b"\x03\x02" not in versions[2 : 3 + versions[2]]
