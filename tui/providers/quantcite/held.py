"""Books that wait undecoded: of many that come while nobody looks, only the newest of each symbol is worth decoding.

Each is a complete book (section 4.5), so one that is superseded costs no more than a look at its head. Whatever does
not look as documented there, or does not plainly follow the last one, is for the codec to decode at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

_HEAD: Final = re.compile(
    rb'\{\s*"type":\s*"aggregated_orderbook_update",\s*"symbol":\s*"([^"\\]{1,40})",\s*"timestamp":\s*"[^"\\]{1,40}",'
    rb'\s*"update_number":\s*(\d{1,18}),\s*"subscription_id":\s*"([^"\\]{1,40})",\s*"data":\s*\{\s*"bids":'
)


class Head(NamedTuple):
    """What is read of an update before it is decoded."""

    code: str
    number: int
    subscription_id: str


@dataclass(slots=True)
class HeldBook:
    """The newest update of a symbol, and what is to be counted for it and those that it superseded.

    Attributes:
        frame: The update.
        ts_recv_ns: When it came.
        head: Of the first one that waited.
        number: Its running number.
        size: Bytes of all of them.
        lost: Updates missing between them.
    """

    frame: bytes
    ts_recv_ns: int
    head: Head
    subscription_id: bytes
    number: int
    size: int
    lost: int = 0


class HeldBooks:
    """The updates that wait, one a symbol.

    Args:
        follows: Whether an update may begin to wait: it is nothing but the next one of a symbol that is wanted, live
            and was decoded just now.
    """

    def __init__(self, follows: Callable[[Head], bool]) -> None:
        self._follows = follows
        self._books: dict[bytes, HeldBook] = {}

    def __bool__(self) -> bool:
        return bool(self._books)

    def take(self, frame: bytes, ts_recv_ns: int) -> bool:
        """Let an update wait in place of the one before it; False when it has to be decoded at once."""
        found = _HEAD.match(frame)
        if found is None:
            return False
        code, digits, subscription_id = found.groups()
        number = int(digits)
        held = self._books.get(code)
        if held is None:
            head = Head(code.decode(errors="replace"), number, subscription_id.decode(errors="replace"))
            if not self._follows(head):
                return False
            self._books[code] = HeldBook(frame, ts_recv_ns, head, subscription_id, number, len(frame))
            return True
        if number <= held.number or subscription_id != held.subscription_id:
            return False
        held.lost += number - held.number - 1
        held.size += len(frame)
        held.frame, held.ts_recv_ns, held.number = frame, ts_recv_ns, number
        return True

    def drain(self) -> list[HeldBook]:
        """All that wait; then none do."""
        books, self._books = list(self._books.values()), {}
        return books
