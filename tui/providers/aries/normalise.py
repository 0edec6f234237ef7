"""The tolerant normaliser (section 17): what a message is about, and its figures under our own names.

Bodies of push events are not documented, so nothing here insists: names are looked for in four places, fields under
all the spellings of `guesses.SYNONYMS`, bodies alone or in lists. What is impossible is counted, its neighbours stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from tui.providers import parse
from tui.providers.aries import guesses
from tui.providers.aries.guesses import What
from tui.providers.aries.symbols import bare

Body = Mapping[str, Any]

ENVELOPE_TYPES: Final = frozenset({"request", "subscribe", "unsubscribe", "ping", "event", "response", "pong", "error"})
CONTROLS: Final = frozenset({"authsuccess", "authrequired", "refreshauth", "authexpired", "error", "pong"})
MOST_BODIES: Final = 5000
"""Bodies read out of one message."""
MOST_NAME: Final = 64
_MISSING: Final = object()
_PLURALS: Final = frozenset(guesses.PLURALS)
_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]")


def price(value: object) -> Decimal | None:
    """A price: not negative, and None when it is zero, which is how a missing one is written. Raises ValueError."""
    return parse.size(value) or None


_QUOTE: Final[tuple[tuple[str, Callable[[object], Decimal | None]], ...]] = (
    ("bid", price), ("ask", price), ("bid_size", parse.size), ("ask_size", parse.size), ("last", price),
    ("change", parse.number), ("change_percent", parse.number), ("volume", parse.size), ("open", price),
    ("high", price), ("low", price), ("prev_close", price),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """One message, opened.

    Attributes:
        control: `authsuccess`, `authrequired`, `refreshauth`, `authexpired`, `error`, `pong`, or "" for data.
        id: Echo of a request's id, from the payload or the top, or "".
        name: What the event is called, for the log.
        what: What it is about by its name, or None when only its bodies can tell.
        data: The body as it came: an object, a list, or None.
        payload: The object around the body, where a name or a symbol may stand too.
        error: The text of an error, not yet made safe.
        ts_ns: The server's time of the event, or None.
    """

    control: str
    id: str
    name: str
    what: What | None
    data: Any
    payload: Body
    error: str
    ts_ns: int | None


class Fields:
    """Reads one body under our names, and counts what is impossible.

    Attributes:
        body: The provider's object.
        rejected: How many fields held something impossible so far.
    """

    __slots__ = ("body", "rejected")

    def __init__(self, body: Body) -> None:
        self.body = body
        self.rejected = 0

    def raw(self, name: str) -> Any:
        """The first value that is not absent under any spelling of `name`, or None."""
        value = lookup(self.body, name)
        return None if value is _MISSING else value

    def has(self, name: str) -> bool:
        """Whether the body says anything about `name`, be it null."""
        return lookup(self.body, name) is not _MISSING

    def decimal(self, name: str, check: Callable[[object], Decimal | None] = parse.number) -> Decimal | None:
        """A figure, or None when absent or impossible."""
        return self.checked(self.raw(name), check)

    def checked(self, value: object, check: Callable[[object], Decimal | None] = parse.number) -> Decimal | None:
        """A figure out of a value found elsewhere."""
        try:
            return check(value)
        except ValueError:
            self.rejected += 1
            return None

    def time(self, now_ns: int, name: str = "time") -> int | None:
        """When something happened, in UTC nanoseconds, or None."""
        return self.stamp(self.raw(name), now_ns)

    def stamp(self, value: object, now_ns: int) -> int | None:
        """When something happened, out of a value found elsewhere; a time to come is impossible."""
        try:
            return parse.past_ns(value, now_ns)
        except ValueError:
            self.rejected += 1
            return None

    def text(self, name: str, limit: int = 80) -> str:
        """Harmless text, "" when absent."""
        return parse.text(self.raw(name), limit)

    def own(self, key: str, limit: int = 80) -> str:
        """Harmless text under the provider's own key, "" when absent."""
        return parse.text(self.body.get(key), limit)


def opened(message: Body, now_ns: int) -> Message:
    """Open an envelope of the current protocol or of the older one (2.2, 16); a time to come is none."""
    inner = message.get("payload")
    payload: Body = inner if isinstance(inner, dict) else message
    action = _word(payload.get("action")) or _word(message.get("action"))
    name, what = _named(message, payload)
    return Message(
        control=_control(message, payload, action),
        id=_id(payload.get("id")) or _id(message.get("id")),
        name=name,
        what=what,
        data=inner if isinstance(inner, list) else payload.get("data", payload),
        payload=payload,
        error=_error(payload) or _error(message),
        ts_ns=_time(payload, now_ns) or _time(message, now_ns),
    )


def bodies(data: Any, what: What | None) -> Iterator[tuple[What | None, Body]]:
    """The single bodies of a message, each with what it is about.

    `data` may be an object, a list of them, or an object that holds lists under plural keys (7.2).
    """
    for number, (kind, body) in enumerate(_bodies(data, what)):
        if number == MOST_BODIES:
            return
        yield kind, body


