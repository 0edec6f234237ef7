"""Is what the screen says true? An independent judge that knows the server's side of every connection.

A *lie* is one of these, and a run with a single one has failed:

`cut`       A value counts as live (`MarketStore.freshness`) on a login from before the moment of a report in which the
            server has had no open connection on the serving channel for more than `CUT_S`.
`mute`      A value counts as live although the server sent nothing on the serving connection for longer than the
            channel's `silence_s` and `SLACK_S`.
`frozen`    A value counts as live although the connection has been half open (nothing sent, pings unanswered) for
            longer than `HALF_OPEN_S`: ping interval, ping limit, `SLACK_S`.
`value`     The best bid or ask of a live book, or the last, bid or ask of a live quote, is none that the server sent on
            the newest connection of the serving channel within `LATE_S` before the look, nor the last one sent before.
            On a half-open one, within `LATE_S` before it became that: how long it may then last is for `frozen` to say.
`screen`    The same for what can be read off the panes: the price in the `last` column of a live row of the quotes, and
            the mid of a live book, both compared in the decimals in which they are shown. A drawn figure may be
            `DRAWN_S` older than the store, and is looked at when its value has been live for as long.
`style`     A digit in a live colour (text, up, down, bid, ask) where the value has counted as stale for more than
            `DRAWN_S`: in the rows of the book, the tape and the bars, in a row of the quotes, in the price of the top
            bar.

A pane is looked at when it has been on the screen for `DRAWN_S`. The judge lives on the dashboard's event loop: by as
much as it lately came later than usual to look, values and panes may be later too.

What the screen shows while it is frozen by the user's own key is not judged: the screen says that it is frozen. Nor is
anything for `RECOVER_S` after the judge could not look for longer than `STALL_S`: the machine was busy elsewhere, and
what waited in the sockets is being read. Such looks are counted.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from rich.color import Color
from textual.strip import Strip

from tests.soak.ledger import Saying
from tui.app import MarketApp
from tui.feeds.transport import PING_S
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness
from tui.panes.base import Pane
from tui.panes.book import BookPane
from tui.panes.quotes import COLUMNS, QuotesPane
from tui.screens.top_bar import TopBar
from tui.themes import Palette
from tui.widgets.lines import fit

CUT_S = 1.0
SLACK_S = 2.5
HALF_OPEN_S = 2 * PING_S + SLACK_S
LATE_S = 2.5
DRAWN_S = 1.6
EARLY_S = 0.3
"""A frame is on the screen before the server has noted that it sent it, by as much as its process is kept waiting."""
LOOK_S = 0.2
"""Between two looks, usually."""
KEPT_PAUSES = 16
"""Pauses between looks that say how late the loop lately was."""
STALL_S = 1.0
RECOVER_S = 2.0
SYMBOL_CELLS = COLUMNS[0].width
LIVE_ROLES = ("text", "up", "down", "bid", "ask")
MAX_TOLD = 10
"""Lies of each kind that are told in words."""
_NUMBER = re.compile(r"-?[\d,]*\d(?:\.\d+)?")
_DIGIT = re.compile(r"\d")
_DATE = re.compile(r"\s*(\d{1,2} [A-Z][a-z]{2}|\d{4})\s*")
"""What stands on the time axis of the bars: no value."""


class Line(NamedTuple):
    """A connection as the server reported it; times are monotonic seconds."""

    number: int
    opened_s: float
    sent_s: float
    closed_s: float | None
    frozen_s: float | None


@dataclass(frozen=True)
class Report:
    """How things stood at the server at one moment: the newest connection of each channel."""

    at_s: float
    lines: Mapping[str, Line]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Report:
        """From what the server's process wrote."""
        return cls(raw["at"], {name: Line(*line) for name, line in raw["lines"].items()})


class Claim(NamedTuple):
    """Something that was shown as live, to be compared with what the server said until then."""

    kind: str
    at_s: float
    number: int
    symbol: str
    what: str
    value: Decimal
    decimals: int | None
    late_s: float


