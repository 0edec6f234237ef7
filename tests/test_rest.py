"""The REST client against a server on this machine that answers from a script."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from tui.errors import RestError
from tui.network import MAX_RETRY_AFTER_S, is_loopback, retry_after_s
from tui.rest import MAX_ANSWER, RestClient

PROMISE = b"Content-Length: 10\r\n\r\n["
"""The beginning of an answer that never goes on."""
Answer = Callable[[str, dict[str, str], bytes], bytes]


def reply(status: str, body: bytes | str = b"", **headers: str) -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


class Site:
    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, dict[str, str], bytes]] = []


@asynccontextmanager
async def site(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """A server that answers one request a connection."""
    here: list[Site] = []

    busy: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy.add(asyncio.current_task())
        try:
            await converse(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the client went, as it should when it does not trust us
        finally:
            writer.close()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        here[0].asked.append((head[0], headers, body))
        writer.write(said := answer(head[0], headers, body))
        await writer.drain()
        if said.endswith(PROMISE):
            await reader.read()  # keeps the promise open until the client goes

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        port = server.sockets[0].getsockname()[1]
        here.append(Site(f"{'https' if tls else 'http'}://127.0.0.1:{port}"))
        yield here[0]
    await asyncio.gather(*(task for task in busy if task))


@asynccontextmanager
async def client(**options: Any) -> AsyncIterator[RestClient]:
    rest = RestClient(**options)
    try:
        yield rest
    finally:
        await rest.close()


async def failure(answer: Answer, **options: Any) -> RestError:
    async with site(answer) as here, client() as rest:
        with pytest.raises(RestError) as raised:
            await rest.get(here.url + "/path/of-the-call", **options)
    return raised.value


async def test_a_get_sends_query_and_headers_and_decodes_json() -> None:
    async with site(lambda *_: reply("200 OK", '{"price": 1.5}')) as here, client() as rest:
        answer = await rest.get(here.url + "/v1", query={"symbol": "BTC/USDT"}, headers={"x-key": "k"})
    assert answer == {"price": 1.5}
    line, headers, _ = here.asked[0]
    assert line == "GET /v1?symbol=BTC%2FUSDT HTTP/1.1"
    assert headers["x-key"] == "k"


async def test_a_post_sends_json() -> None:
    async with site(lambda *_: reply("201 Created", "[]")) as here, client() as rest:
        assert await rest.post(here.url + "/token", body={"grant": "refresh"}) == []
    line, headers, body = here.asked[0]
    assert line == "POST /token HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"grant": "refresh"}


async def test_an_error_says_host_status_and_what_the_server_said() -> None:
    error = await failure(lambda *_: reply("403 Forbidden", '{"error": {"message": "plan \\u001b[31mtoo small"}}'))
    assert str(error) == "127.0.0.1: HTTP 403: plan too small"
    assert error.status == 403
    assert error.retry_after_s is None


@pytest.mark.fault("M10")
@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), ("100000", MAX_RETRY_AFTER_S), ("soon", None), ("-3", 0.0)])
async def test_a_rate_limit_carries_how_long_to_wait(asked: str, seconds: float | None) -> None:
    error = await failure(lambda *_: reply("429 Too Many Requests", "", Retry_After=asked))
    assert (error.status, error.retry_after_s) == (429, seconds)


@pytest.mark.fault("M10")
def test_a_date_to_retry_after_is_measured_from_now() -> None:
    now = datetime(2026, 1, 5, 14, 0, tzinfo=UTC)
    assert retry_after_s({"Retry-After": "Mon, 05 Jan 2026 14:00:42 GMT"}, now) == 42.0
    assert retry_after_s({"Retry-After": "Mon, 05 Jan 2026 13:00:00 GMT"}, now) == 0.0


@pytest.mark.fault("M53")
async def test_no_secret_of_the_request_is_in_the_error() -> None:
    def quote_all(line: str, headers: dict[str, str], body: bytes) -> bytes:
        said = f"cannot {line} with {headers['authorization']} and {headers['x-rapidapi-key']}"
        return reply("401 Unauthorized", json.dumps({"message": said}))

    error = await failure(
        quote_all,
        query={"api_token": "tok-123456", "symbol": "AAPL"},
        headers={"Authorization": "Bearer planted-secret", "x-rapidapi-key": 'quo"ted-secret'},
    )
    for secret in ("tok-123456", "planted-secret", "ted-secret", "of-the-call"):
        assert secret not in str(error)
        assert secret not in repr(error)
    assert "symbol=AAPL" in str(error)


@pytest.mark.fault("M7")
async def test_a_page_of_html_is_not_shown() -> None:
    error = await failure(lambda *_: reply("502 Bad Gateway", "<html><b>nginx</b></html>"))
    assert str(error) == "127.0.0.1: HTTP 502"


@pytest.mark.parametrize("body", ["<html>portal</html>", "", '{"a": NaN}', "[" * 10_000])
async def test_an_answer_that_is_no_json_is_an_error(body: str) -> None:
    error = await failure(lambda *_: reply("200 OK", body))
    assert str(error) == "127.0.0.1: the answer is no JSON"


@pytest.mark.fault("S14")
async def test_an_answer_without_end_is_cut_off() -> None:
    error = await failure(lambda *_: reply("200 OK", b'"' + b"x" * (MAX_ANSWER + 10) + b'"'))
    assert str(error) == "127.0.0.1: the answer is too large"


async def test_a_silent_server_costs_no_more_than_the_limit() -> None:
    error = await failure(lambda *_: b"HTTP/1.1 200 OK\r\n" + PROMISE, timeout_s=0.1)
    assert str(error) == "127.0.0.1: no answer in time"
    assert error.status is None


async def test_nobody_there_is_an_error_without_the_address() -> None:
    async with client() as rest:
        with pytest.raises(RestError, match=r"^127\.0\.0\.1: cannot connect$"):
            await rest.get("http://127.0.0.1:1/secret-path?key=secret")


async def test_a_redirect_within_the_host_is_followed() -> None:
    def answer(line: str, headers: dict[str, str], body: bytes) -> bytes:
        return reply("200 OK", '"here"') if "/new" in line else reply("307 Moved", "", Location="/new")

    async with site(answer) as here, client() as rest:
        assert await rest.get(here.url + "/old", headers={"Authorization": "Bearer s3cret"}) == "here"
    assert here.asked[1][1]["authorization"] == "Bearer s3cret"


@pytest.mark.fault("M55", "S15")
async def test_a_key_never_follows_a_redirect_to_another_host() -> None:
    async with site(lambda *_: reply("200 OK", "1")) as other:
        error = await failure(
            lambda *_: reply("302 Found", "", Location=other.url + "/take"), headers={"Authorization": "Bearer s3cret"}
        )
    assert str(error) == "127.0.0.1: redirects to another host"
    assert other.asked == []


async def test_redirects_in_a_circle_end() -> None:
    error = await failure(lambda *_: reply("302 Found", "", Location="/again"))
    assert str(error) == "127.0.0.1: too many redirects"


@pytest.mark.fault("S5")
@pytest.mark.parametrize("url", ["http://example.com/", "ftp://127.0.0.1/", "https", ""])
async def test_only_https_leaves_this_machine(url: str) -> None:
    async with client() as rest:
        with pytest.raises(RestError, match="only https"):
            await rest.get(url)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("127.9.9.9", True),
     ("localhost.example.com", False), ("10.0.0.1", False), ("", False), (None, False)],
)  # fmt: skip
def test_loopback_is_judged_by_its_spelling(host: str | None, is_here: bool) -> None:
    assert is_loopback(host) is is_here


@pytest.mark.fault("S4")
async def test_a_certificate_of_an_unknown_authority_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    async with site(lambda *_: reply("200 OK", "1"), context) as here:
        async with client() as rest:
            with pytest.raises(RestError, match="certificate not trusted"):
                await rest.get(here.url)
        assert here.asked == []
        async with client(ca_file=ca_file) as rest:
            assert await rest.get(here.url) == 1


async def test_a_ca_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    async with client(ca_file=tmp_path / "none.pem") as rest:
        with pytest.raises(RestError, match="ca_file cannot be used"):
            await rest.get("https://127.0.0.1:1/")
