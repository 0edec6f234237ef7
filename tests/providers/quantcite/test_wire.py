from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.providers.quantcite.desk import GOLDEN
from tui.providers.quantcite import wire

REQUESTS = Path(__file__).parent / "requests"


def read(name: str) -> wire.Message:
    return wire.read(json.loads(GOLDEN[name]))


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("authenticate", wire.authenticate("qc_live_7d1f0a")),
        ("authenticate_seed", wire.authenticate("YOUR_API_KEY")),
        ("subscribe", wire.subscribe("ETH/USDT", ("binance", "kraken", "okx"))),
        ("subscribe_seed", wire.subscribe("BTC/USDT", ["binance", "okx", "bybit", "kucoin"])),
        ("subscribe_all_seed", wire.subscribe("BTC/USDT", None)),
        ("unsubscribe", wire.unsubscribe("ETH/USDT")),
        ("unsubscribe_seed", wire.unsubscribe("BTC/USDT")),
        ("get_orderbook", wire.get_orderbook("ETH/USDT")),
        ("get_orderbook_seed", wire.get_orderbook("BTC/USDT")),
        ("get_exchanges_seed", wire.get_exchanges()),
        ("get_pairs_seed", wire.get_pairs()),
        ("get_pairs_one", wire.get_pairs("kraken")),
        ("get_pairs_one_seed", wire.get_pairs("binance")),
        ("ping_seed", wire.ping()),
    ],
)
def test_each_request_is_that_of_the_reference(name: str, frame: str) -> None:
    assert json.loads(frame) == json.loads((REQUESTS / f"{name}.json").read_text())


def test_every_golden_request_is_compared() -> None:
    marks = test_each_request_is_that_of_the_reference.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in marks[0].args[1]} == {path.stem for path in REQUESTS.iterdir()}


def test_exchanges_are_read_as_listed_whatever_their_counts_say() -> None:
    message = read("exchanges_seed.json")
    assert isinstance(message, wire.ExchangesData)
    assert len(message.data.supported_exchanges) == 73
    assert len(message.data.active_exchanges) == 20
    assert message.data.exchange_status["kraken"] == "active"


@pytest.mark.fault("Q10")
@pytest.mark.parametrize(
    ("name", "exchanges", "pairs"),
    [
        ("pairs_all_seed.json", 8, 40),
        ("pairs_one_seed.json", 1, 15),
        ("pairs_all.json", 2, 4),
        ("pairs_one.json", 1, 3),
    ],
)
def test_pairs_are_read_in_both_shapes(name: str, exchanges: int, pairs: int) -> None:
    message = read(name)
    assert isinstance(message, wire.PairsData)
    by_exchange = message.data.by_exchange
    assert (len(by_exchange), sum(map(len, by_exchange.values()))) == (exchanges, pairs)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("authentication_failed_seed.json", "authentication_failed"),
        ("rate_limit_exceeded_seed.json", "rate_limit_exceeded"),
        ("invalid_symbol_subscription_error_seed.json", "invalid_symbol"),
        ("exchange_unavailable_seed.json", "exchange_unavailable"),
        ("data_limit_exceeded_seed.json", "data_limit_exceeded"),
    ],
)
def test_the_kind_of_a_problem_is_a_machine_word(name: str, kind: str) -> None:
    message = read(name)
    assert isinstance(message, wire.Problem)
    assert message.kind == kind


def test_a_problem_without_an_error_is_of_the_kind_of_its_type() -> None:
    message = wire.read({"type": "data_limit_exceeded", "error": None})
    assert isinstance(message, wire.Problem)
    assert message.kind == "data_limit_exceeded"


def test_fields_of_a_wrong_type_are_unknown_and_the_others_stay() -> None:
    message = wire.read(
        {
            "type": "error",
            "error": "x",
            "retry_after": "soon",
            "current_limit": -5,
            "suggested_symbols": ["A/B", 3, None],
        }
    )
    assert isinstance(message, wire.Problem)
    assert (message.retry_after, message.current_limit, message.suggested_symbols) == (None, None, ("A/B",))


def test_usage_is_told_with_what_is_known() -> None:
    assert str(wire.DataUsage(used_gb=Decimal("51.2"), limit_gb=Decimal("50.0"))) == "51.2 of 50 GB used (102.4 %)"
    assert str(wire.DataUsage(usage_percentage=Decimal("6.4"))) == "6.4 % of the data used"
    assert str(wire.DataUsage(used_gb=Decimal(1), limit_gb=Decimal(0))) == "1 of 0 GB used"
    assert str(wire.DataUsage()) == ""
