"""Who makes up a book: each venue's best prices, its share, a book without some of them, and who may be stale.

Few sources split the size of a level between its venues. Where one does (`BookSnapshot.bests`), sizes are used; where
not, only which levels a venue takes part in is known. Pure functions, exact in `Decimal`, and one small watch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.market.book import BASIS_POINTS, BookSide, crossing_venues, touch
from tui.market.terms import Level, VenueBest

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

NS: Final = 1_000_000_000
NEAR_BP: Final = Decimal(10)
"""How far from the mid a level counts for a venue's share, in basis points of the mid."""
STALE_NS: Final = 10 * NS
"""A crossing venue whose levels stood still for so long, while others moved, may be stale ..."""
STALE_MOVES: Final = 10
"""... when the others moved at least so many times meanwhile."""
WATCHED: Final = 3
"""Levels of each side of a venue that are watched: a stale venue that crosses has its best ones at the top."""

Place = tuple[BookSide, Decimal]
"""A level's side and price."""


class VenuePart(NamedTuple):
    """What one venue contributes to a book.

    Attributes:
        bid: Its best bid, or None.
        ask: Its best ask, or None.
        levels: Levels it takes part in, both sides together.
        share: Its part within `NEAR_BP` of the mid, 0 to 1: of the size where the source splits sizes, else of the
            levels it takes part in (such shares add up to more than 1, as venues share levels). None without a mid.
    """

    bid: Decimal | None = None
    ask: Decimal | None = None
    levels: int = 0
    share: Decimal | None = None


def is_split(book: BookSnapshot) -> bool:
    """Whether the source says how much of a level is whose."""
    return bool(book.bests)


def parts(book: BookSnapshot) -> dict[str, VenuePart]:
    """What each venue contributes, in the order of `book.venues`, then as they appear; missing ones are not in it."""
    best: dict[tuple[BookSide, str], Decimal] = {
        (side, venue.venue): price for venue in book.bests for (side, price), _ in _places(venue)
    }
    count: Counter[str] = Counter()
    for side, levels in _sides(book):
        for price, _, venues in levels:
            count.update(venues)
            for venue in venues:
                best.setdefault((side, venue), price)
    shares = _shares(book)
    return {
        venue: VenuePart(
            best.get(("bid", venue)),
            best.get(("ask", venue)),
            count[venue],
            None if shares is None else shares.get(venue, Decimal()),
        )
        for venue in dict.fromkeys((*book.venues, *count))
    }


def _shares(book: BookSnapshot) -> dict[str, Decimal] | None:
    mid = touch(book).mid
    if not mid:
        return None
    near = [
        ((side, price), size, venues)
        for side, levels in _sides(book)
        for price, size, venues in levels
        if abs(price - mid) * BASIS_POINTS <= NEAR_BP * mid
    ]
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    by_place = split(book)
    for place, _, venues in near:
        given = by_place.get(place, {}) if is_split(book) else dict.fromkeys(venues, Decimal(1))
        for venue, part in given.items():
            found[venue] += part
    whole = sum((size for _, size, _ in near), Decimal()) if is_split(book) else Decimal(len(near))
    return {venue: part / whole for venue, part in found.items()} if whole else {}


def split(book: BookSnapshot) -> dict[Place, dict[str, Decimal]]:
    """How much of which level is whose, as far as the source says: sizes by venue, by side and price.

    What a venue has beyond its best price is not known, so the parts of a level need not add up to its size; more than
    its size is not given away (the rows of a source may be a moment apart).
    """
    found: defaultdict[Place, dict[str, Decimal]] = defaultdict(dict)
    left = {(side, price): size for side, levels in _sides(book) for price, size, _ in levels}
    for best in book.bests:
        for place, size in _places(best):
            given = min(size, left.get(place, Decimal()))
            if given > 0:
                left[place] -= given
                found[place][best.venue] = given
    return dict(found)


