from collections.abc import Sequence
from decimal import Decimal

import pytest

from tui.simulator.market import AggregatedLevel, BookChanged, Level, SimulatedMarket
from tui.simulator.sessions import SECOND_NS

SYMBOLS = ("BTC/USDT", "SOL/USDT", "DOGE/USDT", "AAPL", "NFLX", "INTC", "SPY")


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    market = SimulatedMarket(seed=4)
    market.advance(market.now_ns + 5 * SECOND_NS)
    return market


def is_sorted(levels: Sequence[Level] | Sequence[AggregatedLevel], *, down: bool) -> bool:
    prices = [level[0] for level in levels]
    return prices == sorted(set(prices), reverse=down)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_no_venue_is_crossed_by_itself(market: SimulatedMarket, symbol: str) -> None:
    instrument = market.instruments[symbol]
    for _ in range(20):
        market.advance(market.now_ns + SECOND_NS // 10)
        books = market.book(symbol)
        assert tuple(books) == instrument.venues
        for book in books.values():
            assert book.bids[0][0] < book.asks[0][0]
            assert is_sorted(book.bids, down=True)
            assert is_sorted(book.asks, down=False)
            for price, size in book.bids + book.asks:
                assert price > 0
                assert price % instrument.tick == 0
                assert size > 0
                assert size % instrument.size_step == 0


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("venues", [None, ("binance", "kraken"), ("XNAS", "IEXG"), ("nowhere",)])
def test_the_aggregated_book_is_the_exact_sum_of_its_venues(
    market: SimulatedMarket, symbol: str, venues: tuple[str, ...] | None
) -> None:
    books = {name: book for name, book in market.book(symbol).items() if venues is None or name in venues}
    sums: tuple[dict[Decimal, tuple[Decimal, tuple[str, ...]]], ...] = ({}, {})
    for name, book in books.items():
        for side, levels in zip(sums, (book.bids, book.asks), strict=True):
            for price, size in levels:
                total, names = side.get(price, (Decimal(0), ()))
                side[price] = total + size, (*names, name)
    bids, asks = market.aggregated(symbol, venues, depth=1_000)
    assert {price: (size, names) for price, size, names in bids} == sums[0]
    assert {price: (size, names) for price, size, names in asks} == sums[1]
    assert is_sorted(bids, down=True)
    assert is_sorted(asks, down=False)
    assert market.aggregated(symbol, venues, depth=10) == (bids[:10], asks[:10])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_book_is_deep_and_its_top_is_the_quote(market: SimulatedMarket, symbol: str) -> None:
    bids, asks = market.aggregated(symbol)
    quote = market.quote(symbol)
    assert (len(bids), len(asks)) == (50, 50)
    assert (bids[0][0], asks[0][0]) == (quote.bid, quote.ask)
    assert quote.bid_size is not None
    assert quote.bid_size <= bids[0][1]
    assert quote.bid_venue in bids[0][2]
    assert quote.ask_venue in asks[0][2]


def test_some_levels_are_walls_on_several_venues(market: SimulatedMarket) -> None:
    bids, asks = market.aggregated("BTC/USDT", depth=1_000)
    sizes = sorted(level[1] for level in bids + asks)
    walls = [level for level in bids + asks if level[1] > 5 * sizes[len(sizes) // 2]]
    assert any(len(names) > 1 for _, _, names in walls)


def test_venues_of_coins_cross_now_and_then_and_those_of_stocks_never() -> None:
    market = SimulatedMarket(seed=4)
    coins = [symbol for symbol, each in market.instruments.items() if each.kind == "crypto"]
    crossed = 0
    for _ in range(300):
        market.advance(market.now_ns + SECOND_NS // 10)
        for symbol in (*coins, "AAPL", "SPY", "NFLX"):
            quote = market.quote(symbol)
            assert quote.bid is not None
            assert quote.ask is not None
            if quote.bid >= quote.ask:
                assert symbol in coins
                crossed += 1
    assert 0.01 < crossed / (300 * len(coins)) < 0.08


def test_only_watched_books_are_reported() -> None:
    market = SimulatedMarket()

    def reported() -> set[str]:
        changes = market.advance(market.now_ns + SECOND_NS)
        return {change.symbol for change in changes if isinstance(change, BookChanged)}

    assert reported() == set()
    market.book("AAPL")
    market.aggregated("BTC/USDT")
    market.book("SPX")
    assert reported() == {"AAPL", "BTC/USDT"} == set(market.watched)
    market.unwatch("AAPL")
    market.unwatch("MSFT")
    assert reported() == {"BTC/USDT"}


def test_books_change_all_the_time() -> None:
    market = SimulatedMarket()
    before = market.aggregated("ETH/USDT")
    market.advance(market.now_ns + SECOND_NS // 2)
    after = market.aggregated("ETH/USDT")
    assert before != after
    kept = {level[0] for level in before[0]} & {level[0] for level in after[0]}
    assert len(kept) > 5
