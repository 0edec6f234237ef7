"""Trouble on request: what goes wrong with the simulator's connections, when, drawn from a seed.

=============  ======================================================================  =================
fault          what the client sees                                                    lasts
=============  ======================================================================  =================
`drop`         the connection is reset, or closed with 1001 or 1013                    at once
`refuse`       the same, and every new upgrade gets HTTP 503 with `Retry-After`        3 to 8 s
`freeze`       half open: the socket stays, nothing comes, pings are not answered      20 to 60 s
`slow`         every frame 0.3 to 2 s late                                             10 to 30 s
`garble`       bytes that are no WebSocket frame, or a frame that ends too early       at once
`noise`        one frame of undecodable text, or the next frame cut in half            one frame
`headline`     news with escape sequences, markup, direction tricks                    one item
=============  ======================================================================  =================

`some` brings one every 30 to 60 s, `many` one every 5 to 10 s, each on one channel, chosen anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from tui.simulator.records import NewsPublished, SimNews


class FaultLevel(StrEnum):
    """How much goes wrong."""

    NONE = "none"
    SOME = "some"
    MANY = "many"


class FaultKind(StrEnum):
    """What goes wrong; see the table above."""

    DROP = "drop"
    REFUSE = "refuse"
    FREEZE = "freeze"
    SLOW = "slow"
    GARBLE = "garble"
    NOISE = "noise"
    HEADLINE = "headline"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What.
        seconds: How long it lasts; 0 for what is over at once.
        draw: From 0 up to, not including, 1: picks the connection and the variant.
    """

    kind: FaultKind
    seconds: float
    draw: float


_PAUSES_S: Final = {FaultLevel.SOME: (30.0, 60.0), FaultLevel.MANY: (5.0, 10.0)}
_LASTS_S: Final = {FaultKind.REFUSE: (3.0, 8.0), FaultKind.FREEZE: (20.0, 60.0), FaultKind.SLOW: (10.0, 30.0)}

NOISE: Final = (
    '{"type":"quote","price":',
    "\x00\x1b[31mnot json\x1b[0m",
    "[[[[[[[[[[1,2,3]]]]]]]]]]",
    '{"price":NaN,"size":1e400,"symbol":null}',
    '"' + "x" * 4096 + '"',
    '{"title":"half a pair \\ud83d","type":"\\ud83d"}',
    "",
)
"""Frames that no protocol knows."""

HEADLINES: Final = (
    "\x1b]52;c;cHduZWQ=\x07Clipboard maker \x1b[2J\x1b[31mlifts outlook\x1b[0m",
    "[bold red on white]Markup[/bold red on white] firm says [@click=app.quit]click here[/] [/] [Q3",
    "Profit \u202etsol\u202c and \u2066found\u2069 again\u200b at Zero Width Holdings",
    "Linefeed Inc.\r\n\tbreaks\x00 out\x7f of its\x9b31m range\u2028today",
    "Z" + "\u0301" * 40 + "algo Corp \U0001f680\U0001f468\u200d\U0001f469\u200d\U0001f467 rises",
    "A very long " + "very " * 400 + "long headline",
)
"""Titles that try to reach the terminal, the markup parser, or the reader's eye."""


class FaultPlan:
    """When something goes wrong, and what.

    Args:
        level: How much.
        seed: The same seed, the same faults after the same times.
        now_ns: When it begins.
    """

    def __init__(self, level: FaultLevel, seed: int, now_ns: int) -> None:
        self._random = Random(f"faults/{seed}")
        self._pause_s = _PAUSES_S.get(level)
        self._next_ns = now_ns
        self._schedule()

    def due(self, now_ns: int) -> Iterator[Fault]:
        """Yield what goes wrong up to now."""
        while self._pause_s is not None and now_ns >= self._next_ns:
            self._schedule()
            kind = self._random.choice(list(FaultKind))
            shortest, longest = _LASTS_S.get(kind, (0.0, 0.0))
            yield Fault(kind, self._random.uniform(shortest, longest), self._random.random())

    def _schedule(self) -> None:
        if self._pause_s is not None:
            self._next_ns += int(self._random.uniform(*self._pause_s) * 1e9)


def hostile_news(number: int, now_ns: int) -> NewsPublished:
    """Make an item of news that must arrive as harmless text."""
    title = HEADLINES[number % len(HEADLINES)]
    return NewsPublished(
        SimNews(
            id=9_000_000 + number,
            ns=now_ns,
            title=title,
            content=title,
            publisher="\x1b[7mWire\x1b[0m",
            link=f"javascript:alert({number})" if number % 2 else f"https://news.example/{number}\x1b]8;;x",
            symbols=("AAPL",),
        )
    )
