"""How fast this machine is at this moment: shares of a core mean nothing without it."""

from __future__ import annotations

import json
import timeit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean

from tests.benchmarks import frames

REFERENCE_S = 100e-6
"""What `json.loads` of one of our books took on the machine for which the targets were set."""


def book_s() -> float:
    """Seconds that `json.loads` of a book takes now."""
    book = frames.Books().next()
    return min(timeit.repeat(lambda: json.loads(book), number=50, repeat=5)) / 50


@dataclass
class Speed:
    """The machine's speed over some time: a shared one may work at half speed for minutes.

    Attributes:
        seconds: For `json.loads` of a book, at the beginning and at the end.
    """

    seconds: list[float]

    def scaled(self, share: float) -> float:
        """A share of a core as it would be at the reference's speed."""
        return share * REFERENCE_S / mean(self.seconds)

    def detail(self, share: float) -> str:
        """The share as it was, and how fast the machine was."""
        return f"{share:.1f} % here, where json.loads of a book took {mean(self.seconds) * 1e6:.0f} µs"


@contextmanager
def measured() -> Iterator[Speed]:
    """The speed while something else is measured."""
    speed = Speed([book_s()])
    yield speed
    speed.seconds.append(book_s())
