from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.providers.contract import NOW_NS
from tests.providers.quantcite.desk import BTC, ETH, GOLDEN, SOL, Desk, book, make, of, quote, sent
from tui.clock import NS
from tui.market.events import BookSnapshot, Notice, Quote
from tui.market.names import Kind, Subscription, Symbol
from tui.market.terms import Severity
from tui.providers.base import Close, Count, Latency, LoggedIn, LoginRefused, Pause, Send, Then
from tui.providers.quantcite.symbols import PairIndex


def update(symbol: str = "BTC/USDT", number: int | None = 1, **changes: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": "aggregated_orderbook_update",
        "symbol": symbol,
        "data": {
            "bids": [{"price": 97210.4, "amount": 0.8, "exchanges": ["okx"]}],
            "asks": [{"price": 97212.1, "amount": 0.4, "exchanges": ["binance"]}],
        },
        **changes,
    }
    return message if number is None else {**message, "update_number": number}


def confirm(symbol: str = "BTC/USDT", **changes: Any) -> dict[str, Any]:
    return {"type": "aggregated_subscription_response", "symbol": symbol, "success": True, **changes}


def gone(symbol: str = "BTC/USDT", *, success: bool = True) -> dict[str, Any]:
    return {"type": "unsubscribe_response", "symbol": symbol, "success": success, "message": ""}


def live(*symbols: Symbol, **options: Any) -> Desk:
    desk = Desk(make(**options)).login()
    desk.want(book(*symbols))
    for symbol in symbols:
        desk.hear(confirm(symbol))
    return desk


@pytest.mark.fault("Q1")
@pytest.mark.parametrize(
    ("frames", "detail"),
    [
        (["greeting.json", "welcome.json"], "developer plan"),
        (["welcome_seed.json"], "premium plan"),
        (["welcome_short.json"], "premium plan"),
        (["authentication_success.json"], "developer plan, 3.2 of 50 GB used (6.4 %)"),
        (["greeting.json", "authentication_success.json"], "developer plan, 3.2 of 50 GB used (6.4 %)"),
        (["welcome.json", "welcome.json"], "developer plan"),
    ],
)
def test_every_form_of_login_is_understood(frames: list[str], detail: str) -> None:
    desk = Desk().login(*frames)
    assert of(desk.said, LoggedIn) == [LoggedIn(detail)]


@pytest.mark.fault("Q1")
def test_a_greeting_is_no_login_and_brings_no_second_authenticate() -> None:
    desk = Desk().login("greeting.json")
    assert sent(desk.said) == [{"type": "authenticate", "api_key": "qc_live_7d1f0a"}]
    assert not of(desk.said, LoggedIn)
    assert not desk.hear({"type": "welcome", "session_id": "1", "available_commands": ["authenticate"]})
    assert not desk.hear({"type": "welcome", "authentication": {"status": "pending"}, "user_tier": "basic"})


@pytest.mark.fault("S6")
def test_the_login_is_recorded_without_the_key() -> None:
    (login,) = of(list(make().opened(NOW_NS)), Send)
    assert login.purpose == "login"
    assert login.recorded == '{"type":"authenticate","api_key":"***"}'
    assert "qc_live" not in repr(login)


def test_what_was_wanted_before_the_login_is_subscribed_after_it() -> None:
    desk = Desk()
    desk.keep(desk.codec.opened(NOW_NS))
    assert not desk.want(book(BTC))
    assert sent(desk.hear(GOLDEN["welcome.json"])) == [
        {"type": "subscribe_aggregated", "symbol": "BTC/USDT", "exchanges": ["binance", "kraken", "okx"]}
    ]


@pytest.mark.fault("Q2")
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "error", "error": "Authentication failed", "code": 4001}, "key rejected"),
        ({"type": "error", "error": "weird", "code": 4003, "message": "no more"}, "key rejected: no more"),
        ({"type": "authentication_error", "error": "account_suspended"}, "account suspended"),
        ({"type": "authentication_error", "error": "api_key_expired", "message": "expired"}, "key rejected: expired"),
    ],
)
def test_a_refused_login_says_why_and_what_to_do(message: dict[str, Any], reason: str) -> None:
    desk = Desk().login("greeting.json")
    (refused,) = of(desk.hear(message), LoginRefused)
    assert refused.reason == reason
    assert refused.remedy
    assert not refused.refresh


