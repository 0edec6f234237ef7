"""A day of all feeds in virtual time, then trouble: renewals, rotation, the cut at 24 hours, back-off, staleness."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.bounds.census import census
from tests.bounds.table import BOUNDED
from tests.day.server import DAY_S, MemoryServer
from tests.day.virtual import START_NS, VirtualClock, VirtualLoop
from tui.clock import NS
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds import hub as hub_module
from tui.feeds import upkeep
from tui.feeds.connection import FeedConnection
from tui.feeds.hub import FeedHub
from tui.feeds.pacing import SendLimiter
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import Freshness, MarketStore
from tui.market.terms import FeedState
from tui.providers.aries.simulator.tokens import CLIENT, REFRESH
from tui.providers.base import Channel, Provider
from tui.providers.insightsentry import simulator_rest

HOUR_S = 3600.0
PEACE_H = 25
END_S = (PEACE_H + 4) * HOUR_S
STEP_S = 10.0
"""Of watchdogs and subscription manager: what takes a second in the program may take ten here."""
MARKET_S = 40.0
"""Between two steps of the market in the first minutes of an hour and during trouble, so that books are live ..."""
SLEEPY_S = 600.0
"""... and at other times: a day of it has to take seconds."""
KEY_LIFE_S = 30 * 3600
"""A rotated key is replaced when a day is left of it: every six hours."""
NOTICED_S = 3 * STEP_S
OUTAGE_S = 1200.0
AAPL, BTC = Symbol("AAPL"), Symbol("BTC/USDT")
WANTS = frozenset(
    [Subscription(kind, symbol) for kind in (Kind.QUOTE, Kind.BOOK) for symbol in (AAPL, BTC)]
    + [Subscription(Kind.BAR, symbol, Interval.D1) for symbol in (AAPL, BTC)]
    + [Subscription(Kind.TRADE, AAPL), Subscription(Kind.NEWS)]
)


class SlowHub(FeedHub):
    """The hub, with the beat of the virtual day."""

    def _feed(self, provider: Provider, channel: Channel, limiter: SendLimiter) -> FeedConnection:
        feed = super()._feed(provider, channel, limiter)
        feed._tick_s = STEP_S
        return feed


@dataclass
class Day:
    """What happened, hour by hour."""

    server: MemoryServer
    hub: FeedHub
    store: MarketStore
    unmasked: list[str] = field(default_factory=list)
    """Values that were live while their connection was not, or said nothing."""
    down: list[str] = field(default_factory=list)
    """Feeds that had not come back ten minutes after an outage."""
    tasks: list[int] = field(default_factory=list)
    sizes: list[dict[str, int]] = field(default_factory=list)
    outages: list[tuple[str, float, float]] = field(default_factory=list)

    def look(self) -> None:
        """Hold what counts as live against the server's side."""
        now_s = self.server.now_s()
        for wanted in self.hub.manager.wanted:
            feed = self.store.serving(wanted)
            if feed is None or self.store.freshness(wanted) is not Freshness.LIVE:
                continue
            line, limits = self.server.newest.get(feed), self.hub.feeds[feed].channel.limits
            is_cut = line is None or (line.closed_s is not None and now_s - line.closed_s > NOTICED_S)
            if is_cut or (line is not None and now_s - line.sent_s > limits.silence_s + NOTICED_S):
                self.unmasked.append(f"{wanted} at {feed}, {now_s - START_S:.0f} s")

    def not_live(self) -> list[str]:
        feeds = self.hub.feeds.values()
        return [f"{f.name} {f.state}: {f.reason}" for f in feeds if f.wants and f.state is not FeedState.LIVE]


BEGIN_S = 1000.0
START_S = START_NS / NS


async def play(day: Day) -> None:
    """A day of peace at the end of which connections are cut, then trouble every hour; counts every hour."""
    server, loop = day.server, asyncio.get_running_loop()
    trouble: dict[str, Callable[[bool], None]] = {
        "refusing": server.refuse,
        "slamming": server.slam,
        "mute": server.mute,
        "drop": lambda on: server.drop() if on else None,
    }
    begin_s = loop.time()
    for hour in range(int(END_S / HOUR_S)):
        if hour >= PEACE_H:
            name = list(trouble)[hour % len(trouble)]
            since_s = server.now_s()
            trouble[name](True)
            await steps(day, begin_s + hour * HOUR_S + OUTAGE_S)
            trouble[name](False)
            day.outages.append((name, since_s, server.now_s()))
            await steps(day, begin_s + hour * HOUR_S + OUTAGE_S + 600.0)
            day.down += [f"{feed} after {name}" for feed in day.not_live()]
        await steps(day, begin_s + (hour + 1) * HOUR_S)
        day.sizes.append(census(day.hub, day.store))
        day.tasks.append(len(asyncio.all_tasks()))
    day.down += day.not_live()


