"""Aries' logins over real sockets: the five seconds, renewal in place, the end of a session, tokens that are shared."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.conftest import until
from tests.limits.world import Feed, World, feed, want
from tui.clock import NS
from tui.credentials import FixedSecrets
from tui.market.events import Quote
from tui.market.terms import FeedState
from tui.providers.aries import AriesProvider
from tui.providers.aries.simulator import AriesDialect
from tui.providers.aries.simulator.session import Session
from tui.providers.aries.simulator.tokens import CLIENT, REFRESH

MARKET, CHARTS, ACCOUNTS = ("market", want("quote AAPL")), ("charts", want("bar AAPL 1m")), ("accounts", want("news"))


def dialect(here: World) -> AriesDialect:
    found = here.server.dialects["aries"]
    assert isinstance(found, AriesDialect)
    return found


def lasting(here: World, seconds: float) -> None:
    """Let logins last this long."""
    dialect(here).behaviour.expires_ms = dict.fromkeys(("market", "charts", "accounts"), int(seconds * 1000))


@pytest.fixture
def logins(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each token was logged in with."""
    found: Counter[str] = Counter()
    answer = Session._auth

    def counting(session: Session, payload: Any, request_id: str, now_ns: int) -> Any:
        found[payload["body"]["token"]] += 1
        return answer(session, payload, request_id, now_ns)

    monkeypatch.setattr(Session, "_auth", counting)
    return found


def signed_in(**more: str) -> FixedSecrets:
    return FixedSecrets({"aries": {"refresh_token": REFRESH, "client_id": CLIENT, **more}})


async def test_a_token_that_takes_long_to_find_does_not_cost_the_five_seconds(here: World) -> None:
    class Slow(FixedSecrets):
        is_open = asyncio.Event()

        async def get(self, provider: str, field: str) -> SecretStr | None:
            await self.is_open.wait()
            return await super().get(provider, field)

    secrets = Slow(here.server.credentials())
    async with feed(here, here.provider("aries", secrets=secrets), *MARKET) as market:
        await here.pass_time(20, each_s=1)
        assert market.connection.stats.attempts == 0, "nothing is dialled without a token"
        Slow.is_open.set()
        await until(lambda: market.connection.is_live)
        await here.pass_time(10, each_s=0.5)
        assert market.connection.is_live
        assert market.connection.stats.connects == 1
    assert here.server.violations() == {}


@pytest.mark.fault("A5")
async def test_a_server_that_does_not_answer_the_login_is_not_stormed(here: World) -> None:
    dialect(here).behaviour.answers_auth = False
    async with feed(here, here.provider("aries"), *MARKET) as market:
        await here.pass_time(60, each_s=0.2)
        assert not market.connection.is_live
        assert 2 <= market.connection.stats.connects <= 6
        dialect(here).behaviour.answers_auth = True
        market.connection.retry_now()
        await until(lambda: market.connection.is_live)
    assert here.server.violations() == {}


@pytest.mark.fault("A6", "M54")
async def test_a_login_is_renewed_in_place_before_it_ends_and_subscriptions_stay(
    here: World, logins: Counter[str]
) -> None:
    lasting(here, 400)
    provider = here.provider("aries")
    async with AsyncExitStack() as stack:
        feeds = [await stack.enter_async_context(feed(here, provider, *each)) for each in (MARKET, CHARTS, ACCOUNTS)]
        await until(lambda: all(each.connection.is_live for each in feeds))
        await here.pass_time(450, each_s=0.5)
        for each in feeds:
            assert each.connection.is_live
            assert each.connection.stats.connects == 1
        before_ns = here.clock.now_ns()
        await here.pass_until(lambda: newest_ns(feeds[0].events) > before_ns)
    assert 3 * 4 <= logins.total() <= 3 * 6, "every 100 s, give or take ten"
    assert here.server.violations() == {}


def newest_ns(events: list[Any]) -> int:
    return max((event.ts_recv_ns for event in events if isinstance(event, Quote)), default=0)


@pytest.mark.fault("A6", "M54")
async def test_a_login_that_ends_all_the_same_is_followed_by_another_without_a_strike(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "_warning", lambda session, now_ns: iter(()))
    lasting(here, 20)
    async with feed(here, here.provider("aries"), *MARKET) as market:
        for number in (1, 2, 3):
            await here.pass_until(lambda: market.connection.is_live, 10)
            assert market.connection.stats.connects == number
            await here.pass_time(12, each_s=0.2)
            assert market.connection.is_live
            await here.pass_until(lambda number=number: ends(market) == number, 10)  # type: ignore[misc]
        await here.pass_until(lambda: market.connection.is_live, 10)
    assert FeedState.FAILED not in {status.state for status in market.statuses}
    assert here.server.violations() == {}


def ends(market: Feed) -> int:
    """How often the server has ended a login."""
    return [status.reason for status in market.statuses].count("login expired")


async def test_sockets_and_rest_that_are_refused_together_share_one_refresh(here: World, logins: Counter[str]) -> None:
    provider = here.provider("aries", secrets=signed_in(access_token="long gone"))
    assert isinstance(provider, AriesProvider)
    async with AsyncExitStack() as stack:
        feeds = [await stack.enter_async_context(feed(here, provider, *each)) for each in (MARKET, CHARTS, ACCOUNTS)]
        found = await asyncio.gather(*(provider.search(word) for word in ("apple", "nvidia", "tesla")))
        assert all(found)
        await until(lambda: all(each.connection.is_live for each in feeds))
    assert issued(here) == 1
    assert logins["long gone"] <= 3
    assert here.server.violations() == {}


def issued(here: World) -> int:
    return dialect(here).tokens._issued


@pytest.mark.fault("M54")
async def test_a_token_that_ends_is_replaced_in_place_by_two_programs_with_one_refresh(
    here: World, tmp_path: Path, logins: Counter[str]
) -> None:
    dialect(here).tokens.life_s = 700
    store = signed_in()
    programs = [here.provider("aries", state_dir=tmp_path, secrets=store) for _ in range(2)]
    async with feed(here, programs[0], *MARKET) as first, feed(here, programs[1], *MARKET) as second:
        await until(lambda: first.connection.is_live and second.connection.is_live)
        assert issued(here) == 1
        await here.pass_time(420, each_s=0.5)
        for each in (first, second):
            assert each.connection.is_live
            assert each.connection.stats.connects == 1
    assert issued(here) == 2
    assert sorted(logins.values()) == [2, 2], "both sockets with both tokens"
    assert here.clock.now_ns() > 400 * NS
    assert here.server.violations() == {}
