"""Twenty books a second of two hundred levels a side, frame by frame as a terminal gets them.

Nothing may flicker, jump or come late: what is written in a frame is read from the bytes themselves.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from random import Random
from typing import Any

import pyte
import pytest
from pyte.screens import Char
from textual import events
from textual.app import App, ComposeResult

from tests.conftest import until
from tests.panes.conftest import set_feed
from tests.recorder import Recorder
from tui.clock import ManualClock
from tui.market.events import BookSnapshot
from tui.market.names import Kind, Subscription, parse_symbol
from tui.market.terms import FeedState, Level
from tui.panes.base import Desk
from tui.panes.book import BookPane

BTC = parse_symbol("BTC/USDT")
WANTED = Subscription(Kind.BOOK, BTC)
FEED = "quantcite:book"
VENUES = ("binance", "okx", "bybit", "kraken", "coinbase")
LEVELS, PER_SECOND = 200, 20
TICK = Decimal("0.1")
COLUMNS, ROWS = 100, 50
Cell = tuple[int, int]


class Paper(pyte.Screen):
    """A terminal's screen that remembers what was written to each cell since `fresh`."""

    def __init__(self) -> None:
        self.written: dict[Cell, list[Char]] = {}
        self.before: dict[int, dict[int, Char]] = {}
        self.erased = 0
        super().__init__(COLUMNS, ROWS)

    def fresh(self) -> None:
        self.written, self.before, self.erased = {}, {}, 0

    def draw(self, data: str) -> None:
        for character in data:
            y, x = self.cursor.y, self.cursor.x
            self.before.setdefault(y, dict(self.buffer[y]))
            super().draw(character)
            self.written.setdefault((y, x), []).append(self.buffer[y][x])

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        self.erased += 1
        super().erase_in_display(how, *args, **kwargs)

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        self.erased += 1
        super().erase_in_line(how, private)


class Frame:
    """What one frame did to the screen."""

    def __init__(self, paper: Paper, size: int) -> None:
        self.size = size
        self.erased = paper.erased
        self.written = set(paper.before)
        self.changed = {y for y, row in paper.before.items() if row != dict(paper.buffer[y])}
        self.flickered = [
            (y, x) for (y, x), chars in paper.written.items() if any(char != paper.buffer[y][x] for char in chars)
        ]
        self.display = list(paper.display)

    def row_of_cursor(self) -> int | None:
        return next((y for y, text in enumerate(self.display) if text.startswith("│▌")), None)

    def price_of_cursor(self) -> str:
        y = self.row_of_cursor()
        return "" if y is None else next(word for word in self.display[y].split() if word.startswith("97,"))

    def point_columns(self) -> set[int]:
        """Where the decimal points of the ladder's prices are."""
        found = [re.search(r"97,\d+(?=\.\d+ +[A-Z·]{5} +[+-]\d\.\d\d *│$)", text) for text in self.display]
        return {match.end() for match in found if match}


class Sheet:
    """Frames as they are written."""

    def __init__(self) -> None:
        self.paper = Paper()
        self._stream = pyte.Stream(self.paper)
        self._waiting = ""
        self.frames: list[Frame] = []

    def write(self, data: str) -> None:
        self._waiting += data

    def flush(self) -> None:
        data, self._waiting = self._waiting, ""
        self.paper.fresh()
        self._stream.feed(data)
        if self.paper.written:
            self.frames.append(Frame(self.paper, len(data.encode())))


class Shown(App[None]):
    """A pane alone on the screen."""

    def __init__(self, pane: BookPane) -> None:
        self.sheet = Sheet()
        self.pane = pane
        super().__init__(driver_class=Recorder)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.styles.width, self.pane.styles.height = "100%", "100%"
        self.pane.focus()


class Stream:
    """A market of two hundred levels a side in which twenty times a second some sizes change, and the mid a little."""

    def __init__(self, desk: Desk, clock: ManualClock) -> None:
        self.store, self._clock, self._random, self._moves = desk.store, clock, Random(11), 0
        self._sizes: dict[Decimal, Decimal] = {}
        self._mid = Decimal("97200.0")

    def next(self) -> None:
        """The next book."""
        self._clock.advance(1 / PER_SECOND)
        self._mid += TICK * self._random.choice((-1, 0, 0, 0, 1))
        self._mid = min(max(self._mid, Decimal("97199.5")), Decimal("97200.5"))
        for _ in range(6):
            self._sizes[self._mid + TICK * self._random.randint(-20, 20)] = self._size()
        book = BookSnapshot(
            source="quantcite", ts_recv_ns=self._clock.now_ns(), symbol=BTC, venues=VENUES,
            bids=self._side(-TICK), asks=self._side(TICK),
        )  # fmt: skip
        self.store.apply(book)

    def _side(self, step: Decimal) -> tuple[Level, ...]:
        prices = [self._mid + n * step for n in range(1, LEVELS + 1)]
        return tuple(
            (price, self._sizes.setdefault(price, self._size()), VENUES[: int(price * 10) % 5 + 1]) for price in prices
        )

    def _size(self) -> Decimal:
        return Decimal(self._random.randint(1000, 4999)) / 1000


