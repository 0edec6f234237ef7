"""Walls: levels whose size stands out of their neighbourhood, and which of them came or went."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median_low
from typing import Final, NamedTuple

from tui.market.book import BookSide
from tui.market.terms import Level

NS: Final = 1_000_000_000
NEIGHBOURS: Final = 10
"""Levels on either side of one that it is compared with."""
LEAST_NEIGHBOURS: Final = 4
"""With fewer there is nothing to stand out of."""
FACTOR: Final = Decimal(5)
"""A wall is at least so many times what is usual around it ..."""
HOLD: Final = Decimal(3)
"""... and stays one as long as it is at least so many times: one that breathes does not flicker."""
STOOD_NS: Final = 3 * NS
"""Only a wall that has stood for so long is news, when it came and when it goes: many last for the blink of an eye."""
GRACE_NS: Final = NS
"""A wall that went is news once it has been away for so long."""
NOTED_NS: Final = 6 * NS
"""How long such news lasts."""
PAUSE_NS: Final = 20 * NS
"""After longer without a book the last one says nothing about what came and went."""
MAX_NOTES: Final = 16


def walls(levels: Sequence[Level], known: Collection[Decimal] = ()) -> dict[Decimal, Decimal]:
    """Find the levels that stand out of their neighbourhood.

    A level is a wall when its size is at least `FACTOR` times the median size of its neighbours, and of the whole side:
    close to the best price sizes can be so small that anything stands out of them. Neighbours are up to `NEIGHBOURS`
    levels on either side of it, itself left out. Medians (the lower one of two) do not mind other walls nearby.
    Compared are levels, not distances in price; sizes are in the base currency or shares.

    Args:
        levels: One side, best first.
        known: Prices that were walls before: for them `HOLD` is enough.

    Returns:
        Sizes by price, best first.
    """
    if len(levels) <= LEAST_NEIGHBOURS:
        return {}
    sizes = [size for _, size, _ in levels]
    usual = median_low(sizes)
    least = usual * HOLD
    found = {}
    for index, (price, size, _) in enumerate(levels):
        if size >= least:  # few are so large: only they are held against their neighbours
            factor = HOLD if price in known else FACTOR
            if 0 < max(_median(sizes, index), usual) * factor <= size:
                found[price] = size
    return found


def _median(sizes: Sequence[Decimal], index: int) -> Decimal:
    """The low median of a size's neighbours, as far as the size itself is in the upper half; else something larger.

    The window holds the size itself: leaving it out of the upper half does not move the place of the low median.
    """
    window = sorted(sizes[max(index - NEIGHBOURS, 0) : index + NEIGHBOURS + 1])
    return window[(len(window) - 2) // 2]


class WallNote(NamedTuple):
    """A wall that came or went.

    Attributes:
        at_ns: When that was sure.
        is_new: It came; otherwise it went.
    """

    side: BookSide
    price: Decimal
    size: Decimal
    at_ns: int
    is_new: bool

    def age(self, now_ns: int) -> float:
        """From 0.0, just seen, to 1.0, not worth a word any more."""
        return (now_ns - self.at_ns) / NOTED_NS


@dataclass(slots=True, eq=False)
class _Wall:
    """A wall that is there, or was a moment ago.

    Attributes:
        is_told: That it came has been noted, or is no news: it was there before anybody looked.
    """

    size: Decimal
    since_ns: int
    seen_ns: int
    is_told: bool


@dataclass(slots=True, eq=False)
class WallWatch:
    """The walls of one book at one price step, and those that came and went in the last seconds.

    A wall counts as come or gone only where both books reach: one that the depth sent no longer covers is out of sight,
    not gone. Bounded: the walls of the last second, and `MAX_NOTES` notes.

    Attributes:
        present: Sizes by price, for each side, in the last book.
        notes: Newest last.
    """

    present: dict[BookSide, dict[Decimal, Decimal]] = field(default_factory=dict)
    notes: deque[WallNote] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    _walls: dict[BookSide, dict[Decimal, _Wall]] = field(default_factory=dict)
    _ends: dict[BookSide, Decimal] = field(default_factory=dict)
    _seen_ns: int | None = None

    def look(self, bids: Sequence[Level], asks: Sequence[Level], now_ns: int) -> None:
        """Take the next book."""
        if self._seen_ns is not None and now_ns - self._seen_ns > PAUSE_NS:
            self.forget()
        self._seen_ns = now_ns
        self._look("bid", bids, now_ns)
        self._look("ask", asks, now_ns)

    def forget(self) -> None:
        """Start anew: other price steps, or a book that was not looked at for a while."""
        self.present.clear()
        self.notes.clear()
        self._walls.clear()
        self._ends.clear()
        self._seen_ns = None

    def recent(self, now_ns: int) -> list[WallNote]:
        """Notes that are still worth a word, newest first."""
        return [note for note in reversed(self.notes) if now_ns - note.at_ns < NOTED_NS]

    def _look(self, side: BookSide, levels: Sequence[Level], now_ns: int) -> None:
        before, last = self._walls.pop(side, {}), self._ends.pop(side, None)
        self.present[side] = found = walls(levels, before.keys())
        if not levels:
            return
        self._ends[side] = end = levels[-1][0]
        self._walls[side] = after = {}
        for price, size in found.items():
            is_old = last is None or not _reaches(side, last, price)
            wall = before.pop(price) if price in before else _Wall(size, now_ns, now_ns, is_old)
            after[price] = wall
            wall.size, wall.seen_ns = size, now_ns
            if not wall.is_told and now_ns - wall.since_ns >= STOOD_NS:
                wall.is_told = True
                self.notes.append(WallNote(side, price, size, now_ns, is_new=True))
        for price, wall in before.items():
            if now_ns - wall.seen_ns < GRACE_NS:
                after[price] = wall
            elif wall.seen_ns - wall.since_ns >= STOOD_NS and _reaches(side, end, price):
                self.notes.append(WallNote(side, price, wall.size, now_ns, is_new=False))


def _reaches(side: BookSide, end: Decimal, price: Decimal) -> bool:
    """Whether a book that ends at a price says something about another."""
    return end <= price if side == "bid" else end >= price