def _places(best: VenueBest) -> Iterable[tuple[Place, Decimal]]:
    if best.bid is not None and best.bid_size is not None:
        yield ("bid", best.bid), best.bid_size
    if best.ask is not None and best.ask_size is not None:
        yield ("ask", best.ask), best.ask_size


def without(book: BookSnapshot, left_out: Collection[str]) -> BookSnapshot:
    """The book without some venues, as far as the source splits levels between them; else the book as it is.

    What is known to be theirs is taken off a level; a level of which nothing is left goes.
    """
    if not left_out or not is_split(book):
        return book
    by_place = split(book)
    sides = {
        side: tuple(
            (price, rest, tuple(venue for venue in venues if venue not in left_out))
            for price, size, venues in levels
            if (rest := size - _theirs(by_place.get((side, price), {}), left_out)) > 0
        )
        for side, levels in _sides(book)
    }
    return book.model_copy(
        update={
            "bids": sides["bid"],
            "asks": sides["ask"],
            "venues": tuple(venue for venue in book.venues if venue not in left_out),
            "bests": tuple(best for best in book.bests if best.venue not in left_out),
        }
    )


def _theirs(sizes: Mapping[str, Decimal], venues: Collection[str]) -> Decimal:
    return sum((size for venue, size in sizes.items() if venue in venues), Decimal())


def _sides(book: BookSnapshot) -> tuple[tuple[BookSide, tuple[Level, ...]], ...]:
    return ("bid", book.bids), ("ask", book.asks)


@dataclass(slots=True, eq=False)
class _Trace:
    """A venue's best levels.

    Attributes:
        prices: Of its best levels, bids and asks together.
        alone: Sizes of those that it has to itself.
        since_ns: When they became so.
        moves: How often any venue had moved by then.
    """

    prices: list[Place] = field(default_factory=list)
    alone: dict[Place, Decimal] = field(default_factory=dict)
    since_ns: int = 0
    moves: int = 0

    def differs(self, other: _Trace) -> bool:
        """Whether the venue has moved; a size that is not its own at both times says nothing."""
        return self.prices != other.prices or any(
            self.alone.get(place, size) != size for place, size in other.alone.items()
        )


@dataclass(slots=True, eq=False)
class VenueWatch:
    """Since when each venue's levels stand still, and how often others moved meanwhile.

    Watched are the prices of a venue's best `WATCHED` levels a side, and their sizes where it has a level to itself:
    the rest of a level's size may be anybody's. Bounded by the venues of the last book.
    """

    _traces: dict[str, _Trace] = field(default_factory=dict)
    _moves: int = 0

    def look(self, book: BookSnapshot) -> None:
        """Take the next book."""
        traces = _traces(book)
        moved = [
            name for name, trace in traces.items() if name not in self._traces or self._traces[name].differs(trace)
        ]
        self._moves += len(moved)
        for name in moved:
            traces[name].since_ns, traces[name].moves = book.ts_recv_ns, self._moves
        self._traces = {name: traces[name] if name in moved else self._traces[name] for name in traces}

    def suspects(self, book: BookSnapshot) -> tuple[str, ...]:
        """Venues that cross others in a book and may be stale: they stand still while the market moves."""
        names = dict.fromkeys(name for side in crossing_venues(book) for name in side)
        return tuple(name for name in names if self._is_still(name, book.ts_recv_ns))

    def _is_still(self, name: str, now_ns: int) -> bool:
        trace = self._traces.get(name)
        if trace is None:
            return False
        return now_ns - trace.since_ns >= STALE_NS and self._moves - trace.moves >= STALE_MOVES


def _traces(book: BookSnapshot) -> dict[str, _Trace]:
    found: defaultdict[str, _Trace] = defaultdict(_Trace)
    for side, levels in _sides(book):
        count: Counter[str] = Counter()
        for price, size, venues in levels:
            for name in venues:
                count[name] += 1
                if count[name] <= WATCHED:
                    found[name].prices.append((side, price))
                    if len(venues) == 1:
                        found[name].alone[side, price] = size
    return dict(found)
