"""The ways to look at one book, behind one seam: the pane asks the present one for rows and hands it the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tui.market.book import learn_tick
from tui.market.names import AssetClass, Symbol, asset_class
from tui.market.store import MarketStore
from tui.widgets.cost_line import CostLine
from tui.widgets.cost_rows import HEIGHT as COST_HEIGHT
from tui.widgets.cost_rows import CostRows
from tui.widgets.depth_view import DepthView
from tui.widgets.heat_view import HeatView
from tui.widgets.ladder import Look
from tui.widgets.ladder_view import LadderView
from tui.widgets.lines import Line
from tui.widgets.venue_list import VenueList

if TYPE_CHECKING:
    from tui.market.events import BookSnapshot


class BookView(Protocol):
    """One way to look at a book. Keys may come while there is none yet."""

    def rows(self, width: int, height: int, look: Look, stale: str = "") -> list[Line]:
        """What shows; `stale` says how old the book is, in words, when it is not live."""

    def facts(self) -> list[str]:
        """What the heading says of it."""

    def zoom(self, direction: int) -> None:
        """`+` (1) and `-` (-1)."""

    def regroup(self, direction: int) -> None:
        """Coarser (1) or finer (-1) price steps."""

    def move(self, step: int) -> None:
        """The cursor down (1) or up (-1)."""

    def shift(self, step: int) -> None:
        """The cursor right (1) or left (-1)."""

    def point(self, x: int, y: int) -> None:
        """The cursor to a cell of `rows`."""

    def centre(self) -> None:
        """Let go of the cursor; back to the best prices."""


class Views:
    """The views of one symbol.

    Args:
        symbol: Whose book.
        store: For decimals and the history.
        like: Views of another symbol: the ladder's levels and bars start as they are there.
        left_out: Venues that are switched off.
    """

    def __init__(
        self,
        symbol: Symbol | None,
        store: MarketStore,
        like: Views | None = None,
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self.symbol = symbol
        self._store = store
        self.heat = HeatView(lambda: store.heat.of(symbol) if symbol else None, store.now_ns)
        self.ladder: LadderView = LadderView(like.ladder.limit, like.ladder.is_root) if like else LadderView()
        self.depth = DepthView(self.ladder.mid)
        self.venues = VenueList(left_out=left_out)
        self.cost = CostLine()
        self._cost_rows = CostRows()
        self._book: BookSnapshot | None = None
        if symbol and asset_class(symbol) is AssetClass.PAIR:
            self.ladder.currency = self.depth.currency = symbol.partition("/")[2]
            self.cost.base, self.cost.currency = symbol.split("/")

    @property
    def all(self) -> tuple[BookView, ...]:
        """In the order in which they are shown."""
        return self.ladder, self.depth, self.heat

    def show(self, book: BookSnapshot) -> None:
        """Take a book: all views know the same one."""
        rest = self.venues.show(book)
        decimals = self._store.decimals(book.symbol)
        self.ladder.decimals = self.depth.decimals = self.heat.decimals = decimals
        self.venues.decimals = self._cost_rows.decimals = decimals
        self.ladder.now_ns = self._store.now_ns()
        self.heat.is_quiet = self._store.ages.is_quiet
        self.cost.show(rest)
        self.ladder.taken = self.cost.reach()
        if rest is not self._book:
            self._book, tick = rest, learn_tick(rest)
            for view in (self.ladder, self.depth, self.heat):
                view.show(rest, tick)
        self.venues.letters, self.venues.suspects = self.ladder.letters, self.ladder.suspects

    def rows(self, view: BookView, width: int, height: int, look: Look, stale: str) -> list[Line]:
        """What a view shows, above the cost of a size when that is open and there is room for both."""
        if not self.cost.is_open or height <= COST_HEIGHT:
            return view.rows(width, height, look, stale)
        rows = view.rows(width, height - COST_HEIGHT, look, stale)
        rows += [Line() for _ in range(height - COST_HEIGHT - len(rows))]
        return rows + self._cost_rows.rows(self.cost, width, look, self.ladder.letters)
