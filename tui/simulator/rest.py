"""The simulator's HTTP side: a small HTTP/1.1 server on asyncio streams, JSON out.

The WebSocket library answers GET upgrades only, and token calls need POST. Bodies come with Content-Length; anything
larger, slower or stranger than the limits below gets its 4xx and the connection ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tui.simulator.dialect import Request, Response

logger = logging.getLogger(__name__)

Answer = Callable[[Request], Response]

MAX_HEAD: Final = 16 * 1024
MAX_BODY: Final = 256 * 1024
IDLE_S: Final = 15.0
"""A connection may wait this long for its next request; a request has as long to arrive."""


class _BadRequest(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class RestServer:
    """Serve `answer` over HTTP on 127.0.0.1.

    Args:
        answer: Called for every request; what it raises becomes a 500.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, ports: Sequence[int]) -> None:
        """Listen on the first of these ports that is free; 0 stands for any.

        Raises:
            OSError: none is free.
        """
        for port in ports:
            try:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MAX_HEAD)
                break
            except OSError:
                if port == ports[-1]:
                    raise
        assert self._server is not None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and end all connections."""
        if self._server is None:
            return
        self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the client left or dawdled, or we stop: the connection ends either way
        finally:
            self._clients.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read a request and answer it; say whether another may follow."""
        try:
            async with asyncio.timeout(IDLE_S):
                request = await read_request(reader)
            if request is None:
                return False
            response, keeps_open = self._answered(request), request.headers.get("connection", "").lower() != "close"
        except _BadRequest as error:
            response, keeps_open = Response({"error": str(error)}, status=error.status), False
        writer.write(encode(response, keeps_open=keeps_open))
        async with asyncio.timeout(IDLE_S):
            await writer.drain()
        return keeps_open

    def _answered(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return Response({"error": "internal error"}, status=HTTPStatus.INTERNAL_SERVER_ERROR)


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read one request, or None at the end of the stream."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise _BadRequest(HTTPStatus.BAD_REQUEST) from None
        return None
    except asyncio.LimitOverrunError:
        raise _BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    method, target, headers = _parse_head(head.decode("latin-1"))
    body = await _read_body(reader, headers)
    try:
        parts = urlsplit(target)
    except ValueError:
        raise _BadRequest(HTTPStatus.BAD_REQUEST) from None
    return Request(method, unquote(parts.path), dict(parse_qsl(parts.query, True)), headers, body)


def encode(response: Response, *, keeps_open: bool) -> bytes:
    """The bytes of an answer."""
    body = b"" if response.status == HTTPStatus.NO_CONTENT else json.dumps(response.body, default=str).encode()
    lines = [
        f"HTTP/1.1 {int(response.status)} {HTTPStatus(response.status).phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Connection: {'keep-alive' if keeps_open else 'close'}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


def _parse_head(head: str) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise _BadRequest(HTTPStatus.BAD_REQUEST)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _BadRequest(HTTPStatus.BAD_REQUEST)
        headers[name.lower()] = value.strip()
    return words[0].upper(), words[1], headers


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise _BadRequest(HTTPStatus.LENGTH_REQUIRED)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise _BadRequest(HTTPStatus.BAD_REQUEST)
    if len(length) > 9 or int(length) > MAX_BODY:
        raise _BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        return await reader.readexactly(int(length))
    except asyncio.IncompleteReadError:
        raise _BadRequest(HTTPStatus.BAD_REQUEST) from None
