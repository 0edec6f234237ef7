"""Headlines, newest first; a reader below them for the one that is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from textual import events

from tui.actions import bindings
from tui.market import format as fmt
from tui.market.names import Kind, Subscription, Wants
from tui.market.store import Freshness
from tui.messages import LinkOpened
from tui.panes.base import Fact, Pane
from tui.widgets.lines import Line, message, wrap

if TYPE_CHECKING:
    from tui.market.events import NewsItem

NEWS = Subscription(Kind.NEWS)


class NewsPane(Pane):
    """The news of whichever source serves it, all or of the selected symbol."""

    pane_id: ClassVar[str] = "news"
    title: ClassVar[str] = "News"
    number: ClassVar[int] = 4
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.NEWS})
    help: ClassVar[str] = (
        "Headlines, newest first, with their time (UTC), symbols and publisher. ● marks what you have not read.\n\n"
        "enter opens the text of a headline below it and closes it again, o opens its page in the browser (the host "
        "is shown beside the publisher; only http and https are ever opened), f shows only news of the selected symbol."
    )
    BINDINGS = bindings("news")

    selected_id: str | None = None
    is_filtered: bool = False
    is_reading: bool = False
    _read: set[str]
    _top_row: int = 0

    def on_mount(self) -> None:
        """Nothing has been read yet."""
        self._read = set()

    def wants(self) -> Wants:
        """The whole stream."""
        return frozenset({NEWS})

    def heading(self) -> Sequence[Fact]:
        """What is shown, and how much of it is new."""
        palette = self.desk.palette
        items = self.items()
        unread = sum(item.id not in self._read for item in items)
        what = (self.symbol or "all", palette.accent) if self.is_filtered else ("all", palette.muted)
        return [what, (f"{unread} unread", palette.muted)] if items else [what]

    def corner(self) -> Sequence[Fact]:
        """Says so when the feed is not live."""
        if self.desk.store.freshness(NEWS) is Freshness.STALE:
            return [("stale", self.desk.palette.warning)]
        return ()

    def items(self) -> list[NewsItem]:
        """The headlines that are shown."""
        items = self.desk.store.news()
        if self.is_filtered and self.symbol:
            return [item for item in items if self.symbol in item.symbols]
        return items

    def rows(self, width: int, height: int) -> Sequence[Line]:
        """One row a headline; the open one is followed by its text."""
        palette = self.desk.palette
        items = self.items()
        if not items:
            reason = self.desk.store.absence(NEWS)
            text = f"No news of {self.symbol} yet." if self.is_filtered and self.desk.store.news() else reason
            return message([text], width, height, palette.muted)
        self._read &= {item.id for item in self.desk.store.news()}
        index = self._index(items)
        body = self._reader(items[index], width, max(3, height // 2)) if self.is_reading else []
        visible = max(1, height - len(body))
        self._top_row = min(max(self._top_row, index - visible + 1), index, max(0, len(items) - visible))
        live = self.desk.store.freshness(NEWS) is Freshness.LIVE
        lines: list[Line] = []
        for position, item in enumerate(items[self._top_row : self._top_row + visible], self._top_row):
            chosen = position == index and (self.has_focus or self.is_reading)
            lines.append(self._headline(item, width, chosen=chosen, live=live))
            if position == index:
                lines += body
        return lines

    def _headline(self, item: NewsItem, width: int, *, chosen: bool, live: bool) -> Line:
        palette = self.desk.palette
        unread = item.id not in self._read
        line = Line().add("▌" if chosen else " ", palette.accent)
        line.add("● " if unread else "  ", palette.accent)
        line.add(fmt.time_of_day(item.published_ns, with_seconds=False) + " ", palette.muted)
        symbols = " ".join(item.symbols[:2])
        tail = f" {symbols}" if symbols and width >= 48 else ""
        if width >= 84 and item.publisher:
            tail += f"  {item.publisher}"
        if width >= 60:
            ages = self.desk.store.ages  # the time of day is in the row already
            tail += f" {'' if ages.by_time(item.published_ns) else ages.brief(item.published_ns):>4}"
        style = palette.strong if unread else palette.text
        line.left(item.title, max(1, width - line.width - len(tail) - 1), style if live else palette.stale)
        return line.right(tail, width - line.width, palette.muted)

    def _reader(self, item: NewsItem, width: int, height: int) -> list[Line]:
        palette = self.desk.palette
        host = urlsplit(item.link).hostname if item.link else None
        facts = " · ".join(filter(None, [item.publisher, host, " ".join(item.symbols[:6])]))
        rows = [Line().add("  │ ", palette.faint).add(row, palette.strong) for row in wrap(item.title, width - 5)]
        rows += [
            Line().add("  │ ", palette.faint).add(row, palette.text)
            for paragraph in (item.summary or "No text came with this headline.").split("\n")
            for row in wrap(paragraph, width - 5)
        ]
        rows = rows[: height - 1]
        rows.append(Line().add("  │ ", palette.faint).left(facts, max(0, width - 4), palette.muted))
        return rows

    def _index(self, items: Sequence[NewsItem]) -> int:
        """Where the selected headline is now; new ones above it do not move the selection to another."""
        return next((index for index, item in enumerate(items) if item.id == self.selected_id), 0)

    def action_move(self, step: int) -> None:
        """Select another headline."""
        if items := self.items():
            index = min(max(self._index(items) + step, 0), len(items) - 1)
            self.selected_id = items[index].id
            if self.is_reading:
                self._read.add(self.selected_id)
            self.redraw()

    def action_read(self) -> None:
        """Open or close the text of the selected headline."""
        if items := self.items():
            self.selected_id = items[self._index(items)].id
            self.is_reading = not self.is_reading
            self._read.add(self.selected_id)
            self.redraw()

    def action_open(self) -> None:
        """Open the page of the selected headline."""
        if (items := self.items()) and (link := items[self._index(items)].link):
            self.post_message(LinkOpened(link))

    def action_filter(self) -> None:
        """Only the selected symbol's news, or all."""
        self.is_filtered = not self.is_filtered
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Select the headline under the mouse."""
        items, row = self.items(), event.y - 1 + self._top_row
        if not self.is_reading and 0 <= row < len(items):
            self.selected_id = items[row].id
            self.redraw()
