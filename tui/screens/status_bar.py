"""The last row: a light for every provider, and what the focused pane's keys do."""

from __future__ import annotations

from collections.abc import Mapping

from tui.actions import ACTIONS, Action
from tui.market.store import FeedRecord
from tui.market.terms import FeedState
from tui.panes.base import Desk
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

LAST_TO_GO = frozenset({"app.help"})
"""The hint that shows where all others are."""


class StatusBar(LineBar):
    """Whole items drop when there is no room; nothing is cut inside a number."""

    focused: str = ""
    """Id of the pane that has the focus."""

    def __init__(self, desk: Desk, *, id: str, keys: Mapping[str, str]) -> None:
        super().__init__(desk, id=id)
        self.keys = keys
        """Keys that the configuration moved, by action id."""

    def line(self, width: int) -> Line:
        """Lights at the left, worst first; hints at the right in the room that is left."""
        records = sorted(self._providers().items(), key=lambda item: _rank(item[1], self.desk.now_ns()))
        lights = Line()
        for index, (name, record) in enumerate(records):
            rest = sum(self._light(other, each, short=True).width for other, each in records[index + 1 :])
            item = self._light(name, record)
            if lights.width + item.width + rest > width:
                item = self._light(name, record, short=True)
            if lights.width + item.width <= width:
                lights.extend(item)
        hints = self._hints(min(width // 2, width - lights.width))
        return lights.to(width - hints.width).extend(hints)

    def _providers(self) -> dict[str, FeedRecord]:
        """The record of each provider's feed that is worst off, of those that somebody wants."""
        worst: dict[str, FeedRecord] = {}
        for name, record in self.desk.store.feeds.items():
            provider = name.partition(":")[0]
            known = worst.get(provider)
            if known is None or _rank(record, self.desk.now_ns()) < _rank(known, self.desk.now_ns()):
                worst[provider] = record
        return worst

    def _light(self, name: str, record: FeedRecord, *, short: bool = False) -> Line:
        palette, now_ns = self.desk.palette, self.desk.now_ns()
        sign, style = light(record, palette, now_ns)
        line = Line().add(f" {sign} ", style).add(name, palette.text)
        state = record.status.state if record.status else FeedState.IDLE
        unwell = state is FeedState.LIVE and (record.stats.silent_s(now_ns) or record.stats.slow_s(now_ns))
        if unwell or state in (FeedState.BACKING_OFF, FeedState.FAILED):
            text = state_text(record, self.desk.store.ages)
            return line.add(" " + (text.partition(":")[0] if short else text) + " ", style)
        if not short and state is FeedState.LIVE and record.stats.last_frame_ns is not None:
            ages = self.desk.store.ages  # a heartbeat is nothing to be told of while nothing else happens
            line.add(f" {'' if ages.is_quiet else ages.brief(record.stats.last_frame_ns):>4}", palette.muted)
        return line.add(" ")

    def _hint(self, action: Action) -> Line:
        palette = self.desk.palette
        label = f" {self.keys.get(action.id, action.label)} "
        return Line().add(label, palette.accent).add(action.hint + " ", palette.muted)

    def _hints(self, room: int) -> Line:
        offered = [action for action in ACTIONS if action.hint and action.scope in ("app", self.focused)]
        offered.sort(key=lambda action: (action.id not in LAST_TO_GO, action.scope == "app"))
        chosen, used = set(), 0
        for action in offered:
            width = self._hint(action).width
            if used + width <= room:
                chosen.add(action.id)
                used += width
        line = Line()
        for action in sorted(offered, key=lambda action: action.scope == "app"):
            if action.id in chosen:
                line.extend(self._hint(action))
        return line


def _rank(record: FeedRecord, now_ns: int) -> float:
    state = record.status.state if record.status else FeedState.IDLE
    degraded = state is FeedState.LIVE and bool(record.stats.silent_s(now_ns) or record.stats.slow_s(now_ns))
    return WORST_FIRST.index(FeedState.BACKING_OFF) + 0.5 if degraded else WORST_FIRST.index(state)
