"""The order book at twenty updates a second of two hundred levels a side: CPU, bytes, and how long a key takes.

As a program (`python -m tests.benchmarks.book`) it is the dashboard with the book on the whole screen, fed by hand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Final

from tests.benchmarks import frames
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.speed import measured
from tests.benchmarks.terminal import Program
from tui.app import MarketApp
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.market.events import BookSnapshot, Status
from tui.market.names import Kind, Subscription, Symbol
from tui.market.terms import FeedState, Level

PER_SECOND: Final = 20
LEVELS: Final = 200
TICK: Final = Decimal("0.1")
FEED: Final = "quantcite:book"
PAIR: Final = Symbol(frames.PAIR)
KEY_EVERY_S: Final = 0.23
LIMIT_S: Final = 3.0
SHOWS: Final = re.compile(rb"binance")
ANSWERS: Final = (("j", re.compile(rb"cum (?:\x1b\[[\d;]*m)*\d")), ("c", SHOWS))
"""Only a key changes the rows below the ladder: what rests up to the cursor, or whose marks are."""


def book(seconds: float) -> Iterator[Figure]:
    """Watch it for a while and press keys."""
    keys: list[float] = []
    with measured() as speed, Program(("-m", "tests.benchmarks.book")) as program:
        program.until(SHOWS)
        program.watch(2)
        turns = cycle(ANSWERS)
        cpu, written, began = program.cpu_s(), program.written, time.monotonic()
        while time.monotonic() - began < seconds:
            program.watch(KEY_EVERY_S)
            keys.append(_press(program, *next(turns)))
        lasted = time.monotonic() - began
        share, rate = (program.cpu_s() - cpu) / lasted * 100, (program.written - written) / lasted
    what = f"a book of {LEVELS}+{LEVELS} levels, {PER_SECOND}/s"
    detail = f"{speed.detail(share)}; {rate / 1024:.0f} KiB/s to the terminal"
    yield Figure(what, "one core", speed.scaled(share), "%", 40, detail)
    p50, p99 = (percentile(keys, part) * 1000 for part in (0.5, 0.99))
    yield Figure(f"{what}: key to screen, p99", "", p99, "ms", 50, f"p50 {p50:.1f}, {len(keys)} keys")


def _press(program: Program, key: str, answer: re.Pattern[bytes]) -> float:
    """Press a key; seconds until the screen answers, or the limit."""
    program.type(key)
    began, seen = time.monotonic(), b""
    while not answer.search(seen) and time.monotonic() - began < LIMIT_S:
        seen = seen[-200:] + program.read(LIMIT_S)
    return time.monotonic() - began


class BookApp(MarketApp):
    """The dashboard without feeds, the book on the whole screen."""

    def __init__(self) -> None:
        super().__init__(Config.model_validate({"watchlists": {"main": [PAIR]}}), FixedSecrets({}), demo=True)
        self._random = Random(5)
        self._mid = Decimal("97200.0")
        self._sizes: dict[Decimal, Decimal] = {}

    def _start_feeds(self) -> None:
        assert self.main
        self.store.feed(FEED).stats.live_since_ns = self.clock.now_ns()
        live = Status(source="quantcite", ts_recv_ns=self.clock.now_ns(), feed=FEED, state=FeedState.LIVE)
        self.store.apply(live)
        self.store.assign(Subscription(Kind.BOOK, PAIR), FEED)
        self.main.choose(PAIR)
        self.main.show("book")
        self.main.maximise(True)
        self.set_interval(1 / PER_SECOND, self._update)
        self.set_interval(1 / self.config.frames_per_second, self._frame)

    def _update(self) -> None:
        """The next book: some sizes are others, now and then the mid is."""
        self._mid += TICK * self._random.choice((-1, 0, 0, 0, 1))
        for _ in range(10):
            self._sizes[self._mid + TICK * self._random.randint(-LEVELS, LEVELS)] = self._amount()
        if len(self._sizes) > 10 * LEVELS:
            self._sizes.clear()
        self.store.apply(
            BookSnapshot(
                source="quantcite", ts_recv_ns=self.clock.now_ns(), symbol=PAIR, venues=frames.VENUES,
                bids=self._side(-TICK), asks=self._side(TICK),
            )
        )  # fmt: skip

    def _side(self, step: Decimal) -> tuple[Level, ...]:
        prices = (self._mid + n * step for n in range(1, LEVELS + 1))
        sizes, names = self._sizes, frames.VENUES
        return tuple((p, sizes.setdefault(p, self._amount()), names[: int(p * 10) % 5 + 1]) for p in prices)

    def _amount(self) -> Decimal:
        return Decimal(self._random.randint(10, 4999)) / 1000

    async def _frame(self) -> None:
        assert self.main
        await self.draw_changes(self.main, self.store.drain())


if __name__ == "__main__":
    BookApp().run()
