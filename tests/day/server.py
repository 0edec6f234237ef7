"""The simulator's dialects without a socket: connections are queues, REST calls are function calls, time is virtual."""

from __future__ import annotations

import asyncio
import errno
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.frames import Close

from tui.clock import NS
from tui.errors import RestError
from tui.providers.base import Channel
from tui.providers.parse import load_json
from tui.simulator.dialect import Conversation, Hangup, Reply, Request
from tui.simulator.market import STEP_NS, Change, SimulatedMarket
from tui.simulator.server import dialects

DAY_S = 86_400.0
WS, HTTP = "ws://127.0.0.1:1", "http://127.0.0.1:2"


class SparseMarket(SimulatedMarket):
    """Moves one step at a time, however much time has passed: a day of all steps would take minutes."""

    def advance(self, now_ns: int) -> list[Change]:
        self.now_ns = now_ns - STEP_NS
        return super().advance(now_ns)


class MemoryLine:
    """Both ends of a connection."""

    def __init__(self, server: MemoryServer, name: str, conversation: Conversation) -> None:
        self.name = name
        self.opened_s = server.now_s()
        self.sent_s = self.opened_s
        self.closed_s: float | None = None
        self.is_mute = False
        self.logins = 0
        self._server = server
        self._conversation = conversation
        self._inbox: deque[str] = deque()
        self._came = asyncio.Event()
        self._end: Hangup | None = None
        self.say(conversation.opened(server.now_ns()))

    async def send(self, frame: str) -> None:
        if self._end is not None:
            raise self._error()
        self._server.noted(self, frame)
        self.say(self._conversation.received(frame, self._server.now_ns()))

    async def receive(self) -> str:
        while not self._inbox:
            if self._end is not None:
                raise self._error()
            self._came.clear()
            await self._came.wait()
        return self._inbox.popleft()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.hang_up(Hangup(code, reason))

    def _error(self) -> Exception:
        assert self._end is not None
        close = Close(self._end.code, self._end.reason)
        kind = ConnectionClosedOK if self._end.code in (1000, 1001) else ConnectionClosedError
        return kind(close, close, True)

    def say(self, replies: Any) -> None:
        for reply in replies:
            if self._end is not None or self.is_mute:
                return
            self._say(reply)

    def _say(self, reply: Reply) -> None:
        if isinstance(reply, Hangup):
            self.hang_up(reply)
            return
        self.sent_s = self._server.now_s()
        self._inbox.append(reply)
        self._came.set()

    def changed(self, changes: Sequence[Change], now_ns: int) -> None:
        self.say(self._conversation.changed(changes, now_ns))

    def hang_up(self, end: Hangup) -> None:
        if self._end is None:
            self._end, self.closed_s = end, self._server.now_s()
            self._came.set()
            self._server.ended(self)


class MemoryServer:
    """All providers on one market; opens channels (`connect`) and answers REST calls (`get`, `post`).

    Attributes:
        dials: When which feed dialled.
        longest: The longest life of a connection by feed, in seconds.
        logins_of_longest: How often its login was renewed or made.
        calls: REST calls that succeeded, by method and last part of the path.
        is_refusing: Nobody listens.
        is_slamming: Connections are accepted and closed at once.
        is_mute: Connections are accepted, but nothing is said on any.
        longest_s: Older connections are cut.
    """

    def __init__(self, now_ns: Callable[[], int], market: SimulatedMarket | None = None) -> None:
        self.now_ns = now_ns
        self.market = market or SparseMarket(7, now_ns())
        self.dialects = {each.provider: each(self.market) for each in dialects()}
        self._paths = {
            path: (dialect, channel) for dialect in self.dialects.values() for path, channel in dialect.paths.items()
        }
        self.lines: set[MemoryLine] = set()
        self.newest: dict[str, MemoryLine] = {}
        self.dials: list[tuple[float, str]] = []
        self.longest: dict[str, float] = {}
        self.logins_of_longest: dict[str, int] = {}
        self.calls: Counter[str] = Counter()
        self.cut_for_age: Counter[str] = Counter()
        self.is_refusing = self.is_slamming = self.is_mute = False
        self.longest_s = DAY_S

    def now_s(self) -> float:
        return self.now_ns() / NS

    def settings(self) -> dict[str, dict[str, Any]]:
        return {name: each.settings(WS, HTTP) for name, each in self.dialects.items()}

    def credentials(self) -> dict[str, dict[str, str]]:
        return {name: dict(each.credentials) for name, each in self.dialects.items()}

    def violations(self) -> dict[str, Counter[str]]:
        return {name: each.violations for name, each in self.dialects.items() if each.violations}

    async def connect(self, channel: Channel) -> MemoryLine:
        dialect, channel_name = self._paths[urlsplit(channel.url).path]
        name = f"{dialect.provider}:{channel_name}"
        self.dials.append((self.now_s(), name))
        if self.is_refusing:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
        line = self.newest[name] = MemoryLine(self, name, dialect.conversation(channel_name))
        self.lines.add(line)
        line.is_mute = self.is_mute
        if self.is_slamming:
            line.hang_up(Hangup(1013, "try again later"))
        return line

    def noted(self, line: MemoryLine, frame: str) -> None:
        line.logins += '"/auth"' in frame

    def ended(self, line: MemoryLine) -> None:
        self.lines.discard(line)
        life_s = self.now_s() - line.opened_s
        if life_s > self.longest.get(line.name, 0.0):
            self.longest[line.name], self.logins_of_longest[line.name] = life_s, line.logins

    def step(self, *, moves: bool) -> None:
        """Let time pass, with or without a step of the market, and cut what is too old."""
        now_ns = self.now_ns()
        changes = self.market.advance(now_ns) if moves else ()
        for line in list(self.lines):
            line.changed(changes, now_ns)
            if self.now_s() - line.opened_s > self.longest_s:
                self.cut_for_age[line.name] += 1
                line.hang_up(Hangup(1001, "24 hours are over"))

    @property
    def is_ill(self) -> bool:
        return self.is_refusing or self.is_slamming or self.is_mute

    def refuse(self, on: bool) -> None:
        self.is_refusing = on
        self.drop()

    def slam(self, on: bool) -> None:
        self.is_slamming = on
        self.drop()

    def mute(self, on: bool) -> None:
        self.is_mute = on
        for line in self.lines:
            line.is_mute = on

    def drop(self) -> None:
        for line in list(self.lines):
            line.hang_up(Hangup(1006, ""))

    async def get(
        self, url: str, *, query: Mapping[str, str] = {}, headers: Mapping[str, str] = {}, timeout_s: float = 0.0
    ) -> Any:
        return self._answer("GET", url, query, headers, b"")

    async def post(
        self, url: str, *, body: Mapping[str, Any], headers: Mapping[str, str] = {}, timeout_s: float = 0.0
    ) -> Any:
        return self._answer("POST", url, {}, headers, json.dumps(dict(body)).encode())

    def _answer(self, method: str, url: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Any:
        path = urlsplit(url).path
        if self.is_refusing:
            raise RestError("cannot connect")
        dialect = next(each for each in self.dialects.values() if path.startswith(f"{each.rest_prefix}/"))
        small = {name.lower(): value for name, value in headers.items()}
        answer = dialect.rest(Request(method, path.removeprefix(dialect.rest_prefix), query, small, body))
        if answer.status >= 300:
            raise RestError(f"HTTP {answer.status}", status=answer.status)
        self.calls[f"{method} {path.rpartition('/')[2]}"] += 1
        return load_json(json.dumps(answer.body, default=str))
