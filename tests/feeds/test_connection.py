"""The state loop of a feed against a server that follows a script."""

from __future__ import annotations

from tests.feeds.plain import (
    Caller,
    behave,
    feed_to,
    quote,
    scripted,
    until,
)
from tui.market.events import FeedState

LIVE = [FeedState.CONNECTING, FeedState.AUTHENTICATING, FeedState.LIVE]


async def test_a_feed_logs_in_subscribes_and_delivers() -> None:
    async with scripted() as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert running.sink.states == LIVE
        assert server.callers[0].heard == ["login good", "add quote AAPL"]
        assert running.feed.is_live
        assert running.feed.has_data
        assert running.feed.stats.live_since_ns is not None


async def test_a_dropped_connection_comes_back_with_all_that_is_wanted() -> None:
    async def drop(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        caller.socket.transport.abort()

    async with scripted(drop, behave) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert running.sink.states == [*LIVE, FeedState.BACKING_OFF, *LIVE]
        assert server.callers[1].heard == ["login good", "add quote AAPL"]
        down = running.sink.statuses[3]
        assert down.reason == "connection lost"
        assert down.retry_at_ns is not None


async def test_wants_that_change_go_out_as_differences() -> None:
    async with scripted() as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        running.feed.set_wants(frozenset({quote("NVDA")}))
        await until(lambda: len(server.callers[0].heard) == 4)
        assert server.callers[0].heard[2:] == ["drop quote AAPL", "add quote NVDA"]
