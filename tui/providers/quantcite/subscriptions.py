"""What one connection is subscribed to: from what is wanted to what the server confirmed, symbol by symbol.

QuantCite takes one symbol a message, answers without a request id, and does not say what a second subscribe for the
same symbol does. So each symbol goes its own way (reference, sections 3.1, 3.2 and 4.2):

::

    (none) ──subscribe──▶ ASKED ──confirmation or update──▶ LIVE
                            │ │                              │
             refused, or no │ └───────────unsubscribe────────┤
             answer twice   ▼                                ▼
                         REFUSED                         DROPPING ──answer, or 5 s──▶ (none)

A symbol whose list of exchanges changes is dropped and asked for anew. `want` says where to go, `settle` sends what is
missing on the way and may be called at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NamedTuple

from tui.clock import NS
from tui.market.events import Notice
from tui.market.names import Subscription, Wants
from tui.market.terms import Severity
from tui.providers.base import Send
from tui.providers.quantcite import wire
from tui.providers.quantcite.books import Book
from tui.providers.quantcite.held import Head, HeldBook

ANSWER_NS: Final = 10 * NS
"""How long a subscribe may stay unanswered."""
DROP_NS: Final = 5 * NS
"""How long an unsubscribe may stay unanswered."""
QUIET_NS: Final = 3 * NS
"""A confirmed symbol without a book for this long is asked for one: quiet pairs update every 5 to 10 s only."""
STRAY_NS: Final = 15 * NS
"""Updates of a symbol that was given up this long ago are not under way any more: the server missed it."""
MINUTE_NS: Final = 60 * NS
MOST_LOST: Final = 10_000
MOST_PAST: Final = 1000
MOST_LATE: Final = 2
"""Updates that may come late one after the other; one more, and they are the stream."""


class State(Enum):
    """Where a symbol is on its way."""

    ASKED = auto()
    LIVE = auto()
    DROPPING = auto()
    REFUSED = auto()


@dataclass(slots=True)
class Line:
    """One symbol of this connection.

    Attributes:
        code: The provider's symbol.
        state: Where it is.
        since_ns: When the last request about it was sent, or when it went live.
        order: Rank of that request; replies that name no symbol belong to the lowest.
        tries: How often that request was sent.
        asked: Exchanges in the last subscribe; None for all.
        left_out: Exchanges that the user did not want in it.
        venues: Exchanges that were granted, or empty while nobody said.
        missing: Exchanges that were wanted and not granted.
        subscription_id: Whose running number `number` is.
        number: That of the last update.
        stamp_ns: Server time of the last book.
        late: Running numbers of the updates that were dropped since, as long as they rise.
        is_confirmed: Whether the server has it, by its own word or by an update.
        has_book: Whether any book came.
        is_book_asked: Whether a snapshot was asked for.
        refusal: Why it is refused.
        suggestions: What the server offers instead.
        is_over: Refused by our own limit: asked for when there is room.
        told: What it was wanted for when its refusal was reported.
        shown_ns: When the last book that was decoded came.
    """

    code: str
    state: State
    since_ns: int
    order: int = 0
    tries: int = 1
    asked: tuple[str, ...] | None = None
    left_out: frozenset[str] = frozenset()
    venues: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    subscription_id: str = ""
    number: int | None = None
    stamp_ns: int | None = None
    late: tuple[int, ...] = ()
    is_confirmed: bool = False
    has_book: bool = False
    is_book_asked: bool = False
    refusal: str = ""
    suggestions: tuple[str, ...] = ()
    is_over: bool = False
    told: set[Subscription] = field(default_factory=set)
    shown_ns: int = 0

    def take(self, book: Book) -> int | None:
        """Whether a book is newer than what came before: the number of updates lost between, or None to drop it.

        A lower or equal running number counts only with a newer time (the server restarted); a snapshot, which has no
        number, only with a newer time than the last book (sections 4.4 and 4.5). Updates that are late one after the
        other, in order, are not late: what they were held against was wrong.
        """
        if book.subscription_id and book.subscription_id != self.subscription_id:
            self.subscription_id, self.number = book.subscription_id, None
        is_newer = book.stamp_ns is not None and (self.stamp_ns is None or book.stamp_ns > self.stamp_ns)
        lost = 0
        if book.is_update and book.number is not None and self.number is not None:
            lost = book.number - self.number - 1
        if not (book.is_update or is_newer or not self.has_book):
            return None
        if lost < 0 and not is_newer and book.number is not None:
            rises = not self.late or book.number > self.late[-1]
            self.late = (*self.late, book.number) if rises else (book.number,)
            if len(self.late) <= MOST_LATE:
                return None
            self.stamp_ns = None
        self.stamp(book)
        if book.is_update:
            self.number, self.late = book.number, ()
        return min(max(lost, 0), MOST_LOST)

    def stamp(self, book: Book) -> None:
        """A book came: keep its time when it is newer."""
        self.has_book = True
        if book.stamp_ns is not None and (self.stamp_ns is None or book.stamp_ns > self.stamp_ns):
            self.stamp_ns = book.stamp_ns

    def skip(self, held: HeldBook) -> int:
        """Go on to an update that waited: the number of updates lost before it, less those that it superseded."""
        before = held.head.number if self.number is None else self.number + 1
        self.number, self.late = held.number, ()
        return min(held.head.number - before + held.lost, MOST_LOST)


class Past(NamedTuple):
    """A subscription that was given up: its id, if it had one, and when."""

    subscription_id: str
    since_ns: int


class Budget:
    """How many requests a minute the server stands, once it has said; nothing is held back before."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._sent: list[int] = []

    def learn(self, allowed: int) -> None:
        """Keep to 80 % of what the server allows."""
        self.limit = max(1, allowed * 8 // 10)

    def allows(self, now_ns: int) -> bool:
        """Whether one more request fits into the minute."""
        if self.limit is None:
            return True
        self._sent = [sent for sent in self._sent if now_ns - sent < MINUTE_NS]
        return len(self._sent) < self.limit

    def spend(self, now_ns: int) -> None:
        """A request is sent."""
        self._sent.append(now_ns)
        del self._sent[:-2000]


class Subscriptions:
    """The symbols of one connection.

    Args:
        exchanges: Whose books to ask for; None for all.
        most: How many symbols at once; the reference states no maximum, data is billed.
        unknown: Exchanges that are known not to exist.
        carriers: Exchanges that list a code, as far as is known.
        notice: Makes a notice of a severity, a text and more fields of `Notice`.
        budget: Shared by all connections that use the key.
    """

    def __init__(
        self,
        exchanges: tuple[str, ...] | None,
        most: int,
        unknown: frozenset[str],
        carriers: Callable[[str], tuple[str, ...]],
        notice: Callable[..., Notice],
        budget: Budget | None = None,
    ) -> None:
        self.lines: dict[str, Line] = {}
        self.budget = budget or Budget()
        self.paused_until_ns = 0
        self.unavailable: set[str] = set(unknown)
        """Exchanges that the server refused; left out of every later subscribe."""
        self._exchanges = exchanges
        self._most = most
        self._carriers = carriers
        self._notice = notice
        self._wanted: Mapping[str, Wants] = {}
        self._left_out: Mapping[str, frozenset[str]] = {}
        self._order = 0
        self._past: dict[str, Past] = {}

    def want(self, wanted: Mapping[str, Wants], left_out: Mapping[str, frozenset[str]]) -> None:
        """Say what should be live: codes, what each is wanted for, and without which exchanges. `settle` goes there."""
        self._wanted = dict(sorted(wanted.items()))
        self._left_out = left_out

    def wanted(self, code: str) -> Wants:
        """What a code is wanted for."""
        return self._wanted.get(code, frozenset())

    def settle(self, now_ns: int) -> Iterator[Send | Notice]:
        """Send what leads from what is to what is wanted, as far as pauses and the budget allow."""
        for line in [line for line in self.lines.values() if line.state is State.REFUSED and not self._is_wanted(line)]:
            del self.lines[line.code]
        if now_ns < self.paused_until_ns:
            return
        for line in list(self.lines.values()):
            if line.state in (State.ASKED, State.LIVE) and not self._is_wanted(line):
                if not self.budget.allows(now_ns):
                    return
                yield self._drop(line, now_ns, tries=1)
        for code in self._wanted:
            known = self.lines.get(code)
            if known is None:
                if not self.budget.allows(now_ns):
                    return
                yield from self._ask(code, now_ns, tries=1)
            elif known.is_over and not self._is_full(code):
                yield from self._ask(code, now_ns, tries=1)
            elif known.state is State.REFUSED:
                yield from self._tell(known)

    def overdue(self, now_ns: int) -> Iterator[Send | Notice]:
        """Act on answers that do not come, then settle. Time spent in a pause does not count."""
        if now_ns < self.paused_until_ns:
            return
        for line in list(self.lines.values()):
            waited_ns = now_ns - max(line.since_ns, self.paused_until_ns)
            if line.state is State.ASKED and waited_ns >= ANSWER_NS:
                yield from self._unanswered(line, now_ns)
            elif line.state is State.DROPPING and waited_ns >= DROP_NS:
                yield from self._undropped(line, now_ns)
            elif line.state is State.LIVE and waited_ns >= QUIET_NS and not (line.has_book or line.is_book_asked):
                line.is_book_asked = True
                self.budget.spend(now_ns)
                yield Send(wire.get_orderbook(line.code))
        yield from self.settle(now_ns)

    def confirmed(self, response: wire.SubscriptionResponse, now_ns: int) -> Iterator[Send | Notice]:
        """Section 4.2: subscribed, on all or some exchanges, or refused."""
        line = self._find(response.symbol)
        if line is None:
            if response.symbol not in self._wanted and response.symbol not in self._past:
                return
            line = self._new(response.symbol, now_ns, tries=1)
        line.is_confirmed = response.success is not False
        if line.state is State.DROPPING:
            return
        if response.success is False:
            yield from self.refuse(line, response.message or "subscription refused")
            return
        self.alive(line, now_ns)
        line.subscription_id = response.subscription_id or line.subscription_id
        line.venues = response.exchanges
        listed = self._listed(line.code)
        if response.exchanges and listed is not None:
            line.missing = tuple(name for name in listed if name not in response.exchanges)
        if not self._is_wanted(line):
            yield from self.settle(now_ns)
        elif line.missing:
            of = len(listed or ())
            text = f"{line.code}: {of - len(line.missing)} of {of} exchanges, without {', '.join(line.missing)}"
            yield self._notice(Severity.INFO, text)

    def unsubscribed(self, response: wire.UnsubscribeResponse, now_ns: int) -> Iterator[Send | Notice]:
        """Section 4.3: gone; only now may the symbol be asked for again."""
        line = self._find(response.symbol)
        if line is None or line.state is not State.DROPPING:
            return
        if response.success is False and line.tries < 2:
            yield self._drop(line, now_ns, tries=2)
            return
        del self.lines[line.code]
        yield from self.settle(now_ns)

    def refuse(self, line: Line, text: str, suggestions: tuple[str, ...] = ()) -> Iterator[Notice]:
        """The server will not deliver a symbol: say so once, and do not ask again while it is wanted."""
        if line.code not in self._wanted:
            del self.lines[line.code]
            return
        line.state, line.refusal, line.suggestions = State.REFUSED, text, suggestions
        yield from self._tell(line)

    def refuse_named(self, code: str, text: str, suggestions: tuple[str, ...] = ()) -> Iterator[Notice]:
        """Refuse a symbol that an error names, or else the one whose request waits longest."""
        line = self._find(code) if code else self.oldest(State.ASKED)
        if line is not None:
            yield from self.refuse(line, text, suggestions)

    def without(self, exchange: str) -> Line | None:
        """An exchange is unavailable: leave it out from now on. Returns the line whose subscribe met it."""
        asked = [line for line in self.lines.values() if line.state is State.ASKED and line.asked is not None]
        blamed = [line for line in asked if exchange in (line.asked or ())]
        if exchange in (self._exchanges or ()):  # any other was not asked for
            self.unavailable.add(exchange)
        line = min(blamed, key=lambda line: line.order, default=None)
        if line is not None:
            line.tries = 0  # what follows is another request, not the same once more
        return line

    def limited(self, now_ns: int, until_ns: int) -> None:
        """A request came too soon and was dropped; most likely the one that waits longest. It goes out again later."""
        line = self.oldest(State.ASKED, State.DROPPING)
        self.paused_until_ns = max(self.paused_until_ns, until_ns)
        if line is None:
            return
        if line.state is State.DROPPING and line.is_confirmed:
            line.state = State.LIVE
        else:  # a subscribe, or what undoes one that may never have come through
            self._give_up(line, now_ns)
            del self.lines[line.code]

    def alive(self, line: Line, now_ns: int) -> None:
        """The server delivers: it said so, or did so."""
        if line.state is not State.LIVE:
            line.state, line.since_ns, line.is_over = State.LIVE, now_ns, False
            line.told.clear()

    def heard(self, book: Book, now_ns: int) -> Line | None:
        """The line that a book belongs to, or None when nobody wants it any more.

        An update before the confirmation is proof enough that the symbol is live, unless it is one of an earlier
        subscription that was still under way.
        """
        line, past = self._find(book.code), self._past.get(book.code)
        if line is None and past and book.code not in self._wanted and now_ns - past.since_ns > STRAY_NS:
            line = self._new(book.code, now_ns, tries=1)  # the server still sends: settle takes it back
            self.alive(line, now_ns)
        if line is None or line.state is State.DROPPING or line.code not in self._wanted:
            return None
        if past and book.subscription_id and book.subscription_id == past.subscription_id:
            return None
        if book.is_update:
            line.is_confirmed = True
            self.alive(line, now_ns)
        return line

    def follows(self, line: Line, head: Head) -> bool:
        """Whether an update is nothing but the next of a line that is wanted and live."""
        return (
            line.state is State.LIVE
            and line.number is not None
            and head.number > line.number
            and head.subscription_id == line.subscription_id
            and line.code in self._wanted
        )

    def oldest(self, *states: State) -> Line | None:
        """The line whose unanswered request was sent first."""
        waiting = [line for line in self.lines.values() if line.state in states]
        return min(waiting, key=lambda line: line.order, default=None)

    def line(self, code: str) -> Line | None:
        """The line of a code, as the server spells it."""
        return self._find(code)

    def _is_wanted(self, line: Line) -> bool:
        return line.code in self._wanted and line.left_out == self._without(line.code)

    def _without(self, code: str) -> frozenset[str]:
        return self._left_out.get(code, frozenset())

    def _listed(self, code: str) -> tuple[str, ...] | None:
        """Exchanges to ask for, available or not; None for all."""
        left_out = self._without(code)
        names = self._exchanges
        if names is None and left_out:  # "all" but these: only a list can say so
            names = self._carriers(code) or None
        return None if names is None else tuple(name for name in names if name not in left_out)

    def _find(self, code: str) -> Line | None:
        return self.lines.get(code) or self.lines.get(code.upper())

    def _new(self, code: str, now_ns: int, tries: int) -> Line:
        self._order += 1
        line = Line(code, State.ASKED, now_ns, self._order, tries)
        self.lines[code] = line
        return line

    def _ask(self, code: str, now_ns: int, tries: int) -> Iterator[Send | Notice]:
        listed = self._listed(code)
        asked = None if listed is None else tuple(name for name in listed if name not in self.unavailable)
        is_full = self._is_full(code)
        line = self._new(code, now_ns, tries)
        line.left_out = self._without(code)
        if asked == ():
            yield from self.refuse(line, "none of the exchanges that are left is available")
        elif is_full:
            line.is_over = True
            yield from self.refuse(line, f"{self._most} symbols are subscribed: the limit in the settings")
        else:
            line.asked = asked
            self.budget.spend(now_ns)
            yield Send(wire.subscribe(code, asked), "subscribe")

    def _is_full(self, code: str) -> bool:
        others = (line for line in self.lines.values() if line.code != code)
        return sum(line.state in (State.ASKED, State.LIVE) for line in others) >= self._most

    def _drop(self, line: Line, now_ns: int, tries: int) -> Send:
        self._order += 1
        line.state, line.since_ns, line.order, line.tries = State.DROPPING, now_ns, self._order, tries
        self.budget.spend(now_ns)
        self._give_up(line, now_ns)
        return Send(wire.unsubscribe(line.code), "unsubscribe")

    def _give_up(self, line: Line, now_ns: int) -> None:
        if len(self._past) >= MOST_PAST:
            self._past.clear()
        self._past[line.code] = Past(line.subscription_id, now_ns)

    def _unanswered(self, line: Line, now_ns: int) -> Iterator[Send | Notice]:
        if line.tries < 2:
            yield from self._ask(line.code, now_ns, tries=line.tries + 1)
        else:
            yield from self.refuse(line, "no answer to two requests")

    def _undropped(self, line: Line, now_ns: int) -> Iterator[Send | Notice]:
        if line.code not in self._wanted and line.tries < 2:
            yield self._drop(line, now_ns, tries=2)
        else:
            del self.lines[line.code]  # settle asks anew when it is wanted

    def _tell(self, line: Line) -> Iterator[Notice]:
        for subscription in sorted(self.wanted(line.code) - line.told, key=str):
            line.told.add(subscription)
            yield self._notice(
                Severity.WARNING,
                line.refusal if line.code in line.refusal else f"{line.code}: {line.refusal}",
                subscription=subscription,
                refused=True,
                ours=line.is_over,
                suggestions=line.suggestions,
            )
