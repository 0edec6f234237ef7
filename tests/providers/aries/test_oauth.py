"""Signing in with the browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.providers.aries.web import Bench, Call
from tui.errors import CredentialError
from tui.providers.aries import sign_in
from tui.providers.aries.oauth import Callback, SignIn, obtain_code

AUTHORIZE = "https://app.aries.com/oauth2/authorize"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def attempt(port: int = 8765) -> SignIn:
    return SignIn(AUTHORIZE, "client_abc123xyz", f"http://127.0.0.1:{port}/callback")


async def browse(url: str) -> str:
    """What a browser gets from the callback's server."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    page = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return page


async def never(question: str) -> str:
    await asyncio.get_running_loop().create_future()
    return ""


def typed(*lines: str) -> Callable[[str], Awaitable[str]]:
    waiting = list(lines)

    async def prompt(question: str) -> str:
        return waiting.pop(0)

    return prompt


def test_the_address_has_everything_the_reference_asks_for() -> None:
    found = attempt()
    query = {name: values[0] for name, values in parse_qs(urlsplit(found.url).query).items()}
    digest = base64.urlsafe_b64encode(hashlib.sha256(found.verifier.encode()).digest()).rstrip(b"=").decode()
    assert query == {
        "response_type": "code",
        "client_id": "client_abc123xyz",
        "redirect_uri": "http://127.0.0.1:8765/callback",
        "scope": "market:information market:supplemental account:information order:information position:information"
        " options:information",
        "state": found.state,
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }
    assert found.url.startswith(AUTHORIZE + "?")
    assert 43 <= len(found.verifier) <= 128
    assert found.verifier not in found.url


def test_no_two_attempts_share_a_secret() -> None:
    first, second = attempt(), attempt()
    assert first.verifier != second.verifier
    assert first.state != second.state
    assert first.verifier not in repr(first)


def test_only_our_own_landing_counts() -> None:
    found = attempt()
    assert found.code(f"http://127.0.0.1:8765/callback?code=abc&state={found.state}") == "abc"
    for landed in ("", "?code=abc", "?code=abc&state=other", f"?state={found.state}", "http://[", "?state=\ud800"):
        assert found.code(landed) is None
    with pytest.raises(CredentialError, match="the user said no"):
        found.code(f"?error=access_denied&error_description=the+user+said+no&state={found.state}")
    assert found.code("?error=access_denied") is None, "anybody can say that"


async def test_the_browser_brings_the_code() -> None:
    found = attempt(free_port())
    pages: list[asyncio.Task[str]] = []

    def open_browser(url: str) -> None:
        pages.append(asyncio.ensure_future(browse(f"{found.redirect_uri}?code=abc&state={found.state}")))

    assert await obtain_code(found, open_browser, never) == "abc"
    assert "200 OK" in await pages[0]
    assert "Signed in" in await pages[0]


async def test_strangers_at_the_door_change_nothing() -> None:
    found = attempt(free_port())
    async with Callback(found) as callback:
        base = found.redirect_uri.removesuffix("/callback")
        assert "404" in await browse(f"{base}/favicon.ico?code=evil&state={found.state}")
        assert "400" in await browse(f"{found.redirect_uri}?code=evil&state=guessed")
        assert "400" in await browse(f"{found.redirect_uri}?error=access_denied&state=guessed")
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(found.redirect_uri).port)
        writer.write(b"\x00\xff" * 10_000 + b"\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()
        assert not callback.code.done()
        await browse(f"{found.redirect_uri}?code=abc&state={found.state}")
        assert await callback.code == "abc"


async def test_a_denial_is_said() -> None:
    found = attempt(free_port())

    def open_browser(url: str) -> None:
        task = asyncio.ensure_future(browse(f"{found.redirect_uri}?error=access_denied&state={found.state}"))
        tasks.append(task)

    tasks: list[asyncio.Task[str]] = []
    with pytest.raises(CredentialError, match="access_denied"):
        await obtain_code(found, open_browser, never)
    assert "not approved" in await tasks[0]


async def test_the_address_can_be_pasted_instead() -> None:
    found = attempt(free_port())
    landed = f"  http://127.0.0.1/callback?code=pasted&state={found.state}\n"
    code = await obtain_code(found, lambda url: None, typed("what?", "?code=x&state=y", landed))
    assert code == "pasted"


async def test_pasting_works_when_the_port_is_taken() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        found = attempt(holder.getsockname()[1])
        opened: list[str] = []
        code = await obtain_code(found, opened.append, typed(f"?code=pasted&state={found.state}"))
    assert (code, opened) == ("pasted", [found.url])


async def test_the_browser_is_enough_where_nobody_can_type() -> None:
    found = attempt(free_port())
    tasks: list[asyncio.Task[str]] = []

    async def no_terminal(question: str) -> str:
        raise EOFError

    def open_browser(url: str) -> None:
        tasks.append(asyncio.ensure_future(browse(f"{found.redirect_uri}?code=abc&state={found.state}")))

    assert await obtain_code(found, open_browser, no_terminal) == "abc"
    await tasks[0]


async def test_the_address_is_shown_when_the_callback_can_be_reached_not_before() -> None:
    found = attempt(free_port())

    pages: list[asyncio.Task[str]] = []

    async def go_at_once(question: str) -> str:
        pages.append(asyncio.create_task(browse(f"{found.redirect_uri}?code=abc&state={found.state}")))
        return await never(question)

    assert await obtain_code(found, lambda url: None, go_at_once) == "abc"
    assert "Signed in" in await pages[0]


async def test_nobody_coming_ends_the_wait() -> None:
    with pytest.raises(CredentialError, match="in time"):
        await obtain_code(attempt(free_port()), lambda url: None, never, wait_s=0.05)


async def test_signing_in_stores_the_tokens_and_names_the_account() -> None:
    def server(call: Call) -> Any:
        if call.url.endswith("/v1/oauth2/token"):
            return {"access_token": "access", "refresh_token": "refresh", "expires_in": 3600}
        assert (call.url, call.bearer) == ("https://api.aries.com/v1/users/me/accounts", "access")
        return {"accounts": [{"id": 7, "sterling_account_id": "S-7", "is_sim": True}]}

    bench = Bench(server, {"client_id": "client"}, {"redirect_uri": f"http://127.0.0.1:{free_port()}/callback"})
    urls: list[str] = []
    landing: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def open_browser(url: str) -> None:
        urls.append(url)
        landing.set_result(f"?code=auth_code_abc123&state={parse_qs(urlsplit(url).query)['state'][0]}")

    async def prompt(question: str) -> str:
        return await landing

    assert await sign_in(bench.provider, open_browser, prompt) == "signed in; accounts: S-7 (simulated)"
    body = bench.web.calls[0].body
    challenge = parse_qs(urlsplit(urls[0]).query)["code_challenge"][0]
    digest = hashlib.sha256(body["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
    assert {name: body[name] for name in ("grant_type", "code", "client_id", "redirect_uri")} == {
        "grant_type": "authorization_code",
        "code": "auth_code_abc123",
        "client_id": "client",
        "redirect_uri": bench.provider.settings.redirect_uri,
    }
    assert "client_secret" not in body
    assert dict(bench.secrets.stored)["refresh_token"] == "refresh"


async def test_signing_in_needs_a_client_id() -> None:
    with pytest.raises(CredentialError, match="client id"):
        await sign_in(Bench(lambda call: None).provider, lambda url: None, never)
