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


def steady(seconds: float) -> FeedStats:
    """A live feed that has had a frame every so many seconds; the last one at second 1000."""
    stats = FeedStats(live_since_ns=0)
    for number in range(40, -1, -1):
        stats.received(10, int((1000 - number * seconds) * NS))
    return stats


def test_a_busy_feed_that_stops_is_silent_after_five_seconds() -> None:
    stats = steady(0.1)
    assert stats.silent_s(1004 * NS) == 0
    assert stats.silent_s(1006 * NS) == 6


def test_a_feed_with_heartbeats_only_is_left_alone_in_its_rhythm() -> None:
    stats = steady(10)
    assert stats.silent_s(1039 * NS) == 0
    assert stats.silent_s(1041 * NS) == 41


def test_an_outage_is_no_rhythm_and_a_young_feed_has_none() -> None:
    stats = steady(0.1)
    stats.live_since_ns = 1300 * NS  # connected again
    for tenth in range(1, 41):
        stats.received(10, 1300 * NS + tenth * NS // 10)
    assert stats.silent_s(1310 * NS) == 6
    assert FeedStats(live_since_ns=0, last_frame_ns=0).silent_s(100 * NS) == 0


def test_a_feed_is_slow_when_it_has_been_behind_for_longer_than_a_burst() -> None:
    stats = FeedStats()
    stats.keeps_up(False, 100 * NS)
    stats.keeps_up(False, 100 * NS + NS // 2)
    assert stats.slow_s(100 * NS + NS // 2) == 0
    assert stats.slow_s(103 * NS) == 3
    stats.keeps_up(True, 104 * NS)
    assert stats.slow_s(110 * NS) == 0
