"""Login, renewal, pings, framing and errors, the same on all three sockets."""

from __future__ import annotations

import json

import pytest

from tests.providers.aries.sessions import NOW_NS, TOKEN, credential, error, golden, live, of, sent, update, want
from tests.providers.contract import drained
from tui.clock import NS
from tui.market.events import MarketStatus, Notice, Quote
from tui.market.terms import Severity
from tui.providers.aries.accounts import AccountsCodec
from tui.providers.aries.charts import ChartsCodec
from tui.providers.aries.codec import SessionCodec
from tui.providers.aries.market import MarketCodec
from tui.providers.base import (
    Close,
    Count,
    Latency,
    LoggedIn,
    LoginRefused,
    Renew,
    Resubscribing,
    Send,
    SymbolTable,
    Then,
)

SUCCESS = golden("session/auth_success.json")
REFUSED = golden("session/auth_failed.json")
REQUIRED = golden("session/auth_required.json")
SEED_AUTH = {
    "type": "request",
    "id": "auth-1",
    "payload": {"method": "POST", "path": "/auth", "body": {"token": TOKEN}},
}


def market() -> MarketCodec:
    return MarketCodec(credential(), SymbolTable())


def opened(codec: SessionCodec) -> SessionCodec:
    drained(codec.opened(NOW_NS))
    return codec


def success(expires_in: object, request_id: str = "auth-1") -> str:
    payload = {"action": "authSuccess", "id": request_id, "data": {"expiresIn": expires_in}}
    return json.dumps({"type": "event", "payload": payload})


def first_auth_after(codec: SessionCodec, step_s: int, most_s: int) -> float | None:
    """Seconds after NOW_NS at which the codec asks for a login again, or for a fresh credential."""
    for second in range(0, most_s, step_s):
        for signal in drained(codec.ticked(NOW_NS + second * NS)):
            if isinstance(signal, Renew) or (isinstance(signal, Send) and signal.purpose == "login"):
                return second
    return None


@pytest.mark.fault("S6")
@pytest.mark.parametrize("kind", [MarketCodec, ChartsCodec, AccountsCodec])
def test_the_first_frame_is_the_login_of_the_seed_and_its_record_hides_the_token(
    kind: type[MarketCodec] | type[ChartsCodec] | type[AccountsCodec],
) -> None:
    [signal] = drained(kind(credential(), SymbolTable()).opened(NOW_NS))
    assert isinstance(signal, Send)
    assert json.loads(signal.frame) == SEED_AUTH
    assert signal.recorded is not None
    assert TOKEN not in signal.recorded
    assert json.loads(signal.recorded)["payload"]["path"] == "/auth"


def test_nothing_but_the_login_is_sent_before_it_is_accepted() -> None:
    codec = opened(market())
    assert not drained(codec.wanted(want("quote AAPL"), NOW_NS))
    for second in range(10):
        assert not of(drained(codec.ticked(NOW_NS + second * NS)), Send)
    signals = drained(codec.received(SUCCESS, NOW_NS))
    assert of(signals, LoggedIn)
    assert [json.loads(send.frame)["type"] for send in of(signals, Send)] == ["subscribe"]


@pytest.mark.fault("A2")
@pytest.mark.parametrize(
    "answer",
    [
        SUCCESS,
        golden("session/auth_success_response.json"),
        golden("session/auth_success_older.json"),
        '{"type":"response","payload":{"action":"AUTHSUCCESS"}}',
        "\n" + SUCCESS + "\r\n",
    ],
)
def test_a_login_counts_in_any_envelope_and_with_the_id_in_either_place(answer: str) -> None:
    signals = drained(opened(market()).received(answer, NOW_NS))
    assert [type(signal) for signal in signals] == [LoggedIn]


@pytest.mark.fault("A3")
def test_the_one_other_spelling_is_tried_once_when_the_form_is_refused() -> None:
    codec = opened(market())
    [fallback] = sent(codec.received(error("auth-1", "unknown method"), NOW_NS))
    assert fallback["payload"] == {"method": "post", "path": "/auth", "body": {"action": "auth", "token": TOKEN}}
    [refusal] = drained(codec.received(error(fallback["id"], "unknown method"), NOW_NS))
    assert isinstance(refusal, LoginRefused)


