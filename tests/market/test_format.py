"""Figures as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.market import format as fmt


def d(text: str) -> Decimal:
    return Decimal(text)


def test_prices_keep_the_precision_of_their_instrument() -> None:
    assert fmt.price(d("97211.25"), 2) == "97,211.25"
    assert fmt.price(d("0.00001234"), 8) == "0.00001234"
    assert fmt.price(d("189.1"), 2) == "189.10"
    assert fmt.price(None, 2) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("0.00000001", "<0.0001"), ("0.8125", "0.8125"), ("12.345", "12.34"), ("123.46", "123.5"),
     ("1234.5", "1,234"), ("45600", "45.6k"), ("18244310", "18.2M"), ("3527000000000", "3.53T")],
)  # fmt: skip
def test_sizes_have_three_to_four_figures(value: str, text: str) -> None:
    assert fmt.size(d(value)) == text


def test_changes_carry_their_sign_and_zero_has_none() -> None:
    assert fmt.signed(d("1.17"), 2) == "+1.17"
    assert fmt.signed(d("-0.004"), 2) == "0.00"
    assert fmt.percent(d("-1.184")) == "-1.18%"
    assert fmt.percent(None) == "–"


def test_ages_are_at_most_four_characters() -> None:
    assert [fmt.age(s) for s in (0.04, 0.94, 12, 60, 7200, 86_400 * 5)] == ["0.0s", "0.9s", "12s", "1m", "2h", "5d"]
    assert all(len(fmt.age(seconds)) <= 4 for seconds in range(0, 10_000_000, 9973))


def test_calm_ages_count_in_steps_of_five_seconds_from_ten_on() -> None:
    seconds = (None, 0.2, 3, 9, 10, 14.9, 15, 59.9, 60, 119)
    assert [fmt.calm_age(s) for s in seconds] == ["–", "0.2s", "3s", "9s", "10s", "10s", "15s", "55s", "1m", "1m"]


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_figure_is_longer_than_24_characters(value: Decimal) -> None:
    for text in (fmt.price(value, 2), fmt.size(value), fmt.compact(value), fmt.percent(value), fmt.signed(value, 2)):
        assert 0 < len(text) <= 24
