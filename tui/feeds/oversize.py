"""Messages that are too large, again and again: which subscription brings them?"""

from __future__ import annotations

from dataclasses import replace

from tui.feeds.outcome import Outcome
from tui.market.names import Subscription, Wants


class Oversize:
    """Blames a subscription for messages that end connection after connection.

    Only when it is the only one of several that never delivered anything, twice in a row, as one is that was added to
    a list that works. Whose message it was that nobody read is a guess otherwise, and a wrong one costs the user
    something that works.
    """

    def __init__(self) -> None:
        self._silent: Wants = frozenset()

    def blame(self, outcome: Outcome, wants: Wants, delivered: Wants) -> Subscription | None:
        """Whose messages are too large, or None when nobody can say.

        Args:
            outcome: How the connection ended.
            wants: What was asked of it.
            delivered: What of that has ever been delivered.
        """
        before, self._silent = self._silent, wants - delivered if outcome.is_too_large else frozenset()
        both = before & self._silent
        return next(iter(both)) if len(both) == 1 < len(wants) else None


def excused(outcome: Outcome) -> Outcome:
    """The same end, once its cause was given up: tried again like any other."""
    return replace(outcome, patience=0)
