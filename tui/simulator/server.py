"""The simulator's server: every provider's dialect on one seeded market, over real sockets on 127.0.0.1.

WebSockets come to one port, a path a channel; REST calls to another. The market moves in real time, ten steps a
second, and what the conversations say about it goes to their clients. Faults: see `faults.py`.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from importlib.util import find_spec
from itertools import count
from types import TracebackType
from typing import Any, Final, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request as Upgrade
from websockets.http11 import Response as Rejection

from tui.clock import Clock
from tui.providers import providers
from tui.simulator.dialect import Dialect, Request, Response
from tui.simulator.faults import NOISE, Fault, FaultKind, FaultLevel, FaultPlan, hostile_news
from tui.simulator.link import Link
from tui.simulator.market import STEP_NS, Change, SimulatedMarket
from tui.simulator.rest import RestServer

logger = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.CRITICAL)  # a client's garbage is no trouble of ours

HOST: Final = "127.0.0.1"
STEP_S: Final = 0.1
MAX_REQUEST: Final = 1024 * 1024
"""Largest frame a client may send, in bytes."""
REST_PORTS: Final = 50
"""How many ports after the WebSocket port are tried for REST, before any other."""
CLOSES: Final = (1001, 1013)


def dialects() -> list[type[Dialect]]:
    """The dialect of every installed provider whose package has a `simulator` module, by provider name."""
    found: dict[str, type[Dialect]] = {}
    for provider in providers().values():
        package = importlib.import_module(provider.__module__).__package__ or provider.__module__
        if find_spec(f"{package}.simulator") is None:
            continue
        module = importlib.import_module(f"{package}.simulator")
        for _, each in inspect.getmembers(module, inspect.isclass):
            if issubclass(each, Dialect) and not inspect.isabstract(each):
                found[each.provider] = each
    return [found[name] for name in sorted(found)]


class SimulatorServer:
    """The server. `async with` starts and stops it.

    Args:
        port: For WebSockets; REST takes the next free one. 0 takes any two.
        seed: The same seed, the same market and the same faults.
        rate: How many times busier than usual.
        faults: How much goes wrong.
        speaks: Dialects to serve; None for those of all installed providers.
        clock: What time it is.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 7,
        rate: float = 1.0,
        faults: FaultLevel = FaultLevel.NONE,
        speaks: Iterable[type[Dialect]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.market = SimulatedMarket(seed, self.clock.now_ns(), rate)
        self.dialects = {each.provider: each(self.market) for each in (dialects() if speaks is None else speaks)}
        self.port = port
        self._plan = FaultPlan(faults, seed, self.clock.now_ns())
        self._routes = {
            path: (dialect, channel) for dialect in self.dialects.values() for path, channel in dialect.paths.items()
        }
        self._links: set[Link] = set()
        self._refusing: dict[str, float] = {}
        self._rest = RestServer(self._answer)
        self._server: Server | None = None
        self._pump: asyncio.Task[None] | None = None
        self._later: set[asyncio.TimerHandle] = set()
        self._headlines = count()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, and let the market move.

        Raises:
            OSError: the port is taken.
        """
        self._server = await serve(
            self._converse,
            HOST,
            self.port,
            process_request=self._admit,
            max_size=MAX_REQUEST,
            ping_interval=None,
            close_timeout=1,
            logger=_quiet,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        try:
            await self._rest.start([*range(self.port + 1, min(self.port + 1 + REST_PORTS, 65536)), 0])
        except OSError:
            await self.stop()
            raise
        self._pump = asyncio.create_task(self._run_market(), name="simulator market")

    async def stop(self) -> None:
        """Close every connection with 1001 and stop listening."""
        for timer in self._later:
            timer.cancel()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait({self._pump})
        for link in self._links:
            link.thaw()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self._rest.stop()

    @property
    def ws_base(self) -> str:
        """`ws://127.0.0.1:8765`."""
        return f"ws://{HOST}:{self.port}"

    @property
    def http_base(self) -> str:
        """`http://127.0.0.1:8766`."""
        return f"http://{HOST}:{self._rest.port}"

    def settings(self) -> dict[str, dict[str, Any]]:
        """Settings by provider that point here."""
        return {name: each.settings(self.ws_base, self.http_base) for name, each in self.dialects.items()}

    def credentials(self) -> dict[str, dict[str, str]]:
        """Accepted credentials: value by field by provider."""
        return {name: dict(each.credentials) for name, each in self.dialects.items()}

    def violations(self) -> dict[str, Counter[str]]:
        """What clients did that a protocol forbids, by provider; empty when all behaved."""
        return {name: Counter(each.violations) for name, each in self.dialects.items() if each.violations}

    def links(self, provider: str | None = None, channel: str | None = None) -> list[Link]:
        """Open connections in a fixed order, of one provider and channel or of all."""
        chosen = [
            link
            for link in self._links
            if provider in (None, link.provider) and channel in (None, link.channel) and not link.is_ending
        ]
        return sorted(chosen, key=lambda link: (link.provider, link.channel, link.number))

    def drop(self, provider: str | None = None, channel: str | None = None, *, code: int | None = None) -> int:
        """Cut connections without a word, or close them with a code. Returns how many."""
        links = self.links(provider, channel)
        for link in links:
            link.abort() if code is None else link.hang_up(code)
        return len(links)

    def freeze(self, provider: str | None = None, channel: str | None = None, *, seconds: float = 30.0) -> int:
        """Let connections go half open for a while. Returns how many."""
        links = self.links(provider, channel)
        for link in links:
            link.freeze()
            self._after(seconds, link.thaw)
        return len(links)

    def refuse(self, provider: str, seconds: float) -> None:
        """Answer upgrades of a provider with 503 for a while."""
        self._refusing[provider] = self.clock.monotonic() + seconds

    def is_refusing(self, provider: str) -> bool:
        """Whether upgrades of a provider are answered with 503 at present."""
        return self._refusing.get(provider, 0.0) > self.clock.monotonic()

    def publish_hostile_news(self) -> None:
        """Send news that must arrive as harmless text."""
        now_ns = self.clock.now_ns()
        self._tell([hostile_news(next(self._headlines), now_ns)], now_ns)

    def cause(self, fault: Fault) -> None:
        """Let something go wrong on one connection, if there is any."""
        if fault.kind is FaultKind.HEADLINE:
            self.publish_hostile_news()
            return
        if not (links := self.links()):
            return
        choice = int(fault.draw * 1e6)
        link = links[choice % len(links)]
        logger.info("fault: %s on %s:%s for %.0f s", fault.kind, link.provider, link.channel, fault.seconds)
        match fault.kind:
            case FaultKind.DROP:
                _drop(link, choice)
            case FaultKind.REFUSE:
                self.refuse(link.provider, fault.seconds)
                _drop(link, choice)
            case FaultKind.FREEZE:
                link.freeze()
                self._after(fault.seconds, link.thaw)
            case FaultKind.SLOW:
                link.delay(0.3 + 1.7 * fault.draw)
                self._after(fault.seconds, lambda: link.delay(0.0))
            case FaultKind.GARBLE:
                link.garble(is_cut=choice % 2 == 0)
            case FaultKind.NOISE if choice % 2:
                link.cut_next()
            case FaultKind.NOISE:
                link.insert(NOISE[choice // 2 % len(NOISE)])

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        def fire() -> None:
            self._later.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self._later.add(timer)

    def _admit(self, connection: ServerConnection, upgrade: Upgrade) -> Rejection | None:
        route = self._routes.get(upgrade.path.partition("?")[0])
        if route is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "no such channel\n")
        if self.is_refusing(provider := route[0].provider):
            left_s = self._refusing[provider] - self.clock.monotonic()
            rejection = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "try again later\n")
            rejection.headers["Retry-After"] = str(max(1, round(left_s)))
            return rejection
        return None

    async def _converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        dialect, channel = self._routes[socket.request.path.partition("?")[0]]
        link = Link(socket, dialect.conversation(channel), dialect.provider, channel, self.clock.now_ns)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    def _answer(self, request: Request) -> Response:
        for dialect in self.dialects.values():
            path = request.path.removeprefix(dialect.rest_prefix)
            if path != request.path and path.startswith("/"):
                return dialect.rest(Request(request.method, path, request.query, request.headers, request.body))
        return Response({"error": "not found"}, status=HTTPStatus.NOT_FOUND)

    async def _run_market(self) -> None:
        """Move the market on a steady beat, and let go wrong what is due."""
        loop = asyncio.get_running_loop()
        beat = loop.time()
        while True:
            try:
                await self._catch_up()
                for fault in self._plan.due(self.clock.now_ns()):
                    self.cause(fault)
            except Exception:
                logger.exception("a step of the market failed")
            beat = max(beat + STEP_S, loop.time())
            await asyncio.sleep(beat - loop.time())

    async def _catch_up(self) -> None:
        """Move the market to now, a step at a time: after several at once, quotes would be ahead of trades.

        At least one call to the conversations is made, as time passes for them too.
        """
        self._step()
        while self.market.now_ns + STEP_NS <= self.clock.now_ns():
            await asyncio.sleep(0)  # after a suspend there are many
            self._step()

    def _step(self) -> None:
        now_ns = self.clock.now_ns()
        self._tell(self.market.advance(min(now_ns, self.market.now_ns + STEP_NS)), now_ns)

    def _tell(self, changes: Sequence[Change], now_ns: int) -> None:
        for link in list(self._links):
            link.changed(changes, now_ns)


def _drop(link: Link, choice: int) -> None:
    """Reset the connection, or close it with one of the codes of a server that goes away."""
    variant = choice % (len(CLOSES) + 1)
    if variant == len(CLOSES):
        link.abort()
    else:
        link.hang_up(CLOSES[variant], "going away")
