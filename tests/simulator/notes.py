"""A dialect of three words, to test the server without any provider: `hello`, `add A B`, `changes`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from tui.simulator.dialect import Conversation, Dialect, Hangup, Reply, Request, Response
from tui.simulator.market import Change, NewsPublished


class NotesDialect(Dialect):
    provider: ClassVar[str] = "notes"
    paths = {"/notes/a": "a", "/notes/b": "b"}
    rest_prefix = "/notes"
    credentials = {"api_key": "demo-notes"}

    def conversation(self, channel: str) -> Conversation:
        return NotesConversation(self, channel)

    def rest(self, request: Request) -> Response:
        match request.path:
            case "/echo":
                body = request.body.decode()
                return Response({"method": request.method, "query": dict(request.query), "body": body})
            case "/teapot":
                return Response({"error": "short"}, status=418, headers={"X-Kind": "stout"})
            case "/broken":
                raise RuntimeError("no such thing")
        return Response({"error": "unknown"}, status=404)

    @classmethod
    def settings(cls, ws_base: str, http_base: str) -> dict[str, Any]:
        return {"url": f"{ws_base}/notes/a", "http_url": f"{http_base}/notes", "exchanges": ["x", "y"], "limit": 3}


class NotesConversation(Conversation):
    def __init__(self, dialect: NotesDialect, channel: str) -> None:
        self.dialect = dialect
        self.channel = channel
        self.floods = False

    def opened(self, now_ns: int) -> Iterable[Reply]:
        yield f"hello on {self.channel}"

    def received(self, frame: str, now_ns: int) -> Iterable[Reply]:
        match frame.split():
            case ["add", left, right]:
                yield str(int(left) + int(right))
            case ["flood"]:
                self.floods = True
            case ["leave"]:
                yield "goodbye"
                yield Hangup(4001, "asked to leave")
            case _:
                self.dialect.violations["unknown word"] += 1

    def changed(self, changes: Sequence[Change], now_ns: int) -> Iterable[Reply]:
        if self.floods:
            yield "x" * 1_000_000
        for change in changes:
            if isinstance(change, NewsPublished):
                yield change.news.title
        yield f"tick {len(changes)}"