class Run:
    """A pane on the stream."""

    def __init__(self, app: Shown, stream: Stream) -> None:
        self.app, self.stream, self.pane, self.frames = app, stream, app.pane, app.sheet.frames

    async def update(self) -> Frame:
        """One book, drawn as the dashboard draws; the frame it makes."""
        count = len(self.frames)
        self.stream.next()
        changes = self.stream.store.drain()
        assert self.pane.is_touched_by(changes)
        with self.app.batch_update():
            self.pane.draw()
        self.app.screen.check_idle()
        await until(lambda: len(self.frames) > count)
        return self.frames[-1]

    async def press(self, key: str, character: str | None = None) -> int:
        """A key that comes between two books; the number of the next frame after it was done."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def note(method: Callable[[], None]) -> Callable[[], None]:
            def redraw() -> None:
                method()
                if not done.done():
                    done.set_result(len(self.frames))

            return redraw

        self.pane.redraw = note(type(self.pane).redraw.__get__(self.pane))  # type: ignore[method-assign]
        self.app.post_message(events.Key(key, character))
        try:
            number = await asyncio.wait_for(done, 30)
        finally:
            del self.pane.redraw
        await until(lambda: len(self.frames) > number)
        return number


@asynccontextmanager
async def running(desk: Desk, clock: ManualClock) -> AsyncIterator[Run]:
    set_feed(desk.store, FEED, FeedState.LIVE, WANTED)
    pane = BookPane(desk)
    app, stream = Shown(pane), Stream(desk, clock)
    stream.next()
    pane.symbol = BTC
    task = asyncio.create_task(app.run_async(headless=False, size=(COLUMNS, ROWS)))
    try:
        await until(lambda: bool(app.sheet.frames) and "Book" in app.sheet.paper.display[0])
        run = Run(app, stream)
        for _ in range(5):  # widths of columns are found
            await run.update()
        app.sheet.frames.clear()
        yield run
    finally:
        app.exit()
        await task


@pytest.fixture
async def run(desk: Desk, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Run]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    async with running(desk, clock) as run:
        yield run


async def test_only_rows_that_changed_are_written_and_no_cell_flickers(run: Run) -> None:
    for _ in range(2 * PER_SECOND):
        await run.update()
    for frame in run.frames:
        assert frame.erased == 0
        assert frame.written == frame.changed
        assert frame.flickered == []
    full = COLUMNS * ROWS
    assert min(len(frame.written) for frame in run.frames) < ROWS * 2 / 3
    assert max(frame.size for frame in run.frames) < 12 * full


async def test_columns_stay_where_they_are(run: Run) -> None:
    places = [(await run.update()).point_columns() for _ in range(2 * PER_SECOND)]
    assert len(places[0]) == 1
    assert all(place == places[0] for place in places)


async def test_the_price_under_the_cursor_stays_in_its_row_while_the_market_moves(run: Run) -> None:
    for _ in range(12):
        await run.press("j", "j")
    first = run.frames[-1]
    assert first.row_of_cursor()
    middles = set()
    for _ in range(2 * PER_SECOND):
        frame = await run.update()
        assert (frame.row_of_cursor(), frame.price_of_cursor()) == (first.row_of_cursor(), first.price_of_cursor())
        middles.add(next(y for y, text in enumerate(frame.display) if "bid " in text and "% ask" in text))
    assert len(middles) > 3, "the market moved, and not the price under the cursor"


@pytest.mark.parametrize(
    ("key", "character", "shows"),
    [
        ("j", "j", lambda frame: frame.row_of_cursor() is not None),
        ("G", "G", lambda frame: "step 0.2" in frame.display[0]),
        ("minus", "-", lambda frame: "levels" in frame.display[0]),
        ("b", "b", lambda frame: "√ bars" in frame.display[0]),
        ("v", "v", lambda frame: "· venues ·" in frame.display[0]),
        ("dollar_sign", "$", lambda frame: any("cost of" in row for row in frame.display)),
        ("m", "m", lambda frame: "depth" in frame.display[0]),
    ],
)
async def test_a_key_between_two_books_shows_in_the_next_frame(
    run: Run, key: str, character: str, shows: Callable[[Frame], bool]
) -> None:
    for _ in range(3):
        assert not shows(await run.update())
    number = await run.press(key, character)
    assert shows(run.frames[number])
    assert shows(await run.update())
    assert all(not frame.erased and not frame.flickered for frame in run.frames)
