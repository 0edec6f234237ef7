"""The seam between providers and the rest: what a provider offers, and how its protocol is spoken.

A *provider* sells the data; a *channel* is one of its sockets; a *codec* speaks a channel's protocol without doing
any I/O. REST calls live in the provider object, which is given an HTTP client.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from tui.errors import KeyringUnavailable
from tui.market.events import Bar, Event, Notice
from tui.market.names import Kind, Subscription, Symbol, Wants


@dataclass(frozen=True, slots=True)
class Send:
    """A text frame to send.

    Attributes:
        frame: The text.
        purpose: What it is for; `subscribe` frames are paced by `Limits`, others go at once.
        recorded: The frame as logs and recordings may show it; None when it holds no secret.
    """

    frame: str
    purpose: Literal["login", "subscribe", "unsubscribe", "request", "ping"] = "request"
    recorded: str | None = None

    def __repr__(self) -> str:  # the frame may hold a key: never let it reach a log
        return f"Send({self.purpose}, {self.recorded if self.recorded is not None else self.frame!r})"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The server accepted this connection; subscriptions may follow.

    Attributes:
        detail: Something worth showing (the plan's tier), or "".
    """

    detail: str = ""


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """The server refused the credential.

    Attributes:
        reason: For a person: `key rejected`.
        remedy: What the user can do.
        refresh: True when a fresh credential (rotated key, refreshed token) is worth one more try.
        needs_key: False when another key or token would not help.
    """

    reason: str
    remedy: str = ""
    refresh: bool = False
    needs_key: bool = True


class Then(StrEnum):
    """What follows a `Close`."""

    IDLE = "idle"  # nothing is wanted: stay closed until something is
    RECONNECT = "reconnect"  # planned: connect again at once, no back-off counted
    RETRY = "retry"  # trouble: connect again after the back-off
    FAIL = "fail"  # wait for the user


@dataclass(frozen=True, slots=True)
class Close:
    """Close this connection with code 1000, then do `then`.

    Attributes:
        reason: For a person.
        then: What follows.
        delay_s: Wait at least this long before connecting again.
        remedy: What the user can do, for `Then.FAIL`.
        refresh: True when a fresh credential (rotated key, refreshed token) is worth one more try.
        until_change: With `Then.FAIL`: other wants are worth a try, too.
    """

    reason: str
    then: Then = Then.RETRY
    delay_s: float = 0.0
    remedy: str = ""
    refresh: bool = False
    until_change: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing but pings for a while: the server asked for it (rate limit)."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Renew:
    """The login ends soon: get a fresh credential from the provider, then call `Codec.renewed` with it.

    Attributes:
        reason: For the log.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resubscribing:
    """Everything is left and asked for again: what came before counts as old until it comes anew."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Round trip of a ping, measured with our own clock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Count:
    """Something for the feed's counters.

    Attributes:
        what: `undecodable`, `unknown` (message kind), `gap` (lost sequence numbers), `rejected` (impossible value),
            `late` (data nobody wants any more).
        number: How many.
        sample: A short cleaned and redacted piece for the log, or "".
    """

    what: Literal["undecodable", "unknown", "gap", "rejected", "late"]
    number: int = 1
    sample: str = ""


Signal = Event | Send | LoggedIn | LoginRefused | Close | Pause | Renew | Resubscribing | Latency | Count
Output = Iterable[Signal]


@dataclass(frozen=True, slots=True)
class Limits:
    """How a channel wants to be treated. Seconds unless said otherwise.

    Attributes:
        subscribes_per_minute: Subscribe and unsubscribe frames a minute, for all connections that use one key.
        subscribe_gap_s: Least time between two of them.
        settle_s: Let changes of what is wanted rest this long before acting.
        linger_s: Keep what nobody wants any more this long, in case somebody does again.
        silence_s: Without any frame for this long the link is dead.
        login_s: Longest wait for `LoggedIn` after the socket opened.
        max_frame: Largest frame in bytes.
        backoff_base_s: First delay after a failure, doubled each time.
        backoff_cap_s: Longest delay.
        healthy_s: Live with data for this long resets the back-off.
        stale_s: A value of this channel older than this is stale although the link lives; None when quiet is normal.
    """

    subscribes_per_minute: int = 60
    subscribe_gap_s: float = 0.0
    settle_s: float = 0.2
    linger_s: float = 10.0
    silence_s: float = 45.0
    login_s: float = 10.0
    max_frame: int = 8 * 1024 * 1024
    backoff_base_s: float = 1.0
    backoff_cap_s: float = 60.0
    healthy_s: float = 10.0
    stale_s: float | None = None


MAX_CODES: Final = 5000
"""Codes whose symbols are remembered, those of all that a search found included."""
HOLD_S: Final = 0.05
"""A complete state that comes this soon after the last one of its kind may be held back: faster than anybody looks."""


