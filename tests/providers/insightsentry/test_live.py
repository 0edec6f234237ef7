"""The live socket: lists that replace each other, and what its frames become."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.providers.insightsentry.stand_ins import (
    FRAMES,
    KEY,
    NOW_NS,
    Driver,
    bar,
    codes,
    lists,
    live_codec,
    of,
    pings,
    quote,
    subscribes,
)
from tui.clock import NS
from tui.market.events import Bar, Notice, Quote, Trade
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.terms import Severity
from tui.providers.base import Close, Count, Latency, LoggedIn, Then
from tui.providers.insightsentry.wire import SeriesOptions, interval_of

MINUTE = 1_767_623_700


def live(*want: Subscription, options: SeriesOptions | None = None) -> Driver:
    driver = Driver(live_codec(options=options))
    driver.want(*want)
    driver.receive({"message": "Connected to SIM"})
    return driver


def row(start_s: float, close: float = 10.0, **more: object) -> dict[str, object]:
    return {"time": start_s, "open": 10.0, "high": 12.0, "low": 9.0, "close": close, "volume": 5, **more}


def series(*rows: object, code: str = "NASDAQ:AAPL", bar_type: str = "1m") -> dict[str, object]:
    return {"code": code, "last_update": 1767623871412, "bar_type": bar_type, "series": list(rows)}


def test_the_first_list_holds_the_key_and_what_the_reference_asks_for() -> None:
    driver = Driver(live_codec(options=SeriesOptions(extended=False)))
    (sent,) = subscribes(driver.want(bar("MSFT", Interval.M5), quote("ETH/USDT")))
    assert json.loads(sent.frame) == {
        "api_key": "ws_2f6c0e7b9d",
        "subscriptions": [
            {
                "code": "NASDAQ:MSFT",
                "type": "series",
                "bar_type": "minute",
                "bar_interval": 5,
                "extended": False,
                "recent_bars": True,
            },
            {"code": "BINANCE:ETHUSDT", "type": "quote"},
        ],
    }
    assert sent.recorded is not None
    assert KEY not in sent.recorded
    assert KEY not in repr(sent)


@pytest.mark.parametrize(
    ("interval", "bar_type", "bar_interval"),
    [
        (Interval.S1, "second", 1),
        (Interval.M1, "minute", 1),
        (Interval.M5, "minute", 5),
        (Interval.M15, "minute", 15),
        (Interval.H1, "hour", 1),
        (Interval.D1, "day", 1),
        (Interval.W1, "week", 1),
    ],
)
def test_every_interval_has_its_bar_type(interval: Interval, bar_type: str, bar_interval: int) -> None:
    ((sent,),) = lists(Driver(live_codec()).want(bar("AAPL", interval)))
    assert (sent["bar_type"], sent["bar_interval"]) == (bar_type, bar_interval)


@pytest.mark.parametrize("field", ["max_dp", "dp"])
def test_newer_servers_are_asked_for_a_number_of_bars(field: str) -> None:
    options = SeriesOptions(history=field, bars=120)  # type: ignore[arg-type]
    ((sent,),) = lists(Driver(live_codec(options=options)).want(bar("AAPL")))
    assert sent[field] == 120
    assert "recent_bars" not in sent


@pytest.mark.fault("I6")
def test_each_change_sends_the_complete_list_and_no_change_sends_nothing() -> None:
    driver = live(quote("AAPL"))
    assert codes(driver.want(quote("AAPL"), quote("TSLA"))) == [["NASDAQ:AAPL", "NASDAQ:TSLA"]]
    assert codes(driver.want(quote("TSLA"), quote("AAPL"))) == []
    assert codes(driver.want(quote("TSLA"))) == [["NASDAQ:TSLA"]]


def test_two_spellings_of_one_code_are_one_subscription_and_both_get_its_data() -> None:
    driver = Driver(live_codec())
    assert codes(driver.want(quote("AAPL"), quote("NASDAQ:AAPL"))) == [["NASDAQ:AAPL"]]
    made = of(Quote, driver.receive({"code": "NASDAQ:AAPL", "bid": 1.5}))
    assert {each.symbol for each in made} == {"AAPL", "NASDAQ:AAPL"}


@pytest.mark.fault("I6")
def test_the_last_removal_closes_instead_of_sending_an_empty_list() -> None:
    driver = live(quote("AAPL"))
    made = driver.want()
    assert [each.then for each in of(Close, made)] == [Then.IDLE]
    assert not subscribes(made)
    assert not driver.want(quote("AAPL")), "the next connection sends it"


def test_data_for_what_was_removed_is_counted_as_late() -> None:
    driver = live(quote("AAPL"), quote("TSLA"))
    driver.want(quote("AAPL"))
    assert driver.receive({"code": "NASDAQ:TSLA", "bid": 1.5}) == [Count("late")]
    assert driver.receive(series(row(MINUTE), code="NASDAQ:TSLA")) == [Count("late")]


def test_a_list_that_seems_ignored_is_sent_once_more_after_80_seconds() -> None:
    driver = live(quote("AAPL"))
    assert not subscribes(driver.wait(79))
    assert codes(driver.wait(2)) == [["NASDAQ:AAPL"]]
    assert not subscribes(driver.wait(600)), "once"


@pytest.mark.parametrize(
    "answer", [{"code": "NASDAQ:AAPL", "bid": 1.5}, {"event": "subscription_status", "status": "active"}]
)
def test_a_list_that_was_answered_is_not_sent_again(answer: dict[str, object]) -> None:
    driver = live(quote("AAPL"), quote("TSLA"))
    driver.receive(answer)
    assert not subscribes(driver.wait(300))


def test_a_removal_that_was_ignored_shows_by_its_data_and_is_sent_once_more() -> None:
    driver = live(quote("AAPL"), quote("TSLA"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1.5})
    driver.want(quote("AAPL"))
    driver.wait(16)
    driver.receive({"code": "NASDAQ:TSLA", "bid": 1.5})
    assert codes(driver.wait(70)) == [["NASDAQ:AAPL"]]


@pytest.mark.fault("I1")
def test_connecting_is_no_login_but_the_next_sign_of_life_is() -> None:
    driver = Driver(live_codec())
    driver.want(quote("AAPL"))
    assert driver.receive({"message": "Connecting..."}) == []
    assert driver.receive({"message": "Connected to W:EUROPE-WEST"}) == [LoggedIn("Connected to W:EUROPE-WEST")]
    assert driver.receive({"server_time": 1741397070281}) == []


@pytest.mark.parametrize(
    "frame",
    [
        '{"server_time": 1741397070281}',
        "pong",
        '{"event": "connection_status", "status": "whatever"}',
        '{"code": "NASDAQ:AAPL", "bid": 1}',
        '{"message": "Maintenance on Sunday"}',
    ],
)
def test_any_sign_of_life_without_an_error_is_the_login(frame: str) -> None:
    driver = Driver(live_codec())
    driver.want(quote("AAPL"))
    assert len(of(LoggedIn, driver.receive(frame))) == 1


@pytest.mark.fault("I5")
def test_pings_are_25_seconds_apart_and_their_answers_measure_the_latency() -> None:
    driver = live(quote("AAPL"))
    at: list[int] = []
    for second in range(1, 120):
        driver.now_ns += NS
        if pings(list(driver.codec.ticked(driver.now_ns))):
            at.append(second)
            assert driver.codec.received("pong", driver.now_ns + 42_000_000) == [Latency(0.042)]
    assert at == [16, 41, 66, 91, 116]
    assert driver.receive("pong") == [], "an answer to no ping measures nothing"


@pytest.mark.fault("I3", "M24")
def test_a_closed_market_with_heartbeats_alone_stays_connected() -> None:
    driver = live(quote("AAPL"))
    assert not of(Close, driver.wait(600))


@pytest.mark.fault("I5")
def test_five_frames_in_a_row_that_are_no_json_end_the_connection() -> None:
    driver = live(quote("AAPL"))
    for _ in range(4):
        assert of(Count, driver.receive("<html>")) == [Count("undecodable", sample="<html>")]
    driver.receive({"server_time": 1})
    for _ in range(4):
        assert not of(Close, driver.receive("<html>"))
    assert [each.then for each in of(Close, driver.receive("<html>"))] == [Then.RETRY]


@pytest.mark.fault("I5", "M48")
def test_an_unknown_shape_is_named_once_and_counted_each_time() -> None:
    driver = live(quote("AAPL"))
    assert driver.receive({"foo": 1, "bar": 2}) == [Count("unknown", sample="bar foo")]
    assert driver.receive({"foo": 3, "bar": 4}) == [Count("unknown")]


@pytest.mark.fault("I2")
def test_the_seed_quote_becomes_a_patch_with_its_numbers_as_sent() -> None:
    driver = live(quote("AAPL"))
    (made,) = of(Quote, driver.receive((FRAMES / "live" / "quote_seed.json").read_text()))
    assert made == Quote(
        source="insightsentry",
        symbol=Symbol("AAPL"),
        ts_event_ns=1733432340 * NS,
        ts_recv_ns=NOW_NS,
        volume=Decimal(533779),
        last=Decimal("243.08"),
        change_percent=Decimal("0.41"),
        change=Decimal("979.96"),
        ask=Decimal("243.09"),
        bid=Decimal("243.08"),
        ask_size=Decimal(520),
        bid_size=Decimal(430),
    )
    assert "open" not in made.model_fields_set
    assert "delayed" not in made.model_fields_set


@pytest.mark.fault("I2")
def test_wrapped_quotes_carry_the_day_and_whether_they_are_late() -> None:
    driver = live(quote("MSFT"))
    (made,) = of(Quote, driver.receive((FRAMES / "live" / "quotes_wrapped.json").read_text()))
    assert (made.open, made.high, made.low, made.prev_close) == tuple(
        map(Decimal, ("473.6", "475.12", "472.9", "473.05"))
    )
    assert made.delayed is False
    assert made.ts_event_ns == 1767623870 * NS


@pytest.mark.parametrize(("seconds", "delayed"), [(0, False), (900, True), (-1, True), (None, None)])
def test_delay_seconds_say_whether_figures_are_late(seconds: int | None, delayed: bool | None) -> None:
    (made,) = of(Quote, live(quote("AAPL")).receive({"code": "NASDAQ:AAPL", "bid": 1, "delay_seconds": seconds}))
    assert made.delayed is delayed
    assert "delayed" in made.model_fields_set


@pytest.mark.fault("I2")
def test_a_sparse_patch_holds_only_its_field_and_null_clears() -> None:
    driver = live(quote("AAPL"))
    (made,) = of(Quote, driver.receive({"data": [{"code": "NASDAQ:AAPL", "bid": 1.25, "ask": None}]}))
    assert made.model_fields_set - {"source", "symbol", "ts_event_ns", "ts_recv_ns"} == {"bid", "ask"}
    assert made.ask is None


@pytest.mark.fault("M38")
def test_an_impossible_field_is_counted_and_its_neighbours_survive() -> None:
    driver = live(quote("AAPL"))
    made = driver.receive({"code": "NASDAQ:AAPL", "bid": -1, "ask_size": -5, "last_price": "1,5", "ask": 243.09})
    (patch,) = of(Quote, made)
    assert patch.ask == Decimal("243.09")
    assert not {"bid", "ask_size", "last"} & patch.model_fields_set
    assert [(each.what, each.number) for each in of(Count, made)] == [("rejected", 3)]


def test_one_bad_row_of_a_wrapper_costs_only_itself() -> None:
    made = live(quote("AAPL")).receive({"data": [None, {"bid": 1}, {"code": "NASDAQ:AAPL", "bid": 2}]})
    assert len(of(Quote, made)) == 1
    assert of(Count, made) == [Count("rejected"), Count("rejected")]


@pytest.mark.fault("I1", "I5")
def test_the_seed_bar_is_open_until_a_later_start_proves_it_closed() -> None:
    driver = live(bar("AAPL"))
    (first,) = of(Bar, driver.receive((FRAMES / "live" / "series_seed.json").read_text()))
    assert (first.start_ns, first.interval, first.close) == (1733432340 * NS, Interval.M1, Decimal("243.08"))
    assert first.ts_event_ns == 1733432399820 * 1_000_000
    assert first.closed is False
    closed, opened = of(Bar, driver.receive(series(row(1733432400.0))))
    assert (closed.start_ns, closed.close, closed.closed) == (first.start_ns, first.close, True)
    assert (opened.start_ns, opened.closed) == (1733432400 * NS, False)


@pytest.mark.fault("I1", "M61")
def test_a_batch_is_sorted_and_all_but_the_last_are_closed() -> None:
    made = of(Bar, live(bar("AAPL")).receive(series(*[row(MINUTE + 60 * n) for n in (2, 0, 1)])))
    assert [(each.start_ns // NS - MINUTE, each.closed) for each in made] == [(0, True), (60, True), (120, False)]


@pytest.mark.fault("M61")
def test_an_old_bar_that_comes_again_is_a_closed_correction() -> None:
    driver = live(bar("AAPL"))
    driver.receive(series(row(MINUTE + 60)))
    assert [each.closed for each in of(Bar, driver.receive(series(row(MINUTE, close=11.0))))] == [True]


@pytest.mark.fault("M60")
def test_a_bar_to_come_is_rejected_and_those_after_it_are_not_taken_for_the_past() -> None:
    driver = live(bar("AAPL"))
    made = driver.receive(series(row(MINUTE), row(MINUTE + 30 * 86_400)))
    assert [each.start_ns // NS for each in of(Bar, made)] == [MINUTE]
    assert [count.what for count in of(Count, made)] == ["rejected"]
    closed, opened = of(Bar, driver.receive(series(row(MINUTE + 60))))
    assert [(each.start_ns // NS - MINUTE, each.closed) for each in (closed, opened)] == [(0, True), (60, False)]


def test_a_bar_that_contradicts_itself_is_rejected_and_the_others_survive() -> None:
    driver = live(bar("AAPL"))
    made = driver.receive(series(row(MINUTE, close=13.0), row(MINUTE + 60), "x", {"time": 1}, row(MINUTE, volume=-1)))
    assert len(of(Bar, made)) == 2
    assert [each.volume for each in of(Bar, made)] == [None, Decimal(5)]
    assert [(each.what, each.number) for each in of(Count, made)] == [("rejected", 4)]


@pytest.mark.parametrize(
    ("code", "interval"),
    [
        ("1s", Interval.S1),
        ("1m", Interval.M1),
        ("5m", Interval.M5),
        ("15m", Interval.M15),
        ("1h", Interval.H1),
        ("1H", Interval.H1),
        ("60m", Interval.H1),
        ("1D", Interval.D1),
        ("1d", Interval.D1),
        ("1W", Interval.W1),
        ("1M", None),
        ("m", None),
        (None, None),
        ("0s", None),
    ],
)
def test_response_codes_of_bars_mind_that_a_month_is_no_minute(code: object, interval: Interval | None) -> None:
    assert interval_of(code) is interval


def test_an_unreadable_bar_code_goes_to_the_only_series_of_that_symbol() -> None:
    driver = live(bar("AAPL", Interval.W1), quote("AAPL"), bar("MSFT"))
    (made,) = of(Bar, driver.receive(series(row(MINUTE), bar_type="7 days")))
    assert (made.symbol, made.interval) == ("AAPL", Interval.W1)


def test_an_unreadable_bar_code_with_two_series_is_counted() -> None:
    driver = live(bar("AAPL", Interval.W1), bar("AAPL"))
    assert driver.receive(series(row(MINUTE), bar_type="?")) == [Count("unknown", sample="?")]


@pytest.mark.fault("M61")
def test_bars_of_an_interval_that_nobody_asked_for_are_late() -> None:
    assert live(bar("AAPL")).receive(series(row(MINUTE), bar_type="5m")) == [Count("late")]


def test_ticks_are_trades_even_when_they_share_a_time() -> None:
    driver = live(Subscription(Kind.TRADE, Symbol("ETH/USDT")))
    tick = {"time": 1767623871.187, "type": "trade", "close": 3254.71, "volume": 0.42}
    made = driver.receive(series(tick, tick, {"time": 1, "close": 3.0}, code="BINANCE:ETHUSDT", bar_type="1T"))
    assert [(each.price, each.size) for each in of(Trade, made)] == [(Decimal("3254.71"), Decimal("0.42"))] * 2
    assert of(Trade, made)[0].ts_event_ns == 1767623871187000000
    assert [each.last for each in of(Quote, made)] == [Decimal(3)], "without a size it is only a last price"


def test_history_from_rest_does_not_undo_what_the_socket_brought() -> None:
    driver = live(bar("AAPL"))
    (opened,) = of(Bar, driver.receive(series(row(MINUTE, close=11.0))))
    older = opened.model_copy(update={"start_ns": opened.start_ns - 60 * NS})
    stale = opened.model_copy(update={"close": Decimal(10)})
    kept = list(driver.codec.history(bar("AAPL"), [older, stale]))
    assert kept == [older.model_copy(update={"closed": True})]


def test_a_lower_subscription_count_is_told() -> None:
    driver = live(quote("AAPL"), quote("MSFT"))
    made = driver.receive({"event": "subscription_status", "status": "active", "subscription_count": 1})
    assert [each.text for each in of(Notice, made)] == ["the provider runs 1 of 2 subscriptions"]


def test_a_text_that_is_no_error_is_shown() -> None:
    (made,) = of(Notice, live(quote("AAPL")).receive({"message": "Maintenance on \x1b[31mSunday", "server": "W"}))
    assert (made.text, made.severity) == ("Maintenance on Sunday", Severity.INFO)
