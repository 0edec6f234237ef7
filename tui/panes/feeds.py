"""Every connection: what it does, how well, and what to do when it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from rich.style import Style
from textual import events

from tui.actions import bindings
from tui.market import format as fmt
from tui.market.ages import Ages
from tui.market.names import Kind
from tui.market.store import Changes, FeedRecord, Topic
from tui.market.terms import FeedState
from tui.messages import ReconnectRequested
from tui.panes.base import NS, Fact, Pane
from tui.themes import Palette
from tui.widgets.lines import Line, message

LIGHTS: Final = {
    FeedState.IDLE: ("○", "muted"),
    FeedState.CONNECTING: ("◌", "accent"),
    FeedState.AUTHENTICATING: ("◔", "accent"),
    FeedState.LIVE: ("●", "good"),
    FeedState.BACKING_OFF: ("◐", "warning"),
    FeedState.FAILED: ("✖", "error"),
}


LAG_S: Final = 0.05
"""A key that has to wait this long is felt."""
MINUTES_FROM_S: Final = 120
"""Waits this long are told in minutes, hours, days."""


class Column(NamedTuple):
    """A figure of a feed: heading, width, and rank (1 is kept longest)."""

    name: str
    width: int
    rank: int


COLUMNS: Final = (
    Column("latency", 7, 1),
    Column("msg/s", 6, 2),
    Column("data/s", 6, 3),
    Column("last", 5, 1),
    Column("subs", 4, 4),
    Column("total", 6, 6),
    Column("reconn", 6, 4),
    Column("gaps", 5, 7),
    Column("bad", 4, 5),
    Column("refused", 7, 6),
)

NARROW: Final = 42
"""Below this width only the first letters of a provider show, or there would be no room for the state."""
ENOUGH: Final = 24
"""Cells of a state's text that tell enough; where they would not fit, it takes the place of the figures."""


def light(record: FeedRecord, palette: Palette, now_ns: int) -> tuple[str, Style]:
    """The sign and colour of a feed's state; a live one that has fallen silent is degraded."""
    state = record.status.state if record.status else FeedState.IDLE
    if state is FeedState.LIVE and (record.stats.silent_s(now_ns) or record.stats.slow_s(now_ns)):
        return "◑", palette.warning
    sign, role = LIGHTS[state]
    return sign, palette.style(role)


def state_text(record: FeedRecord, ages: Ages) -> str:
    """State and reason with the seconds left: `retry in 8s: connection refused`."""
    status, now_ns = record.status, ages.now_ns
    if status is None:
        return FeedState.IDLE.value
    if status.state is FeedState.LIVE and (silent := record.stats.silent_s(now_ns)):
        return f"degraded: silent {ages.lasting(now_ns - int(silent * NS))}"
    if status.state is FeedState.LIVE and (slow := record.stats.slow_s(now_ns)):
        return f"slow: behind {ages.lasting(now_ns - int(slow * NS))}"
    if status.state is FeedState.BACKING_OFF and status.retry_at_ns is not None:
        left = max(0, round((status.retry_at_ns - now_ns) / NS))
        wait = f"retry in {left}s" if left < MINUTES_FROM_S else f"retry in {fmt.age(left)}"
        return f"{wait}: {status.reason}" if status.reason else wait
    return f"{status.state}: {status.reason}" if status.reason else status.state.value


