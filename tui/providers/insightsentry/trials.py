"""Which subscriptions the server has taken, which it refused, and which are under suspicion.

A legacy error (protocol reference 7.1, 7.3) does not say which code was wrong, and the only cure is to connect again
without it. So this memory belongs to the provider and outlives the connections.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence
from typing import Final, TypeVar

from tui.clock import NS
from tui.providers.insightsentry.symbols import is_well_known
from tui.providers.insightsentry.wire import Topic

MOST_RECONNECTS: Final = 3
WINDOW_NS: Final = 300 * NS
REFUSED_NS: Final = 600 * NS
"""A refused subscription that is still wanted is not sent again for this long."""
BAD_NS: Final = 60 * NS
"""A code that stopped a list is not sent again for this long, whatever is wanted of it."""
MOST_KEPT: Final = 1000
T = TypeVar("T")


class Trials:
    """What is known of subscriptions from one connection to the next.

    Attributes:
        suspects: Topics one of which made the server refuse a list; they are tried one code at a time.
    """

    def __init__(self) -> None:
        self.suspects: dict[Topic, None] = {}
        self._delivered: dict[Topic, None] = {}
        self._accepted: dict[Topic, None] = {}
        self._refused: dict[Topic, tuple[str, int]] = {}
        self._known: dict[str, None] = {}
        self._bad: dict[str, tuple[str, int]] = {}
        self._reconnects: deque[int] = deque(maxlen=MOST_RECONNECTS)

    def delivered(self, topic: Topic) -> None:
        """Data came: the server has taken it."""
        if topic not in self._delivered or topic in self.suspects:
            _keep(self._delivered, topic)
            self.vouch(topic.code)
            self.accepted((topic,))

    def vouch(self, code: str) -> None:
        """The server knows this code."""
        _keep(self._known, code)

    def is_known(self, code: str) -> bool:
        """Whether the server knows a code, or is all but certain to."""
        return code in self._known or is_well_known(code)

    def accepted(self, topics: Iterable[Topic]) -> None:
        """A list with these has stood without an error."""
        for topic in topics:
            _keep(self._accepted, topic)
            self.suspects.pop(topic, None)

    def refuse(self, topics: Iterable[Topic], text: str, now_ns: int, *, stops_lists: bool = False) -> None:
        """Send these no more for a while; nor, when they stop whole lists, anything else of a code without data."""
        for topic in topics:
            if stops_lists and not self.is_known(topic.code):
                self._bad[topic.code] = (text, now_ns + BAD_NS)
            for known in (self.suspects, self._delivered, self._accepted):
                known.pop(topic, None)
            self._refused.pop(topic, None)
            self._refused[topic] = (text, now_ns + REFUSED_NS)
        while len(self._refused) > MOST_KEPT:
            del self._refused[next(iter(self._refused))]
        while len(self._bad) > MOST_KEPT:
            del self._bad[next(iter(self._bad))]

    def keep_refusals(self, wanted: Container[Topic]) -> None:
        """Forget the refusals of what nobody wants any more: whoever asks again later means it."""
        self._refused = {topic: refusal for topic, refusal in self._refused.items() if topic in wanted}

    def refusal(self, topic: Topic, now_ns: int) -> str | None:
        """Why a topic is not sent, or None when it may be."""
        for text, until_ns in (self._refused.get(topic, ("", 0)), self._bad.get(topic.code, ("", 0))):
            if now_ns < until_ns:
                return text
        return None

    def is_suspect(self, topic: Topic) -> bool:
        """Whether it may have stopped a list, or is new and of a code that may have."""
        if topic in self.suspects:
            return True
        return topic not in self._accepted and any(topic.code == suspect.code for suspect in self.suspects)

    def blame(self, sent: Sequence[Topic], named: frozenset[str]) -> list[Topic]:
        """Who made the server refuse the list `sent`: those it named, else all that was new of one code.

        When several codes were new, nobody is blamed yet: they become suspects, and if some of them are less well known
        than the others, only those.
        """
        if guilty := [topic for topic in sent if topic.code in named]:
            return guilty
        new = self.on_trial(sent)
        if len({topic.code for topic in new}) == 1:
            return new
        for topic in [topic for topic in new if not self.is_known(topic.code)] or new:
            _keep(self.suspects, topic)
        return []

    def on_trial(self, sent: Sequence[Topic]) -> list[Topic]:
        """The part of a list that has never been seen to work: not yet taken, or else never answered with data."""
        for known in (self._accepted, self._delivered):
            if new := [topic for topic in sent if topic not in known]:
                return new
        return []

    def is_accepted(self, topic: Topic) -> bool:
        """Whether a list with it has stood without an error."""
        return topic in self._accepted

    def has_delivered(self, topic: Topic) -> bool:
        """Whether data has ever come for it."""
        return topic in self._delivered

    def reconnects(self, at_ns: int) -> None:
        """An error makes us connect again then."""
        self._reconnects.append(at_ns)

    def wait_s(self, now_ns: int) -> float:
        """Seconds until an error may make us connect again: three times in five minutes at most."""
        if len(self._reconnects) < MOST_RECONNECTS:
            return 0.0
        return max(0.0, (self._reconnects[0] + WINDOW_NS - now_ns) / NS)

    def hold_back(self, topics: Iterable[Topic]) -> None:
        """No more errors can be afforded for now: what has not proved itself waits for its turn."""
        for topic in topics:
            if topic not in self._accepted and not self.is_known(topic.code):
                _keep(self.suspects, topic)


def _keep(known: dict[T, None], each: T) -> None:
    known.pop(each, None)
    known[each] = None
    if len(known) > MOST_KEPT:
        del known[next(iter(known))]
