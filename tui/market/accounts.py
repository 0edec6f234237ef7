"""What the user's accounts hold and do."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tui.market.limited import add, put

if TYPE_CHECKING:
    from tui.market.events import AccountEvent, Order, PnlCandle, Position, Watchlist

MAX_ORDERS: Final = 500
MAX_CANDLES: Final = 500
"""Candles of one account and interval."""
MAX_POSITIONS: Final = 1000
MAX_LISTS: Final = 1000
MAX_ACCOUNTS: Final = 50
MAX_FIGURES: Final = 200
"""Figures of one account's balance."""


@dataclass(slots=True, eq=False)
class Accounts:
    """Orders, positions, balances and P&L by account, in the order they came; the oldest make room when it is full."""

    orders: OrderedDict[tuple[str, str], Order] = field(default_factory=OrderedDict)
    positions: OrderedDict[tuple[str, str], Position] = field(default_factory=OrderedDict)
    balances: OrderedDict[str, OrderedDict[str, Decimal | None]] = field(default_factory=OrderedDict)
    pnl: OrderedDict[tuple[str, str], OrderedDict[int, PnlCandle]] = field(default_factory=OrderedDict)
    watchlists: OrderedDict[str, Watchlist] = field(default_factory=OrderedDict)

    def apply(self, event: AccountEvent) -> None:
        """Merge an event. An order that is older than what is known of it changes nothing; no quantity, no position."""
        from tui.market.events import Balance, Order, PnlCandle, Position, Watchlist

        match event:
            case Order():
                key = (event.account, event.client_order_id)
                known = self.orders.get(key)
                if known and known.updated_ns and event.updated_ns and event.updated_ns < known.updated_ns:
                    return
                put(self.orders, key, event, MAX_ORDERS)
            case Position():
                if event.quantity == 0:
                    self.positions.pop((event.account, event.symbol), None)
                else:
                    add(self.positions, (event.account, event.symbol), event, MAX_POSITIONS)
            case Balance():
                figures = self.balances.get(event.account, OrderedDict())
                for name, figure in event.figures.items():
                    add(figures, name, figure, MAX_FIGURES)
                add(self.balances, event.account, figures, MAX_ACCOUNTS)
            case PnlCandle():
                key = (event.account, event.interval)
                candles = self.pnl.get(key, OrderedDict())
                put(candles, event.start_ns, event, MAX_CANDLES)
                add(self.pnl, key, candles, MAX_ACCOUNTS)
            case Watchlist():
                add(self.watchlists, event.id, event, MAX_LISTS)
