"""The dashboard on a market made by hand, drawing frame after frame and measuring itself. A child of `drawing`.

Its argument is the file that takes the result. The limit is the same screen written to the same terminal by a loop
that knows its cells and their colour codes already, and has only to put them together.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from rich.color import ColorSystem
from rich.style import Style
from textual.driver import Driver

from tests.benchmarks import frames
from tui.app import MarketApp
from tui.clock import Clock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.market.events import Bar, BookSnapshot, NewsItem, Quote, Status, Trade
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.market.terms import FeedState
from tui.widgets.lines import PLAIN

ROUNDS: Final = 40
PAIR, STOCK = Symbol(frames.PAIR), Symbol(frames.STOCKS[0])
FEEDS: Final = ("insightsentry:live", "insightsentry:newsfeed", "quantcite:book")
Cells = list[tuple[int, int, list[tuple[str, str]]]]
"""Rows: where they start, and their pieces of text with colour codes."""


class Market:
    """Fills a store."""

    def __init__(self, store: MarketStore, clock: Clock) -> None:
        self.store, self.clock, self.random, self.step = store, clock, Random(3), 0
        for feed in FEEDS:
            store.feed(feed).stats.live_since_ns = clock.now_ns()
            store.feed(feed).stats.subscriptions = 10
            store.apply(Status(source=feed.split(":")[0], ts_recv_ns=clock.now_ns(), feed=feed, state=FeedState.LIVE))
        for symbol in map(Symbol, frames.SYMBOLS):
            store.assign(Subscription(Kind.QUOTE, symbol), FEEDS[0])
        store.assign(Subscription(Kind.BOOK, PAIR), FEEDS[2])
        store.assign(Subscription(Kind.BAR, PAIR, Interval.M5), FEEDS[0])
        store.assign(Subscription(Kind.TRADE, STOCK), FEEDS[0])
        store.assign(Subscription(Kind.NEWS), FEEDS[1])
        start = Interval.M5.start_of(clock.now_ns())
        for n in range(300, 0, -1):
            self.bar(start - n * 300 * 10**9, closed=True)

    def everything(self) -> None:
        """Another figure in every row of every pane."""
        self.step += 1
        self.quotes(len(frames.SYMBOLS))
        self.book()
        self.bar(Interval.M5.start_of(self.clock.now_ns()))
        now, number = self.clock.now_ns(), self.step
        for n in range(20):
            price, size = self.price(180, 5), Decimal(self.random.randint(1, 900))
            self.store.apply(
                Trade(source="insightsentry", ts_recv_ns=now + n, symbol=STOCK, price=price, size=size, venue="XNAS")
            )
        self.store.apply(
            NewsItem(
                source="insightsentry", ts_recv_ns=now, id=str(number), title=f"Headline {number}", published_ns=now
            )
        )
        self.store.apply(
            Status(source="quantcite", ts_recv_ns=now, feed=FEEDS[2], state=FeedState.LIVE, reason=str(number))
        )
        for feed in FEEDS:
            self.store.feed(feed).stats.received(self.random.randint(100, 9999), now)

    def quotes(self, count: int) -> None:
        """So many quotes of the list."""
        for index, name in enumerate(frames.SYMBOLS[:count]):
            last = self.price(100 + 7 * index, 1)
            self.store.apply(
                Quote(
                    source="insightsentry", ts_recv_ns=self.clock.now_ns(), symbol=Symbol(name), last=last,
                    bid=last - Decimal("0.01"), ask=last + Decimal("0.01"), change_percent=self.price(0, 3),
                    volume=Decimal(self.random.randint(10**5, 10**7)),
                )
            )  # fmt: skip

    def book(self) -> None:
        """A book with other sizes everywhere."""

        def side(best: Decimal, step: Decimal) -> tuple[tuple[Decimal, Decimal, tuple[str, ...]], ...]:
            sample = self.random.sample
            return tuple((best + n * step, self.price(2, 1), tuple(sample(frames.VENUES, 2))) for n in range(50))

        mid = self.price(97_210, 3)
        self.store.apply(
            BookSnapshot(
                source="quantcite", ts_recv_ns=self.clock.now_ns(), symbol=PAIR, venues=frames.VENUES,
                bids=side(mid, Decimal("-0.7")), asks=side(mid + Decimal("1.7"), Decimal("0.7")),
            )
        )  # fmt: skip

    def bar(self, start_ns: int, *, closed: bool = False) -> None:
        """A bar."""
        opened, close = self.price(97_200, 20), self.price(97_200, 20)
        high, low = max(opened, close) + 3, min(opened, close) - 3
        self.store.apply(
            Bar(
                source="insightsentry", ts_recv_ns=self.clock.now_ns(), symbol=PAIR, interval=Interval.M5,
                closed=closed, start_ns=start_ns, open=opened, high=high, low=low, close=close,
                volume=self.price(900, 500),
            )
        )  # fmt: skip

    def price(self, middle: float, spread: float) -> Decimal:
        """A random price of two decimals."""
        return Decimal(f"{self.random.uniform(middle - spread, middle + spread):.2f}")


class DrawingApp(MarketApp):
    """The dashboard without feeds."""

    def __init__(self, result: Path) -> None:
        names = list(frames.SYMBOLS)
        config = Config.model_validate({"watchlists": {"main": names}, "flash": False, "frames_per_second": 1})
        super().__init__(config, FixedSecrets({}), demo=True)
        self._result = result
        self._wrote = asyncio.Event()
        self.written = 0

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver, which tells when a frame has gone out."""
        app = self

        class Telling(super().get_driver_class()):  # type: ignore[misc]
            def write(self, data: str) -> None:
                super().write(data)
                app.written += len(data.encode())
                app._wrote.set()

        return Telling

    def _start_feeds(self) -> None:
        assert self.main
        self.market = Market(self.store, self.clock)
        self.main.choose(PAIR)
        gc.freeze()
        self.run_worker(self._measure())

    async def draw_frame(self) -> None:
        """Not by the clock."""

    async def _measure(self) -> None:
        self.market.everything()
        await self._frame()
        full, few, raw, sizes = [], [], [], {}
        for _ in range(ROUNDS):
            full.append(await self._timed(self.market.everything))
            sizes["full"] = self.written
            few.append(await self._timed(lambda: self.market.quotes(5)))
            sizes["few"] = self.written
            raw.append(self._raw())
        result = {
            "full": median(full), "few": median(few), "raw": median(raw), "sizes": sizes,
            "full/raw": median(a / b for a, b in zip(full, raw, strict=True)),
            "few/full": median(a / b for a, b in zip(few, full, strict=True)),
        }  # fmt: skip
        self._result.write_text(json.dumps(result))
        self.exit()

    async def _timed(self, change: Callable[[], None]) -> float:
        """Seconds of CPU of all our threads from changed figures to bytes written."""
        change()
        await asyncio.sleep(0.05)  # what the last frame left behind is done
        self.written = 0
        started = time.process_time()
        await self._frame()
        return time.process_time() - started

    async def _frame(self) -> None:
        assert self.main
        self._wrote.clear()
        await self.draw_changes(self.main, self.store.drain())
        await self._wrote.wait()
        await asyncio.sleep(0.01)  # what follows the first write belongs to it

    def _raw(self) -> float:
        """Seconds of CPU to put the same cells together and write them."""
        cells = self._cells()
        started = time.process_time()
        text = "".join(
            f"\x1b[{y};{x}H" + "".join(f"\x1b[{codes}m{piece}\x1b[0m" for piece, codes in row) for y, x, row in cells
        )
        sys.__stderr__.write(text)  # type: ignore[union-attr]
        sys.__stderr__.flush()  # type: ignore[union-attr]
        return time.process_time() - started

    def _cells(self) -> Cells:
        assert self.main
        cells: Cells = []
        for widget in self.main.query("Pane, LineBar"):
            region = widget.region
            for y in range(region.height):
                strip = widget.render_line(y)
                row = [(text, _codes(style or PLAIN)) for text, style, _ in strip]
                cells.append((region.y + y + 1, region.x + 1, row))
        return cells


def _codes(style: Style) -> str:
    return style._make_ansi_codes(ColorSystem.TRUECOLOR)


if __name__ == "__main__":
    DrawingApp(Path(sys.argv[1])).run()
