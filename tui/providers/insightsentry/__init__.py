"""InsightSentry: quotes and bars of many markets, and news. One socket for data, one for news, REST beside them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Final, Literal

from pydantic import Field, SecretStr

from tui.clock import NS, to_iso
from tui.errors import CredentialError, KeyringUnavailable
from tui.market.events import Bar, Quote
from tui.market.names import Kind, Subscription, Symbol, Wants
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
from tui.providers.insightsentry import rest
from tui.providers.insightsentry.budget import ConnectionBudget
from tui.providers.insightsentry.keys import FIELD, Claims, KeyRing, StoredKey, claims
from tui.providers.insightsentry.live import LiveCodec
from tui.providers.insightsentry.newsfeed import NewsfeedCodec, SeenNews
from tui.providers.insightsentry.symbols import short_name, to_code, to_symbol
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.vetting import Vetting
from tui.providers.insightsentry.wire import SeriesOptions
from tui.usage import UsageFile, Usages

LIVE: Final = "live"
NEWSFEED: Final = "newsfeed"
LIMITS: Final = Limits(
    subscribes_per_minute=20,  # the server ignores lists for a minute after the thirtieth, without a word (8.1)
    settle_s=0.6,
    linger_s=10.0,
    silence_s=30.0,  # three missed heartbeats
    login_s=25.0,  # the first sign of life may be a heartbeat or the answer to a ping after 15 s
    max_frame=8 * 1024 * 1024,
    backoff_base_s=2.0,
    backoff_cap_s=60.0,
    healthy_s=60.0,
)
NEWS_LIMITS: Final = Limits(
    subscribes_per_minute=20,
    settle_s=0.6,
    linger_s=10.0,
    silence_s=60.0,  # no heartbeat here: the codec gives up after two unanswered pings, this is behind it
    login_s=25.0,
    max_frame=8 * 1024 * 1024,
    backoff_base_s=2.0,
    backoff_cap_s=60.0,
    healthy_s=60.0,
)
MOST_FOUND: Final = 500
SEARCH_KEPT_NS: Final = 3600 * NS
MOST_SEARCHES: Final = 200
_SET: Final = "Store it with `tickdeck credentials set insightsentry`."


class InsightSentrySettings(ProviderSettings):
    """Settings of `[providers.insightsentry]`."""

    key: Literal["direct", "rapidapi", "static"] = "direct"
    """direct: the dashboard key; rapidapi: a WebSocket key fetched and rotated; static: a pasted WebSocket key."""
    live_url: str = "wss://realtime.insightsentry.com/live"
    """Quotes and bars."""
    newsfeed_url: str = "wss://realtime.insightsentry.com/newsfeed"
    """News."""
    rest_url: str = "https://api.insightsentry.com"
    """REST for direct subscribers."""
    rapidapi_url: str = "https://insightsentry.p.rapidapi.com"
    """REST and WebSocket keys for RapidAPI subscribers."""
    history: Literal["recent_bars", "max_dp", "dp"] = "recent_bars"
    """The field that asks the socket for past bars: newer servers call it max_dp or dp."""
    history_bars: int = Field(default=300, ge=1, le=30_000)
    """How many past bars to ask the socket for, with max_dp or dp."""
    extended: bool = True
    """Whether bars include pre- and post-market trading."""
    ticks: bool = False
    """Whether the plan includes single trades (Mega): fills the tape from here."""
    connections_per_day: int = Field(default=0, ge=0, le=1_000_000)
    """WebSocket connections that the plan allows a day (some of RapidAPI: 10); 0 for no limit."""


class InsightSentry(Provider):
    """The provider."""

    name: ClassVar[str] = "insightsentry"
    title: ClassVar[str] = "InsightSentry"
    settings_model: ClassVar[type[ProviderSettings]] = InsightSentrySettings
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("api_key", "API key", "On the InsightSentry dashboard, for direct subscribers.", False),
        CredentialField("rapidapi_key", "RapidAPI key", "On RapidAPI, for those who subscribe there.", False),
        CredentialField(FIELD, "WebSocket key", "Pasted with key = static; rapidapi fetches it by itself.", False),
    )

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        settings: InsightSentrySettings = context.settings
        self._settings = settings
        self._ring = KeyRing(self.name, context.secrets, context.now_ns, context.lock("insightsentry-key"))
        self._usages = Usages(self.name, context.state_dir)
        self._budget = ConnectionBudget(settings.connections_per_day, self._tally, context.now_ns)
        self._trials = Trials()
        self._seen = SeenNews()
        self._searches: dict[tuple[str, int], tuple[int, list[SymbolMatch]]] = {}
        base_url = settings.rapidapi_url if settings.key == "rapidapi" else settings.rest_url
        self._rest = rest.Rest(context.http, base_url, self._headers)
        self._vetting = Vetting(self.symbols, self._trials, self.search, self._rest, context.now_ns)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """`live` and `newsfeed`."""
        kinds = {Kind.QUOTE, Kind.BAR} | ({Kind.TRADE} if self._settings.ticks else set())
        return (
            Channel(LIVE, frozenset(kinds), self._settings.live_url, LIMITS),
            Channel(NEWSFEED, frozenset({Kind.NEWS}), self._settings.newsfeed_url, NEWS_LIMITS),
        )

    def carries(self, subscription: Subscription) -> bool:
        """Quotes and bars of whatever has a code, and the whole news feed."""
        if subscription.kind is Kind.NEWS:
            return subscription.symbol is None
        if subscription.symbol is None or subscription.kind not in self.channels[0].kinds:
            return False
        has_length = subscription.interval is not None
        return has_length == (subscription.kind is Kind.BAR) and self.code(subscription.symbol) is not None

    def code(self, symbol: Symbol) -> str | None:
        """The code of a symbol: configured, found by search, or by rule."""
        return self.symbols.code(symbol, to_code)

    def symbol(self, code: str) -> Symbol | None:
        """The user's spelling of a code."""
        return self.symbols.symbol(code, to_symbol)

    def codec(self, channel: str, credential: Credential) -> Codec:
        """A codec for one connection; what it learns about subscriptions and news outlives it."""
        can_rotate = self._settings.key == "rapidapi"
        if channel == NEWSFEED:
            return NewsfeedCodec(credential, self.symbol, self._seen, can_rotate=can_rotate)
        options = SeriesOptions(self._settings.history, self._settings.history_bars, self._settings.extended)
        return LiveCodec(credential, self.code, self._trials, options, can_rotate=can_rotate)

    async def credential(self, channel: str, *, fresh: bool = False) -> Credential:
        """The WebSocket key; only in `rapidapi` mode can a refused one be replaced.

        Raises:
            CredentialError: nothing is stored, it has ended, or another program keeps renewing the key.
            RestError: a rotation is due and failed, and the old key is no longer valid.
        """
        match self._settings.key:
            case "direct":
                key = await self._stored("api_key", "API key")
                return Credential(key, None)
            case "static":
                return await self._static()
            case "rapidapi":
                rapidapi_key = await self._stored("rapidapi_key", "RapidAPI key")
                return await self._ring.credential(
                    channel, self._owner(rapidapi_key), lambda: self._rotate(rapidapi_key), refused=fresh
                )

    async def has_credential(self) -> bool:
        """Whether the secret that the mode needs is stored; no network."""
        return await self.context.secrets.get(self.name, self._needed) is not None

    async def account(self) -> SecretStr | None:
        """The secret that the mode needs: not the rotated key."""
        try:
            return await self.context.secrets.get(self.name, self._needed)
        except KeyringUnavailable:
            return None

    @property
    def _needed(self) -> str:
        return {"direct": "api_key", "rapidapi": "rapidapi_key", "static": FIELD}[self._settings.key]

    async def _static(self) -> Credential:
        stored = await self._stored(FIELD, "WebSocket key")
        key = StoredKey.parse(stored)
        if key is None or key.left_ns(self.context.now_ns()) <= 0:
            raise CredentialError("the stored WebSocket key has ended", remedy=f"Paste a new one. {_SET}")
        return key.credential

    async def _rotate(self, rapidapi_key: SecretStr) -> tuple[SecretStr, int]:
        return await rest.websocket_key(
            self.context.http, self._settings.rapidapi_url, rapidapi_key, self.context.now_ns()
        )

    def _owner(self, rapidapi_key: SecretStr) -> str:
        """A fingerprint of account and server, so that a demo's key is never taken for the real one."""
        words = f"{self._settings.rapidapi_url} {rapidapi_key.get_secret_value()}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    async def _stored(self, field: str, title: str) -> SecretStr:
        found = await self.context.secrets.get(self.name, field)
        words = "" if found is None else found.get_secret_value().strip()
        if not words:
            raise CredentialError(f"no {title} for InsightSentry is stored", remedy=_SET)
        if field != FIELD and not (words.isascii() and words.isprintable() and " " not in words):
            raise CredentialError(f"the stored {title} for InsightSentry holds spaces or strange signs", remedy=_SET)
        return SecretStr(words)

    @asynccontextmanager
    async def dialling(self, channel: str) -> AsyncIterator[None]:
        """Count the connection, unless it does not come about. Raises FeedError when there are no more today."""
        await self._budget.take()
        try:
            yield
        except BaseException:
            await self._budget.give_back()
            raise

    def note(self, channel: str) -> str:
        """How much of the day's connections is used."""
        return self._budget.note()

    async def _tally(self) -> UsageFile:
        return await self._usages.of(await self.account())

    async def search(self, query: str, limit: int = 20) -> list[SymbolMatch]:
        """Instruments that match; answers are kept for an hour. Raises RestError or CredentialError."""
        words = " ".join(query.split())
        if not words:
            return []
        now_ns = self.context.now_ns()
        kept = self._searches.get((words.upper(), limit))
        if kept is not None and now_ns - kept[0] < SEARCH_KEPT_NS:
            return list(kept[1])
        matches = self._matches(await self._rest.search(words, limit))
        if len(self._searches) >= MOST_SEARCHES:
            self._searches.clear()
        self._searches[words.upper(), limit] = (now_ns, matches)
        return list(matches)

    async def vet(self, want: Wants) -> None:
        """Look up codes that only the rules vouch for: one that is unknown would stop the whole list (7.1, 7.3)."""
        await self._vetting.vet(want)

    async def history(self, subscription: Subscription, count: int) -> list[Bar]:
        """Past bars and the running one, oldest first. Raises RestError or CredentialError."""
        symbol, interval = subscription.symbol, subscription.interval
        code = self.code(symbol) if symbol else None
        if subscription.kind is not Kind.BAR or symbol is None or interval is None or code is None:
            return []
        return await self._rest.bars(
            code, symbol, interval, count, extended=self._settings.extended, ts_recv_ns=self.context.now_ns
        )

    async def quotes(self, symbols: Iterable[Symbol]) -> list[Quote]:
        """The present quotes by REST, ten symbols a call. Raises RestError or CredentialError."""
        codes = {code: symbol for symbol in symbols if (code := self.code(symbol)) is not None}
        return await self._rest.quotes(codes, self.context.now_ns)

    async def verify(self) -> str:
        """Search for one symbol with the stored key and tell what the key says of its plan.

        A WebSocket key is never fetched for this: that would end the present one. Raises RestError, CredentialError.
        """
        if self._settings.key == "static":
            return _lasting("a WebSocket key is stored", (await self._static()).expires_at_ns)
        found = await self._rest.search("AAPL", 1)
        said = f"the key is accepted; a search found {found[0].code}" if found else "the key is accepted"
        if self._settings.key == "direct":
            return f"{said}; {_plan(claims(await self._stored('api_key', 'API key')))}"
        key = await self._ring.stored(self._owner(await self._stored("rapidapi_key", "RapidAPI key")))
        if key is None:
            return f"{said}; a WebSocket key will be fetched when one is needed"
        return _lasting(f"{said}; a WebSocket key is stored", key.expires_at_ns)

    async def _headers(self) -> Mapping[str, str]:
        """What authorises a REST call. A pasted WebSocket key does not: with it, the API key must be stored as well."""
        if self._settings.key == "rapidapi":
            return rest.rapidapi(await self._stored("rapidapi_key", "RapidAPI key"), self._settings.rapidapi_url)
        return rest.bearer(await self._stored("api_key", "API key"))

    def _matches(self, found: Sequence[rest.Found]) -> list[SymbolMatch]:
        taken: set[Symbol] = set()
        made: list[SymbolMatch] = []
        for each in found:
            symbol = self._spelling(each, taken)
            taken.add(symbol)
            made.append(SymbolMatch(symbol, each.code, each.description, each.kind, self.name))
        return made

    def _spelling(self, found: rest.Found, taken: Container[Symbol]) -> Symbol:
        """A spelling of its own for each match; short where it can be, and then remembered as what search found."""
        by_rule = self.symbol(found.code)
        if by_rule is not None and by_rule != found.code:
            return Symbol(found.code) if by_rule in taken else by_rule
        short = short_name(found.code, found.kind)
        if short is None or short in taken or short in self.symbols.overrides:
            return Symbol(found.code)
        if self.symbols.kept.get(short, found.code) != found.code:  # the user's symbol keeps its meaning
            return Symbol(found.code)
        self.symbols.found.pop(short, None)
        self.symbols.found[short] = found.code
        while len(self.symbols.found) > MOST_FOUND:
            del self.symbols.found[next(iter(self.symbols.found))]
        return short


def _plan(said: Claims | None) -> str:
    """What a dashboard key says of its plan; every claim may be missing (2)."""
    if said is None:
        return "it says nothing about its plan"
    parts = []
    if said.symbols is not None:
        parts.append(f"{said.symbols} WebSocket symbols")
    if said.connections is not None:
        parts.append(f"{said.connections} WebSocket connections")
    if said.has_newsfeed is not None:
        parts.append("news included" if said.has_newsfeed else "no news")
    return _lasting(
        "the plan has " + ", ".join(parts) if parts else "it says nothing about its plan", said.expires_at_ns
    )


def _lasting(words: str, expires_at_ns: int | None) -> str:
    return (
        words if expires_at_ns is None else f"{words}, valid until {to_iso(expires_at_ns)[:16].replace('T', ' ')} UTC"
    )


PROVIDER: Final = InsightSentry
