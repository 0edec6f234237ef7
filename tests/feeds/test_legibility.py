"""Whether a feed notices that nothing of what comes can be read any more."""

from __future__ import annotations

import asyncio

import pytest

from tests.feeds.plain import Caller, feed_to, scripted, until
from tui.clock import ManualClock
from tui.feeds import legibility
from tui.feeds.legibility import LOST_S, MOST_LOST, Legibility
from tui.market.terms import FeedState


def test_only_many_in_a_row_over_some_time_count() -> None:
    clock = ManualClock()
    seen = Legibility(clock)
    assert not any(seen.lost(1) for _ in range(5 * MOST_LOST)), "a burst of noise"
    clock.advance(LOST_S)
    assert seen.lost(1)
    few = Legibility(clock)
    assert not few.lost(1)
    clock.advance(1000)
    assert not few.lost(1), "few in a long time"


def test_one_record_in_between_begins_the_count_anew() -> None:
    clock = ManualClock()
    seen = Legibility(clock)
    for _ in range(10 * MOST_LOST):
        clock.advance(LOST_S / 10)
        assert not seen.lost(1)
        seen.read()


async def test_a_connection_of_which_nothing_can_be_read_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legibility, "LOST_S", 0.0)

    async def spoilt_once(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        is_first = caller is server.callers[0]
        while True:
            await caller.say("noise" if is_first else "quote AAPL 1.25")
            await asyncio.sleep(0.001)

    async with scripted(spoilt_once) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert len(server.callers) == 2
        assert running.feed.stats.counts["undecodable"] == MOST_LOST
        [backing_off] = [s for s in running.sink.statuses if s.state is FeedState.BACKING_OFF]
        assert backing_off.reason == legibility.REASON
        assert "newer tickdeck" in backing_off.remedy