async def steps(day: Day, until_s: float) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until_s:
        await asyncio.sleep(STEP_S)
        is_awake = (loop.time() - BEGIN_S) % HOUR_S < 300 or day.server.is_ill
        day.server.step(moves=loop.time() % (MARKET_S if is_awake else SLEEPY_S) < STEP_S)
        day.look()


async def live(tmp_path: Path) -> Day:
    """Run the feeds for a day and an hour and a half."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = VirtualClock(loop)
    server = MemoryServer(clock.now_ns)
    settings = server.settings()
    settings["insightsentry"]["key"] = "rapidapi"
    tokens = {"refresh_token": REFRESH, "client_id": CLIENT}
    secrets = FixedSecrets({**server.credentials(), "aries": tokens})
    store = MarketStore(clock.now_ns)
    config = Config().with_providers(settings, only=True)
    hub = SlowHub(config, store, secrets, server, clock, connect=server.connect, random=Random(7))
    day = Day(server, hub, store)
    hub.want("day", WANTS)
    running = asyncio.create_task(hub.run())
    await play(day)
    await hub.close()
    running.cancel()
    await asyncio.wait({running})
    return day


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    folder = tmp_path_factory.mktemp("day")
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setattr(hub_module, "MANAGER_S", STEP_S)
        patch.setattr(upkeep, "BEAT_S", 300.0)  # it works in threads, which take real time
        patch.setattr(simulator_rest, "WEEK_S", KEY_LIFE_S)
        return runner.run(live(folder))


def test_nothing_counts_as_live_that_is_cut_or_says_nothing(day: Day) -> None:
    assert day.unmasked == []


@pytest.mark.fault("M72")
def test_no_feed_is_stuck_after_any_outage(day: Day) -> None:
    assert day.down == []


def test_dials_stay_within_the_budget(day: Day) -> None:
    by_feed: dict[str, list[float]] = {}
    for at_s, name in day.server.dials:
        by_feed.setdefault(name, []).append(at_s)
    for name, times in by_feed.items():
        cap_s = day.hub.feeds[name].channel.limits.backoff_cap_s
        assert most_within(times, 12.0) <= 5, name
        for what, since_s, until_s in day.outages:
            dials = sum(since_s <= at_s <= until_s for at_s in times)
            assert dials <= 8 + (until_s - since_s) / (cap_s / 2), (name, what, dials)
    assert most_within([at_s for at_s, _ in day.server.dials], 1.0) <= 6


def most_within(times: list[float], span_s: float) -> int:
    return max(sum(start <= at < start + span_s for at in times) for start in times)


def test_logins_are_renewed_in_place(day: Day) -> None:
    assert day.server.longest["aries:market"] >= DAY_S - HOUR_S, "one connection, whatever ended meanwhile"
    assert day.server.logins_of_longest["aries:market"] >= 24 / 0.75 - 2  # 45 minutes each


def test_tokens_are_refreshed_and_keys_rotated_a_day_before_their_end(day: Day) -> None:
    hours = END_S / HOUR_S
    assert hours <= day.server.calls["POST token"] <= hours * 2  # each lives for an hour
    assert hours / 8 <= day.server.dialects["insightsentry"].rotations <= hours / 4  # type: ignore[attr-defined]


@pytest.mark.fault("M72")
def test_connections_cut_after_24_hours_come_back(day: Day) -> None:
    assert set(day.server.cut_for_age) >= {"aries:market", "quantcite:book"}


@pytest.mark.fault("M72")
def test_tasks_and_containers_are_flat(day: Day) -> None:
    assert max(day.tasks[3:]) - min(day.tasks[3:]) <= 4, day.tasks
    grown = {
        name: (before, after)
        for name, after in day.sizes[-1].items()
        if after > (before := day.sizes[12].get(name, 0)) + before // 10 + 5 and name not in BOUNDED
    }
    assert grown == {}
    over = {name: size for name, size in day.sizes[-1].items() if size > BOUNDED.get(name, size)}
    assert over == {}


def test_no_rule_of_a_protocol_was_broken(day: Day) -> None:
    assert day.server.violations() == {}
