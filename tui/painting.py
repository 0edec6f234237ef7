"""Drawing a frame one pane after the other, so that a key never waits for all of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Final, Protocol

from tui.clock import Clock

KEY_S: Final = 0.012
"""How long a frame makes way for a key: about what it takes until its answer is on the screen."""


class Surface(Protocol):
    """What is painted on."""

    def batch_update(self) -> AbstractContextManager[None]:
        """Hold back what is drawn until the end."""

    def flush(self) -> None:
        """Show what was drawn."""


class Painter:
    """Draws frames.

    What is drawn of a frame comes to the screen together. Only where a key was pressed meanwhile, what has been drawn
    so far comes at once, then the key is answered, then the rest follows.

    Args:
        surface: The app.
        clock: Timers.
    """

    def __init__(self, surface: Surface, clock: Clock) -> None:
        self._surface = surface
        self._clock = clock
        self._pressed = -KEY_S

    def key_pressed(self) -> None:
        """Called in the thread that reads the keyboard, before anybody else knows of the key."""
        self._pressed = self._clock.monotonic()

    async def paint(self, draws: Iterable[Callable[[], None]]) -> None:
        """Call all of them, one in a turn of the loop."""
        left = deque(draws)
        while left:
            with self._surface.batch_update():
                await self._paint_some(left)
            self._surface.flush()
            if left:
                await asyncio.sleep(KEY_S)

    async def _paint_some(self, left: deque[Callable[[], None]]) -> None:
        """One at least, or a held key would stop the rest of the screen."""
        while left:
            left.popleft()()
            await asyncio.sleep(0)
            if self._clock.monotonic() - self._pressed < KEY_S:
                return
