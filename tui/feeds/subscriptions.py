"""SubscriptionManager: who wants what, and which feed serves it. No I/O: whoever owns it calls `tick`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from tui.clock import Clock
from tui.feeds.routes import subscription_of
from tui.market.events import Event, Notice
from tui.market.names import Kind, Subscription, Wants
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Severity
from tui.providers.base import Channel

TAKEOVER_S: Final = 10.0
"""A feed that is wanted but not live for this long is passed over."""
RETURN_S: Final = 30.0
"""A better source serves again after it has been live for this long."""
_STREAMS: Final = frozenset({Kind.NEWS, Kind.ACCOUNT})
"""Kinds whose events do not say which subscription they answer."""


Conditions = Mapping[str, tuple[FeedState, float | None, frozenset[Subscription], bool, bool]]
"""By feed: what it does, since when it is live, what it refused, whether it is down, whether it has proved itself."""


class Feed(Protocol):
    """What the manager needs of a connection."""

    @property
    def name(self) -> str:
        """`<provider>:<channel>`."""

    @property
    def channel(self) -> Channel:
        """Its limits."""

    @property
    def state(self) -> FeedState:
        """What it is doing."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def live_since(self) -> float | None:
        """Monotonic seconds of its login, None while it is not live."""

    @property
    def wants(self) -> Wants:
        """What it was asked for."""

    @property
    def refused(self) -> Collection[Subscription]:
        """What it will not serve."""

    def set_wants(self, wants: Wants) -> None:
        """Ask it for this and nothing else."""

    def forgive(self, subscription: Subscription) -> None:
        """Forget a refusal."""


@dataclass(slots=True)
class Route:
    """Where one subscription goes.

    Attributes:
        candidates: Feeds that carry it, best first.
        asked: Feeds that are asked for it now, in that order.
        serving: The one whose data count, or None when there is none.
        unwanted_since: Monotonic seconds, or None while somebody wants it.
    """

    subscription: Subscription
    candidates: tuple[str, ...]
    asked: tuple[str, ...] = ()
    serving: str | None = None
    unwanted_since: float | None = None


