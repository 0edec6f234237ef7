"""The month's data: counted, kept, compared with the provider's count, projected, warned of, capped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.providers.contract import NOW_NS, drained
from tests.providers.quantcite.desk import BTC, ETH, GOLDEN, SECRET, book
from tests.providers.quantcite.test_provider import USAGE, Http, Secrets
from tui.clock import NS, ManualClock
from tui.errors import FeedError
from tui.providers.base import Close, Credential, ProviderContext, Then
from tui.providers.quantcite import QuantCite, QuantCiteSettings
from tui.providers.quantcite.meter import GIB, MOST_CODES, DataMeter, span

DAY_S = 86_400
TO_FEBRUARY_S = 27 * DAY_S - NOW_NS // NS % DAY_S
UPDATE = GOLDEN["update.json"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


def program(
    state_dir: Path | None, clock: ManualClock, usage: Any = 500, *, key: str = SECRET, **settings: Any
) -> QuantCite:
    """The provider as a program that has just been started; `usage` is what HTTP answers."""
    parts = QuantCiteSettings(**settings), Secrets(key), Http(usage=usage, health=500), clock.now_ns
    return QuantCite(ProviderContext(*parts, state_dir=state_dir))


def came(of: QuantCite, gigabytes: float, clock: ManualClock) -> None:
    of.allowance.meter.received(int(gigabytes * GIB), clock.now_ns())


async def look(of: QuantCite) -> list[str]:
    """What an upkeep has to say."""
    return [notice.text for notice in await of.upkeep()]


def asked(of: QuantCite) -> int:
    assert isinstance(of.context.http, Http)
    return len(of.context.http.asked)


def usage(used_gb: float, **more: Any) -> Mapping[str, Any]:
    return {**USAGE, "data_usage": {"used_gb": used_gb, "limit_gb": 50.0}, **more}


async def dialled(of: QuantCite) -> None:
    async with of.dialling("book"):
        pass


def test_every_frame_counts_and_books_by_symbol(clock: ManualClock) -> None:
    provider = program(None, clock)
    codec = provider.codec("book", Credential(SecretStr(SECRET)))
    drained(codec.opened(NOW_NS))
    frames = [GOLDEN["welcome.json"], UPDATE, UPDATE.replace("BTC/USDT", "ETH/USDT"), '{"half', UPDATE]
    for frame in frames:
        drained(codec.received(frame, NOW_NS))
    meter = provider.allowance.meter
    assert meter.total == sum(len(frame) for frame in frames)
    assert meter.by_code == {"BTC/USDT": 2 * len(UPDATE), "ETH/USDT": len(UPDATE)}
    assert meter.largest() == ("BTC/USDT", 2 / 3)


def test_the_count_goes_on_over_connections(clock: ManualClock) -> None:
    provider = program(None, clock)
    for number in (1, 2):
        codec = provider.codec("book", Credential(SecretStr(SECRET)))
        drained(codec.received(UPDATE, NOW_NS))
        assert provider.allowance.meter.total == number * len(UPDATE)


def test_the_rate_is_that_of_the_last_hour() -> None:
    meter = DataMeter()
    assert meter.rate(NOW_NS) is None
    for second in range(3600):
        meter.received(1000, NOW_NS + second * NS)
    assert meter.rate(NOW_NS + 59 * NS) is None, "too short"
    end_ns = NOW_NS + 3600 * NS
    assert meter.rate(end_ns) == pytest.approx(1000, rel=0.02)
    for second in range(3600):
        meter.received(500, end_ns + second * NS)
    assert meter.rate(end_ns + 3600 * NS) == pytest.approx(500, rel=0.02)
    assert meter.rate(end_ns + 3 * 3600 * NS) == 0


@pytest.mark.fault("S14")
def test_the_meter_is_bounded() -> None:
    meter = DataMeter()
    for number in range(MOST_CODES + 500):
        meter.received(1, NOW_NS + number * 60 * NS)
        meter.book(f"S{number}/USDT", 1)
    assert len(meter.by_code) == MOST_CODES + 1
    assert sum(meter.by_code.values()) == MOST_CODES + 500
    assert len(meter._minutes) <= 61


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59, "0 minutes"), (60, "1 minute"), (3599, "59 minutes"), (7200, "2 hours"), (2 * DAY_S, "2 days"),
     (12.9 * DAY_S, "12 days"), (365 * DAY_S, "365 days"), (1e12, "over a year")],
)  # fmt: skip
def test_how_long_something_lasts_is_said_in_one_figure(seconds: float, said: str) -> None:
    assert span(seconds) == said


async def test_the_note_says_what_is_used_how_long_it_lasts_and_for_what(clock: ManualClock) -> None:
    provider = program(None, clock)
    assert provider.note("book") == ""
    for _ in range(60):
        came(provider, 50 / 12 / 1440, clock)
        clock.advance(60)
    provider.allowance.meter.book("BTC/USDT", 62)
    assert provider.note("book").splitlines()[1] == "at this rate 50 GB last 12 days"
    provider.allowance.meter.book("ETH/USDT", 38)
    assert provider.note("book").splitlines() == [
        "0.17 of 50 GB used (0.3 %), 178M today",
        "at this rate 50 GB last 12 days; most for BTC/USDT (62%)",
    ]


async def test_without_a_known_allowance_only_the_count_is_said(clock: ManualClock) -> None:
    provider = program(None, clock, data_allowance_gb=0, data_cap_percent=1)
    came(provider, 2, clock)
    assert provider.note("book") == "2.00 GB used this month, 2.0G today"
    await dialled(provider)
    assert await look(provider) == []


async def test_totals_by_day_survive_a_restart_and_begin_anew_with_the_month(
    tmp_path: Path, clock: ManualClock
) -> None:
    first = program(tmp_path, clock)
    came(first, 1, clock)
    await look(first)
    clock.advance(DAY_S)
    came(first, 2, clock)
    await first.upkeep(is_last=True)
    second = program(tmp_path, clock)
    await look(second)
    assert second.note("book") == "3.00 of 50 GB used (6.0 %), 2.0G today"
    clock.advance(TO_FEBRUARY_S)
    assert second.note("book") == "0.00 of 50 GB used (0.0 %), 0B today"


async def test_two_programs_count_together(tmp_path: Path, clock: ManualClock) -> None:
    first, second = program(tmp_path, clock), program(tmp_path, clock)
    for each in (first, second, first):
        came(each, 1, clock)
        clock.advance(31)
        await look(each)
    assert first.note("book").startswith("3.00 of 50 GB")


async def test_it_is_saved_every_half_minute_and_not_more_often(tmp_path: Path, clock: ManualClock) -> None:
    provider = program(tmp_path, clock)
    written: list[int] = []
    for _ in range(60):
        came(provider, 0.001, clock)
        await look(provider)
        [file] = (tmp_path / "keys").glob("quantcite-*.json")
        written.append(json.loads(file.read_text())["bytes_ever"])
        clock.advance(2)
    assert len(set(written)) == 4


async def test_another_key_has_a_count_of_its_own(tmp_path: Path, clock: ManualClock) -> None:
    first = program(tmp_path, clock)
    came(first, 5, clock)
    await first.upkeep(is_last=True)
    other = program(tmp_path, clock, key="qc_live_other")
    await look(other)
    assert other.note("book") == ""


async def test_the_provider_is_asked_once_an_hour_and_only_when_something_came(clock: ManualClock) -> None:
    provider = program(None, clock, usage(7.25))
    await look(provider)
    assert asked(provider) == 0
    for _ in range(3 * 3600 // 30):
        came(provider, 0.001, clock)
        await look(provider)
        clock.advance(30)
    assert asked(provider) == 3
    clock.advance(5 * 3600)
    await look(provider)
    await look(provider)
    assert asked(provider) == 4, "what came since the last time, once"


@pytest.mark.fault("Q13")
@pytest.mark.parametrize("answer", [500, 404, 401, 0])
async def test_a_failed_look_is_repeated_later_and_the_own_count_holds(answer: int, clock: ManualClock) -> None:
    provider = program(None, clock, answer)
    came(provider, 1, clock)
    for _ in range(3600 // 30):
        came(provider, 1e-6, clock)
        await look(provider)
        clock.advance(30)
    assert asked(provider) == 4
    assert provider.note("book").startswith("1.00 of 50 GB used")


async def test_the_providers_count_goes_before_ours_with_what_came_since(tmp_path: Path, clock: ManualClock) -> None:
    provider = program(tmp_path, clock, USAGE)
    came(provider, 1, clock)
    await look(provider)
    assert provider.note("book").startswith("7.25 of 50 GB used (14.5 %)")
    came(provider, 2, clock)
    assert provider.note("book").startswith("9.25 of 50 GB used (18.5 %)")
    clock.advance(31)
    await look(provider)
    assert provider.note("book").startswith("9.25 of 50 GB used (18.5 %)"), "saved, not counted twice"


async def test_the_billing_period_is_the_providers_also_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    first = program(tmp_path, clock, USAGE)  # resets on 2026-01-15
    came(first, 1, clock)
    await look(first)
    await first.upkeep(is_last=True)
    clock.advance(8 * DAY_S)
    second = program(tmp_path, clock)
    came(second, 1, clock)
    await look(second)
    assert second.note("book").startswith("2.00 of 50 GB")
    clock.advance(2 * DAY_S)
    assert second.note("book").startswith("0.00 of 50 GB"), "the 15th"
    assert first.note("book").startswith("0.00 of 50 GB"), "what was told does not hold any more"


async def test_what_the_socket_tells_counts_as_well(clock: ManualClock) -> None:
    provider = program(None, clock)
    codec = provider.codec("book", Credential(SecretStr(SECRET)))
    drained(codec.opened(NOW_NS))
    told = {"type": "authentication_success", "data_usage": {"used_gb": 41.0, "limit_gb": 40.0}}
    drained(codec.received(json.dumps(told), NOW_NS))
    assert provider.note("book").startswith("41.00 of 40 GB used (102.5 %)")


async def test_somebody_else_on_the_key_is_noticed_by_the_difference(clock: ManualClock) -> None:
    provider = program(None, clock, usage(7.0))
    assert isinstance(provider.context.http, Http)
    said: list[list[str]] = []
    for used_gb in (7.0, 7.1, 7.2, 9.2, 1.0):
        provider.context.http.answers["usage"] = usage(used_gb)
        came(provider, 0.1, clock)
        said.append(await look(provider))
        clock.advance(3601)
    assert said == [[], [], [], ["QuantCite counted 2.0G lately, 102M came here: something else uses this key"], []]


async def test_another_tickdeck_on_this_machine_is_nobody_else(tmp_path: Path, clock: ManualClock) -> None:
    first, second = program(tmp_path, clock, usage(7.0)), program(tmp_path, clock)
    came(first, 0.1, clock)
    assert await look(first) == []
    came(second, 2, clock)
    await second.upkeep(is_last=True)
    clock.advance(3601)
    came(first, 0.1, clock)
    assert isinstance(first.context.http, Http)
    first.context.http.answers["usage"] = usage(9.1)
    assert await look(first) == []


async def test_the_user_is_warned_once_when_most_is_used(clock: ManualClock) -> None:
    provider = program(None, clock)
    came(provider, 39, clock)
    assert await look(provider) == []
    clock.advance(3600)
    came(provider, 2, clock)
    assert await look(provider) == ["41.00 of 50 GB used (82.0 %): at this rate the rest lasts 13 minutes"]
    assert await look(provider) == []


async def test_beyond_the_cap_by_our_own_count_the_connection_ends_until_the_reset(clock: ManualClock) -> None:
    provider = program(None, clock, data_cap_percent=80)
    codec = provider.codec("book", Credential(SecretStr(SECRET)))
    drained(codec.opened(NOW_NS))
    drained(codec.received(GOLDEN["welcome.json"], NOW_NS))
    drained(codec.wanted(book(BTC, ETH), NOW_NS))
    came(provider, 39, clock)
    assert not [each for each in drained(codec.ticked(NOW_NS)) if isinstance(each, Close)]
    came(provider, 1, clock)
    [end] = drained(codec.ticked(NOW_NS))
    assert isinstance(end, Close)
    assert end.then is Then.RETRY
    assert end.delay_s == DAY_S, "then it looks again"
    assert end.reason == "40.00 of 50 GB used (80.0 %): beyond the limit in the settings"
    assert "data_cap_percent" in end.remedy


async def test_beyond_the_cap_nothing_is_dialled_not_even_by_the_next_program(
    tmp_path: Path, clock: ManualClock
) -> None:
    first = program(tmp_path, clock, data_cap_percent=80)
    await dialled(first)
    came(first, 41, clock)
    await first.upkeep(is_last=True)
    for each in (first, program(tmp_path, clock, data_cap_percent=80)):
        with pytest.raises(FeedError, match="beyond the limit") as caught:
            await dialled(each)
        assert caught.value.retry_after_s == DAY_S
        assert caught.value.remedy
    clock.advance(TO_FEBRUARY_S - 60)
    with pytest.raises(FeedError) as caught:
        await dialled(first)
    assert caught.value.retry_after_s == pytest.approx(65, abs=1)
    clock.advance(65)
    await dialled(first)
    await dialled(program(tmp_path, clock))


async def test_without_a_cap_it_goes_on(clock: ManualClock) -> None:
    provider = program(None, clock)
    came(provider, 100, clock)
    await dialled(provider)


@pytest.mark.fault("M53", "S6")
async def test_the_key_shows_in_no_log_and_no_file(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for answer in (USAGE, 500, 404, 0):
        provider = program(tmp_path, clock, answer)
        came(provider, 1, clock)
        await look(provider)
        assert asked(provider) == 1
    assert "QuantCite answered 500" in caplog.text
    assert SECRET not in caplog.text + written_in(tmp_path)


def written_in(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 2
    return "\n".join(f"{path}\n{path.read_text()}" for path in files)
