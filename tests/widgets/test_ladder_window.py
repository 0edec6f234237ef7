"""The window: centred on the mid, held by the cursor to its price, scrolled by moving past the edge."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.market.terms import Level
from tui.widgets.ladder_window import Sides, Window


def side(prices: Sequence[int]) -> list[Level]:
    return [(Decimal(price), Decimal(1), ()) for price in prices]


def book(bids: int = 50, asks: int = 50, mid: int = 1000) -> Sides:
    return Sides(side([mid - 1 - n for n in range(bids)]), side([mid + 1 + n for n in range(asks)]))


def test_without_a_cursor_the_mid_is_in_the_middle() -> None:
    assert Window().places(book(), 5) == [-2, -1, 0, 1, 2]


def test_the_first_step_puts_the_cursor_on_the_best_price_of_its_direction() -> None:
    for step, price in ((1, 999), (-1, 1001)):
        window = Window()
        window.move(book(), step, 11)
        assert window.price == price
        assert window.places(book(), 11) == list(range(-5, 6))


def test_the_cursor_steps_over_the_mid_row() -> None:
    window = Window()
    window.move(book(), 1, 11)
    window.move(book(), -1, 11)
    assert (window.side, window.price) == ("ask", Decimal(1001))
    window.move(book(), 1, 11)
    assert (window.side, window.price) == ("bid", Decimal(999))
    assert window.places(book(), 11)[window.row] == 1


def test_past_the_edge_the_view_scrolls_and_the_mid_row_stays_at_the_edge() -> None:
    window = Window()
    for _ in range(30):
        window.move(book(), 1, 11)
        places = window.places(book(), 11)
    assert places == [0, *range(21, 31)]
    assert places[window.row] == 30
    for _ in range(60):
        window.move(book(), -1, 11)
        places = window.places(book(), 11)
    assert places[-1] == 0
    assert places[window.row] == -31


def test_at_the_end_of_the_book_the_cursor_stays() -> None:
    window = Window()
    for _ in range(80):
        window.move(book(), 1, 11)
        places = window.places(book(), 11)
    assert window.price == 950
    assert places[-1] == 50
    assert places[window.row] == 50


def test_the_price_under_the_cursor_keeps_its_row_while_the_market_moves() -> None:
    window = Window()
    for _ in range(3):
        window.move(book(), -1, 21)
    before = window.places(book(), 21)
    row, price = window.row, window.price
    after = window.places(book(mid=1002, asks=50), 21)
    assert (window.row, window.price) == (row, price)
    assert before[row] == -3
    assert after[row] == -1


def test_a_price_that_changed_sides_keeps_the_cursor() -> None:
    window = Window()
    window.move(book(), 1, 21)
    row = window.row
    places = window.places(book(mid=990), 21)
    assert (window.side, window.price) == ("ask", Decimal(999))
    assert window.row == row
    assert places[row] == -9


def test_a_price_that_is_gone_gives_the_cursor_to_the_nearest_level() -> None:
    window = Window(side="bid", price=Decimal(995), row=12)
    window.places(Sides(side([999, 996, 990]), side([1001])), 21)
    assert window.price == 996


def test_an_emptied_side_lets_the_cursor_go() -> None:
    window = Window(side="bid", price=Decimal(995), row=12)
    assert window.places(Sides((), side([1001])), 5) == [-2, -1, 0, 1, 2]
    assert window.price is None


def test_with_one_side_the_cursor_goes_to_the_other() -> None:
    window = Window()
    window.move(Sides((), side([1001, 1002])), 1, 11)
    assert window.price == 1001
    window.move(Sides((), side([1001, 1002])), 1, 11)
    assert window.price == 1001
    nothing = Window()
    nothing.move(Sides((), ()), 1, 11)
    assert nothing.price is None


def test_centre_lets_go() -> None:
    window = Window()
    for _ in range(30):
        window.move(book(), 1, 11)
        window.places(book(), 11)
    window.centre()
    assert window.places(book(), 11) == list(range(-5, 6))


def test_a_click_beside_the_levels_changes_nothing() -> None:
    window = Window()
    window.point(book(), -3, 2)
    window.point(book(), 0, 5)
    assert (window.price, window.row) == (Decimal(1003), 2)


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.sampled_from([-1, 1]), max_size=60),
    sizes=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    span=st.integers(2, 15),
)
def test_the_cursor_is_always_in_sight_and_every_place_is_shown_once(
    steps: list[int], sizes: tuple[int, int], span: int
) -> None:
    window, sides = Window(), book(*sizes)
    for step in steps:
        window.move(sides, step, span)
        places = window.places(sides, span)
        assert len(places) == len(set(places)) == span
        assert 0 in places
        if window.price is not None:
            level = sides.at(places[window.row])
            assert level is not None
            assert level[0] == window.price
