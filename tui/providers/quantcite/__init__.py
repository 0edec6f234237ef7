"""QuantCite: order books aggregated over many exchanges, and quotes derived from them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from tui.errors import CredentialError, RestError
from tui.market.names import AssetClass, Kind, Subscription, Symbol, asset_class
from tui.providers.base import (
    Channel,
    Codec,
    Credential,
    CredentialField,
    Limits,
    Provider,
    ProviderContext,
    ProviderSettings,
    SymbolMatch,
)
from tui.providers.quantcite.codec import KINDS, BookCodec
from tui.providers.quantcite.rest import QuantCiteRest
from tui.providers.quantcite.symbols import PairIndex, match

LIMITS: Final = Limits(
    subscribes_per_minute=480,  # 80 % of the smallest plan's 600
    subscribe_gap_s=0.1,
    settle_s=0.3,
    linger_s=30.0,
    silence_s=45.0,
    login_s=10.0,
    max_frame=16 * 1024 * 1024,  # all pairs come in one frame
    backoff_base_s=1.0,
    backoff_cap_s=60.0,
    healthy_s=30.0,
    stale_s=45.0,  # quiet pairs update every 5 to 10 s
)
ExchangeId = Annotated[str, Field(pattern=r"^[a-z0-9_]{2,40}$")]


class QuantCiteSettings(ProviderSettings):
    """The part `[providers.quantcite]` of the configuration."""

    url: str = "wss://data.quantcite.com/api/v1/ws"
    """Where the WebSocket is."""
    http_url: str = "https://data.quantcite.com"
    """Where HTTP calls go: health and data usage."""
    exchanges: Annotated[tuple[ExchangeId, ...], Field(min_length=1)] | Literal["all"] = (
        "binance", "okx", "bybit", "kraken", "coinbase",
    )  # fmt: skip
    """Exchanges whose books are added up, or "all"; each one more costs data."""
    max_subscriptions: int = Field(default=20, ge=1, le=1000)
    """Symbols at once; data is billed by the byte."""
    data_cap_percent: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Stop when QuantCite warns that this much of the month's data is used; 0 goes on and only warns."""


class QuantCite(Provider):
    """The provider: one socket, two HTTP calls."""

    name = "quantcite"
    title = "QuantCite"
    settings_model = QuantCiteSettings
    credential_fields = (
        CredentialField("api_key", "API key", "QuantCite's support hands out keys: https://quantcite.com"),
    )

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self.index = PairIndex()
        self._left_out: dict[Symbol, frozenset[str]] = {}

    @property
    def settings(self) -> QuantCiteSettings:
        """Its settings, typed."""
        settings = self.context.settings
        assert isinstance(settings, QuantCiteSettings)
        return settings

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The one socket. Books are repetitive text and billed by the byte, so compression is worth its CPU."""
        return (Channel("book", KINDS, self.settings.url, LIMITS, compression=True),)

    def carries(self, subscription: Subscription) -> bool:
        """Books and quotes of pairs, and of whatever its exchanges list."""
        symbol = subscription.symbol
        if symbol is None or subscription.kind not in KINDS:
            return False
        return (
            asset_class(symbol) is AssetClass.PAIR
            or symbol in self.index
            or symbol in self.symbols.overrides
            or symbol in self.symbols.found
        )

    def codec(self, channel: str, credential: Credential) -> Codec:
        """A codec for one connection."""
        exchanges = self.settings.exchanges
        return BookCodec(
            credential.secret,
            self.symbols,
            self.index,
            exchanges=None if exchanges == "all" else tuple(exchanges),
            most=self.settings.max_subscriptions,
            cap_percent=self.settings.data_cap_percent,
            left_out=self._left_out,
        )

    def leave_out(self, symbol: Symbol, venues: frozenset[str]) -> bool:
        """Books come added up, so a venue can only be left out of the list that is subscribed (section 3.1)."""
        if not self.carries(Subscription(Kind.BOOK, symbol)):
            return False
        self._left_out[symbol] = venues
        if not venues:
            del self._left_out[symbol]
        return True

    async def credential(self, channel: str, *, fresh: bool = False) -> Credential:
        """The stored key; it has no end of validity and cannot be renewed. Raises CredentialError."""
        key = await self.context.secrets.get(self.name, "api_key")
        if key is None or not key.get_secret_value().strip():
            raise CredentialError("no QuantCite key is stored", remedy="Store it: tickdeck credentials set quantcite")
        return Credential(key)

    async def search(self, query: str, limit: int = 20) -> list[SymbolMatch]:
        """Pairs that match; nothing before the first connection has brought the list."""
        matches = (match(code, self.index) for code in self.index.search(query, limit))
        return [found for found in matches if found is not None]

    async def verify(self) -> str:
        """Ask what the key has used; a sentence about plan and data. Raises CredentialError or RestError."""
        key = (await self.credential("book")).secret
        rest = QuantCiteRest(self.context.http, self.settings.http_url)
        try:
            return (await rest.account(key)).sentence(self.context.now_ns())
        except RestError as error:
            failure = error
        try:
            is_up = (await rest.health()).is_healthy
        except RestError:
            is_up = False
        remedy = "QuantCite is up: try again later." if is_up else "QuantCite seems to be down: try again later."
        raise RestError(str(failure), status=failure.status, retry_after_s=failure.retry_after_s, remedy=remedy)


PROVIDER: Final = QuantCite
