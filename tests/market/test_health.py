"""Rates of a feed."""

from __future__ import annotations

from tui.market.health import FeedStats

NS = 1_000_000_000


def test_rates_count_the_last_ten_whole_seconds() -> None:
    stats = FeedStats()
    for second in range(100, 112):
        for _ in range(5):
            stats.received(1000, second * NS)
    assert stats.rates(112 * NS) == (5.0, 5000.0)
    assert stats.rates(140 * NS) == (0.0, 0.0)
    assert (stats.frames, stats.bytes) == (60, 60_000)
