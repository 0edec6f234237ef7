"""Whether what comes on a connection can be read at all."""

from __future__ import annotations

from typing import Final

from tui.clock import Clock

MOST_LOST: Final = 20
LOST_S: Final = 5.0
REASON: Final = "nothing that comes can be read"
REMEDY: Final = "If it stays so, the provider has changed its messages: look for a newer tickdeck."


class Legibility:
    """Notices a connection of which nothing can be read any more.

    One message that is spoilt costs no more than itself. But what is compressed builds on what came before, so that one
    bit that turned over can spoil all that follows: frames keep coming, nothing is silent, and no figure moves. Only a
    new connection helps then.

    Args:
        clock: For how long nothing could be read.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost = 0
        self._since = 0.0

    def read(self) -> None:
        """A record was read."""
        self._lost = 0

    def lost(self, number: int) -> bool:
        """Messages could not be read. True when too many in a row, for too long, could not."""
        if not self._lost:
            self._since = self._clock.monotonic()
        self._lost += number
        return self._lost >= MOST_LOST and self._clock.monotonic() - self._since >= LOST_S
