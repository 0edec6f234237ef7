"""A provider with a protocol of one line a message, and a server for it that follows a script.

Client: `login KEY`, `add quote AAPL`, `drop quote AAPL`, `ping`. Server: `ok`, `no REASON`, `quote AAPL 1.25`,
`bar AAPL 1.25`, `refused quote ZZZ`, `limit SECONDS`, `renew`, `anew`, `pong`, `bye THEN`, `stuck`, `bug`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

from pydantic import SecretStr
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tui.clock import Clock
from tui.errors import CredentialError
from tui.feeds.connection import FeedConnection
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.feeds.transport import WebSocketConnector
from tui.market.events import Bar, BookSnapshot, Event, Notice, Quote, Status
from tui.market.health import FeedStats
from tui.market.names import Interval, Kind, Subscription, Symbol, Wants
from tui.market.terms import FeedState
from tui.providers.base import (
    Channel,
    Close,
    Codec,
    Count,
    Credential,
    CredentialField,
    Latency,
    Limits,
    LoggedIn,
    LoginRefused,
    Output,
    Pause,
    Provider,
    ProviderContext,
    ProviderSettings,
    Renew,
    Resubscribing,
    Send,
    SymbolMatch,
    Then,
)

QUICK = Limits(
    subscribes_per_minute=1000,
    settle_s=0.0,
    linger_s=0.0,
    silence_s=5.0,
    login_s=5.0,
    backoff_base_s=0.01,
    backoff_cap_s=0.05,
    healthy_s=0.05,
)
PATIENT = replace(QUICK, backoff_base_s=60.0, backoff_cap_s=60.0)
"""Backs off for so long that a test sees the state."""


def quote(symbol: str) -> Subscription:
    return Subscription(Kind.QUOTE, Symbol(symbol))


def bar(symbol: str) -> Subscription:
    return Subscription(Kind.BAR, Symbol(symbol), Interval.M1)


APPLE: Wants = frozenset({quote("AAPL")})


class PlainSettings(ProviderSettings):
    url: str = "ws://127.0.0.1:1/"


class PlainCodec(Codec):
    def __init__(self, key: str, source: str) -> None:
        self.key = key
        self.source = source
        self.have: Wants = frozenset()

    def opened(self, now_ns: int) -> Output:
        return [Send(f"login {self.key}", "login", recorded="login ***")]

    def wanted(self, want: Wants, now_ns: int) -> Output:
        drops = [Send(f"drop {s}", "unsubscribe") for s in sorted(self.have - want, key=str)]
        adds = [Send(f"add {s}", "subscribe") for s in sorted(want - self.have, key=str)]
        self.have = want
        return [*drops, *adds]

    def received(self, frame: str | bytes, ts_recv_ns: int) -> Iterator[Any]:
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        word, _, rest = text.partition(" ")
        match word:
            case "ok":
                yield LoggedIn(rest)
            case "no":
                yield LoginRefused(rest, "Store a key.", refresh=rest == "expired")
            case "quote":
                symbol, price = rest.split()
                yield Quote(source=self.source, ts_recv_ns=ts_recv_ns, symbol=Symbol(symbol), last=Decimal(price))
            case "bar":
                symbol, price = rest.split()
                yield a_bar(self.source, symbol, price, ts_recv_ns)
            case "refused":
                kind, symbol = rest.split()
                refused = Subscription(Kind(kind), Symbol(symbol))
                yield Notice(
                    source=self.source, ts_recv_ns=ts_recv_ns, text="unknown", subscription=refused, refused=True
                )
            case "limit":
                yield Pause(float(rest), "too fast")
            case "renew":
                yield Renew()
            case "anew":
                yield Resubscribing()
            case "pong":
                yield Latency(0.001)
            case "bye":
                yield Close("told to", Then(rest))
            case "stuck":
                yield Close("told to", Then.FAIL, until_change=True)
            case "bug":
                raise KeyError("a mistake of the codec")
            case "noise":
                yield Count("undecodable", sample=text)
            case _:
                yield Count("unknown", sample=text)

    def ticked(self, now_ns: int) -> Output:
        return [Send("ping", "ping")]

    def renewed(self, credential: Credential, now_ns: int) -> Output:
        return [Send(f"login {credential.secret.get_secret_value()}", "login", recorded="login ***")]


class ListCodec(PlainCodec):
    """Its first subscription is its login, and each one is the complete list."""

    login_is_subscription = True

    def opened(self, now_ns: int) -> Output:
        return []

    def wanted(self, want: Wants, now_ns: int) -> Output:
        if not want:
            return [Close("nothing wanted", Then.IDLE)]
        return [Send(f"list {self.key} " + ",".join(sorted(map(str, want))), "login", recorded="list ***")]


class PlainProvider(Provider):
    name: ClassVar[str] = "plain"
    title: ClassVar[str] = "Plain"
    settings_model = PlainSettings
    credential_fields: ClassVar[tuple[CredentialField, ...]] = ()
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.QUOTE, Kind.BAR, Kind.BOOK})
    limits: Limits = QUICK
    codec_type: type[PlainCodec] = PlainCodec

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self.key: str | None = "good"
        self.asked_for_credential: list[bool] = []
        self.asked_for_history: list[Subscription] = []
        self.past: Sequence[Bar] | Exception = ()
        self.found: Sequence[SymbolMatch] | Exception = ()
        self.locked: asyncio.Event | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        return (Channel("main", self.kinds, self.context.settings.url, self.limits),)

    def carries(self, subscription: Subscription) -> bool:
        return subscription.symbol is None or not subscription.symbol.startswith("NOT")

    def codec(self, channel: str, credential: Credential) -> Codec:
        return self.codec_type(credential.secret.get_secret_value(), self.name)

    async def credential(self, channel: str, *, fresh: bool = False) -> Credential:
        self.asked_for_credential.append(fresh)
        if self.locked is not None:
            await self.locked.wait()
        if self.key is None:
            raise CredentialError("no key stored", remedy="Store one.")
        return Credential(SecretStr(f"fresh{len(self.asked_for_credential)}" if fresh else self.key))

    async def history(self, subscription: Subscription, count: int) -> list[Bar]:
        self.asked_for_history.append(subscription)
        if isinstance(self.past, Exception):
            raise self.past
        return list(self.past)

    async def search(self, query: str, limit: int = 20) -> list[SymbolMatch]:
        if isinstance(self.found, Exception):
            raise self.found
        return list(self.found)


def a_bar(source: str, symbol: str, price: str, ts_ns: int) -> Bar:
    value = Decimal(price)
    return Bar(
        source=source, ts_recv_ns=ts_ns, symbol=Symbol(symbol), interval=Interval.M1,
        start_ns=Interval.M1.start_of(ts_ns), open=value, high=value, low=value, close=value,
    )  # fmt: skip


def a_book(source: str, symbol: str, ts_ns: int) -> BookSnapshot:
    return BookSnapshot(source=source, ts_recv_ns=ts_ns, symbol=Symbol(symbol), bids=(), asks=())


class NoSecrets:
    async def get(self, provider: str, field: str) -> SecretStr | None:
        return None

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        raise AssertionError("nothing is to be stored here")


class NoHttp:
    async def get(self, url: str, **options: Any) -> Any:
        raise AssertionError(f"nobody should call {url}")

    async def post(self, url: str, **options: Any) -> Any:
        raise AssertionError(f"nobody should call {url}")


def context(url: str, clock: Clock | None = None) -> ProviderContext:
    return ProviderContext(PlainSettings(url=url), NoSecrets(), NoHttp(), (clock or Clock()).now_ns)


Script = Callable[["Caller"], Awaitable[None]]


class Caller:
    """One connection as the script sees it."""

    def __init__(self, socket: ServerConnection, number: int) -> None:
        self.socket = socket
        self.number = number
        self.heard: list[str] = []

    async def hear(self) -> str:
        """The next message that is no ping."""
        while (text := str(await self.socket.recv())) == "ping":
            await self.socket.send("pong")
        self.heard.append(text)
        return text

    async def say(self, *lines: str) -> None:
        for line in lines:
            await self.socket.send(line)

    async def log_in(self) -> str:
        login = await self.hear()
        await self.say("ok")
        return login

    async def serve_quotes(self) -> None:
        """Answer each subscription with one quote, until the client goes."""
        while True:
            word, _, rest = (await self.hear()).partition(" ")
            if word == "add":
                kind, symbol, *_ = rest.split()
                await self.say(f"{kind} {symbol} 1.25")


async def behave(caller: Caller) -> None:
    """What a healthy server does."""
    await caller.log_in()
    await caller.serve_quotes()


class ScriptedServer:
    """Runs the next script for each connection, the last one again and again."""

    def __init__(self, server: Server, scripts: Sequence[Script], scheme: str = "ws") -> None:
        self.url = f"{scheme}://127.0.0.1:{port_of(server)}/"
        self.server = server
        self.scripts = scripts
        self.callers: list[Caller] = []


@asynccontextmanager
async def scripted(*scripts: Script, **options: Any) -> AsyncIterator[ScriptedServer]:
    """A server on a free port of this machine."""
    running: list[ScriptedServer] = []

    async def answer(socket: ServerConnection) -> None:
        here = running[0]
        caller = Caller(socket, len(here.callers))
        here.callers.append(caller)
        with suppress(ConnectionClosed):
            await here.scripts[min(caller.number, len(here.scripts) - 1)](caller)

    async with serve(answer, "127.0.0.1", 0, **options) as server:
        running.append(ScriptedServer(server, scripts or (behave,), "wss" if "ssl" in options else "ws"))
        yield running[0]


def port_of(server: Any) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


class Sink:
    """Keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def statuses(self) -> list[Status]:
        return [event for event in self.events if isinstance(event, Status)]

    @property
    def states(self) -> list[FeedState]:
        return [status.state for status in self.statuses]

    @property
    def quotes(self) -> list[Quote]:
        return [event for event in self.events if isinstance(event, Quote)]

    @property
    def notices(self) -> list[Notice]:
        return [event for event in self.events if isinstance(event, Notice)]

    def last(self) -> Status:
        return self.statuses[-1]


