"""The cost of a size: equal to brute force in fractions, plain about what the book does not have."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.books import level, sides, snapshot
from tui.market.cost import (
    Unit,
    amount_text,
    can_become_amount,
    fill,
    parse_amount,
    step_amount,
    suggested_amount,
)
from tui.market.events import BookSnapshot
from tui.market.terms import Level, Side

SIDES: tuple[Side, ...] = ("buy", "sell")
UNITS: tuple[Unit, ...] = ("base", "quote")
BOOK = snapshot(
    [level("99", "1", "okx"), level("98", "2", "okx", "kraken"), level("90", "5", "binance")],
    [level("101", "1", "binance"), level("102", "2", "okx"), level("110", "5", "kraken")],
)


def brute(levels: tuple[Level, ...], quantity: Fraction, unit: Unit) -> tuple[Fraction, Fraction, int, list[str]]:
    """Size, value, levels and venues, taken a level at a time in exact fractions."""
    size = value = Fraction()
    touched: list[Level] = []
    for price, resting, venues in levels:
        done = size if unit == "base" else value
        if done >= quantity:
            break
        wanted = (quantity - done) if unit == "base" else (quantity - done) / Fraction(price)
        taken = min(wanted, Fraction(resting))
        size, value = size + taken, value + taken * Fraction(price)
        touched.append((price, resting, venues))
    names = list(dict.fromkeys(name for _, _, venues in touched for name in venues))
    return size, value, len(touched), names


@settings(max_examples=150, deadline=None)
@given(
    bids=sides(is_bid=True),
    asks=sides(is_bid=False),
    side=st.sampled_from(SIDES),
    unit=st.sampled_from(UNITS),
    quantity=st.integers(0, 10**13),
)
def test_cost_equals_brute_force(
    bids: tuple[Level, ...], asks: tuple[Level, ...], side: Side, unit: Unit, quantity: int
) -> None:
    amount = Decimal(quantity).scaleb(-6)
    found = fill(snapshot(bids, asks), side, amount, unit)
    levels = asks if side == "buy" else bids
    size, value, touched, names = brute(levels, Fraction(amount), unit)
    if unit == "base":
        assert Fraction(found.size) == size
    assert float(found.size) == pytest.approx(float(size), rel=1e-24)
    assert Fraction(found.value) == value
    assert (found.levels, list(found.venues)) == (touched, names)
    assert found.is_complete == ((size if unit == "base" else value) >= Fraction(amount))
    assert found.worst == (levels[touched - 1][0] if touched else None)
    assert (found.average is None) == (size == 0)
    if found.average is None:
        return
    assert float(found.average) == pytest.approx(float(value / size), rel=1e-15)
    best = (bids[0][0], asks[0][0]) if bids and asks else None
    assert (found.slippage_bp is None) == (best is None)
    if best and found.slippage_bp is not None:
        mid = (Fraction(best[0]) + Fraction(best[1])) / 2
        worse = value / size - mid if side == "buy" else mid - value / size
        assert float(found.slippage_bp) == pytest.approx(float(worse / mid * 10_000), rel=1e-12, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(asks=sides(is_bid=False, least=1), quantity=st.integers(1, 10**10))
def test_more_never_costs_less_a_piece(asks: tuple[Level, ...], quantity: int) -> None:
    book = snapshot([], asks)
    less, more = (fill(book, "buy", Decimal(quantity * times).scaleb(-6)) for times in (1, 2))
    assert less.average is not None
    assert more.average is not None
    assert less.average <= more.average + Decimal("1e-20")
    assert less.levels <= more.levels


def test_a_buyer_pays_the_asks_and_a_seller_meets_the_bids() -> None:
    buy, sell = fill(BOOK, "buy", Decimal(2)), fill(BOOK, "sell", Decimal(2))
    assert (buy.value, buy.average, buy.worst, buy.levels) == (Decimal(203), Decimal("101.5"), Decimal(102), 2)
    assert (sell.value, sell.average, sell.worst, sell.levels) == (Decimal(197), Decimal("98.5"), Decimal(98), 2)
    assert buy.slippage_bp == sell.slippage_bp == 150
    assert (buy.venues, sell.venues) == (("binance", "okx"), ("okx", "kraken"))
    assert (buy.takes, sell.takes) == ("ask", "bid")


def test_a_value_buys_what_it_can() -> None:
    spent = fill(BOOK, "buy", Decimal(203), "quote")
    assert (spent.size, spent.value, spent.average, spent.is_complete) == (
        Decimal(2),
        Decimal(203),
        Decimal("101.5"),
        1,
    )


def test_a_level_taken_to_its_end_is_the_last_one_touched() -> None:
    assert fill(BOOK, "buy", Decimal(3)).levels == 2
    assert fill(BOOK, "sell", Decimal(99), "quote").levels == 1


@pytest.mark.parametrize("unit", UNITS)
def test_a_book_without_enough_says_what_there_is(unit: Unit) -> None:
    found = fill(BOOK, "buy", Decimal(10**9), unit)
    assert not found.is_complete
    assert (found.size, found.value, found.levels, found.worst) == (Decimal(8), Decimal(855), 3, Decimal(110))


@pytest.mark.parametrize("quantity", ["0", "1"])
def test_an_empty_side_fills_nothing(quantity: str) -> None:
    found = fill(snapshot([], []), "buy", Decimal(quantity))
    assert (found.average, found.worst, found.slippage_bp) == (None, None, None)
    assert found.size == found.levels == 0
    assert found.is_complete == (quantity == "0")


def test_a_crossed_book_fills_better_than_the_mid() -> None:
    crossed = snapshot([level("103")], [level("101")])
    assert fill(crossed, "buy", Decimal(1)).slippage_bp == fill(crossed, "sell", Decimal(1)).slippage_bp
    assert (fill(crossed, "buy", Decimal(1)).slippage_bp or 0) < 0


@pytest.mark.parametrize(
    ("text", "amount"),
    [("2.5k", "2500"), ("1m", "1000000"), ("0.02", "0.02"), (".5", "0.5"), ("7", "7"), ("7.", "7"), ("007", "7")],
)
def test_an_amount_is_read_as_it_is_typed(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", ".", "k", "1kk", "1x", "-1", "1e5", "nan", "1,000", "1" * 13, "٣"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert parse_amount(text) is None


@pytest.mark.parametrize(
    ("text", "can"), [("", 1), (".", 1), ("1.", 1), ("1k", 1), ("1k5", 0), ("1..", 0), ("1,0", 0), ("k", 0)]
)
def test_only_beginnings_of_amounts_are_taken(text: str, can: int) -> None:
    assert can_become_amount(text) == bool(can)


def test_steps_go_one_two_five() -> None:
    amount, row = Decimal("0.3"), []
    for _ in range(7):
        amount = step_amount(amount, 1)
        row.append(amount_text(amount))
    assert row == ["0.5", "1", "2", "5", "10", "20", "50"]
    for _ in range(8):
        amount = step_amount(amount, -1)
    assert amount_text(amount) == "0.1"


@settings(max_examples=80, deadline=None)
@given(amount=st.decimals(0, 5 * 10**17, allow_nan=False, places=8), direction=st.sampled_from((1, -1)))
def test_a_step_goes_its_way_and_stays_typable(amount: Decimal, direction: int) -> None:
    after = step_amount(amount, direction)
    assert after > 0
    assert (after - amount) * direction > 0 or after in (Decimal("1e-8"), 5 * Decimal(10) ** 17)
    assert parse_amount(amount_text(after)) == after


def test_the_suggested_amount_reaches_a_few_levels() -> None:
    assert suggested_amount(BOOK.bids) == 10
    assert suggested_amount(()) == 1


def test_the_cost_of_a_large_book_is_quick_to_find(large: BookSnapshot) -> None:
    assert fill(large, "buy", Decimal(10**9)).levels == 1000


@pytest.fixture
def large() -> BookSnapshot:
    levels = [level(str(100 + n), "1", "okx") for n in range(1000)]
    return snapshot([], levels)
