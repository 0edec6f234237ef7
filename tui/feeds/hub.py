"""FeedHub: all providers, their connections and who wants what of them, in one place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final, Protocol

from tui.clock import Clock
from tui.errors import TickdeckError
from tui.feeds.connection import FeedConnection
from tui.feeds.instances import Instances
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.feeds.refusals import Refusals
from tui.feeds.routes import RoutingTable, subscription_of
from tui.feeds.search import SearchMatch, SearchResult, merge
from tui.feeds.standby import Standby
from tui.feeds.subscriptions import SubscriptionManager
from tui.feeds.transport import Connect, WebSocketConnector
from tui.feeds.upkeep import Upkeep
from tui.market.events import Event, Notice, Status
from tui.market.names import Interval, Kind, Subscription, Symbol, Wants
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Severity
from tui.market.text import clean
from tui.providers import providers as installed
from tui.providers.base import (
    Channel,
    HttpClient,
    Provider,
    ProviderContext,
    ProviderSettings,
    SecretStore,
    SymbolMatch,
)

log = logging.getLogger(__name__)

MANAGER_S: Final = 0.1
"""Least time between two ticks of the manager."""
REST_S: Final = 1.0
"""Longest time between them, however little happens."""
REFUSALS_S: Final = 0.3
SEARCH_S: Final = 5.0
MAX_FOUND: Final = 1000

Listener = Callable[[Event], None]
"""Called with every event that was accepted, after the store has it."""


class FeedConfig(Protocol):
    """What of the configuration concerns feeds."""

    @property
    def providers(self) -> Mapping[str, ProviderSettings]:
        """Settings by provider; one that is missing has its defaults."""

    @property
    def sources(self) -> Mapping[Kind, Sequence[str]]:
        """Who is asked first, kind by kind."""

    @property
    def symbols(self) -> Mapping[Symbol, Mapping[str, str]]:
        """Providers' own codes: symbol, then provider."""

    @property
    def proxy(self) -> str | None:
        """Proxy for all connections, or None for what the environment says."""

    @property
    def ca_file(self) -> Path | None:
        """Certificates to trust besides the system's."""


