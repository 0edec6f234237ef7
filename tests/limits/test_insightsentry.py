"""InsightSentry's silent limits: lists and pings over reconnects and both sockets, connections a day, shared keys."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.conftest import until
from tests.limits.world import World, feed, want
from tui.clock import NS
from tui.feeds.pacing import SendLimiter
from tui.market.events import NewsItem, Quote
from tui.market.terms import FeedState
from tui.providers.insightsentry.simulator import InsightSentryDialect, LiveConversation, NewsfeedConversation

SYMBOLS = ("AAPL", "NVDA", "MSFT", "TSLA", "SPX", "BTC/USDT", "ETH/USDT")


class Log:
    """When the server heard lists and pings, in virtual seconds."""

    def __init__(self, here: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lists: list[float] = []
        self.empty = 0
        self.pings: dict[type, list[float]] = defaultdict(list)
        dialect = here.server.dialects["insightsentry"]
        assert isinstance(dialect, InsightSentryDialect)
        counts, log = dialect.counts_list, self

        def counts_list(key: str, now_ns: int) -> bool:
            log.lists.append(now_ns / NS)
            return counts(key, now_ns)

        monkeypatch.setattr(dialect, "counts_list", counts_list)
        for kind in (LiveConversation, NewsfeedConversation):
            monkeypatch.setattr(kind, "_pong", log._noting(kind, kind._pong))

    def _noting(self, kind: type, pong: Any) -> Any:
        def noted(conversation: Any, now_ns: int) -> list[str]:
            self.pings[kind].append(now_ns / NS)
            return list(pong(conversation, now_ns))

        return noted

    def most_lists(self) -> int:
        """In any minute."""
        return max(sum(start <= at < start + 60 for at in self.lists) for start in self.lists)


def changing_wants() -> Iterator[frozenset[Any]]:
    """Another list again and again, nothing at all among them."""
    number = 0
    while True:
        number += 1
        chosen = [f"quote {each}" for place, each in enumerate(SYMBOLS) if number >> place & 1]
        yield want(*chosen)


@pytest.mark.fault("M28", "I6", "I7", "I8")
async def test_lists_stay_within_twenty_a_minute_over_reconnects_and_both_sockets(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, limiter, wants = Log(here, monkeypatch), SendLimiter(here.clock), changing_wants()
    provider = here.provider("insightsentry")
    async with (
        feed(here, provider, "live", want("quote AAPL"), limiter) as live,
        feed(here, provider, "newsfeed", want("news"), limiter) as news,
    ):
        for second in range(75):
            live.connection.set_wants(next(wants))
            if second % 13 == 12:
                here.server.drop("insightsentry")
                await here.pass_time(0.3)
                live.connection.retry_now()
                news.connection.retry_now()
            await here.pass_time(1)
        last = want("quote NVDA", "quote BTC/USDT")
        live.connection.set_wants(last)
        await here.pass_until(lambda: listed(here) == {"NASDAQ:NVDA", "BINANCE:BTCUSDT"}, 130)
    assert live.connection.stats.connects >= 5
    assert len(log.lists) >= 25, "it was put to the test"
    assert 18 <= log.most_lists() <= 20, "some are lost on the way when the line is cut"
    assert here.server.violations() == {}, "an empty list is one"


def listed(here: World) -> set[str]:
    """The codes of the list that the server has."""
    found: set[str] = set()
    for link in here.server.links("insightsentry", "live"):
        assert isinstance(link._conversation, LiveConversation)
        found |= {each["code"] for each in link._conversation.listed}
    return found


@pytest.mark.fault("I8")
async def test_pings_are_never_less_than_fifteen_seconds_apart_also_over_reconnects(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, limiter = Log(here, monkeypatch), SendLimiter(here.clock)
    provider = here.provider("insightsentry")
    async with (
        feed(here, provider, "live", want("quote AAPL"), limiter) as live,
        feed(here, provider, "newsfeed", want("news"), limiter) as news,
    ):
        for seconds in (20, 29, 22, 22):
            await here.pass_time(seconds)
            here.server.drop("insightsentry")
            await here.pass_time(0.2)
            for each in (live, news):
                each.connection.retry_now()
            await until(lambda: live.connection.is_live and news.connection.is_live)
    for stamps in log.pings.values():
        assert len(stamps) >= 4
        assert min(late - early for early, late in pairwise(stamps)) >= 15
    assert len(log.pings) == 2
    assert here.server.violations() == {}


async def test_used_up_connections_stop_the_dials_and_the_next_program_knows(here: World, tmp_path: Path) -> None:
    provider = here.provider("insightsentry", state_dir=tmp_path, connections_per_day=3)
    async with feed(here, provider, "live", want("quote AAPL")) as live:
        for number in range(1, 4):
            await until(lambda: live.connection.is_live)
            assert live.connection.stats.note.splitlines()[-1] == f"{number} of 3 connections today"
            here.server.drop("insightsentry")
            await until(lambda: not live.connection.is_live)
            here.clock.advance(1800)  # past the pause that spreads the last ones
            live.connection.retry_now()
        await until(lambda: live.statuses[-1].reason == "3 of 3 connections used today")
        assert live.connection.state is FeedState.BACKING_OFF
        assert "connections_per_day" in live.statuses[-1].remedy
        assert live.waits_s > 3600
        live.connection.retry_now()
        await here.pass_time(2)
        assert live.connection.stats.connects == 3
    restarted = here.provider("insightsentry", state_dir=tmp_path, connections_per_day=3)
    async with feed(here, restarted, "newsfeed", want("news")) as news:
        await until(lambda: news.connection.state is FeedState.BACKING_OFF)
        assert news.statuses[-1].reason == "3 of 3 connections used today"
        assert news.connection.stats.attempts == 0


@asynccontextmanager
async def one_connection_only(answer: dict[str, Any], *, evicts: bool) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that has one connection for a key: the newer one is refused, or the older one is cut.

    Yields its address and what happened: `dialled`, `refused`, `evicted`, `left`.
    """
    log: list[str] = []
    served: list[ServerConnection] = []

    async def talk(socket: ServerConnection) -> None:
        log.append("dialled")
        await socket.recv()
        if served and not evicts:
            log.append("refused")
            await socket.send(json.dumps(answer))
        else:
            for older in served:
                log.append("evicted")
                await older.send(json.dumps(answer))
            served[:] = [socket]
        while True:
            await socket.send(json.dumps({"code": "NASDAQ:AAPL", "last_price": 187.42}))
            await asyncio.sleep(0.005)

    async def served_until_closed(socket: ServerConnection) -> None:
        try:
            await talk(socket)
        except ConnectionClosed:
            if socket in served:
                served.remove(socket)
                log.append("left")

    async with serve(served_until_closed, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/live", log


@pytest.mark.fault("M62")
async def test_the_program_that_finds_no_connection_left_says_so_and_tries_late_while_the_first_goes_on(
    here: World,
) -> None:
    async with one_connection_only({"error": "max_connections_exceeded"}, evicts=False) as (url, log):
        providers = [here.provider("insightsentry", live_url=url) for _ in range(2)]
        async with feed(here, providers[0], "live", want("quote AAPL")) as first:
            await until(lambda: Quote in {type(event) for event in first.events})
            async with feed(here, providers[1], "live", want("quote AAPL")) as second:
                await until(lambda: second.connection.state is FeedState.BACKING_OFF)
                assert second.statuses[-1].reason == "this key is in use elsewhere"
                assert "Close the other program" in second.statuses[-1].remedy
                assert second.waits_s >= 900
                await here.pass_time(300, each_s=2)
                assert log.count("dialled") == 2
                assert first.connection.is_live
                assert first.connection.stats.connects == 1
        await until(lambda: "left" in log)
        async with feed(here, providers[1], "live", want("quote AAPL")) as second:
            await until(lambda: second.connection.is_live)


@pytest.mark.fault("M62")
async def test_two_programs_that_evict_each_other_do_so_once(here: World) -> None:
    async with one_connection_only({"error": "connection_evicted"}, evicts=True) as (url, log):
        providers = [here.provider("insightsentry", live_url=url) for _ in range(2)]
        async with (
            feed(here, providers[0], "live", want("quote AAPL")) as first,
            feed(here, providers[1], "live", want("quote AAPL")) as second,
        ):
            feeds = {first.connection, second.connection}
            await until(lambda: {each.state for each in feeds} == {FeedState.FAILED, FeedState.LIVE})
            await here.pass_time(300, each_s=2)
            [loser] = [each for each in (first, second) if each.connection.state is FeedState.FAILED]
            assert loser.statuses[-1].reason == "this key is in use elsewhere"
            assert loser.statuses[-1].remedy
            assert log.count("evicted") == 1
            assert log.count("dialled") == 2


async def test_news_come_while_lists_are_held_back(here: World) -> None:
    limiter = SendLimiter(here.clock)
    for _ in range(20):
        limiter.spend()
    provider = here.provider("insightsentry")
    async with (
        feed(here, provider, "live", want("quote AAPL"), limiter) as live,
        feed(here, provider, "newsfeed", want("news"), limiter) as news,
    ):
        await until(lambda: NewsItem in {type(event) for event in news.events})
        await until(lambda: live.connection.stats.connects == 1)
        await here.pass_time(50)
        assert not live.connection.is_live
        await here.pass_time(12)
        await until(lambda: live.connection.is_live)
    assert live.connection.stats.connects == 1, "waiting for the budget is no reason to connect anew"
