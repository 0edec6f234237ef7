"""Aries: quotes, trades, depth, Greeks, bars, news and the user's accounts over three sockets and REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import uniform
from typing import ClassVar, Final

from pydantic import SecretStr

from tui.errors import CredentialError, KeyringUnavailable, RestError
from tui.market.events import Bar, NewsItem, Watchlist
from tui.market.names import Kind, Subscription, Symbol
from tui.providers.aries.accounts import AccountsCodec
from tui.providers.aries.charts import ChartsCodec
from tui.providers.aries.codec import LIMITS, NAME, SessionCodec
from tui.providers.aries.market import MarketCodec
from tui.providers.aries.oauth import SignIn, exchange_code, obtain_code
from tui.providers.aries.rest import AriesRest, account_id, account_label, is_named
from tui.providers.aries.settings import AriesSettings
from tui.providers.aries.symbols import offered, to_code
from tui.providers.aries.tokens import TokenKeeper
from tui.providers.base import (
    Channel,
    Credential,
    CredentialField,
    Provider,
    ProviderContext,
    ProviderSettings,
    SymbolMatch,
)

JITTER_S: Final = 10.0
MOST_NAMED: Final = 10
"""Accounts that are named when a sign-in is verified."""
MOST_FOUND: Final = 2000
"""Codes remembered from searches."""
_CLIENT: Final = "the API tab of the Client Center at Aries"


class AriesProvider(Provider):
    """Aries Financial. One access token serves its three sockets and its REST calls."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = "Aries"
    settings_model: ClassVar[type[ProviderSettings]] = AriesSettings
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("access_token", "access token", "Comes from signing in; ends after an hour.", required=False),
        CredentialField("refresh_token", "refresh token", "Comes from signing in.", required=False),
        CredentialField("client_id", "client id", f"In {_CLIENT}.", required=False),
        CredentialField("client_secret", "client secret", f"In {_CLIENT}, shown once.", required=False),
    )

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self.settings: AriesSettings = context.settings
        self.tokens = TokenKeeper(
            context.secrets, context.http, context.now_ns, self.settings.token_url, context.lock("aries-token")
        )
        self.rest = AriesRest(context.http, self.tokens, self.settings.rest_url, context.now_ns)
        self._account = self.settings.account_id
        self._account_detail: str | None = None
        self._warnings = dict(self.settings.superseded())

    @property
    def channels(self) -> tuple[Channel, ...]:
        """`market`, `charts` and `accounts`."""
        return (
            Channel("market", MarketCodec.offers, self.settings.market_url, LIMITS),
            Channel("charts", ChartsCodec.offers, self.settings.charts_url, LIMITS),
            Channel("accounts", AccountsCodec.offers, self.settings.accounts_url, LIMITS),
        )

    def carries(self, subscription: Subscription) -> bool:
        """Equities, indices and options; news and accounts as whole streams."""
        symbol = subscription.symbol
        return offered(subscription) and (symbol is None or self.symbols.code(symbol, to_code) is not None)

    def codec(self, channel: str, credential: Credential) -> SessionCodec:
        """A new codec; an address that is out of date is told with the first one of its channel."""
        warning = self._warnings.pop(channel, None)
        warnings = () if warning is None else (warning,)
        jitter_s = uniform(-JITTER_S, JITTER_S)
        match channel:
            case "market":
                level2 = (self.settings.level2_key, self.settings.level2_value)
                mode = self.settings.level2_mode
                return MarketCodec(
                    credential, self.symbols, level2=level2, level2_mode=mode, jitter_s=jitter_s, warnings=warnings
                )
            case "charts":
                return ChartsCodec(credential, self.symbols, jitter_s=jitter_s, warnings=warnings)
            case "accounts":
                return AccountsCodec(
                    credential,
                    self.symbols,
                    account=self._account,
                    pnl_interval=self.settings.pnl_interval,
                    detail=self._account_detail or "",
                    jitter_s=jitter_s,
                    warnings=warnings,
                )
            case _:
                raise ValueError(f"Aries has no channel {channel!r}")

    async def credential(self, channel: str, *, fresh: bool = False) -> Credential:
        """The access token, refreshed when that is due; for the accounts also which account to follow."""
        token = await self.tokens.token(fresh=fresh)
        if channel == "accounts" and self._account_detail is None:
            await self._find_account()
        return Credential(token.access, token.expires_ns)

    async def has_credential(self) -> bool:
        """Whether there is an access token, or what it takes to get one."""
        return await self.tokens.is_signed_in()

    async def account(self) -> SecretStr | None:
        """The client, since tokens come and go; without one the access token."""
        for field in ("client_id", "access_token"):
            try:
                if secret := await self.context.secrets.get(self.name, field):
                    return secret
            except KeyringUnavailable:
                return None
        return None

    async def search(self, query: str, limit: int = 20) -> list[SymbolMatch]:
        """Stocks and indices by symbol or name; a leading dot finds options."""
        found = await self.rest.search(query, limit)
        for match in found:
            if match.code != to_code(match.symbol) and len(self.symbols.found) < MOST_FOUND:
                self.symbols.found[match.symbol] = match.code
        return found

    async def history(self, subscription: Subscription, count: int) -> list[Bar]:
        """Bars of a minute to a week."""
        symbol = subscription.symbol
        code = None if symbol is None else self.symbols.code(symbol, to_code)
        if code is None or subscription.kind is not Kind.BAR:
            return []
        return await self.rest.history(subscription, code, count, extended=self.settings.extended_hours)

    async def news(self, symbol: Symbol | None = None, limit: int = 20) -> list[NewsItem]:
        """Recent news, of one symbol or of all. Raises RestError or CredentialError."""
        return await self.rest.news(None if symbol is None else self.symbols.code(symbol, to_code), limit)

    async def watchlists(self) -> list[Watchlist]:
        """The lists kept at Aries. Raises RestError or CredentialError."""
        if not self._account:
            await self._find_account()
        return await self.rest.watchlists(self._account) if self._account else []

    async def verify(self) -> str:
        """Ask for the user's accounts."""
        labels = [account_label(account) for account in await self.rest.accounts()]
        others = f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else ""
        return f"signed in; accounts: {', '.join(labels[:MOST_NAMED])}{others}" if labels else "signed in; no accounts"

    async def _find_account(self) -> None:
        """The configured account, else the first one; without any the rest of the accounts socket still works."""
        try:
            accounts = await self.rest.accounts()
        except (RestError, CredentialError):
            return
        if self._account:
            accounts = [account for account in accounts if is_named(account, self._account)]
        chosen = next(filter(account_id, accounts), {})
        self._account = self._account or account_id(chosen)
        self._account_detail = "simulated account" if chosen.get("is_sim") is True else ""