class Codec(ABC):
    """One socket's protocol as a state machine. No I/O and no clock of its own, so plain calls test it.

    Made anew, with its credential, for every connection: nothing of the last one leaks into the next.
    The connection calls `opened` once, then `received` and `ticked` (about once a second) as things happen, and
    `wanted` whenever the wants changed and the login is through (or at once, when `login_is_subscription`).
    Methods return what to do, in order; they never raise for anything a server can send.
    """

    login_is_subscription: ClassVar[bool] = False
    """True when the first subscription is the login: `wanted` is called straight after `opened`."""

    @abstractmethod
    def opened(self, now_ns: int) -> Output:
        """The socket is open: the login frame, if login is a message of its own."""

    @abstractmethod
    def wanted(self, want: Wants, now_ns: int) -> Output:
        """Go from what this connection has (at first, nothing) to `want`."""

    @abstractmethod
    def received(self, frame: str | bytes, ts_recv_ns: int) -> Output:
        """Decode one frame, which may hold any number of messages."""

    @property
    def holds(self) -> bool:
        """Whether frames are held back undecoded: complete states, which a newer one may replace before anybody looks.

        Whoever calls `received` calls `released` soon after: when somebody looks, or else a tenth of a second later.
        """
        return False

    def released(self, now_ns: int) -> Output:
        """Decode what is held back."""
        return ()

    def ticked(self, now_ns: int) -> Output:
        """Time has passed: pings, renewals, overdue answers."""
        return ()

    def renewed(self, credential: Credential, now_ns: int) -> Output:
        """A fresh credential is there while connected: log in again in place where the protocol can."""
        return ()

    def history(self, subscription: Subscription, bars: Sequence[Bar]) -> Output:
        """Bars that REST answered for a bar subscription (oldest first; empty when it failed)."""
        return bars


@dataclass(frozen=True, slots=True)
class Credential:
    """What a connection logs in with.

    Attributes:
        secret: The key or token.
        expires_at_ns: End of validity, or None when it has none that we know of.
    """

    secret: SecretStr
    expires_at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class CredentialField:
    """A secret that a provider needs.

    Attributes:
        name: `api_key`: the part after the provider's name in the keyring and the environment.
        title: For the prompt.
        where: Where the user gets it, in one sentence.
        required: False for fields that only some set-ups need.
    """

    name: str
    title: str
    where: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class SymbolMatch:
    """One answer of a symbol search.

    Attributes:
        symbol: In the user's spelling.
        code: The provider's own code.
        description: For people.
        kind: `stock`, `crypto`, `index`, … as the provider says, in lower case.
        provider: Who answered.
    """

    symbol: Symbol
    code: str
    description: str
    kind: str
    provider: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One of a provider's sockets.

    Attributes:
        name: The part after the colon: `live` in `insightsentry:live`.
        kinds: What it can deliver.
        url: Where it is.
        limits: How it wants to be treated.
        compression: Offer permessage-deflate.
    """

    name: str
    kinds: frozenset[Kind]
    url: str
    limits: Limits
    compression: bool = False


class ProviderSettings(BaseModel):
    """Settings that every provider has; each adds its own. Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    """Whether this provider is used at all."""


class SecretStore(Protocol):
    """Where secrets come from and go to. Lookups never block the event loop."""

    async def get(self, provider: str, field: str) -> SecretStr | None:
        """The secret, or None when nobody has stored one. Raises KeyringUnavailable when nothing can be read."""

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        """Store a secret that was fetched (rotated key, refreshed token), in the keyring or for this run only."""


class HttpClient(Protocol):
    """The one small REST client: JSON in and out, time limits, size limit, no redirects to other hosts."""

    async def get(
        self,
        url: str,
        *,
        query: Mapping[str, str] = ...,
        headers: Mapping[str, str] = ...,
        timeout_s: float = ...,
    ) -> Any:
        """GET and decode JSON. Raises RestError."""

    async def post(
        self, url: str, *, body: Mapping[str, Any], headers: Mapping[str, str] = ..., timeout_s: float = ...
    ) -> Any:
        """POST JSON and decode the JSON answer. Raises RestError."""


