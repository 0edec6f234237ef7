"""An account's orders, positions, balance, profit and loss, and watchlists (7.3 to 7.8)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from tui.market.events import Balance, Order, PnlCandle, Position, Watchlist
from tui.providers import parse
from tui.providers.aries.normalise import Body, Fields

MOST_FIGURES: Final = 100
MOST_SYMBOLS: Final = 2000
_FIGURES: Final = frozenset(
    (
        "totalEquity sodTtlEquity netBuyingPower stockBuyingPower optionBuyingPower dayTradeBuyingPower "
        "dayTradeOvernightRegTBuyingPower realizedPl unrealizedPl settledFunds unsettledFunds heldBackFunds "
        "startOfDayCash maintReq grossMargin sma pendingOrdersMarginRequirements credit creditRemaining pdt "
        "pdtCreditRemaining valueBought valueSold sodPositionsMarketValue pendingOrdersCount"
    ).split()
)
"""The documented ones (7.5); others are taken when they are figures."""
_NO_FIGURE: Final = frozenset("accountId tradingAccountId account_id id type event topic action timestamp".split())


def order(fields: Fields, account: str, ts_event_ns: int | None, ts_recv_ns: int) -> Order | None:
    """Read an order of the "v2 domain shape" (7.3); None without its key. Empty strings mean "not applicable".

    `{"clOrdId": "clord-1", "ordId": "ord-1", "accountId": "TEST-ACCOUNT-001", "symbol": "AAPL", "side": "BUY",
    "type": "LIMIT", "qty": "100", "price": "187.00", "ordStatus": "PARTIALLY_FILLED", "cumQty": "40",
    "leavesQty": "60", "avgPrice": "186.98", "updatedAt": "2026-11-20T14:39:58Z"}`
    """
    key = fields.own("clOrdId")
    if not key:
        return None
    body = fields.body
    return Order(
        source="aries",
        ts_event_ns=ts_event_ns,
        ts_recv_ns=ts_recv_ns,
        account=fields.text("account") or account,
        client_order_id=key,
        order_id=fields.own("ordId") or None,
        symbol=fields.own("symbol", 40),
        side=fields.own("side", 40),
        order_type=fields.own("type", 40),
        time_in_force=fields.own("timeInForce", 40),
        status=fields.own("ordStatus", 40),
        quantity=fields.checked(body.get("qty"), parse.size),
        filled=fields.checked(body.get("cumQty"), parse.size),
        remaining=fields.checked(body.get("leavesQty"), parse.size),
        limit_price=fields.checked(body.get("price")),
        stop_price=fields.checked(body.get("stopPrice")),
        average_price=fields.checked(body.get("avgPrice")),
        reason=fields.own("ordRejReason", 200) or fields.own("text", 200),
        updated_ns=fields.stamp(body.get("updatedAt"), ts_recv_ns),
    )


def position(fields: Fields, account: str, ts_event_ns: int | None, ts_recv_ns: int) -> Position | None:
    """Read a position (7.4), also in its older spelling; None without symbol or quantity.

    `{"accountId": "TEST-ACCOUNT-001", "symbol": "AAPL", "quantity": "100", "averagePrice": "170.25",
    "todayRealizedPnL": "0", "unrealizedPl": "1717.00", "dailyPl": "117.00"}`
    """
    symbol, quantity = fields.own("symbol", 40), fields.decimal("quantity")
    if not symbol or quantity is None:
        return None
    return Position(
        source="aries",
        ts_event_ns=ts_event_ns,
        ts_recv_ns=ts_recv_ns,
        account=fields.text("account") or account,
        symbol=symbol,
        quantity=quantity,
        average_price=fields.decimal("average_price"),
        unrealized=fields.decimal("unrealized"),
        realized_today=fields.decimal("realized_today"),
        daily=fields.decimal("daily"),
    )


def balance(fields: Fields, account: str, ts_event_ns: int | None, ts_recv_ns: int) -> Balance | None:
    """Read a flat object of decimal strings (7.5), a patch under the provider's names; None when it has no figure.

    `{"accountId": "TEST-ACCOUNT-001", "totalEquity": "125000.50", "netBuyingPower": "50000", "pendingOrdersCount": 2}`
    """
    figures: dict[str, Decimal | None] = {}
    for key, value in list(fields.body.items())[:MOST_FIGURES]:
        name = parse.text(key, 60)
        if not name or key in _NO_FIGURE:
            continue
        try:
            figures[name] = parse.number(value)
        except ValueError:  # a text or a time of day, unless the reference says that it is a figure
            fields.rejected += key in _FIGURES
    if not figures:
        return None
    owner = fields.text("account") or account
    return Balance(source="aries", ts_event_ns=ts_event_ns, ts_recv_ns=ts_recv_ns, account=owner, figures=figures)


def pnl_candle(
    fields: Fields, account: str, interval: str, ts_event_ns: int | None, ts_recv_ns: int
) -> PnlCandle | None:
    """Read a profit and loss candle (7.7), sent again and again while it forms; None when a part is missing.

    `{"accountId": "TEST-ACCOUNT-001", "interval": "1m", "time": 1795185600000, "open": "112.10", "high": "131.75",
    "low": "108.40", "close": "126.02"}`
    """
    start_ns = fields.time(ts_recv_ns)
    opened, high, low, close = (fields.decimal(name) for name in ("open", "high", "low", "close"))
    if start_ns is None or opened is None or high is None or low is None or close is None:
        return None
    return PnlCandle(
        source="aries",
        ts_event_ns=ts_event_ns,
        ts_recv_ns=ts_recv_ns,
        account=fields.text("account") or account,
        interval=fields.own("interval", 10) or interval,
        start_ns=start_ns,
        open=opened,
        high=high,
        low=low,
        close=close,
    )


def watchlist(fields: Fields, ts_event_ns: int | None, ts_recv_ns: int) -> Watchlist | None:
    """Read a full list (7.8); None for anything else, which is a change whose form is not documented.

    `{"id": 12345, "name": "Tech Stocks", "symbols": ["AAPL", "GOOGL", "MSFT"]}`
    """
    key, symbols = fields.own("id"), fields.body.get("symbols")
    if not key or "name" not in fields.body or not isinstance(symbols, list):
        return None
    return Watchlist(
        source="aries",
        ts_event_ns=ts_event_ns,
        ts_recv_ns=ts_recv_ns,
        id=key,
        name=fields.own("name"),
        symbols=_texts(symbols[:MOST_SYMBOLS]),
    )


def changed_keys(body: Body) -> str:
    """The names of what an `account.info` event holds, for a log line (7.6)."""
    names = [parse.text(key, 40) for key in list(body)[:20]]
    return ", ".join(name for name in names if name and name not in _NO_FIGURE)


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(found for value in values if (found := parse.text(value, 40)))
