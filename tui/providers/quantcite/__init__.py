"""QuantCite: order books aggregated over many exchanges, and quotes derived from them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Final, Literal

from pydantic import Field

from tui.clock import NS
from tui.errors import CredentialError, FeedError, RestError
from tui.market.events import Notice
from tui.market.names import AssetClass, Kind, Subscription, Symbol, asset_class
from tui.market.terms import Severity
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
from tui.providers.quantcite.allowance import REMEDY, Allowance
from tui.providers.quantcite.codec import FEED, KINDS, BookCodec
from tui.providers.quantcite.rest import QuantCiteRest
from tui.providers.quantcite.subscriptions import Budget
from tui.providers.quantcite.symbols import PairIndex, match
from tui.usage import UsageFile, Usages

log = logging.getLogger(__name__)

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
ASK_NS: Final = 3600 * NS
"""Between two looks at QuantCite's own count (section 9.3)."""
ASK_AGAIN_NS: Final = 900 * NS
"""The same after one that failed."""
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
    data_allowance_gb: float = Field(default=50.0, ge=0, allow_inf_nan=False)
    """Data that the plan includes a month, until QuantCite says it itself; 0 when that is not known."""
    data_warn_percent: float = Field(default=80.0, ge=0, allow_inf_nan=False)
    """Warn when this much of it is used; 0 never warns."""
    data_cap_percent: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Stop until the next month when this much of it is used, by our own count or QuantCite's; 0 goes on."""


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
        settings = self.settings
        self.allowance = Allowance(settings.data_allowance_gb, settings.data_warn_percent, settings.data_cap_percent)
        self.budget = Budget()
        self._usages = Usages(self.name, context.state_dir)
        self._asks_ns = 0
        self._asked_total = 0
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
        is_listed = asset_class(symbol) is AssetClass.PAIR or symbol in self.index
        return is_listed or self.symbols.known(symbol) is not None

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
            allowance=self.allowance,
            budget=self.budget,
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

    @asynccontextmanager
    async def dialling(self, channel: str) -> AsyncIterator[None]:
        """Nothing more may come when the cap is reached. Raises FeedError."""
        now_ns = self.context.now_ns()
        await self.allowance.save(await self._usage(), now_ns)
        if beyond := self.allowance.beyond(now_ns):
            raise FeedError(beyond[0], remedy=REMEDY, retry_after_s=beyond[1])
        yield

    def note(self, channel: str) -> str:
        """How much data is used, and how long it lasts."""
        return self.allowance.note(self.context.now_ns())

    async def upkeep(self, *, is_last: bool = False) -> Sequence[Notice]:
        """Save the count, compare it with QuantCite's once an hour (section 9.3), warn when most is used."""
        now_ns, texts = self.context.now_ns(), list[str]()
        if is_last or self.allowance.is_due(now_ns):
            usage = await self._usage()
            await self.allowance.save(usage, now_ns)
            texts += [] if is_last else await self._compared(usage, now_ns)
        texts += self.allowance.warnings(now_ns)
        return [
            Notice(source=self.name, ts_recv_ns=now_ns, feed=FEED, severity=Severity.WARNING, text=text)
            for text in texts
        ]

    async def _compared(self, usage: UsageFile, now_ns: int) -> list[str]:
        total = self.allowance.meter.total
        if now_ns < self._asks_ns or total == self._asked_total:
            return []
        self._asks_ns, self._asked_total = now_ns + ASK_AGAIN_NS, total
        try:
            account = await self._rest.account((await self.credential("book")).secret)
        except (RestError, CredentialError) as error:
            log.info("the data used could not be asked for: %s", error)
            return []
        self._asks_ns = now_ns + ASK_NS
        return await self.allowance.compare(usage, account, self.context.now_ns())

    async def _usage(self) -> UsageFile:
        return await self._usages.of(await self.account())

    @property
    def _rest(self) -> QuantCiteRest:
        return QuantCiteRest(self.context.http, self.settings.http_url)

    async def search(self, query: str, limit: int = 20) -> list[SymbolMatch]:
        """Pairs that match; nothing before the first connection has brought the list."""
        matches = (match(code, self.index) for code in self.index.search(query, limit))
        return [found for found in matches if found is not None]

    async def verify(self) -> str:
        """Ask what the key has used; a sentence about plan and data. Raises CredentialError or RestError."""
        key = (await self.credential("book")).secret
        rest = self._rest
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
