"""Starting and resting: the first frame, live figures, memory and idle cost, against a bare Textual app."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from statistics import median

from tests.benchmarks.figures import Figure
from tests.benchmarks.speed import measured
from tests.benchmarks.terminal import Program

BARE = ("tests/benchmarks/bare_app.py",)
DEMO = ("-m", "tui", "demo")
SEEN = re.compile(rb"ready to be seen")
FIRST_FRAME = re.compile(rb"Quotes")
LIVE = re.compile(rb"[+-]\d\.\d\d%")
AT_REST = re.compile(rb"quiet since")
"""Stands in the place of the clock when nothing has happened for a while."""
REST_LIMIT_S = 90.0


def bare() -> Program:
    """A bare app on a terminal."""
    return Program(BARE)


def demo(*symbols: str) -> Program:
    """The demo on a terminal."""
    return Program((*DEMO, *symbols))


def starting(rounds: int) -> Iterator[Figure]:
    """First frame and first live figures."""
    ours, lives, limits, cpu, cpu_limit = [], [], [], [], []
    for _ in range(rounds):
        with bare() as program:
            limits.append(program.until(SEEN))
            cpu_limit.append(program.cpu_s())
        with demo() as program:
            ours.append(program.until(FIRST_FRAME))
            cpu.append(program.cpu_s())
            lives.append(program.until(LIVE))
    ratio = median(a / b for a, b in zip(ours, limits, strict=True))
    detail = f"{median(ours):.2f} against {median(limits):.2f} s, CPU {median(cpu):.2f} against {median(cpu_limit):.2f}"
    yield Figure("first frame of `demo`", "a bare Textual app", ratio, "x", 1.5, detail)
    yield Figure("from there to the first live figures", "", median(lives), "s", 1.5)


def resting(seconds: float) -> Iterator[Figure]:
    """Memory, and what it costs when little or nothing happens."""
    with bare() as program:
        program.until(SEEN)
        program.watch(seconds / 4)
        limit = program.memory()
    with demo(*"AAPL NVDA MSFT AMZN TSLA SPX BTC/USDT ETH/USDT SOL/USDT QQQ".split()) as program:
        program.until(LIVE)
        program.watch(2)
        with measured() as speed:
            share = _share(program, seconds)
        memory = program.memory()
    detail = f"{memory / 2**20:.0f} against {limit / 2**20:.0f} MiB"
    yield Figure("resident memory of `demo` with ten symbols", "a bare Textual app", memory / limit, "x", 2.5, detail)
    yield Figure("`demo`, quiet market, ten symbols", "one core", speed.scaled(share), "%", 6.0, speed.detail(share))


def idling(make: Callable[[], Program], seconds: float, silent_s: float) -> Iterator[Figure]:
    """Connected, nothing comes: the screen comes to rest, and from then on nothing is written.

    Args:
        make: The program.
        seconds: How long to watch it.
        silent_s: It rests when it has written nothing for so long. That a feed falls silent and a book grows stale are
            things that happen, half a minute and 45 s after the last update.
    """
    with make() as program:
        rested = program.until(AT_REST, REST_LIMIT_S)
        program.until_silent(silent_s, REST_LIMIT_S - rested)
        before = program.written
        with measured() as speed:
            share = _share(program, seconds)
        written = (program.written - before) / seconds
    yield Figure("nothing happens", "one core", speed.scaled(share), "%", 1.0, speed.detail(share))
    yield Figure("nothing happens: written each second", "", written, "B", 0)


def _share(program: Program, seconds: float) -> float:
    """Percent of one core."""
    before = program.cpu_s()
    program.watch(seconds)
    return (program.cpu_s() - before) / seconds * 100
