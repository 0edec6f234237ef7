"""Walls: equal to brute force, steady, and noted when they come and go."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import median_low

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.books import level, sides
from tui.market.events import Level
from tui.market.walls import (
    FACTOR,
    HOLD,
    LEAST_NEIGHBOURS,
    MAX_NOTES,
    NEIGHBOURS,
    NOTED_NS,
    NS,
    WallNote,
    WallWatch,
    walls,
)

SECOND = NS


def brute(levels: Sequence[Level], known: frozenset[Decimal]) -> dict[Decimal, Decimal]:
    found = {}
    for index, (price, size, _) in enumerate(levels):
        around = [*levels[max(0, index - NEIGHBOURS) : index], *levels[index + 1 : index + 1 + NEIGHBOURS]]
        if len(levels) > LEAST_NEIGHBOURS:
            median = median_low([other for _, other, _ in around])
            if size >= median * (HOLD if price in known else FACTOR):
                found[price] = size
    return found


@settings(max_examples=150, deadline=None)
@given(levels=sides(is_bid=True, most=60), known=st.data())
def test_walls_equal_brute_force(levels: tuple[Level, ...], known: st.DataObject) -> None:
    prices = [price for price, _, _ in levels]
    before = frozenset(known.draw(st.lists(st.sampled_from(prices)))) if prices else frozenset()
    assert walls(levels, before) == brute(levels, before)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.sampled_from(["1", "2", "4", "9", "30"]), max_size=45))
def test_equal_sizes_and_several_walls_equal_brute_force(sizes: list[str]) -> None:
    levels = [level(str(1000 - n), size) for n, size in enumerate(sizes)]
    assert walls(levels) == brute(levels, frozenset())


def bids(*sizes: float, first: int = 1000) -> list[Level]:
    return [level(str(first - n), str(size)) for n, size in enumerate(sizes)]


def test_a_size_five_times_its_neighbours_is_a_wall_and_less_is_not() -> None:
    assert walls(bids(1, 1, 1, 5, 1, 1, 1)) == {Decimal(997): Decimal(5)}
    assert walls(bids(1, 1, 1, 4.9, 1, 1, 1)) == {}


def test_two_walls_side_by_side_do_not_hide_each_other() -> None:
    assert list(walls(bids(1, 1, 1, 8, 9, 1, 1, 1))) == [Decimal(997), Decimal(996)]


def test_sizes_that_grow_with_the_distance_are_no_walls() -> None:
    assert walls(bids(*range(1, 60))) == {}


def test_with_too_few_levels_nothing_stands_out() -> None:
    assert walls(bids(1, 1, 1, 50)) == {}
    assert walls(()) == {}


# --- what came and went ---


def watched(*books: Sequence[Level], step_ns: int = SECOND) -> WallWatch:
    watch = WallWatch()
    for n, levels in enumerate(books, 1):
        watch.look(levels, (), n * step_ns)
    return watch


FLAT, WALL = bids(1, 1, 1, 1, 1, 1, 1), bids(1, 1, 1, 9, 1, 1, 1)


def test_the_first_book_is_no_news() -> None:
    watch = watched(WALL)
    assert watch.present["bid"] == {Decimal(997): Decimal(9)}
    assert watch.recent(SECOND) == []


def test_a_wall_that_comes_and_one_that_goes_are_noted_for_a_moment() -> None:
    watch = watched(FLAT, WALL, FLAT)
    gone, come = watch.recent(3 * SECOND)
    assert gone == WallNote("bid", Decimal(997), Decimal(9), 3 * SECOND, is_new=False)
    assert come == WallNote("bid", Decimal(997), Decimal(9), 2 * SECOND, is_new=True)
    assert watch.recent(2 * SECOND + NOTED_NS) == [gone]
    assert watch.recent(3 * SECOND + NOTED_NS) == []
    assert 0.0 == gone.age(3 * SECOND) < gone.age(4 * SECOND) < 1.0


def test_a_wall_that_breathes_stays_one() -> None:
    watch = watched(WALL, bids(1, 1, 1, 4, 1, 1, 1), WALL)
    assert watch.recent(3 * SECOND) == []
    assert list(watched(WALL, bids(1, 1, 1, 3, 1, 1, 1)).recent(2 * SECOND)) != []


def test_a_wall_that_the_depth_no_longer_covers_is_not_gone_and_one_beyond_it_is_not_new() -> None:
    near = bids(1, 1, 1, 1, 1, 1)
    far = bids(1, 1, 1, 1, 1, 1, 9, 1, 1)
    assert watched(far, near).recent(2 * SECOND) == []
    assert watched(near, far).recent(2 * SECOND) == []


def test_a_wall_that_the_price_went_through_is_gone() -> None:
    watch = watched(WALL, bids(1, 1, 1, 1, 1, 1, 1, first=990))
    assert [(note.price, note.is_new) for note in watch.recent(2 * SECOND)] == [(Decimal(997), False)]


def test_after_a_pause_nothing_is_noted() -> None:
    assert watched(FLAT, WALL, step_ns=30 * SECOND).recent(60 * SECOND) == []


def test_an_empty_side_says_nothing_about_walls() -> None:
    assert watched(WALL, (), WALL).recent(3 * SECOND) == []


def test_notes_are_bounded() -> None:
    watch = watched(*[FLAT, WALL] * 40)
    assert len(watch.notes) == MAX_NOTES
