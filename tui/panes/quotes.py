"""The watch list: one row a symbol, columns chosen by the width there is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import ClassVar, Final, NamedTuple

from rich.style import Style
from textual import events

from tui.actions import bindings
from tui.market import format as fmt
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.market.quotes import QuoteState
from tui.market.store import Freshness
from tui.messages import MoveRefused, SymbolChosen, SymbolRemoved, WatchlistEdited
from tui.panes.base import NS, Fact, Pane
from tui.themes import Palette
from tui.widgets.lines import Line, fit, fit_right, message, mixed
from tui.widgets.sparkline import range_bar, sparkline

FLASH_NS: Final = 400_000_000
FLASH_GAP_NS: Final = NS
MAX_FLASHES: Final = 1000
MAX_WIDTHS: Final = 16
LIT: Final = Style(reverse=True)
ARROWS: Final = {1: "▲", -1: "▼", 0: " "}


class Column(NamedTuple):
    """A column: its name, width in cells, and rank (1 is kept longest when the pane is narrow)."""

    name: str
    width: int
    rank: int
    left: bool = False


COLUMNS: Final = (
    Column("symbol", 9, 1, left=True),
    Column("last", 13, 1),
    Column("chg%", 8, 1),
    Column("change", 10, 7),
    Column("bid", 11, 4),
    Column("ask", 11, 4),
    Column("bid size", 8, 9),
    Column("ask size", 8, 9),
    Column("volume", 7, 5),
    Column("day range", 14, 8, left=True),
    Column("trend", 10, 3, left=True),
    Column("age", 5, 2),
    Column("source", 14, 6, left=True),
)
SORTS: Final = ("list", "symbol", "chg%", "last", "volume")


class Shown(NamedTuple):
    """All that a row is made of.

    Attributes:
        state: The figures.
        version: Of the state, which changes in place.
        age: How old they are.
        price_style: Of the last price, which may be lit.
        live: Whether they are live.
        own: Decimals of the symbol.
        decimals: The most in the list.
        chosen: Whether the row is selected.
        columns: What shows.
        width: Cells.
        palette: Colours.
    """

    state: QuoteState
    version: int
    age: str
    price_style: Style
    live: bool
    own: int
    decimals: int
    chosen: bool
    columns: Sequence[Column]
    width: int
    palette: Palette


class QuotesPane(Pane):
    """Quotes of the shown watch list; its selected row drives the other panes."""

    pane_id: ClassVar[str] = "quotes"
    title: ClassVar[str] = "Quotes"
    number: ClassVar[int] = 1
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.QUOTE})
    help: ClassVar[str] = (
        "Your watch list. The selected row drives bars, book and tape.\n\n"
        "▲ ▼ show the last move; a lit price has just changed. Dim figures are not live: the age column says how old "
        "they are, or at rest when they came. ? after a price: it jumped so far that a second update has "
        "to confirm it. d: delayed by contract. ~: derived from an order book, no trade behind it.\n\n"
        "/ adds a symbol, x removes it (u brings it back), s sorts, J and K move a row, w shows the next list."
    )
    BINDINGS = bindings("quotes")

    chosen: Symbol | None = None
    """The selected symbol; it stays selected wherever sorting moves its row."""
    sort_by: str = "list"
    _flashes: dict[Symbol, int]
    _top_row: int = 0

    def on_mount(self) -> None:
        """Start without any lit cell."""
        self._flashes = {}

    def wants(self) -> Wants:
        """A quote for every symbol of the list."""
        return frozenset(Subscription(Kind.QUOTE, symbol) for symbol in self.desk.symbols)

    def heading(self) -> Sequence[Fact]:
        """The list's name and the sort order."""
        palette = self.desk.palette
        facts = [(self.desk.watchlist, palette.muted), (f"{len(self.desk.symbols)}", palette.muted)]
        if self.sort_by != "list":
            facts.append((f"by {self.sort_by}", palette.accent))
        return facts

    def order(self) -> list[Symbol]:
        """Symbols in the order they are shown."""
        symbols = list(self.desk.symbols)
        if self.sort_by == "symbol":
            return sorted(symbols)
        if self.sort_by == "list":
            return symbols
        name = {"chg%": "change_percent", "last": "last", "volume": "volume"}[self.sort_by]
        known = {symbol: self._figure(symbol, name) for symbol in symbols}
        return sorted(symbols, key=lambda s: (known[s] is None, -(known[s] or Decimal())))

    def rows(self, width: int, height: int) -> list[Line]:
        """A header and as many symbols as fit, scrolled so that the selected one shows."""
        if not self.desk.symbols:
            return message(["No symbols yet.", "Press / to add one."], width, height, self.desk.palette.muted)
        columns = choose_columns(width - 1)
        order = self.order()
        visible, selected = max(1, height - 1), self._index(order)
        self._top_row = min(max(self._top_row, selected - visible + 1), selected, max(0, len(order) - visible))
        decimals = max((self.desk.store.decimals(symbol) for symbol in order), default=2)
        shown = order[self._top_row : self._top_row + visible]
        lines, kept = [self._header(columns)], self._kept.each(shown)
        for index, symbol in enumerate(shown, self._top_row):
            if (of := self._shown(symbol, columns, decimals, width, chosen=index == selected)) is None:
                lines.append(self._waiting(symbol, columns, width, chosen=index == selected))
            else:
                lines.append(kept[symbol].row(of, partial(_row, of)))
        return lines

    def _header(self, columns: Sequence[Column]) -> Line:
        line = Line().add(" ")
        for column in columns:
            style = self.desk.palette.accent if column.name == self.sort_by else self.desk.palette.muted
            (line.left if column.left else line.right)(column.name, column.width, style)
            line.add(" ")
        return line

    def _shown(
        self, symbol: Symbol, columns: Sequence[Column], decimals: int, width: int, *, chosen: bool
    ) -> Shown | None:
        store, subscription = self.desk.store, Subscription(Kind.QUOTE, symbol)
        state = store.quote(symbol)
        if state is None:
            return None
        live = store.freshness(subscription) is Freshness.LIVE
        return Shown(
            state=state,
            version=state.version,
            age=store.ages.brief(state.ts_recv_ns),
            price_style=self._price_style(state, live),
            live=live,
            own=store.decimals(symbol),
            decimals=decimals,
            chosen=chosen,
            columns=columns,
            width=width,
            palette=self.desk.palette,
        )

    def _waiting(self, symbol: Symbol, columns: Sequence[Column], width: int, *, chosen: bool) -> Line:
        palette = self.desk.palette
        line = _named(symbol, columns, palette, chosen=chosen)
        line.left(self.desk.store.absence(Subscription(Kind.QUOTE, symbol)), width - line.width, palette.stale)
        return _marked(line, width, palette, chosen=chosen)

    def _price_style(self, state: QuoteState, live: bool) -> Style:
        palette, now_ns = self.desk.palette, self.desk.now_ns()
        style = palette.moved(state.direction)
        if not live or not self.desk.flash or not state.moved_ns:
            return style
        started = self._flashes.get(state.symbol, 0)
        if state.moved_ns > started and state.moved_ns - started >= FLASH_GAP_NS:
            if len(self._flashes) >= MAX_FLASHES:
                self._flashes.clear()  # of symbols that came and went
            started = self._flashes[state.symbol] = state.moved_ns
        if now_ns - started < FLASH_NS:
            self.draw_again_at(started + FLASH_NS)
            return mixed(style, LIT)
        return style

    def _figure(self, symbol: Symbol, name: str) -> Decimal | None:
        state = self.desk.store.quote(symbol)
        return state.get(name) if state else None

    def action_move(self, step: int) -> None:
        """Select another row."""
        self.select(self._index(self.order()) + step)

    def action_edge(self, side: int) -> None:
        """Select the first or the last row."""
        self.select(0 if side < 0 else len(self.desk.symbols) - 1)

    def select(self, index: int) -> None:
        """Select a row by its position in the shown order and tell the other panes."""
        order = self.order()
        self.chosen = order[min(max(index, 0), len(order) - 1)] if order else None
        self.redraw()
        self.post_message(SymbolChosen(self.chosen))

    def select_symbol(self, symbol: Symbol) -> None:
        """Select the row of a symbol, when it is on the list."""
        order = self.order()
        if symbol in order:
            self.select(order.index(symbol))

    def action_remove(self) -> None:
        """Take the selected symbol off the list and select the next, before another key can mean the wrong one."""
        if order := self.order():
            index = self._index(order)
            self.desk.remove(order[index])
            self.post_message(SymbolRemoved(order[index]))
            self.select(index)

    def action_sort(self) -> None:
        """Sort by the next column; the same symbol stays selected."""
        self.sort_by = SORTS[(SORTS.index(self.sort_by) + 1) % len(SORTS)]
        self.redraw()

    def action_shift(self, step: int) -> None:
        """Move the selected symbol up or down its list; while it is sorted, say why nothing moves."""
        symbols = self.desk.symbols
        index = self._index(symbols)
        if self.sort_by != "list":
            self.post_message(MoveRefused(self.sort_by))
        elif 0 <= index + step < len(symbols):
            symbols[index], symbols[index + step] = symbols[index + step], symbols[index]
            self.redraw()
            self.post_message(WatchlistEdited())

    def _index(self, order: Sequence[Symbol]) -> int:
        return order.index(self.chosen) if self.chosen in order else 0

    def on_click(self, event: events.Click) -> None:
        """Select the row under the mouse."""
        row = event.y - 2 + self._top_row
        if 0 <= row < len(self.desk.symbols):
            self.select(row)


