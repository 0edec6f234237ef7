"""Delays and budgets, by a clock that is moved."""

from __future__ import annotations

from random import Random

import pytest

from tui.clock import ManualClock
from tui.feeds.backoff import Backoff
from tui.feeds.jumps import JumpWatch
from tui.feeds.pacing import DialLimiter, SendLimiter
from tui.providers.base import Limits


@pytest.mark.fault("M12")
@pytest.mark.parametrize("seed", range(50))
def test_a_server_that_accepts_and_drops_sees_five_dials_in_twelve_seconds_at_most(seed: int) -> None:
    backoff = Backoff(Limits(), Random(seed))
    dials, at = 0, 0.0
    while at <= 12.0:
        dials += 1
        backoff.ended(live_s=0.01, had_data=True)
        at += backoff.next()
    assert 2 <= dials <= 5


@pytest.mark.fault("M5", "M73")
def test_delays_grow_to_the_cap_and_stay_there_with_jitter() -> None:
    backoff = Backoff(Limits(backoff_base_s=1.0, backoff_cap_s=60.0), Random(1))
    delays = [backoff.next() for _ in range(2000)]
    assert 0.5 <= delays[0] <= 1.0
    assert all(30.0 <= delay <= 60.0 for delay in delays[6:])
    assert len(set(delays)) == len(delays)


def test_what_the_server_asked_for_is_the_least_delay() -> None:
    assert Backoff(Limits(), Random(1)).next(floor_s=7.0) == 7.0


@pytest.mark.fault("M12")
@pytest.mark.parametrize(("live_s", "had_data", "attempts"), [(11.0, True, 0), (11.0, False, 3), (9.0, True, 3)])
def test_only_a_connection_that_was_live_with_data_for_a_while_starts_anew(
    live_s: float, had_data: bool, attempts: int
) -> None:
    backoff = Backoff(Limits(healthy_s=10.0), Random(1))
    for _ in range(3):
        backoff.next()
    assert backoff.ended(live_s, had_data) is (attempts == 0)
    assert backoff.attempts == attempts


@pytest.mark.fault("M28")
def test_subscribe_frames_stay_within_the_minute_whatever_the_minute() -> None:
    clock, limits = ManualClock(), Limits(subscribes_per_minute=20)
    limiter = SendLimiter(clock)
    start = clock.monotonic()
    sent: list[float] = []
    while len(sent) < 50:
        if wait_s := limiter.wait_s(limits):
            clock.advance(wait_s)
        else:
            limiter.spend()
            sent.append(clock.monotonic() - start)
            clock.advance(0.5)
    assert all(late - early >= 60.0 for early, late in zip(sent, sent[20:], strict=False))
    assert sent[19] < 60.0


def test_frames_keep_their_least_gap() -> None:
    clock = ManualClock()
    limiter = SendLimiter(clock)
    limiter.spend()
    assert limiter.wait_s(Limits(subscribe_gap_s=0.3)) == pytest.approx(0.3)
    clock.advance(0.3)
    assert limiter.wait_s(Limits(subscribe_gap_s=0.3)) == pytest.approx(0.0, abs=1e-9)


def test_a_pause_holds_all_that_share_the_key_and_a_shorter_one_does_not_end_it() -> None:
    clock = ManualClock()
    limiter = SendLimiter(clock)
    limiter.pause(10.0)
    limiter.pause(1.0)
    clock.advance(4.0)
    assert limiter.wait_s(Limits()) == limiter.paused_s == 6.0
    clock.advance(6.0)
    assert limiter.wait_s(Limits()) == limiter.paused_s == 0.0


@pytest.mark.fault("M73")
def test_no_more_than_five_dials_start_in_any_second() -> None:
    clock = ManualClock()
    dials = DialLimiter(clock, per_second=5)
    starts = sorted(clock.monotonic() + dials.reserve() for _ in range(23))
    assert all(late - early >= 1.0 for early, late in zip(starts, starts[5:], strict=False))
    clock.advance(60.0)
    assert dials.reserve() == 0.0


@pytest.mark.fault("M21")
def test_every_watch_sees_a_jump_of_the_clock_once() -> None:
    clock = ManualClock()
    first, second = JumpWatch(clock), JumpWatch(clock)
    clock.advance(3600.0)
    assert not first.jumped()
    clock.set_drift(-3600.0)
    assert [first.jumped(), second.jumped(), first.jumped(), second.jumped()] == [True, True, False, False]
