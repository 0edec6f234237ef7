"""What the three sockets of Aries have in common: framing, login and its renewal, pings, errors (2, 3, 10, 11)."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from tui.clock import NS
from tui.market.events import Notice
from tui.market.names import Kind, Subscription, Symbol, Wants
from tui.market.terms import Severity
from tui.market.text import clean
from tui.providers import parse
from tui.providers.aries import guesses, normalise, wire
from tui.providers.aries.guesses import What
from tui.providers.aries.normalise import Body, Fields, Message
from tui.providers.aries.symbols import to_code
from tui.providers.base import (
    Close,
    Codec,
    Count,
    Credential,
    Latency,
    Limits,
    LoggedIn,
    LoginRefused,
    Output,
    Renew,
    Send,
    Signal,
    SymbolTable,
    Then,
)

NAME: Final = "aries"
LIMITS: Final = Limits(
    subscribes_per_minute=240,
    subscribe_gap_s=0.2,
    settle_s=0.3,
    linger_s=10.0,
    silence_s=75.0,
    login_s=8.0,
    backoff_base_s=1.0,
    backoff_cap_s=30.0,
    healthy_s=30.0,
)
PING_S: Final = 30
FIRST_PING_S: Final = 2
"""After the login: a round trip to show, long before the first regular ping."""
ANSWER_S: Final = 10
"""Longest wait for `authSuccess`."""
ASKED_S: Final = 5
"""After this long `authRequired` may have been the answer to our login; the server itself waits no longer (3.1)."""
UNSURE_S: Final = 30
"""Least time until the next attempt then: a bad token should not be shown too often."""
AHEAD_S: Final = 300
"""Log in again this long before a login or a token ends."""
LEAST_TOKEN_S: Final = 600
"""A token with less than this left is not worth logging in with again (3.5)."""
RENEW_S: Final = 120
"""Ask this often for a fresh credential until it comes."""
SIGN_IN: Final = "Sign in again: tickdeck credentials set aries"

FUTURE_NS: Final = 5 * NS
"""An exchange's time this far after the server's own is no time."""

Counted = Literal["undecodable", "unknown", "gap", "rejected", "late"]


@dataclass(frozen=True, slots=True)
class _Login:
    """A login that waits for its answer."""

    id: str
    sent_ns: int
    is_fallback: bool


class SessionCodec(Codec):
    """One of the three sockets as a state machine: log in first, ping, renew the login, sort what arrives.

    Attributes:
        channel: `market`, `charts` or `accounts`.
        detail: What to tell with the login.
    """

    channel: ClassVar[str]
    offers: ClassVar[frozenset[Kind]]
    limits: ClassVar[Limits] = LIMITS

    def __init__(
        self, credential: Credential, symbols: SymbolTable, *, jitter_s: float = 0.0, warnings: Sequence[str] = ()
    ) -> None:
        """Prepare a codec for one connection.

        Args:
            credential: The access token.
            symbols: User spelling to code and back.
            jitter_s: Added to the time of each renewal, so that sockets do not all renew at once.
            warnings: Told to the user when the socket opens.
        """
        self.symbols = symbols
        self.detail = ""
        self._credential = credential
        self._jitter_s = jitter_s
        self._warnings = warnings
        self._serial = 0
        self._login: _Login | None = None
        self._is_live = False
        self._was_live = False
        self._has_fallen_back = False
        self._asked = 0  # `authRequired` while a login was under way
        self._live_ns = 0
        self._renew_ns = 0
        self._ping_ns = 0
        self._pings: dict[str, int] = {}
        self._want: Wants = frozenset()
        self._tally: Counter[Counted] = Counter()
        self._samples: dict[Counted, str] = {}

    def opened(self, now_ns: int) -> Output:
        """Log in: nothing else may be sent before `authSuccess` (3.1)."""
        warnings = [self.notice(text, now_ns) for text in self._warnings]
        return [*warnings, self._log_in(now_ns)]

    def wanted(self, want: Wants, now_ns: int) -> Output:
        """Subscribe to what is new and unsubscribe from the rest; kept for later while not logged in."""
        self._want = want
        return list(self.changed(want, now_ns)) if self._is_live else []

    def received(self, frame: str | bytes, ts_recv_ns: int) -> Output:
        """Decode one frame of newline-delimited messages; a broken line costs nothing but itself (2.1)."""
        output: list[Signal] = []
        for line in wire.lines(frame):
            output += self._line(line, ts_recv_ns)
        return output + self._counts()

    def ticked(self, now_ns: int) -> Output:
        """Ping, renew the login before it ends, and give up on a login that is not answered."""
        return [*self._overdue(now_ns), *self._upkeep(now_ns)]

    def renewed(self, credential: Credential, now_ns: int) -> Output:
        """Log in again on this socket with a fresh token; subscriptions stay (3.5)."""
        self._credential = credential
        return [self._log_in(now_ns)] if self._was_live and self._login is None else []

    @abstractmethod
    def changed(self, want: Wants, now_ns: int) -> Iterable[Signal]:
        """Go from what is subscribed to `want`."""

    @abstractmethod
    def forget(self) -> None:
        """Forget what is subscribed: the server has lost it."""

    @abstractmethod
    def event(self, what: What | None, body: Body, message: Message, ts_recv_ns: int) -> Iterable[Signal]:
        """Turn one body into events."""

    @abstractmethod
    def failed(self, request_id: str, text: str, now_ns: int) -> Iterable[Signal] | None:
        """A request was answered with an error; None when the id is not one of this channel's."""

    def kept(self, now_ns: int) -> Iterable[Signal]:
        """A login was renewed in place."""
        return ()

    def tended(self, now_ns: int) -> Iterable[Signal]:
        """Time has passed while live."""
        return ()

    def next_id(self, prefix: str) -> str:
        """A request id that was not used on this connection."""
        self._serial += 1
        return f"{prefix}-{self._serial}"

    def code(self, symbol: Symbol) -> str | None:
        """The provider's code, or None."""
        return self.symbols.code(symbol, to_code)

    def count(self, what: Counted, number: int = 1, sample: str = "") -> None:
        """Count something; told once a frame."""
        if number > 0:
            self._tally[what] += number
            if sample:
                self._samples.setdefault(what, self.safe(sample, 200))

    def time(self, fields: Fields, message: Message, ts_recv_ns: int) -> int | None:
        """When it happened: by the exchange, else by the server, else None."""
        event_ns = fields.time(ts_recv_ns)
        if event_ns is not None and event_ns > (message.ts_ns or ts_recv_ns) + FUTURE_NS:
            fields.rejected += 1
            event_ns = None
        return event_ns if event_ns is not None else message.ts_ns

    def safe(self, text: str, limit: int = 300) -> str:
        """Text from outside, harmless and without our token."""
        secret = self._credential.secret.get_secret_value()
        return clean(text.replace(secret, wire.HIDDEN) if secret else text, limit)

    def notice(
        self, text: str, now_ns: int, *, refused: Subscription | None = None, severity: Severity = Severity.WARNING
    ) -> Notice:
        """A notice of this feed; with `refused`, that subscription will not be served."""
        return Notice(
            source=NAME,
            ts_recv_ns=now_ns,
            feed=f"{NAME}:{self.channel}",
            severity=severity,
            text=text,
            subscription=refused,
            refused=refused is not None,
        )

    def _line(self, line: str, now_ns: int) -> Iterator[Signal]:
        try:
            decoded = parse.load_json(line)
        except ValueError:
            self.count("undecodable", sample=line)
            return
        for message in decoded if isinstance(decoded, list) else [decoded]:
            if isinstance(message, dict):
                yield from self._message(normalise.opened(message, now_ns), now_ns)
            else:
                self.count("unknown", sample="a message that is no object")

    def _counts(self) -> list[Signal]:
        counts: list[Signal] = [
            Count(what, number, self._samples.get(what, "")) for what, number in self._tally.items()
        ]
        self._tally.clear()
        self._samples.clear()
        return counts

    def _message(self, message: Message, now_ns: int) -> Iterator[Signal]:
        match message.control:
            case "":
                yield from self._data(message, now_ns)
            case "pong":
                yield from self._pong(message, now_ns)
            case "authsuccess":
                yield from self._logged_in(message, now_ns)
            case "authrequired":
                yield from self._login_required(message, now_ns)
            case "refreshauth":
                yield from self._renew(now_ns)
            case "authexpired":
                yield Close("login expired", Then.RECONNECT)
            case _:
                yield from self._error(message, now_ns)

    def _data(self, message: Message, now_ns: int) -> Iterator[Signal]:
        if self._is_reply(message):
            return
        found = False
        for what, body in normalise.bodies(message.data, message.what):
            found = True
            yield from self.event(what, body, message, now_ns)
        if not found:
            self.count("unknown", sample=message.name)

    def _is_reply(self, message: Message) -> bool:
        """Whether it only confirms a request: acknowledgements are not documented, but harmless (5.2)."""
        ours = message.id.startswith(("sub-", "unsub-"))
        return ours and message.what is None and not any(True for _ in _kinds(message))

    def _log_in(self, now_ns: int, *, fallback: bool = False) -> Send:
        login = _Login(self.next_id("auth"), now_ns, fallback)
        self._login = login
        self._asked = 0
        write = wire.auth_fallback if fallback else wire.auth
        return Send(
            write(login.id, self._credential.secret.get_secret_value()),
            purpose="login",
            recorded=write(login.id, wire.HIDDEN),
        )

    def _logged_in(self, message: Message, now_ns: int) -> Iterator[Signal]:
        if not self._was_live and self._login is None:
            return  # never asked for
        self._login = None
        self._live_ns = now_ns
        self._renew_ns = self._renewal(message, now_ns)
        was_live, self._is_live = self._is_live, True
        if was_live:
            yield from self.kept(now_ns)
            return
        if not self._was_live:
            self._was_live = True
            self._ping_ns = now_ns + FIRST_PING_S * NS
            yield LoggedIn(self.detail)
        yield from self.changed(self._want, now_ns)

    def _renewal(self, message: Message, now_ns: int) -> int:
        """When to log in again: before the login and the token end, with `expiresIn` in ms or, when small, in s."""
        data = message.data if isinstance(message.data, dict) else {}
        try:
            told = parse.positive(data.get("expiresIn"))
        except ValueError:
            told = None
        lasts_s = float(told or guesses.SESSION_MS[self.channel])
        if told is None or told >= guesses.SECONDS_BELOW:
            lasts_s /= 1000
        lasts_s = min(lasts_s, 86_400.0 * 30)
        due_ns = now_ns + int(max(30.0, lasts_s - AHEAD_S + self._jitter_s) * NS)
        ends_ns = self._credential.expires_at_ns
        return due_ns if ends_ns is None else min(due_ns, max(ends_ns - AHEAD_S * NS, now_ns + 30 * NS))

    def _login_required(self, message: Message, now_ns: int) -> Iterator[Signal]:
        """`authRequired`: a greeting, an answer to a bad token, or a login that the server has lost (3.4)."""
        if self._login is not None:
            self._asked += 1
            if message.id == self._login.id or self._asked > 1:
                yield self._refusal("login not accepted")
        elif now_ns - self._live_ns < ANSWER_S * NS:
            yield Close("asks for a login again at once")
        else:
            self._is_live = False
            self.forget()
            yield self._log_in(now_ns)

    def _renew(self, now_ns: int) -> Iterator[Signal]:
        """Log in again in place, after a fresh token when this one has little time left."""
        if self._login is not None or not self._was_live:
            return
        ends_ns = self._credential.expires_at_ns
        if ends_ns is None or ends_ns - now_ns >= LEAST_TOKEN_S * NS:
            yield self._log_in(now_ns)
        else:
            self._renew_ns = now_ns + RENEW_S * NS
            yield Renew("the login ends soon")

    def _error(self, message: Message, now_ns: int) -> Iterator[Signal]:
        text = self.safe(message.error) or "unknown error"
        if self._login is not None and message.id in ("", self._login.id):
            yield from self._login_failed(text, now_ns)
            return
        answer = self.failed(message.id, text, now_ns)
        yield from answer if answer is not None else [self.notice(text, now_ns)]

    def _login_failed(self, text: str, now_ns: int) -> Iterator[Signal]:
        """The one other spelling when the form was refused; a fresh token or the user when the token was (3.1, 3.3)."""
        is_about_token = any(word in text.lower() for word in guesses.TOKEN_WORDS)
        if not is_about_token and not self._has_fallen_back:
            self._has_fallen_back = True
            yield self._log_in(now_ns, fallback=True)
        elif self._was_live:
            self._login = None
            yield Close(f"login not renewed: {text}", Then.RECONNECT)
        else:
            yield self._refusal(text)

    def _refusal(self, reason: str) -> LoginRefused:
        self._login = None
        return LoginRefused(reason, SIGN_IN, refresh=True)

    def _overdue(self, now_ns: int) -> Iterator[Signal]:
        if self._login is None:
            return
        waited_ns = now_ns - self._login.sent_ns
        if self._asked and not self._was_live and waited_ns > ASKED_S * NS:
            self._login = None  # a greeting and then silence, or a refusal: only a fresh token can tell
            yield Close("login not accepted", Then.RETRY, UNSURE_S, SIGN_IN, refresh=True)
        elif waited_ns > ANSWER_S * NS:
            self._login = None
            yield Close("no answer to the login")

    def _upkeep(self, now_ns: int) -> Iterator[Signal]:
        if not self._is_live:
            return
        if now_ns >= self._ping_ns:
            self._ping_ns = now_ns + PING_S * NS
            yield self._ping(now_ns)
        if now_ns >= self._renew_ns:
            yield from self._renew(now_ns)
        yield from self.tended(now_ns)

    def _ping(self, now_ns: int) -> Send:
        ping_id = self.next_id("ping")
        self._pings[ping_id] = now_ns
        for old in list(self._pings)[:-4]:
            del self._pings[old]
        return Send(wire.ping(ping_id), purpose="ping")

    def _pong(self, message: Message, now_ns: int) -> Iterator[Signal]:
        """`{"type": "pong", "id": "ping-17"}`, or the older form without an id."""
        sent_ns = self._pings.pop(message.id or next(iter(self._pings), ""), None)
        if sent_ns is not None and now_ns >= sent_ns:
            yield Latency((now_ns - sent_ns) / NS)


def _kinds(message: Message) -> Iterator[What]:
    for what, _ in normalise.bodies(message.data, None):
        if what is not None:
            yield what
