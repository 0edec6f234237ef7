"""Words that events are told in: levels, sides and states. Plain, so that the first frame of a demo needs no model."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal, NamedTuple

Level = tuple[Decimal, Decimal, tuple[str, ...]]
"""One price level: price, size, venues (who contributes; empty when the source does not say)."""

Side = Literal["buy", "sell"]

QUOTE_FIELDS = (
    "bid", "ask", "bid_size", "ask_size", "last", "change", "change_percent",
    "volume", "open", "high", "low", "prev_close", "delayed",
)  # fmt: skip
"""The fields of a quote that merge one by one."""


class VenueBest(NamedTuple):
    """The best prices of one venue and what rests there at that venue; None where it has nothing on that side."""

    venue: str
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None


class Session(StrEnum):
    """Trading hours of the stock market."""

    PRE = "pre"
    REGULAR = "regular"
    POST = "post"
    CLOSED = "closed"


class FeedState(StrEnum):
    """What a connection is doing."""

    IDLE = "idle"
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    LIVE = "live"
    BACKING_OFF = "backing off"
    FAILED = "failed"


class Severity(StrEnum):
    """How much a notice matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