class SubscriptionManager:
    """Keep every subscription at the best feed that works.

    Owners (panes, commands) declare all that they want; the union is asked for. The first source that carries a
    subscription is asked; when it refuses, has failed, or has not been live for `TAKEOVER_S`, the next one is asked too
    and serves as soon as it is live. The first source stays asked, and serves again after `RETURN_S` of health.

    Args:
        feeds: The connections by name.
        candidates: Feeds that carry a subscription, best first.
        store: Is told who serves what.
        clock: Timers.
        switched: Called when another feed starts to serve a subscription; with None when nobody wants it any more.
        notify: Takes notices of takeovers.
    """

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        candidates: Callable[[Subscription], tuple[str, ...]],
        store: MarketStore,
        clock: Clock,
        *,
        switched: Callable[[Subscription, str | None], None] = lambda subscription, feed: None,
        notify: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        self._feeds = feeds
        self._candidates = candidates
        self._store = store
        self._clock = clock
        self._switched = switched
        self._notify = notify
        self._owners: dict[str, Wants] = {}
        self._routes: dict[Subscription, Route] = {}
        self._streams: set[tuple[Kind, str]] = set()
        self._down_since: dict[str, float] = {}
        self._chosen_under: Conditions | None = None
        self._due: dict[str, float] = {}
        self._moves: defaultdict[tuple[str, str], list[Subscription]] = defaultdict(list)

    def want(self, owner: str, wants: Wants) -> None:
        """Declare all that `owner` wants from now on; an empty set takes everything back."""
        self._owners.pop(owner, None)
        if wants:
            self._owners[owner] = wants
        union: Wants = frozenset().union(*self._owners.values())
        now = self._clock.monotonic()
        for subscription in union:
            route = self._routes.setdefault(subscription, Route(subscription, ()))
            route.unwanted_since = None
            if not route.candidates:
                route.candidates = self._candidates(subscription)
                self._choose(route, now)
                self._chosen_under = None
        for subscription, route in self._routes.items():
            if subscription not in union and route.unwanted_since is None:
                route.unwanted_since = now
        self._settle(now)

    def tick(self, now: float | None = None) -> None:
        """Let time pass: forget what lingered, pass over what is down, ask feeds for what has settled.

        Args:
            now: Monotonic seconds; None takes the clock's.
        """
        now = self._clock.monotonic() if now is None else now
        self._expire(now)
        self._watch(now)
        if (conditions := self._conditions(now)) != self._chosen_under:
            # a choice may lead to another one: only one that changes nothing stands while conditions last
            changes = sum(self._choose(route, now) for route in self._routes.values())
            self._chosen_under = None if changes else conditions
        self._settle(now)
        self._announce()

    def rest_s(self) -> float:
        """Seconds until time alone gives a tick something to do; 0 when the next one may have, infinite when never."""
        if self._chosen_under is None:
            return 0.0
        now = self._clock.monotonic()
        coming = [
            *(since + TAKEOVER_S for since in self._down_since.values()),
            *(feed.live_since + RETURN_S for feed in self._feeds.values() if feed.live_since is not None),
        ]
        ends = [
            *self._due.values(),
            *(end for end in coming if end > now),  # what has passed is among the conditions of the last choice
            *(
                route.unwanted_since + self._linger_s(route)
                for route in self._routes.values()
                if route.unwanted_since is not None
            ),
        ]
        return max(0.0, min(ends, default=math.inf) - now)

    def accepts(self, event: Event, feed: str) -> bool:
        """Whether an event of a feed counts: nobody has to ask for it, or this feed serves it."""
        subscription = subscription_of(event)
        if subscription is None:
            return True
        if subscription.kind in _STREAMS:
            return (subscription.kind, feed) in self._streams
        route = self._routes.get(subscription)
        return route is not None and route.serving == feed

    def is_asked(self, subscription: Subscription, feed: str) -> bool:
        """Whether a feed is asked for a subscription, be it only to take over or to come back."""
        route = self._routes.get(subscription)
        return route is not None and feed in route.asked

    def has_other_source(self, subscription: Subscription, feed: str) -> bool:
        """Whether somebody else could still serve what `feed` refuses."""
        route = self._routes.get(subscription)
        return route is not None and any(name != feed for name in self._usable(route))

    @property
    def wanted(self) -> Wants:
        """All that somebody wants."""
        return frozenset(s for s, route in self._routes.items() if route.unwanted_since is None)

    def _expire(self, now: float) -> None:
        for subscription, route in list(self._routes.items()):
            if route.unwanted_since is None or now - route.unwanted_since < self._linger_s(route):
                continue
            del self._routes[subscription]
            self._store.forget(subscription)
            self._switched(subscription, None)
            for name in route.candidates:
                self._feeds[name].forgive(subscription)

    def _linger_s(self, route: Route) -> float:
        return self._feeds[route.serving].channel.limits.linger_s if route.serving else 0.0

    def _watch(self, now: float) -> None:
        """Note since when feeds that should be live are not."""
        for name, feed in self._feeds.items():
            if feed.live_since is None and feed.wants:
                self._down_since.setdefault(name, now)
            else:
                self._down_since.pop(name, None)

    def _conditions(self, now: float) -> Conditions:
        """All that choices depend on besides the routes: hundreds of them need no new choice ten times a second."""
        return {
            name: (
                feed.state,
                feed.live_since,
                frozenset(feed.refused),
                self._is_down(name, now),
                self._is_proven(name, now),
            )
            for name, feed in self._feeds.items()
        }

    def _choose(self, route: Route, now: float) -> bool:
        """Ask and serve anew; whether that changed anything."""
        before = route.asked, route.serving
        usable = self._usable(route)
        asked = []
        for name in usable:
            asked.append(name)
            if not self._is_down(name, now):
                break
        if route.serving in usable and route.serving not in asked:
            asked.append(route.serving)  # until the better one has proved itself
        route.asked = tuple(asked)
        self._serve(route, self._best(route, now))
        return (route.asked, route.serving) != before

    def _usable(self, route: Route) -> list[str]:
        return [name for name in route.candidates if route.subscription not in self._feeds[name].refused]

    def _is_down(self, name: str, now: float) -> bool:
        since = self._down_since.get(name)
        return self._feeds[name].state is FeedState.FAILED or (since is not None and now - since >= TAKEOVER_S)

    def _best(self, route: Route, now: float) -> str | None:
        """The one to serve: who serves now while it works, except for a better one that has been well for long."""
        current = route.serving if route.serving in route.asked else None
        live = [name for name in route.asked if self._feeds[name].live_since is not None]
        if current in live:
            return next((name for name in live if name == current or self._is_proven(name, now)), current)
        if live:
            return live[0]
        if current is not None and self._feeds[current].state is not FeedState.FAILED:
            return current  # nobody is better off: do not wander from one to the next
        hopeful = (name for name in route.asked if not self._is_down(name, now))
        return next(hopeful, route.asked[0] if route.asked else None)

    def _is_proven(self, name: str, now: float) -> bool:
        since = self._feeds[name].live_since
        return since is not None and now - since >= RETURN_S

    def _serve(self, route: Route, feed: str | None) -> None:
        before, route.serving = route.serving, feed
        self._store.assign(route.subscription, feed)
        if feed == before:
            return
        self._streams = {(s.kind, r.serving) for s, r in self._routes.items() if s.kind in _STREAMS and r.serving}
        if feed is not None:
            self._switched(route.subscription, feed)
            if before is not None:
                self._moves[before, feed].append(route.subscription)

    def _settle(self, now: float) -> None:
        """Ask each feed for what it should deliver once that has rested for the channel's `settle_s`."""
        desired: defaultdict[str, set[Subscription]] = defaultdict(set)
        for route in self._routes.values():
            for name in route.asked:
                desired[name].add(route.subscription)
        for name, feed in self._feeds.items():
            if desired[name] == feed.wants:
                self._due.pop(name, None)
            elif now >= self._due.setdefault(name, now + feed.channel.limits.settle_s):
                del self._due[name]
                feed.set_wants(frozenset(desired[name]))
                self._chosen_under = None  # it counts as down from the next tick on

    def _announce(self) -> None:
        """One notice for all that moved from one feed to another."""
        for (before, after), moved in self._moves.items():
            what = str(moved[0]) if len(moved) == 1 else f"{len(moved)} subscriptions"
            old = self._feeds[before]
            why = "refused there" if moved[0] in old.refused else old.reason or old.state.value
            is_back = old.live_since is not None and moved[0] not in old.refused
            text = f"{what} back at {after}" if is_back else f"{after} takes over {what} from {before}: {why}"
            self._notify(
                Notice(
                    source=after.partition(":")[0],
                    ts_recv_ns=self._clock.now_ns(),
                    feed=after,
                    severity=Severity.INFO,
                    text=text,
                    subscription=moved[0] if len(moved) == 1 else None,
                )
            )
        self._moves.clear()
