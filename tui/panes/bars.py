"""Candles of the chosen symbol, with volume, indicators and a crosshair."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from rich.style import Style

from tui.actions import bindings
from tui.market import format
from tui.market.indicators import moving_average, period_of, vwap
from tui.market.names import Interval, Kind, Subscription, Wants
from tui.market.store import Changes, Freshness, Topic
from tui.panes.base import NS, Desk, Fact, Pane
from tui.widgets.axis import PriceScale, moment_text, price_scale
from tui.widgets.candles import DASHED, DOTTED, MAX_CELLS, SOLID, Pattern
from tui.widgets.chart import ARROWS, Chart, Curve, Ink, Layout, draw, largest_volume
from tui.widgets.lines import Line, message
from tui.widgets.timeline import Spacing

if TYPE_CHECKING:
    from tui.market.events import Bar

INTERVALS: Final = tuple(Interval)
FAST, SLOW = 20, 50
_INDICATORS: Final = (frozenset[str](), frozenset({"ma"}), frozenset({"vwap"}), frozenset({"ma", "vwap"}))
_MAX_DECIMALS: Final = 8
_LEARN_FROM: Final = 50
_MIN_COLUMNS: Final = 12
_NAMED_FROM: Final = 60
"""Width from which the source has room beside the last price in the title row."""

_Indicator = tuple[str, list[float | None], Pattern, Style]
"""Name, a value for each bar that shows, and look."""


class BarsPane(Pane):
    """A chart of one symbol at one interval."""

    pane_id = "bars"
    title = "Bars"
    number = 2
    kinds = frozenset({Kind.BAR})
    BINDINGS = bindings("bars")
    help = (
        "Candles of the symbol chosen in the quotes pane: a thin wick from low to high, a body from open to close. "
        "Without colour, and while the values are stale, a rise is drawn hollow and a fall filled.\n\n"
        "The tag on the right axis is the last price; its arrow and the change in percent are since the close of the "
        "bar before. Grid lines lie exactly on the prices beside them. All times are UTC.\n\n"
        "A few missing bars are left empty; a longer stretch without bars is folded into one dotted column with its "
        "length at the top.\n\n"
        "The crosshair shows the figures of its bar in the first row and scrolls into the past at the left edge; "
        "esc puts it away.\n\n"
        f"Indicators: averages of {FAST} (line) and {SLOW} (dots) closes, and the volume-weighted average price "
        "(dashes) since 00:00 UTC, for bars of a day since the month began, of a week since the year began; as far as "
        "bars are known."
    )

    def __init__(self, desk: Desk, interval: Interval = Interval.M5) -> None:
        super().__init__(desk)
        self.interval = interval
        self._cells = 2
        self._indicators = 0
        self._cross_ns: int | None = None
        self._end_ns: int | None = None
        self._scale: PriceScale | None = None
        self._forget()

    @property
    def subscription(self) -> Subscription | None:
        """What it shows, or None without a symbol."""
        return Subscription(Kind.BAR, self.symbol, self.interval) if self.symbol else None

    def wants(self) -> Wants:
        """The bars of the symbol at the interval."""
        return frozenset({self.subscription} if self.subscription else ())

    def is_touched_by(self, changes: Changes) -> bool:
        """Its own bars, or the state of a feed."""
        return self.subscription in changes.keys or Topic.FEEDS in changes.topics

    def heading(self) -> Sequence[Fact]:
        """Symbol, interval, last price and its change since the bar before, time to the close of the bar."""
        palette = self.desk.palette
        if not self.symbol:
            return ()
        facts: list[Fact] = [(self.symbol, palette.accent), (self.interval.value, palette.text)]
        bars = self._bars()
        if bars:
            style = palette.stale if self._is_stale() else palette.moved(_direction(bars, len(bars) - 1))
            facts.append((f"{self._price(bars[-1].close)} {_change(bars, len(bars) - 1)}", style))
            if left := self._countdown(bars[-1]):
                facts.append((f"closes {left}", palette.muted))
        return facts

    def corner(self) -> Sequence[Fact]:
        """Who sent the newest bar and how long ago; `stale` when it may not be believed."""
        subscription, palette = self.subscription, self.desk.palette
        bars = self._bars()
        if subscription is None or not bars:
            return ()
        age = self.desk.store.ages.brief(self.desk.store.received_ns(subscription)).rjust(4)
        source = f"{bars[-1].source} {age}" if self.size.width >= _NAMED_FROM else age
        if self._is_stale():
            return (("stale", palette.warning), (source, palette.stale))
        return ((source, palette.muted),)

    def rows(self, width: int, height: int) -> Sequence[Line]:
        """The figures of a bar, the chart, the time axis; or why there is none."""
        bars = self._bars()
        if not bars or self.symbol is None:
            return self._empty(width, height)
        if width < MAX_CELLS or height < 2:
            return ()
        desk, stale = self.desk, self._is_stale()
        of = bars, width, height, desk.palette, desk.colorless, stale, desk.store.decimals(self.symbol)
        return self._kept.rows(of, lambda: self._drawn(bars, width, height, stale=stale))

    def _drawn(self, bars: Sequence[Bar], width: int, height: int, *, stale: bool) -> Sequence[Line]:
        self._learn_decimals(bars)
        legend = 0 if height < 8 else 2 if self._indicators and height >= 10 else 1
        layout = self._layout(bars, width, height - legend)
        spacing = Spacing([bar.start_ns for bar in bars], self.interval, self._cells)
        self._follow_cross(spacing, layout.columns)
        timeline = spacing.back_from(self._end(spacing.starts), layout.columns)
        shown = bars[timeline.first : timeline.end]
        values = self._values(bars, timeline.first, timeline.end, stale=stale)
        chart = Chart(
            bars=shown,
            timeline=timeline,
            newest=bars[-1],
            newer=len(bars) - timeline.end,
            scale=self._fit(shown, layout.prices),
            cells=self._cells,
            decimals=self._decimals,
            layout=layout,
            ink=Ink(self.desk.palette, stale),
            hollow=self.desk.colorless or stale,
            curves=[Curve(line, pattern, style) for _, line, pattern, style in values],
            direction=_direction(bars, len(bars) - 1),
            cross=self._cross_in(shown),
        )
        index = timeline.first + chart.cross if chart.cross is not None else len(bars) - 1
        legends = [self._legend(bars, index, width, stale=stale)]
        legends.append(self._indicator_legend(values, index - timeline.first, width, stale=stale))
        return [*legends[:legend], *draw(chart)]

    def show_interval(self, interval: Interval) -> None:
        """Show bars of another length."""
        if interval is self.interval:
            return
        self.interval = interval
        self._forget()
        self.post_message(self.WantsChanged())
        self.redraw()

    def action_interval(self, delta: int) -> None:
        """The next longer (1) or shorter (-1) interval."""
        index = INTERVALS.index(self.interval) + delta
        self.show_interval(INTERVALS[min(max(index, 0), len(INTERVALS) - 1)])

    def action_width(self, delta: int) -> None:
        """Wider (1) or narrower (-1) bars."""
        self._cells = min(max(self._cells + delta, 1), MAX_CELLS)
        self._scale = None  # other bars show: the closest scale, not the last one
        self.redraw()

    def action_indicators(self) -> None:
        """None, moving averages, VWAP, all."""
        self._indicators = (self._indicators + 1) % len(_INDICATORS)
        self.redraw()

    def action_crosshair(self, delta: int) -> None:
        """To the next newer (1) or older (-1) bar; the first press puts the crosshair on the newest bar that shows."""
        bars = self._bars()
        if not bars:
            return
        starts = [bar.start_ns for bar in bars]
        if self._cross_ns is None:
            self._cross_ns = starts[self._end(starts) - 1]
        else:
            index = min(bisect_left(starts, self._cross_ns), len(bars) - 1) + delta
            self._cross_ns = starts[min(max(index, 0), len(bars) - 1)]
        self.redraw()

    def action_clear(self) -> None:
        """Put the crosshair away and go back to the newest bar."""
        self._cross_ns = self._end_ns = None
        self.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc belongs to the crosshair only while there is one."""
        return self._cross_ns is not None if action == "clear" else True

    def watch_symbol(self) -> None:
        """Another symbol: nothing of the last one stays."""
        self._forget()
        super().watch_symbol()

    def _forget(self) -> None:
        self._cross_ns = self._end_ns = None
        self._scale = None
        self._axis = 0
        self._decimals = 2

    def _bars(self) -> list[Bar]:
        return list(self.desk.store.bars(self.symbol, self.interval)) if self.symbol else []

    def _is_stale(self) -> bool:
        return self.subscription is not None and self.desk.store.freshness(self.subscription) is Freshness.STALE

    def _end(self, starts: Sequence[int]) -> int:
        """Index after the newest bar that shows."""
        if self._end_ns is None:
            return len(starts)
        return min(max(bisect_left(starts, self._end_ns) + 1, 1), len(starts))

    def _cross_in(self, shown: Sequence[Bar]) -> int | None:
        return next((index for index, bar in enumerate(shown) if bar.start_ns == self._cross_ns), None)

    def _follow_cross(self, spacing: Spacing, width: int) -> None:
        """Scroll when the bar under the crosshair is not among those that show."""
        if self._cross_ns is None:
            return
        cross = bisect_left(spacing.starts, self._cross_ns)
        timeline = spacing.back_from(self._end(spacing.starts), width)
        if cross < timeline.first:
            end = spacing.end_from(cross, width)
        elif cross >= timeline.end:
            end = cross + 1
        else:
            return
        self._end_ns = spacing.starts[end - 1] if end < len(spacing.starts) else None

    def _fit(self, shown: Sequence[Bar], rows: int) -> PriceScale:
        """The scale of the last frame while it still suits: a chart that jumps with every tick cannot be read."""
        low = min(min(bar.low, bar.open, bar.close) for bar in shown)
        high = max(max(bar.high, bar.open, bar.close) for bar in shown)
        if self._scale is None or not self._scale.suits(low, high, rows):
            self._scale = price_scale(low, high, rows, self._decimals)
        return self._scale

    def _layout(self, bars: Sequence[Bar], width: int, height: int) -> Layout:
        highest = max(self._price(max(bar.high for bar in bars[-200:])), self._price(bars[-1].close), key=len)
        self._axis = max(self._axis, len(highest) + 2)
        axis = self._axis if width - self._axis >= _MIN_COLUMNS else 0
        volume = max(1, round(height / 5)) if height >= 8 and largest_volume(bars[-200:]) else 0
        return Layout(width, max(height - volume - 1, 1), volume, axis)

    def _learn_decimals(self, bars: Sequence[Bar]) -> None:
        assert self.symbol
        exponents = (bar.close.normalize().as_tuple().exponent for bar in bars[-_LEARN_FROM:])
        seen = max((-e for e in exponents if isinstance(e, int)), default=0)
        known = self.desk.store.decimals(self.symbol)
        self._decimals = max(self._decimals, known, min(seen, _MAX_DECIMALS))

    def _values(self, bars: Sequence[Bar], first: int, end: int, *, stale: bool) -> list[_Indicator]:
        """Name, a value for each bar that shows, and look of each indicator that is on."""
        palette, on = self.desk.palette, _INDICATORS[self._indicators]
        styles = [palette.stale] * 3 if stale else [palette.accent, palette.warning, palette.text]
        out: list[_Indicator] = []
        if "ma" in on:
            begin = max(first - SLOW + 1, 0)
            closes = [float(bar.close) for bar in bars[begin:end]]
            fast, slow = moving_average(closes, FAST), moving_average(closes, SLOW)
            out.append((f"MA{FAST}", fast[first - begin :], SOLID, styles[0]))
            out.append((f"MA{SLOW}", slow[first - begin :], DOTTED, styles[1]))
        if "vwap" in on:
            begin = first
            period = period_of(bars[first].start_ns, self.interval)
            while begin > 0 and period_of(bars[begin - 1].start_ns, self.interval) == period:
                begin -= 1
            out.append(("VWAP", vwap(bars[begin:end], self.interval)[first - begin :], DASHED, styles[2]))
        return out

    def _price(self, value: Decimal) -> str:
        return format.price(value, self._decimals)

    def _countdown(self, bar: Bar) -> str:
        """Time to the close of the bar; empty when it is over, for bars too short to count down, and at rest."""
        left_s = (bar.start_ns + self.interval.seconds * NS - self.desk.now_ns()) // NS
        if left_s < 0 or self.interval.seconds < 60 or self.desk.store.ages.is_quiet:
            return ""
        minutes, seconds = divmod(left_s, 60)
        hours, minutes = divmod(minutes, 60)
        if hours >= 24:
            return f"{hours // 24}d {hours % 24:02}h"
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    def _legend(self, bars: Sequence[Bar], index: int, width: int, *, stale: bool) -> Line:
        """The figures of a bar; what does not fit goes, the least important first."""
        palette, bar = self.desk.palette, bars[index]
        value = palette.stale if stale else palette.text
        moved = palette.stale if stale else palette.moved(_direction(bars, index))
        prices = self._axis - 2
        crossed = self._cross_ns is not None
        pieces: list[tuple[int, str, str, Style]] = [
            (0, "", moment_text(bar.start_ns, self.interval), palette.accent if crossed else palette.muted),
            (4, "O", self._price(bar.open).rjust(prices), value),
            (3, "H", self._price(bar.high).rjust(prices), value),
            (3, "L", self._price(bar.low).rjust(prices), value),
            (1, "C", self._price(bar.close).rjust(prices), value),
            (2, "", _change(bars, index).rjust(8), moved),
            (5, "V", format.compact(bar.volume).rjust(5), value),
        ]
        for rank in (5, 4, 3, 2, 1):
            if _width(pieces, 1) < width:
                break
            pieces = [piece for piece in pieces if piece[0] != rank]
        gap = "  " if _width(pieces, 2) < width else " "
        line = Line()
        for _, label, text, style in pieces:
            line.add(gap if line.width else " ").add(label, palette.muted).add(text, style)
        return line

    def _indicator_legend(self, values: Sequence[_Indicator], index: int, width: int, *, stale: bool) -> Line:
        palette, line = self.desk.palette, Line()
        ink = palette.stale if stale else palette.text
        for name, figures, pattern, style in values:
            figure = figures[min(index, len(figures) - 1)]
            text = format.UNKNOWN if figure is None else self._price(Decimal(figure))
            piece = Line().add("  " if line.width else " ").add(f"{pattern.sample} {name} ", style)
            piece.right(text, self._axis - 2, ink)
            if line.width + piece.width <= width:
                line.extend(piece)
        return line

    def _empty(self, width: int, height: int) -> list[Line]:
        subscription, palette = self.subscription, self.desk.palette
        if subscription is None:
            return message(["No symbol chosen.", "Press / to add one."], width, height, palette.muted)
        lines = [f"No {self.interval} bars of {self.symbol} yet", self.desk.store.absence(subscription)]
        return message(lines, width, height, palette.muted)


def _width(pieces: Sequence[tuple[int, str, str, Style]], gap: int) -> int:
    return sum(gap + len(label) + len(text) for _, label, text, _ in pieces) - gap + 1


def _direction(bars: Sequence[Bar], index: int) -> int:
    """Sign of a bar's move since the close of the one before it, or since its open when there is none."""
    bar = bars[index]
    before = bars[index - 1].close if index else bar.open
    return (bar.close > before) - (bar.close < before)


def _change(bars: Sequence[Bar], index: int) -> str:
    """The same move in percent, with an arrow."""
    bar = bars[index]
    before = bars[index - 1].close if index else bar.open
    return (
        f"{ARROWS[_direction(bars, index)]} {format.percent((bar.close - before) / before * 100 if before else None)}"
    )
