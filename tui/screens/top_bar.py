"""The first row: the selected symbol, its touch, the session, the time."""

from __future__ import annotations

from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tui.clock import to_datetime
from tui.market import book as arithmetic
from tui.market import format as fmt
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness
from tui.market.terms import Session
from tui.widgets.line_bar import LineBar
from tui.widgets.lines import Line

SESSIONS = {
    Session.REGULAR: ("open", "good"),
    Session.PRE: ("pre-market", "warning"),
    Session.POST: ("after hours", "warning"),
    Session.CLOSED: ("closed", "muted"),
}
ARROWS = {1: "▲", -1: "▼", 0: " "}


@cache
def new_york() -> tzinfo | None:
    """The stock market's time zone, or None where the system has no zone data."""
    try:
        return ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return None


class TopBar(LineBar):
    """Facts drop from the right when the terminal is narrow."""

    symbol: Symbol | None = None
    behind: int | None = None
    """Updates that came while the screen is frozen, or None when it is not."""
    is_demo: bool = False
    _facts: Line | None = None
    """Price and spread as they were last drawn: they stand still while the screen is frozen."""

    def line(self, width: int) -> Line:
        """Name and symbol at the left, session and time at the right."""
        left = self._left(width)
        for right in (self._right(width), self._time(is_brief=True)):
            if left.width + right.width + 2 <= width:
                return left.to(width - right.width).extend(right)
        return left

    def _left(self, width: int) -> Line:
        palette = self.desk.palette
        line = Line().add(" tickdeck ", palette.style("accent", bold=True))
        if self.is_demo:
            line.add("demo ", palette.warning)
        if self.behind is not None:
            line.add(
                f" frozen, {self.behind:,} updates behind: p ", palette.style("background", bg="warning", bold=True)
            )
        if self.symbol:
            if self.behind is None or self._facts is None:
                self._facts = self._price()
                if width >= 90:
                    self._facts.extend(self._spread())
            line.add("  ").extend(self._facts)
        return line

    def _price(self) -> Line:
        palette, store = self.desk.palette, self.desk.store
        assert self.symbol
        subscription = Subscription(Kind.QUOTE, self.symbol)
        line = Line().add(self.symbol + " ", palette.strong)
        state = store.quote(self.symbol)
        if state is None:
            return line.add(store.absence(subscription), palette.muted)
        live = store.freshness(subscription) is Freshness.LIVE
        style = palette.moved(state.direction) if live else palette.stale
        line.add(fmt.price(state.price, store.decimals(self.symbol)), style)
        line.add(f" {ARROWS[state.direction] if live else ' '} ", style)
        percent = state.get("change_percent")
        if percent is not None:
            line.add(fmt.percent(percent), palette.moved(1 if percent > 0 else -1) if live else palette.stale)
        if not live:
            line.add(f" stale {store.ages.brief(store.received_ns(subscription))}", palette.warning)
        return line

    def _spread(self) -> Line:
        palette, store = self.desk.palette, self.desk.store
        line = Line()
        assert self.symbol
        quote, book = store.quote(self.symbol), store.book(self.symbol)
        bid, ask = (quote.get("bid"), quote.get("ask")) if quote else (None, None)
        if book and store.freshness(Subscription(Kind.BOOK, self.symbol)) is Freshness.LIVE:
            touch = arithmetic.touch(book.book)
            bid, ask = touch.bid, touch.ask
        elif store.freshness(Subscription(Kind.QUOTE, self.symbol)) is not Freshness.LIVE:
            return line
        if bid is None or ask is None or bid + ask <= 0:
            return line
        spread = ask - bid
        points = spread / ((bid + ask) / 2) * 10_000
        text = f"{fmt.price(spread, store.decimals(self.symbol))} ({points:.2f} bp)"
        line.add("   spread ", palette.muted).add(text, palette.text)
        return line.add(" crossed", palette.warning) if spread < 0 else line

    def _right(self, width: int) -> Line:
        palette, now_ns = self.desk.palette, self.desk.now_ns()
        line = Line()
        status, zone = self.desk.store.session, new_york()
        if status and width >= 100:
            word, role = SESSIONS[status.session]
            line.add("stocks ", palette.muted).add(word, palette.style(role))
            if zone and not self.desk.store.ages.is_quiet:
                line.add(f" {fmt.time_of_day(now_ns, zone, with_seconds=False)} ET", palette.muted)
            line.add("   ")
        return line.extend(self._time())

    def _time(self, *, is_brief: bool = False) -> Line:
        """The clock; while nothing happens, since when: a clock would be all that goes on."""
        palette, store = self.desk.palette, self.desk.store
        since_ns, ages = store.quiet_since_ns, store.ages
        if since_ns is None:
            time = fmt.time_of_day(ages.now_ns, with_seconds=not is_brief)
            return Line().add(time + (" " if is_brief else " UTC "), palette.text)
        if is_brief:
            return Line().add("quiet ", palette.muted).add(ages.brief(since_ns) + " ", palette.text)
        day = "" if ages.by_time(since_ns) else f"{to_datetime(since_ns):%Y-%m-%d} "  # a weekend is quiet, too
        time = f"{day}{fmt.time_of_day(since_ns)} UTC "
        return Line().add("quiet since ", palette.muted).add(time, palette.text)
