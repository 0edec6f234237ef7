"""How fast this machine is while something is measured: shares of a core mean nothing without it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks import frames

REFERENCE_S = 100e-6
"""What `json.loads` of one of our books took on the machine for which the targets were set."""
EVERY_S = 0.5
RUNS = 10


@dataclass
class Speed:
    """The machine's speed over some time: a shared one may work at half speed for minutes.

    Attributes:
        seconds: Of CPU for `json.loads` of a book, again and again over that time.
    """

    seconds: list[float] = field(default_factory=list)

    def scaled(self, share: float) -> float:
        """A share of a core as it would be at the reference's speed."""
        return share * REFERENCE_S / median(self.seconds)

    def detail(self, share: float) -> str:
        """The share as it was, and how fast the machine was."""
        return f"{share:.1f} % here, where json.loads of a book took {median(self.seconds) * 1e6:.0f} µs"


@contextmanager
def measured() -> Iterator[Speed]:
    """The speed while something else is measured.

    It is sampled by a thread during that time, because before and after are other times: a shared machine changes its
    speed within seconds, and an idle core is faster than one whose neighbour works. A sample takes about a millisecond
    every half second, a fifth of a percent of a core, and whoever reads the terminal in between waits for the end of
    one `json.loads` as a rule: a reader of a pipe was as quick beside it (p99 0.1 ms).
    """
    speed, over = Speed(), threading.Event()
    sampler = threading.Thread(target=_sample, args=(speed.seconds, over), name="speed")
    sampler.start()
    try:
        yield speed
    finally:
        over.set()
        sampler.join()


def _sample(seconds: list[float], over: threading.Event) -> None:
    book = frames.Books(variations=1).next()
    while not seconds or not over.wait(EVERY_S):
        seconds.append(min(_book_s(book) for _ in range(RUNS)))


def _book_s(book: bytes) -> float:
    """Seconds of CPU that `json.loads` of a book takes now."""
    time.sleep(0)  # lets go of the interpreter's lock
    started = time.thread_time()
    json.loads(book)
    return time.thread_time() - started
