"""A simulator and feeds that share one clock: minutes pass in seconds, sockets are real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from tui.clock import ManualClock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds.connection import FeedConnection
from tui.feeds.hub import FeedHub
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.market.events import Event, Status
from tui.market.health import FeedStats
from tui.market.names import Interval, Kind, Subscription, Symbol, Wants
from tui.market.store import MarketStore
from tui.providers import providers
from tui.providers.base import Provider, ProviderContext
from tui.rest import RestClient
from tui.simulator.server import SimulatorServer

STEP_S = 0.1
SETTLE_S = 0.002
"""Real time that sockets are given for each step."""


class World:
    """One server, one clock."""

    def __init__(self, server: SimulatorServer, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.http = RestClient()

    async def pass_time(self, seconds: float, *, each_s: float = STEP_S) -> None:
        """Let virtual time pass in steps."""
        for _ in range(round(seconds / each_s)):
            self.clock.advance(each_s)
            await asyncio.sleep(SETTLE_S)

    async def pass_until(self, holds: Callable[[], object], seconds: float = 60.0) -> None:
        """Let virtual time pass until something is true, within a limit."""
        for _ in range(round(seconds / STEP_S)):
            if holds():
                return
            await self.pass_time(STEP_S)
        assert holds(), f"not within {seconds:g} virtual seconds"

    def provider(
        self, name: str, *, state_dir: Path | None = None, secrets: FixedSecrets | None = None, **settings: Any
    ) -> Provider:
        """A provider that is pointed at the server, as a program of its own."""
        kind = providers()[name]
        model = kind.settings_model.model_validate(self.server.settings()[name] | settings)
        stored = secrets or FixedSecrets(self.server.credentials())
        return kind(ProviderContext(model, stored, self.http, self.clock.now_ns, state_dir=state_dir))

    def hub(self, only: Mapping[str, Mapping[str, Any]], *, state_dir: Path | None = None) -> FeedHub:
        """All feeds of some providers, with settings of theirs."""
        config = Config().with_providers(
            {name: self.server.settings()[name] | dict(more) for name, more in only.items()}, only=True
        )
        store = MarketStore(self.clock.now_ns)
        return FeedHub(
            config, store, FixedSecrets(self.server.credentials()), self.http, self.clock, state_dir=state_dir
        )


class Feed:
    """A connection at work, and all that it said."""

    def __init__(self, connection: FeedConnection, events: list[Event]) -> None:
        self.connection = connection
        self.events = events

    @property
    def statuses(self) -> list[Status]:
        return [event for event in self.events if isinstance(event, Status)]

    @property
    def waits_s(self) -> float:
        """How long it backs off."""
        status = self.statuses[-1]
        assert status.retry_at_ns is not None, status
        return (status.retry_at_ns - status.ts_recv_ns) / 1e9


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A server on a clock that stands."""
    clock = ManualClock()
    async with SimulatorServer(seed=7, clock=clock) as server:
        here = World(server, clock)
        try:
            yield here
        finally:
            await here.http.close()


@asynccontextmanager
async def feed(
    here: World, provider: Provider, channel: str, wants: Wants, limiter: SendLimiter | None = None
) -> AsyncIterator[Feed]:
    """Run one channel of a provider."""
    [found] = [each for each in provider.channels if each.name == channel]
    events: list[Event] = []
    clock = here.clock
    connection = FeedConnection(
        provider, found, events.append, FeedStats(), clock, limiter or SendLimiter(clock), Random(7),
        dials=DialLimiter(clock, 1000), tick_s=0.005,
    )  # fmt: skip
    connection.set_wants(wants)
    task = asyncio.create_task(connection.run())
    try:
        yield Feed(connection, events)
    finally:
        await connection.stop()
        await task


def want(*names: str) -> Wants:
    """`quote AAPL`, `bar AAPL 1m`, `news`."""
    return frozenset(map(_subscription, names))


def _subscription(name: str) -> Subscription:
    kind, *rest = name.split()
    if kind == "bar":
        return Subscription(Kind.BAR, Symbol(rest[0]), Interval(rest[1]))
    return Subscription(Kind(kind), Symbol(rest[0]) if rest else None)
