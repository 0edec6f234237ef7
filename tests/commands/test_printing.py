from decimal import Decimal

import pytest

from tui.clock import NS, ManualClock
from tui.commands.lines import Record
from tui.commands.printing import KINDS, EventPrinter
from tui.market.events import Bar, BookSnapshot, Event, NewsItem, Quote, Status, Trade
from tui.market.names import Interval, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState

AAPL, NVDA = Symbol("AAPL"), Symbol("NVDA")
D = Decimal
START_NS = 1_767_623_820 * NS  # a whole minute


class Printed:
    def __init__(self, kinds: tuple[str, ...] = KINDS) -> None:
        self.clock = ManualClock(START_NS + 30 * NS)
        self.store = MarketStore(self.clock.now_ns)
        self.records: list[Record] = []
        self.printer = EventPrinter(self.store, [AAPL], kinds, self.records.append)

    def tell(self, *events: Event) -> None:
        for event in events:
            self.store.apply(event)
            self.printer.happened(event)

    def bars(self, *events: Event) -> list[tuple[int, str, bool]]:
        """Minutes from the start, close, closed: what is printed after these events."""
        self.records.clear()
        self.tell(*events)
        self.printer.print_bars()
        return [(minute_of(record["start"]), str(record["close"]), record["closed"]) for record in self.records]


def minute_of(start: str) -> int:
    return int(start[11:13]) * 60 + int(start[14:16]) - (14 * 60 + 37)


def bar(minute: int, close: str, *, closed: bool = False) -> Bar:
    price = D(close)
    return Bar(
        source="aries", ts_recv_ns=START_NS, symbol=AAPL, interval=Interval.M1, start_ns=START_NS + minute * 60 * NS,
        open=price, high=price, low=price, close=price, volume=D(1), closed=closed,
    )  # fmt: skip


def test_the_open_bar_is_printed_once_for_many_changes() -> None:
    printed = Printed()
    assert printed.bars(bar(0, "1"), bar(0, "2"), bar(0, "3")) == [(0, "3", False)]
    assert printed.bars() == []
    assert printed.bars(bar(0, "3")) == []
    assert printed.bars(bar(0, "4")) == [(0, "4", False)]


def test_every_bar_is_printed_once_as_closed() -> None:
    printed = Printed()
    printed.bars(bar(0, "1"))
    assert printed.bars(bar(0, "2"), bar(1, "3"), bar(2, "4")) == [(0, "2", True), (1, "3", True), (2, "4", False)]
    assert printed.bars(bar(2, "5", closed=True)) == [(2, "5", True)]
    assert printed.bars(bar(1, "9", closed=True), bar(2, "6", closed=True), bar(3, "7")) == [(3, "7", False)]


def test_of_history_only_the_newest_bar_is_printed() -> None:
    printed = Printed()
    past = [bar(minute, "1", closed=True) for minute in range(-500, 0)]
    assert printed.bars(*past, bar(0, "2")) == [(0, "2", False)]
    late = Printed()
    assert late.bars(bar(0, "2")) == [(0, "2", False)]
    assert late.bars(*past) == []
    shut = Printed()
    assert shut.bars(*past) == [(-1, "1", True)]


def test_a_bar_that_ended_before_the_start_but_was_printed_open_is_printed_closed() -> None:
    printed = Printed()
    past = [bar(minute, "1", closed=True) for minute in range(-9, -1)]
    assert printed.bars(*past, bar(-1, "2")) == [(-1, "2", False)], "nothing was traded yet since the minute began"
    assert printed.bars(bar(-1, "3")) == [(-1, "3", False)]
    assert printed.bars(bar(0, "4")) == [(-1, "3", True), (0, "4", False)]
    assert printed.bars(bar(-1, "9", closed=True), bar(1, "5")) == [(0, "4", True), (1, "5", False)]


def test_of_a_gap_before_the_start_only_what_was_printed_open_is_closed() -> None:
    printed = Printed()
    assert printed.bars(bar(-9, "1")) == [(-9, "1", False)]
    assert printed.bars(*[bar(minute, "2", closed=True) for minute in range(-8, 0)], bar(0, "3")) == [
        (-9, "1", True),
        (0, "3", False),
    ]


def test_quotes_are_printed_merged_and_only_for_what_was_asked() -> None:
    printed = Printed()
    printed.tell(
        Quote(source="aries", ts_recv_ns=1, symbol=AAPL, bid=D(1)),
        Quote(source="aries", ts_recv_ns=2, symbol=NVDA, bid=D(7)),
        Quote(source="aries", ts_recv_ns=3, symbol=AAPL, ask=D(2)),
    )
    assert [(r["symbol"], r.get("bid"), r.get("ask")) for r in printed.records] == [("AAPL", 1, None), ("AAPL", 1, 2)]


def test_headlines_are_printed_once_however_often_they_come() -> None:
    printed = Printed()
    first = NewsItem(source="aries", ts_recv_ns=1, id="1", title="A", published_ns=START_NS)
    printed.tell(first, first, first.model_copy(update={"id": "2", "title": "B"}), first)
    assert [record["title"] for record in printed.records] == ["A", "B"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_kinds_asked_for_are_printed(kind: str) -> None:
    printed = Printed((kind,))
    printed.tell(
        Quote(source="aries", ts_recv_ns=1, symbol=AAPL, bid=D(1)),
        Trade(source="aries", ts_recv_ns=1, symbol=AAPL, price=D(1), size=D(1)),
        BookSnapshot(source="aries", ts_recv_ns=1, symbol=AAPL, bids=(), asks=()),
        bar(0, "1"),
        NewsItem(source="aries", ts_recv_ns=1, id="1", title="A", published_ns=START_NS),
        Status(source="aries", ts_recv_ns=1, feed="aries:market", state=FeedState.LIVE),
    )
    printed.printer.print_bars()
    assert [record["kind"] for record in printed.records] == [kind]
