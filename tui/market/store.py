"""MarketStore: the merged, latest state of everything wanted. One writer (the event loop), no locks.

Feeds apply events; a frame clock drains what changed; panes read. Nothing here grows without bound.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from tui.market.accounts import Accounts
from tui.market.ages import Ages
from tui.market.bars import BarSeries
from tui.market.book import needs_more
from tui.market.health import FeedStats
from tui.market.heat import HeatRecorder
from tui.market.limited import put
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.quotes import QuoteState
from tui.market.terms import FeedState

if TYPE_CHECKING:
    from tui.market.events import (
        AccountEvent,
        Bar,
        BookSnapshot,
        Event,
        Greeks,
        MarketStatus,
        NewsItem,
        Notice,
        Quote,
        Status,
        Trade,
    )

NS: Final = 1_000_000_000
MAX_TRADES: Final = 500
MAX_NEWS: Final = 500
MAX_NOTICES: Final = 100
MAX_SERIES: Final = 64
MAX_SYMBOLS: Final = 1000


class Topic(StrEnum):
    """Things that change and are no subscription."""

    FEEDS = "feeds"
    SESSION = "session"
    NOTICES = "notices"


class Changes(NamedTuple):
    """What changed since the last frame."""

    keys: frozenset[Subscription]
    topics: frozenset[Topic]

    def __bool__(self) -> bool:
        return bool(self.keys or self.topics)


class Freshness(StrEnum):
    """Whether a value may be believed to be the market's present state."""

    LIVE = "live"
    STALE = "stale"
    ABSENT = "absent"


@dataclass(slots=True, eq=False)
class BookState:
    """The newest book of a symbol and the rhythm of its updates."""

    book: BookSnapshot
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=20))
    updates: int = 1

    @property
    def stale_after_s(self) -> float:
        """Four times the median gap of the last updates, at least 5 s, at most 45 s."""
        return min(45.0, max(5.0, 4 * median(self.gaps))) if len(self.gaps) >= 3 else 45.0


@dataclass(slots=True, eq=False)
class FeedRecord:
    """A feed as the screen sees it."""

    status: Status | None = None
    stats: FeedStats = field(default_factory=FeedStats)


