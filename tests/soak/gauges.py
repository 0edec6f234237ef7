"""What a process uses: memory, descriptors, threads, tasks, and how late its event loop is."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

MB = 1024 * 1024
STEP_S = 0.02


class Use(NamedTuple):
    """A sample. Memory in bytes, blocks of Python's allocator, time in monotonic seconds."""

    at_s: float
    memory: int
    blocks: int
    descriptors: int
    threads: int
    tasks: int


def use(at_s: float) -> Use:
    """What this process uses now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors = len(os.listdir("/proc/self/fd"))
    tasks = len(asyncio.all_tasks())
    memory = pages * os.sysconf("SC_PAGE_SIZE")
    return Use(at_s, memory, sys.getallocatedblocks(), descriptors, threading.active_count(), tasks)


def slope_mb_per_hour(samples: Sequence[Use]) -> float:
    """Growth of memory by least squares; 0 for less than three samples."""
    if len(samples) < 3:
        return 0.0
    start_s = samples[0].at_s
    times = [sample.at_s - start_s for sample in samples]
    sizes = [sample.memory / MB for sample in samples]
    mean_t, mean_s = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((t - mean_t) ** 2 for t in times)
    return sum((t - mean_t) * (s - mean_s) for t, s in zip(times, sizes, strict=True)) / spread * 3600


@dataclass(frozen=True)
class Percentiles:
    """Of how late the loop was, in milliseconds."""

    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0


class Histogram:
    """Times in steps of a tenth of a millisecond, up to two seconds."""

    def __init__(self) -> None:
        self._counts = [0] * 20_000

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[min(max(int(seconds * 10_000), 0), len(self._counts) - 1)] += 1

    def percentiles(self) -> Percentiles:
        """Over all that was counted."""
        return Percentiles(self._at(0.5), self._at(0.99), self._at(1.0))

    def _at(self, share: float) -> float:
        wanted, seen = share * sum(self._counts), 0
        for index, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return index / 10
        return 0.0


class LagGauge:
    """How much later than asked for the event loop wakes a sleeper.

    Attributes:
        wall: By the clock; on a busy machine most of it is the time that other programs took.
        own: The part in which this thread was at work, and so the program's own fault.
    """

    def __init__(self) -> None:
        self.wall, self.own = Histogram(), Histogram()

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due, worked_s = loop.time() + STEP_S, time.thread_time()
            await asyncio.sleep(STEP_S)
            late_s, worked_s = loop.time() - due, time.thread_time() - worked_s
            self.wall.add(late_s)
            self.own.add(min(late_s, worked_s))
