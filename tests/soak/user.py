"""Somebody at the keyboard who never rests: every key, symbols added and removed, panes, themes, sizes, from a seed."""

from __future__ import annotations

import asyncio
from random import Random

from textual.pilot import Pilot
from textual.widgets import Input

from tui.app import MarketApp
from tui.market.terms import FeedState
from tui.screens.main import MainScreen
from tui.screens.symbols import SymbolPrompt

SYMBOLS = (
    "TSLA", "AMD", "MSFT", "SPY", "QQQ", "SOL/USDT", "XRP/USDT", "DOGE/USDT", "NDX", "GOOGL", "ZZZQ", "BTC/XYZ",
    "AAPL 2026-12-18 200C", "btc-usdt", "NASDAQ:META", "JPM",
)  # fmt: skip
KEYS = (
    "down", "up", "down", "up", "home", "end", "s", "J", "K", "w",
    "left_square_bracket", "right_square_bracket", "plus", "minus", "i", "left", "right",
    "g", "G", "c", "j", "k", "enter", "f", "escape", "tab", "shift+tab", "1", "2", "3", "4", "5", "6",
)  # fmt: skip
SIZES = ((160, 50), (120, 36), (80, 24), (99, 45), (200, 60), (60, 15))
SIZE = SIZES[0]
MOST_SYMBOLS = 14


class User:
    """Works the dashboard.

    Args:
        app: Under test.
        pilot: Its keyboard.
        seed: The same seed, the same keys in the same order.
    """

    def __init__(self, app: MarketApp, pilot: Pilot[None], seed: int) -> None:
        self._app = app
        self._pilot = pilot
        self._random = Random(f"user/{seed}")
        self.acts = 0

    async def run(self) -> None:
        """One thing after the other until cancelled."""
        acts = (self.keys, self.keys, self.keys, self.add, self.remove, self.maximise, self.theme, self.resize)
        rare = (self.freeze, self.reconnect, self.help, self.interval)
        while True:
            await asyncio.sleep(self._random.uniform(0.2, 1.5))
            await self._random.choice(acts if self._random.random() < 0.85 else rare)()
            self.acts += 1
            await self._back()

    async def _back(self) -> None:
        """To the panes, from whatever dialog is open."""
        for _ in range(5):
            if isinstance(self._app.screen, MainScreen):
                return
            await self._pilot.press("escape")

    async def keys(self) -> None:
        """A few keys of all kinds."""
        await self._pilot.press(*self._random.choices(KEYS, k=4))

    async def add(self) -> None:
        """Type a symbol and take it, or whatever the prompt says to it."""
        if len(self._app.desk.symbols) >= MOST_SYMBOLS:
            await self.remove()
        await self._pilot.press("slash")
        if isinstance(self._app.screen, SymbolPrompt):
            self._app.screen.query_one(Input).value = self._random.choice(SYMBOLS)
            await self._pilot.press("enter")
            await asyncio.sleep(self._random.choice((0.0, 0.5)))

    async def remove(self) -> None:
        """Remove one; now and then bring it back."""
        await self._pilot.press("1", self._random.choice(("home", "end", "down")))
        if len(self._app.desk.symbols) > 3:
            await self._pilot.press("x")
            if self._random.random() < 0.3:
                await self._pilot.press("u")

    async def maximise(self) -> None:
        """A pane alone for a while."""
        await self._pilot.press(self._random.choice("123456"), "z")
        await asyncio.sleep(self._random.uniform(0.5, 4.0))
        await self._pilot.press("escape")
        if self._app.main and self._app.main.is_maximised:
            await self._pilot.press("escape")

    async def theme(self) -> None:
        """The next colours."""
        await self._pilot.press("T")

    async def resize(self) -> None:
        """Another terminal for a moment."""
        await self._pilot.resize_terminal(*self._random.choice(SIZES))
        await asyncio.sleep(self._random.uniform(0.2, 2.0))
        await self._pilot.resize_terminal(*SIZE)

    async def freeze(self) -> None:
        """Stop the screen, look, go on."""
        await self._pilot.press("p")
        await asyncio.sleep(1.0)
        await self._pilot.press("p")

    async def reconnect(self) -> None:
        """What waits for the user gets it; else impatience."""
        feeds = list(self._app.store.feeds.values())
        failed = [n for n, each in enumerate(feeds) if each.status and each.status.state is FeedState.FAILED]
        row = failed[0] if failed else self._random.randrange(len(feeds))
        await self._pilot.press("6", *["up"] * len(feeds), *["down"] * row, "R")

    async def help(self) -> None:
        """Look something up."""
        await self._pilot.press(self._random.choice(("question_mark", "f1", "ctrl+p")))

    async def interval(self) -> None:
        """Another interval from the list."""
        await self._pilot.press("2", "t", *["down"] * self._random.randrange(4), "enter")
