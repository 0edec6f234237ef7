from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.clock import NS
from tui.providers.parse import load_json, number, positive, size, text, time_ns

SECOND = 1_767_623_871  # 2026-01-05T14:37:51Z


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        (0, "0"),
        (-0.0, "0"),
        ("0E-5", "0"),
        (113393.9, "113393.9"),
        (1e-8, "0.00000001"),
        (7, "7"),
        ("187.00", "187.00"),
        (" 12.5 ", "12.5"),
        ("-3", "-3"),
        (".5", "0.5"),
        ("1e3", "1000"),
        (Decimal("2.50"), "2.50"),
        (1e17, "100000000000000000"),
    ],
)
def test_numbers_in_the_allowed_forms_become_decimals(given_value: object, expected: str | None) -> None:
    assert number(given_value) == (None if expected is None else Decimal(expected))


@pytest.mark.fault("M38")
@pytest.mark.parametrize(
    "impossible",
    [
        True,
        False,
        float("nan"),
        float("inf"),
        -float("inf"),
        1e308,
        1e-300,
        10**4000,
        -(10**20),
        "NaN",
        "Infinity",
        "1e400",
        "1e-999999",
        "1,5",
        "1_000",
        "0x10",
        "٣",
        "1.2.3",
        "--1",
        "9" * 41,
        Decimal("sNaN"),
        Decimal("1E+999999"),
        [],
        {},
        b"1",
    ],
)
def test_an_impossible_number_is_refused(impossible: object) -> None:
    with pytest.raises(ValueError):
        number(impossible)


def test_prices_must_be_above_zero_and_sizes_not_below() -> None:
    assert positive("0.01") == Decimal("0.01")
    assert positive(None) is None
    assert (positive(0.01), positive(1e-18)) == (Decimal("0.01"), Decimal("1e-18"))
    assert [size(each) for each in (0, 0.0, -0.0, 0.25)] == [Decimal(0)] * 3 + [Decimal("0.25")]
    assert size("") is None
    for refused in (0, 0.0, -1, -0.5, "-0.5", 1e20, 1e-19, float("inf"), float("nan"), True):
        with pytest.raises(ValueError):
            positive(refused)
    for refused in (-0.1, -1, 1e20, 1e-19, float("inf"), float("nan"), True):
        with pytest.raises(ValueError):
            size(refused)


@pytest.mark.parametrize(
    ("given_value", "expected_ns"),
    [
        (SECOND, SECOND * NS),
        (SECOND + 0.25, SECOND * NS + 250_000_000),
        (SECOND * 1000 + 7, SECOND * NS + 7_000_000),
        (SECOND * 1_000_000 + 7, SECOND * NS + 7000),
        (SECOND * NS + 7, SECOND * NS + 7),
        (str(SECOND), SECOND * NS),
        ("2026-01-05T14:37:51Z", SECOND * NS),
        ("2026-01-05T14:37:51", SECOND * NS),
        ("2026-01-05 14:37:51", SECOND * NS),
        ("2026-01-05T14:37:51.204871", SECOND * NS + 204_871_000),
        ("2026-01-05T14:37:51.123456789Z", SECOND * NS + 123_456_789),
        ("2026-01-05T09:37:51.5-05:00", SECOND * NS + 500_000_000),
        ("2026-01-05T14:37:51+0000", SECOND * NS),
        ("2026-01-05T14:37:51.20487Z", SECOND * NS + 204_870_000),
        ("2026-01-05T09:37:51.5-0500", SECOND * NS + 500_000_000),
        ("1938-04-24T22:13:20.000001", -1_000_000_000 * NS + 1000),
        ("0001-01-01T00:00:00.000000", None),
        ("2026-01-05", (SECOND - 52_671) * NS),
        ("20260105", (SECOND - 52_671) * NS),
        (-1_000_000_000, -1_000_000_000 * NS),
        (-1_000_000_000_000, -1_000_000_000 * NS),
        ("1938-04-24T22:13:20", -1_000_000_000 * NS),
        (None, None),
        ("", None),
        (0, None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_times_are_told_apart_by_magnitude_and_form(given_value: object, expected_ns: int | None) -> None:
    assert time_ns(given_value) == expected_ns


@pytest.mark.parametrize(
    "impossible",
    [True, "yesterday", "2026-13-01", "2026-01-05T25:00:00", 1e30, "9" * 60, 10**4000, -(10**13), "2300-01-01",
     "1492-10-12", [], float("nan"), "2026-01-05T14:37:51+99:00", "2026-01-05T14:37:51.20487x",
     "1492-10-12T00:00:00.000000"],
)  # fmt: skip
def test_an_impossible_time_is_refused(impossible: object) -> None:
    with pytest.raises(ValueError):
        time_ns(impossible)


@pytest.mark.fault("M40", "M41")
@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "null x",
        "NaN",
        "[1, -Infinity]",
        '{"a": {"b": [1e400]}}',
        '[[1, {"a": 1}], -1e400]',
        "[" * 100_000,
        "1" * 5000,
        "1" * 400 + ".0",
        '"\ud800"',
        '"\\ud800"',
        b"\xff",
        b"\x00\x01",
        "{'a': 1}",
    ],
)
def test_hostile_json_is_refused_with_one_kind_of_error(hostile: str | bytes) -> None:
    with pytest.raises(ValueError):
        load_json(hostile)


def test_json_loads_from_text_and_from_bytes() -> None:
    assert load_json('{"a": [1, 2.5, null, true, "x"]}') == {"a": [1, 2.5, None, True, "x"]}
    assert load_json(b"[]") == []


@pytest.mark.fault("S14")
def test_json_beyond_the_size_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.providers.parse.MAX_JSON", 10)
    with pytest.raises(ValueError):
        load_json("[1, 2, 3, 4]")


def test_text_is_cleaned_and_cut_and_other_types_vanish() -> None:
    assert text("a\x1b[31mb", 10) == "ab"
    assert text("x" * 50, 10) == "x" * 9 + "…"
    assert text(42, 10) == "42"
    others: list[object] = [None, True, [], {}, 10**5000]
    assert [text(value, 10) for value in others] == [""] * 5


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_whatever_comes_is_a_value_or_a_value_error(value: Any) -> None:
    parsers: tuple[Callable[[object], object], ...] = (number, positive, size, time_ns)
    for parse in parsers:
        try:
            found = parse(value)
        except ValueError:
            continue
        assert found is None or isinstance(found, Decimal | int)
    assert len(text(value, 20)) <= 20


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_json_of_any_bytes_is_a_value_or_a_value_error(raw: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        load_json(raw)
