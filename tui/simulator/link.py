"""One client's connection: its conversation, an outbox with a bound, and what a bad network does to it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Final

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tui.simulator.dialect import Conversation, Hangup, Reply

if TYPE_CHECKING:
    from tui.simulator.market import Change

logger = logging.getLogger(__name__)

MAX_WAITING: Final = 8 * 1024 * 1024
"""Characters that may wait for a client that reads too slowly."""
_CUT_FRAME: Final = b"\x81\x7e\x10\x00" + b'{"cut'
"""A text frame that announces 4096 bytes and holds five."""
_NO_FRAME: Final = b"\xff\xffHTTP/1.1 200 OK\r\n\r\n"
"""Bytes that are no WebSocket frame: reserved bits and a reserved opcode."""


_numbers = count(1)


class Link:
    """The server's end of one connection.

    Nothing here waits for the client but the sender task: what the conversation says goes to the outbox, and a client
    that lets `MAX_WAITING` characters pile up is closed with 1013.

    Args:
        socket: The accepted connection.
        conversation: What to say.
        provider: Whose protocol it is.
        channel: Which of its channels.
        now_ns: UTC nanoseconds.

    Attributes:
        number: Counts all links of the process.
        is_frozen: Half open at present.
        is_ending: Nothing more will be said.
    """

    def __init__(
        self,
        socket: ServerConnection,
        conversation: Conversation,
        provider: str,
        channel: str,
        now_ns: Callable[[], int],
    ) -> None:
        self.provider = provider
        self.channel = channel
        self.number = next(_numbers)
        self.is_frozen = False
        self.is_ending = False
        self._socket = socket
        self._conversation = conversation
        self._now_ns = now_ns
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[tuple[float, Reply]] = deque()
        self._filled = asyncio.Event()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._waiting = 0
        self._latency_s = 0.0
        self._cuts_next = False
        self._closing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Talk until either side closes."""
        sender = asyncio.create_task(self._send_all(), name=f"simulator sender {self.provider}:{self.channel}")
        try:
            self._say(lambda: self._conversation.opened(self._now_ns()))
            async for frame in self._socket:
                self._received(frame)
        except ConnectionClosed:
            pass
        finally:
            self.is_ending = True
            sender.cancel()
            await asyncio.wait({sender})

    def changed(self, changes: Sequence[Change], now_ns: int) -> None:
        """Pass on a step of the market."""
        self._say(lambda: self._conversation.changed(changes, now_ns))

    def abort(self) -> None:
        """Cut the connection without a close frame."""
        self.thaw()
        self.is_ending = True
        self._socket.transport.abort()

    def hang_up(self, code: int, reason: str = "") -> None:
        """Close with a code; what still waits to be sent is lost."""
        self.thaw()
        self.is_ending = True
        self._outbox.clear()
        self._closing = self._loop.create_task(self._socket.close(code, reason), name="simulator close")

    def freeze(self) -> None:
        """Go half open: nothing is sent or read any more, not even pings, until `thaw`."""
        self.is_frozen = True
        self._thawed.clear()
        self._socket.transport.pause_reading()

    def thaw(self) -> None:
        """End a freeze."""
        if self.is_frozen:
            self.is_frozen = False
            self._thawed.set()
            self._socket.transport.resume_reading()

    def delay(self, latency_s: float) -> None:
        """Send every frame this much later from now on; 0 ends it."""
        self._latency_s = latency_s

    def insert(self, frame: str) -> None:
        """Send a frame that the protocol does not know."""
        if not self.is_ending:
            self._put(frame)

    def cut_next(self) -> None:
        """Send only the first half of the next frame's text: a message cut by a broken proxy."""
        self._cuts_next = True

    def garble(self, *, is_cut: bool) -> None:
        """Send bytes that break the framing: a frame that ends too early (and then the connection), or no frame."""
        self.is_ending = True
        self._socket.transport.write(_CUT_FRAME if is_cut else _NO_FRAME)
        if is_cut:
            self._socket.transport.close()

    def _received(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self._say(lambda: self._conversation.received(frame, self._now_ns()))
        else:
            self.hang_up(1003, "text frames only")

    def _say(self, speak: Callable[[], Iterable[Reply]]) -> None:
        """Put what the conversation answers into the outbox; an error in it ends this connection only."""
        if self.is_ending:
            return
        try:
            for reply in speak():
                self._put(reply)
                if isinstance(reply, Hangup):
                    self.is_ending = True
                    return
        except Exception:
            logger.exception("conversation on %s:%s failed", self.provider, self.channel)
            self.hang_up(1011, "internal error")

    def _put(self, reply: Reply) -> None:
        if isinstance(reply, str):
            if self._cuts_next:
                self._cuts_next = False
                reply = reply[: len(reply) // 2]
            self._waiting += len(reply)
            if self._waiting > MAX_WAITING:
                self.hang_up(1013, "too slow")
                return
        self._outbox.append((self._loop.time() + self._latency_s, reply))
        self._filled.set()

    async def _send_all(self) -> None:
        try:
            while True:
                while self._outbox:
                    await self._send_next()
                self._filled.clear()
                await self._filled.wait()
        except ConnectionClosed:
            return

    async def _send_next(self) -> None:
        due, reply = self._outbox.popleft()
        if (early := due - self._loop.time()) > 0:
            await asyncio.sleep(early)
        await self._thawed.wait()
        if isinstance(reply, Hangup):
            await self._socket.close(reply.code, reply.reason)
            return
        self._waiting -= len(reply)
        await self._socket.send(reply)