def test_a_rate_limit_before_the_login_waits_and_tries_again() -> None:
    desk = Desk().login("greeting.json")
    assert desk.hear(GOLDEN["rate_limit_exceeded_short.json"]) == [Close("rate limit", Then.RETRY, delay_s=60.0)]


def test_pairs_and_exchanges_are_asked_for_once_a_run() -> None:
    index = PairIndex()
    first = Desk(make(index=index)).login()
    assert sent(first.said, "get_pairs", "get_exchanges") == [{"type": "get_pairs"}, {"type": "get_exchanges"}]
    first.hear(GOLDEN["pairs_all_seed.json"])
    first.hear(GOLDEN["exchanges_seed.json"])
    assert not sent(Desk(make(index=index)).login().said, "get_pairs", "get_exchanges")


def test_one_subscribe_a_symbol_serves_book_and_quote() -> None:
    desk = Desk().login()
    out = desk.want(book(BTC, ETH) | quote(BTC))
    assert [frame["symbol"] for frame in sent(out)] == ["BTC/USDT", "ETH/USDT"]
    assert not desk.want(book(BTC) | quote(BTC, ETH)), "another kind of the same symbol needs nothing"
    desk.hear(confirm())
    kinds = [type(event) for event in desk.hear(update())]
    assert kinds == [BookSnapshot, Quote]


@pytest.mark.fault("Q3")
def test_all_exchanges_are_asked_for_by_name_all() -> None:
    desk = Desk(make(None)).login()
    assert sent(desk.want(book(BTC)))[0]["exchanges"] == "all"
    desk.hear(confirm(exchanges=["okx", "xt"], requested="all"))
    (snapshot,) = of(desk.hear(update()), BookSnapshot)
    assert (snapshot.venues, snapshot.missing_venues) == (("okx", "xt"), ())


@pytest.mark.fault("Q3", "M26")
def test_a_partial_grant_names_what_is_missing() -> None:
    desk = Desk().login()
    desk.want(book(ETH))
    (notice,) = of(desk.hear(GOLDEN["subscribed_in_part.json"]), Notice)
    assert notice.text == "ETH/USDT: 2 of 3 exchanges, without kraken"
    assert not notice.refused
    (snapshot,) = of(desk.hear(update("ETH/USDT")), BookSnapshot)
    assert (snapshot.venues, snapshot.missing_venues) == (("binance", "okx"), ("kraken",))


@pytest.mark.fault("Q3", "M26")
def test_a_refused_subscription_is_told_for_each_kind_and_not_asked_again() -> None:
    desk = Desk().login()
    desk.want(book(BTC) | quote(BTC))
    notices = of(desk.hear(confirm(success=False, message="maintenance")), Notice)
    assert {notice.subscription for notice in notices} == book(BTC) | quote(BTC)
    assert all(notice.refused and notice.text == "BTC/USDT: maintenance" for notice in notices)
    assert not sent(desk.wait(25), "subscribe_aggregated")
    assert not desk.want(book(BTC) | quote(BTC))
    desk.want(frozenset())
    assert sent(desk.want(book(BTC)), "subscribe_aggregated"), "wanted anew, asked anew"


@pytest.mark.fault("Q3", "M26")
def test_no_answer_is_asked_once_more_and_then_refused() -> None:
    desk = Desk().login()
    desk.want(book(BTC))
    assert not desk.wait(9)
    assert len(sent(desk.wait(1), "subscribe_aggregated")) == 1
    out = desk.wait(12)
    assert not sent(out, "subscribe_aggregated")
    assert [notice.refused for notice in of(out, Notice)] == [True]


@pytest.mark.fault("Q3")
def test_an_update_before_the_confirmation_is_proof_enough() -> None:
    desk = Desk().login()
    desk.want(book(BTC))
    assert of(desk.hear(update()), BookSnapshot)
    assert not sent(desk.wait(25), "subscribe_aggregated")