class MarketStore:
    """Apply events, say what changed, answer reads.

    Args:
        now_ns: UTC nanoseconds, the same clock that stamps events.

    Attributes:
        quiet_since_ns: While the screen rests: since when nothing has happened.
        wake: Called while it rests and something changes, before it can be read.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self.now_ns = now_ns
        self.feeds: dict[str, FeedRecord] = {}
        self.market_status: MarketStatus | None = None
        self.notices: deque[Notice] = deque(maxlen=MAX_NOTICES)
        self.accounts = Accounts()
        self.heat = HeatRecorder()
        self.news_dropped = 0
        self.quiet_since_ns: int | None = None
        self.wake: Callable[[], None] = lambda: None
        self._serving: dict[Subscription, str | None] = {}
        self._wanted_since: dict[Subscription, int] = {}
        self._refusals: dict[Subscription, str] = {}
        self._quotes: OrderedDict[Symbol, QuoteState] = OrderedDict()
        self._books: OrderedDict[Symbol, BookState] = OrderedDict()
        self._series: OrderedDict[tuple[Symbol, Interval], BarSeries] = OrderedDict()
        self._trades: OrderedDict[Symbol, deque[Trade]] = OrderedDict()
        self._greeks: OrderedDict[Symbol, Greeks] = OrderedDict()
        self._news: dict[str, NewsItem] = {}
        self._decimals: OrderedDict[Symbol, int] = OrderedDict()
        self._keys: set[Subscription] = set()
        self._topics: set[Topic] = set()

    def apply(self, event: Event) -> None:
        """Merge an event of any kind."""
        self._stir()
        merge = self._merges.get(type(event)) or self._inherited(type(event))
        if merge is not None:
            merge(event)

    @property
    def is_changed(self) -> bool:
        """Whether anything changed since the last frame."""
        return bool(self._keys or self._topics)

    def drain(self) -> Changes:
        """What changed since the last call."""
        changes = Changes(frozenset(self._keys), frozenset(self._topics))
        self._keys.clear()
        self._topics.clear()
        return changes

    def feed(self, name: str) -> FeedRecord:
        """The record of a feed, made when it is new."""
        return self.feeds.setdefault(name, FeedRecord())

    def assign(self, subscription: Subscription, feed: str | None) -> None:
        """Say which feed serves a subscription; None while nobody can."""
        self._wanted_since.setdefault(subscription, self.now_ns())
        if subscription not in self._serving or self._serving[subscription] != feed:
            self._stir()
            self._serving[subscription] = feed
            self._keys.add(subscription)

    def forget(self, subscription: Subscription) -> None:
        """Nobody wants it any more: its value goes, so that nothing old is shown when it is wanted again."""
        self._stir()
        for known in (self._serving, self._wanted_since, self._refusals):
            known.pop(subscription, None)
        symbol = subscription.symbol
        match subscription.kind:
            case Kind.BOOK if symbol:
                self._books.pop(symbol, None)
            case Kind.BAR if symbol and subscription.interval:
                self._series.pop((symbol, subscription.interval), None)
            case Kind.QUOTE if symbol:
                self._quotes.pop(symbol, None)
            case Kind.TRADE if symbol:
                self._trades.pop(symbol, None)
            case Kind.GREEKS if symbol:
                self._greeks.pop(symbol, None)
        self._keys.add(subscription)

    def quote(self, symbol: Symbol) -> QuoteState | None:
        """The merged quote."""
        return self._quotes.get(symbol)

    def book(self, symbol: Symbol) -> BookState | None:
        """The newest book."""
        return self._books.get(symbol)

    def bars(self, symbol: Symbol, interval: Interval) -> BarSeries:
        """The series of bars, empty when nothing came yet."""
        return self._series.get((symbol, interval)) or BarSeries(symbol, interval)

    def trades(self, symbol: Symbol) -> Iterable[Trade]:
        """The newest prints, oldest first."""
        return self._trades.get(symbol, ())

    def greeks(self, symbol: Symbol) -> Greeks | None:
        """An option's sensitivities."""
        return self._greeks.get(symbol)

    def news(self) -> list[NewsItem]:
        """Headlines, newest first."""
        return sorted(self._news.values(), key=attrgetter("published_ns"), reverse=True)

    def decimals(self, symbol: Symbol) -> int:
        """Decimals in which the symbol's prices are quoted, learned from what was seen; 2 to begin with."""
        return self._decimals.get(symbol, 2)

    def serving(self, subscription: Subscription) -> str | None:
        """The feed that serves a subscription."""
        return self._serving.get(subscription)

    def is_live(self, feed: str | None) -> bool:
        """Whether a feed is connected and logged in."""
        status = self.feeds[feed].status if feed in self.feeds else None
        return status is not None and status.state is FeedState.LIVE

    def freshness(self, subscription: Subscription) -> Freshness:
        """Whether the value of a subscription is live, stale, or not there.

        A value is live when the feed that serves it is live and the value came from its provider, on the feed's
        present connection, and the feed has not fallen silent; a book also has to come in its own rhythm. News is
        live while its feed is: a headline does not go out of date, and known ones are not repeated.
        """
        newest = self._newest(subscription)
        if newest is None:
            return Freshness.ABSENT
        received_ns = newest.ts_recv_ns
        feed = self.serving(subscription)
        if feed is None or not self.is_live(feed) or feed.partition(":")[0] != newest.source:
            return Freshness.STALE
        if subscription.kind is Kind.NEWS:
            return Freshness.LIVE
        stats, now_ns = self.feeds[feed].stats, self.now_ns()
        of_old_connection = stats.live_since_ns is not None and received_ns < stats.live_since_ns
        of_the_future = received_ns > now_ns  # stamped before the clock was set back
        if of_old_connection or of_the_future or stats.silent_s(now_ns):
            return Freshness.STALE
        if subscription.kind is Kind.BOOK and subscription.symbol and (state := self.book(subscription.symbol)):
            late = (now_ns - received_ns) / NS > state.stale_after_s
            return Freshness.STALE if late else Freshness.LIVE
        return Freshness.LIVE

    @property
    def session(self) -> MarketStatus | None:
        """Which markets are open, while the feed that said so is live."""
        status = self.market_status
        return status if status is not None and (not status.feed or self.is_live(status.feed)) else None

    def freshnesses(self) -> list[Freshness]:
        """Of all that is wanted."""
        return [self.freshness(subscription) for subscription in self._serving]

    def received_ns(self, subscription: Subscription) -> int | None:
        """When the value last came, or None when it never did."""
        newest = self._newest(subscription)
        return None if newest is None else newest.ts_recv_ns

    def age_s(self, subscription: Subscription) -> float | None:
        """Seconds since the value last came, or None when it never did."""
        received_ns = self.received_ns(subscription)
        return None if received_ns is None else max(0.0, (self.now_ns() - received_ns) / NS)

    @property
    def ages(self) -> Ages:
        """Tells how long ago something was."""
        return Ages(self.now_ns(), self.quiet_since_ns is not None)

    def absence(self, subscription: Subscription) -> str:
        """Why there is no value, for a person: what is awaited, from whom, since when."""
        if refusal := self._refusals.get(subscription):
            return refusal
        feed = self._serving.get(subscription)
        if feed is None:
            return "no provider carries it" if subscription in self._serving else "not asked for yet"
        status = self.feeds[feed].status if feed in self.feeds else None
        if status is None or status.state in (FeedState.IDLE, FeedState.CONNECTING, FeedState.AUTHENTICATING):
            return f"connecting to {feed}"
        if status.state is FeedState.LIVE:
            since_ns, ages = self._wanted_since.get(subscription, self.now_ns()), self.ages
            if ages.now_ns - since_ns < NS:
                return f"waiting for {feed}"
            lasted = f" {ages.lasting(since_ns)}" if ages.by_time(since_ns) else f", {ages.brief(since_ns)}"
            return f"waiting for {feed}{lasted}"
        if status.state is FeedState.FAILED and status.needs_key:
            return f"press C to enter a key: {status.reason} ({feed})"  # what to do first: rows are narrow
        why = f"{feed} {status.state}: {status.reason}" if status.reason else f"{feed} {status.state}"
        return f"{why}. {status.remedy}" if status.state is FeedState.FAILED and status.remedy else why

    def _stir(self) -> None:
        if self.quiet_since_ns is not None:
            self.wake()

    @cached_property
    def _merges(self) -> Mapping[type[Event], Callable[[Any], None]]:
        """What merges each kind of event; made for the first one, as importing them takes longer than a first frame."""
        from tui.market import events

        return {
            events.Quote: self._apply_quote,
            events.Trade: self._apply_trade,
            events.Bar: self._apply_bar,
            events.BookSnapshot: self._apply_book,
            events.NewsItem: self._apply_news,
            events.Status: self._apply_status,
            events.Notice: self._apply_notice,
            events.MarketStatus: self._apply_market_status,
            events.Greeks: self._apply_greeks,
            **dict.fromkeys(get_args(events.AccountEvent), self._apply_account),
        }

    def _inherited(self, kind: type[Event]) -> Callable[[Any], None] | None:
        """What merges the kind that a plugin's own kind of event extends; None for one that is of no known kind."""
        return next((self._merges[base] for base in kind.__mro__ if base in self._merges), None)

    def _apply_quote(self, event: Quote) -> None:
        state, key = self._quotes.get(event.symbol), Subscription(Kind.QUOTE, event.symbol)
        if state is None or state.source != event.source:
            state = QuoteState(event.symbol, event.source, event.ts_recv_ns)
            put(self._quotes, event.symbol, state, MAX_SYMBOLS)
        feed = self.serving(key)
        live_since_ns = self.feeds[feed].stats.live_since_ns if feed in self.feeds else None
        for price in state.merge(event, live_since_ns):
            self._learn_decimals(event.symbol, price)
        self._keys.add(key)

    def _apply_trade(self, event: Trade) -> None:
        trades = self._trades.get(event.symbol)
        if trades is None:
            trades = deque(maxlen=MAX_TRADES)
            put(self._trades, event.symbol, trades, MAX_SYMBOLS)
        if event.sequence is not None and any(
            t.sequence == event.sequence and t.venue == event.venue for t in list(trades)[-50:]
        ):
            return
        trades.append(event)
        self.heat.trade(event)
        self._learn_decimals(event.symbol, event.price)
        self._keys.add(Subscription(Kind.TRADE, event.symbol))

    def _apply_bar(self, event: Bar) -> None:
        key = (event.symbol, event.interval)
        series = self._series.get(key)
        if series is None:
            series = BarSeries(event.symbol, event.interval)
            put(self._series, key, series, MAX_SERIES)
        if series.upsert(event):
            self._keys.add(Subscription(Kind.BAR, event.symbol, event.interval))

    def _apply_book(self, event: BookSnapshot) -> None:
        was_live = self.freshness(Subscription(Kind.BOOK, event.symbol)) is Freshness.LIVE
        self.heat.record(event, follows=was_live)
        state = self._books.get(event.symbol)
        if state is None or state.book.source != event.source:
            put(self._books, event.symbol, BookState(event), MAX_SYMBOLS)
        else:
            state.gaps.append((event.ts_recv_ns - state.book.ts_recv_ns) / NS)
            state.book = event
            state.updates += 1
        for side in (event.bids, event.asks):
            for price, _, _ in side[:3]:
                self._learn_decimals(event.symbol, price)
        self._keys.add(Subscription(Kind.BOOK, event.symbol))

    def _apply_news(self, event: NewsItem) -> None:
        self._news[event.id] = event
        while len(self._news) > MAX_NEWS:
            del self._news[min(self._news, key=lambda id: self._news[id].published_ns)]
            self.news_dropped += 1
        self._keys.add(Subscription(Kind.NEWS))

    def _apply_status(self, event: Status) -> None:
        self.feed(event.feed).status = event
        self._topics.add(Topic.FEEDS)

    def _apply_notice(self, event: Notice) -> None:
        self.notices.append(event)
        if event.refused and event.subscription is not None:
            if len(self._refusals) < MAX_SYMBOLS:
                self._refusals[event.subscription] = event.text
            self._keys.add(event.subscription)
        self._topics.add(Topic.NOTICES)

    def _apply_market_status(self, event: MarketStatus) -> None:
        self.market_status = event
        self._topics.add(Topic.SESSION)

    def _apply_greeks(self, event: Greeks) -> None:
        known = self._greeks.get(event.symbol)
        merged = known.model_copy(update=event.model_dump(exclude_unset=True)) if known else event
        put(self._greeks, event.symbol, merged, MAX_SYMBOLS)
        self._keys.add(Subscription(Kind.GREEKS, event.symbol))

    def _apply_account(self, event: AccountEvent) -> None:
        self.accounts.apply(event)
        self._keys.add(Subscription(Kind.ACCOUNT))

    def _learn_decimals(self, symbol: Symbol, price: Decimal) -> None:
        known = self._decimals.get(symbol, 2)
        if needs_more(price, known):
            exponent = price.normalize().as_tuple().exponent
            if isinstance(exponent, int) and -exponent > known:
                put(self._decimals, symbol, min(-exponent, 8), MAX_SYMBOLS)

    def _newest(self, subscription: Subscription) -> QuoteState | Event | None:
        symbol = subscription.symbol
        match subscription.kind:
            case Kind.QUOTE if symbol:
                return self._quotes.get(symbol)
            case Kind.BOOK if symbol and (book := self._books.get(symbol)):
                return book.book
            case Kind.BAR if symbol and subscription.interval:
                return self.bars(symbol, subscription.interval).last
            case Kind.TRADE if symbol and (trades := self._trades.get(symbol)):
                return trades[-1]
            case Kind.GREEKS if symbol:
                return self._greeks.get(symbol)
            case Kind.NEWS if self._news:
                return max(self._news.values(), key=lambda item: item.ts_recv_ns)
        return None
