"""The `newsfeed` socket: the ten latest items on every connect, then each new one. Protocol reference section 5."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final

from tui.market.names import Symbol, Wants
from tui.providers.base import Close, Count, Credential, Output, Send, Signal, Then
from tui.providers.insightsentry import decode
from tui.providers.insightsentry.codec import MASK, SocketCodec
from tui.providers.insightsentry.wire import FrameKind, classify, login_frame

MOST_REMEMBERED: Final = 2000


class SeenNews:
    """Items that were shown already; outlives the connections, since each one starts with the latest ten again."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._most = most

    def is_new(self, item_id: str) -> bool:
        """Whether this is the first time; remembers it."""
        if item_id in self._ids:
            self._ids.move_to_end(item_id)
            return False
        self._ids[item_id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True


class NewsfeedCodec(SocketCodec):
    """One connection to `/newsfeed`.

    Args:
        credential: The WebSocket key.
        symbol_of: The user's spelling of a code, or None when it has none.
        seen: Items that were shown before.
        can_rotate: True when a refused key can be replaced by fetching a new one.
    """

    def __init__(
        self,
        credential: Credential,
        symbol_of: Callable[[str], Symbol | None],
        seen: SeenNews,
        *,
        can_rotate: bool = False,
    ) -> None:
        super().__init__("newsfeed", credential, can_rotate=can_rotate)
        self._symbol_of = symbol_of
        self._seen = seen

    def opened(self, now_ns: int) -> Output:
        """Log in with the key alone (3.2)."""
        super().opened(now_ns)
        return [Send(login_frame(self._key), "login", recorded=login_frame(MASK))]

    def wanted(self, want: Wants, now_ns: int) -> Output:
        """There is nothing to subscribe: the whole feed comes. Close when nobody wants it."""
        return [] if want else list(self._close(Close("nothing is wanted", Then.IDLE)))

    def _message(self, message: Any, now_ns: int) -> Iterator[Signal]:
        kind = classify(message)
        if kind is FrameKind.ERROR:
            yield from self._error(message, now_ns)
        elif kind in (FrameKind.HEARTBEAT, FrameKind.STATUS):
            yield from self._alive()
        elif (rows := decode.news_rows(message)) is not None:
            yield from self._alive()
            yield from self._items(rows, now_ns)
        elif kind is FrameKind.TEXT:
            yield from self._text(message["message"], now_ns)
        else:
            yield self._unknown(message)

    def _items(self, rows: list[Any], now_ns: int) -> Iterator[Signal]:
        for row in rows[: decode.MAX_ROWS]:
            try:
                item = decode.news_item(row, self._symbol_of, now_ns)
            except ValueError:
                yield Count("rejected", sample=self._safe(row.get("title"), 80) if isinstance(row, dict) else "")
                continue
            if self._seen.is_new(item.id):
                yield item
