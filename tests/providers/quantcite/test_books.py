from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.quantcite.desk import GOLDEN
from tui.providers.quantcite.books import MAX_LEVELS, Book, BookReader, best_first

BOOKS = ("update.json", "update_seed.json", "snapshot.json", "snapshot_seed.json")


def level(price: object, amount: object = 1, *venues: str) -> dict[str, Any]:
    return {"price": price, "amount": amount, "exchanges": list(venues), "exchange_count": len(venues), "value": 0}


def message(bids: list[Any], asks: list[Any], **fields: Any) -> dict[str, Any]:
    data = {"bids": bids, "asks": asks}
    return {"type": "aggregated_orderbook_update", "symbol": "BTC/USDT", "data": data, **fields}


def quick(wire_message: dict[str, Any]) -> Book | None:
    return BookReader().quick(json.dumps(wire_message).encode())


@pytest.mark.parametrize("name", BOOKS)
def test_the_quick_and_the_patient_way_read_the_same_book(name: str) -> None:
    reader = BookReader()
    book = reader.quick(GOLDEN[name].encode())
    assert book is not None
    assert book == reader.patient(json.loads(GOLDEN[name]))


def test_the_sample_of_the_seed_is_read_to_the_last_figure() -> None:
    book = BookReader().quick(GOLDEN["update_seed.json"].encode())
    assert book == Book(
        code="BTC/USDT",
        is_update=True,
        stamp_ns=1_755_632_713_392_607_000,
        number=1,
        subscription_id="sub_123456",
        bids=(
            (Decimal("113393.9"), Decimal("0.0001"), ("bybit",)),
            (Decimal("113390.0"), Decimal("0.0025"), ("binance", "okx")),
        ),
        asks=(
            (Decimal("113400.0"), Decimal("0.0005"), ("binance", "okx")),
            (Decimal("113405.5"), Decimal("0.0015"), ("kucoin",)),
        ),
    )


@pytest.mark.fault("Q5")
def test_levels_in_any_order_come_out_best_first_and_zero_amounts_go() -> None:
    asks = [level(12, 1, "a"), level(11, 0), level(13, 1e-300), level(10, 2, "b")]
    book = quick(message([level(5), level(7), level(6)], asks))
    assert book is not None
    assert [one[0] for one in book.bids] == [7, 6, 5]
    assert [one[0] for one in book.asks] == [10, 12]


def test_levels_at_one_price_are_one() -> None:
    book = quick(message([level(5, 1.5, "okx", "xt"), level(5, 2, "okx", "woo")], []))
    assert book is not None
    assert book.bids == ((Decimal(5), Decimal("3.5"), ("okx", "xt", "woo")),)


@pytest.mark.fault("Q5")
def test_a_crossed_book_and_extra_fields_and_empty_sides_are_fine() -> None:
    crossed = quick(message([level(11)], [level(10)], extra={"a": 1}, timestamp="2026-01-05T14:37:51"))
    assert crossed is not None
    assert crossed.bids[0][0] > crossed.asks[0][0]
    empty = quick(message([], []))
    assert empty is not None
    assert (empty.bids, empty.asks, empty.is_usable) == ((), (), True)


@pytest.mark.fault("M43")
def test_a_deep_book_is_cut_at_its_far_end() -> None:
    prices = list(range(1, 1001))
    random.Random(1).shuffle(prices)
    book = quick(message([level(price) for price in prices], [level(price) for price in prices]))
    assert book is not None
    assert [one[0] for one in book.bids] == list(range(1000, 1000 - MAX_LEVELS, -1))
    assert [one[0] for one in book.asks] == list(range(1, MAX_LEVELS + 1))


def test_prices_as_strings_are_read_with_their_digits() -> None:
    book = quick(message([level("97210.40", "0.10")], []))
    assert book is not None
    assert str(book.bids[0][0]) == "97210.40"


@pytest.mark.parametrize("price", [0, -1, None, "x", True, 1e308, [], {"a": 1}])
def test_an_impossible_price_loses_its_level_only(price: object) -> None:
    odd = message([level(9), level(price), level(7)], [])
    assert quick(odd) is None
    book = BookReader().patient(odd)
    assert book is not None
    assert [one[0] for one in book.bids] == [9, 7]
    assert book.rejected == 1
    assert book.is_usable


@pytest.mark.fault("Q5")
def test_odd_fields_around_the_levels_do_not_matter() -> None:
    odd = message([level(9)], [], update_number="twelve", timestamp="noon", subscription_id=None)
    book = BookReader().patient(odd)
    assert book is not None
    assert (book.number, book.stamp_ns, book.subscription_id) == (None, None, "")


@pytest.mark.parametrize("data", [None, [], {"bids": []}, {"bids": None, "asks": []}, {"bids": {}, "asks": []}])
def test_a_message_without_two_sides_is_no_book(data: object) -> None:
    assert BookReader().patient({"type": "aggregated_orderbook_update", "symbol": "A/B", "data": data}) is None


def test_the_memory_of_venue_sets_is_bounded() -> None:
    reader = BookReader()
    for batch in range(60):
        levels = [level(number + 1, 1, f"v{batch}x{number}") for number in range(100)]
        reader.quick(json.dumps(message([], levels)).encode())
    assert len(reader._venues) <= 4096


PRICES = st.decimals(min_value="0.01", max_value="100000", places=2)
SIZES = st.decimals(min_value="0.001", max_value="1000", places=3)


@given(st.lists(st.tuples(PRICES, SIZES, st.just(("okx",))), max_size=30), st.booleans())
def test_any_side_is_best_first_without_repeats_and_loses_no_size(
    levels: list[tuple[Decimal, Decimal, tuple[str, ...]]], highest: bool
) -> None:
    side = best_first(levels, highest=highest)
    prices = [one[0] for one in side]
    assert prices == sorted(set(prices), reverse=highest)
    assert set(prices) == {one[0] for one in levels}
    assert sum(one[1] for one in side) == sum(one[1] for one in levels)
