"""Indicators against figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tui.market.events import Bar
from tui.market.indicators import moving_average, period_of, vwap
from tui.market.names import Interval, Symbol

NS = 1_000_000_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


def bar(when: str, typical: int, volume: str | None, interval: Interval = Interval.M5) -> Bar:
    price = Decimal(typical)
    return Bar(
        source="aries",
        ts_recv_ns=0,
        symbol=Symbol("AAPL"),
        interval=interval,
        start_ns=at(when),
        open=price,
        high=price + 2,
        low=price - 1,
        close=price - 1,
        volume=None if volume is None else Decimal(volume),
    )


def test_an_average_begins_with_the_value_that_completes_its_length() -> None:
    assert moving_average([1, 2, 3, 4, 8], 3) == [None, None, 2, 3, 5]


def test_an_average_of_one_is_the_value() -> None:
    assert moving_average([4, 6], 1) == [4, 6]


def test_a_series_shorter_than_the_average_has_none() -> None:
    assert moving_average([1, 2], 3) == [None, None]


def test_an_average_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        moving_average([1], 0)


def test_the_average_forgets_a_huge_value_exactly() -> None:
    assert moving_average([1e18, 1, 1, 1], 3)[-1] == 1


def test_vwap_weighs_typical_prices_by_volume() -> None:
    bars = [bar("2026-01-05T14:30", 10, "1"), bar("2026-01-05T14:35", 20, "3")]
    assert vwap(bars, Interval.M5) == [10, 17.5]


def test_vwap_starts_anew_with_the_day() -> None:
    bars = [bar("2026-01-05T23:55", 10, "9"), bar("2026-01-06T00:00", 20, "1")]
    assert vwap(bars, Interval.M5) == [10, 20]


def test_bars_without_volume_have_no_weight_and_no_volume_at_all_no_vwap() -> None:
    bars = [bar("2026-01-05T14:30", 10, None), bar("2026-01-05T14:35", 20, "2"), bar("2026-01-05T14:40", 90, None)]
    assert vwap(bars, Interval.M5) == [None, 20, 20]


def test_vwap_of_days_starts_anew_with_the_month_also_where_midnight_is_elsewhere() -> None:
    # the session of 2 February in Tokyo starts at 15:00 UTC on the 1st; that of 1 February at 15:00 on 31 January
    january, february = at("2026-01-30T15:00"), at("2026-01-31T15:00")
    assert period_of(january, Interval.D1) != period_of(february, Interval.D1)
    assert period_of(february, Interval.D1) == period_of(at("2026-02-10T05:00"), Interval.D1)


def test_vwap_of_weeks_starts_anew_with_the_year() -> None:
    assert period_of(at("2025-12-22T00:00"), Interval.W1) == 2025
    assert period_of(at("2026-01-05T00:00"), Interval.W1) == 2026
