"""Settings of the Aries provider (sections 1, 5.2, 7.1, 13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from tui.network import is_loopback
from tui.providers.aries import guesses
from tui.providers.aries.level2 import Mode
from tui.providers.base import ProviderSettings

PnlInterval = Literal["15s", "1m", "5m", "15m", "1h", "1d", "1mo"]
SUPERSEDED: Final = {
    "/v1/marketdata/ws": "/v1/market/ws",
    "/market/ws": "/v1/market/ws",
}
SUPERSEDED_HOSTS: Final = {
    "api.tradearies.dev": "wss://api.aries.com/v1/market/ws",
    "api.ariesfinancial.com": "wss://api.aries.com/v1/accounts/ws",
}


class AriesSettings(ProviderSettings):
    """Addresses, the account to follow, and what the public documentation leaves open."""

    market_url: str = "wss://api.aries.com/v1/market/ws"
    """Quotes, trades, depth, Greeks, market status."""
    charts_url: str = "wss://api.aries.com/v1/charts/ws"
    """Trades for bars."""
    accounts_url: str = "wss://api.aries.com/v1/accounts/ws"
    """News, orders, positions, balances, profit and loss, watchlists."""
    rest_url: str = "https://api.aries.com"
    """Search, history, accounts."""
    authorize_url: str = "https://app.aries.com/oauth2/authorize"
    """The login page that the browser opens."""
    token_url: str = "https://api.aries.com/v1/oauth2/token"
    """Where codes and refresh tokens are traded for access tokens."""
    redirect_uri: str = "http://127.0.0.1:8765/callback"
    """Where the browser comes back to; exactly as registered with the provider."""
    account_id: str = Field(default="", max_length=80)
    """The account to follow; empty takes the first one."""
    pnl_interval: PnlInterval = "5m"
    """Length of profit and loss candles."""
    extended_hours: bool = True
    """Whether the history of bars holds trading before and after regular hours, as the live bars do."""
    level2_key: str = Field(default=guesses.LEVEL2_KEY, min_length=1, max_length=40)
    """The key that switches depth on in a subscription; also to try: `level2Fields`, `orderBook`, `fields`."""
    level2_value: bool | str | tuple[str, ...] = guesses.LEVEL2_VALUE
    """Its value; also to try: `["*"]`, `["level2"]`."""
    level2_mode: Mode = "auto"
    """Whether depth messages replace the book, are merged into it, or are judged one by one."""

    @field_validator("redirect_uri")
    @classmethod
    def _on_this_machine(cls, uri: str) -> str:
        parts = urlsplit(uri)
        if parts.scheme != "http" or not is_loopback(parts.hostname) or parts.query or parts.fragment:
            raise ValueError("should look like http://127.0.0.1:8765/callback")
        return uri

    def superseded(self) -> Iterator[tuple[str, str]]:
        """Channels with an address that the provider has replaced, and what to say about it."""
        for channel, url in (("market", self.market_url), ("charts", self.charts_url), ("accounts", self.accounts_url)):
            parts = urlsplit(url)
            instead = SUPERSEDED_HOSTS.get(parts.hostname or "") or SUPERSEDED.get(parts.path)
            if instead:
                yield channel, f"{channel}_url is an old address of Aries, replaced by {instead}"