@dataclass(slots=True)
class SymbolTable:
    """User spelling to provider code and back, for one provider: overrides, then search results, then the usual rule.

    Attributes:
        overrides: From the configuration.
        kept: From searches of this run or an earlier one, for symbols that the user added: a later search does not
            change what they mean.
        found: From searches; bounded by the caller.
    """

    overrides: dict[Symbol, str] = field(default_factory=dict)
    kept: dict[Symbol, str] = field(default_factory=dict)
    found: dict[Symbol, str] = field(default_factory=dict)
    _back: OrderedDict[str, Symbol] = field(default_factory=OrderedDict)

    def code(self, symbol: Symbol, rule: Callable[[Symbol], str | None]) -> str | None:
        """The provider's code, or None when it cannot carry the symbol. Remembers the way back."""
        code = self.known(symbol) or rule(symbol)
        if code is not None:
            self._back[code] = symbol
            self._back.move_to_end(code)
            if len(self._back) > MAX_CODES:
                self._back.popitem(last=False)
        return code

    def known(self, symbol: Symbol) -> str | None:
        """The code that was configured or found, or None when there is only the rule."""
        return self.overrides.get(symbol) or self.kept.get(symbol) or self.found.get(symbol)

    def keep(self, symbol: Symbol) -> str | None:
        """Hold on to what search found, since the user added the symbol; the code, or None when nothing was found."""
        if (code := self.found.get(symbol)) is not None:
            self.kept[symbol] = code
        return self.kept.get(symbol)

    def symbol(self, code: str, rule: Callable[[str], Symbol | None]) -> Symbol | None:
        """The user's spelling of a code: as it was asked for, else by rule."""
        if code not in self._back:
            return rule(code)
        self._back.move_to_end(code)  # what arrives is in use
        return self._back[code]


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """What a provider is given to work with.

    Attributes:
        settings: Its validated settings (an instance of its `settings_model`).
        secrets: Where its secrets are.
        http: The REST client.
        now_ns: UTC nanoseconds.
        overrides: The `[symbols]` part of the configuration that names this provider.
        state_dir: For what outlives the run and for locks between processes; None keeps nothing (demo).
    """

    settings: Any
    secrets: SecretStore
    http: HttpClient
    now_ns: Callable[[], int]
    overrides: Mapping[Symbol, str] = field(default_factory=dict)
    state_dir: Path | None = None

    def lock(self, name: str) -> Path | None:
        """The lock file of that name, or None where nothing is shared with other processes."""
        return None if self.state_dir is None else self.state_dir / f"{name}.lock"


class Provider(ABC):
    """Who sells the data. Constructors open nothing."""

    name: ClassVar[str]
    title: ClassVar[str]
    settings_model: ClassVar[type[ProviderSettings]]
    credential_fields: ClassVar[tuple[CredentialField, ...]]

    def __init__(self, context: ProviderContext) -> None:
        self.context = context
        self.symbols = SymbolTable(overrides=dict(context.overrides))

    @property
    @abstractmethod
    def channels(self) -> tuple[Channel, ...]:
        """Its sockets, with the addresses of the settings."""

    @abstractmethod
    def carries(self, subscription: Subscription) -> bool:
        """Whether it can deliver this at all, judged by spelling, kind and interval."""

    @abstractmethod
    def codec(self, channel: str, credential: Credential) -> Codec:
        """A new codec for one connection of a channel."""

    @abstractmethod
    async def credential(self, channel: str, *, fresh: bool = False) -> Credential:
        """What to log in with; rotates or refreshes when that is due, or when `fresh` says the last was refused.

        Raises:
            CredentialError: nothing is stored, or nothing that could still be accepted; says the remedy.
            RestError: a rotation or refresh is due and failed, and the old one is no longer valid.
        """

    async def vet(self, want: Wants) -> None:
        """Look up what a channel is about to be asked for, where asking for the unknown would harm the rest.

        What is found out is for the codecs: they refuse what they know to be unknown. Raises nothing; the caller sets
        a limit of time.
        """
        return

    def leave_out(self, symbol: Symbol, venues: frozenset[str]) -> bool:
        """Take the books of a symbol without these venues from now on; with no venues, take them whole again.

        Codecs heed it the next time they are asked for what is wanted.

        Returns:
            False when this provider has no say in whose orders a book holds.
        """
        return False

    async def has_credential(self) -> bool:
        """Whether something is stored to log in with; no network."""
        names = [f.name for f in self.credential_fields if f.required]
        return all([await self.context.secrets.get(self.name, name) is not None for name in names])

    async def account(self) -> SecretStr | None:
        """The secret that tells accounts apart and stays when tokens are renewed; None when nothing is stored."""
        for each in self.credential_fields:
            try:
                if each.required and (secret := await self.context.secrets.get(self.name, each.name)):
                    return secret
            except KeyringUnavailable:
                return None
        return None

    @asynccontextmanager
    async def dialling(self, channel: str) -> AsyncIterator[None]:
        """Goes around every dial of a channel, so that a budget can count it, hold it back or forbid it.

        Raises:
            FeedError: not now, or not before `retry_after_s`.
        """
        yield

    def note(self, channel: str) -> str:
        """What to show about budgets beside a channel: a short line or two, or ""."""
        return ""

    async def upkeep(self, *, is_last: bool = False) -> Sequence[Notice]:
        """What is to be done every few seconds beside the sockets: save, compare, warn.

        Args:
            is_last: The program ends: save, ask nobody.

        Returns:
            What the user should know.

        Raises:
            TickdeckError: something could not be done this time.
        """
        return ()

    async def search(self, query: str, limit: int = 20) -> list[SymbolMatch]:
        """Instruments that match. Raises RestError or CredentialError."""
        return []

    async def history(self, subscription: Subscription, count: int) -> list[Bar]:
        """Bars up to now, oldest first, the running one included. Raises RestError or CredentialError."""
        return []

    async def verify(self) -> str:
        """Check the stored credential with the cheapest call; a sentence about the account. Raises the same."""
        await self.credential(self.channels[0].name)
        return "a credential is stored"
