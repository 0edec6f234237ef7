"""The socket seam: what a feed needs of a connection, and the WebSocket that provides it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from socket import gaierror
from ssl import SSLContext
from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidURI, ProxyError
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from tui.errors import FeedError
from tui.lookups import use_daemon_lookups
from tui.network import is_loopback, tls_context
from tui.providers.base import Channel

OPEN_S: Final = 10.0
PING_S: Final = 10.0
LOST_S: Final = 2.0
CLOSE_S: Final = 1.5
"""Longest wait for the other side's close frame, so that quitting stays under two seconds."""

WAITING: Final = 256
"""Frames that may wait for us before the connection is not read for a while.

Stopping and going on costs calls to the system, and with the library's 16 every read of a fast feed did both. What can
pile up stays small: a turn of ours takes eight frames at least, and between two turns one read of 256 KiB comes in. So
only frames below 32 KiB come faster than they go, and of those a hostile peer makes 8 MiB wait.
"""
WAITING_COMPRESSED: Final = 16
"""The same where a read may become a thousand times as much: eight frames of the largest size are many already."""

_quiet: Final = logging.getLogger("tui.feeds.websocket")
_quiet.setLevel(logging.CRITICAL)  # at debug the library logs frames, keys and all; its errors we raise ourselves


class Transport(Protocol):
    """An open connection: text frames out, frames in."""

    async def send(self, frame: str) -> None:
        """Send a text frame. Raises what `classify` sorts when the connection has ended."""

    async def receive(self) -> bytes | str:
        """The next frame; does not suspend while some are waiting. Raises when the connection has ended, always."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close and wait for the other side, for `CLOSE_S` at most. Never raises because it was closed already."""


Connect = Callable[[Channel], Awaitable[Transport]]
"""Opens a channel. Raises what `classify` sorts."""


class WebSocketTransport:
    """A WebSocket of the websockets library."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, frame: str) -> None:
        """Send a text frame."""
        await self._socket.send(frame)

    async def receive(self) -> bytes:
        """The next frame's payload, undecoded: bad UTF-8 is the codec's to count, no reason to lose the connection.

        `recv`, not the iterator: that one ends without a word on close codes 1000 and 1001.
        """
        return await self._socket.recv(decode=False)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, and cut the line when the other side does not answer in time."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code, reason)
        except TimeoutError:
            self._socket.transport.abort()


class WebSocketConnector:
    """Dials channels.

    Args:
        proxy: Address of a proxy, or None for what the environment says.
        ca_file: Certificates to trust besides the system's.
        open_s: Longest wait for an open socket, in seconds.
        ping_s: Between pings and for their answers, in seconds.
        lost_s: How long a connection that failed may take to close, in seconds.
    """

    def __init__(
        self,
        proxy: str | None = None,
        ca_file: Path | None = None,
        *,
        open_s: float = OPEN_S,
        ping_s: float = PING_S,
        lost_s: float = LOST_S,
    ) -> None:
        self._proxy = proxy
        self._ca_file = ca_file
        self._open_s = open_s
        self._ping_s = ping_s
        self._lost_s = lost_s

    async def __call__(self, channel: Channel) -> WebSocketTransport:
        """Open a channel. Raises what `classify` sorts."""
        host = urlsplit(channel.url).hostname
        is_secure = channel.url.startswith("wss://")
        if not is_secure and not is_loopback(host):
            raise FeedError("only wss:// leaves this machine", remedy="Change the address to wss://.")
        use_daemon_lookups()
        proxy = None if is_loopback(host) else self._proxy or get_proxy(parse_uri(channel.url))
        try:
            tls = await asyncio.to_thread(lambda: self._tls) if is_secure else None  # reads many certificates
            return WebSocketTransport(await self._dial(channel, tls, proxy))
        except (ConnectionRefusedError, gaierror) as error:
            if proxy is not None:  # nobody else was asked for yet
                raise ProxyError("cannot be reached") from error
            raise

    async def _dial(self, channel: Channel, tls: SSLContext | None, proxy: str | None) -> ClientConnection:
        return await _Connect(
            channel.url,
            ssl=tls,
            proxy=proxy,
            compression="deflate" if channel.compression else None,
            open_timeout=self._open_s,
            ping_interval=self._ping_s,
            ping_timeout=self._ping_s,
            close_timeout=self._lost_s,
            max_size=channel.limits.max_frame,
            max_queue=WAITING_COMPRESSED if channel.compression else WAITING,
            user_agent_header="tickdeck",
            logger=_quiet,
        )

    @cached_property
    def _tls(self) -> SSLContext:
        try:
            return tls_context(self._ca_file)
        except OSError as error:
            raise FeedError(f"ca_file cannot be used: {error.strerror}", remedy="Check ca_file.") from error


class _Connect(connect):
    """`connect` that follows redirects within the same host only: a key must not go anywhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        try:
            target = super().process_redirect(exc)
        except InvalidURI:  # to http://, as captive portals do
            return exc
        if isinstance(target, str) and parse_uri(target).host != self.ws_uri.host:
            return exc
        return target if isinstance(target, str) else exc
