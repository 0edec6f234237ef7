"""Whether a server can be reached: name, connection, TLS, and what it thinks the time is."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tui.commands.threads import in_daemon_thread
from tui.errors import TickdeckError
from tui.market.text import clean
from tui.network import tls_context
from tui.providers.base import ProviderSettings

NAME_S: Final = 5.0
CONNECT_S: Final = 8.0
ANSWER_S: Final = 5.0
_PORTS: Final = {"ws": 80, "http": 80, "wss": 443, "https": 443}


class Server(NamedTuple):
    """Something to connect to."""

    host: str
    port: int
    is_secure: bool


class Reached(NamedTuple):
    """A server that answered.

    Attributes:
        seconds: How long it took to connect, TLS included.
        protocol: TLS version, or "".
        clock_off_s: Our clock minus the server's, in seconds; None when it did not say its time.
    """

    seconds: float
    protocol: str
    clock_off_s: float | None


def servers(settings: ProviderSettings) -> Iterator[Server]:
    """The servers of a provider's addresses, each once."""
    seen: set[Server] = set()
    for key in type(settings).model_fields:
        if key == "url" or key.endswith("_url"):
            parts = urlsplit(str(getattr(settings, key)))
            server = Server(
                parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443), parts.scheme in ("wss", "https")
            )
            if server not in seen:
                seen.add(server)
                yield server


async def reach(server: Server, ca_file: Path | None = None) -> Reached:
    """Look the name up, connect, verify the certificate, ask for nothing.

    Raises:
        TickdeckError: says which of these failed.
    """
    address = await _look_up(server)
    tls = tls_context(ca_file) if server.is_secure else None
    started = time.monotonic()
    reader, writer = await _connect(server, address, tls)
    try:
        seconds = time.monotonic() - started
        channel = writer.get_extra_info("ssl_object")
        protocol = channel.version() if channel else ""
        return Reached(seconds, protocol or "", await _clock_off_s(server, reader, writer))
    finally:
        writer.close()


async def _look_up(server: Server) -> str:
    try:
        async with asyncio.timeout(NAME_S):
            found = await in_daemon_thread(
                lambda: socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
            )
    except TimeoutError:
        raise TickdeckError(f"{server.host}: no name server answered", remedy="Check the network.") from None
    except (OSError, UnicodeError):
        remedy = "Check the network, and the address in the configuration."
        raise TickdeckError(f"{server.host}: the name is not known", remedy=remedy) from None
    return str(found[0][4][0])


async def _connect(
    server: Server, address: str, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = f"{server.host}:{server.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            return await asyncio.open_connection(
                address, server.port, ssl=tls, server_hostname=server.host if tls else None
            )
    except TimeoutError:
        raise TickdeckError(
            f"{name}: no connection within {CONNECT_S:g} s", remedy="Is a firewall or a proxy in between?"
        ) from None
    except ssl.SSLCertVerificationError as error:
        remedy = "Is something reading your traffic? A certificate of your own is trusted with ca_file."
        raise TickdeckError(f"{name}: certificate refused: {clean(error.verify_message)}", remedy=remedy) from None
    except ssl.SSLError as error:
        raise TickdeckError(
            f"{name}: no TLS: {clean(error.reason or 'unknown')}", remedy="Is the address right?"
        ) from None
    except OSError as error:
        raise TickdeckError(
            f"{name}: {clean(error.strerror or 'no connection')}", remedy="Is the address right?"
        ) from None


async def _clock_off_s(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float | None:
    """Ask for the headers of the front page, without any key, and read the time among them."""
    writer.write(
        f"HEAD / HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n\r\n".encode("idna" if False else "ascii")
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        date = next(line[5:] for line in head.split("\r\n") if line.lower().startswith("date:"))
        return (datetime.now(UTC) - parsedate_to_datetime(date.strip()).astimezone(UTC)).total_seconds()
    except (OSError, EOFError, TimeoutError, StopIteration, ValueError, TypeError, asyncio.LimitOverrunError):
        return None
