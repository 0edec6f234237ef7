"""Symbols to codes by rule, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import SymbolError
from tui.market.names import Symbol, parse_symbol
from tui.providers.insightsentry.symbols import short_name, to_code, to_symbol


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("AAPL", "NASDAQ:AAPL"),
        ("JPM", "NYSE:JPM"),
        ("BRK.B", "NYSE:BRK.B"),
        ("SPY", "AMEX:SPY"),
        ("QQQ", "NASDAQ:QQQ"),
        ("BTC/USDT", "BINANCE:BTCUSDT"),
        ("ETH/BTC", "BINANCE:ETHBTC"),
        ("BTC/USD", "COINBASE:BTCUSD"),
        ("EUR/USD", "FX:EURUSD"),
        ("SPX", "SP:SPX"),
        ("VIX", "CBOE:VIX"),
        ("RUT", "TVC:RUT"),
        ("AAPL 2026-12-18 200C", "OPRA:AAPL261218C200.0"),
        ("AAPL 2026-12-18 202.5P", "OPRA:AAPL261218P202.5"),
        ("CME_MINI:ES1!", "CME_MINI:ES1!"),
        ("OKX:BTCUSDT", "OKX:BTCUSDT"),
        ("NYSE:ZZZZ", "NYSE:ZZZZ"),
    ],
)
def test_rules_lead_both_ways(symbol: str, code: str) -> None:
    assert to_code(parse_symbol(symbol)) == code
    assert to_symbol(code) == parse_symbol(symbol)


@pytest.mark.parametrize("code", ["", "AAPL", "\x1b]52;", "NASDAQ:", "a b:c", "X" * 50 + ":A"])
def test_what_is_no_code_has_no_symbol(code: str) -> None:
    assert to_symbol(code) is None


def test_an_option_on_a_day_that_no_calendar_has_keeps_its_code() -> None:
    assert to_symbol("OPRA:AAPL260231C150.0") == "OPRA:AAPL260231C150.0"


@pytest.mark.parametrize(
    ("code", "kind", "short"),
    [
        ("NYSE:FOO", "stock", "FOO"),
        ("AMEX:FOO", "etf", "FOO"),
        ("LSE:FOO", "stock", None),
        ("INDEX:SPX", "index", "SPX"),
        ("NYSE:SPX", "stock", None),
        ("INDEX:FOO", "index", None),
        ("CME:ES1!", "futures", None),
    ],
)
def test_search_results_get_a_short_name_only_where_people_use_it(code: str, kind: str, short: str | None) -> None:
    assert short_name(code, kind) == short


@given(st.text(alphabet="ABCDEUSTNQ01:/.!- ", max_size=24))
def test_whatever_a_code_becomes_leads_back_to_the_same_code(text: str) -> None:
    found = to_symbol(text)
    if found is not None:
        assert to_code(found) == " ".join(text.split())
        assert parse_symbol(found) == found


@given(st.text(max_size=30))
def test_every_symbol_has_a_code_or_none_and_never_an_exception(text: str) -> None:
    try:
        symbol = parse_symbol(text)
    except SymbolError:
        symbol = Symbol(text)
    to_code(symbol)
