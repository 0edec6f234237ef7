"""The seam between the simulator's server and the providers' dialects: server sides of the protocols, without I/O.

A provider's `simulator.py` holds its `Dialect`. The server owns sockets, the market's clock and transport faults;
a dialect turns requests and market changes into the frames that the real provider would send, and counts what a
client does wrong.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from tui.simulator.market import Change, SimulatedMarket


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection after what has been sent so far."""

    code: int = 1000
    reason: str = ""


Reply = str | Hangup
"""A text frame to send, or the end of the connection."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. Header names are in lower case; `query` holds the last value of each name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer; `body` is sent as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Conversation(ABC):
    """The server's side of one connection.

    The server calls `opened` once, `received` for each text frame, `changed` after each step of the market (about
    ten times a second, also with no changes), and sends what they answer in order.
    """

    @abstractmethod
    def opened(self, now_ns: int) -> Iterable[Reply]:
        """The upgrade has succeeded."""

    @abstractmethod
    def received(self, frame: str, now_ns: int) -> Iterable[Reply]:
        """The client sent a text frame."""

    @abstractmethod
    def changed(self, changes: Sequence[Change], now_ns: int) -> Iterable[Reply]:
        """The market moved, or just time passed."""


class Dialect(ABC):
    """One provider's server: its sockets and its REST calls, on a simulated market.

    Attributes:
        violations: What clients did that the protocol forbids, by a short name (`ping too soon`).
    """

    provider: ClassVar[str]
    paths: ClassVar[Mapping[str, str]]
    """URL path to channel name: `{"/insightsentry/live": "live"}`."""
    rest_prefix: ClassVar[str]
    """REST paths of this provider start with this: `/insightsentry`."""
    credentials: ClassVar[Mapping[str, str]]
    """Credential field to the value that this simulator accepts."""

    def __init__(self, market: SimulatedMarket) -> None:
        self.market = market
        self.violations: Counter[str] = Counter()

    @abstractmethod
    def conversation(self, channel: str) -> Conversation:
        """A new connection to a channel."""

    @abstractmethod
    def rest(self, request: Request) -> Response:
        """Answer an HTTP request; the path is without `rest_prefix`."""

    @classmethod
    @abstractmethod
    def settings(cls, ws_base: str, http_base: str) -> dict[str, Any]:
        """The provider's settings that point at a simulator: `ws_base` is like `ws://127.0.0.1:8765`."""
