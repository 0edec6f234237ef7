"""What InsightSentry's two sockets have in common: the key in the first message, text pings, errors that look alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tui.clock import NS
from tui.market.events import Notice
from tui.market.terms import Severity
from tui.providers.base import Close, Codec, Count, Credential, LoggedIn, Output, Pause, Renew, Signal, Then
from tui.providers.insightsentry import problems
from tui.providers.insightsentry.decode import SOURCE
from tui.providers.insightsentry.keepalive import Keepalive
from tui.providers.insightsentry.problems import Reaction, Saying
from tui.providers.insightsentry.wire import Problem, problem
from tui.providers.parse import load_json, text

MOST_GARBLED: Final = 5
"""Frames in a row that are no JSON before the connection is given up (4.0)."""
RENEW_BEFORE_NS: Final = 24 * 3600 * NS
RENEW_EVERY_NS: Final = 60 * NS
MASK: Final = "***"
_MOST_SHAPES: Final = 50


class SocketCodec(Codec):
    """The part of the protocol that both sockets share.

    Args:
        channel: `live` or `newsfeed`.
        credential: The WebSocket key.
        can_rotate: True when a refused key can be replaced by fetching a new one.
    """

    def __init__(self, channel: str, credential: Credential, *, can_rotate: bool) -> None:
        self._feed = f"{SOURCE}:{channel}"
        self._key = credential.secret.get_secret_value()
        self._expires_at_ns = credential.expires_at_ns if can_rotate else None
        self._renew_asked_ns = 0
        self._can_rotate = can_rotate
        self._keepalive = Keepalive()
        self._is_logged_in = False
        self._is_closed = False
        self._garbled = 0
        self._shapes: set[str] = set()

    @abstractmethod
    def _message(self, message: Any, now_ns: int) -> Iterator[Signal]:
        """React to a decoded frame."""

    def _time_passed(self, now_ns: int) -> Iterator[Signal]:
        yield from ()

    def opened(self, now_ns: int) -> Output:
        """Start the pings; the first message is the login."""
        self._keepalive.opened(now_ns)
        return ()

    def received(self, frame: str | bytes, ts_recv_ns: int) -> Output:
        """Decode one frame: the bare text `pong`, or JSON."""
        return list(self._received(frame, ts_recv_ns))

    def ticked(self, now_ns: int) -> Output:
        """Ping, give up a dead link, ask for a new key before this one ends."""
        return [] if self._is_closed else list(self._ticked(now_ns))

    def renewed(self, credential: Credential, now_ns: int) -> Output:
        """A rotated key ends the old one at once: connect again with it, keeping what is on the screen (9)."""
        if credential.secret.get_secret_value() == self._key or self._is_closed:
            return []
        return self._close(Close("the key was renewed", Then.RECONNECT))

    def _received(self, frame: str | bytes, now_ns: int) -> Iterator[Signal]:
        self._keepalive.heard()
        if frame.strip() in ("pong", b"pong"):
            yield from self._keepalive.pong(now_ns)
            yield from self._alive()
            return
        try:
            message = load_json(frame)
        except ValueError:
            yield from self._undecodable(frame)
            return
        self._garbled = 0
        if not self._is_closed:
            yield from self._message(message, now_ns)

    def _ticked(self, now_ns: int) -> Iterator[Signal]:
        yield from self._keepalive.ticked(now_ns)
        if self._keepalive.is_dead:
            yield from self._close(Close("no answer to two pings"))
            return
        if self._is_renewal_due(now_ns):
            self._renew_asked_ns = now_ns
            yield Renew("the key ends within a day")
        yield from self._time_passed(now_ns)

    def _is_renewal_due(self, now_ns: int) -> bool:
        """In the key's last day, once a minute: the provider keeps its own distance between attempts (9)."""
        ends_ns = self._expires_at_ns
        return ends_ns is not None and now_ns >= max(ends_ns - RENEW_BEFORE_NS, self._renew_asked_ns + RENEW_EVERY_NS)

    def _alive(self, detail: str = "") -> Iterator[Signal]:
        """There is no acknowledgement: the first sign of life without an error is the login (1)."""
        if not self._is_logged_in and not self._is_closed:
            self._is_logged_in = True
            yield LoggedIn(detail)

    def _close(self, end: Close) -> Iterable[Signal]:
        if self._is_closed:
            return []
        self._is_closed = True
        return [end]

    def _undecodable(self, frame: str | bytes) -> Iterator[Signal]:
        self._garbled += 1
        words = frame[:120] if isinstance(frame, str) else frame[:120].decode("utf-8", "replace")
        yield Count("undecodable", sample=self._safe(words, 80))
        if self._garbled >= MOST_GARBLED:
            yield from self._close(Close("frames that are no JSON"))

    def _unknown(self, message: Any) -> Count:
        """Count a message that nobody has heard of, with its field names the first time (4.0, rule 10)."""
        names = " ".join(sorted(message)[:12]) if isinstance(message, dict) else type(message).__name__
        shape = self._safe(names, 120)
        is_new = shape not in self._shapes and len(self._shapes) < _MOST_SHAPES
        if is_new:
            self._shapes.add(shape)
        return Count("unknown", sample=shape if is_new else "")

    def _safe(self, value: object, limit: int = 300) -> str:
        """Text of theirs to show, without the key in it."""
        if not isinstance(value, str):
            return text(value, limit)
        return self._masked(text(self._masked(value), limit))

    def _masked(self, words: str) -> str:
        return words.replace(self._key, MASK) if self._key else words

    def _notice(self, words: str, now_ns: int, severity: Severity = Severity.WARNING) -> Notice:
        return Notice(source=SOURCE, feed=self._feed, severity=severity, text=words, ts_recv_ns=now_ns)

    def _refused(self) -> Iterator[Signal]:
        if not self._is_closed:
            self._is_closed = True
            yield problems.refused(can_rotate=self._can_rotate)

    def _error(self, message: dict[str, Any], now_ns: int) -> Iterator[Signal]:
        trouble = problem(message)
        said = self._said(trouble)
        match problems.reaction(trouble, has_subscriptions=self.login_is_subscription):
            case Reaction.DROP:
                yield from self._alive()
                yield from self._dropped(trouble, said, now_ns)
            case Reaction.KEY:
                yield from self._refused()
            case Reaction.WAIT:
                yield self._notice(said, now_ns, Severity.INFO)
                if trouble.delay_s:
                    yield Pause(trouble.delay_s, said)
            case Reaction.RESEND:
                yield self._notice(said, now_ns)
                yield from self._resend(trouble.delay_s, now_ns)
            case Reaction.RECONNECT:
                yield from self._close(Close(said, Then.RETRY, trouble.delay_s))
            case Reaction.STOP:
                yield from self._close(problems.stopped(trouble, said))

    def _dropped(self, trouble: Problem, said: str, now_ns: int) -> Iterator[Signal]:
        yield from ()

    def _resend(self, delay_s: float, now_ns: int) -> Iterator[Signal]:
        yield from self._close(Close("asked to try again", Then.RETRY, delay_s))

    def _said(self, trouble: Problem) -> str:
        words = self._safe(trouble.message) or self._safe(trouble.kind, 60).replace("_", " ")
        reference = self._safe(trouble.reference, 60)
        return f"{words} (reference {reference})" if reference else words

    def _text(self, words: object, now_ns: int) -> Iterator[Signal]:
        """A message of its own is a status or an error: only its words tell (4.5, 7.1)."""
        said = self._safe(words)
        match problems.saying(str(words)):
            case Saying.CONNECTING:  # comes before the server has seen the key
                return
            case Saying.CONNECTED:
                yield from self._alive(said)
            case Saying.KEY:
                yield from self._refused()
            case Saying.OVER_LIMIT:
                yield from self._over_limit(said, now_ns)
            case Saying.ELSEWHERE:
                yield from self._close(problems.FULL)
            case Saying.ERROR:
                yield from self._invalid(said, now_ns)
            case Saying.OTHER:
                yield from self._alive()
                yield self._notice(said, now_ns, Severity.INFO)

    def _over_limit(self, said: str, now_ns: int) -> Iterator[Signal]:
        yield from self._invalid(said, now_ns)

    def _invalid(self, said: str, now_ns: int) -> Iterator[Signal]:
        yield self._notice(said, now_ns, Severity.ERROR)
        yield from self._close(Close(said))
