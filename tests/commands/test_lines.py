import json
from decimal import Decimal

import pytest

from tui.commands.lines import (
    bar_record,
    book_record,
    news_record,
    quote_record,
    status_record,
    to_columns,
    to_json,
    trade_record,
)
from tui.market.events import Bar, BookSnapshot, NewsItem, Quote, Status, Trade
from tui.market.names import Interval, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState

AAPL, BTC = Symbol("AAPL"), Symbol("BTC/USDT")
RECV_NS = 1_767_623_871_204_871_000
D = Decimal


def merged(*patches: Quote) -> MarketStore:
    store = MarketStore(lambda: RECV_NS)
    for patch in patches:
        store.apply(patch)
    return store


def test_a_quote_line_holds_the_merged_quote() -> None:
    store = merged(
        Quote(source="aries", ts_recv_ns=RECV_NS - 1000, symbol=AAPL, bid=D("187.40"), ask=D("187.45"), volume=D(10)),
        Quote(source="aries", ts_recv_ns=RECV_NS, ts_event_ns=RECV_NS - 2000, symbol=AAPL, bid=D("187.41"), ask=None),
    )
    state = store.quote(AAPL)
    assert state is not None
    assert to_json(quote_record(state)) == (
        '{"kind":"quote","symbol":"AAPL","source":"aries","ts_event":"2026-01-05T14:37:51.204869Z",'
        '"ts_recv":"2026-01-05T14:37:51.204871Z","bid":187.41,"volume":10}'
    )


def test_bars_books_trades_news_and_status_have_the_documented_fields() -> None:
    bar = Bar(
        source="insightsentry", ts_recv_ns=RECV_NS, symbol=AAPL, interval=Interval.M1, start_ns=1_767_623_820 * 10**9,
        open=D("1.10"), high=D("1.30"), low=D("1.00"), close=D("1.20"), closed=True,
    )  # fmt: skip
    assert to_json(bar_record(bar)) == (
        '{"kind":"bar","symbol":"AAPL","source":"insightsentry","ts_event":null,'
        '"ts_recv":"2026-01-05T14:37:51.204871Z","interval":"1m","start":"2026-01-05T14:37:00.000000Z",'
        '"open":1.10,"high":1.30,"low":1.00,"close":1.20,"closed":true}'
    )
    book = BookSnapshot(
        source="quantcite", ts_recv_ns=RECV_NS, symbol=BTC,
        bids=((D("97211.3"), D("0.5"), ("okx", "bybit")),), asks=((D("97210"), D("1E+1"), ()),),
    )  # fmt: skip
    assert to_json(book_record(book)).endswith(
        '"bids":[[97211.3,0.5,["okx","bybit"]]],"asks":[[97210,10,[]]],"crossed":true}'
    )
    trade = Trade(source="aries", ts_recv_ns=RECV_NS, symbol=AAPL, price=D("187.44"), size=D(100), side="buy")
    assert to_json(trade_record(trade)).endswith('"price":187.44,"size":100,"side":"buy"}')
    news = NewsItem(source="aries", ts_recv_ns=RECV_NS, id="1", title='Q3 "beat"', published_ns=RECV_NS, symbols=(BTC,))
    assert json.loads(to_json(news_record(news))) == {
        "kind": "news", "symbol": "BTC/USDT", "source": "aries", "ts_event": None,
        "ts_recv": "2026-01-05T14:37:51.204871Z", "title": 'Q3 "beat"',
        "published": "2026-01-05T14:37:51.204871Z", "symbols": ["BTC/USDT"],
    }  # fmt: skip
    status = Status(source="quantcite", ts_recv_ns=RECV_NS, feed="quantcite:book", state=FeedState.BACKING_OFF)
    assert to_json(status_record(status)) == (
        '{"kind":"status","source":"quantcite","ts_event":null,"ts_recv":"2026-01-05T14:37:51.204871Z",'
        '"feed":"quantcite:book","state":"backing off"}'
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.1", "0.1"), ("189.10", "189.10"), ("1E+3", "1000"), ("1E-8", "0.00000001"), ("-0.25", "-0.25")],
)
def test_numbers_keep_their_digits(number: str, text: str) -> None:
    assert to_json(Decimal(number)) == text
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == Decimal(number)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_number_is_never_written(number: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        to_json([Decimal(number)])


def test_lines_are_ascii_without_breaks() -> None:
    line = to_json({"title": "Zürich\n\u2028\U0001f680 \"up\" \\ 'ok'", "symbols": ("A",), "n": 3})
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["title"] == "Zürich\n\u2028\U0001f680 \"up\" \\ 'ok'"


def test_columns_start_at_the_same_place_on_every_line() -> None:
    state = merged(
        Quote(source="aries", ts_recv_ns=RECV_NS, symbol=AAPL, bid=D("187.40"), change_percent=D("0.5"), delayed=True)
    ).quote(AAPL)
    assert state is not None
    lines = [
        to_columns(quote_record(state)),
        to_columns(trade_record(Trade(source="aries", ts_recv_ns=RECV_NS, symbol=BTC, price=D(1), size=D(2)))),
        to_columns(
            status_record(Status(source="aries", ts_recv_ns=RECV_NS, feed="aries:market", state=FeedState.LIVE))
        ),
    ]
    assert lines[0] == (
        "14:37:51.204  quote   AAPL        aries          bid       187.40 ×          -  "
        "ask            - ×          -  last            -  (+0.50%)  volume              -  delayed"
    )
    assert [line.index("aries") for line in lines] == [34, 34, 34]
    assert lines[2] == "14:37:51.204  status              aries          aries:market             live"


def test_a_stamp_beyond_the_calendar_is_left_empty() -> None:
    news = NewsItem(source="aries", ts_recv_ns=RECV_NS, id="1", title="x", published_ns=10**30)
    assert "published" not in news_record(news)
