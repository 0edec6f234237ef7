"""What the simulated market shows: its records, and the changes `SimulatedMarket.advance` reports."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tui.simulator.sessions import SimSession

Side = Literal["buy", "sell"]
OrderStatus = Literal["NEW", "PARTIALLY_FILLED", "FILLED"]
Level = tuple[Decimal, Decimal]
AggregatedLevel = tuple[Decimal, Decimal, tuple[str, ...]]
SimBook = dict[str, "VenueBook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimQuote:
    """The best prices over all venues, the last trade and the day so far; an index has only the latter two."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    bid_venue: str | None
    ask_venue: str | None
    last: Decimal
    last_size: Decimal | None
    last_ns: int
    """When `last` was printed, UTC."""
    open: Decimal
    high: Decimal
    low: Decimal
    prev_close: Decimal
    volume: Decimal
    """Traded since the day began."""

    @property
    def change(self) -> Decimal:
        """`last` less `prev_close`."""
        return self.last - self.prev_close

    @property
    def change_percent(self) -> Decimal:
        """`change` in per cent of `prev_close`, to four places."""
        return (self.change * 100 / self.prev_close).quantize(Decimal("0.0001"))


@dataclass(frozen=True, slots=True)
class SimTrade:
    """One print; `side` is that of the order that took the price, `seq` counts from 1 in each symbol."""

    ns: int
    price: Decimal
    size: Decimal
    venue: str
    side: Side
    seq: int


@dataclass(frozen=True, slots=True)
class SimBar:
    """Open, high, low, close and volume of an interval that starts at `start_ns` (UTC)."""

    start_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class VenueBook:
    """One venue's (price, size) levels, best first."""

    bids: list[Level]
    asks: list[Level]


@dataclass(frozen=True, slots=True)
class SimNews:
    """One item of news about `symbols` (user spelling), published at `ns`."""

    id: int
    ns: int
    title: str
    content: str
    publisher: str
    link: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimOrder:
    """An order of the simulated account, as it was at `updated_ns`."""

    id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal
    status: OrderStatus
    filled: Decimal
    average_price: Decimal | None
    """Of what is filled; None until something is."""
    created_ns: int
    updated_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimPosition:
    """What the account holds of a symbol, valued at the last price; negative quantities are short."""

    symbol: str
    quantity: Decimal
    average_price: Decimal
    last: Decimal

    @property
    def market_value(self) -> Decimal:
        """Quantity at the last price; negative for a short position."""
        return self.quantity * self.last

    @property
    def unrealised_pnl(self) -> Decimal:
        """What closing at the last price would earn."""
        return self.quantity * (self.last - self.average_price)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimAccount:
    """The simulated account at one moment; orders oldest first."""

    id: str
    cash: Decimal
    realised_pnl: Decimal
    """Earned by what was closed since the start."""
    positions: tuple[SimPosition, ...]
    orders: tuple[SimOrder, ...]

    @property
    def equity(self) -> Decimal:
        """Cash and the value of all positions."""
        return self.cash + sum((each.market_value for each in self.positions), Decimal(0))

    @property
    def unrealised_pnl(self) -> Decimal:
        """What closing everything at the last prices would earn."""
        return sum((each.unrealised_pnl for each in self.positions), Decimal(0))


@dataclass(frozen=True, slots=True)
class QuoteChanged:
    """The best prices, their sizes or the last price of a symbol changed."""

    symbol: str


@dataclass(frozen=True, slots=True)
class TradePrinted:
    """A trade happened; it is already part of the symbol's bars."""

    symbol: str
    trade: SimTrade


@dataclass(frozen=True, slots=True)
class BookChanged:
    """Levels of a watched symbol changed."""

    symbol: str


@dataclass(frozen=True, slots=True)
class BarRolled:
    """The bar of `interval_s` (always 60) that began at `start_ns` is complete."""

    symbol: str
    interval_s: int
    start_ns: int


@dataclass(frozen=True, slots=True)
class NewsPublished:
    """An item of news came out."""

    news: SimNews


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The stock market entered another session."""

    session: SimSession


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order of the account was placed or filled further."""

    order: SimOrder


Change = QuoteChanged | TradePrinted | BookChanged | BarRolled | NewsPublished | SessionChanged | OrderChanged
