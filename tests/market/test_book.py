"""Order-book arithmetic: equal to brute force, exact, and honest about empty and crossed books."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.books import level, sides, snapshot
from tui.market import book as arithmetic
from tui.market.book import BookSide
from tui.market.terms import Level

SIDES: tuple[BookSide, ...] = ("bid", "ask")
STEPS = tuple(Decimal(text) for text in ("0.01", "0.02", "0.05", "0.1", "0.5", "1", "2", "25", "1000"))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), step=st.sampled_from(STEPS), side=st.sampled_from(SIDES))
def test_grouping_equals_brute_force(data: st.DataObject, step: Decimal, side: BookSide) -> None:
    levels = data.draw(sides(is_bid=side == "bid"))
    expected: dict[Fraction, tuple[Fraction, list[str]]] = {}
    for price, size, venues in levels:
        times = Fraction(price) / Fraction(step)
        whole = times.numerator // times.denominator if side == "bid" else -(-times.numerator // times.denominator)
        total, names = expected.get(whole * Fraction(step), (Fraction(), []))
        expected[whole * Fraction(step)] = total + Fraction(size), [*names, *(v for v in venues if v not in names)]
    grouped = arithmetic.group(levels, step, side)
    assert [(Fraction(p), Fraction(s), list(v)) for p, s, v in grouped] == [(p, s, v) for p, (s, v) in expected.items()]
    assert [p for p, _, _ in grouped] == sorted((p for p, _, _ in grouped), reverse=side == "bid")


@settings(max_examples=40, deadline=None)
@given(bids=sides(is_bid=True, least=1), step=st.sampled_from(STEPS))
def test_no_group_looks_better_than_its_levels_and_no_size_is_lost(bids: tuple[Level, ...], step: Decimal) -> None:
    asks = tuple(reversed(bids))
    assert arithmetic.group(bids, step, "bid")[0][0] <= bids[0][0] < arithmetic.group(bids, step, "bid")[0][0] + step
    assert arithmetic.group(asks, step, "ask")[0][0] >= asks[0][0]
    for side, levels in (("bid", bids), ("ask", asks)):
        grouped = arithmetic.group(levels, step, side)  # type: ignore[arg-type]
        assert sum(size for _, size, _ in grouped) == sum(size for _, size, _ in levels)


@settings(max_examples=40, deadline=None)
@given(levels=sides(is_bid=True))
def test_cumulative_sizes_equal_brute_force(levels: tuple[Level, ...]) -> None:
    expected = [sum((Fraction(size) for _, size, _ in levels[: n + 1]), Fraction()) for n in range(len(levels))]
    assert [Fraction(total) for total in arithmetic.cumulative(levels)] == expected


@settings(max_examples=40, deadline=None)
@given(bids=sides(is_bid=True), asks=sides(is_bid=False), levels=st.integers(1, 12))
def test_imbalance_equals_brute_force(bids: tuple[Level, ...], asks: tuple[Level, ...], levels: int) -> None:
    found = arithmetic.imbalance(snapshot(bids, asks), levels)
    if not bids or not asks:
        assert found is None
        return
    buying = sum((Fraction(size) for _, size, _ in bids[:levels]), Fraction())
    selling = sum((Fraction(size) for _, size, _ in asks[:levels]), Fraction())
    assert found == pytest.approx(float((buying - selling) / (buying + selling)))
    share = arithmetic.bid_share(bids[:levels], asks[:levels])
    assert share is not None
    assert 0 < share < 1
    assert found == pytest.approx(2 * share - 1)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), side=st.sampled_from(SIDES), price=st.integers(0, 10_000_001))
def test_what_rests_within_a_price_equals_brute_force(data: st.DataObject, side: BookSide, price: int) -> None:
    levels, limit = data.draw(sides(is_bid=side == "bid")), Decimal(price).scaleb(-2)
    inside = [entry for entry in levels if (entry[0] >= limit if side == "bid" else entry[0] <= limit)]
    size, value = arithmetic.within(levels, limit, side)
    assert size == sum(entry[1] for entry in inside)
    assert Fraction(value) == sum(Fraction(entry[0]) * Fraction(entry[1]) for entry in inside)


def test_the_touch_gives_mid_and_spread_in_basis_points() -> None:
    best = arithmetic.touch(snapshot([level("99.5")], [level("100.5")]))
    assert (best.mid, best.spread, best.spread_bp) == (Decimal(100), Decimal(1), Decimal(100))
    assert not best.is_crossed
    assert not best.is_locked


@pytest.mark.parametrize(("bids", "asks"), [([], [level("1")]), ([level("1")], []), ([], [])])
def test_a_missing_side_leaves_mid_spread_and_imbalance_unknown(bids: list[Level], asks: list[Level]) -> None:
    book = snapshot(bids, asks)
    best = arithmetic.touch(book)
    assert (best.mid, best.spread, best.spread_bp, arithmetic.imbalance(book)) == (None, None, None, None)
    assert not best.is_crossed
    assert arithmetic.crossing_venues(book) == ((), ())


@pytest.mark.fault("M36", "M37")
def test_a_crossed_book_names_both_sides_of_every_crossing_level() -> None:
    bids = [level("101", "1", "okx"), level("100.5", "1", "kraken", "okx"), level("99", "1", "bybit")]
    asks = [level("100", "1", "binance"), level("101", "1", "coinbase"), level("102", "1", "bybit")]
    book = snapshot(bids, asks)
    assert arithmetic.touch(book).is_crossed
    assert arithmetic.crossing_venues(book) == (("okx", "kraken"), ("binance", "coinbase"))


def test_a_locked_book_has_no_spread_and_is_not_crossed() -> None:
    best = arithmetic.touch(snapshot([level("100")], [level("100")]))
    assert best.is_locked
    assert not best.is_crossed


def test_steps_start_at_the_tick_and_end_at_half_a_percent() -> None:
    texts = [f"{step:f}" for step in arithmetic.grouping_steps(Decimal(200), Decimal("0.01"))]
    assert texts == ["0.01", "0.02", "0.05", "0.10", "0.20", "0.50", "1.00"]


def test_coarse_steps_stay_within_reach_of_a_very_fine_tick() -> None:
    steps = arithmetic.grouping_steps(Decimal(97_000), Decimal("0.00000001"))
    assert steps[0] == Decimal("0.00000001")
    assert steps[-1] == 200
    assert len(steps) == arithmetic.MAX_STEPS
    assert steps == sorted(set(steps))


def test_an_instrument_whose_tick_is_large_has_that_one_step() -> None:
    assert arithmetic.grouping_steps(Decimal(3), Decimal(1)) == [Decimal(1)]


def test_the_tick_is_the_finest_decimal_seen() -> None:
    assert arithmetic.learn_tick(snapshot([level("97211.50"), level("97211")], [level("97212.25")])) == Decimal("0.01")
    assert arithmetic.learn_tick(snapshot([level("4500")], [])) == 1