@pytest.mark.fault("A3", "M54")
def test_a_refused_token_is_worth_a_fresh_one_and_is_no_reason_to_try_the_other_spelling() -> None:
    for text in ("authentication failed", "token is required"):
        [signal] = drained(opened(market()).received(error("auth-1", text), NOW_NS))
        assert signal == LoginRefused(text, "Sign in again: tickdeck credentials set aries", refresh=True)


@pytest.mark.fault("A4")
def test_a_greeting_that_asks_for_a_login_changes_nothing() -> None:
    codec = opened(market())
    assert not drained(codec.received(REQUIRED, NOW_NS))
    assert of(drained(codec.received(SUCCESS, NOW_NS)), LoggedIn)


@pytest.mark.fault("A4")
def test_a_server_that_greets_and_then_says_nothing_may_be_ill_so_the_user_is_not_called() -> None:
    codec = opened(market())
    drained(codec.received(REQUIRED, NOW_NS))
    assert not drained(codec.ticked(NOW_NS + 4 * NS))
    [signal] = drained(codec.ticked(NOW_NS + 6 * NS))
    assert isinstance(signal, Close)
    assert (signal.then, signal.refresh) == (Then.RETRY, True), "the token may be bad all the same: try a fresh one"


@pytest.mark.fault("A4")
def test_a_server_that_asks_twice_has_refused_the_token() -> None:
    codec = opened(market())
    drained(codec.received(REQUIRED, NOW_NS))
    [signal] = drained(codec.received(REQUIRED, NOW_NS))
    assert isinstance(signal, LoginRefused)
    assert signal.refresh


@pytest.mark.fault("A5")
def test_a_login_that_is_not_answered_ends_in_a_retry() -> None:
    codec = opened(market())
    assert not drained(codec.ticked(NOW_NS + 10 * NS))
    [signal] = drained(codec.ticked(NOW_NS + 11 * NS))
    assert signal == Close("no answer to the login", Then.RETRY)


@pytest.mark.parametrize(
    ("expires_in", "due_s"),
    [(2_700_000, 2400), ("2700000", 2400), (2700, 2400), (60_000, 59_700), (301_000, 30), (10, 30)],
)
def test_the_login_is_renewed_before_it_ends(expires_in: object, due_s: int) -> None:
    codec = opened(market())
    drained(codec.received(success(expires_in), NOW_NS))
    assert first_auth_after(codec, 10, 70_000) == due_s


@pytest.mark.parametrize("broken", [None, "soon", -5, [], 0, True])
def test_without_a_usable_life_the_documented_one_is_assumed(broken: object) -> None:
    for codec, due_s in ((market(), 2400), (AccountsCodec(credential(), SymbolTable()), 3600)):
        drained(codec.opened(NOW_NS))
        drained(codec.received(success(broken), NOW_NS))
        assert first_auth_after(codec, 30, 5000) == due_s


def test_sockets_renew_at_different_moments() -> None:
    codec = opened(MarketCodec(credential(), SymbolTable(), jitter_s=-10.0))
    drained(codec.received(SUCCESS, NOW_NS))
    assert first_auth_after(codec, 1, 3000) == 2390


def test_a_renewed_login_keeps_the_subscriptions_and_is_not_told_again() -> None:
    codec = live(market(), want("quote AAPL"))
    [login] = [each for each in sent(codec.ticked(NOW_NS + 2400 * NS)) if each["type"] == "request"]
    assert login["id"] != "auth-1"
    assert not drained(codec.received(success(2_700_000, login["id"]), NOW_NS + 2400 * NS))
    assert not drained(codec.wanted(want("quote AAPL"), NOW_NS + 2400 * NS))


