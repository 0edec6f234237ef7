"""Walls: equal to brute force, steady, and noted when they come and go."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import median_low

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.books import level, sides
from tui.market.terms import Level
from tui.market.walls import (
    FACTOR,
    GRACE_NS,
    HOLD,
    LEAST_NEIGHBOURS,
    MAX_NOTES,
    NEIGHBOURS,
    NOTED_NS,
    NS,
    PAUSE_NS,
    STOOD_NS,
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
            usual = max(median_low([other for _, other, _ in group]) for group in (around, levels))
            if size >= usual * (HOLD if price in known else FACTOR):
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


def test_what_is_small_for_its_side_is_no_wall_among_smaller_ones() -> None:
    assert walls(bids(1, 1, 1, 5, 1, *[20] * 30)) == {}


class Watched:
    """A watch that is shown books, four a second."""

    def __init__(self) -> None:
        self.watch = WallWatch()
        self.now_ns = SECOND

    def show(self, levels: Sequence[Level], seconds: float = 0.25) -> Watched:
        for _ in range(round(seconds * 4)):
            self.watch.look(levels, (), self.now_ns)
            self.now_ns += SECOND // 4
        return self

    @property
    def news(self) -> list[tuple[str, str]]:
        """Newest last."""
        return [(f"{note.price}", "came" if note.is_new else "went") for note in self.watch.notes]


FLAT, WALL = bids(1, 1, 1, 1, 1, 1, 1), bids(1, 1, 1, 9, 1, 1, 1)
CAME, WENT = ("997", "came"), ("997", "went")


def test_the_walls_of_the_first_book_are_no_news() -> None:
    seen = Watched().show(WALL, 5)
    assert seen.watch.present["bid"] == {Decimal(997): Decimal(9)}
    assert seen.news == []


def test_a_wall_that_comes_and_stays_and_then_goes_is_noted() -> None:
    assert Watched().show(FLAT).show(WALL, 4).news == [CAME]
    assert Watched().show(FLAT).show(WALL, 4).show(FLAT, 2).news == [CAME, WENT]


def test_a_note_tells_what_and_lasts_for_a_moment() -> None:
    seen = Watched().show(FLAT).show(WALL, 4)
    (note,) = seen.watch.recent(seen.now_ns)
    assert note == WallNote("bid", Decimal(997), Decimal(9), note.at_ns, is_new=True)
    assert note.age(note.at_ns) == 0.0 < note.age(seen.now_ns) < 1.0
    assert seen.watch.recent(note.at_ns + NOTED_NS) == []


def test_a_wall_for_the_blink_of_an_eye_is_shown_but_no_news() -> None:
    seen = Watched().show(FLAT).show(WALL, STOOD_NS / SECOND - 0.25)
    assert Decimal(997) in seen.watch.present["bid"]
    assert seen.show(FLAT, 5).news == []


def test_a_wall_that_is_away_for_the_blink_of_an_eye_is_not_gone() -> None:
    assert Watched().show(WALL, 4).show(FLAT, GRACE_NS / SECOND - 0.25).show(WALL, 4).news == []


def test_a_wall_that_breathes_stays_one() -> None:
    assert Watched().show(WALL, 4).show(bids(1, 1, 1, 3, 1, 1, 1), 4).show(WALL, 4).news == []
    assert Watched().show(WALL, 4).show(bids(1, 1, 1, 2.9, 1, 1, 1), 4).news == [WENT]


def test_a_wall_that_the_depth_no_longer_covers_is_not_gone_and_one_beyond_it_is_not_new() -> None:
    near = bids(1, 1, 1, 1, 1, 1)
    far = bids(1, 1, 1, 1, 1, 1, 9, 1, 1)
    assert Watched().show(far, 4).show(near, 4).news == []
    assert Watched().show(near, 4).show(far, 4).news == []


def test_a_wall_that_the_price_went_through_is_gone() -> None:
    assert Watched().show(WALL, 4).show(bids(1, 1, 1, 1, 1, 1, 1, first=990), 3).news == [WENT]


def test_after_a_pause_nothing_is_noted() -> None:
    seen = Watched().show(FLAT)
    seen.now_ns += PAUSE_NS
    assert seen.show(WALL, 4).news == []


def test_an_empty_side_says_nothing_about_walls() -> None:
    assert Watched().show(WALL, 4).show((), 3).show(WALL, 4).news == []


def test_notes_and_walls_are_bounded() -> None:
    seen = Watched().show(FLAT)
    for _ in range(20):
        seen.show(WALL, 4).show(FLAT, 2)
    assert len(seen.watch.notes) == MAX_NOTES
    assert seen.watch._walls == {"bid": {}}
