"""InsightSentry's messages: what is sent, what a frame is, what its codes mean. Protocol reference 3, 4 and 7.2."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Literal, NamedTuple

from tui.market.names import Interval, Kind
from tui.providers.insightsentry import guesses
from tui.providers.parse import number

MAX_DELAY_S: Final = 3600.0
HistoryField = Literal["recent_bars", "max_dp", "dp"]

_BAR_CODE: Final = re.compile(r"(\d{1,4})([A-Za-z])", re.ASCII)
_CODE: Final = re.compile(r"[A-Z0-9_./-]+:[A-Z0-9_./!-]*[A-Z0-9!]")
_QUOTE_MARKS: Final = frozenset(
    "last_price bid ask volume change change_percent lp_time status ask_size bid_size prev_close_price open_price "
    "low_price high_price market_cap delay_seconds".split()
)


class Topic(NamedTuple):
    """What one object of the subscription list stands for: a code's quotes, its bars, or its single trades."""

    code: str
    kind: Kind
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class SeriesOptions:
    """How series are asked for.

    Attributes:
        history: The field that asks for past bars: its name has changed between editions of the server.
        bars: How many, where the field takes a number.
        extended: Whether pre- and post-market data belongs to it.
    """

    history: HistoryField = "recent_bars"
    bars: int = 300
    extended: bool = True


class FrameKind(Enum):
    """What a decoded frame is (4.0)."""

    HEARTBEAT = auto()
    ERROR = auto()
    STATUS = auto()
    SERIES = auto()
    QUOTES = auto()
    QUOTE = auto()
    TEXT = auto()
    UNKNOWN = auto()


def login_frame(key: str) -> str:
    """The first message on `/newsfeed` (3.2): `{"api_key": "<key>"}`."""
    return json.dumps({"api_key": key})


def subscription_frame(key: str, topics: Sequence[Topic], options: SeriesOptions) -> str:
    """The complete list wanted from now on (3.1); it is the login as well. `topics` must not be empty."""
    return json.dumps({"api_key": key, "subscriptions": [subscription(topic, options) for topic in topics]})


def subscription(topic: Topic, options: SeriesOptions) -> dict[str, Any]:
    """One object of the list, without the fields that are at their defaults."""
    if topic.kind is Kind.QUOTE:
        return {"code": topic.code, "type": "quote"}
    if topic.interval is None:
        return {"code": topic.code, "type": "series", "bar_type": "tick", "bar_interval": 1}
    bar_type, bar_interval = guesses.BAR_REQUESTS[topic.interval]
    wanted: dict[str, Any] = {
        "code": topic.code,
        "type": "series",
        "bar_type": bar_type,
        "bar_interval": bar_interval,
        options.history: True if options.history == "recent_bars" else options.bars,
    }
    return wanted if options.extended else {**wanted, "extended": False}


def classify(message: Any) -> FrameKind:
    """What a decoded frame on `/live` is: the order of tests is that of section 4.0 and matters."""
    if not isinstance(message, dict):
        return FrameKind.UNKNOWN
    if "server_time" in message:
        return FrameKind.HEARTBEAT
    if isinstance(message.get("error"), str):
        return FrameKind.ERROR
    if message.get("event") in ("subscription_status", "connection_status"):
        return FrameKind.STATUS
    if isinstance(message.get("series"), list):
        return FrameKind.SERIES
    if isinstance(message.get("data"), list):
        return FrameKind.QUOTES
    if isinstance(message.get("code"), str) and not _QUOTE_MARKS.isdisjoint(message):
        return FrameKind.QUOTE
    return FrameKind.TEXT if isinstance(message.get("message"), str) else FrameKind.UNKNOWN


def interval_of(bar_type: object) -> Interval | None:
    """The interval of a response code (`1m`, `5m`, `1D`), or None when it is none of ours (`1M` is a month)."""
    match = _BAR_CODE.fullmatch(bar_type) if isinstance(bar_type, str) else None
    seconds = int(match[1]) * guesses.BAR_UNITS.get(match[2], 0) if match else 0
    return next((interval for interval in Interval if interval.seconds == seconds), None)


def is_tick(bar_type: object) -> bool:
    """Whether a response code stands for single trades (4.2)."""
    return isinstance(bar_type, str) and bar_type in guesses.TICK_CODES


def codes_in(text: str) -> frozenset[str]:
    """Codes that a text names (`No such symbol: NASDAQ:MSFFT.`)."""
    return frozenset(_CODE.findall(text))


@dataclass(frozen=True, slots=True)
class Problem:
    """A structured error (7.2), texts as the server sent them.

    Attributes:
        kind: Its `error`.
        message: Text for people, or "".
        action: What the server wants done, or "".
        retryable: False forbids trying again; None when it does not say.
        delay_s: Seconds to wait first, 0 to 3600.
        reference: What to quote to support, or "".
        codes: Codes it blames.
    """

    kind: str
    message: str
    action: str
    retryable: bool | None
    delay_s: float
    reference: str
    codes: frozenset[str]


def problem(message: dict[str, Any]) -> Problem:
    """Read `{"error": "invalid_symbol", "message": "…", "code": "NASDAQ:MSFFT", "action": "…", "retryable": false}`."""
    retryable = message.get("retryable")
    words = [_string(message.get(name)) for name in ("error", "message", "action", "reference_id")]
    return Problem(
        kind=words[0],
        message=words[1],
        action=words[2],
        retryable=retryable if isinstance(retryable, bool) else None,
        delay_s=max(_seconds(message.get("delay_seconds")), _seconds(message.get("retry_after_seconds"))),
        reference=words[3],
        codes=frozenset(_blamed(message)),
    )


def _blamed(message: dict[str, Any]) -> set[str]:
    details = message.get("details")
    places = [message, details] if isinstance(details, dict) else [message, {"details": details}]
    texts = [place.get(name) for place in places for name in ("code", "symbol", "details", "message")]
    return {code for text in texts if isinstance(text, str) for code in codes_in(text[:400])}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> float:
    try:
        return min(max(float(number(value) or 0), 0.0), MAX_DELAY_S)
    except ValueError:
        return 0.0
