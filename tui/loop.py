"""The event loop of commands that stay: uvloop's where it is installed, which takes less CPU when much comes in."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar

T = TypeVar("T")

VARIABLE: Final = "TICKDECK_UVLOOP"
"""Set to 0 in the environment, it keeps the standard library's loop even where uvloop is installed."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, on the loop that is best here."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes uvloop's loop; None, which stands for the standard library's, without it or when it is not wanted."""
    if os.environ.get(VARIABLE) == "0":
        return None
    try:
        import uvloop
    except ImportError:
        return None

    class Loop(uvloop.Loop):
        """Asks `getaddrinfo` for addresses, as loops of the standard library do, so that `use_daemon_lookups` holds.

        uvloop itself looks names up in threads of its library, and the end of the program waits for them.
        """

        async def create_connection(
            self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
        ) -> Any:
            """Look the name up and connect, then go on as uvloop does with a connected socket."""
            if host is None or options.get("local_addr"):
                return await super().create_connection(protocol_factory, host, port, **options)
            found = await self.getaddrinfo(
                host,
                port,
                family=options.pop("family", 0),
                type=socket.SOCK_STREAM,
                proto=options.pop("proto", 0),
                flags=options.pop("flags", 0),
            )
            if options.get("ssl"):
                options.setdefault("server_hostname", host)
            sock = await _connected(self, found)
            try:
                return await super().create_connection(protocol_factory, sock=sock, **options)
            except BaseException:
                sock.close()
                raise

    return Loop


async def _connected(loop: asyncio.AbstractEventLoop, found: Iterable[tuple[Any, ...]]) -> socket.socket:
    """A socket to the first address that answers. Raises what the first that did not answer said."""
    errors: list[OSError] = []
    for family, kind, proto, _, address in found:
        sock = socket.socket(family, kind, proto)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            errors.append(error)
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise errors[0] if errors else OSError("the look-up brought no address")