class Running:
    """A feed that runs, and what came out of it."""

    def __init__(self, feed: FeedConnection, provider: PlainProvider, sink: Sink, task: asyncio.Task[None]) -> None:
        self.feed = feed
        self.task = task
        self.provider = provider
        self.sink = sink


@asynccontextmanager
async def feed_to(
    url: str,
    wants: Wants = APPLE,
    *,
    limits: Limits = QUICK,
    clock: Clock | None = None,
    kind: type[PlainProvider] = PlainProvider,
    codec: type[PlainCodec] = PlainCodec,
    tick_s: float = 0.02,
    connect: Any = None,
    prepare: Callable[[PlainProvider], None] = lambda provider: None,
    limiter: SendLimiter | None = None,
) -> AsyncIterator[Running]:
    """Run a feed to a server; on leaving it is stopped, and must have ended."""
    clock = clock or Clock()
    provider = kind(context(url, clock))
    provider.limits, provider.codec_type = limits, codec
    prepare(provider)
    sink = Sink()
    feed = FeedConnection(
        provider, provider.channels[0], sink, FeedStats(), clock, limiter or SendLimiter(clock), Random(7),
        connect or WebSocketConnector(), DialLimiter(clock, 1000), tick_s=tick_s,
    )  # fmt: skip
    feed.set_wants(wants)
    task = asyncio.create_task(feed.run())
    try:
        yield Running(feed, provider, sink, task)
    finally:
        await feed.stop()
        await asyncio.wait({task}, timeout=1)
        assert task.done(), "the feed did not stop in time"
        if not task.cancelled():
            task.result()


async def until(is_true: Callable[[], object], limit_s: float = 5.0) -> None:
    """Wait for a condition, not for a time."""
    async with asyncio.timeout(limit_s):
        while not is_true():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
