"""All parts of the feeds together: two providers on this machine, one store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from tests.feeds.plain import (
    APPLE,
    QUICK,
    Caller,
    NoHttp,
    NoSecrets,
    PlainProvider,
    PlainSettings,
    ScriptedServer,
    behave,
    quote,
    scripted,
    until,
)
from tui.clock import ManualClock
from tui.errors import RestError
from tui.feeds.hub import FeedHub
from tui.feeds.subscriptions import RETURN_S, TAKEOVER_S
from tui.market.events import Event, Quote
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness, MarketStore
from tui.market.terms import FeedState
from tui.providers.base import Channel, Limits, Provider, ProviderSettings, SymbolMatch

AAPL = Symbol("AAPL")
BOOK = Subscription(Kind.BOOK, AAPL)
QUOTES: Mapping[Kind, Sequence[str]] = {Kind.QUOTE: ("first", "second")}
STEADY = replace(QUICK, silence_s=1e6, login_s=1e6)
"""No watchdog barks when the clock is moved by a minute."""


class First(PlainProvider):
    name: ClassVar[str] = "first"
    limits: Limits = STEADY


class WithNews(First):
    """Two sockets, one key."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        return (*super().channels, Channel("news", frozenset({Kind.NEWS}), self.context.settings.url, self.limits))


class Second(PlainProvider):
    name: ClassVar[str] = "second"
    limits: Limits = STEADY


@dataclass(frozen=True)
class Config:
    providers: Mapping[str, ProviderSettings]
    sources: Mapping[Kind, Sequence[str]] = field(default_factory=lambda: QUOTES)
    symbols: Mapping[Symbol, Mapping[str, str]] = field(default_factory=dict)
    proxy: str | None = None
    ca_file: Path | None = None


def hub_of(
    first: str = "ws://127.0.0.1:1/",
    second: str = "ws://127.0.0.1:1/",
    *,
    first_type: type[PlainProvider] = First,
    **options: object,
) -> FeedHub:
    clock = ManualClock()
    settings = {"first": PlainSettings(url=first), "second": PlainSettings(url=second)}
    config = Config(**{"providers": settings, **options})  # type: ignore[arg-type]
    types: dict[str, type[Provider]] = {"first": first_type, "second": Second}
    return FeedHub(config, MarketStore(clock.now_ns), NoSecrets(), NoHttp(), clock, provider_types=types)


@asynccontextmanager
async def running(hub: FeedHub) -> AsyncIterator[None]:
    task = asyncio.create_task(hub.run())
    try:
        yield
    finally:
        await hub.close()
        task.cancel()
        await asyncio.wait({task})


def clock_of(hub: FeedHub) -> ManualClock:
    assert isinstance(hub._clock, ManualClock)
    return hub._clock


def plain(hub: FeedHub, name: str) -> PlainProvider:
    provider = hub.providers[name]
    assert isinstance(provider, PlainProvider)
    return provider


def last(hub: FeedHub) -> Decimal | None:
    state = hub.store.quote(AAPL)
    return state.get("last") if state else None


async def test_what_a_pane_wants_comes_into_the_store_and_to_the_listener() -> None:
    heard: list[Event] = []
    async with scripted() as server:
        hub = hub_of(first=server.url)
        hub.listener = heard.append
        async with running(hub):
            hub.want("pane", APPLE)
            await until(lambda: hub.store.quote(AAPL))
            assert hub.store.freshness(quote("AAPL")) is Freshness.LIVE
            assert hub.store.serving(quote("AAPL")) == "first:main"
            assert hub.feeds["second:main"].state is FeedState.IDLE
    assert any(isinstance(event, Quote) for event in heard)


async def test_a_listener_that_fails_costs_nobody_anything() -> None:
    def fail(event: Event) -> None:
        raise ValueError("a reader's mistake")

    async with scripted() as server:
        hub = hub_of(first=server.url)
        hub.listener = fail
        async with running(hub):
            hub.want("pane", APPLE)
            await until(lambda: hub.store.quote(AAPL))
            assert hub.feeds["first:main"].is_live