@pytest.mark.fault("Q12")
def test_a_symbol_that_comes_back_waits_for_the_answer_to_its_unsubscribe() -> None:
    desk = live(BTC)
    assert sent(desk.want(frozenset())) == [{"type": "unsubscribe_aggregated", "symbol": "BTC/USDT"}]
    assert not desk.want(book(BTC))
    assert desk.hear(update(number=9)) == [Count("late")]
    assert [frame["type"] for frame in sent(desk.hear(gone()))] == ["subscribe_aggregated"]


def test_an_unanswered_unsubscribe_holds_a_symbol_for_five_seconds_at_most() -> None:
    desk = live(BTC)
    desk.want(frozenset())
    desk.want(book(BTC))
    assert not sent(desk.wait(4))
    assert [frame["type"] for frame in sent(desk.wait(1))] == ["subscribe_aggregated"]


def test_an_unsubscribe_that_fails_is_tried_once_more_and_its_frames_dropped() -> None:
    desk = live(BTC)
    desk.want(frozenset())
    assert [frame["type"] for frame in sent(desk.hear(gone(success=False)))] == ["unsubscribe_aggregated"]
    assert desk.hear(update()) == [Count("late")]
    assert not desk.hear(gone(success=False))
    assert desk.hear(update()) == [Count("late")]


def test_a_server_that_goes_on_sending_what_was_given_up_is_told_again() -> None:
    desk = live(BTC)
    desk.want(frozenset())
    desk.hear(gone())
    desk.wait(14)
    assert desk.hear(update(number=2)) == [Count("late")]
    assert not sent(desk.wait(2))
    assert desk.hear(update(number=3)) == [Count("late")]
    assert sent(desk.wait(1)) == [{"type": "unsubscribe_aggregated", "symbol": "BTC/USDT"}]


def test_a_late_confirmation_of_what_nobody_wants_any_more_is_taken_back() -> None:
    desk = Desk().login()
    desk.want(book(BTC))
    desk.hear({"type": "error", "error": "rate_limit_exceeded", "retry_after": 0})
    desk.want(frozenset())
    assert [frame["type"] for frame in sent(desk.hear(confirm()))] == ["unsubscribe_aggregated"]
    assert not desk.hear(confirm("ETH/USDT")), "never asked for"


def test_updates_of_a_subscription_that_was_given_up_prove_nothing() -> None:
    desk = Desk().login()
    desk.want(book(BTC))
    desk.hear(confirm(subscription_id="sub_1"))
    desk.want(frozenset())
    desk.hear(gone())
    desk.want(book(BTC))
    assert desk.hear(update(subscription_id="sub_1")) == [Count("late")]
    assert of(desk.hear(update(subscription_id="sub_2")), BookSnapshot)


def test_more_symbols_than_the_settings_allow_are_refused_until_there_is_room() -> None:
    desk = live(BTC, ETH, most=2)
    (notice,) = of(desk.want(book(BTC, ETH, SOL)), Notice)
    assert notice.subscription == Subscription(Kind.BOOK, SOL)
    assert notice.refused
    assert notice.ours, "QuantCite has it"
    assert [(frame["type"], frame["symbol"]) for frame in sent(desk.want(book(ETH, SOL)))] == [
        ("unsubscribe_aggregated", "BTC/USDT"),
        ("subscribe_aggregated", "SOL/USDT"),
    ]


def test_what_it_cannot_carry_is_refused_and_the_rest_goes_on() -> None:
    desk = Desk().login()
    out = desk.want(book(BTC, Symbol("AAPL")) | frozenset({Subscription(Kind.NEWS)}))
    assert [frame["symbol"] for frame in sent(out)] == ["BTC/USDT"]
    assert all(notice.refused for notice in of(out, Notice))
    assert len(of(out, Notice)) == 2


def test_two_spellings_of_one_code_share_a_subscription() -> None:
    codec = make()
    codec._symbols.overrides[Symbol("XBT/USDT")] = "BTC/USDT"
    desk = Desk(codec).login()
    assert len(sent(desk.want(book(BTC, Symbol("XBT/USDT"))))) == 1
    assert {event.symbol for event in of(desk.hear(update()), BookSnapshot)} == {"BTC/USDT", "XBT/USDT"}


