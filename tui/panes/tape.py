"""Time and sales: the newest prints of one symbol."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from heapq import nlargest
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style

from tui.actions import bindings
from tui.market import format as fmt
from tui.market.names import AssetClass, Kind, Subscription, Symbol, Wants, asset_class
from tui.market.store import Freshness
from tui.panes.base import Fact, Pane
from tui.widgets.lines import PLAIN, Line, message, mixed

if TYPE_CHECKING:
    from tui.market.events import Trade

ARROWS: Final = {1: "▲", -1: "▼", 0: "·"}
BOLD: Final = Style(bold=True)
BIG: Final = 0.02
"""Share of the shown prints, by size, that count as big."""


class TapePane(Pane):
    """Prints of the selected symbol, or of the first of the list that has any."""

    pane_id: ClassVar[str] = "tape"
    title: ClassVar[str] = "Tape"
    number: ClassVar[int] = 5
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.TRADE})
    help: ClassVar[str] = (
        "Every print of the symbol: time (UTC), direction, price, size and venue. The direction is the taker's side "
        "where the provider tells it, else the move since the last different price: ▲ up, ▼ down. The largest two "
        "percent are marked with ■.\n\n"
        "Where nobody carries prints for the selected symbol, the tape stays with the last one that has some."
    )
    BINDINGS = bindings("tape")
    shown: Symbol | None = None

    def wants(self) -> Wants:
        """Prints of the shown symbol."""
        self.shown = self._choose()
        return frozenset({Subscription(Kind.TRADE, self.shown)}) if self.shown else frozenset()

    def heading(self) -> Sequence[Fact]:
        """Whose prints."""
        return [(self.shown, self.desk.palette.accent)] if self.shown else []

    def corner(self) -> Sequence[Fact]:
        """Source, or that it is stale."""
        if not self.shown:
            return ()
        subscription = Subscription(Kind.TRADE, self.shown)
        store = self.desk.store
        if store.freshness(subscription) is Freshness.STALE:
            return [(f"stale {store.ages.brief(store.received_ns(subscription))}", self.desk.palette.warning)]
        feed = store.serving(subscription)
        return [(feed.partition(":")[0], self.desk.palette.muted)] if feed else ()

    def rows(self, width: int, height: int) -> Sequence[Line]:
        """Newest first."""
        if not self.shown:
            return message(["No symbol with prints on this list."], width, height, self.desk.palette.muted)
        trades = list(self.desk.store.trades(self.shown))
        subscription = Subscription(Kind.TRADE, self.shown)
        if not trades:
            return message([self.desk.store.absence(subscription)], width, height, self.desk.palette.muted)
        live = self.desk.store.freshness(subscription) is Freshness.LIVE
        decimals = self.desk.store.decimals(self.shown)
        of = trades, height, self.desk.palette, live, decimals
        return self._kept.rows(of, lambda: self._prints(trades, height, decimals, live=live))

    def _prints(self, trades: Sequence[Trade], height: int, decimals: int, *, live: bool) -> list[Line]:
        big, shown = _threshold(trades), trades[-height:]
        moves = directions(trades, height)
        return [self._row(*each, decimals, big, live) for each in zip(reversed(shown), reversed(moves), strict=True)]

    def _row(self, trade: Trade, direction: int, decimals: int, big: Decimal, live: bool) -> Line:
        palette = self.desk.palette
        is_big = trade.size >= big
        style = palette.stale if not live else palette.moved(direction)
        bold = BOLD if is_big else PLAIN
        line = Line().add(" " + fmt.time_of_day(trade.ts_event_ns or trade.ts_recv_ns) + " ", palette.muted)
        line.add(ARROWS[direction], style).right(fmt.price(trade.price, decimals), 11, mixed(style, bold))
        line.right(fmt.size(trade.size), 8, mixed(palette.text if live else palette.stale, bold))
        return line.add(" ■ " if is_big else "   ", style).add(trade.venue or "", palette.muted)

    def _choose(self) -> Symbol | None:
        """The selected symbol; a pair, which no tape carries, leaves the choice to the rest of the list."""
        if self.symbol and asset_class(self.symbol) is not AssetClass.PAIR:
            return self.symbol if asset_class(self.symbol) is not AssetClass.INDEX else self._first()
        return self.shown if self.shown in self.desk.symbols else self._first()

    def _first(self) -> Symbol | None:
        return next((s for s in self.desk.symbols if asset_class(s) in (AssetClass.EQUITY, AssetClass.OPTION)), None)


def directions(trades: Sequence[Trade], count: int) -> list[int]:
    """1 or -1 by the taker's side, else by the tick rule: the move since the last different price; 0 when neither.

    Args:
        trades: Oldest first.
        count: Of how many of the newest.
    """
    first = max(len(trades) - count, 0)
    while 0 < first < len(trades) and trades[first - 1].price == trades[first].price:
        first -= 1
    out: list[int] = []
    before: Decimal | None = None
    tick = 0
    for trade in trades[max(first - 1, 0) :]:
        if before is not None and trade.price != before:
            tick = 1 if trade.price > before else -1
        before = trade.price
        out.append({"buy": 1, "sell": -1}[trade.side] if trade.side else tick)
    return out[-count:]


def _threshold(trades: Sequence[Trade]) -> Decimal:
    """The size from which a print is big: the largest two percent, of at least fifty prints."""
    if len(trades) < 50:
        return Decimal("Infinity")
    return nlargest(max(1, int(len(trades) * BIG)), [trade.size for trade in trades])[-1]
