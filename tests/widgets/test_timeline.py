"""Bars in columns: gaps, folded breaks, scrolling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tui.market.names import Interval
from tui.widgets.timeline import SHORT_GAP, Spacing

NS = 1_000_000_000


def minutes(*numbers: int) -> list[int]:
    return [(1_767_623_820 + 60 * n) * NS for n in numbers]


def days(*dates: str) -> list[int]:
    return [int(datetime.fromisoformat(f"2026-{date}").replace(tzinfo=UTC).timestamp()) * NS for date in dates]


def test_bars_stand_side_by_side_at_the_right() -> None:
    timeline = Spacing(minutes(0, 1, 2), Interval.M1, 2).back_from(3, 10)
    assert (timeline.first, timeline.columns, timeline.breaks) == (0, [4, 6, 8], [])


def test_only_whole_bars_show() -> None:
    timeline = Spacing(minutes(*range(9)), Interval.M1, 3).back_from(9, 10)
    assert (timeline.first, timeline.columns) == (6, [1, 4, 7])


@pytest.mark.fault("M61")
def test_missing_bars_leave_their_columns_free() -> None:
    timeline = Spacing(minutes(0, 1, 4), Interval.M1, 2).back_from(3, 20)
    assert timeline.columns == [10, 12, 18]


def test_a_long_stretch_is_folded_into_one_column_with_its_length() -> None:
    spacing = Spacing(minutes(0, 1, 1001, 1002), Interval.M1, 2)
    timeline = spacing.back_from(4, 20)
    assert timeline.columns == [11, 13, 16, 18]
    assert timeline.breaks == [(15, 999 * 60 * NS)]


def test_the_longest_gap_that_is_drawn_true_to_time() -> None:
    spacing = Spacing(minutes(0, SHORT_GAP + 1, 2 * SHORT_GAP + 3), Interval.M1, 1)
    assert [spacing.gap(index) for index in (1, 2)] == [SHORT_GAP, 1]


def test_a_break_with_nothing_before_it_on_the_screen_is_not_drawn() -> None:
    assert Spacing(minutes(0, 1000), Interval.M1, 2).back_from(2, 4).breaks == []


def test_a_weekend_is_no_gap_where_nobody_trades_on_weekends() -> None:
    week = days("01-05", "01-06", "01-07", "01-08", "01-09", "01-12", "01-14")
    spacing = Spacing(week, Interval.D1, 1)
    assert [spacing.missing(index) for index in range(1, 7)] == [0, 0, 0, 0, 0, 1]


def test_a_weekend_is_a_gap_where_every_day_is_traded() -> None:
    starts = days(*(f"01-{day:02}" for day in range(5, 17)), "01-19")
    assert Spacing(starts, Interval.D1, 1).missing(12) == 2


def test_a_clock_change_is_no_gap() -> None:
    starts = [days("03-06")[0] + 5 * 3600 * NS, days("03-09")[0] + 4 * 3600 * NS]
    assert Spacing(starts, Interval.D1, 1).missing(1) == 0


def test_scrolling_from_an_older_bar_fills_the_width() -> None:
    spacing = Spacing(minutes(*range(10), *range(12, 100)), Interval.M1, 2)
    end = spacing.end_from(5, 20)
    timeline = spacing.back_from(end, 20)
    assert (timeline.first, timeline.end) == (5, end)
    assert spacing.end_from(95, 20) == 98
