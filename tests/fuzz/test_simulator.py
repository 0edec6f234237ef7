"""The simulator's side: whatever a client sends, a conversation answers or hangs up, and the HTTP side answers."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import JSON, frames, texts
from tui.clock import NS
from tui.providers import providers
from tui.simulator.dialect import Hangup, Reply, Request, Response
from tui.simulator.market import DEFAULT_START_NS, SimulatedMarket
from tui.simulator.rest import _BadRequest, encode, read_request
from tui.simulator.server import dialects

MARKET = SimulatedMarket(7)
DIALECTS = {each.provider: each for each in dialects()}
CHANNELS = [(name, channel) for name, each in DIALECTS.items() for channel in each.paths.values()]
REQUESTS = {
    "aries": [
        '{"type":"request","id":"auth-1","payload":{"method":"POST","path":"/auth","body":{"token":"demo-aries"}}}',
        '{"type":"subscribe","id":"sub-1","payload":[{"symbol":"AAPL","quoteFields":["bidPrice"],"level2":true}]}',
        '{"type":"subscribe","id":"sub-4","payload":[{"symbol":"AAPL261218C00200000","symbolType":"option",'
        '"greeksFields":["*"],"level2":true}]}',
        '{"type":"subscribe","id":"sub-2","payload":[{"topic":"news"},{"topic":"pnl","interval":"5m"}]}',
        '{"type":"unsubscribe","id":"sub-3","payload":[{"symbol":"AAPL"}]}',
        '{"type":"ping","id":"ping-1"}',
    ],
    "insightsentry": [
        '{"api_key":"demo-insightsentry"}',
        '{"api_key":"demo-insightsentry","subscriptions":[{"code":"NASDAQ:AAPL","type":"quote"},'
        '{"code":"NASDAQ:AAPL","type":"series","bar_type":"minute","bar_interval":1,"max_dp":10}]}',
        "ping",
    ],
    "quantcite": [
        '{"type":"authenticate","api_key":"demo-quantcite"}',
        '{"type":"subscribe_aggregated","symbol":"BTC/USDT","exchanges":["binance","okx"]}',
        '{"type":"get_aggregated_orderbook","symbol":"BTC/USDT"}',
        '{"type":"get_pairs","exchange":"okx"}',
        '{"type":"get_exchanges"}',
        '{"type":"unsubscribe_aggregated","symbol":"BTC/USDT"}',
        '{"type":"ping"}',
    ],
}
PATHS = (
    "/v1/oauth2/token /v1/oauth2/authorize /v1/chart/history /v1/accounts /v1/news /v2/websocket-key /v3/newsfeed "
    "/v3/symbols/search /v3/symbols/quotes /v3/symbols/NASDAQ:AAPL/series /"
).split()
QUERY = "query q symbol resolution from to limit page codes dp bar_type bar_interval".split()
HTTP = [
    "GET /aries/v1/chart/history?symbol=AAPL&resolution=5&from=1736950000&to=1736953200 HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\nAuthorization: Bearer demo-aries\r\n\r\n",
    "GET /insightsentry/v3/symbols/NASDAQ%3AAAPL/series?bar_type=minute&bar_interval=5&dp=100 HTTP/1.1\r\n"
    "Authorization: Bearer demo-insightsentry\r\n\r\n",
    "POST /aries/v1/oauth2/token HTTP/1.1\r\nContent-Length: 57\r\n\r\n"
    '{"grant_type":"refresh_token","client_id":"demo-client"}\n',
    "GET /quantcite/api/v1/account/demo-quantcite HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize(("name", "channel"), CHANNELS)
@given(data=st.data())
@settings(deadline=None)
@pytest.mark.violates
def test_no_request_makes_a_conversation_raise(name: str, channel: str, data: st.DataObject) -> None:
    conversation = DIALECTS[name](MARKET).conversation(channel)
    now_ns = DEFAULT_START_NS
    check(list(conversation.opened(now_ns)))
    good = REQUESTS[name]
    wanted = [good[0], *data.draw(st.lists(st.sampled_from(good) | frames(good), max_size=6), label="requests")]
    for each in wanted if data.draw(st.booleans(), label="logged in") else wanted[1:]:
        text = each if isinstance(each, str) else each.decode("utf-8", "replace")
        check(list(conversation.received(text, now_ns)))
        now_ns += NS // 4
        check(list(conversation.changed((), now_ns)))


def check(replies: list[Reply]) -> None:
    assert all(isinstance(reply, str | Hangup) for reply in replies)


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.data())
@settings(deadline=None)
def test_every_http_request_has_an_answer(name: str, data: st.DataObject) -> None:
    raw = data.draw(texts(HTTP) | st.binary(max_size=200), label="bytes")

    async def read() -> Request | None:
        reader = asyncio.StreamReader(limit=16 * 1024)
        reader.feed_data(raw)
        reader.feed_eof()
        return await read_request(reader)

    try:
        request = asyncio.run(read())
    except _BadRequest:
        return
    if request is not None:
        dialect = DIALECTS[name](MARKET)
        path = request.path.removeprefix(dialect.rest_prefix)
        answer(dialect, Request(request.method, path, request.query, request.headers, request.body))


@pytest.mark.parametrize("name", DIALECTS)
@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.sampled_from(PATHS) | st.text(max_size=30),
    query=st.dictionaries(st.sampled_from(QUERY), st.text(max_size=20)),
    body=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50),
)
@settings(deadline=None)
def test_every_call_has_an_answer(name: str, method: str, path: str, query: dict[str, str], body: bytes) -> None:
    dialect = DIALECTS[name](MARKET)
    secret = next(iter(dialect.credentials.values()))
    answer(dialect, Request(method, path, query, {"authorization": f"Bearer {secret}"}, body))


def answer(dialect: object, request: Request) -> None:
    response = dialect.rest(request)  # type: ignore[attr-defined]
    assert isinstance(response, Response)
    assert encode(response, keeps_open=True).startswith(b"HTTP/1.1 ")


def test_every_provider_has_requests() -> None:
    assert REQUESTS.keys() == providers().keys() == DIALECTS.keys()
