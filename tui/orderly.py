"""Keys do what they were struck for, in their order, from before the first frame on."""

from __future__ import annotations

from collections import deque
from typing import Final

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete

from tui.panes.base import Pane
from tui.screens.main import MainScreen

MOST_EARLY: Final = 256
"""Keys kept that were pressed before the first frame."""


class OrderlyApp(App[None]):
    """An app with one main screen that never lets a key go where a later or an earlier one was meant to go."""

    main: MainScreen | None = None

    def __init__(self) -> None:
        self._early: deque[events.Key] | None = deque()
        super().__init__()

    async def catch_up(self) -> None:
        """Work off the keys that could not wait for the first frame; from here on none waits."""
        while self._early:
            await self._work_off(self._early.popleft())
        self._early = None

    async def on_event(self, event: events.Event) -> None:
        """Let keys wait while there is nothing that they could be meant for, and go nowhere when all has gone."""
        if isinstance(event, events.InputEvent) and not self.screen_stack:
            return
        if isinstance(event, events.Key) and self._early is not None and not event.is_forwarded:
            if len(self._early) < MOST_EARLY:
                self._early.append(event)
            return
        await self._work_off(event)

    async def _work_off(self, event: events.Event) -> None:
        """Work keys of the dashboard off in their order, each before the next is looked at.

        Textual hands a key to the focused widget, and it comes back from there for its binding while the next one is
        on its way already: what is typed right behind a key that opens a prompt would still go where it went before.
        """
        if isinstance(event, events.Key) and not event.is_forwarded and self.app_focus and await self._does(event):
            return
        await super().on_event(event)

    async def _does(self, key: events.Key) -> bool:
        if self.main is None or not self.main.is_active:
            return False
        if isinstance(self.focused, Pane) and self.focused.takes(key.key, key.character):
            return True
        active = self.main.active_bindings.get(key.key)
        return active is not None and await self.run_action(active.binding.action, active.node)

    def pop_screen(self) -> AwaitComplete:
        """Close a dialog, but never the dashboard.

        A key that is struck twice closes a dialog twice when the loop is busy, and Textual would close what is below.
        """
        return AwaitComplete() if self.screen is self.main else super().pop_screen()