def test_a_token_about_to_end_is_replaced_before_the_login_is_renewed() -> None:
    codec = live(MarketCodec(credential(ends_in_s=2700), SymbolTable()))
    assert of(drained(codec.ticked(NOW_NS + 2400 * NS)), Renew)
    assert not of(drained(codec.ticked(NOW_NS + 2401 * NS)), Renew)
    assert of(drained(codec.ticked(NOW_NS + 2520 * NS)), Renew), "it asks again while none comes"
    [login] = sent(codec.renewed(credential(ends_in_s=6000, token="fresh"), NOW_NS + 2521 * NS))
    assert login["payload"]["body"] == {"token": "fresh"}


def test_a_token_that_ends_before_the_login_does_is_replaced_in_time() -> None:
    codec = live(MarketCodec(credential(ends_in_s=900), SymbolTable()))
    assert first_auth_after(codec, 10, 2000) == 600


@pytest.mark.fault("A6")
@pytest.mark.parametrize(("left_s", "expected"), [(None, Send), (3600, Send), (300, Renew)])
def test_refresh_auth_renews_with_this_token_or_asks_for_another(
    left_s: float | None, expected: type[Send] | type[Renew]
) -> None:
    codec = live(MarketCodec(credential(ends_in_s=left_s), SymbolTable()))
    [signal] = drained(codec.received(golden("session/refresh_auth.json"), NOW_NS))
    assert type(signal) is expected
    repeat = drained(codec.received(golden("session/refresh_auth.json"), NOW_NS))
    assert not of(repeat, Send), "one login at a time"


@pytest.mark.fault("A6")
def test_an_expired_login_reconnects_without_counting_as_trouble() -> None:
    [signal] = drained(live(market()).received(golden("session/auth_expired.json"), NOW_NS))
    assert signal == Close("login expired", Then.RECONNECT)


def test_a_renewal_that_is_refused_reconnects() -> None:
    codec = live(market())
    [login] = sent(codec.renewed(credential(token="fresh"), NOW_NS))
    [signal] = drained(codec.received(error(login["id"], "authentication failed"), NOW_NS))
    assert isinstance(signal, Close)
    assert signal.then is Then.RECONNECT


def test_a_renewal_that_is_not_answered_ends_in_a_retry() -> None:
    codec = live(market())
    drained(codec.renewed(credential(token="fresh"), NOW_NS))
    assert of(drained(codec.ticked(NOW_NS + 11 * NS)), Close) == [Close("no answer to the login", Then.RETRY)]


def test_a_login_that_the_server_lost_is_repeated_and_everything_subscribed_again() -> None:
    codec = live(market(), want("quote AAPL"))
    later = NOW_NS + 60 * NS
    [login] = sent(codec.received(REQUIRED, later))
    assert login["payload"]["path"] == "/auth"
    assert not drained(codec.wanted(want("quote AAPL", "quote MSFT"), later)), "nothing before authSuccess"
    [subscribe] = sent(codec.received(success(2_700_000, login["id"]), later))
    assert [entry["symbol"] for entry in subscribe["payload"]] == ["AAPL", "MSFT"]


def test_a_server_that_asks_for_a_login_right_after_accepting_one_is_left() -> None:
    codec = live(market())
    [signal] = drained(codec.received(REQUIRED, NOW_NS + NS))
    assert isinstance(signal, Close)
    assert signal.then is Then.RETRY


def test_pings_go_out_every_thirty_seconds_and_only_after_the_login() -> None:
    codec = live(market())
    pings = [
        second for second in range(100) for frame in sent(codec.ticked(NOW_NS + second * NS)) if frame["type"] == "ping"
    ]
    assert pings == [2, 32, 62, 92]


@pytest.mark.fault("M47")
@pytest.mark.parametrize("older", [False, True])
def test_a_pong_measures_the_round_trip(older: bool) -> None:
    codec = live(market())
    [ping] = sent(codec.ticked(NOW_NS + 2 * NS))
    assert set(ping) == {"type", "id"}
    pong = golden("session/pong_older.json") if older else golden("session/pong.json").replace("ping-17", ping["id"])
    assert drained(codec.received(pong, NOW_NS + 2 * NS + 40_000_000)) == [Latency(0.04)]
    assert not drained(codec.received(pong, NOW_NS + 3 * NS)), "a pong counts once"


