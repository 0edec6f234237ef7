"""Candles, volume and lines as characters."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest

from tui.widgets.axis import PriceScale
from tui.widgets.candles import DASHED, DOTTED, SOLID, Shape, candle, curve, shape, volume

SCALE = PriceScale(step=Decimal(4), rows_per_step=4, top=9, rows=10)
"""Ten rows of 1.0 each; row 0 is the price 9, from 9.5 down to 8.5."""


class Prices(NamedTuple):
    open: float
    high: float
    low: float
    close: float


def drawn(prices: Prices, cells: int = 1, *, hollow: bool = False) -> dict[int, str]:
    return dict(candle(shape(prices, SCALE), cells, hollow))


def test_a_body_with_wicks_meets_them_within_a_cell() -> None:
    # halves: 8.2 upper of row 1, 6.7 lower of row 2, 5.3 upper of row 4, 4.2 upper of row 5
    assert drawn(Prices(5.3, 8.2, 4.2, 6.7)) == {1: "│", 2: "╽", 3: "┃", 4: "╿", 5: "╵"}


def test_a_wick_that_ends_in_the_lower_half_starts_there() -> None:
    assert drawn(Prices(6.2, 7.8, 6.2, 6.4)) == {1: "╷", 2: "│", 3: "╹"}


def test_a_price_that_did_not_move_is_half_a_row() -> None:
    assert drawn(Prices(6.2, 6.2, 6.2, 6.2)) == {3: "╹"}
    assert drawn(Prices(5.8, 5.8, 5.8, 5.8)) == {3: "╻"}


def test_wide_candles_put_the_wick_into_the_middle_of_the_body() -> None:
    prices = Prices(5.3, 8.2, 4.2, 6.7)
    assert drawn(prices, 2) == {1: "▐ ", 2: "▟▖", 3: "█▌", 4: "▜▘", 5: "▝ "}
    assert drawn(prices, 3)[2] == "▄▙▖"
    assert drawn(prices, 4)[2] == "▄▟▄▖"


@pytest.mark.parametrize("cells", [1, 2, 3, 4, 5])
def test_hollow_rises_and_falls_differ_at_every_width(cells: int) -> None:
    rise, fall = Prices(5.3, 8.2, 4.2, 6.7), Prices(6.7, 8.2, 4.2, 5.3)
    assert drawn(rise, cells) == drawn(fall, cells)
    hollow_rise, hollow_fall = drawn(rise, cells, hollow=True), drawn(fall, cells, hollow=True)
    assert hollow_fall == drawn(fall, cells)
    assert all(hollow_rise[row] != hollow_fall[row] for row in (2, 3, 4))


@pytest.mark.parametrize("cells", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("hollow", [False, True])
def test_every_cell_text_is_as_wide_as_the_candle(cells: int, hollow: bool) -> None:
    for prices in (Prices(5.3, 8.2, 4.2, 6.7), Prices(6, 6, 6, 6), Prices(9, 9.4, -3, 1)):
        assert {len(text) for text in drawn(prices, cells, hollow=hollow).values()} == {cells}


def test_what_lies_outside_of_the_scale_stays_at_its_edge() -> None:
    assert shape(Prices(50, 60, -60, -50), SCALE) == Shape(0, 0, 19, 19, rises=False)


def test_a_body_outside_of_its_own_range_still_shows_whole() -> None:
    wrong = shape(Prices(8, 7, 5, 3), SCALE)
    assert (wrong.top, wrong.bottom) == (wrong.body_top, wrong.body_bottom)


def test_volume_is_drawn_in_eighths_from_the_bottom() -> None:
    assert volume(0.5, 2, 1) == [(1, "█")]
    assert volume(0.75, 2, 1) == [(0, "▄"), (1, "█")]
    assert volume(1, 2, 3) == [(0, "██ "), (1, "██ ")]


def test_any_volume_shows_and_none_shows_nothing() -> None:
    assert volume(0.0001, 4, 1) == [(3, "▁")]
    assert volume(0, 4, 1) == []


def test_a_line_has_four_heights_in_a_row() -> None:
    points = [(0, 6.45), (1, 6.2), (2, 5.9), (3, 5.6)]
    assert curve(points, SCALE, SOLID) == [(0, 3, "⠉"), (1, 3, "⠒"), (2, 3, "⠤"), (3, 3, "⣀")]


def test_a_line_runs_straight_between_points_and_stops_where_nothing_is_known() -> None:
    cells = curve([(0, 9.0), (4, 5.0), (6, None), (8, 5.0)], SCALE, SOLID)
    assert [(x, row) for x, row, _ in cells] == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (8, 4)]


def test_lines_are_known_by_their_dashes() -> None:
    points = [(x, 5.0) for x in range(6)]
    assert [x for x, _, _ in curve(points, SCALE, DASHED)] == [0, 1, 3, 4]
    assert curve(points, SCALE, DOTTED)[0][2] != curve(points, SCALE, SOLID)[0][2]
    assert len({DASHED.sample, DOTTED.sample, SOLID.sample}) == 3


def test_a_line_off_the_chart_is_not_drawn() -> None:
    assert curve([(0, 99.0), (1, -99.0)], SCALE, SOLID) == []
