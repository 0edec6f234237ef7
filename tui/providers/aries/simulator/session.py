"""What the simulated sockets share: login, session end, pings, framing (2, 3, 10, 11)."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, ClassVar, Final

from tui.clock import NS, to_datetime
from tui.providers.aries.simulator.tokens import TokenDesk
from tui.simulator.dialect import Conversation, Hangup, Reply
from tui.simulator.market import Change, SimulatedMarket

LOGIN_NS: Final = 5 * NS
WARNING_NS: Final = 300 * NS
PING_GAP_NS: Final = 20 * NS
MOST_SYMBOLS: Final = 100
LOOSE: Final = 0.15
"""Share of figures that are written as decimal strings."""

Message = dict[str, Any]


@dataclass(slots=True)
class Behaviour:
    """How the server interprets what is not documented, so that tests can have it either way.

    Attributes:
        greets: Says `authRequired` when a socket opens.
        answers_auth: Whether a login is answered at all.
        auth_type: Envelope type of the answer to a login: `event` or `response`.
        auth_id_at_top: The echoed id stands at the top of the envelope, not in the payload.
        knows_upper_case: Takes `POST`; otherwise only `post` with `body.action`.
        expires_ms: How long a login lasts, by channel.
        level2_key: The key that switches depth on, or None when there is no depth.
        refused_topics: Topic names that the accounts socket does not know.
        takes_arrays: Charts and accounts take an array as payload; otherwise an object.
        answers_pings: Whether pings are answered.
    """

    greets: bool = True
    answers_auth: bool = True
    auth_type: str = "event"
    auth_id_at_top: bool = False
    knows_upper_case: bool = True
    expires_ms: dict[str, int] = field(
        default_factory=lambda: {"market": 2_700_000, "charts": 2_700_000, "accounts": 3_900_000}
    )
    level2_key: str | None = "level2"
    refused_topics: frozenset[str] = frozenset()
    takes_arrays: bool = True
    answers_pings: bool = True


class Session(Conversation):
    """One connection."""

    channel: ClassVar[str]

    def __init__(
        self, market: SimulatedMarket, behaviour: Behaviour, tokens: TokenDesk, violations: Counter[str]
    ) -> None:
        self.market = market
        self.behaviour = behaviour
        self.violations = violations
        self.random = Random(self.channel)
        self._tokens = tokens
        self._opened_ns = 0
        self._ends_ns: int | None = None
        self._is_warned = False
        self._ping_ns: int | None = None

    def opened(self, now_ns: int) -> Iterable[Reply]:
        """Ask for a login."""
        self._opened_ns = now_ns
        return self.framed([event({"action": "authRequired"}, now_ns)] if self.behaviour.greets else [])

    def received(self, frame: str, now_ns: int) -> Iterable[Reply]:
        """Answer one frame, which must hold one object."""
        try:
            message = json.loads(frame)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            return self.wrong("broken frame", "", now_ns)
        kind, request_id = message.get("type"), str(message.get("id") or "")
        if kind == "request" and self._is_auth(message):
            return self._auth(message["payload"], request_id, now_ns)
        if self._ends_ns is None:
            self.violations["frame before authSuccess"] += 1
            return self.framed([event({"action": "authRequired"}, now_ns)])
        if kind == "ping":
            return self._ping(request_id, now_ns)
        if kind in ("subscribe", "unsubscribe"):
            wants_it = kind == "subscribe"
            return self.framed(list(self.subscribed(message.get("payload"), request_id, now_ns, wants_it=wants_it)))
        return self.wrong("unknown frame", request_id, now_ns)

    def changed(self, changes: Sequence[Change], now_ns: int) -> Iterable[Reply]:
        """All news of one step in one frame, and the end of the session when it comes."""
        if self._ends_ns is None:
            late = now_ns - self._opened_ns > LOGIN_NS
            return [Hangup(1008, "authentication timeout")] if late else []
        if now_ns >= self._ends_ns:
            return [*self.framed([event({"action": "authExpired"}, now_ns)]), Hangup(1000, "session expired")]
        messages = list(self._warning(now_ns))
        messages.extend(self.moved(changes, now_ns))
        return self.framed(messages)

    @abstractmethod
    def subscribed(self, payload: Any, request_id: str, now_ns: int, *, wants_it: bool) -> Iterator[Message]:
        """Subscribe or unsubscribe."""

    @abstractmethod
    def moved(self, changes: Sequence[Change], now_ns: int) -> Iterator[Message]:
        """What the subscriptions bring of a step of the market."""

    def welcome(self, now_ns: int) -> Iterator[Message]:
        """What comes right after the first login."""
        return iter(())

    def framed(self, messages: Sequence[Message]) -> list[Reply]:
        """One frame with a message a line; now and then it ends in a line break."""
        if not messages:
            return []
        text = "\n".join(json.dumps(message, separators=(",", ":")) for message in messages)
        return [text + "\n" if self.random.random() < 0.2 else text]

    def wrong(self, violation: str, request_id: str, now_ns: int) -> list[Reply]:
        """Count what a client should know better, and say so."""
        self.violations[violation] += 1
        return self.framed([failure(violation, request_id, now_ns)])

    def figure(self, value: Decimal | None) -> float | int | str | None:
        """A number as this server writes it: mostly a JSON number, sometimes a decimal string."""
        if value is None:
            return None
        if self.random.random() < LOOSE:
            return str(value)
        return int(value) if value == value.to_integral_value() else float(value)

    def _is_auth(self, message: Mapping[str, Any]) -> bool:
        payload = message.get("payload")
        return isinstance(payload, dict) and payload.get("path") == "/auth"

    def _auth(self, payload: Mapping[str, Any], request_id: str, now_ns: int) -> list[Reply]:
        if not self.behaviour.answers_auth:
            return []
        body = payload.get("body")
        token = body.get("token") if isinstance(body, dict) else None
        is_older_form = payload.get("method") == "post" and isinstance(body, dict) and body.get("action") == "auth"
        if not self.behaviour.knows_upper_case and not is_older_form:
            return self.framed([failure("unknown method", request_id, now_ns)])
        if not isinstance(token, str):
            return self.wrong("token is required", request_id, now_ns)
        if token not in self._tokens.access:
            return self.framed([failure("authentication failed", request_id, now_ns)])
        is_first = self._ends_ns is None
        lasts_ms = self.behaviour.expires_ms[self.channel]
        self._ends_ns, self._is_warned = now_ns + lasts_ms * 1_000_000, False
        messages = [self._auth_success(request_id, lasts_ms, now_ns)]
        return self.framed([*messages, *(self.welcome(now_ns) if is_first else ())])

    def _auth_success(self, request_id: str, lasts_ms: int, now_ns: int) -> Message:
        message = event({"action": "authSuccess", "data": {"expiresIn": lasts_ms}}, now_ns)
        message["type"] = self.behaviour.auth_type
        (message if self.behaviour.auth_id_at_top else message["payload"])["id"] = request_id
        return message

    def _warning(self, now_ns: int) -> Iterator[Message]:
        assert self._ends_ns is not None
        lead_ns = min(WARNING_NS, self.behaviour.expires_ms[self.channel] * 1_000_000 // 4)
        if not self._is_warned and now_ns >= self._ends_ns - lead_ns:
            self._is_warned = True
            yield event({"action": "refreshAuth", "data": {"expiresIn": lead_ns // 1_000_000}}, now_ns)

    def _ping(self, request_id: str, now_ns: int) -> list[Reply]:
        if self._ping_ns is not None and now_ns - self._ping_ns < PING_GAP_NS:
            self.violations["ping too soon"] += 1
        self._ping_ns = now_ns
        pong = {"type": "pong", "id": request_id, "timestamp": iso(now_ns)}
        return self.framed([pong] if self.behaviour.answers_pings else [])


def event(payload: Message, now_ns: int) -> Message:
    """`{"type": "event", "payload": {…, "timestamp": 1795185600123}}`."""
    return {"type": "event", "payload": {**payload, "timestamp": now_ns // 1_000_000}}


def update(kind: str, data: Any, now_ns: int) -> Message:
    """An event with news of a stream."""
    return event({"action": "update", "type": kind, "data": data}, now_ns)


def failure(text: str, request_id: str, now_ns: int) -> Message:
    """`{"type": "event", "payload": {"action": "error", "error": "invalid symbol", "id": "sub-12", …}}`."""
    return event({"action": "error", "error": text, **({"id": request_id} if request_id else {})}, now_ns)


def iso(ns: int) -> str:
    """`2026-11-20T14:40:00.123Z`."""
    return to_datetime(ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")
