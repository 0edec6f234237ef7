"""Codecs ready for tests: made, logged in, with clocks that stand still."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from tests.providers.contract import drained, golden_frames
from tui.clock import NS
from tui.market.events import Event
from tui.market.names import Interval, Kind, Subscription, Symbol, Wants
from tui.providers.aries.codec import SessionCodec
from tui.providers.base import Credential, Output, Send, Signal

FRAMES = Path(__file__).parent / "frames"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.EXAMPLE.EXAMPLE"
NOW_NS = 1_795_185_600 * NS
"""The moment at which the reference's messages were sent."""
EVENT = TypeVar("EVENT", bound=Event)
CODEC = TypeVar("CODEC", bound=SessionCodec)


def credential(*, ends_in_s: float | None = None, token: str = TOKEN) -> Credential:
    return Credential(SecretStr(token), None if ends_in_s is None else NOW_NS + int(ends_in_s * NS))


def golden(path: str) -> str:
    folder, _, name = path.partition("/")
    return golden_frames(FRAMES / folder)[name]


def want(*names: str) -> Wants:
    """`quote AAPL`, `bar AAPL 1m`, `news`."""
    return frozenset(subscription(name) for name in names)


def subscription(name: str) -> Subscription:
    kind, *rest = name.split(" ", 1)
    if not rest:
        return Subscription(Kind(kind))
    symbol, _, last = rest[0].rpartition(" ")
    if kind == "bar":
        return Subscription(Kind.BAR, Symbol(symbol), Interval(last))
    return Subscription(Kind(kind), Symbol(rest[0]))


def live(codec: CODEC, wants: Wants = frozenset(), now_ns: int = NOW_NS) -> CODEC:
    """The codec after its login, with its wants sent."""
    drained(codec.opened(now_ns))
    drained(codec.received(golden("session/auth_success.json"), now_ns))
    drained(codec.wanted(wants, now_ns))
    return codec


def sent(output: Output) -> list[dict[str, Any]]:
    """The requests among an output, decoded."""
    return [json.loads(signal.frame) for signal in drained(output) if isinstance(signal, Send)]


def events(output: Output, kind: type[EVENT]) -> list[EVENT]:
    return [signal for signal in drained(output) if isinstance(signal, kind)]


def one(output: Output, kind: type[EVENT]) -> EVENT:
    found = events(output, kind)
    assert len(found) == 1, found
    return found[0]


def of(signals: list[Signal], kind: type[Any]) -> list[Any]:
    return [signal for signal in signals if isinstance(signal, kind)]


def update(kind: str, data: Any, *, ts_ms: int = 1_795_185_600_123) -> str:
    return json.dumps(
        {"type": "event", "payload": {"action": "update", "type": kind, "data": data, "timestamp": ts_ms}}
    )


def error(request_id: str, text: str) -> str:
    payload = {"action": "error", "error": text, "id": request_id, "timestamp": 1795185600123}
    return json.dumps({"type": "event", "payload": payload})
