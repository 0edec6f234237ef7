"""What Aries offers, its settings and its symbols."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.providers.aries.sessions import NOW_NS, credential, sent, subscription, want
from tests.providers.aries.web import Bench, nothing
from tests.providers.contract import drained
from tui.config import Config
from tui.errors import ConfigError
from tui.market.events import Notice
from tui.market.names import Kind, Symbol
from tui.providers import providers
from tui.providers.aries.settings import AriesSettings
from tui.providers.aries.symbols import to_code, to_symbol
from tui.providers.base import SymbolTable


def provider(secrets: dict[str, str] | None = None, **settings: Any) -> Any:
    return Bench(nothing, secrets, settings).provider


def test_the_provider_is_found_by_name() -> None:
    assert providers()["aries"].title == "Aries"


def test_the_channels_have_the_addresses_of_the_seed() -> None:
    assert {channel.name: (channel.url, channel.kinds) for channel in provider().channels} == {
        "market": ("wss://api.aries.com/v1/market/ws", {Kind.QUOTE, Kind.TRADE, Kind.BOOK, Kind.GREEKS}),
        "charts": ("wss://api.aries.com/v1/charts/ws", {Kind.BAR}),
        "accounts": ("wss://api.aries.com/v1/accounts/ws", {Kind.NEWS, Kind.ACCOUNT}),
    }
    assert all(channel.limits.silence_s == 75 for channel in provider().channels)


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("quote AAPL", True),
        ("quote BRK.B", True),
        ("quote SPX", True),
        ("trade SPX", False),
        ("book SPX", False),
        ("book AAPL", True),
        ("bar SPX 1w", True),
        ("bar AAPL 1s", False),
        ("bar AAPL 2026-12-18 200C 5m", True),
        ("greeks AAPL", False),
        ("greeks AAPL 2026-12-18 200C", True),
        ("quote BTC/USDT", False),
        ("quote NASDAQ:AAPL", False),
        ("news", True),
        ("news AAPL", False),
        ("account", True),
    ],
)
def test_what_it_carries(name: str, carried: bool) -> None:
    assert provider().carries(subscription(name)) is carried


def test_a_code_of_the_configuration_wins() -> None:
    bench = Bench(nothing)
    symbol = Symbol("NASDAQ:AAPL")
    bench.provider.symbols.overrides[symbol] = "AAPL"
    assert bench.provider.carries(subscription("quote NASDAQ:AAPL"))
    codec = bench.provider.codec("market", credential())
    drained(codec.opened(NOW_NS))
    drained(codec.received('{"action":"auth","message":"success"}', NOW_NS))
    [frame] = sent(codec.wanted(want("quote NASDAQ:AAPL"), NOW_NS))
    assert frame["payload"][0]["symbol"] == "AAPL"


@pytest.mark.parametrize(
    "code", ["", "/ES", "BTC/USDT", "NASDAQ:AAPL", "AAPL261399C00200000", "AAPL 2026-12-18", "\x1b[31m", "a" * 100]
)
def test_what_is_no_code_of_aries_has_no_symbol(code: str) -> None:
    assert to_symbol(code) is None


def test_the_prefix_of_rest_options_is_dropped() -> None:
    assert to_symbol("O:AAPL250117C00150000") == "AAPL 2025-01-17 150C"
    assert to_code(Symbol("AAPL 2025-01-17 150C")) == "AAPL250117C00150000"


@pytest.mark.parametrize(
    ("secrets", "has"),
    [
        ({}, False),
        ({"access_token": "a"}, True),
        ({"refresh_token": "r"}, False),
        ({"refresh_token": "r", "client_id": "c"}, True),
        ({"client_id": "c", "client_secret": "s"}, False),
    ],
)
async def test_an_access_token_or_the_means_to_get_one_is_a_credential(secrets: dict[str, str], has: bool) -> None:
    assert await provider(secrets).has_credential() is has


@pytest.mark.parametrize(
    ("setting", "url", "channel"),
    [
        ("market_url", "wss://api.aries.com/v1/marketdata/ws", "market"),
        ("market_url", "wss://api.tradearies.dev/v1/marketdata/ws", "market"),
        ("accounts_url", "wss://api.ariesfinancial.com/ws", "accounts"),
        ("market_url", "wss://api.aries.com/market/ws", "market"),
    ],
)
def test_an_old_address_is_warned_of_once(setting: str, url: str, channel: str) -> None:
    found = Bench(nothing, None, {setting: url}).provider
    for expected in (1, 0):
        signals = drained(found.codec(channel, credential()).opened(NOW_NS))
        notices = [signal for signal in signals if isinstance(signal, Notice)]
        assert len(notices) == expected
        assert all("replaced by wss://" in notice.text or "replaced by /v1" in notice.text for notice in notices)


def test_there_is_no_other_channel() -> None:
    with pytest.raises(ValueError, match="no channel"):
        provider().codec("weather", credential())


@pytest.mark.parametrize(
    "settings",
    [
        {"redirect_uri": "https://127.0.0.1/callback"},
        {"redirect_uri": "http://evil.example/callback"},
        {"level2_mode": "guess"},
        {"pnl_interval": "1M"},
        {"market": "x"},
        {"level2_key": ""},
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AriesSettings.model_validate(settings)


@pytest.mark.parametrize("key", ["market_url", "rest_url", "token_url", "authorize_url"])
def test_an_address_must_be_encrypted_unless_it_is_this_machine(key: str) -> None:
    scheme = "ws" if key == "market_url" else "http"
    Config().with_providers({"aries": {key: f"{scheme}://127.0.0.1:1/x"}})
    with pytest.raises(ConfigError, match="not encrypted"):
        Config().with_providers({"aries": {key: f"{scheme}://api.aries.com/x"}})


def test_the_switch_for_depth_may_be_a_list() -> None:
    settings = AriesSettings.model_validate({"level2_key": "fields", "level2_value": ["level2"]})
    assert settings.level2_value == ("level2",)


def test_a_table_is_not_shared_between_providers() -> None:
    assert provider().symbols is not provider().symbols
    assert isinstance(provider().symbols, SymbolTable)
