"""TLS, proxies and redirects of the real socket, and the policy for what cannot be provoked here."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from websockets.exceptions import InvalidProxy, InvalidURI

from tests.feeds.plain import PATIENT, Caller, feed_to, scripted, until
from tests.feeds.raw import raw_port
from tui.errors import CredentialError, RestError
from tui.feeds.outcome import SLOW_S, classify
from tui.feeds.transport import WAITING, WAITING_COMPRESSED, WebSocketConnector
from tui.market.terms import FeedState
from tui.providers.base import Channel, Limits, Then

LARGEST_READ = 256 * 1024
FAR_PAST = datetime.now(UTC) - timedelta(days=2)


def server_context(authority: trustme.CA, host: str = "127.0.0.1", not_after: datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, not_after=not_after).configure_cert(context)
    return context


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


async def why_not(url: str, ca_file: Path | None) -> tuple[str, float]:
    """The reason and delay that a feed gives up a dial with."""
    async with feed_to(url, limits=PATIENT, connect=WebSocketConnector(ca_file=ca_file)) as running:
        await until(lambda: running.feed.state is FeedState.BACKING_OFF)
        last = running.sink.last()
        assert last.retry_at_ns is not None
        assert running.feed.stats.connects == 0
        return last.reason, (last.retry_at_ns - last.ts_recv_ns) / 1e9


async def test_a_certificate_of_our_own_authority_is_trusted_when_the_settings_say_so(
    authority: trustme.CA, ca_file: Path
) -> None:
    connect = WebSocketConnector(ca_file=ca_file)
    async with scripted(ssl=server_context(authority)) as server, feed_to(server.url, connect=connect) as running:
        await until(lambda: running.sink.quotes)


@pytest.mark.fault("M58", "S4")
async def test_an_unknown_authority_is_not_trusted(authority: trustme.CA) -> None:
    async with scripted(ssl=server_context(authority)) as server:
        reason, delay_s = await why_not(server.url, None)
        assert (reason, round(delay_s)) == ("certificate not trusted", SLOW_S)
        assert server.callers == []


@pytest.mark.fault("M58", "S4")
async def test_a_certificate_of_another_host_is_not_trusted(authority: trustme.CA, ca_file: Path) -> None:
    async with scripted(ssl=server_context(authority, "elsewhere.example")) as server:
        reason, delay_s = await why_not(server.url, ca_file)
    assert (reason, round(delay_s)) == ("certificate of another host", SLOW_S)


@pytest.mark.fault("M58", "S4")
async def test_an_expired_certificate_is_not_trusted(authority: trustme.CA, ca_file: Path) -> None:
    async with scripted(ssl=server_context(authority, not_after=FAR_PAST)) as server:
        reason, delay_s = await why_not(server.url, ca_file)
    assert (reason, round(delay_s)) == ("certificate expired", SLOW_S)


@pytest.mark.fault("M58")
async def test_a_port_without_tls_is_not_spoken_to(ca_file: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with raw_port(answer) as url:
        reason, delay_s = await why_not(url.replace("ws://", "wss://"), ca_file)
    assert (reason, round(delay_s)) == ("TLS could not be agreed on", SLOW_S)


async def test_a_ca_file_that_cannot_be_read_waits_for_the_user(tmp_path: Path) -> None:
    connect = WebSocketConnector(ca_file=tmp_path / "none.pem")
    async with feed_to("wss://127.0.0.1:1/", connect=connect) as running:
        await until(lambda: running.feed.state is FeedState.FAILED)
        assert running.sink.last().reason == "ca_file cannot be used: No such file or directory"


class Proxy:
    """Knows every host as a port of this machine."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []


@asynccontextmanager
async def proxy(target: int, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> AsyncIterator[Proxy]:
    here: list[Proxy] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        here[0].asked.append(head.decode().split("\r\n")[0])
        writer.write(answer)
        if b" 200 " not in answer:
            writer.close()
            return
        to_server, from_client = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pipe(reader, from_client), pipe(to_server, writer))

    async with raw_port(handle) as url:
        here.append(Proxy(url.replace("ws://", "http://").rstrip("/")))
        yield here[0]


@pytest.mark.fault("M59")
async def test_a_proxy_is_asked_for_the_host_and_certificates_are_checked_through_it(
    authority: trustme.CA, ca_file: Path
) -> None:
    async with scripted(ssl=server_context(authority, "data.example")) as server:
        port = int(server.url.rstrip("/").rpartition(":")[2])
        async with proxy(port) as through:
            connect = WebSocketConnector(proxy=through.url, ca_file=ca_file)
            async with feed_to("wss://data.example/v1", connect=connect) as running:
                await until(lambda: running.sink.quotes)
            assert through.asked == ["CONNECT data.example:443 HTTP/1.1"]