@pytest.mark.fault("Q6", "M35")
def test_a_confirmed_symbol_without_a_book_is_asked_for_one_once() -> None:
    desk = live(BTC)
    assert sent(desk.wait(3)) == [{"type": "get_aggregated_orderbook", "symbol": "BTC/USDT"}]
    assert not desk.hear({"type": "error", "error": "no_subscription", "symbol": "BTC/USDT"})
    assert not sent(desk.wait(20))
    assert of(desk.hear(GOLDEN["snapshot.json"]), BookSnapshot)


def test_a_book_of_the_reference_becomes_a_snapshot_and_a_quote() -> None:
    desk = Desk().login()
    desk.want(book(BTC) | quote(BTC))
    desk.now_ns = NOW_NS + 5_000_000
    snapshot, patch = desk.hear(GOLDEN["update.json"])
    assert snapshot == BookSnapshot(
        source="quantcite",
        ts_event_ns=1_767_623_871_204_871_000,
        ts_recv_ns=desk.now_ns,
        symbol=BTC,
        bids=(
            (Decimal("97210.4"), Decimal("0.8125"), ("binance", "okx")),
            (Decimal("97209.9"), Decimal("0.25"), ("kraken",)),
            (Decimal("97208.0"), Decimal("1.4"), ("binance", "bybit", "okx")),
        ),
        asks=(
            (Decimal("97212.1"), Decimal("0.44"), ("okx",)),
            (Decimal("97213.0"), Decimal("0.9"), ("binance", "bybit")),
        ),
        venues=("binance", "bybit", "kraken", "okx"),
        sequence=1284,
    )
    assert patch == Quote(
        source="quantcite",
        ts_event_ns=1_767_623_871_204_871_000,
        ts_recv_ns=desk.now_ns,
        symbol=BTC,
        bid=Decimal("97210.4"),
        ask=Decimal("97212.1"),
        bid_size=Decimal("0.8125"),
        ask_size=Decimal("0.44"),
        derived=True,
    )
    assert isinstance(patch, Quote)
    assert "last" not in patch.model_fields_set


def test_an_empty_side_clears_its_price() -> None:
    desk = Desk().login()
    desk.want(quote(BTC))
    message = update()
    message["data"]["asks"] = []
    (patch,) = of(desk.hear(message), Quote)
    assert patch.ask is None
    assert {"ask", "ask_size"} <= patch.model_fields_set


@pytest.mark.fault("Q4", "M32")
def test_lost_updates_are_counted_and_nothing_is_asked_for() -> None:
    desk = live(BTC)
    desk.hear(update(number=5))
    out = desk.hear(update(number=9))
    assert of(out, Count) == [Count("gap", 3)]
    assert of(out, BookSnapshot)
    assert not sent(out)


@pytest.mark.fault("Q4", "M33")
def test_a_repeated_or_lower_number_counts_only_with_a_newer_time() -> None:
    desk = live(BTC)
    times = ["2026-01-05T14:37:51.1", "2026-01-05T14:37:50.0", "2026-01-05T14:37:52.0", "2026-01-05T14:37:53.0"]
    numbers = [7, 6, 1, 2]
    accepted = [
        bool(of(desk.hear(update(number=number, timestamp=time)), BookSnapshot))
        for number, time in zip(numbers, times, strict=True)
    ]
    assert accepted == [True, False, True, True]
    assert desk.hear(update(number=2)) == [Count("late")]


@pytest.mark.fault("Q4", "M60")
def test_a_number_and_a_time_from_the_future_shut_out_two_updates_and_no_more() -> None:
    desk = live(BTC)
    desk.hear(update(number=7))
    desk.hear(update(number=9_000_000_000, timestamp="2031-01-05T14:37:51"))
    out = [desk.hear(update(number=number)) for number in (8, 9, 10, 11)]
    assert out[:2] == [[Count("late")], [Count("late")]]
    assert [[snapshot.sequence for snapshot in of(signals, BookSnapshot)] for signals in out[2:]] == [[10], [11]]


@pytest.mark.fault("Q4")
def test_late_updates_stay_late_unless_three_follow_each_other_in_order() -> None:
    desk = live(BTC)
    desk.hear(update(number=20))
    for number in (9, 8, 7, 8, 8, 3):
        assert desk.hear(update(number=number)) == [Count("late")]
    desk.hear(update(number=21))
    for number in (4, 5):
        assert desk.hear(update(number=number)) == [Count("late")]
    desk.hear(update(number=22))
    assert desk.hear(update(number=6)) == [Count("late")], "those before came in another gap"


