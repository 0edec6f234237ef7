"""The last row: a light for every provider, and what the focused pane's keys do."""

from __future__ import annotations

from collections.abc import Mapping

from tui.actions import ACTIONS
from tui.market import format as fmt
from tui.market.events import FeedState
from tui.market.store import FeedRecord
from tui.panes.base import NS, Desk
from tui.panes.feeds import light, state_text
from tui.widgets.line_bar import LineBar
from tui.widgets.lines import Line

WORST_FIRST = (
    FeedState.FAILED,
    FeedState.BACKING_OFF,
    FeedState.CONNECTING,
    FeedState.AUTHENTICATING,
    FeedState.LIVE,
    FeedState.IDLE,
)


class StatusBar(LineBar):
    """Whole items drop when there is no room; nothing is cut inside a number."""

    focused: str = ""
    """Id of the pane that has the focus."""

    def __init__(self, desk: Desk, *, id: str, keys: Mapping[str, str]) -> None:
        super().__init__(desk, id=id)
        self.keys = keys
        """Keys that the configuration moved, by action id."""

    def line(self, width: int) -> Line:
        """Lights at the left, hints at the right."""
        hints = self._hints(width // 2)
        line = Line()
        for name, record in self._providers().items():
            item = self._light(name, record)
            if line.width + item.width + hints.width > width:
                item = self._light(name, record, short=True)
                if line.width + item.width + hints.width > width:
                    break
            line.extend(item)
        return line.to(width - hints.width).extend(hints)

    def _providers(self) -> dict[str, FeedRecord]:
        """The record of each provider's feed that is worst off, of those that somebody wants."""
        worst: dict[str, FeedRecord] = {}
        for name, record in self.desk.store.feeds.items():
            provider = name.partition(":")[0]
            known = worst.get(provider)
            if known is None or _rank(record) < _rank(known):
                worst[provider] = record
        return worst

    def _light(self, name: str, record: FeedRecord, *, short: bool = False) -> Line:
        palette, now_ns = self.desk.palette, self.desk.now_ns()
        sign, style = light(record, palette)
        line = Line().add(f" {sign} ", style).add(name, palette.text)
        state = record.status.state if record.status else FeedState.IDLE
        if state in (FeedState.BACKING_OFF, FeedState.FAILED):
            return line.add(" " + (state.value if short else state_text(record, now_ns)) + " ", style)
        if not short and state is FeedState.LIVE and record.stats.last_frame_ns is not None:
            line.add(f" {fmt.age((now_ns - record.stats.last_frame_ns) / NS):>4}", palette.muted)
        return line.add(" ")

    def _hints(self, room: int) -> Line:
        palette = self.desk.palette
        offered = [action for action in ACTIONS if action.hint and action.scope in ("app", self.focused)]
        line = Line()
        for action in sorted(offered, key=lambda action: action.scope == "app"):
            words = Line().add(f" {self.keys.get(action.id, action.label)} ", palette.accent)
            words.add(action.hint + " ", palette.muted)
            if line.width + words.width > room:
                continue
            line.extend(words)
        return line


def _rank(record: FeedRecord) -> int:
    state = record.status.state if record.status else FeedState.IDLE
    return WORST_FIRST.index(state)
