"""Floods of frames and answers: each time other codes, venues, kinds of messages, keys."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path

from tests.bounds.census import census
from tests.providers.aries.sessions import NOW_NS, credential, live
from tests.providers.aries.web import Bench
from tests.providers.insightsentry.stand_ins import Driver, Http, live_codec, provider
from tests.providers.quantcite import desk as quantcite
from tui.clock import NS
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.providers.aries import level2
from tui.providers.aries.accounts import AccountsCodec
from tui.providers.aries.charts import ChartsCodec
from tui.providers.aries.codec import SessionCodec
from tui.providers.aries.level2 import Level2Book
from tui.providers.aries.market import MarketCodec
from tui.providers.aries.simulator.tokens import CLIENT, REFRESH, TokenDesk
from tui.providers.base import SymbolTable
from tui.providers.insightsentry.newsfeed import SeenNews
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.wire import Topic
from tui.providers.quantcite import books, symbols
from tui.providers.quantcite.symbols import PairIndex
from tui.usage import Tally


def aries_flood() -> dict[str, int]:
    """Symbols wanted and dropped without an end, pings that nobody answers."""
    codecs: list[SessionCodec] = [
        live(MarketCodec(credential(), SymbolTable())),
        live(ChartsCodec(credential(), SymbolTable())),
        live(AccountsCodec(credential(), SymbolTable(), account="a", pnl_interval="1m", detail="")),
    ]
    news = Subscription(Kind.NEWS)
    for number in range(700):
        symbol = Symbol(f"S{number}")
        wants = frozenset({news, Subscription(Kind.QUOTE, symbol), Subscription(Kind.BAR, symbol, Interval.M1)})
        for codec in codecs:
            list(codec.wanted(wants if codec.channel != "accounts" or number % 2 else frozenset(), NOW_NS))
            list(codec.ticked(NOW_NS + number * 31 * NS))
    return census(*codecs)


def depth_flood() -> dict[str, int]:
    book = Level2Book("merge")
    for start in range(0, 3 * level2.MOST_ROWS, level2.MOST_ROWS):
        span = range(start, start + level2.MOST_ROWS)
        rows = [f"0:{n + 1}:5" for n in span] + [f"5:{10**6 + n}:0" for n in span]
        quotes = [f"V{n}:{10**6 + n}:1:{n + 1}:1" for n in span]
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            book.apply({"orderBook": half, "quotes": quotes})
    return census(book)


def tokens_flood() -> dict[str, int]:
    desk = TokenDesk()
    for _ in range(300):
        desk.authorize(
            {
                "response_type": "code",
                "client_id": CLIENT,
                "code_challenge_method": "S256",
                "redirect_uri": "http://127.0.0.1:1/",
                "code_challenge": "x",
            }
        )
        desk.token({"client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": REFRESH})
    return census(desk)


def search_flood() -> dict[str, int]:
    """Searches that find something else every time."""

    def found(call: object) -> object:
        return [{"symbol": f".X{n}", "description": "x", "type": "option"} for n in range(50)]

    bench = Bench(found, {"access_token": "x"})
    table = bench.provider.symbols
    for number in range(6000):
        table.code(Symbol(f"S{number}"), str)
    for number in range(2500):
        if len(table.found) < 2000:
            table.found[Symbol(f"S{number}")] = "x"
    return census(bench.provider)


def insightsentry_flood(folder: Path) -> dict[str, int]:
    """Unknown frames, codes that are tried, refused and suspected, news, searches."""
    codec, trials, seen = live_codec(), Trials(), SeenNews()
    driver = Driver(codec)
    for number in range(200):
        driver.receive({f"field {number}": 1})
    for number in range(2500):
        topic = Topic(f"NASDAQ:S{number}", Kind.QUOTE)
        trials.delivered(topic)
        seen.is_new(str(number))
    for number in range(1500):
        trials.refuse([Topic(f"NASDAQ:R{number}", Kind.QUOTE)], "no", number)
    fresh = [Topic(f"NASDAQ:N{number}", Kind.QUOTE) for number in range(1500)]
    trials.blame(fresh, frozenset())
    answers = Http({"search": {"current_page": 1, "has_more": False, "symbols": []}})
    made = provider(folder, answers)

    async def search() -> None:
        for number in range(300):
            await made.search(f"query {number}", 10)

    asyncio.run(search())
    return census(codec, trials, seen, made)


def quantcite_flood() -> dict[str, int]:
    desk = quantcite.Desk().login()
    for number in range(500):
        desk.want(quantcite.book(Symbol(f"A{number}/USDT"), Symbol(f"B{number}/USDT")))
        desk.hear({"type": f"unheard of {number}"})
        desk.wait(1)
    reader, index, meter = books.BookReader(), PairIndex(), desk.codec._allowance.meter
    side = [{"price": 1, "amount": 1, "exchanges": []}]
    for number in range(2 * books._MAX_SETS - 100):
        side[0]["exchanges"] = [f"venue {number}"]
        reader.patient({"type": "aggregated_orderbook_update", "symbol": "A", "data": {"bids": side, "asks": []}})
    index.add("okx", (f"A{number}/USDT" for number in range(symbols.MAX_PAIRS + 10)))
    for number in range(1500):
        meter.book(f"A{number}/USDT", 1)
        desk.codec._lines.budget.spend(number)
        desk.codec._lines.budget.spend(number)
    desk.hear(json.dumps({"type": "error", "error": "exchange_unavailable", "exchange": "made up"}))
    assert "made up" not in desk.codec._lines.unavailable
    return census(desk.codec, reader, index)


def usage_flood() -> dict[str, int]:
    tally = Tally()
    for number in range(400):
        tally.day(date(2026, 1, 1) + timedelta(days=number))
    return census(tally)
