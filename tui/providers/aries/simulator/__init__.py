"""Aries' side of the protocol on the simulated market, written from the reference alone.

`session` holds what the three sockets share, `market`, `charts` and `accounts` one socket each, `rest` the HTTP calls,
`options` the contracts that are made up from the stocks.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tui.providers.aries.simulator.accounts import AccountsConversation
from tui.providers.aries.simulator.charts import ChartsConversation
from tui.providers.aries.simulator.market import MarketConversation
from tui.providers.aries.simulator.rest import answer
from tui.providers.aries.simulator.session import Behaviour, Session
from tui.providers.aries.simulator.tokens import ACCESS, CLIENT, REFRESH, TokenDesk
from tui.simulator.dialect import Dialect, Request, Response
from tui.simulator.market import SimulatedMarket

__all__ = ["AriesDialect", "Behaviour"]


class AriesDialect(Dialect):
    """Three sockets and the REST calls that a dashboard needs.

    Attributes:
        behaviour: How the server interprets what the documentation leaves open; may be changed at any time.
        tokens: Issues access tokens and says which are good.
    """

    provider: ClassVar[str] = "aries"
    paths: ClassVar[dict[str, str]] = {
        "/aries/v1/market/ws": "market",
        "/aries/v1/charts/ws": "charts",
        "/aries/v1/accounts/ws": "accounts",
    }
    rest_prefix: ClassVar[str] = "/aries"
    credentials: ClassVar[dict[str, str]] = {"access_token": ACCESS, "refresh_token": REFRESH, "client_id": CLIENT}

    def __init__(self, market: SimulatedMarket) -> None:
        super().__init__(market)
        self.behaviour = Behaviour()
        self.tokens = TokenDesk()

    def conversation(self, channel: str) -> Session:
        """A new connection, not logged in."""
        parts = (self.market, self.behaviour, self.tokens, self.violations)
        match channel:
            case "market":
                return MarketConversation(*parts)
            case "charts":
                return ChartsConversation(*parts)
            case _:
                return AccountsConversation(*parts)

    def rest(self, request: Request) -> Response:
        """Search, history, accounts, news, sign-in and tokens (13, 14)."""
        return answer(request, self.market, self.tokens)

    @classmethod
    def settings(cls, ws_base: str, http_base: str) -> dict[str, Any]:
        """Where this simulator is."""
        return {
            "market_url": f"{ws_base}/aries/v1/market/ws",
            "charts_url": f"{ws_base}/aries/v1/charts/ws",
            "accounts_url": f"{ws_base}/aries/v1/accounts/ws",
            "rest_url": f"{http_base}/aries",
            "authorize_url": f"{http_base}/aries/oauth2/authorize",
            "token_url": f"{http_base}/aries/v1/oauth2/token",
        }