@pytest.mark.fault("M59")
@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (b"HTTP/1.1 407 Auth\r\n\r\n", FeedState.FAILED, "the proxy wants a login (HTTP 407)"),
        (b"HTTP/1.1 502 Bad\r\n\r\n", FeedState.BACKING_OFF, "the proxy refuses (HTTP 502)"),
        (b"hello\r\n", FeedState.BACKING_OFF, "the proxy does not answer as one"),
    ],
)
async def test_a_proxy_that_refuses_is_named_and_not_gone_around(answer: bytes, state: FeedState, reason: str) -> None:
    async with proxy(1, answer) as through:
        connect = WebSocketConnector(proxy=through.url)
        async with feed_to("wss://data.example/v1", connect=connect, limits=PATIENT) as running:
            await until(lambda: running.feed.state is state)
            assert running.sink.last().reason == reason


async def test_this_machine_is_never_reached_through_a_proxy() -> None:
    async with proxy(1) as through, scripted() as server:
        async with feed_to(server.url, connect=WebSocketConnector(proxy=through.url)) as running:
            await until(lambda: running.sink.quotes)
        assert through.asked == []


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "ws_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with scripted() as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)


@pytest.mark.parametrize("compression", [True, False])
async def test_compression_is_offered_when_the_channel_wants_it(compression: bool) -> None:
    async with scripted(compression="deflate") as server:
        channel = Channel("main", frozenset(), server.url, Limits(), compression=compression)
        transport = await WebSocketConnector()(channel)
        await until(lambda: server.callers)
        offered = server.callers[0].socket.request.headers.get("Sec-WebSocket-Extensions", "")  # type: ignore[union-attr]
        await transport.close()
    assert ("permessage-deflate" in offered) is compression


def many(*causes: str) -> OSError:
    return OSError("Multiple exceptions: " + ", ".join(causes))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "host name not found"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "host name not found"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "network unreachable"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "host unreachable"),
        (ConnectionResetError(), "connection reset"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "connection reset"),
        (TimeoutError("timed out during opening handshake"), "no answer in time"),
        (OSError(errno.EMFILE, "Too many open files"), "too many open files"),
        (many("[Errno 111] Connect call failed ('::1', 1)", "[Errno 111] ..."), "connection refused"),
        (ssl.SSLEOFError(), "closed during the TLS handshake"),
    ],
)
def test_trouble_of_the_network_is_retried_with_a_plain_reason(error: Exception, reason: str) -> None:
    outcome = classify(error, "plain")
    assert (outcome.then, outcome.reason, outcome.delay_s) == (Then.RETRY, reason, 0.0)


@pytest.mark.parametrize(
    ("error", "then", "delay_s"),
    [
        (RestError("h: HTTP 401", status=401), Then.FAIL, 0.0),
        (RestError("h: HTTP 429", status=429, retry_after_s=12.0), Then.RETRY, 12.0),
        (RestError("h: HTTP 429", status=429), Then.RETRY, 30.0),
        (RestError("h: HTTP 503", status=503), Then.RETRY, 0.0),
        (RestError("h: no answer in time"), Then.RETRY, 0.0),
        (CredentialError("no key stored"), Then.FAIL, 0.0),
    ],
)
def test_credentials_that_do_not_come_are_retried_or_asked_for(error: Exception, then: Then, delay_s: float) -> None:
    outcome = classify(error, "plain")
    assert (outcome.then, outcome.reason, outcome.delay_s) == (then, str(error), delay_s)
    assert bool(outcome.remedy) is (then is Then.FAIL)


@pytest.mark.parametrize("error", [InvalidURI("wss://h/?key=planted", "no"), InvalidProxy("http://u:planted@h", "no")])
def test_addresses_that_are_none_are_not_repeated(error: Exception) -> None:
    outcome = classify(error)
    assert outcome.then is Then.FAIL
    assert "planted" not in outcome.reason + outcome.remedy


@pytest.mark.fault("M59")
def test_a_socks_proxy_without_its_package_says_which() -> None:
    outcome = classify(ImportError("connecting through a SOCKS proxy requires python-socks"))
    assert (outcome.then, outcome.remedy) == (Then.FAIL, 'Run: pip install "tickdeck[socks]"')


def test_anything_else_is_our_own_mistake() -> None:
    outcome = classify(ZeroDivisionError())
    assert (outcome.reason, outcome.is_bug, outcome.patience) == ("internal error", True, 4)


async def flood(caller: Caller) -> None:
    """As many small frames as the other side takes."""
    while True:
        await caller.say(*(["quote AAPL 1.5" + " " * 1000] * 100))


@pytest.mark.parametrize(("compression", "most"), [(False, WAITING), (True, WAITING_COMPRESSED)])
async def test_frames_that_nobody_takes_are_soon_left_at_the_other_side(compression: bool, most: int) -> None:
    async with scripted(flood, compression=None) as server:
        transport = await WebSocketConnector()(
            Channel("main", frozenset(), server.url, Limits(), compression=compression)
        )
        waiting = transport._socket.recv_messages
        await until(lambda: waiting.paused)
        assert most < len(waiting.frames) <= most + LARGEST_READ / 1000
        await transport.close()
