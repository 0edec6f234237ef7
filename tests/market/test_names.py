"""Symbols in every spelling that people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import SymbolError
from tui.market.names import AssetClass, Interval, Option, asset_class, osi, parse_symbol, split_option

NS = 1_000_000_000


@pytest.mark.parametrize(
    ("typed", "symbol", "kind"),
    [
        ("aapl", "AAPL", AssetClass.EQUITY),
        ("brk.b", "BRK.B", AssetClass.EQUITY),
        ("spx", "SPX", AssetClass.INDEX),
        ("BTC/USDT", "BTC/USDT", AssetClass.PAIR),
        ("btc-usdt", "BTC/USDT", AssetClass.PAIR),
        ("BTCUSDT", "BTC/USDT", AssetClass.PAIR),
        ("ethbtc", "ETH/BTC", AssetClass.PAIR),
        ("1000pepe/usdt", "1000PEPE/USDT", AssetClass.PAIR),
        ("nasdaq:aapl", "NASDAQ:AAPL", AssetClass.CODE),
        ("CME_MINI:ES1!", "CME_MINI:ES1!", AssetClass.CODE),
        ("AAPL 2026-12-18 200C", "AAPL 2026-12-18 200C", AssetClass.OPTION),
        ("aapl  2026-12-18  200.50c", "AAPL 2026-12-18 200.5C", AssetClass.OPTION),
        ("AAPL261218C00200000", "AAPL 2026-12-18 200C", AssetClass.OPTION),
        ("SPY 261218P00600500", "SPY 2026-12-18 600.5P", AssetClass.OPTION),
    ],
)
def test_what_people_type_becomes_one_spelling(typed: str, symbol: str, kind: AssetClass) -> None:
    assert parse_symbol(typed) == symbol
    assert asset_class(parse_symbol(typed)) is kind


def test_a_ticker_that_ends_like_a_currency_stays_a_ticker() -> None:
    assert parse_symbol("FUSD") == "FUSD"


@pytest.mark.parametrize(
    "typed", ["", "   ", "A" * 41, "AAPL 2026-13-40 200C", "a b c", "\x1b[31m", "BTC/", "[/]", "$$"]
)
def test_what_is_no_symbol_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(SymbolError) as caught:
        parse_symbol(typed)
    assert "BTC/USDT" in caught.value.remedy


@given(st.text(max_size=50))
def test_any_text_is_a_symbol_that_parses_to_itself_or_is_refused(text: str) -> None:
    try:
        symbol = parse_symbol(text)
    except SymbolError:
        return
    assert parse_symbol(symbol) == symbol


def test_an_option_in_osi_form_and_back() -> None:
    option = split_option(parse_symbol("AAPL 2026-12-18 200.5C"))
    assert isinstance(option, Option)
    assert osi(option) == "AAPL261218C00200500"


def test_bars_start_on_their_interval_and_weeks_on_monday() -> None:
    wednesday = 1_767_796_671 * NS  # 2026-01-07 14:37:51 UTC
    assert Interval.M5.start_of(wednesday) == 1_767_796_500 * NS
    assert Interval.D1.start_of(wednesday) == 1_767_744_000 * NS
    assert Interval.W1.start_of(wednesday) == 1_767_571_200 * NS  # Monday 2026-01-05
