"""Upgrades and calls that are answered with a status instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from tests.feeds.plain import APPLE, PATIENT, behave, feed_to, scripted, until
from tests.feeds.test_connection import BACKING_OFF, FAILED, waits_s
from tests.test_rest import client, reply, site
from tui.errors import RestError
from tui.feeds.outcome import SLOW_S
from tui.market.terms import FeedState

Refusal = Callable[[ServerConnection, Request], Response]


def answering(status: int, body: str = "", **headers: str) -> Refusal:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), body)
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    return refuse


@pytest.mark.fault("M9")
@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_wrong_address_waits_for_the_user_and_shows_no_query(status: int) -> None:
    refuse = answering(status, "no such place: ?token=planted-secret")
    async with scripted(process_request=refuse) as server, feed_to(server.url + "?token=planted-secret") as running:
        await until(lambda: running.feed.state is FAILED)
        last = running.sink.last()
        assert last.reason == f"wrong address (HTTP {status})"
        assert "address of this channel" in last.remedy
        assert running.feed.stats.attempts == 1
        assert "planted" not in repr(running.sink.events)


@pytest.mark.fault("M11")
@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(("asked", "least_s", "most_s"), [(None, 30, 60), ("70", 70, 70), ("nonsense", 30, 60)])
async def test_server_trouble_waits_as_long_as_asked_or_backs_off(
    status: int, asked: str | None, least_s: float, most_s: float
) -> None:
    refuse = answering(status, **({} if asked is None else {"Retry_After": asked}))
    async with scripted(process_request=refuse) as server, feed_to(server.url, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == f"server trouble (HTTP {status})"
        assert least_s - 0.1 <= waits_s(running.sink.last()) <= most_s + 0.1


@pytest.mark.fault("M10")
@pytest.mark.parametrize(("status", "reason"), [(429, "rate limited (HTTP 429)"), (503, "server trouble (HTTP 503)")])
async def test_a_date_to_come_back_at_is_kept(status: int, reason: str) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    refuse = answering(status, Retry_After=then)
    async with scripted(process_request=refuse) as server, feed_to(server.url, limits=PATIENT) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        assert running.sink.last().reason == reason
        assert 95 < waits_s(running.sink.last()) <= 100.5


@pytest.mark.fault("M10")
async def test_a_rate_limit_is_never_cut_short_but_by_the_user() -> None:
    dialled: list[int] = []

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        dialled.append(1)
        return answering(429, Retry_After="40")(connection, request) if len(dialled) == 1 else None

    async with scripted(behave, process_request=refuse) as server, feed_to(server.url) as running:
        await until(lambda: running.feed.state is BACKING_OFF)
        running.feed.set_wants(frozenset())
        await until(lambda: running.feed.state is FeedState.IDLE)
        running.feed.set_wants(APPLE)
        await asyncio.sleep(0.05)
        assert dialled == [1], "wanting it anew does not end the wait"
        running.feed.retry_now()
        await until(lambda: running.sink.quotes)


@pytest.mark.fault("M7", "S15")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_leads_to_another_host_and_no_login_goes_to_a_portal(status: int) -> None:
    async with scripted() as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        refuse = answering(status, "<html>sign in</html>", Location=elsewhere)
        async with scripted(process_request=refuse) as server, feed_to(server.url) as running:
            await until(lambda: running.feed.state is BACKING_OFF)
            assert running.sink.last().reason == f"captive portal or wrong address (HTTP {status})"
            assert waits_s(running.sink.last()) >= SLOW_S
            assert "html" not in repr(running.sink.events)
            assert server.callers == []
        assert other.callers == []


@pytest.mark.fault("M8", "I12")
@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_a_fresh_one_replaces_is_asked_for_once_and_then_works(status: int) -> None:
    dialled: list[int] = []

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        dialled.append(1)
        return answering(status)(connection, request) if len(dialled) == 1 else None

    async with scripted(behave, process_request=refuse) as server, feed_to(server.url) as running:
        await until(lambda: running.sink.quotes)
        assert server.callers[0].heard[0] == "login fresh2"
        assert running.provider.asked_for_credential == [False, True]


@pytest.mark.fault("M55")
@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (reply("200 OK", "{not json"), "the answer is no JSON"),
        (reply("401 Unauthorized", '{"message": "no"}'), "HTTP 401: no"),
        (reply("429 Too Many Requests", Retry_After="9"), "HTTP 429"),
        (reply("500 Oops", "<html>"), "HTTP 500"),
        (reply("302 Found", Location="https://elsewhere.example/take"), "redirects to another host"),
    ],
)
async def test_a_call_for_a_key_fails_with_a_reason_and_shows_the_key_to_nobody(said: bytes, trouble: str) -> None:
    async with site(lambda *_: said) as here, client() as rest:
        with pytest.raises(RestError, match=trouble) as raised:
            await rest.get(here.url, headers={"x-rapidapi-key": "planted-secret"})
        assert "planted" not in str(raised.value)
        assert len(here.asked) == 1
