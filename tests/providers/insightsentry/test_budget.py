"""Connections a day: counted over restarts and programs, spread when nearly used, and then no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.providers.insightsentry.stand_ins import NOW_NS, Secrets, provider
from tui.clock import NS, ManualClock
from tui.errors import FeedError, KeyringUnavailable
from tui.providers.insightsentry import InsightSentry

TO_MIDNIGHT_S = 86_400 - NOW_NS // NS % 86_400


class Trouble(Exception):
    pass


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


def limited(tmp_path: Path, clock: ManualClock, per_day: int = 10, key: str = "key") -> InsightSentry:
    """The provider as a program that has just been started."""
    return provider(tmp_path, None, Secrets(api_key=key), clock, connections_per_day=per_day)


async def dial(of: InsightSentry, *, fails: bool = False) -> None:
    async with of.dialling("live"):
        if fails:
            raise Trouble


async def refused(of: InsightSentry) -> FeedError:
    with pytest.raises(FeedError) as caught:
        await dial(of)
    assert "connections_per_day" in caught.value.remedy
    assert "00:00 UTC" in caught.value.remedy
    return caught.value


async def test_connections_are_counted_over_restarts_and_sockets(tmp_path: Path, clock: ManualClock) -> None:
    for number in range(1, 6):
        program = limited(tmp_path, clock)
        await dial(program)
        assert program.note("live") == program.note("newsfeed") == f"{number} of 10 connections today"


async def test_a_dial_that_opens_nothing_is_not_counted(tmp_path: Path, clock: ManualClock) -> None:
    program = limited(tmp_path, clock, 2)
    for _ in range(5):
        with pytest.raises(Trouble):
            await dial(program, fails=True)
    assert program.note("live") == "0 of 2 connections today"
    await dial(program)


async def test_what_is_left_is_spread_once_most_is_used(tmp_path: Path, clock: ManualClock) -> None:
    program = limited(tmp_path, clock)
    for _ in range(7):
        await dial(program)
    error = await refused(program)
    assert str(error) == "7 of 10 connections used today, the rest is spread"
    assert error.retry_after_s == 1800
    clock.advance(600)
    assert (await refused(program)).retry_after_s == 1200
    clock.advance(1200)
    await dial(program)
    await refused(limited(tmp_path, clock))


async def test_a_network_that_is_away_does_not_make_the_next_dial_wait(tmp_path: Path, clock: ManualClock) -> None:
    program = limited(tmp_path, clock)
    for _ in range(7):
        await dial(program)
    clock.advance(3600)
    for _ in range(5):
        with pytest.raises(Trouble):
            await dial(program, fails=True)
    await dial(program)


async def test_a_large_budget_is_spread_over_what_is_left_of_the_day(tmp_path: Path, clock: ManualClock) -> None:
    program = limited(tmp_path, clock, 1000)
    for _ in range(700):
        await program._budget.take()
    assert (await refused(program)).retry_after_s == pytest.approx(TO_MIDNIGHT_S / 300)


async def test_a_used_budget_stops_every_program_until_midnight_utc(tmp_path: Path, clock: ManualClock) -> None:
    program = limited(tmp_path, clock, 3)
    for _ in range(3):
        await dial(program)
        clock.advance(1800)
    for each in (program, limited(tmp_path, clock, 3)):
        error = await refused(each)
        assert str(error) == "3 of 3 connections used today"
        assert error.retry_after_s == TO_MIDNIGHT_S - 3 * 1800 + 5
        assert each.note("live") == "3 of 3 connections today"
    clock.advance(error.retry_after_s or 0)
    await dial(program)
    assert program.note("live") == "1 of 3 connections today"


async def test_another_key_has_a_budget_of_its_own(tmp_path: Path, clock: ManualClock) -> None:
    await dial(limited(tmp_path, clock, 1))
    await refused(limited(tmp_path, clock, 1))
    await dial(limited(tmp_path, clock, 1, key="another"))


async def test_a_rotated_key_is_counted_with_its_account(tmp_path: Path, clock: ManualClock) -> None:
    for websocket_key in ("ws_1", "ws_2"):
        secrets = Secrets(rapidapi_key="r", websocket_key=websocket_key)
        program = provider(tmp_path, None, secrets, clock, key="rapidapi", connections_per_day=10)
        await dial(program)
    assert program.note("live") == "2 of 10 connections today"


async def test_without_a_limit_it_counts_and_says_nothing(tmp_path: Path, clock: ManualClock) -> None:
    program = limited(tmp_path, clock, 0)
    for _ in range(30):
        await dial(program)
    assert program.note("live") == ""
    await refused(limited(tmp_path, clock, 30))


async def test_without_a_keyring_the_budget_of_this_run_holds(tmp_path: Path, clock: ManualClock) -> None:
    class Locked(Secrets):
        async def get(self, provider: str, field: str) -> None:
            raise KeyringUnavailable("locked")

    program = provider(tmp_path, None, Locked(), clock, connections_per_day=1)
    await dial(program)
    await refused(program)