class FeedsPane(Pane):
    """The health of every feed."""

    pane_id: ClassVar[str] = "feeds"
    title: ClassVar[str] = "Feeds"
    number: ClassVar[int] = 6
    kinds: ClassVar[frozenset[Kind]] = frozenset()
    help: ClassVar[str] = (
        "One row a connection: ● live, ◑ degraded (silent for longer than its rhythm explains; its values are stale), "
        "◌ connecting, ◔ logging in, ◐ waiting before the next attempt, ✖ waiting for you, ○ nothing wanted of it.\n\n"
        "The selected row is spelled out below the list: its reason, what you can do, what it refused. latency: round "
        "trip of our last ping. bad: messages that could not be read. gaps: numbers missing in a sequence. R connects "
        "at once.\n\nloop: the longest that a key had to wait in the last second. slow: for so long more has come than "
        "can be read, so that what is shown is behind; nothing is lost, and the screen is drawn less often meanwhile."
    )
    BINDINGS = bindings("feeds")
    selected: int = 0

    def is_touched_by(self, changes: Changes) -> bool:
        """Feeds changed state."""
        return Topic.FEEDS in changes.topics

    def heading(self) -> Sequence[Fact]:
        """How many are well, and how well we keep up ourselves."""
        feeds = self.desk.store.feeds
        live = sum(self.desk.store.is_live(name) for name in feeds)
        wanted = sum(record.stats.subscriptions > 0 for record in feeds.values())
        style = self.desk.palette.good if live >= wanted else self.desk.palette.warning
        return [(f"{live} of {max(live, wanted)} live", style), self._lag()]

    def _lag(self) -> Fact:
        """How long keys had to wait; on a screen at rest, of when all these figures are."""
        palette, ages = self.desk.palette, self.desk.store.ages
        if ages.is_quiet and not self.has_focus:
            return f"as of {fmt.time_of_day(ages.now_ns)}", palette.muted
        style = palette.warning if self.desk.lag_s >= LAG_S else palette.muted
        return f"loop {self.desk.lag_s * 1000:.0f} ms", style

    def rows(self, width: int, height: int) -> Sequence[Line]:
        """A header, one row a feed, then what is to be said of the selected one."""
        feeds = self.desk.store.feeds
        if self.has_focus:
            self.draw_again_at((self.desk.now_ns() // NS + 1) * NS)  # whoever is here wants to see heartbeats too
        if not feeds:
            return message(["No provider is configured."], width, height, self.desk.palette.muted)
        self.selected = min(self.selected, len(feeds) - 1)
        name_width = max(len(_shown(name, width)) for name in feeds) + 1
        columns = _choose(width - name_width - 14)
        lines = [self._header(columns, name_width)] if height > len(feeds) else []
        for index, (name, record) in enumerate(feeds.items()):
            lines.append(self._row(name, record, columns, name_width, width, index))
        detail = list(feeds.items())[self.selected]
        return lines + self._detail(*detail, width)

    def _header(self, columns: Sequence[Column], name_width: int) -> Line:
        line = Line().left("   feed", name_width + 3, self.desk.palette.muted)
        for column in columns:
            line.right(column.name, column.width + 1, self.desk.palette.muted)
        return line.add("  state", self.desk.palette.muted)

    def _row(
        self, name: str, record: FeedRecord, columns: Sequence[Column], name_width: int, width: int, index: int
    ) -> Line:
        palette = self.desk.palette
        chosen = self.has_focus and index == self.selected
        sign, style = light(record, palette, self.desk.now_ns())
        line = Line().add("▌" if chosen else " ", palette.accent).add(sign + " ", style)
        line.left(_shown(name, width), name_width, palette.strong if chosen else palette.text)
        text = state_text(record, self.desk.store.ages)
        if text.startswith("live:"):  # its reason is the plan: spelled out below the list
            text = FeedState.LIVE.value
        room = width - line.width - sum(column.width + 1 for column in columns) - 2
        if room >= min(len(text), ENOUGH):
            figures = self._figures(record)
            for column in columns:
                line.right(figures[column.name], column.width + 1, palette.muted)
        return line.add("  ").left(text, max(0, width - line.width), style)

    def _figures(self, record: FeedRecord) -> dict[str, str]:
        stats, now_ns = record.stats, self.desk.now_ns()
        frames, size = stats.rates(now_ns)
        return {
            "latency": fmt.latency(stats.latency_s),
            "msg/s": f"{frames:.1f}" if frames < 1000 else f"{frames:.0f}",
            "data/s": fmt.data(size),
            "last": self.desk.store.ages.brief(stats.last_frame_ns),
            "subs": str(stats.subscriptions),
            "total": fmt.data(stats.bytes),
            "reconn": str(stats.reconnects),
            "gaps": str(stats.counts["gap"]),
            "bad": str(stats.counts["undecodable"] + stats.counts["rejected"]),
            "refused": str(len(stats.refused)),
        }

    def _detail(self, name: str, record: FeedRecord, width: int) -> list[Line]:
        palette, stats = self.desk.palette, record.stats
        texts = [state_text(record, self.desk.store.ages)]
        if record.status and record.status.remedy:
            texts.append(record.status.remedy)
        texts += [line for line in stats.note.splitlines() if line not in texts[0]]
        texts += [f"refused {what}: {why}" for what, why in list(stats.refused.items())[:10]]
        head = Line().add(" ─ ", palette.faint).add(name, palette.accent)
        return [Line(), head, *(Line().add("   ").left(text, max(0, width - 4), palette.text) for text in texts)]

    def action_move(self, step: int) -> None:
        """Select another feed."""
        self.selected = min(max(self.selected + step, 0), max(0, len(self.desk.store.feeds) - 1))
        self.redraw()

    def action_reconnect(self) -> None:
        """Connect the selected feed now."""
        names = list(self.desk.store.feeds)
        if names:
            self.post_message(ReconnectRequested(names[self.selected]))

    def on_click(self, event: events.Click) -> None:
        """Select the feed under the mouse."""
        row = event.y - 1 - (1 if self.size.height - 2 > len(self.desk.store.feeds) else 0)
        if 0 <= row < len(self.desk.store.feeds):
            self.selected = row
            self.redraw()


def _shown(name: str, width: int) -> str:
    provider, _, channel = name.partition(":")
    return name if width >= NARROW else f"{provider[:3]}:{channel}"


def _choose(width: int) -> list[Column]:
    chosen: list[Column] = []
    for column in sorted(COLUMNS, key=lambda c: c.rank):
        if sum(c.width + 1 for c in chosen) + column.width + 1 <= width:
            chosen.append(column)
    return [column for column in COLUMNS if column in chosen]
