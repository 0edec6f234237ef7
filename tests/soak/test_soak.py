"""A short soak, and proof that its judge sees every kind of lie."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.conftest import until
from tests.soak import truth
from tests.soak.gauges import MB, LagGauge, Use, slope_mb_per_hour
from tests.soak.ledger import Ledger
from tests.soak.report import failures, lines
from tests.soak.run import Plan, soak
from tests.soak.truth import Judge
from tests.test_app import dashboard
from tui.app import MarketApp
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness
from tui.simulator.server import SimulatorServer

AAPL, BTC = Symbol("AAPL"), Symbol("BTC/USDT")
FEEDS = (
    "aries:market",
    "aries:charts",
    "aries:accounts",
    "insightsentry:live",
    "insightsentry:newsfeed",
    "quantcite:book",
)


async def test_a_short_soak_keeps_every_must() -> None:
    result = await soak(Plan(seconds=7, rate=10, fault_every_s=1, seed=5))
    assert list(failures(result)) == []
    assert result.compared["value"] > 50
    assert sum(result.faults.values()) >= 5
    assert len(list(lines(result))) > 10


@pytest.fixture
async def judged(simulator: SimulatorServer) -> AsyncIterator[tuple[MarketApp, Judge]]:
    """A dashboard with live quotes and a live book, and a judge of it."""
    async with dashboard(simulator, symbols=("BTC/USDT",)) as (app, _):
        wanted = [Subscription(kind, BTC) for kind in (Kind.QUOTE, Kind.BOOK)]
        await until(lambda: all(app.store.freshness(each) is Freshness.LIVE for each in wanted))
        app.store.apply = lambda event: None  # type: ignore[method-assign]
        yield app, Judge(app, time.monotonic)


def report(app: MarketApp, at_s: float, *, figure: str | None = None, **line: float) -> dict[str, Any]:
    """All connections well, but for what `line` says; everything that is shown was sent, but for `figure`."""
    parts = {"opened": at_s - 600, "sent": at_s, "closed": None, "frozen": None} | line
    return {"at": at_s, "lines": {name: [1, *parts.values()] for name in FEEDS}, "said": list(said(app, at_s, figure))}


def said(app: MarketApp, at_s: float, figure: str | None) -> Iterator[tuple[int, float, str, str, str]]:
    for symbol in app.desk.symbols:
        if quote := app.store.quote(symbol):
            figures = {name: quote.get(name) for name in ("last", "bid", "ask")}
            yield from ((1, at_s - 1, symbol, name, figure or str(value)) for name, value in figures.items() if value)
        if state := app.store.book(symbol):
            bid, ask = state.book.bids[0][0], state.book.asks[0][0]
            prices = {"book bid": bid, "book ask": ask, "book mid": (bid + ask) / 2}
            yield from ((1, at_s - 1, symbol, name, figure or str(value)) for name, value in prices.items())


def looked(app: MarketApp, judge: Judge, **changes: Any) -> Judge:
    """What is claimed at one look is judged at the next."""
    for _ in range(2):
        judge.look(report(app, time.monotonic(), **changes))
    return judge


async def test_what_is_true_is_no_lie(judged: tuple[MarketApp, Judge]) -> None:
    app, judge = judged
    assert looked(app, judge).told == []
    assert judge.compared["value"] >= 5


async def test_live_values_of_a_cut_frozen_or_silent_connection_are_lies(judged: tuple[MarketApp, Judge]) -> None:
    app, _ = judged
    now_s = time.monotonic()
    app.hub.feeds["quantcite:book"]._live_since = now_s - 300  # type: ignore[union-attr]
    for kind, line in (("cut", "closed"), ("frozen", "frozen"), ("mute", "sent")):
        judge = looked(app, Judge(app, time.monotonic), **{line: now_s - 100})
        assert judge.lies[kind] > 0, judge.told
    assert not looked(app, Judge(app, time.monotonic), closed=now_s - 0.5).lies, "it may take a moment"


async def test_a_live_figure_that_nobody_sent_is_a_lie(judged: tuple[MarketApp, Judge]) -> None:
    app, judge = judged
    assert looked(app, judge, figure="1.25").lies["value"] > 0


async def test_a_figure_on_the_screen_that_nobody_sent_is_a_lie(
    judged: tuple[MarketApp, Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, judge = judged
    monkeypatch.setattr(truth, "DRAWN_S", -1.0)
    assert app.main
    for pane in app.main.panes:
        pane.draw()
    looked(app, judge)
    assert looked(app, judge).compared["screen"] > 0
    assert not judge.lies
    looked(app, judge, figure="1.25")
    assert judge.lies["screen"] > 0


async def test_a_stale_figure_in_a_live_colour_is_a_lie(
    judged: tuple[MarketApp, Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, judge = judged
    app.draw_frame = lambda: None  # type: ignore[method-assign]
    monkeypatch.setattr(truth, "DRAWN_S", -1.0)
    monkeypatch.setattr(app.store, "freshness", lambda subscription: Freshness.STALE)
    looked(app, judge)
    places = {lie.split(":")[1].split(",")[0].strip() for lie in judge.told}
    assert {"quotes", "book"} <= places, judge.told


def test_the_ledger_reads_what_went_out_and_survives_noise() -> None:
    ledger = Ledger({"BINANCE:BTCUSDT": "BTC/USDT"}, lambda: 5.0)
    live, book, depth = (ledger.opened(name) for name in ("insightsentry:live", "quantcite:book", "aries:market"))
    ledger.sent(live, '{"code": "BINANCE:BTCUSDT", "last_price": 97211.25}')
    ledger.sent(live, '{"data": [{"code": "BINANCE:BTCUSDT", "bid": 1.50}]}')
    ledger.sent(
        book, '{"type": "aggregated_orderbook_update", "symbol": "X", "data": {"bids": [{"price": 2}], "asks": []}}'
    )
    rows = '["5:188.0:0", "0:187.4:9", "0:187.5:0"]'
    ledger.sent(
        depth, '{"payload": {"type": "level2", "data": {"symbol": "AAPL", "orderBook": ' + rows + "}}}\n{broken"
    )
    for noise in ("", "null", "[[1]]", '{"type":', "\x00"):
        for line in (live, book, depth):
            ledger.sent(line, noise)
    found = {(symbol, what, value) for _, _, symbol, what, value in ledger.take()["said"]}
    assert found == {
        ("BTC/USDT", "last", "97211.25"),
        ("BTC/USDT", "bid", "1.50"),
        ("X", "book bid", "2"),
        ("X", "bid", "2"),
        ("AAPL", "book bid", "187.4"),
        ("AAPL", "book ask", "188.0"),
        ("AAPL", "book mid", "187.7"),
    }


def test_a_crossed_ladder_may_be_read_in_each_of_the_ways_it_can_be_resolved() -> None:
    ledger = Ledger({}, lambda: 5.0)
    line = ledger.opened("aries:market")
    rows = '["0:10:5", "0:9:5", "5:9.5:0", "5:10.5:0"]'
    ledger.sent(
        line, '{"payload": {"type": "level2", "data": {"symbol": "AAPL261218C00200000", "orderBook": ' + rows + "}}}"
    )
    said = ledger.take()["said"]
    assert {value for _, _, _, what, value in said if what == "book bid"} == {"10", "9"}
    assert {value for _, _, _, what, value in said if what == "book ask"} == {"9.5", "10.5"}
    assert {symbol for _, _, symbol, _, _ in said} == {"AAPL 2026-12-18 200C"}


def test_the_slope_is_in_megabytes_an_hour() -> None:
    uses = [Use(second, 100 * MB + second * MB // 36, 0, 0, 0, 0) for second in range(100)]
    assert slope_mb_per_hour(uses) == pytest.approx(100, rel=0.01)


async def test_a_loop_that_is_held_up_shows_in_the_lag() -> None:
    gauge = LagGauge()
    running = asyncio.create_task(gauge.run())
    await asyncio.sleep(0.05)
    end_s = time.thread_time() + 0.1
    while time.thread_time() < end_s:
        pass
    await asyncio.sleep(0.05)
    running.cancel()
    assert gauge.wall.percentiles().worst >= gauge.own.percentiles().worst >= 50
