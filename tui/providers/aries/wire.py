"""The wire of all three sockets: frames into lines, and the requests a client sends (sections 2, 3, 5, 6, 7, 10)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]
"""One entry of a subscription: `{"symbol": "AAPL", "quoteFields": ["bidPrice"]}` or `{"topic": "news"}`."""

HIDDEN = "[hidden]"


def lines(frame: str | bytes) -> Iterator[str]:
    """The JSON texts of a frame: newline-delimited, empty lines skipped (2.1)."""
    text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
    for line in text.split("\n"):
        if stripped := line.strip():
            yield stripped


def auth(request_id: str, token: str) -> str:
    """The first frame on every socket (3.1), as the seed has it.

    `{"type": "request", "id": "auth-1", "payload": {"method": "POST", "path": "/auth", "body": {"token": "eyJ…"}}}`
    """
    return _request(request_id, "POST", {"token": token})


def auth_fallback(request_id: str, token: str) -> str:
    """The other documented spelling, for a server that does not know the first one (3.1)."""
    return _request(request_id, "post", {"action": "auth", "token": token})


def subscribe(request_id: str, payload: Sequence[Item] | Item) -> str:
    """`{"type": "subscribe", "id": "sub-1", "payload": [{"symbol": "AAPL", "quoteFields": ["bidPrice"]}]}` (5.2)."""
    return _dump({"type": "subscribe", "id": request_id, "payload": payload})


def unsubscribe(request_id: str, payload: Sequence[Item] | Item) -> str:
    """`{"type": "unsubscribe", "id": "unsub-1", "payload": [{"symbol": "AAPL"}]}` (5.3)."""
    return _dump({"type": "unsubscribe", "id": request_id, "payload": payload})


def ping(request_id: str) -> str:
    """`{"type": "ping", "id": "ping-17"}` (10)."""
    return _dump({"type": "ping", "id": request_id})


def _request(request_id: str, method: str, body: Item) -> str:
    payload = {"method": method, "path": "/auth", "body": body}
    return _dump({"type": "request", "id": request_id, "payload": payload})


def _dump(message: Item) -> str:
    return json.dumps(message, separators=(",", ":"))
