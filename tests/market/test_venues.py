"""Who makes up a book: parts and shares equal to brute force, venues left out exactly, stale ones told from a cross."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.books import VENUES, level, sides, snapshot
from tui.market import book as arithmetic
from tui.market.events import BookSnapshot
from tui.market.terms import Level, VenueBest
from tui.market.venues import NEAR_BP, NS, STALE_MOVES, STALE_NS, VenueWatch, is_split, parts, split, without

BIDS = [level("100.00", "3", "okx"), level("99.95", "1", "okx", "kraken"), level("99.50", "8", "binance")]
ASKS = [level("100.10", "2", "binance"), level("100.15", "4", "okx"), level("101.00", "9", "kraken")]
BESTS = [
    VenueBest("okx", Decimal("100.00"), Decimal(3), Decimal("100.15"), Decimal(4)),
    VenueBest("kraken", Decimal("99.95"), Decimal("0.25"), Decimal("101.00"), Decimal(9)),
    VenueBest("binance", None, None, Decimal("100.10"), Decimal(2)),
]


@st.composite
def near_books(draw: st.DrawFn) -> BookSnapshot:
    """Books around 100 whose levels fall inside and outside of ten basis points."""
    bids, asks = (
        tuple(
            level(str(Decimal(10_000 + sign * n).scaleb(-2)), str(draw(st.integers(1, 9))), *draw(venues))
            for n in sorted(draw(st.lists(st.integers(0, 30), unique=True)))
        )
        for sign in (-1, 1)
    )
    return snapshot(bids, asks)


venues = st.lists(st.sampled_from(VENUES), max_size=3, unique=True)


@settings(max_examples=100, deadline=None)
@given(book=near_books())
def test_best_prices_and_levels_of_a_venue_equal_brute_force(book: BookSnapshot) -> None:
    found = parts(book)
    for name in VENUES:
        mine = [[price for price, _, names in side if name in names] for side in (book.bids, book.asks)]
        if name not in found:
            assert mine == [[], []]
            continue
        assert found[name].bid == max(mine[0], default=None)
        assert found[name].ask == min(mine[1], default=None)
        assert found[name].levels == len(mine[0]) + len(mine[1])


@settings(max_examples=100, deadline=None)
@given(book=near_books())
def test_without_a_split_the_share_is_that_of_the_levels_within_ten_basis_points(book: BookSnapshot) -> None:
    mid = arithmetic.touch(book).mid
    if mid is None:
        assert all(part.share is None for part in parts(book).values())
        return
    limit = Fraction(mid) * Fraction(NEAR_BP) / 10_000
    near = [names for price, _, names in (*book.bids, *book.asks) if abs(Fraction(price) - Fraction(mid)) <= limit]
    for name, part in parts(book).items():
        expected = Fraction(sum(name in names for names in near), len(near)) if near else Fraction()
        assert part.share == pytest.approx(Decimal(expected.numerator) / expected.denominator, abs=Decimal("1e-20"))


def test_with_a_split_the_share_is_that_of_the_size() -> None:
    found = parts(snapshot(BIDS, ASKS, bests=BESTS))
    # within 10 bp of 100.05: 3 + 1 bids, 2 + 4 asks
    assert [found[name].share for name in ("okx", "kraken", "binance")] == [
        Decimal("0.7"),
        Decimal("0.025"),
        Decimal("0.2"),
    ]


def test_a_venue_that_takes_part_without_a_level_is_listed() -> None:
    book = snapshot(BIDS, ASKS).model_copy(update={"venues": ("bybit", "okx")})
    assert list(parts(book)) == ["bybit", "okx", "kraken", "binance"]
    assert parts(book)["bybit"][:3] == (None, None, 0)


def test_a_level_is_split_as_far_as_the_source_says() -> None:
    found = split(snapshot(BIDS, ASKS, bests=BESTS))
    assert found["bid", Decimal("99.95")] == {"kraken": Decimal("0.25")}
    assert found["bid", Decimal("100.00")] == {"okx": Decimal(3)}
    assert ("bid", Decimal("99.50")) not in found


def test_no_more_than_a_level_holds_is_given_away() -> None:
    late = [VenueBest("okx", Decimal(100), Decimal(2)), VenueBest("kraken", Decimal(100), Decimal(2))]
    found = split(snapshot([level("100", "3", "okx", "kraken")], [], bests=late))
    assert found == {("bid", Decimal(100)): {"okx": Decimal(2), "kraken": Decimal(1)}}


@settings(max_examples=80, deadline=None)
@given(sizes=st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=8), data=st.data())
def test_a_book_without_venues_equals_one_they_never_were_in(sizes: list[list[int]], data: st.DataObject) -> None:
    """Each venue has one level a side, as a level-2 feed of best prices gives it."""
    places = [data.draw(st.integers(0, len(sizes) - 1)) for _ in VENUES]

    def book(names: Sequence[str]) -> BookSnapshot:
        held: dict[int, dict[str, int]] = {}
        for name, place in zip(VENUES, places, strict=True):
            if name in names and (size := sizes[place][VENUES.index(name)]):
                held.setdefault(place, {})[name] = size
        bids = [level(str(100 - n), str(sum(of.values())), *of) for n, of in sorted(held.items())]
        bests = [VenueBest(v, Decimal(100 - n), Decimal(s)) for n, of in sorted(held.items()) for v, s in of.items()]
        return snapshot(bids, [], bests=bests)

    left_out = data.draw(st.sets(st.sampled_from(VENUES)))
    whole, rest = book(VENUES), book([name for name in VENUES if name not in left_out])
    found = without(whole, left_out)
    assert (found.bids, found.bests, found.venues) == (rest.bids, rest.bests, rest.venues)


def test_without_a_split_no_venue_can_be_left_out() -> None:
    book = snapshot(BIDS, ASKS)
    assert not is_split(book)
    assert without(book, {"okx"}) is book


@settings(max_examples=100, deadline=None)
@given(bids=sides(is_bid=True), asks=sides(is_bid=False))
def test_crossing_venues_and_size_equal_brute_force(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> None:
    book = snapshot(bids, asks)
    buyers = {v for price, _, names in bids for v in names if asks and price >= min(ask for ask, _, _ in asks)}
    sellers = {v for price, _, names in asks for v in names if bids and price <= max(bid for bid, _, _ in bids)}
    found = arithmetic.crossing_venues(book)
    assert (set(found[0]), set(found[1])) == (buyers, sellers)
    prices = {price for price, _, _ in (*bids, *asks)}
    at_each = [
        min(
            sum((size for bid, size, _ in bids if bid > price), Decimal()),
            sum((size for ask, size, _ in asks if ask <= price), Decimal()),
        )
        for price in prices
    ]
    assert arithmetic.crossed_size(book) == max(at_each, default=Decimal())


def crossed(still: str, moving: str, now_s: float) -> BookSnapshot:
    """Kraken bids above what binance asks; okx sells higher up."""
    bids = [level(still, "1", "kraken"), level("99", "2", "okx")]
    asks = [level(moving, "1", "binance"), level("102", "2", "okx")]
    return snapshot(bids, asks, now_ns=int(now_s * NS))


def looked(books: Sequence[BookSnapshot]) -> tuple[VenueWatch, BookSnapshot]:
    watch = VenueWatch()
    for book in books:
        watch.look(book)
    return watch, books[-1]


def test_a_crossing_venue_that_stands_still_while_others_move_may_be_stale() -> None:
    watch, last = looked([crossed("101", f"100.{n:02}", n) for n in range(15)])
    assert watch.suspects(last) == ("kraken",)


def test_a_cross_in_which_both_move_is_real() -> None:
    watch, last = looked([crossed(f"101.{n:02}", f"100.{n:02}", n) for n in range(30)])
    assert watch.suspects(last) == ()


def test_while_all_stand_still_nobody_is_suspected() -> None:
    watch, last = looked([crossed("101", "100", n) for n in range(30)])
    assert watch.suspects(last) == ()


def test_it_takes_both_time_and_moves_of_others() -> None:
    short, last = looked([crossed("101", f"100.{n:02}", n * STALE_NS / NS / 31) for n in range(30)])
    assert short.suspects(last) == ()
    few, last = looked([crossed("101", f"100.{n:02}", n * 10) for n in range(STALE_MOVES)])
    assert few.suspects(last) == ()


def test_a_size_that_changes_at_a_price_a_venue_has_to_itself_is_a_move() -> None:
    def book(n: int) -> BookSnapshot:
        bids = [level("101", str(1 + n % 2), "kraken"), level("99", "2", "okx")]
        return snapshot(bids, [level(f"100.{n:02}", "1", "binance")], now_ns=n * NS)

    watch, last = looked([book(n) for n in range(20)])
    assert watch.suspects(last) == ()


def test_a_size_that_is_shared_says_nothing_of_any_venue() -> None:
    def book(n: int) -> BookSnapshot:
        names = ("kraken", "okx") if n % 2 else ("kraken",)
        return snapshot(
            [level("101", str(1 + n % 2), *names), level("99", "2", "okx")],
            [level(f"100.{n:02}", "1", "binance")],
            now_ns=n * NS,
        )

    watch, last = looked([book(n) for n in range(20)])
    assert watch.suspects(last) == ("kraken",)


def test_only_who_crosses_is_suspected() -> None:
    books = [
        snapshot([level("99", "1", "kraken")], [level(f"100.{n:02}", "1", "okx")], now_ns=n * NS) for n in range(20)
    ]
    watch, last = looked(books)
    assert watch.suspects(last) == ()
