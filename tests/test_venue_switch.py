"""Venues switched off and on over real sockets: the server's list changes, and the books that arrive say so."""

from __future__ import annotations

from tests.conftest import until
from tests.test_end_to_end import BTC, Client, running
from tui.market.names import Kind, Subscription
from tui.simulator.server import SimulatorServer

BOOK = Subscription(Kind.BOOK, BTC)
ALL = {"binance", "okx", "bybit", "kraken", "coinbase"}


def venues(client: Client) -> set[str]:
    state = client.store.book(BTC)
    return set(state.book.venues) if state else set()


async def test_a_venue_leaves_the_book_and_comes_back(simulator: SimulatorServer) -> None:
    async with running(Client(simulator, ["quantcite"]), [BOOK]) as client:
        await until(lambda: venues(client) == ALL)
        assert client.hub.leave_out(BTC, frozenset({"okx", "kraken"}))
        await until(lambda: venues(client) == ALL - {"okx", "kraken"})
        state = client.store.book(BTC)
        assert state
        assert {name for _, _, names in (*state.book.bids, *state.book.asks) for name in names} <= venues(client)
        assert state.book.missing_venues == ()
        assert client.hub.leave_out(BTC, frozenset())
        await until(lambda: venues(client) == ALL)
        assert simulator.violations() == {}


async def test_a_choice_outlives_the_connection(simulator: SimulatorServer) -> None:
    async with running(Client(simulator, ["quantcite"]), [BOOK]) as client:
        client.hub.leave_out(BTC, frozenset({"okx"}))
        await until(lambda: venues(client) == ALL - {"okx"})
        client.hub.retry("quantcite:book")
        await until(lambda: client.store.feed("quantcite:book").stats.connects == 2)
        await client.has([BOOK])
        assert venues(client) == ALL - {"okx"}
        assert simulator.violations() == {}


async def test_leaving_all_out_and_taking_them_back_recovers(simulator: SimulatorServer) -> None:
    async with running(Client(simulator, ["quantcite"]), [BOOK]) as client:
        await until(lambda: venues(client) == ALL)
        client.hub.leave_out(BTC, frozenset(ALL))
        await until(lambda: BOOK in client.hub.feeds["quantcite:book"].refused)
        client.hub.leave_out(BTC, frozenset({"okx"}))
        await until(lambda: venues(client) == ALL - {"okx"})


async def test_a_source_without_a_say_is_told_apart(simulator: SimulatorServer) -> None:
    async with running(Client(simulator, ["aries"]), [BOOK]) as client:
        assert not client.hub.leave_out(BTC, frozenset({"okx"}))
