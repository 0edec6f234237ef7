"""The charts socket: trades of subscribed symbols, built into bars."""

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
from tui.market.events import Bar, Notice
from tui.market.names import Interval, Symbol
from tui.providers.aries.charts import ChartsCodec
from tui.providers.base import Count, SymbolTable

MINUTE = subscription("bar AAPL 1m")


def charts(*names: str) -> ChartsCodec:
    return live(ChartsCodec(credential(), SymbolTable()), want(*names))


def seeded(*names: str) -> ChartsCodec:
    codec = charts(*names)
    for name in names:
        drained(codec.history(subscription(name), []))
    return codec


def running_bar() -> Bar:
    price = Decimal("187.00")
    return Bar(
        source="aries", ts_recv_ns=NOW_NS, symbol=Symbol("AAPL"), interval=Interval.M1, start_ns=NOW_NS,
        open=price, high=price, low=price, close=price, volume=Decimal(40),
    )  # fmt: skip


def test_one_subscription_serves_all_intervals_of_a_symbol() -> None:
    codec = live(ChartsCodec(credential(), SymbolTable()))
    [frame] = sent(codec.wanted(want("bar AAPL 1m", "bar AAPL 5m", "bar MSFT 1d"), NOW_NS))
    assert (frame["type"], frame["payload"]) == ("subscribe", [{"symbol": "AAPL"}, {"symbol": "MSFT"}])
    assert not sent(codec.wanted(want("bar AAPL 1m", "bar MSFT 1d"), NOW_NS))
    [frame] = sent(codec.wanted(want("bar MSFT 1d"), NOW_NS))
    assert (frame["type"], frame["payload"]) == ("unsubscribe", [{"symbol": "AAPL"}])


def test_the_history_is_handed_on_and_later_trades_go_on_with_its_running_bar() -> None:
    codec = charts("bar AAPL 1m")
    assert not drained(codec.received(golden("charts/quote_and_trade.json"), NOW_NS)), "it is part of the history"
    assert drained(codec.history(MINUTE, [running_bar()])) == [running_bar()]
    bar = one(codec.received(golden("charts/quote_and_trade.json"), NOW_NS), Bar)
    assert (bar.open, bar.close, bar.volume) == (Decimal("187.00"), Decimal("187.42"), Decimal(140))
    assert bar.ts_event_ns == 1_795_185_600_118_000_000


@pytest.mark.parametrize("name", ["quote_and_trade", "flat_trade"])
def test_a_trade_counts_nested_or_flat(name: str) -> None:
    bar = one(seeded("bar AAPL 1m").received(golden(f"charts/{name}.json"), NOW_NS), Bar)
    assert (bar.close, bar.volume) == (Decimal("187.42"), Decimal(100))


@pytest.mark.parametrize("name", ["flat_quote", "tradingview"])
def test_a_quote_without_a_trade_moves_the_bar_and_adds_no_volume(name: str) -> None:
    codec = charts("bar AAPL 1m")
    drained(codec.history(MINUTE, [running_bar()]))
    bar = one(codec.received(golden(f"charts/{name}.json"), NOW_NS), Bar)
    assert (bar.close, bar.volume) == (Decimal("187.42"), Decimal(40))
    assert not drained(seeded("bar AAPL 1m").received(golden(f"charts/{name}.json"), NOW_NS)), "it opens no bar"


def test_an_index_has_bars_although_it_has_no_trades() -> None:
    codec = seeded("bar SPX 1m")
    frame = golden("charts/flat_quote.json").replace("AAPL", "SPX")
    bar = one(codec.received(frame, NOW_NS), Bar)
    assert (bar.open, bar.volume) == (Decimal("187.42"), None)


def test_each_interval_has_its_own_bar() -> None:
    codec = seeded("bar AAPL 1m", "bar AAPL 1h")
    bars = events(codec.received(golden("charts/flat_trade.json"), NOW_NS), Bar)
    assert {bar.interval for bar in bars} == {Interval.M1, Interval.H1}


def test_a_trade_without_a_time_belongs_to_the_time_of_its_envelope() -> None:
    message = {"type": "event", "timestamp": "2026-11-20T14:41:00.5Z", "payload": {"action": "update"}}
    message["payload"]["data"] = {"symbol": "AAPL", "trade": {"price": 1, "size": 2}}  # type: ignore[index]
    bar = one(seeded("bar AAPL 1m").received(json.dumps(message), NOW_NS + 70 * NS), Bar)
    assert bar.start_ns == NOW_NS + 60 * NS


def test_a_time_in_the_future_does_not_carry_the_bars_away() -> None:
    data = {"symbol": "AAPL", "trade": {"price": 1, "size": 2, "timestamp": "2031-01-01T00:00:00Z"}}
    signals = drained(seeded("bar AAPL 1m").received(update("trade", data), NOW_NS))
    assert of(signals, Bar)[0].start_ns == NOW_NS
    assert of(signals, Count) == [Count("rejected", 1)]


