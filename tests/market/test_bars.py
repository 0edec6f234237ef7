"""A series of bars: order, replacement, closing, bounds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tui.market.bars import BarSeries
from tui.market.events import Bar
from tui.market.names import Interval, Symbol

NS = 1_000_000_000
MINUTE = 60 * NS
START = 1_767_623_820 * NS  # 2026-01-05 14:37:00


def bar(minute: int, close: str = "10", *, closed: bool = False, volume: str | None = "5") -> Bar:
    return Bar(
        source="aries",
        ts_recv_ns=START,
        symbol=Symbol("AAPL"),
        interval=Interval.M1,
        start_ns=START + minute * MINUTE,
        open=Decimal(10),
        high=Decimal(12),
        low=Decimal(9),
        close=Decimal(close),
        volume=None if volume is None else Decimal(volume),
        closed=closed,
    )


def series(*bars: Bar, limit: int = 100) -> BarSeries:
    out = BarSeries(Symbol("AAPL"), Interval.M1, limit)
    for item in bars:
        out.upsert(item)
    return out


def minutes(known: BarSeries) -> list[int]:
    return [(item.start_ns - START) // MINUTE for item in known]


def test_an_empty_series_has_no_last_bar() -> None:
    assert series().last is None
    assert len(series()) == 0
    assert series().tail(3) == []


@pytest.mark.fault("M61")
def test_bars_that_come_in_any_order_stand_in_order() -> None:
    assert minutes(series(bar(2), bar(0), bar(3), bar(1))) == [0, 1, 2, 3]


@pytest.mark.fault("M61")
def test_the_open_bar_is_replaced_by_its_newer_state() -> None:
    known = series(bar(0, "10"))
    assert known.upsert(bar(0, "11"))
    assert len(known) == 1
    assert known.last is not None
    assert known.last.close == Decimal(11)


def test_the_same_figures_again_are_no_change() -> None:
    known = series(bar(0, "10"))
    assert not known.upsert(bar(0, "10"))


def test_volume_alone_is_a_change() -> None:
    known = series(bar(0, volume=None))
    assert known.upsert(bar(0, volume="6"))


def test_a_later_bar_closes_the_one_before() -> None:
    known = series(bar(0), bar(1))
    assert [item.closed for item in known] == [True, False]


def test_a_closed_bar_takes_new_figures_but_is_not_opened_again() -> None:
    known = series(bar(0, "10", closed=True))
    assert known.upsert(bar(0, "11"))
    assert known.last is not None
    assert (known.last.close, known.last.closed) == (Decimal(11), True)


@pytest.mark.fault("M61", "M60")
def test_a_late_bar_lands_closed_in_its_place_and_never_becomes_the_last() -> None:
    known = series(bar(0), bar(5))
    known.upsert(bar(3))
    assert minutes(known) == [0, 3, 5]
    assert [item.closed for item in known] == [True, True, False]


def test_the_oldest_go_when_there_are_too_many() -> None:
    assert minutes(series(*(bar(n) for n in range(6)), limit=4)) == [2, 3, 4, 5]


def test_a_bar_older_than_a_full_series_holds_is_dropped() -> None:
    known = series(*(bar(n) for n in range(2, 6)), limit=4)
    known.upsert(bar(0))
    assert minutes(known) == [2, 3, 4, 5]


def test_tail_and_between_give_the_newest_and_a_half_open_range() -> None:
    known = series(*(bar(n) for n in range(5)))
    assert [item.start_ns for item in known.tail(2)] == [START + 3 * MINUTE, START + 4 * MINUTE]
    between = known.between(START + MINUTE, START + 3 * MINUTE)
    assert [item.start_ns for item in between] == [START + MINUTE, START + 2 * MINUTE]


def test_clear_forgets_all() -> None:
    known = series(bar(0), bar(1))
    known.clear()
    assert len(known) == 0
    assert known.upsert(bar(0))
