"""How often the screen is drawn when the loop is late."""

from __future__ import annotations

import pytest

from tui.clock import ManualClock
from tui.pace import LASTING, MOST_SKIPPED, FramePace

INTERVAL_S = 0.1


def drawn(pace: FramePace, clock: ManualClock, beats: int, late_s: float = 0.0) -> int:
    """How many of so many beats draw when each comes so late."""
    count = 0
    for _ in range(beats):
        clock.advance(INTERVAL_S + late_s)
        count += pace.beat()
    return count


@pytest.fixture
def pace(clock: ManualClock) -> FramePace:
    return FramePace(INTERVAL_S, clock)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_every_beat_draws_while_the_loop_is_on_time(pace: FramePace, clock: ManualClock) -> None:
    assert drawn(pace, clock, 50, late_s=0.004) == 50
    assert pace.lag_s == pytest.approx(0.004)


def test_a_single_hiccup_is_told_for_a_second_and_skips_nothing(pace: FramePace, clock: ManualClock) -> None:
    assert drawn(pace, clock, 1, late_s=0.4) == 1
    assert drawn(pace, clock, 9) == 9
    assert pace.lag_s == pytest.approx(0.4)
    assert drawn(pace, clock, 1) == 1
    assert pace.lag_s < 1e-6


@pytest.mark.parametrize(("late_s", "every"), [(0.02, 1), (0.04, 2), (0.07, 3), (2.0, MOST_SKIPPED + 1)])
def test_the_later_the_loop_the_fewer_frames(pace: FramePace, clock: ManualClock, late_s: float, every: int) -> None:
    drawn(pace, clock, LASTING, late_s)
    assert drawn(pace, clock, 12, late_s) == 12 / every


def test_frames_come_back_when_the_loop_is_on_time_again(pace: FramePace, clock: ManualClock) -> None:
    drawn(pace, clock, 30, late_s=0.5)
    drawn(pace, clock, MOST_SKIPPED + LASTING)
    assert drawn(pace, clock, 20) == 20
