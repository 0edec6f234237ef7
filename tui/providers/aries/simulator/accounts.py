"""The simulated accounts socket (7, 8): orders, positions, balance, profit and loss, a watchlist, news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tui.clock import NS
from tui.providers.aries.simulator.session import Behaviour, Message, Session, failure, iso, update
from tui.providers.aries.simulator.tokens import TokenDesk
from tui.simulator.market import (
    Change,
    NewsPublished,
    OrderChanged,
    SimAccount,
    SimNews,
    SimOrder,
    SimPosition,
    SimulatedMarket,
)

TOPICS: Final = ("account", "pnl", "watchlistUpdates", "watchlist", "news")
INTERVALS: Final = {"15s": 15, "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400, "1mo": 2_592_000}
VALUED_NS: Final = NS
RECENT: Final = 5
_CENT: Final = Decimal("0.01")
_STATES: Final = {"NEW": "WORKING"}


class AccountsConversation(Session):
    """One connection to the accounts socket."""

    channel = "accounts"

    def __init__(
        self, market: SimulatedMarket, behaviour: Behaviour, tokens: TokenDesk, violations: Counter[str]
    ) -> None:
        super().__init__(market, behaviour, tokens, violations)
        self._topics: dict[str, Mapping[str, Any]] = {}
        self._candle: dict[str, Decimal] = {}
        self._candle_s = 0
        self._valued_ns = 0

    def subscribed(self, payload: Any, request_id: str, now_ns: int, *, wants_it: bool) -> Iterator[Message]:
        """One topic a frame, `[{"topic": "news"}]` or `{"topic": "news"}`."""
        if isinstance(payload, list) is not self.behaviour.takes_arrays:
            yield failure("invalid payload", request_id, now_ns)
            return
        entries = payload if isinstance(payload, list) else [payload]
        if len(entries) != 1:
            self.violations["several topics in a frame"] += 1
        for entry in entries:
            if not isinstance(entry, dict):
                self.violations["payload is no array of objects"] += 1
                yield failure("invalid payload", request_id, now_ns)
                return
            topic = str(entry.get("topic"))
            if text := self._objection(topic, entry):
                yield failure(text, request_id, now_ns)
            elif wants_it:
                self._topics[topic] = entry
                yield from self._snapshot(topic, now_ns)
            else:
                self._topics.pop(topic, None)

    def _objection(self, topic: str, entry: Mapping[str, Any]) -> str | None:
        if topic not in TOPICS or topic in self.behaviour.refused_topics:
            return f"unknown topic {topic}"
        if topic in ("account", "pnl") and entry.get("accountId") != self.market.account.id:
            return "unknown account"
        if topic == "pnl" and entry.get("interval") not in INTERVALS:
            return "invalid interval"
        return None

    def _snapshot(self, topic: str, now_ns: int) -> Iterator[Message]:
        match topic:
            case "account":
                account = self.market.account
                yield update("account.order", [order(account, each) for each in account.orders], now_ns)
                for each in account.positions:
                    yield update("account.position", position(account, each), now_ns)
                yield update("account.balance", balance(account), now_ns)
            case "watchlist" | "watchlistUpdates":
                yield update("watchlist", {"id": 1, "name": "Simulated", "symbols": ["AAPL", "NVDA", "SPX"]}, now_ns)
            case "news":
                recent = self.market.news(RECENT)
                if recent:
                    yield update("news", {"items": [news(each) for each in recent]}, now_ns)
            case _:
                pass

    def moved(self, changes: Sequence[Change], now_ns: int) -> Iterator[Message]:
        """Orders and news as they come; what an account is worth once a second."""
        for change in changes:
            match change:
                case NewsPublished(item) if "news" in self._topics:
                    yield update("news", news(item), now_ns)
                case OrderChanged(changed) if "account" in self._topics:
                    yield from self._order(changed, now_ns)
                case _:
                    pass
        if now_ns - self._valued_ns >= VALUED_NS and self._topics.keys() & {"account", "pnl"}:
            self._valued_ns = now_ns
            yield from self._valued(now_ns)

    def _order(self, changed: SimOrder, now_ns: int) -> Iterator[Message]:
        account = self.market.account
        yield update("account.order", order(account, changed), now_ns)
        for each in account.positions:
            if each.symbol == changed.symbol and changed.filled:
                yield update("account.position", position(account, each), now_ns)

    def _valued(self, now_ns: int) -> Iterator[Message]:
        account = self.market.account
        if "account" in self._topics:
            yield update("account.balance", balance(account), now_ns)
            for each in account.positions:
                yield update("account.position", position(account, each), now_ns)
        if entry := self._topics.get("pnl"):
            profit = (account.realised_pnl + account.unrealised_pnl).quantize(_CENT)
            yield self._pnl(account.id, str(entry["interval"]), profit, now_ns)

    def _pnl(self, account: str, interval: str, profit: Decimal, now_ns: int) -> Message:
        """The running candle, sent again and again while it forms."""
        start_s = now_ns // NS // INTERVALS[interval] * INTERVALS[interval]
        if start_s != self._candle_s or not self._candle:
            self._candle_s = start_s
            self._candle = dict.fromkeys(("open", "high", "low"), profit)
        self._candle["high"] = max(self._candle["high"], profit)
        self._candle["low"] = min(self._candle["low"], profit)
        figures = {name: str(each) for name, each in {**self._candle, "close": profit}.items()}
        data = {"accountId": account, "interval": interval, "time": start_s * 1000, **figures}
        return update("pnl", data, now_ns)


def order(account: SimAccount, each: SimOrder) -> Message:
    """An order in the "v2 domain shape"; quantities and prices are decimal strings (7.3)."""
    status = _STATES.get(each.status, each.status)
    return {
        "clOrdId": each.id,
        "ordId": f"ord-{each.id}",
        "accountId": account.id,
        "clientId": "demo-client",
        "symbol": each.symbol,
        "side": each.side.upper(),
        "type": "LIMIT",
        "timeInForce": "DAY",
        "qty": str(each.quantity),
        "price": str(each.limit_price),
        "stopPrice": "",
        "ordStatus": status,
        "cumQty": str(each.filled),
        "leavesQty": str(each.quantity - each.filled),
        "avgPrice": "" if each.average_price is None else str(each.average_price),
        "currency": "USD",
        "exDestination": "MNGD",
        "text": "",
        "ordRejReason": "",
        "securityType": "CS",
        "category": "SINGLE_LEG",
        "legs": [],
        "createdAt": iso(each.created_ns),
        "updatedAt": iso(each.updated_ns),
    }


def position(account: SimAccount, each: SimPosition) -> Message:
    """A position (7.4)."""
    return {
        "accountId": account.id,
        "symbol": each.symbol,
        "securityType": "CS",
        "quantity": str(each.quantity),
        "averagePrice": str(each.average_price),
        "todayRealizedPnL": "0",
        "unrealizedPl": str(each.unrealised_pnl.quantize(_CENT)),
    }


def balance(account: SimAccount) -> Message:
    """The flat object of 7.5: decimal strings, and one integer."""
    return {
        "accountId": account.id,
        "totalEquity": _money(account.equity),
        "netBuyingPower": _money(account.cash * 2),
        "stockBuyingPower": _money(account.cash * 2),
        "optionBuyingPower": _money(account.cash),
        "settledFunds": _money(account.cash),
        "realizedPl": _money(account.realised_pnl),
        "unrealizedPl": _money(account.unrealised_pnl),
        "pendingOrdersCount": sum(each.status != "FILLED" for each in account.orders),
    }


def news(item: SimNews) -> Message:
    """An item of news; every other one spells its fields another way (8)."""
    if item.id % 2:
        return {
            "id": f"sim-{item.id}",
            "title": item.title,
            "summary": item.content,
            "url": item.link,
            "source": item.publisher,
            "publishedAt": iso(item.ns),
            "symbols": list(item.symbols),
        }
    return {
        "newsId": f"sim-{item.id}",
        "headline": item.title,
        "body": f"<p>{item.content}</p>",
        "articleUrl": item.link,
        "publisher": {"name": item.publisher},
        "published_utc": item.ns // 1_000_000,
        "tickers": list(item.symbols),
    }


def _money(value: Decimal) -> str:
    return str(value.quantize(_CENT))