@pytest.mark.fault("Q4", "M33")
def test_a_new_subscription_id_starts_the_count_anew() -> None:
    desk = live(BTC)
    desk.hear(update(number=700, subscription_id="a"))
    out = desk.hear(update(number=1, subscription_id="b"))
    assert [type(signal) for signal in out] == [BookSnapshot]


@pytest.mark.fault("Q6")
def test_a_snapshot_counts_only_when_it_is_newer_than_the_last_book() -> None:
    desk = live(BTC)
    desk.hear(GOLDEN["update.json"])
    assert desk.hear(GOLDEN["snapshot.json"]) == [Count("late")]
    newer = json.loads(GOLDEN["snapshot.json"]) | {"timestamp": "2026-01-05T14:37:55"}
    assert of(desk.hear(newer), BookSnapshot)


@pytest.mark.fault("M60")
def test_a_clock_that_is_off_by_whole_hours_is_told_once_and_not_believed() -> None:
    desk = live(BTC)
    desk.now_ns = NOW_NS + 2 * 3600 * NS
    out = desk.hear(update(number=1, timestamp="2026-01-05T14:37:51.3"))
    assert [snapshot.ts_event_ns for snapshot in of(out, BookSnapshot)] == [None]
    assert len(of(out, Notice)) == 1
    assert not of(desk.hear(update(number=2, timestamp="2026-01-05T14:37:51.4")), Notice)


@pytest.mark.fault("M32", "M35")
def test_a_delta_is_refused_and_said_so_once() -> None:
    desk = live(BTC)
    out = desk.hear(update(is_snapshot=False))
    assert of(out, Count) == [Count("rejected")]
    assert len(of(out, Notice)) == 1
    assert desk.hear(update(is_snapshot=False)) == [Count("rejected")]


@pytest.mark.fault("M38")
def test_an_impossible_level_is_left_out_and_its_neighbours_stay() -> None:
    desk = live(BTC)
    message = update()
    good = message["data"]["bids"][0]
    message["data"]["bids"] = [good, {**good, "price": -1}, {**good, "price": "n/a"}, None, {**good, "price": 5}]
    out = desk.hear(message)
    assert of(out, Count) == [Count("rejected", 3)]
    (snapshot,) = of(out, BookSnapshot)
    assert [level[0] for level in snapshot.bids] == [Decimal("97210.4"), 5]


def test_a_side_that_lost_all_its_levels_does_not_empty_the_book() -> None:
    desk = live(BTC)
    message = update()
    message["data"]["bids"] = [{"price": None, "amount": 1, "exchanges": []}]
    assert of(desk.hear(message), Count) == [Count("rejected", 1), Count("rejected")]
    assert not of(desk.said, BookSnapshot)


@pytest.mark.fault("Q7", "M27")
@pytest.mark.parametrize(
    "message",
    [
        {
            "type": "error",
            "error": "invalid_symbol",
            "message": "no",
            "symbol": "BTC/USDT",
            "suggested_symbols": ["A/B"],
        },
        {"type": "subscription_error", "error": "invalid_symbol", "symbol": "BTC/USDT", "suggested_symbols": ["A/B"]},
        {"type": "invalid_symbol", "symbol": "BTC/USDT", "suggested_symbols": ["A/B"]},
        {"type": "error", "error": "Invalid Symbol", "suggested_symbols": ["A/B"]},
    ],
)
def test_an_invalid_symbol_is_refused_with_its_suggestions_through_any_carrier(message: dict[str, Any]) -> None:
    desk = Desk().login()
    desk.want(book(BTC, ETH))
    (notice,) = of(desk.hear(message), Notice)
    assert notice.refused
    assert notice.subscription == Subscription(Kind.BOOK, BTC)
    assert notice.suggestions == ("A/B",)
    assert not sent(desk.wait(9), "subscribe_aggregated")


def test_another_subscription_error_refuses_its_symbol_and_other_errors_are_shown() -> None:
    desk = Desk().login()
    desk.want(book(BTC))
    (refused,) = of(desk.hear({"type": "subscription_error", "error": "busy", "symbol": "BTC/USDT"}), Notice)
    assert refused.refused
    (shown,) = of(desk.hear({"type": "error", "error": "new_kind", "message": "something else"}), Notice)
    assert shown.text == "something else"
    assert not shown.refused


