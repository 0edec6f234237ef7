"""The newest state of subscriptions at feeds that are asked but do not serve them now."""

from __future__ import annotations

from tui.market.events import BookSnapshot, Event, Greeks, Quote
from tui.market.names import Subscription


class Standby:
    """What a feed would show if it served: kept so that a switch to it starts with a whole quote, not with a patch.

    One event for each feed and subscription; bars, prints and headlines are not kept, they need no past.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Subscription], Event] = {}

    def keep(self, feed: str, subscription: Subscription, event: Event) -> None:
        """Merge an event into what is kept."""
        key = feed, subscription
        match event:
            case Quote() | Greeks():
                before = self._kept.get(key)
                known = before.model_dump(exclude_unset=True) if isinstance(before, type(event)) else {}
                self._kept[key] = type(event)(**{**known, **event.model_dump(exclude_unset=True)})
            case BookSnapshot():
                self._kept[key] = event

    def take(self, feed: str, subscription: Subscription) -> Event | None:
        """What is kept of a subscription at a feed that starts to serve it; nothing afterwards."""
        return self._kept.pop((feed, subscription), None)

    def lost(self, feed: str) -> None:
        """The feed's connection ended: what it brought is of the past."""
        for key in [key for key in self._kept if key[0] == feed]:
            del self._kept[key]

    def forget(self, subscription: Subscription) -> None:
        """Nobody wants it any more."""
        for key in [key for key in self._kept if key[1] == subscription]:
            del self._kept[key]
