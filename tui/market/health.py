"""What is known about a connection, as figures: kept by the feed, read by panes and commands."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

NS: Final = 1_000_000_000
WINDOW_S: Final = 10
GAPS: Final = 30
LEAST_SILENCE_NS: Final = 5 * NS
BURST_NS: Final = NS


@dataclass(slots=True, eq=False)
class FeedStats:
    """Counters of one feed over the life of the program.

    Attributes:
        frames: Frames received.
        bytes: Payload bytes received, after decompression.
        connects: Dials that reached an open socket.
        attempts: Dials.
        reconnects: Connections after the first.
        counts: `undecodable`, `unknown`, `gap`, `rejected`, `late`.
        latency_s: Last measured round trip, or None.
        last_frame_ns: When the last frame came, or None.
        live_since_ns: When the present login succeeded, or None while not live.
        behind_since_ns: Since when frames wait for us without a pause, or None while we keep up.
        subscriptions: How many subscriptions are wanted of it now.
        refused: Subscriptions it refused: text by subscription.
        note: Something about the plan or budget, or "".
    """

    frames: int = 0
    bytes: int = 0
    connects: int = 0
    attempts: int = 0
    reconnects: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    latency_s: float | None = None
    last_frame_ns: int | None = None
    live_since_ns: int | None = None
    behind_since_ns: int | None = None
    subscriptions: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    note: str = ""
    _gaps: deque[int] = field(default_factory=lambda: deque(maxlen=GAPS))
    _buckets: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=WINDOW_S + 1))
    _second: int = 0
    _frames: int = 0
    _bytes: int = 0

    def received(self, size: int, now_ns: int) -> None:
        """Count a frame of `size` bytes."""
        self.frames += 1
        self.bytes += size
        if (
            self.last_frame_ns is not None
            and self.live_since_ns is not None
            and self.last_frame_ns > self.live_since_ns
        ):
            self._gaps.append(now_ns - self.last_frame_ns)  # an outage says nothing of the rhythm
        self.last_frame_ns = now_ns
        second = now_ns // NS
        if second == self._second:
            self._frames += 1
            self._bytes += size
        else:
            self._buckets.append((self._second, self._frames, self._bytes))
            self._second, self._frames, self._bytes = second, 1, size

    def silent_s(self, now_ns: int) -> float:
        """Seconds without a frame while that is longer than the feed's own rhythm explains, else 0.

        The rhythm is four times the longest of the last gaps, at least five seconds: a feed that falls silent is
        noticed long before it counts as dead, and one that is quiet by nature (heartbeats only) is left alone.
        """
        if self.last_frame_ns is None or len(self._gaps) < GAPS:
            return 0.0
        silent_ns = now_ns - self.last_frame_ns
        return silent_ns / NS if silent_ns > max(LEAST_SILENCE_NS, 4 * max(self._gaps)) else 0.0

    def keeps_up(self, does: bool, now_ns: int) -> None:
        """Whether whoever reads the frames had a moment without any."""
        if does:
            self.behind_since_ns = None
        elif self.behind_since_ns is None:
            self.behind_since_ns = now_ns

    def slow_s(self, now_ns: int) -> float:
        """Seconds for which frames have come faster than they are read, when that is more than a burst, else 0."""
        behind_ns = 0 if self.behind_since_ns is None else now_ns - self.behind_since_ns
        return behind_ns / NS if behind_ns >= BURST_NS else 0.0

    def rates(self, now_ns: int) -> tuple[float, float]:
        """Frames and bytes a second over the last ten whole seconds."""
        second = now_ns // NS
        buckets = (*self._buckets, (self._second, self._frames, self._bytes))
        recent = [(frames, size) for at, frames, size in buckets if second - WINDOW_S <= at < second]
        return sum(f for f, _ in recent) / WINDOW_S, sum(s for _, s in recent) / WINDOW_S