@pytest.mark.fault("Q7")
def test_a_subscribe_that_met_an_unavailable_exchange_goes_out_again_without_it() -> None:
    desk = Desk().login()
    desk.want(book(BTC))
    out = desk.hear({"type": "error", "error": "exchange_unavailable", "message": "no kraken", "exchange": "kraken"})
    assert [notice.refused for notice in of(out, Notice)] == [False]
    (again,) = sent(desk.wait(10), "subscribe_aggregated")
    assert again["exchanges"] == ["binance", "okx"]
    assert sent(desk.want(book(BTC, ETH)))[0]["exchanges"] == ["binance", "okx"]


def test_without_any_available_exchange_the_symbol_is_refused() -> None:
    desk = Desk(make(("kraken",))).login()
    desk.want(book(BTC))
    desk.hear({"type": "subscription_error", "error": "exchange_unavailable", "exchange": "kraken"})
    assert [notice.refused for notice in of(desk.wait(10), Notice)] == [True]


def test_an_exchange_that_nobody_knows_is_told_with_what_it_could_be() -> None:
    index = PairIndex()
    desk = Desk(make(("okx", "bitstmap", "kraken"), index=index)).login()
    data = json.loads(GOLDEN["exchanges_seed.json"])
    data["data"]["exchange_status"]["kraken"] = "maintenance"
    unknown, status = of(desk.hear(data), Notice)
    assert unknown.suggestions[0] == "bitstamp"
    assert status.text == "kraken: maintenance"
    assert sent(desk.want(book(BTC)))[0]["exchanges"] == ["okx", "kraken"]


@pytest.mark.fault("Q8")
def test_a_rate_limit_silences_for_as_long_as_asked_and_then_restores_the_wants() -> None:
    desk = Desk().login()
    desk.want(book(BTC, ETH))
    desk.hear(confirm("BTC/USDT"))
    out = desk.hear({"type": "error", "error": "rate_limit_exceeded", "retry_after": 2, "current_limit": 600})
    assert of(out, Pause)[0].seconds == 2
    assert not sent(desk.want(book(ETH, SOL)))
    assert not sent(desk.wait(1))
    assert [(frame["type"], frame["symbol"]) for frame in sent(desk.wait(1))] == [
        ("unsubscribe_aggregated", "BTC/USDT"),
        ("subscribe_aggregated", "ETH/USDT"),
        ("subscribe_aggregated", "SOL/USDT"),
    ]


def test_a_symbol_whose_requests_were_all_dropped_is_asked_for_after_the_pause() -> None:
    desk = Desk().login()
    desk.want(book(BTC))
    desk.want(frozenset())
    desk.want(book(BTC))
    for _ in range(2):
        desk.hear({"type": "error", "error": "rate_limit_exceeded", "retry_after": 2})
    assert [frame["type"] for frame in sent(desk.wait(2))] == ["subscribe_aggregated"]


def test_a_rate_limit_without_a_time_waits_a_minute() -> None:
    desk = live(BTC)
    assert of(desk.hear({"type": "rate_limit_exceeded"}), Pause)[0].seconds == 60


def test_after_a_rate_limit_only_80_percent_of_it_are_used() -> None:
    desk = Desk().login()
    desk.hear({"type": "error", "error": "rate_limit_exceeded", "retry_after": 1, "current_limit": 5})
    desk.want(book(BTC, ETH, SOL, Symbol("ADA/USDT"), Symbol("DOT/USDT")))
    assert len(sent(desk.wait(5), "subscribe_aggregated")) == 4
    for symbol in ("ADA/USDT", "BTC/USDT", "DOT/USDT", "ETH/USDT"):
        desk.hear(confirm(symbol))
        desk.hear(update(symbol))
    assert [frame["symbol"] for frame in sent(desk.wait(61), "subscribe_aggregated")] == ["SOL/USDT"]


