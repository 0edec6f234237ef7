"""The simulated charts socket (6): a quote, a trade or both in one event; never bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tui.providers.aries.simulator.session import MOST_SYMBOLS, Behaviour, Message, Session, event, failure, iso
from tui.providers.aries.simulator.tokens import TokenDesk
from tui.simulator.market import Change, QuoteChanged, SimTrade, SimulatedMarket, TradePrinted


class ChartsConversation(Session):
    """One connection to the charts socket."""

    channel = "charts"

    def __init__(
        self, market: SimulatedMarket, behaviour: Behaviour, tokens: TokenDesk, violations: Counter[str]
    ) -> None:
        super().__init__(market, behaviour, tokens, violations)
        self._codes: set[str] = set()

    def subscribed(self, payload: Any, request_id: str, now_ns: int, *, wants_it: bool) -> Iterator[Message]:
        """`[{"symbol": "AAPL"}]`, or `{"symbol": "AAPL"}` when that is how this server takes it."""
        if isinstance(payload, list) is not self.behaviour.takes_arrays:
            yield failure("invalid payload", request_id, now_ns)
            return
        entries = payload if isinstance(payload, list) else [payload]
        if len(entries) > MOST_SYMBOLS:
            self.violations["more than 100 symbols a frame"] += 1
        codes = {str(entry.get("symbol")) for entry in entries if isinstance(entry, dict)}
        if unknown := [code for code in sorted(codes) if not self._carries(code)]:
            yield failure(f"invalid symbol {unknown[0]}", request_id, now_ns)
            return
        self._codes = self._codes | codes if wants_it else self._codes - codes
        if wants_it:
            for code in sorted(codes):
                yield self._event(code, None, now_ns)

    def moved(self, changes: Sequence[Change], now_ns: int) -> Iterator[Message]:
        """Each trade with the quote it led to, and quotes that changed by themselves."""
        traded: set[str] = set()
        for change in changes:
            match change:
                case TradePrinted(symbol, trade) if symbol in self._codes:
                    traded.add(symbol)
                    yield self._event(symbol, trade, now_ns)
                case QuoteChanged(symbol) if symbol in self._codes - traded:
                    yield self._event(symbol, None, now_ns)
                case _:
                    pass

    def _carries(self, code: str) -> bool:
        instrument = self.market.instruments.get(code)
        return instrument is not None and instrument.kind != "crypto"

    def _event(self, code: str, trade: SimTrade | None, now_ns: int) -> Message:
        quote = self.market.quote(code)
        data: Message = {
            "symbol": code,
            "quote": {
                "lp": self.figure(quote.last),
                "ch": self.figure(quote.change),
                "chp": self.figure(quote.change_percent),
                "bid": self.figure(quote.bid),
                "ask": self.figure(quote.ask),
                "volume": self.figure(quote.volume),
                "open_price": self.figure(quote.open),
                "high_price": self.figure(quote.high),
                "low_price": self.figure(quote.low),
                "prev_close_price": self.figure(quote.prev_close),
            },
        }
        if trade is not None:
            data["trade"] = {
                "price": self.figure(trade.price),
                "size": self.figure(trade.size),
                "timestamp": trade.ns // 1_000_000,
            }
        return {**event({"action": "update", "data": data}, now_ns), "timestamp": iso(now_ns)}
