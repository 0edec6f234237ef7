"""REST: search, history, accounts, news, watchlists."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.aries.sessions import NOW_NS, sent, subscription, want
from tests.providers.aries.web import Bench, Call, nothing, refused
from tests.providers.contract import drained
from tui.clock import NS
from tui.errors import CredentialError, RestError
from tui.market.names import Interval, Symbol
from tui.providers.aries.rest import bars, matches
from tui.providers.base import LoggedIn, SymbolMatch

TOKEN = {"access_token": "access"}
FOUND = [
    {"symbol": "AAPL", "description": "Apple Inc.", "tag": "XNAS", "type": "stock"},
    {"symbol": "AAPL240119C00190000", "description": "AAPL Jan 19 2024 190 Call", "tag": "OPRA", "type": "option"},
]
HISTORY: dict[str, Any] = {
    "s": "ok", "t": [1795185000, 1795185060, 1795185120], "o": [186.30, 186.41, 186.39], "h": [186.47, 186.52, 186.60],
    "l": [186.21, 186.33, 186.35], "c": [186.41, 186.39, 186.58], "v": [41230, 28811, 30154], "nextTime": 1795185180,
}  # fmt: skip
AAPL = Symbol("AAPL")


def bench(answer: Any, **settings: Any) -> Bench:
    return Bench(answer if callable(answer) else lambda call: answer, TOKEN, settings)


async def test_search_asks_as_the_reference_says() -> None:
    found = bench(FOUND)
    assert await found.provider.search("aap", 5) == [
        SymbolMatch(AAPL, "AAPL", "Apple Inc.", "stock", "aries"),
        SymbolMatch(
            Symbol("AAPL 2024-01-19 190C"), "AAPL240119C00190000", "AAPL Jan 19 2024 190 Call", "option", "aries"
        ),
    ]
    [call] = found.web.calls
    assert (call.url, call.query) == ("https://api.aries.com/v1/marketdata/search", {"query": "aap", "limit": "5"})
    assert call.headers == {"Authorization": "Bearer access"}


async def test_the_limit_of_a_search_is_kept_within_bounds() -> None:
    found = bench(FOUND)
    for limit in (0, 5000):
        await found.provider.search("aap", limit)
    assert [call.query["limit"] for call in found.web.calls] == ["1", "100"]


@pytest.mark.parametrize(
    "answer", [None, {}, [], "text", [7, None, {}, {"symbol": "/ES"}, {"symbol": 5}, {"symbol": "\x1b"}]]
)
def test_an_odd_answer_finds_nothing(answer: object) -> None:
    assert matches(answer) == []


async def test_history_asks_for_a_span_that_holds_the_bars() -> None:
    found = bench(HISTORY)
    made = await found.provider.history(subscription("bar AAPL 1m"), 2)
    [call] = found.web.calls
    assert call.url == "https://api.aries.com/v1/chart/history"
    assert {name: call.query[name] for name in ("symbol", "resolution", "includeExtended")} == {
        "symbol": "AAPL",
        "resolution": "1",
        "includeExtended": "true",
    }
    assert int(call.query["from"]) < NOW_NS // NS - 120 < NOW_NS // NS < int(call.query["to"])
    assert [bar.start_ns // NS for bar in made] == [1795185060, 1795185120]


@pytest.mark.parametrize(
    ("interval", "resolution"), [("5m", "5"), ("15m", "15"), ("1h", "60"), ("1d", "1D"), ("1w", "1W")]
)
async def test_resolutions_are_never_mistaken_for_months(interval: str, resolution: str) -> None:
    found = bench(HISTORY, extended_hours=False)
    await found.provider.history(subscription(f"bar AAPL {interval}"), 10)
    assert found.web.calls[0].query["resolution"] == resolution
    assert "includeExtended" not in found.web.calls[0].query


async def test_an_empty_span_is_followed_once_to_where_there_is_data() -> None:
    answers = [{"s": "no_data", "nextTime": 1795000000}, HISTORY]
    found = bench(lambda call: answers.pop(0))
    assert len(await found.provider.history(subscription("bar AAPL 1m"), 100)) == 3
    assert int(found.web.calls[1].query["to"]) == 1795000060


@pytest.mark.parametrize("answer", [{"s": "no_data"}, {"s": "no_data", "nextTime": "soon"}])
async def test_no_data_is_no_bars(answer: object) -> None:
    assert await bench(answer).provider.history(subscription("bar AAPL 1m"), 100) == []


async def test_what_has_no_history_is_not_asked_for() -> None:
    provider = Bench(nothing, TOKEN).provider
    assert await provider.history(subscription("bar BTC/USDT 1m"), 5) == []
    assert await provider.history(subscription("bar AAPL 1s"), 5) == []
    assert await provider.history(subscription("quote AAPL"), 5) == []


def test_columns_become_bars_of_which_only_the_last_may_be_open() -> None:
    now_ns = 1795185150 * NS
    first, second, last = bars(HISTORY, AAPL, Interval.M1, now_ns)
    assert [first.open, first.high, first.low, first.close, first.volume] == [
        Decimal(text) for text in ("186.3", "186.47", "186.21", "186.41", "41230")
    ]
    assert [bar.closed for bar in (first, second, last)] == [True, True, False]
    assert bars(HISTORY, AAPL, Interval.M1, now_ns + 60 * NS)[-1].closed


@pytest.mark.fault("M60")
def test_a_bar_to_come_is_left_out_of_a_history() -> None:
    ahead = {key: [*values, values[-1]] for key, values in HISTORY.items() if len(key) == 1 and key != "s"}
    ahead["t"][-1] = (NOW_NS + 30 * 86_400 * NS) // NS
    assert [bar.start_ns // NS for bar in bars({"s": "ok", **ahead}, AAPL, Interval.M1, NOW_NS)] == HISTORY["t"]


def test_bars_are_sorted_and_each_start_is_there_once() -> None:
    shuffled = {
        key: [values[2], values[0], values[1], values[2]]
        for key, values in HISTORY.items()
        if len(key) == 1 and key != "s"
    }
    made = bars({"s": "ok", **shuffled}, AAPL, Interval.M1, NOW_NS)
    assert [bar.start_ns // NS for bar in made] == HISTORY["t"]


def test_impossible_rows_are_left_out() -> None:
    broken = {key: list(values) for key, values in HISTORY.items() if isinstance(values, list)}
    broken["h"][0], broken["o"][1] = 1.0, -5
    assert [bar.start_ns // NS for bar in bars({"s": "ok", **broken}, AAPL, Interval.M1, NOW_NS)] == [1795185120]


def test_a_history_without_volumes_is_taken() -> None:
    assert [bar.volume for bar in bars(HISTORY | {"v": None}, AAPL, Interval.M1, NOW_NS)] == [None] * 3


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"s": "error", "errmsg": "unknown symbol"}, HISTORY | {"c": [1]}, HISTORY | {"t": 5}, {"s": "ok"}],
)
def test_an_answer_that_is_no_history_is_an_error(answer: object) -> None:
    with pytest.raises(RestError):
        bars(answer, AAPL, Interval.M1, NOW_NS)


def test_the_reason_of_a_refused_history_is_told() -> None:
    with pytest.raises(RestError, match="unknown symbol X"):
        bars({"s": "error", "errmsg": "unknown symbol \x1b[31mX"}, AAPL, Interval.M1, NOW_NS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(list("stohlcv")), inner, max_size=7),
    max_leaves=20,
)


@given(JSON)
def test_any_answer_is_bars_or_an_error(answer: object) -> None:
    try:
        made = bars(answer, AAPL, Interval.M1, NOW_NS)
    except RestError:
        return
    assert all(bar.low <= bar.close <= bar.high for bar in made)


async def test_a_401_is_repeated_once_with_a_refreshed_token() -> None:
    def server(call: Call) -> Any:
        if call.method == "POST":
            return {"access_token": "fresh", "expires_in": 3600}
        return FOUND if call.bearer == "fresh" else refused()

    found = Bench(server, TOKEN | {"refresh_token": "refresh", "client_id": "client"})
    assert await found.provider.search("aap")
    assert [call.method for call in found.web.calls] == ["GET", "POST", "GET"]
    found.web.handler = lambda call: refused() if call.method == "GET" else {"access_token": "other"}
    found.clock.advance(600)
    with pytest.raises(RestError):
        await found.provider.search("aap")


async def test_a_401_without_a_way_to_refresh_needs_the_user() -> None:
    with pytest.raises(CredentialError):
        await bench(refused()).provider.search("aap")


async def test_other_errors_are_not_repeated() -> None:
    found = bench(refused(500))
    with pytest.raises(RestError):
        await found.provider.search("aap")
    assert len(found.web.calls) == 1


async def test_the_account_is_looked_up_once_and_only_for_its_own_socket() -> None:
    rows = [{"id": 7, "is_sim": True, "apex_account_id": "A-7"}, {"id": 8, "sterling_account_id": "S-8"}]
    found = bench({"accounts": rows})
    await found.provider.credential("market")
    assert not found.web.calls
    for _ in range(2):
        await found.provider.credential("accounts")
    assert len(found.web.calls) == 1
    assert await found.provider.verify() == "signed in; accounts: A-7 (simulated), S-8"


async def test_an_account_that_cannot_be_looked_up_does_not_keep_the_news_away() -> None:
    for trouble in (refused(500), refused(403)):
        credential = await bench(trouble).provider.credential("accounts")
        assert credential.secret.get_secret_value() == "access"


@pytest.mark.parametrize(
    ("configured", "followed", "detail"),
    [("", "S-7", "simulated account"), ("8", "8", ""), ("A-7", "A-7", "simulated account"), ("other", "other", "")],
)
async def test_the_configured_account_is_followed_and_a_simulated_one_marked(
    configured: str, followed: str, detail: str
) -> None:
    rows = [{"id": 7, "sterling_account_id": "S-7", "apex_account_id": "A-7", "is_sim": True}, {"id": 8}]
    found = bench({"accounts": rows}, account_id=configured)
    codec = found.provider.codec("accounts", await found.provider.credential("accounts"))
    drained(codec.opened(NOW_NS))
    [logged_in] = drained(codec.received('{"action":"auth","message":"success"}', NOW_NS))
    assert logged_in == LoggedIn(detail)
    frames = sent(codec.wanted(want("account"), NOW_NS))
    assert frames[0]["payload"] == [{"topic": "account", "accountId": followed}]


@pytest.mark.parametrize("wrapped", [False, True])
async def test_news_is_read_by_the_same_table_as_on_the_socket(wrapped: bool) -> None:
    items = [{"id": 1, "title": "A", "published_at": "2026-11-20T14:00:00Z"}, {"headline": "B"}, {"id": 3}]
    found = bench({"articles": items} if wrapped else items)
    made = await found.provider.news(AAPL, 7)
    assert [item.title for item in made] == ["A", "B"]
    assert found.web.calls[0].query == {"ticker": "AAPL", "limit": "7"}


@pytest.mark.parametrize("answer", [None, "none", {}, {"news": None}, [[]]])
async def test_an_odd_answer_is_no_news(answer: object) -> None:
    assert await bench(answer).provider.news() == []


async def test_watchlists_belong_to_the_account() -> None:
    answer = {"user_id": "u", "watchlist": [{"id": 1, "name": "Tech", "symbols": ["AAPL", "MSFT"]}, {"id": 2}]}
    found = bench(answer, account_id="A/7")
    [made] = await found.provider.watchlists()
    assert (made.id, made.symbols) == ("1", ("AAPL", "MSFT"))
    assert found.web.calls[0].url == "https://api.aries.com/v1/accounts/A%2F7/watchlist"
