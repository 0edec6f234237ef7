"""A short soak, and proof that its judge sees every kind of lie."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.conftest import until
from tests.soak import truth
from tests.soak.gauges import MB, LagGauge, Use, slope_mb_per_hour
from tests.soak.ledger import Ledger, Line
from tests.soak.report import failures, lines
from tests.soak.run import Plan, soak
from tests.soak.truth import Judge
from tests.test_app import dashboard
from tui.app import MarketApp
from tui.market.names import Kind, Subscription, Symbol
from tui.market.store import Freshness
from tui.panes.book import BookPane
from tui.panes.quotes import QuotesPane
from tui.simulator.server import SimulatorServer

BTC = Symbol("BTC/USDT")
FEEDS = (
    "aries:market",
    "aries:charts",
    "aries:accounts",
    "insightsentry:live",
    "insightsentry:newsfeed",
    "quantcite:book",
)


@pytest.mark.timeout(300)  # peace comes when the last feed is back, and back-off may take a minute
async def test_a_short_soak_keeps_every_must() -> None:
    result = await soak(Plan(seconds=7, rate=10, fault_every_s=1, seed=5))
    assert list(failures(result)) == []
    assert result.compared["value"] > 50
    assert sum(result.faults.values()) >= 5
    assert len(list(lines(result))) > 10


STEP_S = 0.5
LOOKS = 12
"""Enough to outlast everything that the judge grants: `LATE_S` and `DRAWN_S` together."""


class Court:
    """A dashboard that stands still, its panes drawn as the store is, and a judge with a clock that is moved by hand.

    Nothing in it depends on how fast the machine is: no value arrives, none grows old, and the judge is never held up.
    """

    def __init__(self, app: MarketApp) -> None:
        self.app = app
        stopped_ns, self.now_s = app.store.now_ns(), time.monotonic()
        app.store.now_ns = lambda: stopped_ns
        app.store.apply = lambda event: None  # type: ignore[method-assign]
        assert app.main
        for pane in app.main.panes:
            pane.draw()

    def verdict(
        self,
        judge: Judge | None = None,
        *,
        figure: str | None = None,
        event: str = "sent",
        age_s: float = 0.0,
        looks: int = LOOKS,
    ) -> Judge:
        """What a judge says after some looks: everything well but for what is given.

        Args:
            judge: One that has looked before, else a new one.
            figure: Sent instead of every figure that is shown.
            event: What befell all connections: they were `closed`, `frozen`, or `sent` something for the last time ...
            age_s: ... so many seconds before each look.
            looks: How many, each `STEP_S` after the other.
        """
        judge = judge or Judge(self.app, lambda: self.now_s)
        for _ in range(looks):
            self.now_s += STEP_S
            judge.look(self._report(figure, event, age_s))
        return judge

    def half_open(self, judge: Judge) -> Judge:
        """What it says when from now on nothing is sent any more, but nobody has closed anything."""
        since_s = self.now_s
        for _ in range(LOOKS):
            self.now_s += STEP_S
            judge.look(self._report(None, "frozen", self.now_s - since_s) | {"said": []})
        return judge

    def _report(self, figure: str | None, event: str, age_s: float) -> dict[str, Any]:
        now_s = self.now_s
        parts = {"opened": now_s - 600, "sent": now_s, "closed": None, "frozen": None, event: now_s - age_s}
        lines = {name: [1, *parts.values()] for name in FEEDS}
        return {"at": now_s, "lines": lines, "said": list(self._said(figure))}

    def _said(self, figure: str | None) -> Iterator[tuple[int, float, str, str, str]]:
        for symbol in self.app.desk.symbols:
            if quote := self.app.store.quote(symbol):
                for name in ("last", "bid", "ask"):
                    if value := quote.get(name):
                        yield 1, self.now_s - STEP_S / 2, symbol, name, figure or str(value)
            if (state := self.app.store.book(symbol)) and state.book.bids and state.book.asks:
                bid, ask = state.book.bids[0][0], state.book.asks[0][0]
                for name, value in (("book bid", bid), ("book ask", ask), ("book mid", (bid + ask) / 2)):
                    yield 1, self.now_s - STEP_S / 2, symbol, name, figure or str(value)


@pytest.fixture
async def court(simulator: SimulatorServer) -> AsyncIterator[Court]:
    """Stopped while a quote and a book were live. From then on tests must not wait: feeds would go on."""
    async with dashboard(simulator, symbols=("BTC/USDT",)) as (app, _):
        wanted = [Subscription(kind, BTC) for kind in (Kind.QUOTE, Kind.BOOK)]

        def is_ready() -> bool:
            assert app.main
            panes = (app.main.query_one(QuotesPane), app.main.query_one(BookPane))
            return all(len(pane._strips) > 3 for pane in panes) and all(
                app.store.freshness(each) is Freshness.LIVE for each in wanted
            )

        await until(is_ready, limit_s=60)
        yield Court(app)


async def test_what_is_true_is_no_lie(court: Court) -> None:
    judge = court.verdict()
    assert judge.told == []
    assert judge.compared["value"] >= 5
    assert judge.compared["screen"] > 0
    assert judge.skipped == 0


@pytest.mark.parametrize(("kind", "event"), [("cut", "closed"), ("frozen", "frozen"), ("mute", "sent")])
async def test_live_values_of_a_cut_frozen_or_silent_connection_are_lies(court: Court, kind: str, event: str) -> None:
    judge = court.verdict(event=event, age_s=100.0)
    assert judge.lies[kind] > 0, judge.told
    assert not court.verdict(event=event, age_s=0.5).lies, "it may take a moment"


async def test_a_figure_that_nobody_sent_is_a_lie_in_the_store_and_on_the_screen(court: Court) -> None:
    judge = court.verdict()
    assert judge.told == []
    court.verdict(judge, figure="1.25")
    assert judge.lies["value"] > 0
    assert judge.lies["screen"] > 0


async def test_what_was_sent_just_before_a_line_went_half_open_need_not_have_arrived(court: Court) -> None:
    judge = court.verdict()
    court.verdict(judge, figure="1.25", looks=1)
    assert court.half_open(judge).told == []


async def test_what_was_sent_long_before_a_line_went_half_open_has_to_be_shown(court: Court) -> None:
    judge = court.verdict()
    lies = court.verdict(judge, figure="1.25").lies["value"]
    assert court.half_open(judge).lies["value"] > lies


async def test_no_figure_is_judged_before_the_server_has_said_what_it_sent(court: Court) -> None:
    judge = court.verdict()
    court.now_s += truth.EARLY_S / 2
    compared = judge.compared["value"]
    late = {
        **court._report("1.25", "sent", 0.0),
        "said": [],
    }  # a look later, the next words of the server still to come
    judge.look(late)
    court.now_s += truth.EARLY_S / 2
    judge.look({**late, "at": court.now_s - truth.EARLY_S})
    assert judge.compared["value"] == compared


async def test_a_stale_figure_in_a_live_colour_is_a_lie(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "MAX_TOLD", 1000)  # the rows of the quotes alone are more than usual
    monkeypatch.setattr(court.app.store, "freshness", lambda subscription: Freshness.STALE)
    judge = court.verdict()
    places = {lie.split(":")[1].split(",")[0].strip() for lie in judge.told}
    assert {"quotes", "book"} <= places, judge.told


async def test_a_stale_figure_in_the_colour_of_stale_ones_is_no_lie(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(court.app.store, "freshness", lambda subscription: Freshness.STALE)
    assert court.app.main
    for pane in court.app.main.panes:
        pane.draw()
    assert court.verdict().told == []


async def test_a_pane_that_comes_back_has_a_moment_to_be_drawn(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    assert court.app.main
    judge = court.verdict()
    for pane in court.app.main.panes:
        pane.display = False
    monkeypatch.setattr(court.app.store, "freshness", lambda subscription: Freshness.STALE)
    assert court.verdict(judge).told == []
    for pane in court.app.main.panes:
        pane.display = True
    assert not any("quotes" in lie or "book" in lie for lie in court.verdict(judge, looks=2).told)
    assert any("quotes" in lie for lie in court.verdict(judge).told)


async def test_nothing_is_claimed_while_the_judge_is_held_up(court: Court) -> None:
    judge = court.verdict()
    court.now_s += 5.0
    court.verdict(judge, figure="1.25")
    looked, skipped = judge.looks, judge.skipped
    assert skipped >= 4
    assert looked + skipped == 2 * LOOKS


def test_the_ledger_reads_what_went_out_and_survives_noise() -> None:
    ledger = Ledger({"BINANCE:BTCUSDT": "BTC/USDT"}, lambda: 5.0)
    live, book, depth = (ledger.opened(name) for name in ("insightsentry:live", "quantcite:book", "aries:market"))

    def go(line: Line, frame: str) -> None:
        ledger.sent(line, ledger.sending(line, frame))

    go(live, '{"code": "BINANCE:BTCUSDT", "last_price": 97211.25}')
    go(live, '{"data": [{"code": "BINANCE:BTCUSDT", "bid": 1.50}]}')
    go(book, '{"type": "aggregated_orderbook_update", "symbol": "X", "data": {"bids": [{"price": 2}], "asks": []}}')
    rows = '["5:188.0:0", "0:187.4:9", "0:187.5:0"]'
    go(depth, '{"payload": {"type": "level2", "data": {"symbol": "AAPL", "orderBook": ' + rows + "}}}\n{broken")
    for noise in ("", "null", "[[1]]", '{"type":', "\x00"):
        for line in (live, book, depth):
            go(line, noise)
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


def test_what_is_under_way_may_have_arrived_or_not() -> None:
    now_s = [5.0]
    ledger = Ledger({"X": "AAPL"}, lambda: now_s[0])
    line = ledger.opened("insightsentry:live")
    under_way = ledger.sending(line, '{"code": "X", "last_price": 1.5}')
    assert [saying.at_s for saying in ledger.take()["said"]] == [5.0], "known before a client can have it"
    now_s[0] = 9.0
    ledger.sent(line, under_way)
    assert [(saying.at_s, saying.value) for saying in ledger.take()["said"]] == [(9.0, "1.5")]
    assert line.frames == 1


def test_a_crossed_ladder_may_be_read_in_each_of_the_ways_it_can_be_resolved() -> None:
    ledger = Ledger({}, lambda: 5.0)
    line = ledger.opened("aries:market")
    rows = '["0:10:5", "0:9:5", "5:9.5:0", "5:10.5:0"]'
    ledger.sending(
        line, '{"payload": {"type": "level2", "data": {"symbol": "AAPL261218C00200000", "orderBook": ' + rows + "}}}"
    )
    said = ledger.take()["said"]
    assert {value for _, _, _, what, value in said if what == "book bid"} == {"10", "9"}
    assert {value for _, _, _, what, value in said if what == "book ask"} == {"9.5", "10.5"}
    assert {symbol for _, _, symbol, _, _ in said} == {"AAPL 2026-12-18 200C"}


def test_a_ladder_that_begins_anew_leaves_its_old_levels_behind() -> None:
    ledger = Ledger({}, lambda: 5.0)
    line = ledger.opened("aries:market")

    def best_bids(rows: list[str]) -> set[str]:
        data = {"symbol": "AAPL", "orderBook": rows}
        said = ledger.sending(line, json.dumps({"payload": {"type": "level2", "data": data}}))
        return {saying.value for saying in said if saying.what == "book bid"}

    def whole(bid: int) -> list[str]:
        return [f"0:{bid - n}:5" for n in range(10)] + [f"5:{bid + 1 + n}:0" for n in range(10)]

    assert best_bids(whole(200)) == {"200"}
    assert best_bids(["0:200:0"]) == {"199"}, "changes are no new book"
    assert best_bids(whole(150)) >= {"150", "199"}, "the client may have left and come back"
    assert best_bids(["0:150:0"]) >= {"149"}


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