def symbol_of(body: Body, around: Any = None) -> str:
    """The code of the instrument a body is about, or "": `symbol`, `s` unless it says ok, `n`, `ticker`."""
    for source in (body, around):
        if not isinstance(source, Mapping):
            continue
        for key in guesses.SYMBOL_KEYS:
            value = source.get(key)
            if isinstance(value, str) and value and (key != "s" or value.lower() != "ok"):
                return bare(parse.text(value, 40).upper())
    return ""


def quote_patch(fields: Fields) -> dict[str, Decimal | None]:
    """The fields of a quote that a body of quote or trade fields sets; null clears, zero is no price (5.5, 5.6)."""
    patch: dict[str, Decimal | None] = {}
    for name, check in _QUOTE:
        value = lookup(fields.body, name)
        if value is _MISSING:
            continue
        try:
            patch[name] = check(value)
        except ValueError:
            fields.rejected += 1
    return patch


def lookup(body: Body, name: str) -> Any:
    """The first value under a spelling of `name` that is not null; None when all are null, else `_MISSING`."""
    found: Any = _MISSING
    for key in guesses.SYNONYMS[name]:
        value = body.get(key, _MISSING) if "." not in key else _inside(body, key)
        if value is None or value == "":
            found = None
        elif value is not _MISSING:
            return value
    return found


def percent(change: Decimal, of: Decimal) -> Decimal | None:
    """`change` in per cent of `of`, to four places; None when it cannot be said."""
    try:
        return (change * 100 / of).quantize(Decimal("0.0001")) if of > 0 else None
    except InvalidOperation:  # more digits than anything that is a market
        return None


def kind_by_keys(body: Body) -> What | None:
    """What a body is about by the keys it has."""
    for keys, what in guesses.KEYS:
        if all(key in body for key in keys):
            return what
    return None


@lru_cache(maxsize=512)
def _kind_by_word(word: str) -> What | None:
    if word in guesses.WHOLE:
        return guesses.WHOLE[word]
    for prefix, what in guesses.PREFIXES:
        if word.startswith(prefix):
            return what
    return next((what for part, what in guesses.INSIDE if part in word), None)


def _bodies(data: Any, what: What | None) -> Iterator[tuple[What | None, Body]]:
    if isinstance(data, list):
        for item in data:
            if isinstance(item, dict):
                yield from _one(item, what)
    elif isinstance(data, dict):
        yield from _one(data, what)


def _one(body: Body, what: What | None) -> Iterator[tuple[What | None, Body]]:
    kind = kind_by_keys(body) if what is None or what is What.ACCOUNT else what
    if kind is What.LEVEL2 or _PLURALS.isdisjoint(body):
        yield kind, body
        return
    found = False
    for key, inner_kind in guesses.PLURALS.items():
        inner = body.get(key)
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, dict):
                found = True
                yield inner_kind, item
    if not found:
        yield kind, body


def _named(message: Body, payload: Body) -> tuple[str, What | None]:
    """The first name that means something, else the first name there is."""
    candidates = [payload.get(key) for key in guesses.EVENT_NAME_KEYS] if payload is not message else []
    outer = message.get("type")
    if _word(outer) not in ENVELOPE_TYPES:
        candidates.append(outer)
    first = ""
    for candidate in candidates:
        word = _word(candidate)
        if what := _kind_by_word(word):
            return word, what
        first = first or word
    return first, None


def _control(message: Body, payload: Body, action: str) -> str:
    said = _word(message.get("message"))
    if _word(message.get("type")) == "pong" or said == "pong":
        return "pong"
    if action == "auth" and said:
        return guesses.ACTIONS.get((action, said), "error")
    if action in CONTROLS:
        return action
    reason = payload.get("error") or message.get("error")
    is_refusal = isinstance(reason, str | dict) and bool(reason) and action not in guesses.NEWS_ACTIONS
    return "error" if is_refusal or _word(message.get("type")) == "error" else ""


def _error(payload: Body) -> str:
    """The reason of an error: a text, an object with code and message, or a sibling (11)."""
    reason = payload.get("error")
    if isinstance(reason, dict):
        reason = reason.get("message") or reason.get("code")
    for value in (reason, payload.get("message"), payload.get("code")):
        if isinstance(value, str) and value:
            return value
    return ""


def _time(payload: Body, now_ns: int) -> int | None:
    try:
        return parse.past_ns(payload.get("timestamp"), now_ns)
    except ValueError:
        return None


def _id(value: object) -> str:
    return value[:MOST_NAME] if isinstance(value, str) else ""


def _word(value: object) -> str:
    """A name in lower case without punctuation: `account.order` is `accountorder`."""
    return _plain(value[:MOST_NAME]) if isinstance(value, str) else ""


@lru_cache(maxsize=512)
def _plain(name: str) -> str:
    return _NOT_A_WORD.sub("", name.lower())


def _inside(body: Body, path: str) -> Any:
    outer, _, inner = path.partition(".")
    holder = body.get(outer)
    return holder.get(inner, _MISSING) if isinstance(holder, dict) else _MISSING
