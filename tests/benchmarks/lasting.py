"""Whether memory stays flat: a simulated day of fifty symbols through a store, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

from tests.benchmarks import frames
from tests.benchmarks.figures import Figure
from tui.clock import NS, ManualClock
from tui.market.events import Bar, BookSnapshot, NewsItem, Quote, Trade
from tui.market.names import Interval, Symbol
from tui.market.store import MarketStore

HOUR_S = 3600
SYMBOLS = [Symbol(name) for name in frames.SYMBOLS]


HOURS = 24
LIMIT_S = 180.0
FULL = 8
"""Hours after which every list of prints is as long as it may become."""


def lasting() -> Iterator[Figure]:
    """What a store takes at the end of a day, against when every bounded thing in it was full."""
    command = [sys.executable, "-m", "tests.benchmarks.lasting"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(str(error)) from None
    sizes = json.loads(done.stdout)
    early, late = sizes[FULL - 1], sizes[-1]
    detail = f"{late / 2**20:.0f} against {early / 2**20:.0f} MiB"
    yield Figure("memory after a simulated day", f"after {FULL} hours of it", late / early, "x", 1.05, detail)


def pass_second(store: MarketStore, clock: ManualClock, second: int) -> None:
    """What a second of a day brings: two quotes, a print, the selected symbol's book and bar, at times a headline."""
    clock.advance(1)
    now, symbol = clock.now_ns(), SYMBOLS[second % len(SYMBOLS)]
    price = Decimal(10_000 + second % 977) / 100
    for each in (symbol, SYMBOLS[0]):
        store.apply(Quote(source="insightsentry", ts_recv_ns=now, symbol=each, last=price, bid=price, ask=price))
    store.apply(Trade(source="aries", ts_recv_ns=now, symbol=symbol, price=price, size=Decimal(second % 500 + 1)))
    levels = tuple((price - n, Decimal(n + 1), ("okx",)) for n in range(20))
    store.apply(BookSnapshot(source="quantcite", ts_recv_ns=now, symbol=SYMBOLS[0], bids=levels, asks=levels[::-1]))
    store.apply(
        Bar(
            source="insightsentry", ts_recv_ns=now, symbol=SYMBOLS[0], interval=Interval.M1,
            start_ns=Interval.M1.start_of(now), open=price, high=price, low=price, close=price,
        )
    )  # fmt: skip
    if second % 20 == 0:
        store.apply(
            NewsItem(source="aries", ts_recv_ns=now, id=str(second), title=f"Headline {second}", published_ns=now)
        )
    if second % 10 == 0:
        store.drain()


def main() -> None:
    """Print the resident bytes after each hour."""
    clock = ManualClock(1_767_623_871 * NS)
    store, sizes = MarketStore(clock.now_ns), []
    for hour in range(HOURS):
        for second in range(HOUR_S):
            pass_second(store, clock, hour * HOUR_S + second)
        with open("/proc/self/statm", encoding="ascii") as file:
            sizes.append(int(file.read().split()[1]) * 4096)
    json.dump(sizes, sys.stdout)


if __name__ == "__main__":
    main()
