"""The state loop of a feed against a server that follows a script."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from http import HTTPStatus
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from tests.feeds.plain import (
    APPLE,
    PATIENT,
    QUICK,
    Caller,
    ListCodec,
    PlainProvider,
    Script,
    a_bar,
    bar,
    behave,
    context,
    feed_to,
    quote,
    scripted,
    until,
)
from tests.feeds.raw import half_open_port, raw_port, silent_port
from tui.clock import Clock, ManualClock
from tui.errors import RestError
from tui.feeds.connection import FeedConnection
from tui.feeds.link import BATCH
from tui.feeds.pacing import SendLimiter
from tui.feeds.transport import WebSocketConnector
from tui.market.events import Bar, Event, Status
from tui.market.health import FeedStats
from tui.market.names import Symbol, Wants
from tui.market.terms import FeedState, Severity
from tui.providers.base import ProviderContext

IDLE, CONNECTING, AUTHENTICATING, LIVE, BACKING_OFF, FAILED = FeedState
UP = [CONNECTING, AUTHENTICATING, LIVE]
NOTHING: Wants = frozenset()


def closing(code: int, reason: str = "") -> Script:
    """Log in, then close."""

    async def script(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.socket.close(code, reason)

    return script


async def hang(caller: Caller) -> None:
    """Accept, and never say a word."""
    while True:
        await caller.hear()


async def mute(caller: Caller) -> None:
    """Log in, then never say a word."""
    await caller.log_in()
    while True:
        await caller.socket.recv()


async def test_a_feed_logs_in_subscribes_and_delivers() -> None:
    async with scripted() as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert running.sink.states == UP
        assert server.callers[0].heard == ["login good", "add quote AAPL"]
        assert running.feed.is_live
        assert running.feed.has_data
        assert running.feed.stats.live_since_ns is not None
        assert running.feed.stats.subscriptions == 1


async def test_the_stats_know_of_the_login_before_the_status_tells_it() -> None:
    stats, seen = FeedStats(), []

    def look(event: Event) -> None:
        if isinstance(event, Status):
            seen.append((event.state, stats.live_since_ns is not None))

    clock = Clock()
    async with scripted() as server:
        provider = PlainProvider(context(server.url))
        feed = FeedConnection(provider, provider.channels[0], look, stats, clock, SendLimiter(clock), Random(1))
        feed.set_wants(APPLE)
        task = asyncio.create_task(feed.run())
        await until(lambda: feed.has_data)
        await feed.stop()
        await task
    assert seen == [(CONNECTING, False), (AUTHENTICATING, False), (LIVE, True), (IDLE, False)]


async def test_nothing_is_dialled_until_something_is_wanted() -> None:
    async with scripted() as server, feed_to(server.url, frozenset()) as running:
        await asyncio.sleep(0.05)
        assert server.callers == []
        assert running.feed.state is IDLE
        running.feed.set_wants(APPLE)
        await until(lambda: running.sink.quotes)


async def test_when_nothing_is_wanted_any_more_the_socket_closes_with_1000() -> None:
    async with scripted() as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        running.feed.set_wants(frozenset())
        await until(lambda: running.feed.state is IDLE)
        socket = server.callers[0].socket
        await socket.wait_closed()
        assert socket.close_code == 1000
        running.feed.set_wants(frozenset({quote("NVDA")}))
        await until(lambda: len(running.sink.quotes) == 2)
        assert server.callers[1].heard == ["login good", "add quote NVDA"]


async def test_wants_that_change_go_out_as_differences() -> None:
    async with scripted() as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        running.feed.set_wants(frozenset({quote("NVDA")}))
        await until(lambda: len(server.callers[0].heard) == 4)
        assert server.callers[0].heard[2:] == ["drop quote AAPL", "add quote NVDA"]


async def test_a_codec_whose_login_is_its_subscription_is_asked_before_it_is_logged_in() -> None:
    async def script(caller: Caller) -> None:
        await caller.hear()
        await caller.say("ok")
        await caller.hear()

    async with scripted(script) as server, feed_to(server.url, codec=ListCodec) as running:
        await until(lambda: running.feed.is_live)
        assert server.callers[0].heard == ["list good quote AAPL"]
        running.feed.set_wants(frozenset())
        await until(lambda: running.feed.state is IDLE)
        await server.callers[0].socket.wait_closed()
        assert server.callers[0].socket.close_code == 1000


async def test_five_thousand_frames_at_once_are_all_delivered_and_the_loop_stays_free() -> None:
    async def burst(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        for n in range(5000):
            await caller.say(f"quote AAPL {n}")
        await caller.hear()

    turns = 0
    async with scripted(burst) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.is_live)
        while len(running.sink.quotes) < 5000:
            await asyncio.sleep(0)
            turns += 1
        assert [str(event.last) for event in running.sink.quotes] == [str(n) for n in range(5000)]
        assert running.feed.stats.frames >= 5001
    assert turns >= 5000 // BATCH - 1, "the reader gave the loop back in between"


async def test_latency_and_unknown_messages_are_counted() -> None:
    async def script(caller: Caller) -> None:
        await caller.log_in()
        await caller.say("what", "is", "this")
        await caller.hear()
        await caller.hear()

    async with scripted(script) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.stats.counts["unknown"] == 3)
        await until(lambda: running.feed.stats.latency_s == 0.001)


async def test_what_came_before_a_codec_asks_for_everything_anew_is_old_until_it_comes_again() -> None:
    async def script(caller: Caller) -> None:
        await caller.log_in()
        await caller.say("quote AAPL 1.25", "anew")
        await caller.hear()
        await caller.hear()

    async with scripted(script) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        quote, login = running.sink.quotes[0], running.feed.live_since
        await until(lambda: (running.feed.stats.live_since_ns or 0) > quote.ts_recv_ns)
        assert running.feed.is_live
        assert running.feed.live_since == login, "the connection is the same"


@pytest.mark.fault("M15", "Q11", "A20")
async def test_a_dropped_connection_comes_back_with_all_that_is_wanted() -> None:
    async def drop(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        caller.socket.transport.abort()

    async with scripted(drop, behave) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert running.sink.states == [*UP, BACKING_OFF, *UP]
        assert server.callers[1].heard == ["login good", "add quote AAPL"]
        down = running.sink.statuses[3]
        assert down.reason == "connection lost"
        assert down.retry_at_ns is not None
        assert running.feed.stats.reconnects == 1


@pytest.mark.fault("M14", "M16", "A17")
@pytest.mark.parametrize(
    ("code", "said", "reason"),
    [
        (1000, "", "closed by the server (1000)"),
        (1001, "going away", "closed by the server (1001): going away"),
        (1011, "\x1b]52;c;QUFB\x07boom", "closed by the server (1011): boom"),
        (1012, "", "the server restarts (1012)"),
        (1013, "", "the server is busy (1013)"),
        (1008, "policy", "refused by the server (1008): policy"),
        (4001, "bad key", "refused by the server (4001): bad key"),
        (4900, "", "ended by the server (4900)"),
    ],
)
async def test_a_close_by_the_server_is_told_and_retried(code: int, said: str, reason: str) -> None:
    async with scripted(closing(code, said), behave) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert running.sink.states == [*UP, BACKING_OFF, *UP]
        assert running.sink.statuses[3].reason == reason


@pytest.mark.fault("M17", "A18", "A19")
async def test_a_doubtful_close_code_waits_for_the_user_after_three_times() -> None:
    limits = replace(QUICK, healthy_s=10.0)
    async with scripted(closing(4001, "bad key")) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: running.feed.state is FAILED)
        assert len(server.callers) == 3
        assert running.sink.last().remedy
        assert running.provider.asked_for_credential == [False, True, False]


@pytest.mark.fault("M12")
async def test_an_unanswered_door_slammed_again_and_again_backs_off() -> None:
    async def slam(caller: Caller) -> None:
        await caller.log_in()

    limits = replace(QUICK, backoff_base_s=0.01, backoff_cap_s=10.0, healthy_s=10.0)
    async with scripted(slam) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: len(server.callers) == 6)
        delays = [waits_s(status) for status in running.sink.statuses if status.state is BACKING_OFF]
    assert all(0.005 * 2**n - 1e-6 <= delay <= 0.01 * 2**n for n, delay in enumerate(delays)), delays


@pytest.mark.fault("M22", "I4")
async def test_a_feed_that_falls_silent_is_given_up() -> None:
    limits = replace(QUICK, silence_s=0.1)
    async with scripted(mute, behave) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: running.sink.quotes)
        assert running.sink.statuses[3].reason == "no data for 0.1 s"


@pytest.mark.fault("Q2", "A5")
async def test_a_login_without_an_answer_is_given_up() -> None:
    limits = replace(QUICK, login_s=0.1)
    async with scripted(hang, behave) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: running.sink.quotes)
        assert running.sink.states == [CONNECTING, AUTHENTICATING, BACKING_OFF, *UP]
        assert running.sink.statuses[2].reason == "no answer to the login for 0.1 s"


@pytest.mark.fault("M19")
async def test_a_line_that_is_open_on_one_side_only_is_found_by_pings() -> None:
    connect = WebSocketConnector(ping_s=0.1, lost_s=0.1)
    async with half_open_port() as url, feed_to(url, connect=connect, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == "no answer to pings"


async def test_a_message_that_is_too_large_ends_the_connection_and_then_the_attempts() -> None:
    async def shout(caller: Caller) -> None:
        await caller.log_in()
        await caller.say("quote " + "A" * 5000)
        await caller.hear()
        await caller.hear()

    limits = replace(QUICK, max_frame=1000, healthy_s=10.0)
    async with scripted(shout) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: running.feed.state is FAILED)
        assert len(server.callers) == 3
        assert "too large" in running.sink.last().reason


async def test_a_planned_reconnect_is_immediate_but_not_endless() -> None:
    async def bye(caller: Caller) -> None:
        await caller.log_in()
        await caller.say("bye reconnect")
        await caller.hear()
        await caller.hear()

    async with scripted(bye) as server, feed_to(server.url, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF and len(server.callers) == 3)
        await until(lambda: running.sink.last().reason == "told to")
        down = [status for status in running.sink.statuses if status.state is BACKING_OFF]
        assert [waits_s(status) > 1 for status in down] == [False, False, True]


async def test_a_codec_can_give_up() -> None:
    async def bye(caller: Caller) -> None:
        await caller.log_in()
        await caller.say("bye fail")
        await caller.hear()

    async with scripted(bye) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.state is FAILED)
        assert running.sink.last().reason == "told to"


async def test_a_feed_that_waits_for_other_wants_goes_on_with_them_by_itself() -> None:
    async def stuck(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("stuck")
        await caller.hear()

    async with scripted(stuck, behave) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.state is FAILED)
        running.feed.set_wants(APPLE)
        await asyncio.sleep(0.05)
        assert running.feed.state is FAILED
        running.feed.set_wants(frozenset({quote("NVDA")}))
        await until(lambda: running.sink.quotes)


class Vetted(PlainProvider):
    """Looks symbols up before they are asked for, once it is let."""

    async def vet(self, want: Wants) -> None:
        self.vetted = [*getattr(self, "vetted", []), want]
        await self.gate.wait()

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self.gate = asyncio.Event()


async def test_what_is_wanted_is_looked_up_before_it_is_asked_for_and_the_newest_wants_count() -> None:
    async with scripted() as server, feed_to(server.url, kind=Vetted) as running:
        provider = running.provider
        assert isinstance(provider, Vetted)
        await until(lambda: getattr(provider, "vetted", None))
        newer = frozenset({quote("NVDA")})
        running.feed.set_wants(newer)
        assert server.callers[0].heard == ["login good"]
        provider.gate.set()
        await until(lambda: running.sink.quotes)
        assert provider.vetted == [APPLE, newer]
        assert server.callers[0].heard == ["login good", "add quote NVDA"]


async def test_a_look_up_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.feeds.link.VET_S", 0.05)
    async with scripted() as server, feed_to(server.url, kind=Vetted) as running:
        await until(lambda: running.sink.quotes)


@pytest.mark.fault("M31")
async def test_nothing_of_an_old_connection_arrives_after_its_end() -> None:
    async def late(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("bye retry", "quote AAPL 666", "quote AAPL 667")
        await caller.hear()

    async with scripted(late, behave) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert [str(event.last) for event in running.sink.quotes] == ["1.25"]


@pytest.mark.fault("M63")
async def test_a_mistake_in_a_codec_costs_three_restarts_and_then_waits_for_the_user() -> None:
    async def poison(caller: Caller) -> None:
        await caller.log_in()
        await caller.say("bug")
        await caller.hear()

    async with scripted(poison) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.state is FAILED)
        assert len(server.callers) == 4
        assert running.sink.last().reason == "internal error"
        server.scripts = [behave]
        running.feed.retry_now()
        await until(lambda: running.sink.quotes)


@pytest.mark.fault("M21")
async def test_a_jump_of_the_clock_reconnects_at_once() -> None:
    clock = ManualClock()
    async with scripted() as server, feed_to(server.url, clock=clock, limits=PATIENT) as running:
        await until(lambda: running.sink.quotes)
        clock.set_drift(3600.0)
        await until(lambda: len(running.sink.quotes) == 2)
        assert running.sink.states == [*UP, BACKING_OFF, *UP]
        assert "slept" in running.sink.statuses[3].reason
        assert running.sink.statuses[3].retry_at_ns == running.sink.statuses[3].ts_recv_ns


@pytest.mark.fault("M1")
async def test_nobody_there_is_refused_and_retried_until_somebody_is() -> None:
    async with feed_to("ws://127.0.0.1:1/", limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == "connection refused"
        assert running.feed.stats.connects == 0


@pytest.mark.fault("M7", "M8", "M10", "M11", "I12")
@pytest.mark.parametrize(
    ("status", "headers", "state", "reason", "least_s"),
    [
        (401, {}, FAILED, "key rejected (HTTP 401)", 0),
        (403, {}, FAILED, "key rejected (HTTP 403)", 0),
        (404, {}, FAILED, "wrong address (HTTP 404)", 0),
        (429, {"Retry-After": "120"}, BACKING_OFF, "rate limited (HTTP 429)", 120),
        (429, {"Retry-After": "99999999"}, BACKING_OFF, "rate limited (HTTP 429)", 900),
        (429, {}, BACKING_OFF, "rate limited (HTTP 429)", 30),
        (503, {"Retry-After": "70"}, BACKING_OFF, "server trouble (HTTP 503)", 70),
        (200, {}, BACKING_OFF, "captive portal or wrong address (HTTP 200)", 300),
        (302, {"Location": "http://portal.example/"}, BACKING_OFF, "captive portal or wrong address (HTTP 302)", 300),
        (302, {"Location": "wss://other.example/"}, BACKING_OFF, "captive portal or wrong address (HTTP 302)", 300),
    ],
)
async def test_an_upgrade_that_is_answered_with_a_status(
    status: int, headers: dict[str, str], state: FeedState, reason: str, least_s: float
) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), "<html>\x1b[2J</html>")
        for name, value in headers.items():
            response.headers[name] = value
        return response

    async with scripted(process_request=refuse) as server, feed_to(server.url, limits=PATIENT) as running:
        await until(lambda: running.feed.state is state)
        last = running.sink.last()
        assert last.reason == reason
        if state is BACKING_OFF:
            assert least_s <= waits_s(last) < max(least_s, 60) + 1
        else:
            assert last.remedy


@pytest.mark.fault("M8")
async def test_a_rejected_key_is_refreshed_once_and_no_more() -> None:
    asked = 0

    def refuse(connection: ServerConnection, request: Request) -> Response:
        nonlocal asked
        asked += 1
        return connection.respond(HTTPStatus.UNAUTHORIZED, "")

    async with scripted(process_request=refuse) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.state is FAILED)
        assert asked == 2
        assert running.provider.asked_for_credential == [False, True]


async def test_a_redirect_within_the_host_is_followed() -> None:
    def move(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/new":
            return None
        response = connection.respond(HTTPStatus.PERMANENT_REDIRECT, "")
        response.headers["Location"] = "/new"
        return response

    async with scripted(process_request=move) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)


@pytest.mark.fault("M5", "M6")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "closed during the handshake"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not a WebSocket server"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "not a WebSocket server"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "not a WebSocket server"),
    ],
)
async def test_a_server_of_another_kind(said: bytes, reason: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with raw_port(answer) as url, feed_to(url, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == reason


@pytest.mark.fault("M4")
async def test_a_handshake_that_hangs_is_given_up() -> None:
    async with silent_port() as url, feed_to(url, connect=WebSocketConnector(open_s=0.1), limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == "no answer in time"


@pytest.mark.fault("S5")
async def test_an_address_that_leaves_the_machine_in_plain_text_is_not_dialled() -> None:
    async with feed_to("ws://192.0.2.1/") as running:
        await until(lambda: running.feed.state is FAILED)
        assert running.sink.last().reason == "only wss:// leaves this machine"


@pytest.mark.fault("M54")
async def test_a_refused_login_waits_for_the_user_and_tries_again_when_told() -> None:
    async def refuse(caller: Caller) -> None:
        await caller.hear()
        await caller.say("no key rejected")
        await caller.hear()

    async with scripted(refuse, behave) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.state is FAILED)
        last = running.sink.last()
        assert (last.reason, last.remedy) == ("key rejected", "Store a key.")
        assert len(server.callers) == 1
        running.provider.key = "better"
        running.feed.retry_now()
        await until(lambda: running.sink.quotes)
        assert server.callers[1].heard[0] == "login better"


@pytest.mark.fault("M54")
async def test_an_expired_key_is_replaced_once() -> None:
    async def refuse(caller: Caller) -> None:
        await caller.hear()
        await caller.say("no expired")
        await caller.hear()

    async with scripted(refuse, behave) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert [caller.heard[0] for caller in server.callers] == ["login good", "login fresh2"]
    async with scripted(refuse) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.state is FAILED)
        assert [caller.heard[0] for caller in server.callers] == ["login good", "login fresh2"]


async def test_without_a_key_the_feed_waits_for_the_user_and_dials_nobody() -> None:
    def lose_key(provider: PlainProvider) -> None:
        provider.key = None

    async with scripted() as server, feed_to(server.url, prepare=lose_key) as running:
        await until(lambda: running.feed.state is FAILED)
        assert (running.sink.last().reason, running.sink.last().remedy) == ("no key stored", "Store one.")
        assert server.callers == []
        running.provider.key = "good"
        running.feed.retry_now()
        await until(lambda: running.sink.quotes)


async def test_a_login_is_renewed_in_place() -> None:
    async def renew(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("renew")
        await caller.hear()
        await caller.say("ok")
        await caller.hear()

    async with scripted(renew) as server, feed_to(server.url) as running:
        await until(lambda: len(server.callers and server.callers[0].heard) == 3)
        assert server.callers[0].heard[2] == "login fresh2"
        assert running.sink.states == UP


async def test_a_server_that_asks_for_renewal_without_an_end_gets_one_at_a_time() -> None:
    begin = asyncio.Event()

    async def insist(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await begin.wait()
        await caller.say(*["renew"] * 50, "quote AAPL 1.25")
        await caller.hear()

    async with scripted(insist) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.is_live)
        running.provider.locked = asyncio.Event()  # no credential comes for a while
        begin.set()
        await until(lambda: bool(running.sink.quotes))
        assert len(running.provider.asked_for_credential) == 2
        running.provider.locked.set()
        await until(lambda: bool(server.callers[0].heard[2:]))


@pytest.mark.fault("S6", "S20")
async def test_no_key_is_logged_however_much_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def plant(provider: PlainProvider) -> None:
        provider.key = "planted-key"

    async def refuse(caller: Caller) -> None:
        await caller.hear()
        await caller.say("no expired", "nonsense")
        await caller.hear()

    caplog.set_level(logging.DEBUG)
    async with scripted(refuse, behave) as server, feed_to(server.url, prepare=plant) as running:
        await until(lambda: running.sink.quotes)
        assert server.callers[0].heard[0] == "login planted-key"
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")]
    assert any("backing off" in line for line in said)
    assert not any("planted-key" in line for line in said)


async def test_a_refused_subscription_is_remembered_and_the_feed_lives_on() -> None:
    async def picky(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("refused quote AAPL")
        await caller.hear()

    async with scripted(picky) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.refused)
        assert running.feed.refused == APPLE
        assert running.feed.stats.refused == {"quote AAPL": "unknown"}
        assert running.feed.is_live
        running.feed.forgive(quote("AAPL"))
        assert not running.feed.refused
        assert not running.feed.stats.refused


@pytest.mark.fault("M28")
async def test_while_paused_nothing_but_pings_is_sent_and_then_the_newest_wants() -> None:
    async def limit(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("limit 30")
        await caller.serve_quotes()

    clock, limits = ManualClock(), replace(QUICK, silence_s=1000.0)
    async with scripted(limit) as server, feed_to(server.url, clock=clock, limits=limits) as running:
        await until(lambda: running.sink.notices)
        assert running.sink.notices[0].text == "paused for 30 s: too fast"
        heard = server.callers[0].heard
        for number in range(5):
            running.feed.set_wants(frozenset({quote(f"S{number}")}))
            await until_pinged(running.feed)
        assert heard == ["login good", "add quote AAPL"]
        clock.advance(30.0)
        running.feed.set_wants(frozenset({quote("NVDA")}))
        await until(lambda: len(heard) == 4)
        assert heard[2:] == ["drop quote AAPL", "add quote NVDA"]


@pytest.mark.fault("M28")
async def test_subscriptions_keep_to_the_budget_of_their_key() -> None:
    clock = ManualClock()
    limits = replace(QUICK, subscribes_per_minute=3, silence_s=1000.0)
    wants: Wants = frozenset(quote(f"S{number}") for number in range(5))
    limiter = SendLimiter(clock)
    async with scripted() as server, feed_to(server.url, wants, clock=clock, limits=limits, limiter=limiter) as running:
        await until(lambda: len(running.sink.quotes) == 3)
        await until_pinged(running.feed)
        assert len(running.sink.quotes) == 3
        clock.advance(61.0)
        await until(lambda: len(running.sink.quotes) == 5)
        assert len(server.callers[0].heard) == 6


async def test_bars_of_the_past_come_after_the_login_and_after_each_reconnect() -> None:
    past = [a_bar("plain", "AAPL", "1.5", Clock().now_ns())]

    def remember(provider: PlainProvider) -> None:
        provider.past = past

    async with scripted() as server, feed_to(server.url, frozenset({bar("AAPL")}), prepare=remember) as running:
        await until(lambda: bars(running.sink.events))
        assert bars(running.sink.events)[0] == past[0]
        running.feed.set_wants(frozenset({bar("AAPL"), bar("NVDA")}))
        await until(lambda: len(running.provider.asked_for_history) == 2)
        assert running.provider.asked_for_history == [bar("AAPL"), bar("NVDA")]
        running.feed.retry_now()
        await until(lambda: len(running.provider.asked_for_history) == 4)


async def test_a_history_that_fails_is_a_notice_and_the_feed_lives_on() -> None:
    def forget(provider: PlainProvider) -> None:
        provider.past = RestError("rest.example: HTTP 500", status=500)

    async with scripted() as server, feed_to(server.url, frozenset({bar("AAPL")}), prepare=forget) as running:
        await until(lambda: running.sink.notices)
        notice = running.sink.notices[0]
        assert notice.severity is Severity.INFO
        assert notice.text == "no history of bar AAPL 1m: rest.example: HTTP 500"
        assert notice.subscription == bar("AAPL")
        assert running.feed.is_live


@pytest.mark.fault("M30")
async def test_wants_that_change_while_reconnecting_are_the_ones_that_count() -> None:
    limits = replace(QUICK, backoff_base_s=0.1, backoff_cap_s=0.1)
    async with scripted(closing(1012), behave) as server, feed_to(server.url, limits=limits) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        running.feed.set_wants(frozenset({quote("NVDA"), quote("TSLA")}))
        await until(lambda: len(running.sink.quotes) == 2)
        assert server.callers[1].heard == ["login good", "add quote NVDA", "add quote TSLA"]


async def test_a_retry_ends_the_back_off() -> None:
    async with scripted(closing(1012), behave) as server, feed_to(server.url, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        running.feed.retry_now()
        await until(lambda: running.sink.quotes)


async def test_going_idle_and_back_does_not_shorten_the_back_off() -> None:
    async with scripted(closing(1012), behave) as server, feed_to(server.url, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        running.feed.set_wants(frozenset())
        await until(lambda: running.feed.state is IDLE)
        running.feed.set_wants(APPLE)
        await asyncio.sleep(0.1)
        assert len(server.callers) == 1


@pytest.mark.fault("M74")
@pytest.mark.parametrize("moment", ["idle", "credential", "handshake", "login", "live", "backing off", "failed"])
async def test_a_feed_stops_at_any_moment_well_within_two_seconds(moment: str) -> None:
    async with (
        silent_port() as silent,
        scripted(closing(1012)) as closes,
        scripted(hang) as hangs,
        scripted() as good,
    ):
        url, state = {
            "idle": (good.url, IDLE),
            "credential": (good.url, CONNECTING),
            "handshake": (silent, CONNECTING),
            "login": (hangs.url, AUTHENTICATING),
            "live": (good.url, LIVE),
            "backing off": (closes.url, BACKING_OFF),
            "failed": ("ws://192.0.2.1/", FAILED),
        }[moment]

        def prepare(provider: PlainProvider) -> None:
            provider.locked = asyncio.Event() if moment == "credential" else None

        async with feed_to(url, NOTHING if moment == "idle" else APPLE, limits=PATIENT, prepare=prepare) as running:
            await until(lambda: running.feed.state is state)
            started = time.monotonic()
    assert time.monotonic() - started < 1.0
    assert running.feed.state is IDLE


@pytest.mark.fault("M74")
async def test_a_peer_that_does_not_answer_the_close_does_not_hold_up_the_end() -> None:
    async with half_open_port() as url:
        async with feed_to(url) as running:
            await until(lambda: running.feed.state is AUTHENTICATING)
            started = time.monotonic()
        assert time.monotonic() - started < 2.0


async def test_a_cancelled_feed_closes_with_1000_and_is_idle() -> None:
    async with scripted() as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        running.task.cancel()
        await asyncio.wait({running.task})
        assert running.task.cancelled()
        await server.callers[0].socket.wait_closed()
        assert server.callers[0].socket.close_code == 1000
        assert running.sink.states == [*UP, IDLE]


def waits_s(status: Status) -> float:
    """Seconds that a feed which backs off will wait."""
    assert status.retry_at_ns is not None
    return (status.retry_at_ns - status.ts_recv_ns) / 1e9


async def until_pinged(feed: FeedConnection) -> None:
    """Until two more frames came: the sender has had its turn."""
    seen = feed.stats.frames
    await until(lambda: feed.stats.frames > seen + 1)


def bars(events: list[Any]) -> list[Bar]:
    return [event for event in events if isinstance(event, Bar) and event.symbol == Symbol("AAPL")]