class FeedHub:
    """Builds the enabled providers and a connection for each of their channels; opens nothing by itself.

    Run each of `feeds` and `run_manager` as tasks (workers of the app), or `run` for all of them.

    Args:
        config: Providers, sources, codes.
        store: Takes accepted events.
        secrets: Where credentials are.
        http: For REST calls; the caller closes it.
        clock: Stamps and timers.
        provider_types: Provider classes by name; None takes all that are installed.
        connect: Opens a channel; None dials WebSockets.
        random: For jitter.
        state_dir: For budgets that outlive the run and locks between programs; None keeps and shares nothing.
        kept: Codes that search found for symbols which the user added: symbol, then provider.
    """

    def __init__(
        self,
        config: FeedConfig,
        store: MarketStore,
        secrets: SecretStore,
        http: HttpClient,
        clock: Clock,
        *,
        provider_types: Mapping[str, type[Provider]] | None = None,
        connect: Connect | None = None,
        random: Random | None = None,
        state_dir: Path | None = None,
        kept: Mapping[Symbol, Mapping[str, str]] | None = None,
    ) -> None:
        self.store = store
        self.listener: Listener | None = None
        self._clock = clock
        self._random = random or Random()
        self._connect = connect or WebSocketConnector(config.proxy, config.ca_file)
        self._dials = DialLimiter(clock)
        self._standby = Standby()
        self._stirred = asyncio.Event()
        types = installed() if provider_types is None else provider_types
        contexts = {name: _context(name, kind, config, secrets, http, clock, state_dir) for name, kind in types.items()}
        self.providers: dict[str, Provider] = {
            name: types[name](context) for name, context in contexts.items() if context.settings.enabled
        }
        """The enabled providers by name."""
        self.feeds: dict[str, FeedConnection] = {}
        """Their connections by `<provider>:<channel>`."""
        limiters = {name: SendLimiter(clock) for name in self.providers}  # one key, one budget
        for name, provider in self.providers.items():
            provider.symbols.kept.update(
                {symbol: codes[name] for symbol, codes in (kept or {}).items() if name in codes}
            )
            for channel in provider.channels:
                self.feeds[f"{name}:{channel.name}"] = self._feed(provider, channel, limiters[name])
        self.upkeep = Upkeep(self.providers, self.feeds, limiters, Instances(state_dir), clock, self._publish)
        self.manager = SubscriptionManager(
            self.feeds,
            RoutingTable(self.providers, config.sources).candidates,
            store,
            clock,
            switched=self._switched,
            notify=self._publish,
        )
        self.refusals = Refusals(store, lambda: self.manager.wanted, self.search, self._publish)
        """What is refused, a notice a symbol."""

    def _feed(self, provider: Provider, channel: Channel, limiter: SendLimiter) -> FeedConnection:
        name = f"{provider.name}:{channel.name}"
        return FeedConnection(
            provider,
            channel,
            lambda event: self._receive(name, event),
            self.store.feed(name).stats,
            self._clock,
            limiter,
            self._random,
            self._connect,
            self._dials,
        )

    def want(self, owner: str, wants: Wants) -> None:
        """Declare all that `owner` wants from now on; an empty set takes everything back."""
        self.manager.want(owner, wants)
        self._stirred.set()

    def leave_out(self, symbol: Symbol, venues: frozenset[str]) -> bool:
        """Take the books of a symbol without these venues from now on; False when no provider can."""
        took = {name for name, provider in self.providers.items() if provider.leave_out(symbol, venues)}
        for feed in self.feeds.values():
            if feed.provider.name in took:
                for kind in feed.channel.kinds & {Kind.BOOK, Kind.QUOTE}:  # refused for lack of venues, it may go now
                    feed.forgive(Subscription(kind, symbol))
                feed.ask_again()
        self._stirred.set()
        return bool(took)

    def release(self) -> None:
        """Let every feed decode what it holds back: called by whoever is about to read the store."""
        for connection in self.feeds.values():
            connection.release()

    def retry(self, feed: str | None = None) -> None:
        """Connect a feed anew at once, or all that are not live when `feed` is None."""
        for name, connection in self.feeds.items():
            if name == feed or (feed is None and not connection.is_live):
                connection.retry_now()
        self._stirred.set()

    async def run_manager(self) -> None:
        """Drive the manager, and the upkeep beside it, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.upkeep.run(), name="upkeep")
            group.create_task(self._drive_refusals(), name="refusals")
            await self._drive_manager()

    async def _drive_manager(self) -> None:
        while True:
            self._stirred.clear()
            rest_s = REST_S
            try:
                self.manager.tick()
                rest_s = self.manager.rest_s()
            except Exception:  # a mistake of ours must not stop all feeds
                log.exception("the subscription manager failed")
            await self._rest(max(MANAGER_S, min(rest_s, REST_S)))

    async def _rest(self, rest_s: float) -> None:
        """Let the manager rest until time alone, a change of a feed or of what is wanted gives it something to do."""
        try:
            async with asyncio.timeout(rest_s):
                await self._stirred.wait()
        except TimeoutError:
            return
        await asyncio.sleep(MANAGER_S)  # more may come with it

    async def _drive_refusals(self) -> None:
        while True:
            await self.refusals.some()
            await asyncio.sleep(REFUSALS_S)  # others may refuse it too
            try:
                await self.refusals.look()
            except Exception:  # a mistake of ours must not stop all feeds
                log.exception("refusals could not be told")

    async def run(self) -> None:
        """Run all feeds and the manager until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.run_manager())
            for name, feed in self.feeds.items():
                group.create_task(feed.run(), name=name)

    async def close(self) -> None:
        """Stop all feeds, within two seconds."""
        await asyncio.gather(*(feed.stop() for feed in self.feeds.values()), self.upkeep.close())

    def _receive(self, feed: str, event: Event) -> None:
        if isinstance(event, Status | Notice):
            self._stirred.set()  # it may have changed, or refused something
        if isinstance(event, Status) and event.state is not FeedState.LIVE:
            self._standby.lost(feed)
        if self.manager.accepts(event, feed):
            self._publish(self._softened(feed, event) if isinstance(event, Notice) else event)
            return
        subscription = subscription_of(event)
        if subscription is not None and self.manager.is_asked(subscription, feed):
            self._standby.keep(feed, subscription, event)
        else:
            self.feeds[feed].stats.counts["late"] += 1

    def _softened(self, feed: str, notice: Notice) -> Notice:
        """A refusal is no refusal while another source can serve it; those of symbols are told by `refusals`."""
        if not notice.refused or notice.subscription is None or notice.subscription.symbol is None:
            return notice
        self.refusals.note(notice)
        is_refused = not self.manager.has_other_source(notice.subscription, feed)
        return notice.model_copy(update={"refused": is_refused, "severity": Severity.INFO})

    def _switched(self, subscription: Subscription, feed: str | None) -> None:
        if feed is None:
            self._standby.forget(subscription)
        elif event := self._standby.take(feed, subscription):
            self._publish(event)

    def _publish(self, event: Event) -> None:
        self.store.apply(event)
        if self.listener is not None:
            try:
                self.listener(event)
            except Exception:  # a reader's mistake must not cost the connection
                log.exception("a listener failed")

    def keep(self, symbol: Symbol) -> dict[str, str]:
        """Hold on to what searches found for a symbol that the user adds; the codes by provider, to be remembered."""
        codes = {name: provider.symbols.keep(symbol) for name, provider in self.providers.items()}
        return {name: code for name, code in codes.items() if code is not None}

    async def search(self, query: str, limit: int = 20) -> SearchResult:
        """Ask all providers at once, for `SEARCH_S` at most; what fails is listed, not raised."""
        names = list(self.providers)
        answers = await asyncio.gather(*(self._ask(self.providers[name], query, limit) for name in names))
        errors = {name: answer for name, answer in zip(names, answers, strict=True) if isinstance(answer, str)}
        found = [match for answer in answers if not isinstance(answer, str) for match in answer]
        for match in found:
            known = self.providers[match.provider].symbols.found
            if len(known) < MAX_FOUND:
                known.setdefault(match.symbol, match.code)
        matches = merge(found, query, limit)
        for merged in matches:
            merged.carried_by = self._carriers(merged)
        return SearchResult(matches, errors)

    @staticmethod
    async def _ask(provider: Provider, query: str, limit: int) -> list[SymbolMatch] | str:
        try:
            async with asyncio.timeout(SEARCH_S):
                return await provider.search(query, limit)
        except TimeoutError:
            return "no answer in time"
        except TickdeckError as error:
            return clean(str(error))
        except Exception:
            log.exception("%s: search failed", provider.name)
            return "internal error"

    def _carriers(self, match: SearchMatch) -> tuple[str, ...]:
        others = (name for name in self.providers if name not in match.codes)
        return (*match.codes, *(name for name in others if _carries(self.providers[name], match.symbol)))


def _carries(provider: Provider, symbol: Symbol) -> bool:
    kinds = frozenset[Kind]().union(*(channel.kinds for channel in provider.channels))
    return any(
        provider.carries(Subscription(kind, symbol, Interval.M1 if kind is Kind.BAR else None))
        for kind in kinds & {Kind.QUOTE, Kind.BAR, Kind.BOOK, Kind.TRADE}
    )


def _context(
    name: str,
    kind: type[Provider],
    config: FeedConfig,
    secrets: SecretStore,
    http: HttpClient,
    clock: Clock,
    state_dir: Path | None,
) -> ProviderContext:
    overrides = {symbol: codes[name] for symbol, codes in config.symbols.items() if name in codes}
    return ProviderContext(
        settings=config.providers.get(name) or kind.settings_model(),
        secrets=secrets,
        http=http,
        now_ns=clock.now_ns,
        overrides=overrides,
        state_dir=state_dir,
    )