async def test_a_takeover_shows_no_old_value_as_live_and_a_return_starts_whole() -> None:
    async def waits(caller: Caller) -> None:
        await caller.log_in()
        while True:
            await caller.hear()

    async with scripted(waits) as one, scripted(waits) as two:
        hub = hub_of(first=one.url, second=two.url, sources={**QUOTES, Kind.BOOK: ("second",)})
        async with running(hub):
            hub.want("pane", frozenset({*APPLE, BOOK}))
            first, second = hub.feeds.values()
            await until(lambda: second.is_live and one.callers and len(one.callers[0].heard) == 2)
            await one.callers[0].say("quote AAPL 1")
            await until(lambda: last(hub) == 1)
            hold(first)
            one.callers[0].socket.transport.abort()
            await until(lambda: not first.is_live)
            clock_of(hub).advance(1)
            hub.manager.tick()
            clock_of(hub).advance(TAKEOVER_S)
            hub.manager.tick()
            await until(lambda: hub.store.serving(quote("AAPL")) == "second:main")
            await until(lambda: "add quote AAPL" in two.callers[0].heard)
            assert hub.store.freshness(quote("AAPL")) is Freshness.STALE, "the value is the other's"
            await two.callers[0].say("quote AAPL 2")
            await until(lambda: last(hub) == 2)
            assert hub.store.freshness(quote("AAPL")) is Freshness.LIVE
            first.retry_now()
            await until(lambda: len(one.callers) == 2 and len(one.callers[1].heard) == 2)
            await one.callers[1].say("quote AAPL 3", "quote AAPL 4")
            await until(lambda: standing_by(hub) == 4)
            assert last(hub) == 2, "the first is heard, but does not count yet"
            clock_of(hub).advance(RETURN_S + 1)
            hub.manager.tick()
            assert last(hub) == 4, "what it said in the meantime is there at once"
            assert hub.store.freshness(quote("AAPL")) is Freshness.LIVE
            assert [n.text for n in hub.store.notices if "AAPL" in n.text] == [
                "second:main takes over quote AAPL from first:main: connection lost",
                "quote AAPL back at first:main",
            ]


def standing_by(hub: FeedHub) -> Decimal | None:
    """What the first feed has said while it did not count."""
    event = hub._standby._kept.get(("first:main", quote("AAPL")))
    return event.last if isinstance(event, Quote) else None


def hold(feed: object) -> None:
    """Let the next back-off of a feed last until somebody retries."""
    feed._backoff._limits = replace(QUICK, backoff_base_s=1e6, backoff_cap_s=1e6)  # type: ignore[attr-defined]


async def test_a_refusal_goes_to_the_next_source_and_is_told_as_one_only_when_all_refuse() -> None:
    async def refuses(caller: Caller) -> None:
        await caller.log_in()
        await caller.hear()
        await caller.say("refused quote AAPL")
        await caller.hear()

    async with scripted(refuses) as one, scripted(refuses) as two:
        hub = hub_of(first=one.url, second=two.url)
        async with running(hub):
            hub.want("pane", APPLE)
            await until(lambda: hub.feeds["second:main"].refused)
            refusals = [notice for notice in hub.store.notices if notice.text == "unknown"]
            assert [(notice.source, notice.refused) for notice in refusals] == [("first", False), ("second", True)]
            assert hub.store.absence(quote("AAPL")) == "unknown"
            await until(lambda: hub.store.serving(quote("AAPL")) is None)


async def test_a_disabled_provider_does_not_exist() -> None:
    settings = {"first": PlainSettings(enabled=False), "second": PlainSettings()}
    hub = hub_of(providers=settings)
    assert list(hub.providers) == ["second"]
    hub.want("pane", APPLE)
    assert hub.store.serving(quote("AAPL")) == "second:main"


async def test_a_provider_gets_its_own_codes_of_the_configuration() -> None:
    hub = hub_of(symbols={AAPL: {"first": "NASDAQ:AAPL"}})
    assert plain(hub, "first").symbols.overrides == {AAPL: "NASDAQ:AAPL"}
    assert plain(hub, "second").symbols.overrides == {}


async def test_a_symbol_that_the_first_source_does_not_carry_goes_to_one_that_does() -> None:
    hub = hub_of()
    plain(hub, "first").carries = lambda subscription: False  # type: ignore[method-assign]
    hub.want("pane", APPLE)
    assert hub.store.serving(quote("AAPL")) == "second:main"


