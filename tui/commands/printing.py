"""Which events become lines, and when: quotes merged, bars conflated, headlines once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final

from tui.clock import NS
from tui.commands.lines import (
    Record,
    bar_record,
    book_record,
    news_record,
    quote_record,
    status_record,
    trade_record,
)
from tui.market.bars import BarSeries
from tui.market.events import Bar, BookSnapshot, Event, NewsItem, Quote, Status, Trade
from tui.market.names import Interval, Symbol
from tui.market.store import MarketStore

MAX_NEWS_KNOWN: Final = 2000
KINDS: Final = ("quote", "bar", "book", "trade", "news", "status")
"""What can be printed."""


class EventPrinter:
    """Prints what it is told, once the store has taken it in.

    Args:
        store: Where the events have been merged.
        symbols: Whose events.
        kinds: Some of `KINDS`.
        print_record: Takes each record.
    """

    def __init__(
        self,
        store: MarketStore,
        symbols: Collection[Symbol],
        kinds: Collection[str],
        print_record: Callable[[Record], None],
    ) -> None:
        self._store = store
        self._symbols = frozenset(symbols)
        self._kinds = frozenset(kinds)
        self._print = print_record
        self._bars: dict[tuple[Symbol, Interval], _BarLines] = {}
        self._news: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._started_ns = store.now_ns()

    def happened(self, event: Event) -> None:
        """Print an event, or keep it in mind until `print_bars`."""
        match event:
            case Quote() if self._wants("quote", event.symbol):
                quote = self._store.quote(event.symbol)
                if quote is not None:
                    self._print(quote_record(quote))
            case Trade() if self._wants("trade", event.symbol):
                self._print(trade_record(event))
            case BookSnapshot() if self._wants("book", event.symbol):
                self._print(book_record(event))
            case Bar() if self._wants("bar", event.symbol):
                lines = self._bars.setdefault((event.symbol, event.interval), _BarLines(self._started_ns))
                lines.is_due = True
            case NewsItem() if "news" in self._kinds and self._is_new(event):
                self._print(news_record(event))
            case Status() if "status" in self._kinds:
                self._print(status_record(event))

    def print_bars(self) -> None:
        """Print each series that changed since the last call: what has closed, then the open bar as it is now."""
        for (symbol, interval), lines in self._bars.items():
            if lines.is_due:
                for bar in lines.take(self._store.bars(symbol, interval)):
                    self._print(bar_record(bar))

    def _wants(self, kind: str, symbol: Symbol) -> bool:
        return kind in self._kinds and symbol in self._symbols

    def _is_new(self, news: NewsItem) -> bool:
        """Whether it was not printed yet: a newsfeed repeats the latest items on every connection."""
        key = (news.source, news.id)
        if key in self._news:
            return False
        self._news[key] = None
        if len(self._news) > MAX_NEWS_KNOWN:
            self._news.popitem(last=False)
        return True


class _BarLines:
    """What of a series was printed: every bar once when it has closed, the open one as often as it is asked for.

    Bars that ended before the start are history; of those only the newest is printed.
    """

    def __init__(self, started_ns: int) -> None:
        self._started_ns = started_ns
        self._closed_up_to_ns = -1
        self._newest: Bar | None = None
        self.is_due = False

    def take(self, series: BarSeries) -> list[Bar]:
        """Bars to print now, oldest first."""
        self.is_due = False
        newest = series.last
        if newest is None:
            return []
        first_ns = max(self._closed_up_to_ns + 1, self._started_ns - series.interval.seconds * NS + 1)
        closed = [bar for bar in self._printed_open(series, first_ns) if bar.start_ns < newest.start_ns]
        closed += [bar for bar in series.between(first_ns, newest.start_ns) if bar.closed]
        if closed:
            self._closed_up_to_ns = closed[-1].start_ns
        if newest == self._newest or newest.start_ns <= self._closed_up_to_ns:
            return closed
        self._newest = newest
        if newest.closed:
            self._closed_up_to_ns = newest.start_ns
        return [*closed, newest]

    def _printed_open(self, series: BarSeries, before_ns: int) -> list[Bar]:
        """The bar that ended before the start but was printed open, as the next one had yet to come: it has closed."""
        last = self._newest
        if last is None or last.closed or not self._closed_up_to_ns < last.start_ns < before_ns:
            return []
        return [bar for bar in series.between(last.start_ns, last.start_ns + 1) if bar.closed]
