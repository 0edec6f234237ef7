"""Errors on the live socket: every row of the reference's table, and the hunt for the one bad symbol."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from tests.providers.insightsentry.stand_ins import (
    KEY,
    NOW_NS,
    Driver,
    bar,
    codes,
    lists,
    live_codec,
    of,
    quote,
    subscribes,
)
from tui.clock import NS
from tui.market.events import Notice
from tui.market.names import Interval, Subscription
from tui.providers.base import Close, Credential, LoggedIn, LoginRefused, Pause, Renew, Signal, Then
from tui.providers.insightsentry.live import LiveCodec
from tui.providers.insightsentry.symbols import to_code
from tui.providers.insightsentry.trials import Trials
from tui.providers.insightsentry.wire import SeriesOptions

LEGACY = {"message": "Invalid Symbol Code"}
ALL = ["AAAA", "BAD", "CCCC"]


def live(*want: Subscription, trials: Trials | None = None, can_rotate: bool = False) -> Driver:
    driver = Driver(live_codec(trials, can_rotate=can_rotate))
    driver.want(*want)
    driver.receive({"message": "Connected to SIM"})
    return driver


def again(driver: Driver, *want: Subscription) -> Driver:
    """The next connection, two seconds after the end of this one."""
    codec = driver.codec
    assert isinstance(codec, LiveCodec)
    following = Driver(live_codec(codec._trials), driver.now_ns + 2 * NS)
    following.want(*want)
    following.receive({"message": "Connected to SIM"})
    return following


def refused(signals: list[Signal]) -> set[Subscription | None]:
    return {each.subscription for each in of(Notice, signals) if each.refused}


@pytest.mark.fault("I9", "M27")
def test_a_refused_symbol_leaves_the_rest_active() -> None:
    driver = live(quote("AAPL"), quote("MSFFT"), bar("MSFFT"))
    made = driver.receive(
        {
            "error": "invalid_symbol",
            "message": "Unknown symbol code",
            "code": "NASDAQ:MSFFT",
            "action": "fix_request",
            "retryable": False,
            "reference_id": "r-81f0c2",
        }
    )
    assert refused(made) == {quote("MSFFT"), bar("MSFFT")}
    assert of(Notice, made)[0].text == "NASDAQ:MSFFT: Unknown symbol code (reference r-81f0c2)"
    assert not of(Close, made)
    assert not subscribes(driver.want(quote("AAPL"))), "the server has that list already"
    assert codes(driver.want(quote("AAPL"), quote("TSLA"))) == [["NASDAQ:AAPL", "NASDAQ:TSLA"]]


@pytest.mark.parametrize("kind", ["invalid_bar_interval", "series_error"])
def test_trouble_with_bars_leaves_the_quotes_of_the_same_symbol(kind: str) -> None:
    driver = live(quote("AAPL"), bar("AAPL"))
    assert refused(driver.receive({"error": kind, "code": "NASDAQ:AAPL"})) == {bar("AAPL")}


@pytest.mark.parametrize("kind", ["invalid_currency_code", "invalid_unit_code", "invalid_symbol"])
def test_other_partial_errors_refuse_all_of_a_symbol(kind: str) -> None:
    driver = live(quote("AAPL"), bar("AAPL"), quote("MSFT"))
    assert refused(driver.receive({"error": kind, "symbol": "NASDAQ:AAPL"})) == {quote("AAPL"), bar("AAPL")}


@pytest.mark.parametrize("place", [{"details": {"code": "NASDAQ:BAD"}}, {"message": "no such symbol: NASDAQ:BAD."}])
def test_the_blamed_symbol_is_found_wherever_it_is_named(place: dict[str, Any]) -> None:
    driver = live(quote("AAPL"), quote("BAD"))
    assert refused(driver.receive({"error": "invalid_symbol", **place})) == {quote("BAD")}


def test_a_partial_error_without_a_name_is_shown_unless_only_one_can_be_meant() -> None:
    driver = live(quote("AAPL"), quote("BAD"))
    assert not refused(driver.receive({"error": "invalid_symbol", "message": "nope"}))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    assert refused(driver.receive({"error": "invalid_symbol", "message": "nope"})) == {quote("BAD")}


@pytest.mark.parametrize("kind", ["processing_throttled", "reconnect_throttled"])
def test_a_throttled_request_is_waited_for(kind: str) -> None:
    driver = live(quote("AAPL"))
    made = driver.receive({"error": kind, "action": "wait_and_retry", "delay_seconds": 12})
    assert not of(Close, made)
    assert of(Pause, made) == [Pause(12.0, kind.replace("_", " "))]
    assert not subscribes(driver.wait(60))


@pytest.mark.fault("I9")
@pytest.mark.parametrize(
    "error",
    [{"error": "x", "action": "retry_request"}, {"error": "temporarily_unavailable"}],
)
def test_a_request_to_retry_sends_the_same_list_on_the_same_socket_after_the_longer_delay(
    error: dict[str, Any],
) -> None:
    driver = live(quote("AAPL"))
    assert not of(Close, driver.receive({**error, "delay_seconds": 3, "retry_after_seconds": 7}))
    assert not subscribes(driver.wait(6))
    assert codes(driver.wait(1)) == [["NASDAQ:AAPL"]]


def test_retries_without_a_delay_back_off() -> None:
    driver = live(quote("AAPL"))
    waits = []
    for _ in range(4):
        driver.receive({"error": "temporarily_unavailable"})
        waits.append(next(n for n in range(1, 100) if subscribes(driver.wait(1))))
    assert waits == [2, 4, 8, 16]


def test_what_is_wanted_meanwhile_goes_with_the_retry() -> None:
    driver = live(quote("AAPL"))
    driver.receive({"error": "temporarily_unavailable", "delay_seconds": 5})
    assert not subscribes(driver.want(quote("AAPL"), quote("MSFT")))
    assert codes(driver.wait(5)) == [["NASDAQ:AAPL", "NASDAQ:MSFT"]]


@pytest.mark.parametrize(
    "error",
    [
        {"error": "x", "action": "reconnect"},
        {"error": "x", "action": "reconnect_and_send_request"},
        {"error": "x", "action": "reconnect_with_current_entitlements"},
        {"error": "server_busy"},
        {"error": "internal_server_error"},
    ],
)
def test_a_request_to_reconnect_backs_off_at_least_as_long_as_asked(error: dict[str, Any]) -> None:
    (end,) = of(Close, live(quote("AAPL")).receive({**error, "retry_after_seconds": 9}))
    assert (end.then, end.delay_s) == (Then.RETRY, 9.0)


@pytest.mark.fault("I9", "M62")
@pytest.mark.parametrize(
    "error",
    [
        {"error": "x", "action": "reconnect", "retryable": False},
        {"error": "temporarily_unavailable", "retryable": False},
        {"error": "connection_evicted", "retryable": True},
        {"error": "connection_evicted", "action": "reconnect"},
        {"error": "subscription_expired"},
        {"error": "websocket_access_required"},
        {"error": "something_new", "message": "No idea"},
    ],
)
def test_what_trying_again_cannot_cure_waits_for_the_user(error: dict[str, Any]) -> None:
    (end,) = of(Close, live(quote("AAPL")).receive(error))
    assert end.then is Then.FAIL
    assert end.remedy


@pytest.mark.fault("M62")
@pytest.mark.parametrize(
    "error",
    [
        {"error": "max_connections_exceeded", "action": "reconnect"},
        {"error": "max_connections_exceeded", "message": "1 of 1 connections", "retryable": True},
        {"message": "Maximum number of WebSocket connections exceeded"},
        {"message": "Too many connections for this API key"},
    ],
)
def test_a_key_whose_connections_are_all_taken_is_tried_again_late(error: dict[str, Any]) -> None:
    driver = live(quote("AAPL"))
    (end,) = of(Close, driver.receive(error))
    assert (end.reason, end.then, end.delay_s) == ("this key is in use elsewhere", Then.RETRY, 900)
    assert "Close the other program" in end.remedy
    assert not of(Notice, driver.signals), "no symbol is to blame"


def test_an_absurd_delay_is_cut() -> None:
    (end,) = of(Close, live(quote("AAPL")).receive({"error": "server_busy", "delay_seconds": 1e15}))
    assert end.delay_s == 3600


@pytest.mark.fault("M54")
@pytest.mark.parametrize("can_rotate", [True, False])
@pytest.mark.parametrize(
    "frame", [{"message": "Invalid API key"}, {"error": "unauthorized", "message": "Expired key ws_2f6c0e7b9d"}]
)
def test_a_refused_key_is_worth_a_fresh_one_only_where_we_can_fetch_it(frame: object, can_rotate: bool) -> None:
    driver = Driver(live_codec(can_rotate=can_rotate))
    driver.want(quote("AAPL"))
    (end,) = of(LoginRefused, driver.receive(frame))
    assert end.refresh is can_rotate
    assert KEY not in repr(end)
    assert not of(LoggedIn, driver.signals)
    assert not driver.receive({"code": "NASDAQ:AAPL", "bid": 1}), "nothing follows a refusal"


def test_a_key_in_its_last_day_is_asked_for_anew_and_the_new_one_reconnects() -> None:
    old = Credential(SecretStr(KEY), NOW_NS + 24 * 3600 * NS + 30 * NS)
    driver = Driver(LiveCodec(old, to_code, Trials(), SeriesOptions(), can_rotate=True))
    driver.want(quote("AAPL"))
    assert not of(Renew, driver.wait(29))
    assert len(of(Renew, driver.wait(60))) == 1
    assert not list(driver.codec.renewed(old, driver.now_ns)), "the rotation failed: the old one goes on"
    (end,) = of(Close, list(driver.codec.renewed(Credential(SecretStr("ws_new")), driver.now_ns)))
    assert end.then is Then.RECONNECT


@pytest.mark.fault("I9", "M27")
def test_a_legacy_error_after_one_addition_drops_it_and_reconnects_after_two_seconds() -> None:
    trials = Trials()
    driver = live(quote("AAPL"), trials=trials)
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    driver.want(quote("AAPL"), quote("BAD"))
    made = driver.receive(LEGACY)
    assert refused(made) == {quote("BAD")}
    assert [(each.then, each.delay_s) for each in of(Close, made)] == [(Then.RECONNECT, 2.0)]
    second = Driver(live_codec(trials), driver.now_ns + 2 * NS)
    assert codes(second.want(quote("AAPL"), quote("BAD"))) == [["NASDAQ:AAPL"]]
    assert refused(second.signals) == {quote("BAD")}


def test_a_legacy_error_that_names_a_code_blames_it() -> None:
    driver = live(quote("AAPL"), quote("MSFT"), quote("BAD"))
    assert refused(driver.receive({"message": "Invalid Symbol Code: NASDAQ:BAD"})) == {quote("BAD")}


def test_the_bad_one_among_several_is_found_by_adding_them_back_one_at_a_time() -> None:
    trials = Trials()
    want = [quote(each) for each in ALL]
    driver = live(*want, trials=trials)
    made = driver.receive(LEGACY)
    assert not refused(made)
    assert of(Close, made)[0].then is Then.RECONNECT

    second = Driver(live_codec(trials), driver.now_ns + 2 * NS)
    assert codes(second.want(*want)) == [["NASDAQ:AAAA"]]
    second.receive({"code": "NASDAQ:AAAA", "bid": 1})
    assert codes(second.wait(6)) == [["NASDAQ:AAAA", "NASDAQ:BAD"]]
    made = second.receive(LEGACY)
    assert refused(made) == {quote("BAD")}
    assert of(Close, made)[0].then is Then.RECONNECT

    third = Driver(live_codec(trials), second.now_ns + 2 * NS)
    assert codes(third.want(*want)) == [["NASDAQ:AAAA"]]
    assert codes(third.wait(12)) == [["NASDAQ:AAAA", "NASDAQ:CCCC"]]
    assert not subscribes(third.wait(60))
    assert not of(Close, third.signals)


def test_the_lesser_known_are_suspected_first_so_that_the_others_are_back_at_once() -> None:
    trials = Trials()
    want = [quote(each) for each in ("AAPL", "MSFT", "BTC/USDT", "RUT", "VIX")]
    live(*want, trials=trials).receive(LEGACY)
    driver = live(*want, trials=trials)
    assert set(codes(driver.signals)[0]) == {"NASDAQ:AAPL", "NASDAQ:MSFT", "BINANCE:BTCUSDT"}
    driver.wait(6)
    assert set(codes(driver.signals)[1]) == {"NASDAQ:AAPL", "NASDAQ:MSFT", "BINANCE:BTCUSDT", "TVC:RUT"}
    assert refused(driver.receive(LEGACY)) == {quote("RUT")}


def test_a_closed_market_does_not_stop_the_search_for_the_bad_one() -> None:
    trials = Trials()
    want = [quote(each) for each in ALL]
    live(*want, trials=trials).receive(LEGACY)
    driver = live(*want, trials=trials)
    driver.receive({"server_time": 1})
    assert codes(driver.wait(30)) == [["NASDAQ:AAAA", "NASDAQ:BAD"], ["NASDAQ:AAAA", "NASDAQ:BAD", "NASDAQ:CCCC"]]


@pytest.mark.fault("I9", "M27")
def test_quotes_and_bars_of_one_code_are_blamed_together() -> None:
    driver = live(quote("AAPL"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    for symbol in ("BAD", "WORSE"):
        driver.want(quote("AAPL"), quote(symbol), bar(symbol), bar(symbol, Interval.M5))
        made = driver.receive(LEGACY)
        assert refused(made) == {quote(symbol), bar(symbol), bar(symbol, Interval.M5)}
        assert [each.then for each in of(Close, made)] == [Then.RECONNECT]
        driver = again(driver, quote("AAPL"))


def test_bars_that_make_an_error_leave_the_quotes_of_their_code_that_came() -> None:
    driver = live(quote("AAPL"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    driver.want(quote("AAPL"), bar("AAPL", Interval.W1))
    assert refused(driver.receive(LEGACY)) == {bar("AAPL", Interval.W1)}


def test_when_no_errors_are_left_to_find_the_bad_ones_all_suspects_wait_and_the_proven_rest_goes_on() -> None:
    driver = live(quote("AAPL"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    for symbol in ("BAD1", "BAD2"):
        driver.want(quote("AAPL"), quote(symbol))
        driver.receive(LEGACY)
        driver = again(driver, quote("AAPL"))
    want = [quote("AAPL"), quote("BAD3"), quote("GOOD"), bar("GOOD")]
    driver.want(*want)
    made = driver.receive(LEGACY)
    assert not refused(made), "a good one may be among them"
    assert [(each.then, each.delay_s) for each in of(Close, made)] == [(Then.RECONNECT, 2.0)]
    assert "NASDAQ:BAD3, NASDAQ:GOOD" in of(Notice, made)[0].text
    driver = again(driver, *want)
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    assert not subscribes(driver.wait(280))
    assert codes(driver.signals) == [["NASDAQ:AAPL"]]
    assert len(codes(driver.wait(20))) == 1
    assert refused(driver.receive(LEGACY)) <= {quote("BAD3"), quote("GOOD"), bar("GOOD")}


def test_after_the_third_reconnect_what_is_unproven_waits_until_an_error_can_be_afforded() -> None:
    driver = live(quote("AAPL"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    for symbol in ("BAD1", "BAD2", "BAD3"):
        driver.want(quote("AAPL"), quote(symbol))
        driver.receive(LEGACY)
        driver = again(driver, quote("AAPL"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 2})
    assert not subscribes(driver.want(quote("AAPL"), quote("NEW")))
    assert codes(driver.want(quote("AAPL"), quote("MSFT"), quote("NEW"))) == [["NASDAQ:AAPL", "NASDAQ:MSFT"]]
    driver.receive({"code": "NASDAQ:MSFT", "bid": 2})
    assert not subscribes(driver.wait(280))
    assert codes(driver.wait(30)) == [["NASDAQ:AAPL", "NASDAQ:MSFT", "NASDAQ:NEW"]]


def test_a_fourth_error_within_five_minutes_that_nobody_explains_waits_for_the_user_or_other_wants() -> None:
    trials = Trials()
    ends: list[Close] = []
    for _ in range(4):
        driver = live(quote("AAPL"), trials=trials)
        driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
        ends += of(Close, driver.receive({"message": "Internal error"}))
    assert [each.then for each in ends] == [Then.RECONNECT] * 3 + [Then.FAIL]
    assert ends[-1].until_change
    assert ends[-1].remedy


def test_refused_symbols_alone_are_no_reason_to_send_anything() -> None:
    trials = Trials()
    driver = live(quote("BAD"), trials=trials)
    made = driver.receive(LEGACY)
    assert refused(made) == {quote("BAD")}
    assert [(each.then, each.delay_s > 0) for each in of(Close, made)] == [(Then.RETRY, True)]


def test_who_asks_for_a_refused_symbol_again_later_means_it() -> None:
    driver = live(quote("AAPL"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    driver.want(quote("AAPL"), quote("BAD"))
    driver.receive(LEGACY)
    later = again(driver, quote("AAPL"))
    later.receive({"code": "NASDAQ:AAPL", "bid": 1})
    later.wait(60)
    assert codes(later.want(quote("AAPL"), quote("BAD"))) == [["NASDAQ:AAPL", "NASDAQ:BAD"]]


@pytest.mark.fault("I9", "M27")
def test_what_comes_late_of_a_code_that_stopped_a_list_is_refused_without_another_error() -> None:
    driver = live(quote("AAPL"))
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    driver.want(quote("AAPL"), bar("BAD"))
    driver.receive(LEGACY)
    driver = again(driver, quote("AAPL"))
    made = driver.want(quote("AAPL"), quote("BAD"))
    assert not subscribes(made)
    assert refused(made) == {quote("BAD")}


def test_what_comes_late_of_a_suspected_code_waits_with_it() -> None:
    want = [quote("AAPL"), bar("BAD"), quote("CCCC")]
    driver = live(*want)
    assert not refused(driver.receive(LEGACY))
    driver = again(driver, *want, quote("BAD"))
    assert codes(driver.signals) == [["NASDAQ:AAPL"]]
    assert codes(driver.wait(6)) == [["NASDAQ:BAD", "NASDAQ:AAPL", "NASDAQ:BAD"]]
    assert refused(driver.receive(LEGACY)) == {bar("BAD"), quote("BAD")}


def test_too_many_symbols_for_the_plan_gives_up_what_never_delivered() -> None:
    trials = Trials()
    driver = live(quote("AAPL"), quote("MSFT"), trials=trials)
    driver.receive({"code": "NASDAQ:AAPL", "bid": 1})
    made = driver.receive({"message": "This list exceeds the number of symbols of your plan"})
    assert refused(made) == {quote("MSFT")}
    assert of(Close, made)[0].then is Then.RECONNECT


def test_too_many_symbols_at_once_gives_up_half_of_them() -> None:
    want = [quote(each) for each in ("AAPL", "MSFT", "NVDA", "TSLA", "AMD")]
    made = live(*want).receive({"message": "exceeds the number of symbols"})
    assert refused(made) == {quote("NVDA"), quote("TSLA")}


def test_a_list_is_never_longer_than_what_is_wanted_nor_empty() -> None:
    trials = Trials()
    for _ in range(3):
        driver = live(quote("BAD"), quote("WORSE"), trials=trials)
        driver.receive(LEGACY)
        driver.wait(20)
        assert all(1 <= len(sent) <= 2 for sent in lists(driver.signals))
