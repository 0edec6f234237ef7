"""Exchanges that the user leaves out of a symbol's book: another list is subscribed, by the rules of section 3.1."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.providers.quantcite.desk import BTC, ETH, SECRET, VENUES, Desk, book, of, quote, sent
from tests.providers.quantcite.test_codec import confirm, gone, update
from tests.providers.quantcite.test_provider import make as make_provider
from tests.providers.quantcite.test_simulator import Session
from tui.market.events import BookSnapshot, Notice
from tui.market.names import Symbol
from tui.providers.base import Count, Credential, SymbolTable
from tui.providers.quantcite.codec import BookCodec
from tui.providers.quantcite.simulator import BookConversation, QuantCiteDialect
from tui.providers.quantcite.symbols import PairIndex
from tui.simulator.market import SimulatedMarket

DROP = {"type": "unsubscribe_aggregated", "symbol": "BTC/USDT"}


class Choosing(Desk):
    """A codec whose user leaves exchanges out."""

    def __init__(self, exchanges: tuple[str, ...] | None = VENUES, index: PairIndex | None = None) -> None:
        self.left_out: dict[Symbol, frozenset[str]] = {}
        if index is None:
            index = PairIndex()
            index.supported = frozenset((*VENUES, "bitstamp"))
            index.add("okx", ["BTC/USDT"])
            index.add("kraken", ["BTC/USDT"])
        codec = BookCodec(SecretStr(SECRET), SymbolTable(), index, exchanges=exchanges, left_out=self.left_out)
        super().__init__(codec)

    def live(self) -> Choosing:
        self.login()
        self.want(book(BTC))
        self.hear(confirm(subscription_id="sub_1"))
        return self

    def leave_out(self, *venues: str) -> list[dict[str, Any]]:
        self.left_out[BTC] = frozenset(venues)
        return sent(self.want(book(BTC)))


def subscribe(*exchanges: str) -> dict[str, Any]:
    return {"type": "subscribe_aggregated", "symbol": "BTC/USDT", "exchanges": list(exchanges)}


def test_another_list_is_drop_wait_add() -> None:
    desk = Choosing().live()
    assert desk.leave_out("kraken") == [DROP]
    assert not sent(desk.wait(2)), "the answer is awaited"
    assert sent(desk.hear(gone())) == [subscribe("binance", "okx")]


def test_without_an_answer_it_is_asked_for_after_five_seconds() -> None:
    desk = Choosing().live()
    desk.leave_out("kraken")
    assert not sent(desk.wait(4))
    assert sent(desk.wait(1)) == [subscribe("binance", "okx")]


def test_updates_of_the_old_list_are_dropped() -> None:
    desk = Choosing().live()
    desk.leave_out("kraken")
    assert desk.hear(update(subscription_id="sub_1")) == [Count("late")]
    desk.hear(gone())
    assert desk.hear(update(subscription_id="sub_1", number=9)) == [Count("late")]
    desk.hear(confirm(exchanges=["binance", "okx"], subscription_id="sub_2"))
    (snapshot,) = of(desk.hear(update(subscription_id="sub_2")), BookSnapshot)
    assert (snapshot.venues, snapshot.missing_venues) == (("binance", "okx"), ())


def test_what_is_left_out_is_not_missing_and_what_is_not_granted_is() -> None:
    desk = Choosing().live()
    desk.leave_out("kraken")
    desk.hear(gone())
    (notice,) = of(desk.hear(confirm(exchanges=["okx"])), Notice)
    assert notice.text == "BTC/USDT: 1 of 2 exchanges, without binance"
    (snapshot,) = of(desk.hear(update()), BookSnapshot)
    assert snapshot.missing_venues == ("binance",)


def test_a_venue_comes_back_the_same_way() -> None:
    desk = Choosing().live()
    desk.leave_out("kraken")
    desk.hear(gone())
    desk.hear(confirm())
    assert desk.leave_out() == [DROP]
    assert sent(desk.hear(gone())) == [subscribe(*VENUES)]


def test_a_change_of_mind_while_the_answer_is_awaited_costs_nothing_more() -> None:
    desk = Choosing().live()
    desk.leave_out("kraken")
    assert desk.leave_out("okx") == []
    assert desk.leave_out() == []
    assert sent(desk.hear(gone())) == [subscribe(*VENUES)]


def test_the_same_choice_again_asks_for_nothing() -> None:
    desk = Choosing().live()
    desk.leave_out("kraken")
    desk.hear(gone())
    desk.hear(confirm())
    assert desk.leave_out("kraken") == []
    assert sent(desk.wait(20), "subscribe_aggregated", "unsubscribe_aggregated") == []


def test_other_symbols_keep_their_list() -> None:
    desk = Choosing().live()
    desk.want(book(BTC, ETH))
    desk.hear(confirm("ETH/USDT"))
    desk.left_out[BTC] = frozenset({"okx"})
    assert sent(desk.want(book(BTC, ETH))) == [DROP]


def test_all_but_some_is_said_as_the_list_of_those_that_have_the_pair() -> None:
    desk = Choosing(exchanges=None).live()
    desk.leave_out("kraken")
    assert sent(desk.hear(gone())) == [subscribe("okx")]


def test_all_but_some_of_a_pair_nobody_lists_names_all_that_are_known() -> None:
    index = PairIndex()
    index.supported = frozenset(VENUES)
    desk = Choosing(exchanges=None, index=index).live()
    desk.leave_out("kraken")
    assert sent(desk.hear(gone())) == [subscribe("binance", "okx")]


def test_when_nothing_is_left_the_symbol_is_refused_until_something_is() -> None:
    desk = Choosing().live()
    desk.leave_out(*VENUES)
    (notice,) = of(desk.hear(gone()), Notice)
    assert notice.refused
    assert desk.leave_out("okx") == [subscribe("binance", "kraken")]


def test_a_new_connection_starts_with_the_choice() -> None:
    provider = make_provider()
    assert provider.leave_out(BTC, frozenset({"okx", "bybit"}))
    codec = provider.codec("book", Credential(SecretStr(SECRET)))
    assert isinstance(codec, BookCodec)
    desk = Desk(codec).login()
    assert sent(desk.want(book(BTC))) == [subscribe("binance", "kraken", "coinbase")]


def test_it_has_no_say_in_what_it_does_not_carry() -> None:
    provider = make_provider()
    assert not provider.leave_out(Symbol("AAPL"), frozenset({"ARCX"}))
    assert provider.leave_out(BTC, frozenset())


@settings(max_examples=25, deadline=None)
@given(
    choices=st.lists(
        st.tuples(st.sets(st.sampled_from(VENUES), max_size=2), st.integers(0, 12)), min_size=1, max_size=6
    )
)
def test_any_row_of_choices_ends_with_what_was_chosen_last(choices: list[tuple[set[str], int]]) -> None:
    """Against the server of the simulator, which counts what breaks the rules."""
    dialect = QuantCiteDialect(SimulatedMarket(start_ns=1_767_623_871_000_000_000))
    session = Session(dialect)
    left_out: dict[Symbol, frozenset[str]] = {}
    session.codec._left_out = left_out
    session.run(0.2)
    for venues, tenths in choices:
        left_out[BTC] = frozenset(venues)
        session.want(book(BTC) | quote(BTC))
        session.run(tenths / 10)
    session.run(2)
    assert isinstance(session.server, BookConversation)
    wanted = list(session.server.streams["BTC/USDT"].venues)
    assert set(wanted) == set(VENUES) - choices[-1][0]
    books = of(session.run(1), BookSnapshot)
    assert books
    assert all(set(each.venues) == set(wanted) for each in books)
    assert not dialect.violations
