"""Normalised records: what every provider's messages become before anything else sees them.

Unknown is None, never 0. Prices and sizes are finite `Decimal`s. Text has been through `tui.market.text.clean`.
Stamps are UTC nanoseconds: `ts_event_ns` by the provider (None when it gives none), `ts_recv_ns` when the frame came.

What the first frame needs imports this for type checking only: pydantic takes longer than drawing it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

from tui.market.names import Interval, Subscription, Symbol
from tui.market.terms import FeedState, Level, Session, Severity, Side, VenueBest


class Event(BaseModel):
    """Base of all records."""

    model_config = ConfigDict(frozen=True, defer_build=True)  # built at first use: start-up need not wait for them

    source: str
    """Provider's name: `aries`, `insightsentry`, `quantcite`."""
    ts_event_ns: int | None = None
    ts_recv_ns: int


class Quote(Event):
    """A patch: only the fields in `model_fields_set` changed; an explicit None clears."""

    symbol: Symbol
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    change: Decimal | None = None
    change_percent: Decimal | None = None
    volume: Decimal | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    prev_close: Decimal | None = None
    delayed: bool | None = None
    """True when the provider says that the figures are late by contract."""
    derived: bool = False
    """True when the figures were computed from something else (a book), not sent as a quote."""


class Trade(Event):
    """One execution."""

    symbol: Symbol
    price: Decimal
    size: Decimal
    venue: str | None = None
    side: Side | None = None
    """The aggressor's side, when known."""
    sequence: str | None = None
    """The exchange's own number for this print: the same (venue, sequence) is the same print."""


class Bar(Event):
    """Open, high, low, close, volume of one interval, named by its start."""

    symbol: Symbol
    interval: Interval
    start_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None
    closed: bool = False
    """True when the source says, or a later bar proves, that it will not change any more."""


class BookSnapshot(Event):
    """A complete book; replaces whatever was known."""

    symbol: Symbol
    bids: tuple[Level, ...]
    """Best (highest) first."""
    asks: tuple[Level, ...]
    """Best (lowest) first."""
    venues: tuple[str, ...] = ()
    """Venues that take part, whether or not they have a level here."""
    missing_venues: tuple[str, ...] = ()
    """Venues that were asked for and not granted."""
    bests: tuple[VenueBest, ...] = ()
    """Each venue's best prices and sizes, where the source splits levels between venues; else empty."""
    sequence: int | None = None

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """The event that `BookSnapshot(**fields)` is, for fields that were validated where they were read.

        Nothing is looked at again: each has to be of its own type already, and none that is required may be missing.
        Hundreds of figures ten times a second are worth it, those of other kinds are not.
        """
        book = cls.__new__(cls)
        _set(book, "__dict__", _BLANK_BOOK | fields)
        _set(book, "__pydantic_fields_set__", set(fields))
        _set(book, "__pydantic_extra__", None)
        _set(book, "__pydantic_private__", None)
        return book


_set: Final = object.__setattr__  # events are frozen
_BLANK_BOOK: Final = {name: field.default for name, field in BookSnapshot.model_fields.items()}
"""All fields in their order; none of the defaults can change, so books may share them."""


class NewsItem(Event):
    """A headline. `link` is http(s) or None."""

    id: str
    title: str
    summary: str = ""
    link: str | None = None
    publisher: str = ""
    published_ns: int
    symbols: tuple[Symbol, ...] = ()


class MarketStatus(Event):
    """Which markets are open. The maps hold whatever names the provider uses."""

    feed: str = ""
    """Who says so: it holds while that feed is live."""
    session: Session
    exchanges: dict[str, str] = {}
    currencies: dict[str, str] = {}
    indices: dict[str, str] = {}


class Greeks(Event):
    """An option's sensitivities; implied volatility as a ratio (0.2874 = 28.74 %)."""

    symbol: Symbol
    delta: Decimal | None = None
    gamma: Decimal | None = None
    theta: Decimal | None = None
    vega: Decimal | None = None
    rho: Decimal | None = None
    implied_volatility: Decimal | None = None


class Order(Event):
    """An order's state; keyed by `client_order_id`."""

    account: str
    client_order_id: str
    order_id: str | None = None
    symbol: str
    side: str = ""
    order_type: str = ""
    time_in_force: str = ""
    status: str = ""
    quantity: Decimal | None = None
    filled: Decimal | None = None
    remaining: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    average_price: Decimal | None = None
    reason: str = ""
    updated_ns: int | None = None


class Position(Event):
    """What an account holds of a symbol; negative quantity is short, zero is closed."""

    account: str
    symbol: str
    quantity: Decimal
    average_price: Decimal | None = None
    unrealized: Decimal | None = None
    realized_today: Decimal | None = None
    daily: Decimal | None = None


class Balance(Event):
    """A patch of an account's figures in US dollars, under the provider's names."""

    account: str
    figures: dict[str, Decimal | None]


class PnlCandle(Event):
    """Profit and loss of an account over one interval."""

    account: str
    interval: str
    start_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Watchlist(Event):
    """A list of symbols kept at the provider."""

    id: str
    name: str
    symbols: tuple[str, ...]


AccountEvent = Order | Position | Balance | PnlCandle | Watchlist


class Status(Event):
    """A feed changed state. `reason` is something a person can act on; `remedy` says how."""

    feed: str
    """`<provider>:<channel>`."""
    state: FeedState
    reason: str = ""
    remedy: str = ""
    retry_at_ns: int | None = None
    """When the next attempt starts, while backing off."""
    needs_key: bool = False
    """Whether another key or token would help."""


class Notice(Event):
    """Something a provider said that a person should see: a refused symbol, a limit, a warning."""

    feed: str = ""
    severity: Severity = Severity.WARNING
    text: str
    subscription: Subscription | None = None
    """What was refused or limited, or None when it concerns the whole feed."""
    refused: bool = False
    """True when `subscription` will not be served by this source."""
    ours: bool = False
    """True when it is refused by a limit of ours, although the source might serve it."""
    suggestions: tuple[str, ...] = ()
