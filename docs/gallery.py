"""Write the pictures of the documentation: the program itself, on the seeded simulator, without a terminal.

    python docs/gallery.py [NAME …]

Each picture is an SVG beside this file; `book` stands for all of the order book's. `make gallery` writes them all, in
about four minutes: a heatmap takes its time.
"""

from __future__ import annotations

import asyncio
import html
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.segment import Segment, Segments

from tui.app import MarketApp
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.market.book import touch
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness
from tui.simulator.server import SimulatorServer

FOLDER: Final = Path(__file__).parent
WEB_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
TEXT: Final = re.compile(
    r'<text class="([^"]*)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)" clip-path="[^"]*">(.*?)</text>'
)
ROW_CLIP: Final = re.compile(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', re.DOTALL)
UNIQUE: Final = re.compile(r"terminal-\d+")
BLOCKS: Final = "▁▂▃▄▅▆▇█"
ASCENT: Final = 18.5
ROW: Final = 24.65
"""From the top of a cell to the base line of its text, and its height, as Rich lays them out."""
READY_S: Final = 20.0
HEAT_S: Final = 80.0
BTC: Final = Symbol("BTC/USDT")


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
            _save(picture.name, app.export_screenshot(title="tickdeck"))
            await app.action_quit()


async def draw_book() -> None:
    """Take the order book's pictures one after the other: a stock over time, then a pair in all its states."""
    async with SimulatorServer(port=0, seed=7) as simulator:
        config = Config().with_providers(simulator.settings(), only=True)
        app = MarketApp(config, FixedSecrets(simulator.credentials()), demo=True)
        async with app.run_test(size=(160, 50)) as pilot:
            await _ready(app)
            await pilot.press("3", "m", "m")
            await asyncio.sleep(HEAT_S)
            _save_pane("book-heatmap", app, 84, 42)
            await pilot.press("1", "down", "down", "down", "3", "m")
            await _live(app, Subscription(Kind.BOOK, BTC))
            await asyncio.sleep(30)
            _save_pane("book-ladder", app, 72, 40)
            _save_pane("book-large", app, 80, 60)
            _save_pane("book-small", app, 40, 12)
            await pilot.press("dollar_sign", *"2.5", "enter")
            _save_pane("book-cost", app, 72, 32)
            await pilot.press("escape", "m")
            _save_pane("book-depth", app, 84, 34)
            await pilot.press("m", "m")
            await _until(lambda: _is_crossed(app), 240)
            _save_pane("book-crossed", app, 72, 22)
            await _until(lambda: not _is_crossed(app), 60)
            simulator.freeze("quantcite", seconds=60)
            await _until(lambda: app.store.freshness(Subscription(Kind.BOOK, BTC)) is Freshness.STALE, 60)
            _save_pane("book-stale", app, 72, 22)
            await app.action_quit()


def _is_crossed(app: MarketApp) -> bool:
    state = app.store.book(BTC)
    return state is not None and touch(state.book).is_crossed


def _save_pane(name: str, app: MarketApp, width: int, height: int) -> None:
    """The book pane alone, as it looks at a size."""
    assert app.main
    pane = app.main.pane("book")
    base, rows = pane.base(), pane.lines(width, height)
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor", record=True)
    segments = [segment for row in rows for segment in (*row.strip(width, base), Segment.line())]
    console.print(Segments(segments), end="")
    _save(name, console.export_svg(title="tickdeck"))


def _save(name: str, svg: str) -> None:
    svg = ROW_CLIP.sub("", TEXT.sub(_words, WEB_FONT.sub("", svg)))
    (FOLDER / f"{name}.svg").write_text(UNIQUE.sub("t", svg), encoding="utf-8")


def _words(match: re.Match[str]) -> str:
    """Every word at its own place: not all viewers keep runs of spaces, nor have the font whose width is meant."""
    kind, left, base, length, content = match.groups()
    text = html.unescape(content)
    x, y, cell = float(left), float(base), float(length) / max(len(text), 1)
    out = []
    for word in re.finditer(r"[▀▁▂▃▄▅▆▇█]+|[^\s\u00a0▀▁▂▃▄▅▆▇█]+", text):
        at = x + word.start() * cell
        if word[0][0] in BLOCKS + "▀":
            out.append(_blocks(kind, at, y - ASCENT, cell, word[0]))
        else:
            size = f'textLength="{len(word[0]) * cell:.1f}"'
            out.append(f'<text class="{kind}" x="{at:.1f}" y="{y}" {size}>{html.escape(word[0])}</text>')
    return "".join(out)


def _blocks(kind: str, x: float, top: float, cell: float, text: str) -> str:
    """Block characters as what they are, rectangles: in many fonts they leave gaps."""
    out = []
    for char, run in groupby(text):
        width = cell * len(list(run))
        height = ROW / 2 if char == "▀" else ROW * (BLOCKS.index(char) + 1) / 8
        y = top if char == "▀" else top + ROW - height
        out.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>')
        x += width
    return "".join(out)


async def _ready(app: MarketApp) -> None:
    wanted = [Subscription(Kind.QUOTE, symbol) for symbol in app.desk.symbols]
    assert app.main
    wanted += [*app.main.pane("book").wants(), Subscription(Kind.NEWS)]
    await _live(app, *wanted)
    await asyncio.sleep(4)  # let the tape and the sparklines fill


async def _live(app: MarketApp, *wanted: Subscription) -> None:
    await _until(lambda: all(app.store.freshness(one) is Freshness.LIVE for one in wanted), READY_S)


async def _until(holds: Callable[[], bool], limit_s: float) -> None:
    async with asyncio.timeout(limit_s):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def main(names: list[str]) -> None:
    """Draw the named pictures, or all."""
    for picture in PICTURES:
        if not names or picture.name in names:
            asyncio.run(draw(picture))
    if not names or "book" in names:
        asyncio.run(draw_book())


if __name__ == "__main__":
    main(sys.argv[1:])
