"""The text `ping` of both sockets and what its answers say (protocol reference 6)."""

from __future__ import annotations

from typing import Final

from tui.clock import NS
from tui.providers.base import Latency, Send

FIRST_S: Final = 16
"""A first ping this early proves the link soon and stays 15 s away from the last one of the connection before."""
EVERY_S: Final = 25
ANSWER_S: Final = 16
"""Pings less than 15 s apart may trip the limiter; the way to the server is not always equally long."""
MOST_MISSED: Final = 2


class Keepalive:
    """When to ping, how long the answer took, and how many pings met with silence."""

    def __init__(self) -> None:
        self._due_ns: int | None = None
        self._sent_ns: int | None = None
        self._heard_since_ping = True
        self.missed = 0
        """Pings in a row after which nothing at all came for `ANSWER_S`."""

    def opened(self, now_ns: int) -> None:
        """The socket is open."""
        self._due_ns = now_ns + FIRST_S * NS

    def heard(self) -> None:
        """A frame came, whatever it was."""
        self._heard_since_ping = True
        self.missed = 0

    def pong(self, now_ns: int) -> list[Latency]:
        """The answer to a ping: the round trip, once per ping."""
        sent_ns, self._sent_ns = self._sent_ns, None
        return [] if sent_ns is None else [Latency(max(now_ns - sent_ns, 0) / NS)]

    def ticked(self, now_ns: int) -> list[Send]:
        """The ping that is due, if one is."""
        if self._due_ns is None:
            return []
        if not self._heard_since_ping and now_ns >= self._due_ns - (EVERY_S - ANSWER_S) * NS:
            self._heard_since_ping = True  # count this ping once
            self.missed += 1
            self._due_ns = now_ns  # ask again at once
        if now_ns < self._due_ns or self.is_dead:
            return []
        self._due_ns, self._sent_ns = now_ns + EVERY_S * NS, now_ns
        self._heard_since_ping = False
        return [Send("ping", "ping")]

    @property
    def is_dead(self) -> bool:
        """Whether two pings in a row met with silence."""
        return self.missed >= MOST_MISSED