async def sign_in(
    provider: AriesProvider, open_browser: Callable[[str], object], prompt: Callable[[str], Awaitable[str]]
) -> str:
    """Sign the user in with the browser and store the tokens.

    Args:
        provider: With `client_id`, and for confidential clients `client_secret`, among its secrets.
        open_browser: Shows an address in the browser.
        prompt: Asks for a line of text, for browsers that cannot reach this machine.

    Returns:
        A sentence about the account.

    Raises:
        CredentialError: no client id, denied, or nobody came in time.
        RestError: the tokens could not be fetched.
    """
    secrets = provider.context.secrets
    client_id = await secrets.get(NAME, "client_id")
    if client_id is None:
        raise CredentialError("a client id is needed to sign in to Aries", remedy=f"It is in {_CLIENT}.")
    settings = provider.settings
    attempt = SignIn(settings.authorize_url, client_id.get_secret_value(), settings.redirect_uri)
    code = await obtain_code(attempt, open_browser, prompt)
    client_secret = await secrets.get(NAME, "client_secret")
    secret = None if client_secret is None else client_secret.get_secret_value()
    await exchange_code(provider.tokens, attempt, code, secret)
    try:
        return await provider.verify()
    except RestError:  # the tokens are stored all the same
        return "signed in; the accounts could not be read yet"


PROVIDER: Final = AriesProvider
