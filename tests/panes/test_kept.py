"""Rows of the last frame: kept while only time goes on, and never shown once they would be made differently."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest

from tests.panes import test_bars, test_book
from tests.panes.conftest import set_feed
from tui.clock import NS, ManualClock
from tui.market.events import Quote, Trade
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.panes.bars import BarsPane
from tui.panes.base import Desk, Pane
from tui.panes.book import BookPane
from tui.panes.quotes import SORTS, QuotesPane
from tui.panes.tape import TapePane
from tui.themes import load_themes
from tui.widgets.row_strip import Piece

BTC = test_book.BTC
AAPL = Symbol("AAPL")
LAST_NS = Interval.M5.start_of(ManualClock().now_ns()) - 300 * NS
"""The bar before the open one."""
PALETTES = list(load_themes().palettes.values())
Change = Callable[[], object]


@pytest.fixture
def book(desk: Desk, store: MarketStore) -> BookPane:
    pane = BookPane(desk)
    pane.set_reactive(BookPane.symbol, BTC)
    set_feed(store, test_book.FEED, FeedState.LIVE, test_book.WANTED)
    test_book.put(store)
    return pane


@pytest.fixture
def bars(desk: Desk, store: MarketStore) -> BarsPane:
    pane = BarsPane(desk)
    pane.set_reactive(BarsPane.symbol, BTC)
    set_feed(store, test_bars.FEED, FeedState.LIVE, test_bars.M5)
    test_bars.put(store, test_bars.climb(60))
    return pane


@pytest.fixture
def tape(desk: Desk, store: MarketStore) -> TapePane:
    pane = TapePane(desk)
    pane.set_reactive(TapePane.symbol, AAPL)
    set_feed(store, test_bars.FEED, FeedState.LIVE, *pane.wants())
    trade(store, "187.42", 60)
    return pane


@pytest.fixture
def quotes(desk: Desk, store: MarketStore) -> QuotesPane:
    pane = QuotesPane(desk)
    pane.on_mount()
    set_feed(store, test_bars.FEED, FeedState.LIVE, *pane.wants())
    patch(store, AAPL, last="187.42", bid="187.41")
    patch(store, BTC, last="97205.10")
    return pane


def patch(store: MarketStore, symbol: Symbol, **figures: str | None) -> None:
    values = {name: None if text is None else Decimal(text) for name, text in figures.items()}
    store.apply(Quote.model_validate({"source": "aries", "ts_recv_ns": store.now_ns(), "symbol": symbol, **values}))


def trade(store: MarketStore, price: str, count: int = 1) -> None:
    for number in range(count):
        at, size = store.now_ns(), Decimal(number + 1)
        store.apply(Trade(source="aries", ts_recv_ns=at, symbol=AAPL, price=Decimal(price), size=size, side="buy"))


def pieces(pane: Pane, width: int = 60, height: int = 24) -> list[list[Piece]]:
    return [row.pieces for row in pane.rows(width, height)]


def anew(pane: Pane, width: int = 60) -> list[list[Piece]]:
    pane._kept.forget()
    return pieces(pane, width)


def changes(pane: Pane, change: Callable[[], object]) -> None:
    """What is kept makes way for what a change brings."""
    before = pieces(pane)
    change()
    now = pieces(pane)
    assert now != before
    assert now == anew(pane)


def quote(store: MarketStore, price: str) -> None:
    store.apply(Quote(source="aries", ts_recv_ns=store.now_ns(), symbol=BTC, last=Decimal(price)))


def wall(store: MarketStore, size: str) -> None:
    """A book with another size at one price: a hundred times the usual one is a wall."""
    levels = list(test_book.levels("97204.95", "-0.10", 30))
    levels[4] = (levels[4][0], Decimal(size), levels[4][2])
    test_book.put(store, levels, test_book.levels("97205.85", "0.10", 30))


@pytest.mark.parametrize("name", ["book", "bars", "tape"])
def test_rows_are_kept_while_only_time_goes_on(name: str, clock: ManualClock, request: pytest.FixtureRequest) -> None:
    pane: Pane = request.getfixturevalue(name)
    before = list(pane.rows(60, 24))
    clock.advance(1)
    assert all(now is then for now, then in zip(pane.rows(60, 24), before, strict=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda pane, store: test_book.put(store, asks=test_book.levels("97205.95", "0.10")),
        lambda pane, store: set_feed(store, test_book.FEED, FeedState.BACKING_OFF),
        lambda pane, store: quote(store, "97205.1234"),
        lambda pane, store: setattr(pane.desk, "palette", PALETTES[-1]),
        lambda pane, store: setattr(pane.desk, "colorless", True),
        lambda pane, store: pane.takes("dollar_sign", "$") or pane.action_cost(),
        lambda pane, store: pane.action_bars(),
        lambda pane, store: pane.action_venues(),
        lambda pane, store: pane.action_mode(),
        lambda pane, store: pane.action_zoom(-1),
        lambda pane, store: pane.action_group(1),
        lambda pane, store: pane.action_cursor(1),
    ],
)  # fmt: skip
def test_a_ladder_is_drawn_anew_for_whatever_it_depends_on(
    change: Callable[[BookPane, MarketStore], object], book: BookPane, store: MarketStore
) -> None:
    changes(book, lambda: change(book, store))


@pytest.mark.parametrize(
    "change",
    [
        lambda pane, store: test_bars.put(store, ["97591.00"]),
        lambda pane, store: test_bars.put(store, ["97000.00"], first=LAST_NS),
        lambda pane, store: set_feed(store, test_bars.FEED, FeedState.BACKING_OFF),
        lambda pane, store: quote(store, "97205.1234"),
        lambda pane, store: setattr(pane.desk, "palette", PALETTES[-1]),
        lambda pane, store: setattr(pane.desk, "colorless", True),
        lambda pane, store: pane.action_width(1),
        lambda pane, store: pane.action_indicators(),
        lambda pane, store: pane.action_crosshair(-1),
        lambda pane, store: pane.action_interval(1),
        lambda pane, store: pane.set_reactive(BarsPane.symbol, Symbol("ETH/USDT")),
    ],
)  # fmt: skip
def test_a_chart_is_drawn_anew_for_whatever_it_depends_on(
    change: Callable[[BarsPane, MarketStore], object], bars: BarsPane, store: MarketStore
) -> None:
    changes(bars, lambda: change(bars, store))


@pytest.mark.parametrize(
    "change",
    [
        lambda pane, store: trade(store, "187.43"),
        lambda pane, store: trade(store, "187.4251"),
        lambda pane, store: set_feed(store, test_bars.FEED, FeedState.BACKING_OFF),
        lambda pane, store: setattr(pane.desk, "palette", PALETTES[-1]),
        lambda pane, store: store.forget(Subscription(Kind.TRADE, AAPL)),
    ],
)  # fmt: skip
def test_a_tape_is_drawn_anew_for_whatever_it_depends_on(
    change: Callable[[TapePane, MarketStore], object], tape: TapePane, store: MarketStore
) -> None:
    changes(tape, lambda: change(tape, store))


@pytest.mark.parametrize(
    "change",
    [
        lambda pane, store: patch(store, AAPL, last="187.43"),
        lambda pane, store: patch(store, AAPL, last=None),
        lambda pane, store: patch(store, AAPL, volume="12"),
        lambda pane, store: patch(store, AAPL, last="999"),
        lambda pane, store: patch(store, BTC, last="0.1234"),
        lambda pane, store: store.apply(Quote(source="quantcite", ts_recv_ns=store.now_ns(), symbol=AAPL)),
        lambda pane, store: set_feed(store, test_bars.FEED, FeedState.BACKING_OFF),
        lambda pane, store: store.forget(Subscription(Kind.QUOTE, AAPL)),
        lambda pane, store: setattr(pane.desk, "palette", PALETTES[-1]),
        lambda pane, store: setattr(pane, "chosen", BTC),
        lambda pane, store: pane.desk.symbols.remove(AAPL),
        lambda pane, store: setattr(pane, "sort_by", "last"),
    ],
)  # fmt: skip
def test_a_quote_is_drawn_anew_for_whatever_it_depends_on(
    change: Callable[[QuotesPane, MarketStore], object], quotes: QuotesPane, store: MarketStore
) -> None:
    changes(quotes, lambda: change(quotes, store))


def test_a_quote_grows_older_and_its_light_goes_out(quotes: QuotesPane, store: MarketStore, clock: ManualClock) -> None:
    clock.advance(2)
    changes(quotes, lambda: patch(store, AAPL, last="187.50"))
    changes(quotes, lambda: clock.advance(0.5))
    changes(quotes, lambda: clock.advance(30))


def test_a_quote_leaves_the_rows_of_others_as_they_are(quotes: QuotesPane, store: MarketStore) -> None:
    before = quotes.rows(120, 10)
    patch(store, AAPL, last="187.43")
    now = quotes.rows(120, 10)
    assert [row is then for row, then in zip(now, before, strict=True)] == [False, False, False, True]


def test_another_length_of_a_tape_has_other_rows(tape: TapePane) -> None:
    assert [len(pieces(tape, 60, height)) for height in (10, 24, 10)] == [10, 24, 10]


@pytest.mark.parametrize("name", ["book", "bars"])
def test_another_size_has_other_rows(name: str, request: pytest.FixtureRequest) -> None:
    pane: Pane = request.getfixturevalue(name)
    before = pieces(pane, 60, 24)
    for width, height in ((62, 24), (62, 23)):
        rows = pieces(pane, width, height)
        pane._kept.forget()
        assert before != rows == pieces(pane, width, height)
        before = rows


def test_a_wall_that_is_news_fades_and_goes_without_another_book(
    book: BookPane, store: MarketStore, clock: ManualClock
) -> None:
    wall(store, "0.3")
    pieces(book)
    for _ in range(4):
        clock.advance(1)
        wall(store, "100")
        pieces(book)
    seen = []
    for _ in range(7):
        seen.append(pieces(book))
        assert seen[-1] == anew(book)
        clock.advance(1)
    lasted = [any("bid wall" in text for row in rows for text, _ in row) for rows in seen]
    assert lasted == [True] * 6 + [False]
    assert seen[0] == seen[2] != seen[3] == seen[5] != seen[6]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_in_whatever_order_kept_rows_are_those_that_would_be_made(
    seed: int,
    book: BookPane,
    bars: BarsPane,
    quotes: QuotesPane,
    desk: Desk,
    store: MarketStore,
    clock: ManualClock,
) -> None:
    random = Random(seed)
    changes: list[Change] = [
        lambda: wall(store, random.choice(["0.3", "100"])),
        lambda: test_bars.put(store, [f"{random.randint(96_000, 98_000)}.5"]),
        lambda: clock.advance(random.choice([0.5, 1, 3, 60])),
        lambda: quote(store, random.choice(["97205.1", "97205.123"])),
        lambda: setattr(desk, "palette", random.choice(PALETTES)),
        lambda: set_feed(store, random.choice([test_book.FEED, test_bars.FEED]), random.choice(list(FeedState))),
        lambda: store.forget(random.choice([test_book.WANTED, test_bars.M5])),
        lambda: store.forget(Subscription(Kind.BAR, BTC, Interval.M1)),
        lambda: book.action_cursor(random.choice([-1, 1])),
        lambda: book.action_group(random.choice([-1, 1])),
        lambda: book.action_zoom(random.choice([-1, 1])),
        book.action_bars, book.action_centre, book.action_cost, book.action_mode, book.action_venues,
        lambda: book.takes(key := random.choice(["5", "enter", "escape", "up"]), key if len(key) == 1 else None),
        lambda: bars.action_width(random.choice([-1, 1])),
        lambda: bars.action_crosshair(random.choice([-1, 1])),
        lambda: bars.action_interval(random.choice([-1, 1])),
        bars.action_indicators, bars.action_clear,
        lambda: patch(store, random.choice(desk.symbols), last=random.choice([None, "7", "187.43", "97205.2"])),
        lambda: patch(store, random.choice(desk.symbols), bid=random.choice([None, "186"]), ask="188", volume="5"),
        lambda: patch(store, AAPL, low="100", high="200", change=str(random.randint(-3, 3)), change_percent="1.5"),
        lambda: set_feed(store, test_bars.FEED, FeedState.LIVE, *quotes.wants()),
        lambda: store.forget(Subscription(Kind.QUOTE, random.choice(desk.symbols))),
        lambda: setattr(quotes, "chosen", random.choice(desk.symbols)),
        lambda: setattr(quotes, "sort_by", random.choice(SORTS)),
        lambda: setattr(desk, "flash", not desk.flash),
        lambda: random.shuffle(desk.symbols),
        lambda: setattr(store, "quiet_since_ns", random.choice([None, clock.now_ns()])),
    ]  # fmt: skip
    for _ in range(150):
        random.choice(changes)()
        for pane in (book, bars, quotes):
            kept = pieces(pane, width := random.choice([60, 120]))
            if not (pane is book and book._view is not book._views.ladder):  # a curve settles its axis in two frames
                assert kept == anew(pane, width)
