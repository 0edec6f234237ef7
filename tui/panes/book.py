"""The order book of the chosen symbol, aggregated over venues."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events

from tui.actions import bindings
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.market.store import BookState, Changes, Freshness, Topic
from tui.messages import VenuesChosen
from tui.panes.base import NS, Desk, Fact, Pane
from tui.panes.book_views import BookView, Views
from tui.widgets import book_history
from tui.widgets.ladder import Look
from tui.widgets.lines import Line, message

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot

SHADES: Final = ("▒", "░")
"""Size bars and depth where colours cannot be told apart."""
HISTORY_FROM: Final = 26
"""Height from which a row is spared for imbalance and spread over time."""


class BookPane(Pane):
    """Asks above, bids below, the mid between them as the gauge of which side has more resting."""

    pane_id: ClassVar[str] = "book"
    title: ClassVar[str] = "Book"
    number: ClassVar[int] = 3
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.BOOK, Kind.TRADE})
    help: ClassVar[str] = (
        "Resting orders: asks above, bids below, the best prices next to the row in the middle. Strong bars are the "
        "size of a level (» longer than the bar can say), faint ones the depth from the best price up to it; b draws "
        "them by the square root, which leaves small sizes room beside large ones. One letter a venue, always in the "
        "same place; · where a venue has nothing. Letters in a bar say whose part it is, where the source tells.\n\n"
        "The row in the middle: the mid with its last move, spread in price and basis points. It is tinted by the "
        "bids' part of the size in sight: bid 58% means that 58% of it is bids. A crossed book (one venue bids more "
        "than another asks) is shown as it is: the row is inverted, × marks the levels, the venues are named with the "
        "size that could be had at once. When one of them has stood still for ten seconds while others moved, the row "
        "says that it may be stale instead.\n\n"
        "◆ marks a wall: at least five times the median of the ten levels on either side, and of the whole side. One "
        "that came and has stood for three seconds, or stood and went (◇), is named below the ladder for a moment.\n\n"
        "g and G make price steps finer and coarser (bids rounded down, asks up), + and - show more or fewer levels. "
        "The cursor (arrows, j, k) holds the view to its price and tells what rests up to it: size, value, distance "
        "from the mid, venues. c lets go and returns to the best prices.\n\n"
        "$ asks what a size would cost: digits with k or m, or the arrows for 1, 2, 5; b counts value instead of size. "
        "Below stand, for buying and selling, average price, how far it is from the mid (positive is worse), last "
        "price, levels, venues and value, without fees; ▎ marks the levels it reaches. enter keeps it and frees the "
        "keys, esc closes.\n\n"
        "v lists the venues: state, share within 10 bp of the mid, best prices. space switches one off or on. Where "
        "the source splits sizes between venues this is done here, else by asking it for another list.\n\n"
        "m goes on to the depth curve: what rests up to each price, bids to the left, asks to the right. A faint area "
        "means that the book ends there: there may be more, but nobody said so. + and - show less and more of the "
        "prices, the arrows move the cursor.\n\n"
        "m again shows the last ten minutes as a heatmap, price down and time across: the stronger a shade, the more "
        "rests there. Best ask, mid and best bid lie over it; dots are trades, ● by buyers, ○ by sellers, • where that "
        "is not known; ╱ are seconds without a live book. The arrows move the cursor through prices and time, + and - "
        "give a column fewer and more seconds, g and G change the price steps, c returns to now."
    )
    BINDINGS = bindings("book")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._known = Views(None, desk.store)
        self._mode = 0
        self._above = 0
        self._lists_venues = False
        self._left_out: dict[Symbol, frozenset[str]] = {}

    def wants(self) -> Wants:
        """The book of the chosen symbol; with the heatmap its trades, which not everybody has."""
        if not self.symbol:
            return frozenset()
        return frozenset({self._subscription, self._trades}) if self._is_heat else frozenset({self._subscription})

    def is_touched_by(self, changes: Changes) -> bool:
        """Only by the chosen symbol's book and trades, and by feeds, which may be what it waits for."""
        if Topic.FEEDS in changes.topics or self._subscription in changes.keys:
            return True
        return self._is_heat and self._trades in changes.keys

    def heading(self) -> Sequence[Fact]:
        """Symbol, what shows of its book and how, venues."""
        if not self.symbol:
            return ()
        palette, state = self.desk.palette, self._state()
        facts: list[Fact] = [(text, palette.accent) for text in (self.symbol, *self._view.facts())]
        if state is None:
            return facts
        book = self._views.venues.show(state.book)
        if left_out := self._views.venues.left_out:
            facts.insert(1, (f"{len(left_out)} off", palette.warning))
        if book.missing_venues:
            facts.insert(1, (_venues(book, is_brief=0 < self.size.width < 46), palette.warning))
        elif book.venues:
            facts.append((_venues(book), palette.muted))
        return facts

    def corner(self) -> Sequence[Fact]:
        """The rhythm of updates, or how old the last one is."""
        state = self._state()
        if state is None:
            return ()
        if stale := self._stale():
            return [(stale, self.desk.palette.warning)]
        store = self.desk.store
        age_s = store.age_s(self._subscription)
        pace_s = fmean(state.gaps) if state.gaps else 0.0
        is_quick = 0 < pace_s < 0.7 and (age_s or 0) < 2
        text = f"{1 / pace_s:.0f}/s" if is_quick else store.ages.brief(state.book.ts_recv_ns)
        return [(text, self.desk.palette.muted)]

    def rows(self, width: int, height: int) -> list[Line]:
        """The book as the present view shows it, or why there is none."""
        state = self._state()
        if state is None or not (state.book.bids or state.book.asks):
            return message(self._why_nothing(), width, height, self.desk.palette.muted)
        stale = self._stale()
        shades = SHADES if self.desk.colorless else (" ", " ")
        self._views.show(state.book)
        look = Look(self.desk.palette, not stale, shades)
        above = self._history(width, look) if height >= HISTORY_FROM else []
        self._above = len(above)
        return [*above, *self._rows_of_view(state.book, width, height - len(above), look, stale)]

    def _rows_of_view(self, book: BookSnapshot, width: int, height: int, look: Look, stale: str) -> Sequence[Line]:
        """Those of the last frame where only time went on, and the view is one that does not show it."""
        views = self._views

        def make() -> list[Line]:
            return views.rows(self._view, width, height, look, stale)

        if self._view is not views.ladder:
            return make()
        decimals = self.desk.store.decimals(book.symbol)
        return self._kept.rows((book, width, height, look, stale, decimals, views.ladder.news()), make)

    def _history(self, width: int, look: Look) -> list[Line]:
        """The row with imbalance and spread over time, where there is room for it."""
        history = self.desk.store.heat.of(self.symbol) if self.symbol else None
        if history is None or not (cells := book_history.cells(width)):
            return []
        columns = history.summaries(self.desk.now_ns() // NS, cells, is_live=look.is_live)
        return [book_history.history_row(columns, width, look)]

    def _why_nothing(self) -> list[str]:
        store = self.desk.store
        if not self.symbol:
            return ["No symbol chosen.", "Select one in the quotes."]
        if self._state() is not None:
            return [f"The book of {self.symbol} is empty.", self._stale()]
        alike = next(
            (n.suggestions for n in reversed(store.notices) if n.subscription == self._subscription and n.suggestions),
            (),
        )
        lines = [f"No book of {self.symbol}", store.absence(self._subscription)]
        return [*lines, f"Try {', '.join(alike)}."] if alike else lines

    @property
    def _subscription(self) -> Subscription:
        return Subscription(Kind.BOOK, self.symbol)

    @property
    def _trades(self) -> Subscription:
        return Subscription(Kind.TRADE, self.symbol)

    @property
    def _is_heat(self) -> bool:
        return self._view is self._views.heat

    def _state(self) -> BookState | None:
        return self.desk.store.book(self.symbol) if self.symbol else None

    def _stale(self) -> str:
        """How old the book is, in words, when it is not live; else nothing."""
        store = self.desk.store
        is_stale = store.freshness(self._subscription) is Freshness.STALE
        return f"stale {store.ages.brief(store.received_ns(self._subscription))}" if is_stale else ""

    @property
    def _views(self) -> Views:
        """The views of the chosen symbol; another symbol starts new ones, its ladder with as many levels."""
        if self.symbol != self._known.symbol:
            left_out = self._left_out.get(self.symbol, frozenset()) if self.symbol else frozenset()
            self._known = Views(self.symbol, self.desk.store, self._known, left_out)
        return self._known

    @property
    def _view(self) -> BookView:
        return self._views.venues if self._lists_venues else self._views.all[self._mode]

    def takes(self, key: str, character: str | None) -> bool:
        """What is typed into the cost line goes there, and not to where these keys go otherwise."""
        if not (self._views.cost.take(key, character) or self._closes_list(key)):
            return False
        self.redraw()
        return True

    def _closes_list(self, key: str) -> bool:
        was_listing = self._lists_venues
        self._lists_venues &= key != "escape"
        return was_listing and not self._lists_venues

    def action_cost(self) -> None:
        """Ask what a size would cost: open the line, or type into it again."""
        self._lists_venues = False
        self._views.cost.open()
        self.redraw()

    def action_bars(self) -> None:
        """Bars linear, or by the square root."""
        self._views.ladder.rescale()
        self.redraw()

    def action_venues(self) -> None:
        """List the venues, or go back to the book."""
        self._lists_venues = not self._lists_venues
        self._views.cost.is_typing = False
        self.redraw()

    def action_switch(self) -> None:
        """Switch the venue under the cursor off or on."""
        venues, symbol = self._views.venues, self.symbol
        if not self._lists_venues or symbol is None or not venues.toggle():
            return
        self._left_out = {**self._left_out, symbol: venues.left_out}
        if not venues.is_split:
            self.post_message(VenuesChosen(symbol, venues.left_out))
        self.redraw()

    def action_mode(self) -> None:
        """The next way to look at the book: ladder, depth curve, heatmap."""
        self._lists_venues = False
        self._mode = (self._mode + 1) % len(self._views.all)
        self.post_message(self.WantsChanged())
        self.redraw()

    def action_zoom(self, direction: int) -> None:
        """Closer or further; in the ladder more or fewer levels."""
        self._view.zoom(direction)
        self.redraw()

    def action_group(self, step: int) -> None:
        """Finer or coarser price steps; the finest are the book's own prices."""
        self._view.regroup(step)
        self.redraw()

    def action_centre(self) -> None:
        """Back to the best prices."""
        self._view.centre()
        self.redraw()

    def action_cursor(self, step: int) -> None:
        """The cursor to the next level down or up; while a quantity is typed, a smaller or larger one."""
        if self._views.cost.is_typing:
            self._views.cost.step(-step)
        else:
            self._view.move(step)
        self.redraw()

    def action_sideways(self, step: int) -> None:
        """The cursor to the right or to the left."""
        self._view.shift(step)
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """The cursor to what is under the mouse."""
        self._view.point(event.x - 1, event.y - 1 - self._above)
        self.redraw()

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor."""
        self.action_cursor(1)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor."""
        self.action_cursor(-1)


def _venues(book: BookSnapshot, *, is_brief: bool = False) -> str:
    """How many take part: `5 venues`, `4 of 5 venues`, in brief `4/5`."""
    present, missing = len(book.venues), len(book.missing_venues)
    if missing:
        return f"{present}/{present + missing}" if is_brief else f"{present} of {present + missing} venues"
    return f"{present} venue{'s' * (present != 1)}"
