"""Depth out of compact rows."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.aries.sessions import NOW_NS, credential, events, golden, live, one, sent, update, want
from tests.providers.contract import drained
from tui.clock import NS
from tui.market.events import BookSnapshot
from tui.market.terms import VenueBest
from tui.market.venues import parts, split, without
from tui.providers.aries.level2 import Level2Book, Mode
from tui.providers.aries.market import MarketCodec
from tui.providers.base import Count, Resubscribing, SymbolTable

D = Decimal


def market(mode: Mode = "auto") -> MarketCodec:
    return live(MarketCodec(credential(), SymbolTable(), level2_mode=mode), want("book AAPL"))


def rows(*levels: str, quotes: list[str] | None = None) -> dict[str, object]:
    body: dict[str, object] = {"symbol": "AAPL", "orderBook": list(levels)}
    return body if quotes is None else body | {"quotes": quotes}


def prices(book: Level2Book) -> tuple[list[str], list[str]]:
    bids, asks = book.sides()
    return [f"{price} x {size}" for price, size, _ in bids], [f"{price} x {size}" for price, size, _ in asks]


@pytest.mark.fault("A11")
def test_rows_become_a_book_with_the_venues_whose_best_price_it_is() -> None:
    book = one(market().received(golden("market/level2.json"), NOW_NS), BookSnapshot)
    assert book.asks == ((D("187.43"), D(300), ("ARCX",)), (D("187.44"), D(1200), ("XNAS",)))
    assert book.bids == ((D("187.41"), D(500), ("XNAS",)), (D("187.40"), D(2100), ("ARCX", "BATS")))
    assert book.venues == ("ARCX", "BATS", "XNAS")
    assert book.ts_event_ns == 1_795_185_600_123_000_000


def test_a_book_says_how_much_is_whose_as_far_as_the_rows_do() -> None:
    book = one(market().received(golden("market/level2.json"), NOW_NS), BookSnapshot)
    assert book.bests == (
        VenueBest("ARCX", D("187.40"), D(900), D("187.43"), D(300)),
        VenueBest("BATS", D("187.40"), D(1200), D("187.46"), D(200)),
        VenueBest("XNAS", D("187.41"), D(500), D("187.44"), D(1200)),
    )
    assert split(book)["bid", D("187.40")] == {"ARCX": D(900), "BATS": D(1200)}
    assert parts(book)["BATS"].ask == D("187.46")
    rest = without(book, {"ARCX", "XNAS"})
    assert (rest.bids, rest.asks) == (((D("187.40"), D(1200), ("BATS",)),), ())


@pytest.mark.fault("A11")
def test_malformed_rows_are_counted_and_their_neighbours_stay() -> None:
    body = rows("300:187.43:0", "1:2", "1:2:3:4", "x:187.44:0", ":187.40:100", "5::5", "1:-3:0", quotes=["A:1:2:3", ""])
    body["quotes"] = ["ARCX:187.43:300:187.40:900", "a:b:c:d:e", 7, None, ":187.43:1:187.40:1"]
    signals = drained(market().received(update("level2", body), NOW_NS))
    [book] = [signal for signal in signals if isinstance(signal, BookSnapshot)]
    assert [level[0] for level in (*book.bids, *book.asks)] == [D("187.40"), D("187.43")]
    assert signals[-1] == Count("rejected", 9)


def test_a_venue_may_have_a_colon_in_its_name_and_a_side_without_a_price() -> None:
    book = Level2Book()
    assert book.apply({"quotes": ["X:Y:187.43:300::", "ARCX:::187.40:900", "BATS:187.46:0:187.40:100"]}) == 0
    assert book.sides() == (
        ((D("187.40"), D(1000), ("ARCX", "BATS")),),
        ((D("187.43"), D(300), ("X:Y",)),),
    )


def test_a_message_that_stands_for_itself_replaces_the_book() -> None:
    book = Level2Book()
    book.apply(rows("300:187.43:0", "0:187.30:900"))
    book.apply(rows("100:187.45:0", "0:187.44:50", quotes=["ARCX:187.45:100:187.44:50"]))
    assert prices(book) == (["187.44 x 50"], ["187.45 x 100"])


def test_a_message_without_a_usable_row_leaves_the_book_alone() -> None:
    book = Level2Book()
    book.apply(rows("300:187.43:0", "0:187.30:900"))
    for body in (rows(quotes=[]), rows("?", quotes=["??"]), {}, {"orderBook": 7, "quotes": "x"}):
        book.apply(body)
    assert prices(book) == (["187.30 x 900"], ["187.43 x 300"])


def test_a_venue_without_any_price_is_gone() -> None:
    book = Level2Book()
    book.apply({"quotes": ["ARCX:187.43:300:187.40:900", "XNAS:187.44:1:187.39:1"]})
    book.apply({"quotes": ["ARCX::::"]})
    assert set(book.venues) == {"XNAS"}


def test_any_other_message_changes_the_levels_it_names() -> None:
    book = Level2Book()
    book.apply(rows("300:187.43:0", "200:187.44:0", "0:187.41:500", "0:187.40:100"))
    book.apply(rows("0:187.43:0", "250:187.44:0", "0:187.42:70"))
    assert prices(book) == (["187.42 x 70", "187.41 x 500", "187.40 x 100"], ["187.44 x 250"])


def test_older_levels_that_the_newest_prices_cross_are_dropped() -> None:
    book = Level2Book()
    book.apply(rows("300:187.43:0", "200:187.44:0", "0:187.41:500"))
    book.apply(rows("0:187.43:50"))
    assert prices(book) == (["187.43 x 50", "187.41 x 500"], ["187.44 x 200"])
    book.apply(rows("10:187.40:0"))
    assert prices(book) == ([], ["187.40 x 10", "187.44 x 200"])


def test_the_modes_can_be_forced() -> None:
    replaced, merged = Level2Book("replace"), Level2Book("merge")
    whole = rows("100:187.45:0", "0:187.44:50", quotes=["ARCX:187.45:100:187.44:50"])
    for book in (replaced, merged):
        book.apply(rows("300:187.50:0", "0:187.30:900"))
        book.apply(whole)
    assert prices(replaced) == (["187.44 x 50"], ["187.45 x 100"])
    assert prices(merged) == (["187.44 x 50", "187.30 x 900"], ["187.45 x 100", "187.50 x 300"])


def test_depth_starts_anew_when_it_is_subscribed_anew() -> None:
    codec = market()
    drained(codec.received(golden("market/level2.json"), NOW_NS))
    drained(codec.wanted(frozenset(), NOW_NS))
    drained(codec.wanted(want("book AAPL"), NOW_NS))
    [book] = events(codec.received(update("level2", rows("0:180:5")), NOW_NS), BookSnapshot)
    assert (book.bids, book.asks) == (((D(180), D(5), ()),), ())


@pytest.mark.parametrize("mode", ["auto", "replace", "merge"])
@given(
    messages=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(95, 105), st.integers(0, 3)), max_size=8), max_size=6
    )
)
def test_whatever_comes_the_sides_are_sorted_and_hold_only_what_rests(
    mode: Mode, messages: list[list[tuple[int, int, int]]]
) -> None:
    book = Level2Book(mode)
    for message in messages:
        latest = {price: (ask, bid) for ask, price, bid in message}
        assert book.apply(rows(*(f"{ask}:{price}:{bid}" for ask, price, bid in message))) == 0
        bids, asks = book.sides()
        assert list(bids) == sorted(bids, reverse=True)
        assert list(asks) == sorted(asks)
        shown = {int(price): int(size) for price, size, _ in asks}
        assert {price: ask for price, (ask, _) in latest.items() if ask} == {p: shown[p] for p in shown if p in latest}


@pytest.mark.fault("M32")
def test_after_a_message_that_was_lost_the_book_is_built_anew() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()), want("book AAPL", "quote AAPL"))
    drained(codec.received(depth("0:187.40:900", "300:187.43:0"), NOW_NS))
    lost = depth("0:187.40:0")[:-9]  # the best bid goes, but nobody can read it
    output = list(codec.received(lost, NOW_NS + NS))
    assert Resubscribing() in output, "nothing is live while nothing is subscribed"
    [leaving] = sent(output)
    assert (leaving["type"], leaving["payload"]) == ("unsubscribe", [{"symbol": "AAPL"}])
    assert not events(codec.received(depth("0:187.41:100"), NOW_NS + NS), BookSnapshot), "under way when we left"
    assert not sent(codec.ticked(NOW_NS + NS + NS // 4))
    [returning] = [each for each in sent(codec.ticked(NOW_NS + 2 * NS)) if each["type"] == "subscribe"]
    assert returning["payload"][0]["symbol"] == "AAPL"
    book = one(codec.received(depth("0:187.39:500", "300:187.43:0"), NOW_NS + 2 * NS), BookSnapshot)
    assert [price for price, _, _ in book.bids] == [Decimal("187.39")]


def test_a_server_that_garbles_everything_is_not_asked_for_everything_all_the_time() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()), want("book AAPL"))
    leaving = 0
    for second in range(60):
        output = [*codec.received("{broken", NOW_NS + second * NS), *codec.ticked(NOW_NS + second * NS)]
        leaving += sum(request["type"] == "unsubscribe" for request in sent(output))
    assert leaving == 4


def depth(*levels: str) -> str:
    return update("level2", rows(*levels))
