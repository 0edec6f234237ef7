"""One soak: the simulator in its own process, the dashboard without a terminal, a user, a judge, gauges."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import format_exc
from typing import Any

from tests.soak.gauges import LagGauge, Percentiles, Use, use
from tests.soak.truth import Judge
from tests.soak.user import SIZE, User
from tui.app import MarketApp
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.market import heat
from tui.market.events import Event
from tui.market.store import Changes
from tui.market.terms import FeedState

ROOT = Path(__file__).parents[2]
SETTLE_S = 90.0
"""At the end, without user and faults: by then every feed that is wanted has to be live again. Back-off takes 60 s."""

START_S = 15.0
HEAT_S = 60
"""Seconds that the history of a book keeps in a soak: its ten minutes (30 MB) would hide a leak."""


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        seconds: How long user and faults are at work.
        rate: How many times busier than usual the market is.
        fault_every_s: Between two faults.
        seed: Of market, faults and user.
    """

    seconds: float = 600.0
    rate: float = 10.0
    fault_every_s: float = 5.0
    seed: int = 7


@dataclass
class Result:
    """What came of it.

    Attributes:
        uses: One sample a second.
        stuck: Feeds that did not come back at the end, with their state.
        errors: What went wrong in our own program.
    """

    plan: Plan
    uses: list[Use] = field(default_factory=list)
    lag: Percentiles = field(default_factory=Percentiles)
    own_lag: Percentiles = field(default_factory=Percentiles)
    lies: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    skipped: int = 0
    acts: int = 0
    violations: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    frames_sent: int = 0
    frames: int = 0
    reconnects: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    events: int = 0
    drawn: int = 0
    news_dropped: int = 0
    stuck: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class Market:
    """The simulator's process. Its reports are read by a thread, so that it never waits for our event loop.

    Args:
        plan: What it should do.
        heard: Called on the event loop with all reports that have come since the last call.
    """

    def __init__(self, plan: Plan, heard: Callable[..., None]) -> None:
        command = [sys.executable, "-m", "tests.soak.market", "--seed", str(plan.seed), "--rate", str(plan.rate)]
        command += ["--fault-every", str(plan.fault_every_s)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._heard = heard
        self._reports: deque[dict[str, Any]] = deque(maxlen=1000)
        self._loop = asyncio.get_running_loop()
        assert self._process.stdout
        self._lines = self._process.stdout
        self.addresses: dict[str, Any] = json.loads(self._lines.readline())
        self._reader = threading.Thread(target=self._read, name="reports", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._lines:
            self._reports.append(json.loads(line))
            try:
                self._loop.call_soon_threadsafe(self._hear)
            except RuntimeError:  # the loop has ended
                return

    def _hear(self) -> None:
        reports = []
        while self._reports:
            reports.append(self._reports.popleft())
        if reports:
            self._heard(*reports)

    def quiet(self) -> None:
        """No more faults."""
        assert self._process.stdin
        self._process.stdin.write("quiet\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        self._lines.close()


async def soak(plan: Plan, tell: Callable[[str], None] = lambda text: None) -> Result:
    """Run one and say how it went.

    Args:
        plan: What to run.
        tell: Takes a line about once every ten seconds.
    """
    result = Result(plan)
    judges: list[Judge] = []

    def heard(*reports: dict[str, Any]) -> None:
        newest = reports[-1]
        result.violations, result.faults = newest["violations"], newest["faults"]
        result.connections, result.frames_sent = newest["connections"], newest["frames"]
        try:
            for judge in judges:
                judge.look(*reports)
        except Exception:  # here nobody would hear of it
            judges.clear()
            result.errors.append(format_exc())

    market = Market(plan, heard)
    try:
        async with dashboard(market) as (app, pilot):
            judge = Judge(app, time.monotonic)
            judges.append(judge)
            user, lag = User(app, pilot, plan.seed), LagGauge()
            with counted(app, result):
                workers = [asyncio.create_task(body) for body in (user.run(), lag.run())]
                try:
                    await _watch(app, result, workers, judge, tell)
                    await _stop(workers[0])
                    market.quiet()
                    result.stuck = await settled(app)
                finally:
                    for worker in workers:
                        await _stop(worker)
                result.acts = user.acts
                result.lag, result.own_lag = lag.wall.percentiles(), lag.own.percentiles()
                _read_off(app, judge, result)
                judges.clear()
    except Exception:
        result.errors.append(format_exc())
    finally:
        market.stop()
    return result


@asynccontextmanager
async def dashboard(market: Market) -> AsyncIterator[tuple[MarketApp, Any]]:
    """The whole program on the simulator, quit as a user quits."""
    config = Config().with_providers(market.addresses["providers"], only=True)
    app = MarketApp(config, FixedSecrets(market.addresses["credentials"]), demo=True)
    heat.KEPT_S = HEAT_S  # type: ignore[misc]
    async with app.run_test(size=SIZE) as pilot:
        async with asyncio.timeout(START_S):
            while app.hub is None:  # noqa: ASYNC110 (it sets no event)
                await asyncio.sleep(0.05)
        yield app, pilot
        await app.action_quit()


@contextmanager
def counted(app: MarketApp, result: Result) -> Iterator[None]:
    """Count events that were accepted, and values that were drawn of them."""
    assert app.hub
    drain = app.store.drain

    def drained() -> Changes:
        changes = drain()
        result.drawn += len(changes.keys)
        return changes

    def accepted(event: Event) -> None:
        result.events += 1

    app.store.drain, app.hub.listener = drained, accepted  # type: ignore[method-assign]
    yield
    app.hub.listener = None


async def settled(app: MarketApp) -> dict[str, str]:
    """Feeds that are wanted and do not become live within `SETTLE_S` of peace, with their state.

    Those that wait for the user (too many wrong symbols in a row, say) get what they wait for.
    """
    assert app.hub
    hub, loop = app.hub, asyncio.get_running_loop()
    until = loop.time() + SETTLE_S
    for name, feed in hub.feeds.items():
        if feed.state is FeedState.FAILED:
            hub.retry(name)
    while True:
        stuck = {
            name: f"{feed.state}: {feed.reason}"
            for name, feed in hub.feeds.items()
            if feed.wants and feed.state is not FeedState.LIVE
        }
        if not stuck or loop.time() > until:
            return stuck
        await asyncio.sleep(0.2)


async def _watch(
    app: MarketApp, result: Result, workers: list[asyncio.Task[None]], judge: Judge, tell: Callable[[str], None]
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + result.plan.seconds
    while (now := loop.time()) < end:
        if not app.is_running:
            raise RuntimeError("the dashboard ended")
        await asyncio.sleep(min(1.0, end - now))
        for worker in workers:
            if worker.done():
                worker.result()
        result.uses.append(use(time.monotonic()))
        if len(result.uses) % 10 == 0:
            last = result.uses[-1]
            lies, wrong = sum(judge.lies.values()), sum(result.violations.values())
            used = f"{last.memory / 2**20:.1f} MB  {last.blocks:,} blocks  {last.tasks} tasks  {last.descriptors} files"
            tell(f"{len(result.uses):>4} s  {used}  {result.events:,} events  {wrong} violations  {lies} lies")


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()):
        raise error


def _read_off(app: MarketApp, judge: Judge, result: Result) -> None:
    result.lies, result.told = judge.lies, judge.told
    result.compared, result.looks, result.skipped = judge.compared, judge.looks, judge.skipped
    result.news_dropped = app.store.news_dropped
    for record in app.store.feeds.values():
        result.frames += record.stats.frames
        result.reconnects += record.stats.reconnects
        result.counts.update(record.stats.counts)
