"""QuantCite over real sockets: what is off screen costs nothing, what came is counted, limits hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import until
from tests.limits.world import World, feed, want
from tui.feeds.hub import FeedHub
from tui.feeds.pacing import SendLimiter
from tui.market.events import BookSnapshot, Notice
from tui.market.terms import FeedState
from tui.providers.quantcite import QuantCite
from tui.providers.quantcite.simulator import GIB, BookConversation, QuantCiteDialect

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT", "XRP/USDT")


def dialect(here: World) -> QuantCiteDialect:
    found = here.server.dialects["quantcite"]
    assert isinstance(found, QuantCiteDialect)
    return found


def streams(here: World) -> set[str]:
    """What the server delivers."""
    found: set[str] = set()
    for link in here.server.links("quantcite"):
        assert isinstance(link._conversation, BookConversation)
        found |= set(link._conversation.streams)
    return found


@asynccontextmanager
async def at_work(hub: FeedHub) -> AsyncIterator[None]:
    task = asyncio.create_task(hub.run())
    try:
        yield
    finally:
        await hub.close()
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.fault("Q12")
async def test_what_nobody_looks_at_is_unsubscribed_after_a_while_and_comes_back_at_once(here: World) -> None:
    hub = here.hub({"quantcite": {}})
    async with at_work(hub):
        hub.want("pane", want("book BTC/USDT", "book ETH/USDT"))
        await settled(here, {"BTC/USDT", "ETH/USDT"})
        hub.want("pane", want("book BTC/USDT"))
        here.clock.advance(29)
        await asyncio.sleep(0.3)
        assert streams(here) == {"BTC/USDT", "ETH/USDT"}, "somebody may come back to it"
        here.clock.advance(2)
        await settled(here, {"BTC/USDT"})
        before = dialect(here).bytes_used
        hub.want("pane", frozenset())
        here.clock.advance(31)
        await settled(here, set())
        await until(lambda: hub.feeds["quantcite:book"].state is FeedState.IDLE)
        after = dialect(here).bytes_used
        await here.pass_time(20)
        assert dialect(here).bytes_used == after >= before, "a closed line costs nothing"
        hub.want("pane", want("book SOL/USDT"))
        await settled(here, {"SOL/USDT"})
    assert here.server.violations() == {}


async def settled(here: World, codes: set[str]) -> None:
    """Wait for the server's side; the budgets of the client move with the clock."""
    async with asyncio.timeout(10):
        while streams(here) != codes:
            here.clock.advance(0.05)
            await asyncio.sleep(0.02)


async def test_the_bytes_that_are_counted_are_those_that_the_server_sent(here: World, tmp_path: Path) -> None:
    provider = here.provider("quantcite", state_dir=tmp_path)
    assert isinstance(provider, QuantCite)
    meter, start = provider.allowance.meter, dialect(here).bytes_used
    async with feed(here, provider, "book", want("book BTC/USDT", "book ETH/USDT")) as books:
        for _ in range(2):
            await until(lambda: books.connection.is_live)
            await here.pass_time(10)
            here.server.drop("quantcite", code=1001)
            await until(lambda: not books.connection.is_live)
            books.connection.retry_now()
    sent = dialect(here).bytes_used - start
    assert set(meter.by_code) == {"BTC/USDT", "ETH/USDT"}
    assert sum(meter.by_code.values()) == pytest.approx(sent, rel=0.02), "some were under way when the line was closed"
    assert sum(meter.by_code.values()) <= sent
    assert meter.total > sum(meter.by_code.values()), "other frames count as well"
    assert meter.total == books.connection.stats.bytes


async def test_the_servers_count_is_asked_by_http_and_agrees(here: World, tmp_path: Path) -> None:
    provider = here.provider("quantcite", state_dir=tmp_path)
    async with feed(here, provider, "book", want("book BTC/USDT")) as books:
        await until(lambda: books.connection.is_live)
        await here.pass_time(31, each_s=0.5)
        assert await provider.upkeep() == []
        books.connection.refresh_note()
        plan, usage, *_ = books.connection.stats.note.splitlines()
        assert plan == "developer plan"
        assert usage.startswith("7.25 of 50 GB used (14.5 %), ")
        here.clock.advance(3600)
        dialect(here).bytes_used += GIB  # another machine
        said: list[Notice] = []
        for _ in range(90):
            await here.pass_time(1, each_s=0.5)
            said += await provider.upkeep()
        assert ["something else uses this key" in notice.text for notice in said] == [True]


async def test_at_the_cap_the_line_is_closed_and_not_dialled_again(here: World, tmp_path: Path) -> None:
    provider = here.provider("quantcite", state_dir=tmp_path, data_allowance_gb=0.001, data_cap_percent=90)
    async with feed(here, provider, "book", want(*(f"book {pair}" for pair in PAIRS))) as books:
        await here.pass_until(lambda: books.connection.state is FeedState.BACKING_OFF, 120)
        assert "beyond the limit in the settings" in books.statuses[-1].reason
        assert "data_cap_percent" in books.statuses[-1].remedy
        assert books.waits_s > 3600
        books.connection.retry_now()
        await here.pass_time(5)
        assert books.connection.stats.connects == 1
        assert books.connection.state is FeedState.BACKING_OFF
    assert here.server.links("quantcite") == []


@pytest.mark.fault("M28", "Q8")
@pytest.mark.violates("rate limit")
async def test_a_limit_a_minute_is_the_keys_and_outlives_the_connection(here: World) -> None:
    """The plan allows twenty requests a minute; the server says so once, and from then on it is kept to."""
    dialect(here).requests_per_minute = 20
    provider, limiter = here.provider("quantcite"), SendLimiter(here.clock)
    async with feed(here, provider, "book", want("book BTC/USDT"), limiter) as books:
        await until(lambda: books.connection.is_live)
        for number in range(24):
            books.connection.set_wants(want(f"book {PAIRS[number % 2]}"))
            await here.pass_time(0.5, each_s=0.25)
        first = here.server.violations()["quantcite"]["rate limit"]
        assert first >= 1, "nobody could know before"
        paused = [event.text for event in books.events if isinstance(event, Notice) and "asks to wait" in event.text]
        assert paused
        assert isinstance(provider, QuantCite)
        assert provider.budget.limit == 16
        here.server.drop("quantcite")
        await here.pass_time(60, each_s=1)
        books.connection.retry_now()
        await until(lambda: books.connection.is_live)
        for number in range(60):
            books.connection.set_wants(want(f"book {PAIRS[number % 5]}"))
            await here.pass_time(1, each_s=0.5)
        assert here.server.violations()["quantcite"]["rate limit"] == first, "not once more"
        await here.pass_time(65, each_s=0.5)
        assert streams(here) == {PAIRS[59 % 5]}
        assert any(isinstance(event, BookSnapshot) and event.symbol == PAIRS[4] for event in books.events)
