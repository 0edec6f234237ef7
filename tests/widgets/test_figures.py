"""Size columns: one decimal count, aligned points, widths that only grow."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.widgets.figures import MAX_WIDTH, SizeColumn


def fitted(*sizes: str) -> SizeColumn:
    column = SizeColumn()
    column.fit([Decimal(size) for size in sizes])
    return column


def test_the_middle_figure_has_three_significant_ones_and_all_share_its_decimals() -> None:
    column = fitted("0.307", "0.0431", "2.1104", "0.8")
    assert [column.text(Decimal(s)) for s in ("0.307", "0.0431", "2.1104", "0.8")] == [
        "0.307",
        "0.043",
        "2.110",
        "0.800",
    ]


def test_large_sizes_share_one_unit() -> None:
    column = fitted("13500", "158600", "58400")
    assert [column.text(Decimal(s)) for s in ("13500", "158600", "900")] == ["13.5k", "158.6k", "0.9k"]
    assert fitted("5000000", "20000000", "8000000").text(Decimal(20_000_000)) == "20.00M"


def test_what_rounds_to_nothing_says_so() -> None:
    assert fitted("450", "300", "900").text(Decimal("0.2")) == "<1"
    assert fitted("1.5").text(Decimal("0.001")) == "<0.01"
    assert fitted("1.5").text(Decimal(0)) == "0.00"


def test_decimals_stay_until_the_figures_are_of_another_order() -> None:
    column = fitted("5", "6", "7")
    assert column.decimals == 2
    column.fit([Decimal(20), Decimal(25)])
    assert column.decimals == 2
    column.fit([Decimal(800), Decimal(900)])
    assert column.decimals == 0


def test_a_column_follows_the_unit_of_its_leader_with_no_more_decimals() -> None:
    sizes = fitted("4500", "9000", "2800")
    sums = SizeColumn(digits=4, leader=sizes)
    sums.fit([Decimal(2800), Decimal(47_300), Decimal(155_000)])
    assert [sums.text(Decimal(s)) for s in (2800, 155_000)] == ["2,800", "155,000"]
    sizes.fit([Decimal(60_000_000)])
    sums.fit([Decimal(47_300_000)])
    assert (sums.unit, sums.text(Decimal(47_300_000))) == ("M", "47.3M")


def test_an_empty_column_writes_what_comes() -> None:
    column = fitted()
    assert column.text(Decimal(0)) == "0"
    assert column.width == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.decimals(0, 10**14, places=6), min_size=1, max_size=20), min_size=1, max_size=5))
def test_the_width_never_shrinks_and_points_stand_in_line(frames: list[list[Decimal]]) -> None:
    column, before = SizeColumn(), 0
    for sizes in frames:
        column.fit(sizes)
        texts = [column.text(size) for size in sizes]
        assert before <= column.width <= MAX_WIDTH
        assert all(len(text) <= column.width for text in texts)
        plain = [text for text in texts if len(text) < MAX_WIDTH and not text.startswith("<")]
        ends = {text[text.find(".") :].strip("0123456789") for text in plain if "." in text}
        assert len(ends) <= 1 or any(text[-1] in "kMBT" for text in texts)
        before = column.width