@pytest.mark.fault("Q8")
def test_a_rate_warning_pauses_until_the_window_ends() -> None:
    desk = live(BTC)
    (pause,) = of(desk.hear(GOLDEN["rate_limit_warning.json"]), Pause)
    assert pause.seconds == pytest.approx(8.796)
    assert not sent(desk.want(book(BTC, ETH)))
    assert [frame["symbol"] for frame in sent(desk.wait(9), "subscribe_aggregated")] == ["ETH/USDT"]
    assert not desk.hear(GOLDEN["rate_limit_warning_seed.json"]), "its time has passed long ago"


@pytest.mark.fault("Q9")
def test_a_data_warning_is_judged_by_its_numbers() -> None:
    desk = live(BTC)
    near = {"type": "data_limit_warning", "data_usage": {"used_gb": 45, "limit_gb": 50.0}}
    (warning,) = of(desk.hear(near), Notice)
    assert warning.severity is Severity.WARNING
    assert "45 of 50 GB used (90.0 %)" in warning.text
    (error,) = of(desk.hear(GOLDEN["data_limit_warning_seed.json"]), Notice)
    assert error.severity is Severity.ERROR
    assert "104.6 %" in error.text


def test_a_data_warning_beyond_the_limit_of_the_settings_stops_the_feed() -> None:
    desk = live(BTC, cap=100)
    near = {"type": "data_limit_warning", "data_usage": {"usage_percentage": 99.9}}
    assert not of(desk.hear(near), Close)
    (close,) = of(desk.hear(GOLDEN["data_limit_warning.json"]), Close)
    assert close.then is Then.FAIL
    assert "data_cap_percent" in close.remedy


@pytest.mark.fault("Q9")
@pytest.mark.parametrize("name", ["data_limit_exceeded.json", "data_limit_exceeded_seed.json"])
def test_used_up_data_fails_the_feed_without_a_loop(name: str) -> None:
    (close,) = live(BTC).hear(GOLDEN[name])
    assert isinstance(close, Close)
    assert close.then is Then.FAIL
    assert "50 GB" in close.reason
    assert close.remedy


@pytest.mark.fault("Q7")
def test_a_server_that_forgot_the_login_gets_a_new_connection() -> None:
    assert not Desk().login("greeting.json").hear({"type": "error", "error": "authentication_required"})
    (close,) = live(BTC).hear({"type": "error", "error": "authentication_required"})
    assert isinstance(close, Close)
    assert close.then is Then.RETRY


def test_pings_go_out_every_30_seconds_and_pongs_tell_the_round_trip() -> None:
    desk = live(BTC)
    desk.hear(update())
    assert not sent(desk.wait(29), "ping")
    assert sent(desk.wait(1), "ping") == [{"type": "ping"}]
    desk.now_ns += 40_000_000
    assert desk.hear(GOLDEN["pong.json"]) == [Latency(0.04)]
    assert not desk.hear(GOLDEN["pong.json"])
    assert not sent(desk.wait(29), "ping")
    assert len(sent(desk.wait(61), "ping")) == 3


def test_no_ping_goes_out_before_the_login() -> None:
    assert not Desk().login("greeting.json").wait(60)


@pytest.mark.fault("M48")
def test_an_unknown_type_shows_its_keys_once() -> None:
    desk = live(BTC)
    first, second = desk.hear({"type": "promo", "url": "x"}), desk.hear({"type": "promo", "url": "x"})
    assert (first, second) == ([Count("unknown", sample="promo: url")], [Count("unknown")])


@pytest.mark.fault("M53", "S20")
def test_a_key_that_the_server_repeats_is_masked() -> None:
    desk = live(BTC)
    (notice,) = of(desk.hear({"type": "error", "error": "odd", "message": "key qc_live_7d1f0a is odd"}), Notice)
    assert notice.text == "key *** is odd"


@pytest.mark.fault("M62")
@pytest.mark.parametrize(
    "error",
    [{"type": "error", "error": "Too many connections"}, {"type": "error", "error": "max_connections_exceeded"}],
)
def test_a_key_whose_connections_are_all_taken_is_tried_again_late(error: dict[str, Any]) -> None:
    desk = Desk()
    desk.keep(desk.codec.opened(desk.now_ns))
    (end,) = of(desk.hear(error), Close)
    assert (end.reason, end.then, end.delay_s) == ("this key is in use elsewhere", Then.RETRY, 900)
    assert end.remedy