def _named(symbol: Symbol, columns: Sequence[Column], palette: Palette, *, chosen: bool) -> Line:
    line = Line().add("▌" if chosen else " ", palette.accent if chosen else palette.strong)
    return line.add(fit(symbol, columns[0].width) + " ", palette.strong)


def _marked(line: Line, width: int, palette: Palette, *, chosen: bool) -> Line:
    return line.to(width).on(palette.fill("selection"), but=_lit) if chosen else line


def _row(of: Shown) -> Line:
    line = _named(of.state.symbol, of.columns, of.palette, chosen=of.chosen)
    for column in of.columns[1:]:
        _cell(line, column, of)
    return _marked(line, of.width, of.palette, chosen=of.chosen)


def _cell(line: Line, column: Column, of: Shown) -> None:
    text, style = _content(column, of)
    if column.name == "last" and _lit(style):  # only the figure lights up, not the space before it
        line.add(" " * (column.width - len(text)))
        line.add(text.rstrip(), style).add(" " * (len(text) - len(text.rstrip()) + 1))
    else:
        cells = (fit if column.left else fit_right)(text, column.width)
        line.add(cells + " ", style if of.live else of.palette.stale)


def _content(column: Column, of: Shown) -> tuple[str, Style]:
    """A figure in its own decimals, in a column that has room for the most of the list, and its style."""
    state, own, palette = of.state, of.own, of.palette

    def aligned(text: str, width: int) -> str:
        """Decimal points meet as far as the column allows; a figure is never given up for it."""
        return text + " " * min(of.decimals - own + (own == 0 and of.decimals > 0), max(0, width - len(text)))

    match column.name:
        case "last":
            mark = "?" if "last" in state.suspects else "~" if state.get("last") is None else ""
            mark = mark or ("d" if state.is_delayed else ARROWS[state.direction] if of.live else " ")
            return aligned(fmt.price(state.price, own), column.width - 1) + mark, of.price_style
        case "chg%":
            return fmt.percent(state.get("change_percent")), palette.moved(_sign(state.get("change_percent")))
        case "change":
            text = aligned(fmt.signed(state.get("change"), own), column.width)
            return text, palette.moved(_sign(state.get("change")))
        case "bid" | "ask":
            return aligned(fmt.price(state.get(column.name), own), column.width), palette.style(column.name)
        case "bid size" | "ask size":
            return fmt.size(state.get(column.name.replace(" ", "_"))), palette.text
        case "volume":
            return fmt.compact(state.get("volume")), palette.text
        case "day range":
            return _day_range(state, column.width), palette.muted
        case "trend":
            return sparkline(state.spark, column.width), palette.muted
        case "age":
            return of.age, palette.muted
        case _:
            return state.source, palette.muted


def _day_range(state: QuoteState, width: int) -> str:
    low, high, last = state.get("low"), state.get("high"), state.price
    if low is None or high is None or last is None:
        return fmt.UNKNOWN
    return range_bar(low, high, last, width)


@lru_cache(maxsize=MAX_WIDTHS)
def choose_columns(width: int) -> Sequence[Column]:
    """The columns that fit, best rank first, in their own order; those of one rank come together or not at all."""
    chosen: set[str] = set()
    used = 0
    for rank in sorted({column.rank for column in COLUMNS}):
        together = [column for column in COLUMNS if column.rank == rank]
        needed = sum(column.width + 1 for column in together)
        if rank == 1 or used + needed <= width:
            chosen.update(column.name for column in together)
            used += needed
    return [column for column in COLUMNS if column.name in chosen]


def _sign(value: Decimal | None) -> int:
    return 0 if not value else 1 if value > 0 else -1


def _lit(style: Style | None) -> bool:
    return bool(style and style.reverse)
