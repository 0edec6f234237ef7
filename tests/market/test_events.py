"""A book made without validation is the book that validation makes."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tui.market.events import BookSnapshot
from tui.market.names import Symbol
from tui.market.terms import VenueBest

SIDE = ((Decimal("97210.4"), Decimal("0.8125"), ("binance", "okx")),)
LEAST: dict[str, Any] = {
    "source": "quantcite", "ts_recv_ns": 2, "symbol": Symbol("BTC/USDT"), "bids": SIDE, "asks": ()
}  # fmt: skip
MOST: dict[str, Any] = {
    "sequence": 7, "missing_venues": ("xt",), "bests": (VenueBest("okx", Decimal(1)),), "venues": ("okx",),
    **LEAST, "ts_event_ns": 1,
}  # fmt: skip
fields_of_a_book = pytest.mark.parametrize("fields", [LEAST, MOST])


@fields_of_a_book
def test_a_trusted_book_is_the_validated_one(fields: dict[str, Any]) -> None:
    trusted, validated = BookSnapshot.trusted(**fields), BookSnapshot(**fields)
    assert trusted == validated
    assert hash(trusted) == hash(validated)
    assert repr(trusted) == repr(validated)
    assert trusted.model_fields_set == validated.model_fields_set == set(fields)
    assert trusted.model_dump_json() == validated.model_dump_json()
    assert trusted.model_dump_json(exclude_unset=True) == validated.model_dump_json(exclude_unset=True)
    assert trusted.__getstate__() == validated.__getstate__()


@fields_of_a_book
def test_a_trusted_book_is_copied_and_pickled_like_any_other(fields: dict[str, Any]) -> None:
    trusted = BookSnapshot.trusted(**fields)
    twins = (copy.copy(trusted), copy.deepcopy(trusted), trusted.model_copy(), pickle.loads(pickle.dumps(trusted)))
    for twin in twins:
        assert type(twin) is BookSnapshot
        assert twin == trusted
        assert twin.model_fields_set == set(fields)
    later = trusted.model_copy(update={"ts_event_ns": 9})
    assert (later.ts_event_ns, later.model_fields_set) == (9, {*fields, "ts_event_ns"})
    assert trusted.ts_event_ns != 9


def test_a_trusted_book_cannot_be_changed_and_shares_nothing_that_can() -> None:
    first, second = (BookSnapshot.trusted(**MOST) for _ in range(2))
    with pytest.raises(ValidationError, match="frozen"):
        first.sequence = 7  # type: ignore[misc]
    assert first.__dict__ is not second.__dict__
    assert first.model_fields_set is not second.model_fields_set
    for field in BookSnapshot.model_fields.values():
        assert field.default_factory is None
        hash(field.default)