@pytest.mark.fault("A1", "M40")
def test_a_broken_line_costs_nothing_but_itself() -> None:
    codec = live(market(), want("quote AAPL"))
    frame = "\n\n".join(
        [golden("market/quote.json"), '{"type": "event", "pay', "\r", golden("market/market_status.json"), "oops", ""]
    )
    signals = drained(codec.received(frame, NOW_NS))
    assert [type(signal) for signal in signals] == [Quote, MarketStatus, Count, Resubscribing, Send], (
        "and everything is asked for anew"
    )
    assert signals[-3] == Count("undecodable", 2, '{"type": "event", "pay')


def test_bytes_are_read_as_text_whatever_they_hold() -> None:
    codec = live(market(), want("quote AAPL"))
    frame = golden("market/quote.json").encode() + b"\n\xff\xfe\n" + golden("market/market_status.json").encode()
    assert [type(signal) for signal in drained(codec.received(frame, NOW_NS))] == [
        Quote,
        MarketStatus,
        Count,
        Resubscribing,
        Send,
    ]


def test_an_error_without_an_id_is_told_and_the_connection_stays() -> None:
    payload = {"action": "error", "error": {"code": "bad_request", "message": "slow\x1b[31m down"}}
    [signal] = drained(live(market()).received(json.dumps({"type": "event", "payload": payload}), NOW_NS))
    assert isinstance(signal, Notice)
    assert (signal.text, signal.severity, signal.refused) == ("slow down", Severity.WARNING, False)


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"response","id":"sub-2","payload":{"error":"invalid symbol"}}',
        '{"type":"response","id":"sub-2","error":"invalid symbol"}',
        '{"type":"error","id":"sub-2","message":"invalid symbol"}',
        '{"type":"event","payload":{"action":"subscribe","id":"sub-2","error":{"code":"invalid symbol"}}}',
        '{"type":"event","payload":{"action":"ERROR","id":"sub-2","code":"invalid symbol"}}',
    ],
)
def test_an_error_is_one_in_whatever_form_it_comes(frame: str) -> None:
    [signal] = drained(live(market(), want("quote AAPL")).received(frame, NOW_NS))
    assert isinstance(signal, Notice)
    assert (signal.text, signal.refused) == ("invalid symbol", True)


def test_the_older_protocol_can_refuse_too() -> None:
    [signal] = drained(opened(market()).received('{"action":"auth","message":"invalid token"}', NOW_NS))
    assert isinstance(signal, LoginRefused)


@pytest.mark.fault("M53")
def test_an_error_that_repeats_the_token_is_told_without_it() -> None:
    [signal] = drained(live(market()).received(error("sub-99", f"bad value {TOKEN}"), NOW_NS))
    assert isinstance(signal, Notice)
    assert signal.text == "bad value [hidden]"


def test_an_undecodable_line_with_the_token_is_counted_without_it() -> None:
    [signal] = drained(live(market()).received(f'{{"echo": "{TOKEN}"', NOW_NS))
    assert signal == Count("undecodable", 1, '{"echo": "[hidden]"')


def test_an_acknowledgement_is_not_needed_and_does_no_harm() -> None:
    codec = live(market(), want("quote AAPL"))
    frame = '{"type":"response","id":"sub-2","payload":{"action":"subscribed","status":"ok"}}'
    assert not drained(codec.received(frame, NOW_NS))


def test_an_address_out_of_date_is_told_when_the_socket_opens() -> None:
    codec = MarketCodec(credential(), SymbolTable(), warnings=("market_url is an old address of Aries",))
    notice, login = drained(codec.opened(NOW_NS))
    assert isinstance(notice, Notice)
    assert isinstance(login, Send)


@pytest.mark.fault("A10")
def test_messages_of_other_sockets_are_counted_as_unknown() -> None:
    assert of(drained(live(market()).received(update("account.order", {"clOrdId": "a"}), NOW_NS)), Count)
    charts = live(ChartsCodec(credential(), SymbolTable()))
    assert of(drained(charts.received(golden("market/market_status.json"), NOW_NS)), Count)
    accounts = live(AccountsCodec(credential(), SymbolTable()))
    assert of(drained(accounts.received(golden("market/quote.json"), NOW_NS)), Count)