@pytest.mark.fault("M60")
def test_an_envelope_from_the_future_does_not_shut_out_the_trades_after_it() -> None:
    codec = seeded("bar AAPL 1m")
    trade = {"symbol": "AAPL", "trade": {"price": 1, "size": 2, "timestamp": "2031-01-01T00:00:00Z"}}
    message = {"type": "event", "timestamp": "2031-01-01T00:00:00Z", "payload": {"action": "update", "data": trade}}
    assert one(codec.received(json.dumps(message), NOW_NS), Bar).start_ns == NOW_NS
    bar = one(codec.received(golden("charts/flat_trade.json"), NOW_NS), Bar)
    assert (bar.start_ns, bar.close) == (NOW_NS, Decimal("187.42"))


def test_a_late_trade_is_counted() -> None:
    codec = seeded("bar AAPL 1m")
    drained(codec.received(golden("charts/flat_trade.json"), NOW_NS))
    late = golden("charts/flat_trade.json").replace("1795185600118", "1795185500118")
    assert drained(codec.received(late, NOW_NS)) == [Count("late", 1)]


@pytest.mark.parametrize("trade", [{"price": -1, "size": 1}, {"price": "x", "size": 1}, {"size": 1}])
def test_a_trade_without_a_price_is_counted(trade: dict[str, object]) -> None:
    signals = drained(seeded("bar AAPL 1m").received(update("trade", {"symbol": "AAPL", "trade": trade}), NOW_NS))
    assert signals == [Count("rejected", 1)]


def test_data_of_symbols_that_nobody_wants_is_counted() -> None:
    assert drained(charts().received(golden("charts/flat_trade.json"), NOW_NS)) == [Count("late", 1)]


def test_a_refused_array_leads_to_one_object_a_symbol_and_that_form_is_remembered() -> None:
    codec = live(ChartsCodec(credential(), SymbolTable()))
    [frame] = sent(codec.wanted(want("bar AAPL 1m", "bar MSFT 1m"), NOW_NS))
    again = sent(codec.received(error(frame["id"], "invalid payload"), NOW_NS))
    assert [each["payload"] for each in again] == [{"symbol": "AAPL"}, {"symbol": "MSFT"}]
    [frame] = sent(codec.wanted(want("bar AAPL 1m", "bar MSFT 1m", "bar NVDA 1m"), NOW_NS))
    assert frame["payload"] == {"symbol": "NVDA"}


def test_the_form_that_brings_data_is_the_one_to_use() -> None:
    codec = live(ChartsCodec(credential(), SymbolTable()))
    [frame] = sent(codec.wanted(want("bar AAPL 1m", "bar BAD 1m"), NOW_NS))
    apple, _ = sent(codec.received(error(frame["id"], "invalid symbol"), NOW_NS))
    [alone] = sent(codec.received(error(apple["id"], "invalid payload"), NOW_NS))
    assert alone["payload"] == [{"symbol": "AAPL"}]
    drained(codec.received(golden("charts/flat_trade.json"), NOW_NS))
    frames = sent(codec.wanted(want("bar MSFT 1m", "bar NVDA 1m", "bar BAD 1m"), NOW_NS))
    assert [frame["payload"] for frame in frames] == [[{"symbol": "AAPL"}], [{"symbol": "MSFT"}, {"symbol": "NVDA"}]]


def test_arrays_that_are_refused_one_after_the_other_are_all_repeated() -> None:
    names = [f"bar A{chr(65 + n // 26)}{chr(65 + n % 26)} 1m" for n in range(130)]
    codec = live(ChartsCodec(credential(), SymbolTable()))
    first, second = sent(codec.wanted(want(*names), NOW_NS))
    repeated = sent(codec.received(error(first["id"], "no"), NOW_NS))
    repeated += sent(codec.received(error(second["id"], "no"), NOW_NS))
    assert len(repeated) == 130


def test_a_symbol_that_neither_form_gets_is_refused_alone() -> None:
    codec = live(ChartsCodec(credential(), SymbolTable()))
    [frame] = sent(codec.wanted(want("bar AAPL 1m", "bar BAD 1m", "bar BAD 5m"), NOW_NS))
    _, bad = sent(codec.received(error(frame["id"], "invalid symbol"), NOW_NS))
    [alone] = sent(codec.received(error(bad["id"], "invalid symbol"), NOW_NS))
    assert (bad["payload"], alone["payload"]) == ({"symbol": "BAD"}, [{"symbol": "BAD"}])
    notices = of(drained(codec.received(error(alone["id"], "invalid symbol"), NOW_NS)), Notice)
    assert {notice.subscription for notice in notices} == {subscription("bar BAD 1m"), subscription("bar BAD 5m")}
    assert all(notice.refused for notice in notices)
    assert not sent(codec.wanted(want("bar AAPL 1m", "bar BAD 1m", "bar BAD 5m"), NOW_NS))


def test_bars_go_on_after_the_server_lost_the_login() -> None:
    codec = seeded("bar AAPL 1m")
    later = NOW_NS + 60 * NS
    [login] = sent(codec.received(golden("session/auth_required.json"), later))
    success = golden("session/auth_success.json").replace("auth-1", login["id"])
    [again] = sent(codec.received(success, later))
    assert again["payload"] == [{"symbol": "AAPL"}]
    assert events(codec.received(golden("charts/flat_trade.json"), later), Bar)