@dataclass
class History:
    """What was said of one figure on one connection: enough to know what it was during the last seconds."""

    said: deque[tuple[float, Decimal]] = field(default_factory=lambda: deque(maxlen=2000))

    def during(self, start_s: float, end_s: float) -> Iterator[Decimal]:
        """Every value that it had in a span of time, the one it began with included."""
        before: Decimal | None = None
        for at_s, value in self.said:
            if at_s < start_s:
                before = value
            elif at_s <= end_s:
                yield value
        if before is not None:
            yield before


class Judge:
    """Looks at the dashboard whenever the server reports.

    Attributes:
        lies: How many, by kind.
        told: The first ones in words.
        looks: How often it looked.
        skipped: How often it did not, because it had been held up.
        compared: How many figures were held against what the server sent.
    """

    def __init__(self, app: MarketApp, now_s: Callable[[], float]) -> None:
        self._app = app
        self._now_s = now_s
        self._claims: list[Claim] = []
        self._said: dict[tuple[int, str, str], History] = {}
        self._stale_since: dict[Subscription, float] = {}
        self._live_since: dict[Subscription, tuple[int, float]] = {}
        self._frozen: dict[int, tuple[float, float]] = {}
        self._shown_since: dict[str, float] = {}
        self._pauses: deque[float] = deque(maxlen=KEPT_PAUSES)
        self.lies: Counter[str] = Counter()
        self.told: list[str] = []
        self.looks = 0
        self.skipped = 0
        self._looked_s = now_s()
        self._awake_s = 0.0
        self.compared: Counter[str] = Counter()

    def look(self, *raw: Mapping[str, Any]) -> None:
        """Judge the claims of the last look, now that all said until then is known, and make new ones.

        Args:
            raw: All reports since the last look; the newest says how things are.
        """
        report = Report.read(raw[-1])
        for each in raw:
            self._learn(report, each["said"])
        self._note_frozen(report)
        known_s = report.at_s - EARLY_S
        for claim in self._claims:
            if claim.at_s <= known_s:
                self._judge(claim)
        self._claims = [claim for claim in self._claims if claim.at_s > known_s]
        now_s = self._now_s()
        self._looked_s, pause_s = now_s, now_s - self._looked_s
        self._pauses.append(pause_s)
        if pause_s > STALL_S:
            self._awake_s = now_s + RECOVER_S
        if now_s < self._awake_s:
            self.skipped += 1
            self._claims.clear()
            self._stale_since.clear()
            self._live_since.clear()
            self._shown_since.clear()
            return
        self.looks += 1
        for subscription in self._app.hub.manager.wanted if self._app.hub else ():
            self._look_at(subscription, report, now_s)
        if self._is_drawn():
            self._look_at_panes(report, now_s)
        else:
            self._shown_since.clear()

    @property
    def _lag_s(self) -> float:
        """How much later than usual it lately came to look: everything else on the loop was as late."""
        return max(0.0, max(self._pauses, default=0.0) - LOOK_S)

    def _look_at(self, subscription: Subscription, report: Report, now_s: float) -> None:
        store = self._app.store
        if store.freshness(subscription) is not Freshness.LIVE:
            self._live_since.pop(subscription, None)
            if store.freshness(subscription) is Freshness.STALE:
                self._stale_since.setdefault(subscription, now_s)
            return
        self._stale_since.pop(subscription, None)
        feed = store.serving(subscription)
        line = report.lines.get(feed or "")
        if self._live_since.get(subscription, (0, 0.0))[0] != (line.number if line else 0):
            self._live_since[subscription] = (line.number if line else 0, now_s)
        if doubt := self._doubt(feed or "", line, report.at_s):
            self._lie(doubt, f"{subscription} is live at {feed}: {line}, report of {report.at_s:.2f}")
        elif line is not None and subscription.symbol:
            self._claims += self._values(subscription, line.number, now_s)

    def _doubt(self, feed: str, line: Line | None, at_s: float) -> str:
        """Why nothing that this feed serves can be live, or nothing."""
        assert self._app.hub
        connection = self._app.hub.feeds[feed]
        if connection.live_since is None or connection.live_since > at_s:
            return ""  # it has logged in since the report
        if line is None or (line.closed_s is not None and at_s - line.closed_s > CUT_S):
            return "cut"
        if line.frozen_s is not None and at_s - line.frozen_s > HALF_OPEN_S:
            return "frozen"
        return "mute" if at_s - line.sent_s > connection.channel.limits.silence_s + SLACK_S else ""

    def _values(self, subscription: Subscription, number: int, now_s: float) -> Iterator[Claim]:
        store, symbol = self._app.store, subscription.symbol
        assert symbol
        if subscription.kind is Kind.BOOK and (state := store.book(symbol)):
            for what, side in (("book bid", state.book.bids), ("book ask", state.book.asks)):
                if side:
                    yield Claim("value", now_s, number, symbol, what, side[0][0], None, LATE_S + self._lag_s)
        elif subscription.kind is Kind.QUOTE and (quote := store.quote(symbol)):
            for what in ("last", "bid", "ask"):
                if (value := quote.get(what)) is not None:
                    yield Claim("value", now_s, number, symbol, what, value, None, LATE_S + self._lag_s)

    def _learn(self, report: Report, said: Sequence[Sequence[Any]]) -> None:
        for each in map(Saying._make, said):
            history = self._said.setdefault((each.number, each.symbol, each.what), History())
            history.said.append((each.at_s, Decimal(each.value)))
        newest = {line.number for line in report.lines.values()} | {claim.number for claim in self._claims}
        self._said = {key: history for key, history in self._said.items() if key[0] in newest}

    def _note_frozen(self, report: Report) -> None:
        known = {line.number: self._frozen.get(line.number) for line in report.lines.values()}
        now = {line.number: (line.frozen_s, report.at_s) for line in report.lines.values() if line.frozen_s}
        self._frozen = {number: frozen for number, frozen in (known | now).items() if frozen}

    def _judge(self, claim: Claim) -> None:
        symbol = claim.symbol.rpartition(":")[2]  # some are asked for by the provider's own code
        history = self._said.get((claim.number, symbol, claim.what), History())
        self.compared[claim.kind] += 1
        values = list(history.during(self._reached_s(claim) - claim.late_s, claim.at_s + EARLY_S))
        if not any(_is_same(claim, value) for value in values):
            known = ", ".join(map(str, values[-5:])) or "nothing"
            self._lie(claim.kind, f"{claim.symbol} {claim.what} {claim.value} on {claim.number}, sent: {known}")

    def _reached_s(self, claim: Claim) -> float:
        """Until when what was sent could arrive: on a half-open connection, until it became that."""
        frozen_s, seen_s = self._frozen.get(claim.number, (claim.at_s, claim.at_s))
        return min(frozen_s, claim.at_s) if claim.at_s - seen_s < claim.late_s else claim.at_s

    def _is_drawn(self) -> bool:
        main = self._app.main
        return self._app.is_running and main is not None and main.query_one(TopBar).behind is None

    def _look_at_panes(self, report: Report, now_s: float) -> None:
        assert self._app.main
        for pane in self._app.main.panes:
            if not pane.display or len(pane._strips) < 3:
                self._shown_since.pop(pane.pane_id, None)
                continue
            if now_s - self._shown_since.setdefault(pane.pane_id, now_s) <= DRAWN_S + self._lag_s:
                continue  # what it has from before it was hidden is drawn anew in a moment
            if isinstance(pane, QuotesPane):
                self._look_at_rows(pane, report, now_s)
            else:
                self._look_at_whole(pane, report, now_s)
        self._look_at_top(now_s)

    def _look_at_rows(self, pane: QuotesPane, report: Report, now_s: float) -> None:
        symbols = {fit(symbol, SYMBOL_CELLS): symbol for symbol in self._app.desk.symbols}
        for strip in pane._strips[2:-1]:
            symbol = symbols.get(strip.text[2 : 2 + SYMBOL_CELLS])
            if symbol is None:
                continue
            subscription = Subscription(Kind.QUOTE, symbol)
            if self._is_long_stale(subscription, now_s):
                self._check_style(f"quotes, {symbol}", strip.crop(2 + SYMBOL_CELLS), pane)
            elif self._is_long_live(subscription, now_s):
                found = _NUMBER.search(strip.text, 2 + SYMBOL_CELLS)
                if found and strip.text[found.end() :].lstrip()[:1] != "~":  # a mid of its own making
                    self._claim_text(subscription, "last", found[0], report, now_s)

    def _look_at_whole(self, pane: Pane, report: Report, now_s: float) -> None:
        for subscription in pane.wants():
            if self._is_long_stale(subscription, now_s):
                for strip in pane._strips[1:-1]:
                    self._check_style(f"{pane.pane_id}, {subscription}", strip, pane)
            elif isinstance(pane, BookPane) and self._is_long_live(subscription, now_s):
                self._claim_mid(pane, subscription, report, now_s)

    def _claim_mid(self, pane: BookPane, subscription: Subscription, report: Report, now_s: float) -> None:
        """The mid stands in the row with the basis points, and has one decimal more than prices have."""
        row = next((strip.text for strip in pane._strips[2:-1] if "bp" in strip.text), "")
        decimals = self._app.store.decimals(subscription.symbol or Symbol("")) + 1
        for found in _NUMBER.finditer(row):
            if len(found[0].partition(".")[2]) == decimals and not row.startswith("bp", found.end()):
                self._claim_text(subscription, "book mid", found[0], report, now_s)

    def _look_at_top(self, now_s: float) -> None:
        assert self._app.main
        top = self._app.main.query_one(TopBar)
        if top.symbol and self._is_long_stale(Subscription(Kind.QUOTE, top.symbol), now_s):
            for segment in top._price().segments:
                style = segment.style
                if style and style.color and _DIGIT.search(segment.text) and segment.text.strip() != top.symbol:
                    self._check_color("top bar", segment.text, style.color)

    def _is_long_stale(self, subscription: Subscription, now_s: float) -> bool:
        if self._app.store.freshness(subscription) is not Freshness.STALE:
            return False
        return now_s - self._stale_since.get(subscription, now_s) > DRAWN_S + self._lag_s

    def _is_long_live(self, subscription: Subscription, now_s: float) -> bool:
        """Live, and on one connection for so long that nothing older can be on the screen any more."""
        since = self._live_since.get(subscription)
        return since is not None and now_s - since[1] > DRAWN_S + self._lag_s

    def _claim_text(self, subscription: Subscription, what: str, text: str, report: Report, now_s: float) -> None:
        line = report.lines.get(self._app.store.serving(subscription) or "")
        if line is not None and subscription.symbol:
            late_s = LATE_S + DRAWN_S + self._lag_s
            value, decimals = Decimal(text.replace(",", "")), len(text.partition(".")[2])
            self._claims.append(Claim("screen", now_s, line.number, subscription.symbol, what, value, decimals, late_s))

    def _check_style(self, where: str, strip: Strip, pane: Pane) -> None:
        for text, style, _ in strip:
            if style and style.color and _DIGIT.search(text):
                self._check_color(where, text, style.color)

    def _check_color(self, where: str, text: str, color: Color) -> None:
        if not _DATE.fullmatch(text) and color in _live_colors(self._app.desk.palette):
            self._lie("style", f"{where}: {text.strip()!r} looks live")

    def _lie(self, kind: str, words: str) -> None:
        self.lies[kind] += 1
        if self.lies[kind] <= MAX_TOLD:
            self.told.append(f"{kind}: {words}")


def _live_colors(palette: Palette) -> set[Color | None]:
    return {palette.style(role).color for role in LIVE_ROLES} - {palette.stale.color}


def _is_same(claim: Claim, value: Decimal) -> bool:
    if claim.decimals is None:
        return claim.value == value
    return abs(claim.value - value) <= Decimal(1).scaleb(-claim.decimals) / 2
