from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tests.providers.contract import NOW_NS
from tests.providers.quantcite.desk import BTC, GOLDEN, SECRET, Desk, book
from tui.errors import CredentialError, RestError
from tui.market.names import Kind, Subscription, Symbol
from tui.providers import providers
from tui.providers.base import Credential, ProviderContext
from tui.providers.quantcite import QuantCite, QuantCiteSettings
from tui.providers.quantcite.codec import BookCodec

REST = Path(__file__).parent / "rest"
USAGE = json.loads((REST / "data_usage.json").read_text())
HEALTH = json.loads((REST / "health.json").read_text())


class Secrets:
    def __init__(self, key: str | None) -> None:
        self.key = key

    async def get(self, provider: str, field: str) -> SecretStr | None:
        assert (provider, field) == ("quantcite", "api_key")
        return None if self.key is None else SecretStr(self.key)

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        raise AssertionError("nothing is to be stored")


class Http:
    """Answers by the end of the address; raises what is an error, with the whole address in it as a client would."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def get(
        self, url: str, *, query: Mapping[str, str] = {}, headers: Mapping[str, str] = {}, timeout_s: float = 1.0
    ) -> Any:
        self.asked.append(url)
        answer = self.answers["usage" if "data-usage" in url else "health"]
        if isinstance(answer, int):
            raise RestError(f"GET {url}: {answer}", status=answer or None)
        return answer

    async def post(
        self, url: str, *, body: Mapping[str, Any], headers: Mapping[str, str] = {}, timeout_s: float = 1.0
    ) -> Any:
        raise AssertionError("nothing is to be posted")


def make(key: str | None = SECRET, *, overrides: Mapping[Symbol, str] = {}, **answers: Any) -> QuantCite:
    settings = QuantCiteSettings(http_url="https://data.quantcite.test/")
    context = ProviderContext(settings, Secrets(key), Http(**answers), lambda: NOW_NS, overrides)
    return QuantCite(context)


def test_it_is_found_by_its_name() -> None:
    assert providers()["quantcite"] is QuantCite


def test_the_defaults_are_those_of_the_design() -> None:
    settings = QuantCiteSettings()
    assert settings.enabled
    assert settings.url == "wss://data.quantcite.com/api/v1/ws"
    assert settings.http_url == "https://data.quantcite.com"
    assert settings.exchanges == ("binance", "okx", "bybit", "kraken", "coinbase")


@pytest.mark.parametrize("exchanges", [[], "some", ["Binance"], ["a b"], [1], {"okx": 1}])
def test_exchanges_are_ids_or_all(exchanges: object) -> None:
    assert QuantCiteSettings(exchanges="all").exchanges == "all"
    with pytest.raises(ValidationError):
        QuantCiteSettings.model_validate({"exchanges": exchanges})


def test_its_channel_carries_books_and_quotes_compressed() -> None:
    (channel,) = make().channels
    assert channel.name == "book"
    assert channel.kinds == frozenset((Kind.BOOK, Kind.QUOTE))
    assert channel.compression
    assert channel.limits.max_frame == 16 * 1024 * 1024


def test_it_carries_pairs_and_what_its_list_or_the_settings_name() -> None:
    provider = make(overrides={Symbol("BITCOIN"): "BTC/USDT"})
    assert provider.carries(Subscription(Kind.BOOK, BTC))
    assert provider.carries(Subscription(Kind.QUOTE, Symbol("BITCOIN")))
    for refused in (
        Subscription(Kind.TRADE, BTC),
        Subscription(Kind.BOOK),
        Subscription(Kind.BOOK, Symbol("AAPL")),
        Subscription(Kind.QUOTE, Symbol("BTC/USDT:USDT")),
    ):
        assert not provider.carries(refused)
    provider.index.add("okx", ["BTC/USDT:USDT"])
    assert provider.carries(Subscription(Kind.QUOTE, Symbol("BTC/USDT:USDT")))


async def test_search_answers_from_the_pairs_that_a_connection_brought() -> None:
    provider = make()
    assert await provider.search("btc") == []
    codec = provider.codec("book", Credential(SecretStr(SECRET)))
    assert isinstance(codec, BookCodec)
    Desk(codec).login().hear(GOLDEN["pairs_all_seed.json"])
    assert [found.symbol for found in await provider.search("btc", 2)] == ["BTC/USDT", "BTC/USD"]


def test_each_connection_has_its_own_codec() -> None:
    provider = make()
    first, second = (provider.codec("book", Credential(SecretStr(SECRET))) for _ in range(2))
    assert first is not second
    assert isinstance(second, BookCodec)
    assert Desk(second).login().want(book(BTC))


@pytest.mark.parametrize("key", [None, "", "  "])
async def test_without_a_key_it_says_how_to_store_one(key: str | None) -> None:
    with pytest.raises(CredentialError) as caught:
        await make(key).credential("book")
    assert "tickdeck credentials set quantcite" in caught.value.remedy


async def test_verify_tells_plan_usage_and_reset() -> None:
    assert await make(usage=USAGE).verify() == "developer plan, 7.25 of 50 GB used (14.5 %), resets on 2026-01-15"


@pytest.mark.fault("Q13")
async def test_a_reset_in_the_past_is_not_told() -> None:
    usage = USAGE | {"billing_period": {"reset_date": "2025-12-15T00:00:00Z", "next_reset": "2026-01-20T00:00:00Z"}}
    assert (await make(usage=usage).verify()).endswith("resets on 2026-01-20")


@pytest.mark.parametrize("odd", [{}, [], None, "x", {"data_usage": 5, "status": [], "billing_period": "never"}])
async def test_an_odd_usage_answer_is_no_reason_to_fail(odd: object) -> None:
    assert await make(usage=odd).verify() == "key accepted"


@pytest.mark.fault("Q13")
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (404, "does not know this key"),
        (401, "suspended"),
        (USAGE | {"status": {"api_key_status": "expired"}}, "expired"),
        (USAGE | {"api_key_active": False}, "not active"),
    ],
)
async def test_a_key_that_cannot_be_used_is_a_credential_error(answer: object, told: str) -> None:
    with pytest.raises(CredentialError, match=told):
        await make(usage=answer).verify()


@pytest.mark.fault("Q13")
@pytest.mark.parametrize(("health", "told"), [(HEALTH, "is up"), (500, "down"), ({"status": "degraded"}, "down")])
async def test_a_failed_call_tells_whether_the_provider_is_up(health: object, told: str) -> None:
    with pytest.raises(RestError) as caught:
        await make(usage=500, health=health).verify()
    assert caught.value.status == 500
    assert told in caught.value.remedy


@pytest.mark.fault("M53")
@pytest.mark.parametrize("status", [0, 401, 404, 500])
async def test_the_key_in_the_path_shows_in_no_error(status: int) -> None:
    provider = make("qc live/7d?", usage=status, health=500)
    with pytest.raises((RestError, CredentialError)) as caught:
        await provider.verify()
    assert isinstance(provider.context.http, Http)
    assert provider.context.http.asked[0] == "https://data.quantcite.test/api/v1/data-usage/qc%20live%2F7d%3F"
    error: BaseException | None = caught.value
    while error is not None:
        assert "7d" not in str(error)
        error = error.__cause__ or error.__context__
