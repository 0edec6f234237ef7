"""Ages while something happens, times of day while the screen rests."""

from __future__ import annotations

import pytest

from tui.clock import NS
from tui.market.ages import Ages

NOW_NS = 1_767_623_871_204_000_000  # 2026-01-05 14:37:51 UTC


@pytest.mark.parametrize(
    ("seconds", "live", "at_rest"),
    [
        (0.2, "0.2s", "14:37"),
        (14, "10s", "14:37"),
        (3 * 60, "3m", "14:34"),
        (22 * 3600, "22h", "16:37"),
        (23 * 3600, "23h", "23h"),  # for up to an hour nothing is drawn: it may become a day
        (25 * 3600, "1d", "1d"),  # the time of day would not say which day
        (-5, "0.0s", "0.0s"),  # by a clock that was set back
    ],
)
def test_an_age_and_the_time_in_its_place(seconds: float, live: str, at_rest: str) -> None:
    then_ns = NOW_NS - int(seconds * NS)
    assert (Ages(NOW_NS).brief(then_ns), Ages(NOW_NS, is_quiet=True).brief(then_ns)) == (live, at_rest)


def test_in_a_sentence() -> None:
    then_ns = NOW_NS - 60 * NS
    assert Ages(NOW_NS).lasting(then_ns) == "for 1m"
    assert Ages(NOW_NS, is_quiet=True).lasting(then_ns) == "since 14:36"
    assert Ages(NOW_NS, is_quiet=True).lasting(NOW_NS - 2 * 86_400 * NS) == "for 2d"


def test_what_never_came_has_no_age() -> None:
    assert (Ages(NOW_NS).brief(None), Ages(NOW_NS, is_quiet=True).brief(None)) == ("–", "–")
