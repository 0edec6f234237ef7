"""Write the pictures of the documentation: the program itself, on the seeded simulator, without a terminal.

    python docs/gallery.py [NAME …]

Each picture is an SVG beside this file. `make gallery` writes them all.
"""

from __future__ import annotations

import asyncio
import html
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from tui.app import MarketApp
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness
from tui.simulator.server import SimulatorServer

FOLDER: Final = Path(__file__).parent
WEB_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
TEXT: Final = re.compile(
    r'<text class="([^"]*)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)" (clip-path="[^"]*")>(.*?)</text>'
)
READY_S: Final = 20.0
Act = Callable[[MarketApp, Pilot[None]], Awaitable[None]]


@dataclass(frozen=True)
class Picture:
    """A picture: its file, the terminal's size, what is pressed first, and the theme."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "tickdeck-dark"


PICTURES: Final = (
    Picture("dashboard", (140, 45), ("down", "down", "down")),
    Picture("dashboard-light", (120, 36), ("down", "down", "down"), "tickdeck-light"),
    Picture("small", (80, 24), ("down", "down", "down", "3")),
)


async def draw(picture: Picture) -> None:
    """Run the dashboard until everything on it is live, then save what it shows."""
    async with SimulatorServer(port=0, seed=7) as simulator:
        config = Config(theme=picture.theme).with_providers(simulator.settings(), only=True)
        app = MarketApp(config, FixedSecrets(simulator.credentials()), demo=True)
        async with app.run_test(size=picture.size) as pilot:
            await pilot.press(*picture.keys)
            await _ready(app)
            svg = app.export_screenshot(title="tickdeck")
            svg = TEXT.sub(_words, WEB_FONT.sub("", svg))
            (FOLDER / f"{picture.name}.svg").write_text(svg, encoding="utf-8")
            await app.action_quit()


def _words(match: re.Match[str]) -> str:
    """Every word at its own place: not all viewers keep runs of spaces, nor have the font whose width is meant."""
    kind, x, y, length, clip, content = match.groups()
    text = html.unescape(content)
    cell = float(length) / max(len(text), 1)
    return "".join(
        f'<text class="{kind}" x="{float(x) + word.start() * cell:.1f}" y="{y}" '
        f'textLength="{len(word[0]) * cell:.1f}" {clip}>{html.escape(word[0])}</text>'
        for word in re.finditer(r"[^\s\u00a0]+", text)
    )


async def _ready(app: MarketApp) -> None:
    wanted = [Subscription(Kind.QUOTE, symbol) for symbol in app.desk.symbols]
    wanted += [Subscription(Kind.BOOK, Symbol("BTC/USDT")), Subscription(Kind.NEWS)]
    async with asyncio.timeout(READY_S):
        while not all(app.store.freshness(subscription) is Freshness.LIVE for subscription in wanted):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await asyncio.sleep(4)  # let the tape and the sparklines fill


def main(names: list[str]) -> None:
    """Draw the named pictures, or all."""
    for picture in PICTURES:
        if not names or picture.name in names:
            asyncio.run(draw(picture))


if __name__ == "__main__":
    main(sys.argv[1:])