async def test_a_retry_of_all_leaves_those_alone_that_are_live() -> None:
    async def refuse(caller: Caller) -> None:
        await caller.hear()
        await caller.say("no key rejected")
        await caller.hear()

    async with scripted() as one, scripted(refuse, behave) as two:
        hub = hub_of(first=one.url, second=two.url, sources={Kind.QUOTE: ("first",), Kind.BOOK: ("second",)})
        async with running(hub):
            hub.want("pane", frozenset({*APPLE, BOOK}))
            first, second = hub.feeds.values()
            await until(lambda: first.is_live and second.state is FeedState.FAILED)
            hub.retry()
            await until(lambda: second.is_live)
            assert len(one.callers) == 1
            hub.retry("first:main")
            await until(lambda: len(one.callers) == 2)


async def test_channels_of_one_key_share_its_budget_and_all_share_the_dials() -> None:
    hub = hub_of(first_type=WithNews)
    first, news, second = hub.feeds.values()
    assert [feed.name for feed in (first, news, second)] == ["first:main", "first:news", "second:main"]
    assert first._limiter is news._limiter
    assert first._limiter is not second._limiter
    assert first._dials is news._dials is second._dials


def match(symbol: str, code: str, provider: str, description: str = "") -> SymbolMatch:
    return SymbolMatch(Symbol(symbol), code, description, "stock", provider)


async def test_a_search_asks_all_merges_and_ranks_by_exactness() -> None:
    hub = hub_of()
    plain(hub, "first").found = [
        match("AAPLX", "X:AAPLX", "first"),
        match("PEAR", "NYSE:PEAR", "first", "Not an aapl at all"),
        match("AAPL", "NASDAQ:AAPL", "first", "Apple Inc."),
    ]
    plain(hub, "second").found = [match("AAPL", "aapl-us", "second", "Apple"), match("ZZ", "AAPL", "second")]
    result = await hub.search("aapl")
    assert [found.symbol for found in result.matches] == ["AAPL", "ZZ", "AAPLX", "PEAR"]
    assert result.matches[0].codes == {"first": "NASDAQ:AAPL", "second": "aapl-us"}
    assert result.matches[0].description == "Apple Inc."
    assert result.matches[2].carried_by == ("first", "second"), "the second carries it by its rule"
    assert not result.errors
    assert plain(hub, "first").symbols.found[AAPL] == "NASDAQ:AAPL"


async def test_a_provider_that_cannot_search_is_named_and_the_others_answer() -> None:
    hub = hub_of()
    plain(hub, "first").found = RestError("api.example: HTTP 500", status=500)
    plain(hub, "second").found = [match("AAPL", "AAPL", "second")]
    result = await hub.search("AAPL")
    assert [found.symbol for found in result.matches] == ["AAPL"]
    assert result.errors == {"first": "api.example: HTTP 500"}


async def test_a_mistake_in_a_search_is_not_the_users() -> None:
    hub = hub_of()
    plain(hub, "first").found = KeyError("oops")
    assert (await hub.search("AAPL")).errors == {"first": "internal error"}


async def test_a_search_that_is_cut_to_its_limit_keeps_the_best() -> None:
    hub = hub_of()
    plain(hub, "first").found = [match(f"AB{letter}", letter, "first") for letter in "ZYXWV"] + [
        match("AB", "AB", "first")
    ]
    assert [found.symbol for found in (await hub.search("ab", 2)).matches] == ["AB", "ABV"]


async def test_closing_stops_all_feeds() -> None:
    async with scripted() as server:
        hub = hub_of(first=server.url)
        tasks = [asyncio.create_task(feed.run()) for feed in hub.feeds.values()]
        hub.want("pane", APPLE)
        await until(lambda: hub.feeds["first:main"].is_live)
        await hub.close()
        await asyncio.wait(tasks, timeout=1)
        assert all(task.done() for task in tasks)
        assert is_closed_with_1000(server)


def is_closed_with_1000(server: ScriptedServer) -> bool:
    return [caller.socket.close_code for caller in server.callers] == [1000]
