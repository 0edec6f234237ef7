"""Books cut into the texts of their levels: whatever stands in them, they are read as JSON says or read whole."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.providers.quantcite.books import BookReader, cut_levels

NASTY = [
    "binance",
    "okx",
    "}, {",
    "},{",
    '}], "asks": [{',
    "}]",
    '"',
    "\\",
    "\\}, {",
    "[",
    "]",
    '{"price": 1}',
    "é",
    "*",
]
"""Names of venues that look like the structure of a book."""

names = st.lists(st.sampled_from(NASTY), max_size=3)
prices = st.sampled_from([97210.4, 97209.9, 1, 0.5, 1e-7, 97208.0])
amounts = st.sampled_from([0.8125, 0.25, 0, 1.4, 3])
levels = st.fixed_dictionaries(
    {"price": prices, "amount": amounts, "exchanges": names},
    optional={"value": st.just(1.5), "note": st.sampled_from(NASTY), "more": st.just([{"price": 1}, {"price": 2}])},
)
sides = st.lists(levels, max_size=4)


def frame(bids: list[Any], asks: list[Any], *, compact: bool = False, **more: object) -> bytes:
    data = {"bids": bids, "asks": asks, "market_stats": {"best_bid": 1.5}}
    message = {"type": "aggregated_orderbook_update", "symbol": "BTC/USDT", "update_number": 7, "data": data, **more}
    return json.dumps(message, separators=(",", ":") if compact else (", ", ": ")).encode()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(sides, sides, st.booleans()), min_size=1, max_size=3))
def test_a_book_says_the_same_however_it_was_read(books: list[tuple[list[Any], list[Any], bool]]) -> None:
    reader = BookReader()
    for bids, asks, compact in books:
        raw = frame(bids, asks, compact=compact)
        quick, patient = reader.quick(raw), BookReader().patient(json.loads(raw))
        assert quick is not None
        assert patient is not None
        assert (quick.bids, quick.asks) == (patient.bids, patient.asks)


DOCUMENTED = frame(
    [
        {"price": 97210.4, "amount": 0.81, "exchanges": ["binance", "okx"], "exchange_count": 2, "value": 78740.42},
        {"price": 97209, "amount": 0, "exchanges": [], "exchange_count": 0, "value": 0.0},
    ],
    [{"price": 97212.1, "amount": 10.44, "exchanges": ["okx"], "exchange_count": 1, "value": 1014894.32}],
)
PIECES = [*'0123456789.-+eE"[]{},: n', "\n", "\\", "\x00", "é", "٣", "1e400", "00", "null", "}]", "}, {", '"price": ']


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(DOCUMENTED)), st.integers(0, 3), st.sampled_from(PIECES))
def test_a_book_that_is_nearly_as_documented_says_what_json_says_or_is_not_read(at: int, gone: int, new: str) -> None:
    raw = DOCUMENTED[:at] + new.encode() + DOCUMENTED[at + gone :]
    reader = BookReader()
    assert reader.quick(DOCUMENTED) is not None
    for quick in (reader.quick(raw), BookReader().quick(raw)):
        if quick is not None:
            patient = BookReader().patient(json.loads(raw))
            assert patient is not None
            assert (quick.bids, quick.asks) == (patient.bids, patient.asks)


def level(price: float, amount: float, *venues: str) -> dict[str, object]:
    return {"price": price, "amount": amount, "exchanges": list(venues)}


@pytest.mark.parametrize("compact", [True, False])
def test_a_level_as_documented_is_read_without_the_help_of_pydantic(compact: bool) -> None:
    raw = json.dumps(json.loads(DOCUMENTED), separators=(",", ":") if compact else (", ", ": ")).encode()
    cut = cut_levels(raw)
    bid, empty, ask = BookReader()._plain(cut.bids + cut.asks)
    assert bid == (Decimal("97210.4"), Decimal("0.81"), ("binance", "okx"))
    assert empty == (Decimal(97209), Decimal(0), ())
    assert ask == (Decimal("97212.1"), Decimal("10.44"), ("okx",))


@pytest.mark.parametrize(
    "price", ["007.5", "1.", ".5", "+1", "-1", "0x1", "1_000", "NaN", "1e400", "9" * 16, "0." + "1" * 16]
)
def test_a_number_that_is_not_plain_is_left_to_pydantic(price: str) -> None:
    cut = cut_levels(DOCUMENTED.replace(b"97212.1", price.encode()))
    assert BookReader()._plain(cut.asks) == []


def test_two_levels_in_one_piece_do_not_make_up_for_one_in_two() -> None:
    late = {"amount": 1, "price": 2.4, "exchanges": []}  # its beginning is not where a book is cut
    nested = {**level(2.6, 1, "okx"), "more": [{"price": 1}, {"price": 2}]}
    for bids, asks in (([level(2.5, 1), late], [nested]), ([level(2.5, 1), nested, late], [level(2.6, 1)])):
        raw = frame(bids, asks)
        read, patient = BookReader().quick(raw), BookReader().patient(json.loads(raw))
        assert read is not None
        assert patient is not None
        assert (read.bids, read.asks) == (patient.bids, patient.asks)


def test_a_line_break_inside_of_a_level_does_not_make_two_of_it() -> None:
    cut = cut_levels(DOCUMENTED)
    assert BookReader()._plain([b"x\n" + cut.asks[0]]) == []
    assert BookReader()._plain([cut.asks[0] + b"\n" + cut.bids[0], b""]) == []


def test_only_levels_that_changed_are_read_anew() -> None:
    reader = BookReader()
    first = reader.quick(frame([level(2.5, 1, "okx"), level(2.4, 1, "okx")], [level(2.6, 1, "okx")]))
    second = reader.quick(frame([level(2.5, 1, "okx"), level(2.4, 3, "okx")], [level(2.6, 1, "okx")]))
    assert first is not None
    assert second is not None
    assert second.bids[0] is first.bids[0]
    assert second.bids[1] == (Decimal("2.4"), Decimal(3), ("okx",))
    assert second.asks[0] is first.asks[0]


def test_a_level_that_is_impossible_is_no_less_so_the_second_time() -> None:
    reader = BookReader()
    raw = frame([level(2.5, -1, "okx"), level(2.4, 1, "okx")], [level(2.6, 1, "okx")])
    assert reader.quick(raw) is None
    assert reader.quick(raw) is None


def test_what_is_no_json_is_no_book_although_its_levels_are_known() -> None:
    reader = BookReader()
    whole = frame([level(2.5, 1, "okx")], [level(2.6, 1, "okx")])
    assert reader.quick(whole) is not None
    for broken in (whole[:-1], whole + b"]", whole.replace(b"}], ", b"},], "), whole.replace(b'"symbol"', b"symbol")):
        assert reader.quick(broken) is None


def test_a_name_that_looks_like_the_end_of_a_level_stays_as_it_is() -> None:
    bids = [
        level(2.5, 1),
        level(2.4, 1, "}, {"),
        {**level(2.3, 1), "more": [{"price": 1}, {"price": 2}], "note": "},{"},
    ]
    for compact in (True, False):
        raw = frame(bids, [level(2.6, 1)], compact=compact)
        read, patient = BookReader().quick(raw), BookReader().patient(json.loads(raw))
        assert read is not None
        assert patient is not None
        assert read.bids == patient.bids


def test_remembered_levels_are_bounded() -> None:
    reader = BookReader()
    for number in range(200):
        bids = [level(1000 + number + n / 100, 1, "okx") for n in range(50)]
        assert reader.quick(frame(bids[::-1], [level(5000, 1, "okx")])) is not None
    assert len(reader._known) < 5000
    assert len(reader._prices) < 5000


def test_remembered_prices_are_bounded_although_their_books_are_refused() -> None:
    reader = BookReader()
    for number in range(200):
        bids = [level(1000 + number + n / 100, 1, "okx") for n in range(50)]
        assert reader.quick(frame([*bids, level(0, 1, "okx")], [level(5000, 1, "okx")])) is None
    assert len(reader._known) < 5000
    assert len(reader._prices) < 5000


@pytest.mark.parametrize("raw", [b"", b"{}", frame([], []), frame([level(1, 1)], []), b'"asks": [{ }], "bids": [{'])
def test_a_layout_that_is_not_usual_is_not_cut(raw: bytes) -> None:
    with pytest.raises(ValueError):
        cut_levels(raw)
