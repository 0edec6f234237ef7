"""The market socket: what is asked for, what arrives, what is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.providers.aries.sessions import (
    NOW_NS,
    credential,
    error,
    events,
    golden,
    live,
    of,
    one,
    sent,
    subscription,
    update,
    want,
)
from tests.providers.contract import drained
from tui.clock import NS
from tui.market.events import BookSnapshot, Greeks, MarketStatus, Notice, Quote, Trade
from tui.market.names import Symbol
from tui.market.terms import Session
from tui.providers.aries.market import MarketCodec
from tui.providers.base import Count, SymbolTable

OPTION = "AAPL 2026-12-18 200C"
QUOTE_FIELDS = ["bidPrice", "bidSize", "askPrice", "askSize", "quoteTimestamp"]
TRADE_FIELDS = ["lastPrice", "netChange", "totalVolume", "openPrice", "highPrice", "lowPrice", "tradeTimestamp"]


def market(*names: str) -> MarketCodec:
    return live(MarketCodec(credential(), SymbolTable()), want(*names))


@pytest.mark.parametrize(
    ("names", "entry"),
    [
        (["quote AAPL"], {"symbol": "AAPL", "quoteFields": QUOTE_FIELDS, "tradeFields": TRADE_FIELDS}),
        (["quote SPX"], {"symbol": "SPX", "tradeFields": TRADE_FIELDS}),
        (
            ["trade NVDA"],
            {"symbol": "NVDA", "quoteFields": ["bidPrice", "askPrice"], "timeAndSalesFields": ["*"]},
        ),
        (["book AAPL"], {"symbol": "AAPL", "quoteFields": ["bidPrice", "askPrice"], "level2": True}),
        (
            [f"greeks {OPTION}"],
            {
                "symbol": "AAPL261218C00200000",
                "symbolType": "option",
                "quoteFields": ["bidPrice", "askPrice"],
                "greeksFields": ["*"],
            },
        ),
        (
            ["quote AAPL", "trade AAPL", "book AAPL"],
            {
                "symbol": "AAPL",
                "quoteFields": QUOTE_FIELDS,
                "tradeFields": TRADE_FIELDS,
                "timeAndSalesFields": ["*"],
                "level2": True,
            },
        ),
    ],
)
def test_each_symbol_is_asked_for_with_all_its_fields(names: list[str], entry: dict[str, object]) -> None:
    codec = live(MarketCodec(credential(), SymbolTable()))
    [frame] = sent(codec.wanted(want(*names), NOW_NS))
    assert frame == {"type": "subscribe", "id": frame["id"], "payload": [entry]}


def test_the_switch_for_depth_is_a_setting() -> None:
    codec = live(MarketCodec(credential(), SymbolTable(), level2=("level2Fields", ("*",))))
    [frame] = sent(codec.wanted(want("book AAPL"), NOW_NS))
    assert frame["payload"][0]["level2Fields"] == ["*"]


def test_what_is_new_is_added_with_the_full_field_set() -> None:
    codec = market("quote AAPL")
    [frame] = sent(codec.wanted(want("quote AAPL", "trade AAPL"), NOW_NS))
    assert frame["type"] == "subscribe"
    assert frame["payload"][0]["quoteFields"] == QUOTE_FIELDS
    assert frame["payload"][0]["timeAndSalesFields"] == ["*"]


def test_what_shrinks_is_unsubscribed_first() -> None:
    codec = market("quote AAPL", "trade AAPL", "quote MSFT")
    frames = sent(codec.wanted(want("quote AAPL", "quote MSFT"), NOW_NS))
    assert [frame["type"] for frame in frames] == ["unsubscribe", "subscribe"]
    assert frames[0]["payload"] == [{"symbol": "AAPL"}]
    assert "timeAndSalesFields" not in frames[1]["payload"][0]


def test_an_option_is_unsubscribed_as_one() -> None:
    [frame] = sent(market(f"quote {OPTION}").wanted(frozenset(), NOW_NS))
    assert frame["payload"] == [{"symbol": "AAPL261218C00200000", "symbolType": "option"}]


@pytest.mark.fault("M28")
def test_a_frame_holds_at_most_a_hundred_symbols() -> None:
    names = [f"quote A{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(230)]
    codec = live(MarketCodec(credential(), SymbolTable()))
    frames = sent(codec.wanted(want(*names), NOW_NS))
    assert [len(frame["payload"]) for frame in frames] == [100, 100, 30]
    assert len({frame["id"] for frame in frames}) == 3
    assert [len(frame["payload"]) for frame in sent(codec.wanted(frozenset(), NOW_NS))] == [100, 100, 30]


def test_symbols_of_other_markets_are_not_asked_for() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()))
    assert not sent(codec.wanted(want("quote BTC/USDT", "quote NASDAQ:AAPL"), NOW_NS))


@pytest.mark.fault("A13", "M26")
def test_depth_that_is_refused_is_given_up_and_the_rest_asked_for_again() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()))
    plain, deep = sent(codec.wanted(want("quote MSFT", "quote AAPL", "book AAPL"), NOW_NS))
    assert [entry["symbol"] for entry in plain["payload"]] == ["MSFT"]
    signals = drained(codec.received(error(deep["id"], "unknown field level2"), NOW_NS))
    [notice] = of(signals, Notice)
    assert (notice.text, notice.refused) == ("depth not available", True)
    assert notice.subscription == subscription("book AAPL")
    [again] = sent(signals)
    assert "level2" not in again["payload"][0]
    assert again["payload"][0]["quoteFields"] == QUOTE_FIELDS
    assert not drained(codec.wanted(want("quote MSFT", "quote AAPL", "book AAPL"), NOW_NS)), "it is not asked again"


def test_depth_alone_that_is_refused_leaves_nothing_to_ask_for() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()))
    [deep] = sent(codec.wanted(want("book AAPL"), NOW_NS))
    signals = drained(codec.received(error(deep["id"], "unknown field level2"), NOW_NS))
    assert [type(signal) for signal in signals] == [Notice]


def test_depth_that_was_refused_is_tried_again_when_it_is_wanted_anew() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()))
    [deep] = sent(codec.wanted(want("book AAPL"), NOW_NS))
    drained(codec.received(error(deep["id"], "no"), NOW_NS))
    drained(codec.wanted(frozenset(), NOW_NS))
    assert sent(codec.wanted(want("book AAPL"), NOW_NS))


@pytest.mark.fault("M26", "M27")
def test_the_one_bad_symbol_of_a_frame_is_found_and_the_others_survive() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()))
    good = [f"quote G{chr(65 + n)}" for n in range(15)]
    waiting = sent(codec.wanted(want(*good, "quote BAD"), NOW_NS))
    taken: set[str] = set()
    notices: list[Notice] = []
    frames = 0
    while waiting:
        frame = waiting.pop(0)
        frames += 1
        symbols = [entry["symbol"] for entry in frame["payload"]]
        if "BAD" in symbols:
            signals = drained(codec.received(error(frame["id"], "invalid symbol"), NOW_NS))
            notices += of(signals, Notice)
            waiting += sent(signals)
        else:
            taken.update(symbols)
    assert taken == {name.split()[1] for name in good}
    assert [notice.subscription for notice in notices] == [subscription("quote BAD")]
    assert frames <= 11


def test_a_refusal_of_what_is_no_longer_wanted_is_silence() -> None:
    codec = live(MarketCodec(credential(), SymbolTable()))
    [frame] = sent(codec.wanted(want("quote AAPL"), NOW_NS))
    drained(codec.wanted(frozenset(), NOW_NS))
    assert not drained(codec.received(error(frame["id"], "invalid symbol"), NOW_NS))


@pytest.mark.fault("A8", "A9")
def test_a_quote_becomes_a_patch() -> None:
    quote = one(market("quote AAPL").received(golden("market/quote.json"), NOW_NS), Quote)
    assert (quote.symbol, quote.bid, quote.ask) == ("AAPL", Decimal("187.41"), Decimal("187.43"))
    assert (quote.bid_size, quote.ask_size) == (Decimal(500), Decimal(300))
    assert quote.ts_event_ns == 1_763_649_600_123_000_000 + 365 * 86_400 * NS
    assert not {"last", "change", "volume"} & quote.model_fields_set


def test_a_trade_update_carries_the_day_and_the_change_in_per_cent() -> None:
    quote = one(market("quote AAPL").received(golden("market/trade.json"), NOW_NS), Quote)
    assert (quote.last, quote.change, quote.volume) == (Decimal("187.42"), Decimal("1.17"), Decimal(18_244_310))
    assert (quote.open, quote.high, quote.low) == (Decimal("186.3"), Decimal("187.95"), Decimal("185.88"))
    assert quote.prev_close == Decimal("186.25")
    assert quote.change_percent == Decimal("0.6282")
    assert not {"bid", "ask"} & quote.model_fields_set


@pytest.mark.fault("A8")
def test_numbers_may_be_strings_and_null_clears() -> None:
    quote = one(market("quote AAPL").received(golden("market/quote_strings.json"), NOW_NS), Quote)
    assert (quote.bid, quote.bid_size) == (Decimal("187.41"), Decimal(500))
    assert quote.ask is None
    assert "ask" in quote.model_fields_set


def test_a_last_price_without_its_change_brings_the_change_that_follows_from_it() -> None:
    codec = market("quote AAPL")
    drained(codec.received(golden("market/trade.json"), NOW_NS))
    quote = one(codec.received(update("trade", {"symbol": "AAPL", "lastPrice": "188.25"}), NOW_NS), Quote)
    assert (quote.change, quote.change_percent) == (Decimal("2.00"), Decimal("1.0738"))


def test_a_change_from_nothing_has_no_per_cent() -> None:
    data = {"symbol": "AAPL", "lastPrice": "1.17", "netChange": "1.17"}
    quote = one(market("quote AAPL").received(update("trade", data), NOW_NS), Quote)
    assert quote.change == Decimal("1.17")
    assert quote.change_percent is None


@pytest.mark.fault("M38")
def test_an_impossible_field_is_counted_and_its_neighbours_stay() -> None:
    data = {"symbol": "AAPL", "bidPrice": "NaN", "askPrice": 187.43, "askSize": -5, "quoteTimestamp": "yesterday"}
    signals = drained(market("quote AAPL").received(update("quote", data), NOW_NS))
    [quote] = of(signals, Quote)
    assert quote.ask == Decimal("187.43")
    assert quote.model_fields_set & {"bid", "ask", "ask_size"} == {"ask"}
    assert of(signals, Count) == [Count("rejected", 3)]


@pytest.mark.fault("M60")
def test_a_time_of_the_exchange_in_the_future_is_counted_and_the_servers_time_taken() -> None:
    data = {"symbol": "AAPL", "bidPrice": 1, "quoteTimestamp": "2031-01-01T00:00:00Z"}
    signals = drained(market("quote AAPL").received(update("quote", data), NOW_NS))
    assert of(signals, Quote)[0].ts_event_ns == 1_795_185_600_123_000_000
    assert of(signals, Count) == [Count("rejected", 1)]


def test_the_older_protocol_is_understood() -> None:
    codec = market("quote AAPL")
    quote = one(codec.received(golden("market/equity_composite.json"), NOW_NS), Quote)
    assert (quote.bid, quote.ask, quote.last) == (Decimal("1234.00"), Decimal("1234.10"), Decimal("1234.05"))
    assert quote.prev_close == Decimal("1230.00")
    status = one(codec.received(golden("market/market_status_older.json"), NOW_NS), MarketStatus)
    assert status.session is Session.POST


def test_prints_become_trades_with_the_exchanges_own_numbers() -> None:
    trade = one(market("trade NVDA").received(golden("market/time_and_sales.json"), NOW_NS), Trade)
    assert (trade.symbol, trade.price, trade.size) == ("NVDA", Decimal("143.27"), Decimal(200))
    assert (trade.venue, trade.sequence, trade.side) == ("XNAS", "8812345", None)
    assert trade.ts_event_ns == 1_795_185_600_201_000_000


def test_prints_may_come_as_a_list() -> None:
    trades = events(market("trade NVDA").received(golden("market/time_and_sales_list.json"), NOW_NS), Trade)
    assert [(trade.venue, trade.sequence) for trade in trades] == [("XNAS", "8812345"), ("ARCX", "8812346")]


@pytest.mark.parametrize("field", [{"price": 0}, {"size": 0}, {"price": None}, {"size": "many"}])
def test_a_print_without_price_or_size_is_counted(field: dict[str, object]) -> None:
    data = {"symbol": "NVDA", "price": 143.27, "size": 200, "tradeSeq": 1} | field
    assert drained(market("trade NVDA").received(update("timeAndSales", data), NOW_NS)) == [Count("rejected", 1)]


def test_greeks_are_taken_as_they_are() -> None:
    greeks = one(market(f"greeks {OPTION}").received(golden("market/greeks.json"), NOW_NS), Greeks)
    assert greeks.symbol == Symbol(OPTION)
    assert (greeks.delta, greeks.theta) == (Decimal("0.4312"), Decimal("-0.0641"))
    assert greeks.implied_volatility == Decimal("0.2874")


def test_bodies_without_a_name_are_told_by_their_keys() -> None:
    codec = market("quote AAPL", "book AAPL", "trade AAPL", f"greeks {OPTION}", "quote SPX")
    signals = drained(codec.received(golden("market/untyped.ndjson"), NOW_NS))
    assert [type(signal) for signal in signals] == [Quote, BookSnapshot, Greeks, Trade, MarketStatus, Quote]
    assert of(signals, Greeks)[0].implied_volatility == Decimal("9.5"), "implied volatility is not clamped"


@pytest.mark.fault("A7")
@pytest.mark.parametrize(
    ("change", "session"),
    [
        ({}, Session.REGULAR),
        ({"earlyHours": True, "market": "closed"}, Session.PRE),
        ({"afterHours": True, "market": "closed"}, Session.POST),
        ({"market": "closed"}, Session.CLOSED),
        ({"market": "extended-hours"}, Session.PRE),
        ({"market": 7}, Session.CLOSED),
    ],
)
def test_the_session_follows_from_the_market_status(change: dict[str, object], session: Session) -> None:
    message = json.loads(golden("market/market_status.json"))
    message["payload"]["data"].update(change)
    status = one(market().received(json.dumps(message), NOW_NS), MarketStatus)
    assert status.session is session
    assert status.exchanges == {"nasdaq": "open", "nyse": "open", "otc": "open"}
    assert status.indices["s_and_p"] == "open"


def test_a_part_of_the_market_status_changes_only_that_part() -> None:
    codec = market()
    drained(codec.received(golden("market/market_status.json"), NOW_NS))
    changed = update("marketStatus", {"market": "closed", "afterHours": True})
    status = one(codec.received(changed, NOW_NS), MarketStatus)
    assert (status.session, status.currencies) == (Session.POST, {"crypto": "open", "fx": "open"})


@pytest.mark.fault("A12", "M31")
def test_late_data_is_counted_and_never_shown() -> None:
    codec = market("quote AAPL", "quote MSFT")
    drained(codec.wanted(want("quote MSFT"), NOW_NS))
    assert drained(codec.received(golden("market/quote.json"), NOW_NS + NS)) == [Count("late", 1)]


def test_a_stream_that_goes_on_is_unsubscribed_in_the_long_form_once() -> None:
    codec = market("quote AAPL", "trade AAPL")
    drained(codec.wanted(frozenset(), NOW_NS))
    [frame] = sent(codec.received(golden("market/quote.json"), NOW_NS + 6 * NS))
    assert frame["type"] == "unsubscribe"
    assert frame["payload"] == [
        {"symbol": "AAPL", "quoteFields": ["*"], "tradeFields": ["*"], "timeAndSalesFields": ["*"]}
    ]
    assert not sent(codec.received(golden("market/quote.json"), NOW_NS + 12 * NS))


def test_fields_that_only_come_along_are_not_shown() -> None:
    codec = market("trade AAPL")
    assert not drained(codec.received(golden("market/quote.json"), NOW_NS))


@pytest.mark.fault("M35")
def test_depth_that_never_comes_is_told_in_trading_hours() -> None:
    codec = market("book AAPL")
    drained(codec.received(golden("market/quote.json"), NOW_NS))
    assert not of(drained(codec.ticked(NOW_NS + 20 * NS)), Notice), "the market may be closed"
    drained(codec.received(golden("market/market_status.json"), NOW_NS))
    [notice] = of(drained(codec.ticked(NOW_NS + 21 * NS)), Notice)
    assert (notice.text, notice.subscription) == ("no depth data", subscription("book AAPL"))
    assert not of(drained(codec.ticked(NOW_NS + 60 * NS)), Notice)


def test_depth_that_comes_is_not_missed() -> None:
    codec = market("book AAPL")
    for name in ("quote", "level2", "market_status"):
        drained(codec.received(golden(f"market/{name}.json"), NOW_NS))
    assert not of(drained(codec.ticked(NOW_NS + 60 * NS)), Notice)


def test_a_symbol_that_a_renewed_login_has_lost_is_subscribed_again() -> None:
    codec = market("quote AAPL", "quote MSFT")
    drained(codec.received(golden("market/market_status.json"), NOW_NS))
    drained(codec.received(golden("market/quote.json"), NOW_NS))
    drained(codec.received(golden("market/quote.json").replace("AAPL", "MSFT"), NOW_NS))
    drained(codec.renewed(credential(token="fresh"), NOW_NS + NS))
    drained(codec.received(golden("session/auth_success.json"), NOW_NS + NS))
    drained(codec.received(golden("market/quote.json"), NOW_NS + 10 * NS))
    frames = [frame for frame in sent(codec.ticked(NOW_NS + 62 * NS)) if frame["type"] == "subscribe"]
    assert [[entry["symbol"] for entry in frame["payload"]] for frame in frames] == [["MSFT"]]
    assert not [frame for frame in sent(codec.ticked(NOW_NS + 130 * NS)) if frame["type"] == "subscribe"]
