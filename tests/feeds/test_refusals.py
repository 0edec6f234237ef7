"""One notice a symbol, whoever refuses whatever of it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from tests.feeds.plain import bar, quote
from tui.clock import ManualClock
from tui.feeds.refusals import OWN, Refusals, did_you_mean
from tui.feeds.search import SearchMatch, SearchResult
from tui.market.events import Notice, Quote
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import Severity


def book(symbol: str) -> Subscription:
    return Subscription(Kind.BOOK, Symbol(symbol))


class World:
    """A store, what is wanted, and a search over some symbols."""

    def __init__(self, *wanted: Subscription, known: tuple[str, ...] = ()) -> None:
        self.clock = ManualClock()
        self.store = MarketStore(self.clock.now_ns)
        self.wanted = frozenset(wanted)
        self.known = known
        self.asked: list[str] = []
        self.notices: list[Notice] = []
        self.refusals = Refusals(self.store, lambda: self.wanted, self.search, self.notices.append)
        for each in wanted:
            self.store.assign(each, "first:main")

    async def search(self, query: str, limit: int) -> SearchResult:
        self.asked.append(query)
        return SearchResult([SearchMatch(Symbol(s)) for s in self.known if s.startswith(query[:3])][:limit], {})

    def refuse(
        self,
        subscription: Subscription,
        text: str = "unknown",
        *suggestions: str,
        last: bool = True,
        ours: bool = False,
    ) -> None:
        if last:
            self.store.assign(subscription, None)
        self.refusals.note(
            Notice(source="first", ts_recv_ns=1, text=text, subscription=subscription, refused=True,
                   suggestions=suggestions, ours=ours)
        )  # fmt: skip

    async def shown(self) -> list[str]:
        """What is shown after another look."""
        self.notices.clear()
        await self.refusals.look()
        return [
            " ".join([f"{notice.subscription and notice.subscription.symbol}: {notice.text}",
                      did_you_mean(notice.suggestions)]).strip()
            for notice in self.notices if notice.severity is not Severity.INFO
        ]  # fmt: skip


async def test_an_unknown_symbol_is_told_once_when_the_last_kind_is_refused_with_what_is_spelled_like_it() -> None:
    world = World(quote("ZZZQ"), book("ZZZQ"), bar("ZZZQ"), known=("ZZZX", "ZZZ"))
    world.refuse(book("ZZZQ"))
    assert await world.shown() == []
    world.refuse(quote("ZZZQ"), last=False)
    assert await world.shown() == []
    world.refuse(quote("ZZZQ"))
    world.refuse(bar("ZZZQ"))
    assert await world.shown() == ["ZZZQ: no provider knows it Did you mean ZZZ, ZZZX?"]
    assert {notice.subscription for notice in world.notices} == world.wanted, "each says why it is empty"
    assert all(notice.refused and notice.source == OWN for notice in world.notices)
    assert await world.shown() == []


async def test_what_a_provider_suggests_comes_first() -> None:
    world = World(book("BTX/USDT"), known=("BTXX",))
    world.refuse(book("BTX/USDT"), "unknown", "BTC/USDT")
    assert await world.shown() == ["BTX/USDT: no provider knows it Did you mean BTC/USDT, BTXX?"]


async def test_a_search_that_finds_nothing_is_tried_without_the_last_letter() -> None:
    world = World(quote("QQ"))
    world.refuse(quote("QQ"))
    assert await world.shown() == ["QQ: no provider knows it"]
    assert world.asked == ["QQ"], "one letter is not worth a search"
    world = World(quote("ABCD"))
    world.refuse(quote("ABCD"))
    assert await world.shown() == ["ABCD: no provider knows it"]
    assert world.asked == ["ABCD", "ABC"]


async def test_a_symbol_that_exists_is_not_called_unknown() -> None:
    world = World(book("AAPL"), known=("AAPL",))
    world.refuse(book("AAPL"))
    assert await world.shown() == ["AAPL: no provider offers its book"]


async def test_what_we_gave_up_ourselves_keeps_its_reason() -> None:
    world = World(quote("BIG"), book("BIG"), known=("BIG",))
    world.refuse(quote("BIG"), "unknown symbol")
    world.refuse(book("BIG"), "given up: a message was too large", ours=True)
    assert await world.shown() == ["BIG: given up: a message was too large"]
    assert world.asked == [], "nothing was misspelled"


async def test_one_kind_is_told_by_itself_once_the_others_are_there() -> None:
    world = World(quote("AAPL"), book("AAPL"))
    world.refuse(book("AAPL"), "depth not available")
    assert await world.shown() == []
    world.store.apply(Quote(source="first", ts_recv_ns=world.clock.now_ns(), symbol=Symbol("AAPL"), last=Decimal(1)))
    assert await world.shown() == ["AAPL: no book: depth not available"]
    assert await world.shown() == []


async def test_what_neither_comes_nor_is_refused_is_not_waited_for_long() -> None:
    world = World(quote("AAPL"), book("AAPL"))
    world.refuse(book("AAPL"), "depth not available")
    assert await world.shown() == []
    world.clock.advance(11)
    assert await world.shown() == ["AAPL: no book: depth not available"]


async def test_a_further_kind_of_an_unknown_symbol_is_refused_without_another_word() -> None:
    world = World(quote("ZZZQ"))
    world.refuse(quote("ZZZQ"))
    await world.shown()
    world.wanted |= {bar("ZZZQ")}
    world.refuse(bar("ZZZQ"))
    assert await world.shown() == []
    assert bar("ZZZQ") in {notice.subscription for notice in world.notices}


async def test_whoever_asks_for_it_again_later_is_told_again() -> None:
    world = World(quote("ZZZQ"))
    world.refuse(quote("ZZZQ"))
    await world.shown()
    wanted, world.wanted = world.wanted, frozenset()
    await world.shown()
    world.wanted = wanted
    world.refuse(quote("ZZZQ"))
    assert await world.shown() == ["ZZZQ: no provider knows it"]


@pytest.mark.parametrize("subscription", [None, Subscription(Kind.NEWS)])
async def test_what_is_about_no_symbol_is_none_of_its_business(subscription: Subscription | None) -> None:
    world = World()
    world.refusals.note(Notice(source="first", ts_recv_ns=1, text="x", subscription=subscription, refused=True))
    assert await world.shown() == []


async def test_there_is_something_to_look_for_while_something_is_refused_that_somebody_wants() -> None:
    world = World(quote("AAPL"))
    waiting = asyncio.create_task(world.refusals.some())
    await asyncio.sleep(0)
    assert not waiting.done()
    world.refuse(quote("AAPL"), "unknown")
    await waiting
    await world.refusals.look()
    await world.refusals.some()  # still refused
    world.wanted = frozenset()
    await world.refusals.look()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await world.refusals.some()
