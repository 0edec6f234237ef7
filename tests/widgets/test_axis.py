"""Price grid and time labels."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from tui.market.names import Interval
from tui.widgets.axis import moment_text, price_scale, time_marks

NS = 1_000_000_000
RANGES = [
    ("97211.25", "97899.90", 2),
    ("0.00001234", "0.00001251", 8),
    ("189.1", "189.1", 2),
    ("1.0000", "1.0001", 4),
    ("812345.67", "1234567.89", 2),
    ("-37.63", "12.5", 2),
    ("5900", "5931", 0),
]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(("low", "high", "decimals"), RANGES)
@pytest.mark.parametrize("rows", [2, 3, 7, 14, 28, 60])
def test_the_range_shows_and_grid_lines_are_exactly_on_their_labels(
    low: str, high: str, decimals: int, rows: int
) -> None:
    scale = price_scale(Decimal(low), Decimal(high), rows, decimals)
    assert scale.shows(float(low))
    assert scale.shows(float(high))
    for row, price in scale.grid:
        centre = (scale.top - row) * scale.step / scale.rows_per_step
        assert centre == pytest.approx(price, rel=Decimal("1e-20"))
        assert scale.row(float(price)) == row
        assert price == round(price, decimals), "a label must be exact in the instrument's own precision"


@pytest.mark.parametrize(("low", "high", "decimals"), RANGES)
def test_grid_steps_are_round(low: str, high: str, decimals: int) -> None:
    scale = price_scale(Decimal(low), Decimal(high), 20, decimals)
    assert scale.step.normalize().as_tuple().digits in {(1,), (2,), (5,), (2, 5)}
    assert 3 <= len(scale.grid) <= 8


def test_a_scale_uses_most_of_the_rows() -> None:
    for spread in range(1, 500):
        low, high = Decimal(1000), Decimal(1000 + spread)
        scale = price_scale(low, high, 20, 2)
        used = scale.row(float(low)) - scale.row(float(high)) + 1
        assert used >= 13, spread


def test_a_scale_stays_while_it_suits() -> None:
    scale = price_scale(Decimal(100), Decimal(110), 20, 2)
    assert scale.suits(Decimal(100), Decimal("110.1"), 20)
    assert not scale.suits(Decimal(100), Decimal(115), 20), "the high no longer shows"
    assert not scale.suits(Decimal(105), Decimal(106), 20), "most rows would be empty"
    assert not scale.suits(Decimal(100), Decimal(110), 21), "another height"


def test_times_are_as_wide_whatever_the_day() -> None:
    assert moment_text(at("2026-01-05T14:35"), Interval.M5) == " 5 Jan 14:35"
    assert moment_text(at("2026-11-21T04:05:06"), Interval.S1) == "21 Nov 04:05:06"
    assert moment_text(at("2026-01-05T00:00"), Interval.D1) == " 5 Jan 2026"


def test_a_day_that_starts_at_another_midnight_keeps_its_date() -> None:
    assert moment_text(at("2026-01-05T05:00"), Interval.D1) == " 5 Jan 2026"  # New York
    assert moment_text(at("2026-01-04T15:00"), Interval.D1) == " 5 Jan 2026"  # Tokyo


def bars(first: str, interval: Interval, count: int, cells: int) -> list[tuple[int, int]]:
    return [(n * cells, at(first) + n * interval.seconds * NS) for n in range(count)]


def labels(first: str, interval: Interval, count: int = 50, cells: int = 2) -> list[tuple[int, str]]:
    marks = time_marks(bars(first, interval, count, cells), interval, cells, count * cells)
    return [(mark.x // cells, mark.text) for mark in marks]


def test_minutes_are_labelled_at_round_times() -> None:
    assert labels("2026-01-05T14:33", Interval.M5, 20)[:2] == [(6, "15:03"), (12, "15:33")]
    assert labels("2026-01-05T14:35", Interval.M5, 20) == [(5, "15:00"), (11, "15:30"), (17, "16:00")]


def test_seconds_show_seconds() -> None:
    assert labels("2026-01-05T14:37:51", Interval.S1, 20) == [(9, "14:38:00"), (19, "14:38:10")]


def test_a_new_day_shows_its_date_and_is_major() -> None:
    marks = time_marks(bars("2026-01-05T20:00", Interval.H1, 20, 2), Interval.H1, 2, 40)
    assert [(mark.text, mark.is_major) for mark in marks] == [("6 Jan", True), ("06:00", False), ("12:00", False)]


def test_days_show_weeks_and_months() -> None:
    assert labels("2026-01-20", Interval.D1, 20) == [(6, "26 Jan"), (12, "Feb")]


def test_weeks_show_months_and_years() -> None:
    texts = [text for _, text in labels("2025-09-01", Interval.W1, 50)]
    assert texts == ["Oct", "2026", "Apr", "Jul"]


def test_labels_never_touch_and_never_leave_the_axis() -> None:
    for interval in Interval:
        for cells in (1, 2, 3, 5):
            width = 40 * cells
            marks = time_marks(bars("2026-01-30T21:17:03", interval, 40, cells), interval, cells, width)
            assert marks
            for mark, following in pairwise(marks):
                assert mark.left + len(mark.text) + 2 <= following.left
            assert marks[0].left >= 0
            assert marks[-1].left + len(marks[-1].text) <= width


def test_few_bars_still_have_a_time() -> None:
    assert labels("2026-01-05T14:35", Interval.M5, 1, 5) == [(0, "14:35")]
    assert labels("2026-01-05", Interval.D1, 2, 5) == [(0, "5 Jan")]
