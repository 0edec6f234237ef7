"""The one small REST client: JSON in and out, bounded in time and size, keys to their own host only."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urljoin, urlsplit

from tui.errors import RestError
from tui.lookups import use_daemon_lookups
from tui.market.text import clean
from tui.network import is_loopback, retry_after_s, tls_context
from tui.providers.parse import load_json

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Request, Response

MAX_ANSWER: Final = 8 * 1024 * 1024
MAX_ERROR_BODY: Final = 16 * 1024
MAX_MESSAGE: Final = 300
MAX_REDIRECTS: Final = 3
TIMEOUT_S: Final = 10.0
_SHORTEST_SECRET: Final = 6
_SECRET_NAME: Final = re.compile(r"auth|key|token|secret|pass|sign|code|cookie", re.IGNORECASE)
_SCHEMES: Final = {"Bearer", "Basic"}
_NOTHING: Final[Mapping[str, str]] = {}


class RestClient:
    """Calls JSON services; every failure is a `RestError` without addresses, queries or keys in its text.

    Opens nothing until the first call; `close` it in the end. Certificates are always verified.

    Args:
        proxy: Address of a proxy, or None for what the environment says; never used for this machine.
        ca_file: Certificates to trust besides the system's.
    """

    def __init__(self, proxy: str | None = None, ca_file: Path | None = None) -> None:
        self._proxy = proxy
        self._ca_file = ca_file
        self._clients: dict[bool, AsyncClient] = {}
        self._making = asyncio.Lock()

    async def get(
        self,
        url: str,
        *,
        query: Mapping[str, str] = _NOTHING,
        headers: Mapping[str, str] = _NOTHING,
        timeout_s: float = TIMEOUT_S,
    ) -> Any:
        """GET and decode JSON; follows redirects within the same host.

        Raises:
            RestError: no answer, a status that is no success, or an answer that is no JSON of at most 8 MiB.
        """
        request = (await self._client(url)).build_request("GET", url, params=dict(query) or None, headers=dict(headers))
        return await self._call(request, _secrets(url, query, headers), timeout_s)

    async def post(
        self,
        url: str,
        *,
        body: Mapping[str, Any],
        headers: Mapping[str, str] = _NOTHING,
        timeout_s: float = TIMEOUT_S,
    ) -> Any:
        """POST JSON and decode the JSON answer; follows no redirect.

        Raises:
            RestError: like `get`.
        """
        request = (await self._client(url)).build_request("POST", url, json=dict(body), headers=dict(headers))
        texts = {name: value for name, value in body.items() if isinstance(value, str)}
        return await self._call(request, _secrets(url, texts, headers), timeout_s)

    async def close(self) -> None:
        """Close what is open."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def _client(self, url: str) -> AsyncClient:
        parts = urlsplit(url)
        is_here = is_loopback(parts.hostname)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
            raise RestError("only https:// leaves this machine", remedy="Check the address in the configuration.")
        async with self._making:
            if is_here not in self._clients:  # the library and the certificates take 0.1 s to load
                self._clients[is_here] = await asyncio.to_thread(self._new_client, is_here)
        return self._clients[is_here]

    def _new_client(self, is_here: bool) -> AsyncClient:
        from httpx2 import AsyncClient, Limits  # on the first call: the start need not wait for it

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # at info it logs addresses with their queries
        logging.getLogger("httpcore2").setLevel(logging.WARNING)
        try:
            trust = tls_context(self._ca_file)
        except OSError as error:
            raise RestError(f"ca_file cannot be used: {error.strerror}", remedy="Check ca_file.") from error
        return AsyncClient(
            verify=trust,
            proxy=None if is_here else self._proxy,
            trust_env=not is_here,
            follow_redirects=False,
            timeout=None,  # one limit for the whole call instead, see `_call`
            limits=Limits(max_connections=8, keepalive_expiry=30.0),
            headers={"User-Agent": "tickdeck", "Accept": "application/json"},
        )

    async def _call(self, request: Request, secrets: frozenset[str], timeout_s: float) -> Any:
        from httpx2 import HTTPError, InvalidURL

        use_daemon_lookups()
        host = request.url.host
        try:
            async with asyncio.timeout(timeout_s):
                status, headers, body = await self._exchange(request)
        except (TimeoutError, HTTPError, InvalidURL, OSError) as error:
            raise RestError(f"{host}: {_trouble(error)}") from error
        if not 200 <= status < 300:
            raise _refusal(host, status, headers, body, secrets)
        try:
            return load_json(body)
        except ValueError as error:
            raise RestError(f"{host}: the answer is no JSON", status=status) from error

    async def _exchange(self, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        """Send, follow redirects within the host, read what is allowed of the answer."""
        client = await self._client(str(request.url))
        for _ in range(MAX_REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                target = _redirect(request, response)
                if target is None:
                    return response.status_code, response.headers, await _read(request.url.host, response)
            finally:
                await response.aclose()
            request = client.build_request("GET", target, headers=request.headers)
        raise RestError(f"{request.url.host}: too many redirects", status=response.status_code)


def _redirect(request: Request, response: Response) -> str | None:
    """Where to go on, or None; only from a GET, and only to the same scheme, host and port."""
    location = response.headers.get("Location")
    if request.method != "GET" or not location or not 300 <= response.status_code < 400:
        return None
    target = urljoin(str(request.url), location)
    here, there = urlsplit(str(request.url)), urlsplit(target)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise RestError(f"{request.url.host}: redirects to another host", status=response.status_code)
    return target


async def _read(host: str, response: Response) -> bytes:
    limit = MAX_ANSWER if response.is_success else MAX_ERROR_BODY
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > limit:
            if not response.is_success:
                break
            raise RestError(f"{host}: the answer is too large", status=response.status_code)
    return bytes(body)


def _trouble(error: BaseException) -> str:
    """A few words for a failure without an answer; never the library's text, which may hold the address."""
    from httpx2 import ConnectError, InvalidURL, ProxyError, TimeoutException

    cause: BaseException | None = error
    while cause is not None:
        if "certificate" in type(cause).__name__.lower() or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return "certificate not trusted"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, TimeoutError | TimeoutException):
        return "no answer in time"
    if isinstance(error, ProxyError):
        return "the proxy refuses"
    if isinstance(error, InvalidURL):
        return "the address is not valid"
    return "cannot connect" if isinstance(error, ConnectError) else "connection lost"


def _refusal(host: str, status: int, headers: Mapping[str, str], body: bytes, secrets: frozenset[str]) -> RestError:
    said = _said(body)
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, "…")
    text = clean(f"{host}: HTTP {status}" + (f": {said}" if said else ""), MAX_MESSAGE)
    return RestError(text, status=status, retry_after_s=retry_after_s(headers))


def _said(body: bytes) -> str:
    """The sentence in an error's body: the usual fields of a JSON object, nothing of an HTML page."""
    try:
        value = load_json(body)
    except ValueError:
        return ""
    for name in ("message", "error_description", "error", "detail", "reason"):
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(found, dict):
            found = found.get("message")
        if isinstance(found, str) and found:
            return clean(found, MAX_MESSAGE)
    return clean(value, MAX_MESSAGE) if isinstance(value, str) else ""


def _secrets(url: str, values: Mapping[str, str], headers: Mapping[str, str]) -> frozenset[str]:
    """Whatever of a request a server could quote in its answer and nobody should read."""
    parts = urlsplit(url)
    pairs = [*values.items(), *parse_qsl(parts.query), *headers.items()]
    found = {word for name, value in pairs if _SECRET_NAME.search(name) for word in value.split()} - _SCHEMES
    found |= {parts.path, parts.query}
    found = {text for text in found if len(text) >= _SHORTEST_SECRET}
    return frozenset(found | {json.dumps(text)[1:-1] for text in found})
