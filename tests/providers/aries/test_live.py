"""The provider, its sockets and its REST calls against the simulator, over the loopback address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from tests.conftest import until
from tests.providers.aries.sessions import subscription, want
from tui.credentials import FixedSecrets
from tui.feeds.connection import FeedConnection
from tui.feeds.pacing import SendLimiter
from tui.market.events import Bar, BookSnapshot, Event, Greeks, MarketStatus, Order, Position, Quote, Trade
from tui.market.health import FeedStats
from tui.market.names import Wants
from tui.market.terms import FeedState
from tui.providers.aries import AriesProvider, sign_in
from tui.providers.aries.settings import AriesSettings
from tui.providers.aries.simulator import AriesDialect
from tui.providers.base import ProviderContext
from tui.rest import RestClient
from tui.simulator.server import SimulatorServer

OPTION = "AAPL 2026-12-18 200C"


@pytest.fixture
async def server() -> AsyncIterator[SimulatorServer]:
    async with SimulatorServer(seed=7, speaks=[AriesDialect]) as running:
        yield running


@asynccontextmanager
async def provider_of(
    server: SimulatorServer, *, secrets: dict[str, str] | None = None
) -> AsyncIterator[AriesProvider]:
    http = RestClient()
    settings = AriesSettings.model_validate(server.settings()["aries"])
    stored = FixedSecrets({"aries": secrets if secrets is not None else server.credentials()["aries"]})
    yield AriesProvider(ProviderContext(settings, stored, http, server.clock.now_ns))
    await http.close()


@asynccontextmanager
async def feed(
    server: SimulatorServer, provider: AriesProvider, channel: str, wants: Wants
) -> AsyncIterator[tuple[FeedConnection, list[Event]]]:
    events: list[Event] = []
    [found] = [each for each in provider.channels if each.name == channel]
    limiter, random = SendLimiter(server.clock), Random(1)
    connection = FeedConnection(provider, found, events.append, FeedStats(), server.clock, limiter, random, tick_s=0.1)
    connection.set_wants(wants)
    task = asyncio.create_task(connection.run())
    try:
        yield connection, events
    finally:
        await connection.stop()
        await task


def kinds(events: list[Event]) -> set[type[Event]]:
    return {type(event) for event in events}


async def test_the_market_socket_is_live(server: SimulatorServer) -> None:
    wants = want("quote AAPL", "quote SPX", "trade AAPL", "book AAPL", f"greeks {OPTION}")
    async with provider_of(server) as provider, feed(server, provider, "market", wants) as (connection, events):
        await until(lambda: {Quote, Trade, BookSnapshot, Greeks, MarketStatus} <= kinds(events))
        assert connection.state is FeedState.LIVE
        await until(lambda: connection.stats.latency_s is not None)
    assert not server.violations()
    assert not connection.stats.counts


async def test_bars_go_on_from_the_history(server: SimulatorServer) -> None:
    wants = want("bar AAPL 1m", "bar SPX 5m")
    async with provider_of(server) as provider, feed(server, provider, "charts", wants) as (_, events):

        def bars(name: str) -> list[Bar]:
            symbol = subscription(name).symbol
            return [event for event in events if isinstance(event, Bar) and event.symbol == symbol]

        await until(lambda: sum(not bar.closed for bar in bars("bar AAPL 1m")) >= 3)
        await until(lambda: sum(not bar.closed for bar in bars("bar SPX 5m")) >= 2)
        starts = [bar.start_ns for bar in bars("bar AAPL 1m")]
    assert starts == sorted(starts)
    assert len(set(starts)) > 100
    assert not server.violations()


async def test_the_account_is_found_and_followed(server: SimulatorServer) -> None:
    async with provider_of(server) as provider, feed(server, provider, "accounts", want("account")) as (_, events):
        await until(lambda: {Order, Position} <= kinds(events))
        assert await provider.verify() == f"signed in; accounts: {server.market.account.id} (simulated)"
    assert not server.violations()


async def test_a_refresh_token_is_enough_and_a_refused_one_is_replaced(server: SimulatorServer) -> None:
    secrets = dict(server.credentials()["aries"]) | {"access_token": "long gone"}
    async with (
        provider_of(server, secrets=secrets) as provider,
        feed(server, provider, "market", want("quote AAPL")) as (connection, events),
    ):
        await until(lambda: Quote in kinds(events))
        assert connection.state is FeedState.LIVE


async def test_the_browser_signs_in(server: SimulatorServer) -> None:
    secrets = {"client_id": server.credentials()["aries"]["client_id"]}
    async with provider_of(server, secrets=secrets) as provider:
        landing: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def browser(url: str) -> None:
            landing.set_result(await landed(url))

        async def prompt(question: str) -> str:
            return await landing

        tasks: list[asyncio.Task[None]] = []
        told = await sign_in(provider, lambda url: tasks.append(asyncio.ensure_future(browser(url))), prompt)
        assert "(simulated)" in told
        await asyncio.gather(*tasks)
        assert (await provider.search("apple"))[0].code == "AAPL"
        assert await provider.search(".AAPL")
        assert (await provider.watchlists())[0].symbols == ("AAPL", "NVDA", "SPX")


async def landed(url: str) -> str:
    """Where a browser that signs in without asking ends up."""
    host, _, target = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(f"GET /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    [location] = [line for line in answer.split("\r\n") if line.startswith("Location: ")]
    return location.removeprefix("Location: ")
