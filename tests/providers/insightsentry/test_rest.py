"""REST: search, quotes, past bars, and what the check of a credential says."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.providers.insightsentry.stand_ins import (
    FRAMES,
    KEY,
    NOW_NS,
    Driver,
    Http,
    Secrets,
    bar,
    codes,
    of,
    provider,
    quote,
)
from tui.clock import NS, ManualClock
from tui.errors import CredentialError, RestError, TickdeckError
from tui.market.events import Notice
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.providers.base import Credential, SymbolMatch
from tui.providers.insightsentry import InsightSentry

SEARCH = json.loads((FRAMES / "rest" / "search.json").read_text())
SERIES = json.loads((FRAMES / "live" / "series_5m.json").read_text())
WRAPPED = json.loads((FRAMES / "live" / "quotes_wrapped.json").read_text())


async def test_search_answers_in_the_users_spelling(tmp_path: Path) -> None:
    http = Http({"/v3/symbols/search": SEARCH})
    found = await provider(tmp_path, http).search("msft")
    assert found == [SymbolMatch(Symbol("MSFT"), "NASDAQ:MSFT", "Microsoft Corporation", "stock", "insightsentry")]
    ((url, query, headers),) = http.requests
    assert url == "https://api.insightsentry.com/v3/symbols/search"
    assert query["query"] == "msft"
    assert headers == {"Authorization": "Bearer dashboard-key"}


@pytest.mark.parametrize("name", ["symbols", "data", "results", None])
async def test_search_takes_the_list_wherever_it_is(tmp_path: Path, name: str | None) -> None:
    rows = SEARCH["symbols"]
    answer = rows if name is None else {name: rows}
    assert len(await provider(tmp_path, Http({"/search": answer})).search("msft")) == 1


async def test_rapidapi_subscribers_call_their_own_host_with_their_own_headers(tmp_path: Path) -> None:
    http = Http({"/search": SEARCH})
    await provider(tmp_path, http, Secrets(rapidapi_key="rk"), key="rapidapi").search("msft")
    ((url, _, headers),) = http.requests
    assert url.startswith("https://insightsentry.p.rapidapi.com/v3/")
    assert headers == {"x-rapidapi-key": "rk", "x-rapidapi-host": "insightsentry.p.rapidapi.com"}


async def test_an_answer_serves_for_an_hour(tmp_path: Path) -> None:
    http, clock = Http({"/search": SEARCH}), ManualClock(NOW_NS)
    searching = provider(tmp_path, http, clock=clock)
    for _ in range(3):
        await searching.search("msft")
    assert len(http.requests) == 1
    clock.advance(3601)
    await searching.search("msft")
    assert len(http.requests) == 2


async def test_what_search_found_gets_a_short_name_that_leads_to_its_code(tmp_path: Path) -> None:
    rows = [
        {"code": "NYSE:FOO", "type": "STOCK", "name": "Foo \x1b[31mInc."},
        {"code": "LSE:FOO", "type": "STOCK"},
        {"code": "NASDAQ:FOO", "type": "STOCK"},
        {"code": "not a code"},
        {"code": 7},
        "x",
    ]
    searching = provider(tmp_path, Http({"/search": {"symbols": rows}}))
    found = await searching.search("foo")
    assert [(each.symbol, each.code) for each in found] == [
        ("FOO", "NYSE:FOO"),
        ("LSE:FOO", "LSE:FOO"),
        ("NASDAQ:FOO", "NASDAQ:FOO"),
    ]
    assert found[0].description == "Foo Inc."
    assert searching.code(Symbol("FOO")) == "NYSE:FOO"
    assert searching.symbol("NYSE:FOO") == "FOO"


async def test_history_asks_for_the_interval_and_ends_with_the_running_bar(tmp_path: Path) -> None:
    rows = [{**SERIES["series"][0], "time": SERIES["series"][0]["time"] + 300 * n} for n in (1, 0, 2)]
    http = Http({"/series": {**SERIES, "series": rows}})
    made = await provider(tmp_path, http, extended=False).history(bar("MSFT", Interval.M5), 2)
    assert [(each.start_ns // NS - 1767623700, each.closed) for each in made] == [(300, True), (600, False)]
    assert made[0].symbol == "MSFT"
    ((url, query, _),) = http.requests
    assert url.endswith("/v3/symbols/NASDAQ:MSFT/series")
    assert query == {"bar_type": "minute", "bar_interval": "5", "dp": "2", "extended": "false"}


async def test_history_of_another_interval_is_an_error_not_a_chart(tmp_path: Path) -> None:
    with pytest.raises(RestError, match="5m"):
        await provider(tmp_path, Http({"/series": SERIES})).history(bar("MSFT", Interval.M1), 10)


@pytest.mark.parametrize("answer", [None, [], {}, {"series": 3}, {"message": "No data"}, {"error": "quota_exceeded"}])
async def test_an_answer_that_is_no_history_is_an_error(tmp_path: Path, answer: Any) -> None:
    with pytest.raises(RestError):
        await provider(tmp_path, Http({"/series": answer})).history(bar("MSFT", Interval.M5), 10)


async def test_quotes_are_asked_ten_at_a_time(tmp_path: Path) -> None:
    http = Http({"/quotes": WRAPPED})
    symbols = [Symbol("MSFT"), *(Symbol(f"AA{n}") for n in range(11))]
    made = await provider(tmp_path, http).quotes(symbols)
    assert [len(query["codes"].split(",")) for _, query, _ in http.requests] == [10, 2]
    assert made[0].symbol == "MSFT"
    assert made[0].last == Decimal("474.52")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, CredentialError, "credentials set"),
        (403, RestError, "plan"),
        (404, RestError, "search"),
        (429, RestError, "wait"),
        (500, RestError, ""),
    ],
)
async def test_errors_say_what_to_do(tmp_path: Path, status: int, kind: type[TickdeckError], words: str) -> None:
    http = Http({"/search": RestError(f"HTTP {status}", status=status, retry_after_s=5)})
    with pytest.raises(kind) as caught:
        await provider(tmp_path, http).search("x")
    assert words in caught.value.remedy
    assert "dashboard-key" not in str(caught.value)
    if isinstance(caught.value, RestError):
        assert (caught.value.status, caught.value.retry_after_s) == (status, 5)


async def test_the_check_of_a_dashboard_key_tells_its_plan(tmp_path: Path) -> None:
    payload = {"exp": 1768228200, "newsfeed_enabled": False, "websocket_symbols": 5, "email": "a@b.c"}
    key = f"e30.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.c2ln"
    said = await provider(tmp_path, Http({"/search": SEARCH}), Secrets(api_key=key)).verify()
    assert "5 WebSocket symbols" in said
    assert "no news" in said
    assert "2026-01-12 14:30 UTC" in said
    assert key not in said


async def test_the_check_of_a_rapidapi_key_never_rotates(tmp_path: Path) -> None:
    http = Http({"/search": SEARCH})
    said = await provider(tmp_path, http, Secrets(rapidapi_key="r"), key="rapidapi").verify()
    assert "will be fetched" in said
    assert not any("websocket-key" in url for url, _, _ in http.requests)


async def test_the_check_of_a_pasted_key_says_what_is_known(tmp_path: Path) -> None:
    checked = provider(tmp_path, secrets=Secrets(websocket_key="ws_x"), key="static")
    assert await checked.verify() == "a WebSocket key is stored"


def test_the_provider_carries_what_it_has_a_code_and_a_channel_for(tmp_path: Path) -> None:
    plain, mega = provider(tmp_path), provider(tmp_path, ticks=True)
    trade = Subscription(Kind.TRADE, Symbol("AAPL"))
    assert plain.carries(quote("AAPL"))
    assert plain.carries(bar("AAPL 2026-12-18 200C"))
    assert plain.carries(Subscription(Kind.NEWS))
    assert not plain.carries(Subscription(Kind.BAR, Symbol("AAPL")))
    assert not plain.carries(Subscription(Kind.BOOK, Symbol("AAPL")))
    assert not plain.carries(Subscription(Kind.NEWS, Symbol("AAPL")))
    assert not plain.carries(trade)
    assert mega.carries(trade)
    assert [each.name for each in plain.channels] == ["live", "newsfeed"]


def not_there(query: object) -> Any:
    raise RestError("HTTP 404", status=404)


def search_of(**found: str) -> Any:
    """A search that knows these names and their codes."""

    def answer(query: Any) -> Any:
        words = query["query"]
        rows = [{"name": words, "description": words, "code": found[words], "type": "STOCK"}] if words in found else []
        return {"symbols": rows}

    return answer


def first_list(sentry: InsightSentry, *want: Subscription) -> tuple[list[str], set[Subscription | None]]:
    """Codes of the list that the next connection sends, and what it refuses by itself."""
    driver = Driver(sentry.codec("live", Credential(SecretStr(KEY))))
    made = driver.want(*want)
    refused = {each.subscription for each in of(Notice, made) if each.refused}
    return [code for sent in codes(made) for code in sent], refused


@pytest.mark.fault("M27")
async def test_a_code_that_neither_search_nor_facts_know_is_refused_and_never_sent(tmp_path: Path) -> None:
    http = Http({"/search": search_of(), "/info": not_there})
    sentry = provider(tmp_path, http)
    want = frozenset({quote("AAPL"), quote("ZZZQ"), bar("ZZZQ")})
    await sentry.vet(want)
    assert [query.get("query") for _, query, _ in http.requests] == ["ZZZQ", None], "AAPL is well known"
    assert first_list(sentry, *want) == (["NASDAQ:AAPL"], {quote("ZZZQ"), bar("ZZZQ")})


async def test_a_code_that_search_lists_elsewhere_is_asked_for_there(tmp_path: Path) -> None:
    sentry = provider(tmp_path, Http({"/search": search_of(ABC="NYSE:ABC")}))
    await sentry.vet(frozenset({quote("ABC")}))
    assert first_list(sentry, quote("ABC")) == (["NYSE:ABC"], set())


async def test_a_code_with_facts_is_sent_although_search_does_not_list_it(tmp_path: Path) -> None:
    http = Http({"/search": search_of(), "/info": {"code": "CME_MINI:ES1!"}})
    sentry = provider(tmp_path, http)
    for _ in range(2):
        await sentry.vet(frozenset({quote("CME_MINI:ES1!")}))
    assert len(http.requests) == 2, "once it is known it is not looked up again"
    assert first_list(sentry, quote("CME_MINI:ES1!")) == (["CME_MINI:ES1!"], set())


@pytest.mark.parametrize(
    "answers",
    [
        {"/search": RestError("no connection")},
        {"/search": RestError("HTTP 401", status=401)},
        {"/search": search_of(), "/info": RestError("HTTP 503", status=503)},
    ],
)
async def test_without_an_answer_nothing_is_refused(tmp_path: Path, answers: dict[str, Any]) -> None:
    sentry = provider(tmp_path, Http(answers))
    await sentry.vet(frozenset({quote("ZZZQ")}))
    assert first_list(sentry, quote("ZZZQ")) == (["NASDAQ:ZZZQ"], set())


async def test_what_was_found_or_has_no_search_is_not_looked_up(tmp_path: Path) -> None:
    http = Http({"/search": SEARCH})
    sentry = provider(tmp_path, http)
    sentry.symbols.kept[Symbol("QRS")] = "NYSE:QRS"
    await sentry.vet(frozenset({quote("QRS"), quote("AAPL 2026-12-18 200C"), Subscription(Kind.NEWS)}))
    assert http.requests == []
