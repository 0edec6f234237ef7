from __future__ import annotations

import json

import pytest

from tests.providers.quantcite.desk import GOLDEN
from tui.market.names import Symbol
from tui.providers.quantcite import wire
from tui.providers.quantcite.symbols import PairIndex, code_of, match, symbol_of


@pytest.fixture
def index() -> PairIndex:
    index = PairIndex()
    index.add("binance", ["BTC/USDT", "ETH/BTC", "BTCST/USDT", "WBTC/USDT", "BTC/EUR", "BTC/USDT:USDT"])
    index.add("okx", ["BTC/USDT", "BTC/EUR", "ETH/BTC"])
    index.add("kraken", ["BTC/USDT"])
    return index


@pytest.mark.parametrize("query", ["BTC/USDT", "btc-usdt", "btcusdt", " Btc / Usdt "])
def test_a_pair_is_found_first_in_any_spelling(index: PairIndex, query: str) -> None:
    assert index.search(query, 10)[0] == "BTC/USDT"


def test_the_exact_base_comes_before_beginnings_and_those_before_the_inside(index: PairIndex) -> None:
    assert index.search("btc", 10) == [
        "BTC/USDT", "BTC/EUR", "BTC/USDT:USDT", "BTCST/USDT", "ETH/BTC", "WBTC/USDT",
    ]  # fmt: skip
    assert index.search("btc", 2) == ["BTC/USDT", "BTC/EUR"]


def test_nothing_is_found_without_letters_or_without_an_index(index: PairIndex) -> None:
    assert index.search(" / ", 5) == []
    assert index.search("zzz", 5) == []
    assert PairIndex().search("btc", 5) == []


def test_pairs_of_the_seed_are_found_with_their_exchanges() -> None:
    index = PairIndex()
    message = wire.read(json.loads(GOLDEN["pairs_all_seed.json"]))
    assert isinstance(message, wire.PairsData)
    for exchange, codes in message.data.by_exchange.items():
        index.add(exchange, codes)
        index.add(exchange, codes)
    assert index.venues("BTC/USD") == ("coinbase", "kraken")
    found = match("BTC/USD", index)
    assert found is not None
    assert (found.symbol, found.code, found.description) == ("BTC/USD", "BTC/USD", "BTC in USD, 2 exchanges")


def test_futures_pass_through_once_the_index_knows_them(index: PairIndex) -> None:
    assert code_of(Symbol("BTC/USDT:USDT"), index) == "BTC/USDT:USDT"
    assert code_of(Symbol("ETH/USDT:USDT"), index) is None
    assert code_of(Symbol("AAPL"), index) is None
    assert symbol_of("BTC/USDT:USDT") == "BTC/USDT:USDT"
    assert symbol_of("???") is None


def test_fifty_thousand_pairs_fit_and_more_than_the_limit_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    index = PairIndex()
    index.add("binance", (f"C{number}/USDT" for number in range(50_000)))
    assert len(index) == 50_000
    assert index.search("c49999", 3) == ["C49999/USDT"]
    monkeypatch.setattr("tui.providers.quantcite.symbols.MAX_PAIRS", 50_000)
    index.add("okx", ["NEW/USDT", "C1/USDT"])
    assert "NEW/USDT" not in index
    assert index.venues("C1/USDT") == ("binance", "okx")
