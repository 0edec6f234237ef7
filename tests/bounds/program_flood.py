"""Floods of the program itself: feeds, screen, commands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from rich.style import Style

from tests.bounds.census import census
from tests.feeds.plain import PATIENT, PlainProvider, Sink, context
from tui.clock import Clock, ManualClock
from tui.commands.lines import to_json
from tui.commands.printing import EventPrinter
from tui.commands.watch import Watch
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds.connection import FeedConnection
from tui.feeds.link import Link, Surroundings
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.feeds.refusals import Refusals
from tui.market.events import NewsItem, Notice
from tui.market.health import FeedStats
from tui.market.names import Kind, Subscription, Symbol
from tui.market.quotes import QuoteState
from tui.market.store import MarketStore
from tui.market.terms import Severity
from tui.panes.base import Desk
from tui.panes.quotes import QuotesPane
from tui.providers.base import Limits, Renew, Send, Signal
from tui.rest import RestClient
from tui.simulator.market import SimulatedMarket
from tui.state import StateFile
from tui.telling import Repeats
from tui.themes import load_themes


def limiter_flood() -> dict[str, int]:
    clock, limits = ManualClock(), Limits(subscribes_per_minute=60)
    limiter = SendLimiter(clock)
    for _ in range(1000):
        clock.advance(0.2)
        if not limiter.wait_s(limits):
            limiter.spend()
    return census(limiter, DialLimiter(clock))


def connection_flood() -> dict[str, int]:
    """A source that refuses whatever it is asked for."""
    clock = ManualClock()
    provider = PlainProvider(context("ws://127.0.0.1:1/", clock))
    feed = FeedConnection(
        provider, provider.channels[0], Sink(), FeedStats(), clock, SendLimiter(clock), Random(1), never
    )
    for number in range(1500):
        wanted = Subscription(Kind.QUOTE, Symbol(f"S{number}"))
        feed._emit(Notice(source="plain", ts_recv_ns=1, text="no", subscription=wanted, refused=True))
    return census(feed)


def refusals_flood() -> dict[str, int]:
    """Sources that refuse everything and suggest something else each time."""
    refusals = Refusals(MarketStore(ManualClock().now_ns), frozenset, never, lambda notice: None)
    for number in range(300):
        for symbol in (f"S{number}", "S1"):
            wanted = Subscription(Kind.QUOTE, Symbol(symbol))
            hints = (f"T{number}",)
            refusals.note(
                Notice(source="x", ts_recv_ns=1, text="no", subscription=wanted, refused=True, suggestions=hints)
            )
    return census(refusals)


async def never(*asked: object) -> Any:
    await asyncio.Event().wait()


class Silent:
    """A transport on which nothing happens."""

    async def send(self, frame: str) -> None:
        await asyncio.Event().wait()

    async def receive(self) -> str:
        await asyncio.Event().wait()
        return ""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        pass


async def link_flood(signals: Iterable[Signal]) -> dict[str, int]:
    """A codec that puts out the same again and again."""
    clock = ManualClock()
    provider = PlainProvider(context("ws://127.0.0.1:1/", clock))
    channel = replace(provider.channels[0], limits=PATIENT)
    provider.locked = asyncio.Event()  # no credential comes while it floods
    around = Surroundings(
        provider, channel, lambda event: None, lambda detail: None, FeedStats(), clock, SendLimiter(clock)
    )
    link = Link(Silent(), provider.codec("main", await provider_credential()), frozenset(), around)
    running = asyncio.create_task(link.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for signal in signals:
        link._apply([signal])
    found = census(link)
    running.cancel()
    await asyncio.wait({running})
    return found


async def provider_credential() -> Any:
    return await PlainProvider(context("ws://127.0.0.1:1/")).credential("main")


def links_flood() -> dict[str, int]:
    async def all_of_them() -> list[dict[str, int]]:
        at_once = [Send("x", "request")] * 6000
        paced = [Send("x", "subscribe")] * 6000
        return [await link_flood(signals) for signals in (at_once, paced, [Renew()] * 1000)]

    return merged(asyncio.run(all_of_them()))


def screen_flood(folder: Path) -> dict[str, int]:
    clock = ManualClock()
    store = MarketStore(clock.now_ns)
    desk = Desk(store=store, palette=load_themes().get("tickdeck-dark"))
    for number in range(200):
        desk.symbols.append(Symbol(f"S{number}"))
        desk.remove(Symbol(f"S{number}"))
    pane = QuotesPane(desk)
    pane._flashes = {}
    for number in range(1500):
        state = QuoteState(Symbol(f"S{number}"), "aries", clock.now_ns(), moved_ns=clock.now_ns())
        state.values["last"] = Decimal(1)
        assert isinstance(pane._price_style(state, True), Style)
    state_file = StateFile(Config(), folder / "state.json")
    for number in range(200):
        state_file.used(Symbol(f"S{number}"))
    repeats = Repeats()
    for number in range(300):
        repeats.is_news(f"notice {number}", clock.now_ns())
    return census(pane, desk, state_file, repeats)


def commands_flood() -> dict[str, int]:
    async def watch() -> dict[str, int]:
        config = Config().with_providers({}, only=True)
        command = Watch(config, FixedSecrets({}), RestClient(), [Symbol("AAPL")], ["quote"], to_json)
        for number in range(3000):
            command._complain(Notice(source="x", ts_recv_ns=1, text=f"{number}", severity=Severity.ERROR))
        return census(command)

    store = MarketStore(Clock().now_ns)
    printer = EventPrinter(store, [], ["news"], lambda record: None)
    for number in range(12_000):
        printer.happened(NewsItem(source="x", ts_recv_ns=1, id=str(number), title="x", published_ns=1))
    return merged([census(printer), asyncio.run(watch())])


def simulator_flood() -> dict[str, int]:
    """All of its memories are deques with a length of their own."""
    return census(SimulatedMarket())


def merged(sizes: Iterable[dict[str, int]]) -> dict[str, int]:
    """The largest of each."""
    out: dict[str, int] = {}
    for name, size in pairs(sizes):
        out[name] = max(out.get(name, 0), size)
    return out


def pairs(sizes: Iterable[dict[str, int]]) -> Iterator[tuple[str, int]]:
    for each in sizes:
        yield from each.items()
