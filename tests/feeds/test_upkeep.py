"""Beside the feeds: budgets saved and shown, and other programs with the same key noticed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from tests.feeds.plain import APPLE, NoHttp, PlainProvider, PlainSettings, scripted, until
from tests.feeds.test_hub import Config, Second, clock_of
from tui.clock import ManualClock
from tui.errors import FeedError, KeyringUnavailable, RestError
from tui.feeds.hub import FeedHub
from tui.feeds.upkeep import CLAIM_S, SHARED
from tui.market.events import Notice
from tui.market.names import Kind, Symbol, Wants
from tui.market.store import MarketStore
from tui.market.terms import FeedState, Severity
from tui.providers.base import CredentialField, Limits, Provider, SymbolMatch

AAPL = Symbol("AAPL")
KEY = "plain-key-123456"


class Keys:
    """One key for whoever asks, or a keyring that is locked."""

    def __init__(self, key: str | None = KEY, *, is_locked: bool = False) -> None:
        self.key = key
        self.is_locked = is_locked

    async def get(self, provider: str, field: str) -> SecretStr | None:
        if self.is_locked:
            raise KeyringUnavailable("locked")
        return None if self.key is None else SecretStr(self.key)

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        raise AssertionError("nothing is to be stored here")


class Keyed(PlainProvider):
    """A provider with a key and a budget."""

    name: ClassVar[str] = "first"
    title: ClassVar[str] = "First"
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (CredentialField("api_key", "key", "Somewhere."),)
    limits: Limits = Limits(settle_s=0.0, linger_s=0.0, silence_s=1e6, login_s=1e6, backoff_base_s=0.01)
    used = 0
    fails: Exception | None = None
    notices: Sequence[Notice] = ()
    has_ended = False

    def note(self, channel: str) -> str:
        return f"{self.used} used of {channel}" if self.used else ""

    async def upkeep(self, *, is_last: bool = False) -> Sequence[Notice]:
        self.used += 1
        self.has_ended |= is_last
        if self.fails is not None:
            raise self.fails
        said, self.notices = self.notices, ()
        return said


def hub_of(
    folder: Path | None,
    url: str,
    keys: Keys | None = None,
    clock: ManualClock | None = None,
    kept: Mapping[Symbol, Mapping[str, str]] | None = None,
    wants: Wants = APPLE,
) -> FeedHub:
    """A program."""
    clock = clock or ManualClock()
    config = Config({"first": PlainSettings(url=url), "second": PlainSettings()})
    types: dict[str, type[Provider]] = {"first": Keyed, "second": Second}
    store = MarketStore(clock.now_ns)
    hub = FeedHub(
        config, store, keys or Keys(), NoHttp(), clock, provider_types=types, state_dir=folder, kept=kept
    )  # fmt: skip
    hub.want("pane", wants)
    return hub


@asynccontextmanager
async def at_work(hub: FeedHub) -> AsyncIterator[FeedHub]:
    """Its feeds run; the upkeep happens when the test says so."""
    tasks = [asyncio.create_task(feed.run()) for feed in hub.feeds.values()]
    try:
        await until(lambda: hub.feeds["first:main"].is_live)
        await hub.upkeep.look()
        yield hub
    finally:
        await hub.close()
        await asyncio.wait(tasks)


def warnings(hub: FeedHub) -> list[str]:
    return [notice.text for notice in hub.store.notices if notice.severity is Severity.WARNING]


def note(hub: FeedHub) -> str:
    return hub.store.feed("first:main").stats.note


def keyed(hub: FeedHub) -> Keyed:
    provider = hub.providers["first"]
    assert isinstance(provider, Keyed)
    return provider


async def test_what_a_provider_says_of_its_budget_is_shown_with_its_feed() -> None:
    async with scripted() as server, at_work(hub_of(None, server.url)) as hub:
        assert note(hub) == "1 used of main"
        await hub.upkeep.look()
        assert note(hub) == "2 used of main"
        assert hub.store.feed("second:main").stats.note == ""


async def test_what_upkeep_finds_is_told_and_what_fails_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with scripted() as server, at_work(hub_of(None, server.url)) as hub:
        provider = keyed(hub)
        provider.notices = [Notice(source="first", ts_recv_ns=0, text="80 % of the data is used")]
        await hub.upkeep.look()
        assert warnings(hub) == ["80 % of the data is used"]
        for error in (RestError("first: HTTP 500"), KeyError("a mistake of ours")):
            provider.fails = error
            await hub.upkeep.look()
        assert note(hub) == "4 used of main"
    assert "the upkeep failed" in caplog.text


async def test_the_last_upkeep_is_when_the_program_ends() -> None:
    async with scripted() as server, at_work(hub_of(None, server.url)) as hub:
        await hub.upkeep.look()
        assert not keyed(hub).has_ended
    assert keyed(hub).has_ended


async def test_nothing_is_done_for_a_provider_that_nobody_uses() -> None:
    async with scripted() as server:
        hub = hub_of(None, server.url, wants=frozenset())
        await hub.upkeep.look()
        assert keyed(hub).used == 0


async def test_a_dial_that_a_budget_forbids_waits_with_the_reason_and_the_remedy() -> None:
    class Frugal(Keyed):
        @asynccontextmanager
        async def dialling(self, channel: str) -> AsyncIterator[None]:
            raise FeedError("3 of 3 connections used today", remedy="Raise the limit.", retry_after_s=7200.0)
            yield

    async with scripted() as server:
        hub = hub_of(None, server.url)
        keyed(hub).__class__ = Frugal
        task = asyncio.create_task(hub.feeds["first:main"].run())
        await until(lambda: hub.feeds["first:main"].state is FeedState.BACKING_OFF)
        status = hub.store.feed("first:main").status
        assert status is not None
        assert (status.reason, status.remedy) == ("3 of 3 connections used today", "Raise the limit.")
        assert status.retry_at_ns == clock_of(hub).now_ns() + 7200 * 10**9
        assert hub.store.feed("first:main").stats.attempts == len(server.callers) == 0
        await hub.close()
        await task


@pytest.mark.fault("S21")
async def test_the_second_program_with_a_key_is_told_and_works_all_the_same(tmp_path: Path) -> None:
    async with (
        scripted() as server,
        at_work(hub_of(tmp_path, server.url)) as first,
        at_work(hub_of(tmp_path, server.url)) as second,
    ):
        await until(lambda: second.store.quote(AAPL))
        [said] = warnings(second)
        assert said == "another tickdeck uses the same First key: First may cut both. Close one of them."
        assert note(second) == f"1 used of main\n{SHARED}"
        assert first.feeds["first:main"].is_live
        await second.upkeep.look()
        clock_of(second).advance(CLAIM_S)
        await second.upkeep.look()
        assert len(warnings(second)) == 1, "once"
        assert warnings(first) == []
        assert SHARED not in note(first)


async def test_the_second_leaves_half_of_the_minute_to_the_first(tmp_path: Path) -> None:
    limits, sent = Limits(subscribes_per_minute=20), []
    hubs = [hub_of(tmp_path, "ws://127.0.0.1:1/") for _ in range(2)]
    for hub in hubs:
        await hub.upkeep.look()
        limiter = hub.feeds["first:main"]._limiter
        while not limiter.wait_s(limits):
            limiter.spend()
        sent.append(limiter.spent)
    assert sent == [20, 10]
    for hub in hubs:
        await hub.close()


async def test_when_the_first_has_ended_the_second_is_alone(tmp_path: Path) -> None:
    async with scripted() as server:
        async with at_work(hub_of(tmp_path, server.url)) as first:
            second = hub_of(tmp_path, server.url)
            await second.upkeep.look()
            assert note(second).endswith(SHARED)
            await first.close()
        clock_of(second).advance(CLAIM_S)
        await second.upkeep.look()
        assert SHARED not in note(second)
        third = hub_of(tmp_path, server.url)
        await third.upkeep.look()
        assert len(warnings(third)) == 1, "now the second holds it"
        for hub in (second, third):
            await hub.close()


async def test_other_keys_other_folders_and_no_folder_are_no_matter(tmp_path: Path) -> None:
    hubs = [
        hub_of(tmp_path, "ws://127.0.0.1:1/"),
        hub_of(tmp_path, "ws://127.0.0.1:1/", Keys("another-key")),
        hub_of(tmp_path / "other", "ws://127.0.0.1:1/"),
        hub_of(None, "ws://127.0.0.1:1/"),
        hub_of(None, "ws://127.0.0.1:1/"),
        hub_of(tmp_path, "ws://127.0.0.1:1/", Keys(None)),
        hub_of(tmp_path, "ws://127.0.0.1:1/", Keys(is_locked=True)),
    ]
    for hub in hubs:
        await hub.upkeep.look()
        assert warnings(hub) == []
    for hub in hubs:
        await hub.close()


async def test_another_key_entered_in_this_run_lets_go_of_the_first(tmp_path: Path) -> None:
    keys = Keys()
    first = hub_of(tmp_path, "ws://127.0.0.1:1/", keys)
    await first.upkeep.look()
    keys.key = "another-key"
    clock_of(first).advance(CLAIM_S)
    await first.upkeep.look()
    second = hub_of(tmp_path, "ws://127.0.0.1:1/")
    await second.upkeep.look()
    assert warnings(second) == []
    await first.close()
    await second.close()


HOLDER = """
import asyncio, sys
from pathlib import Path
from tests.feeds.test_upkeep import hub_of
async def main():
    hub = hub_of(Path(sys.argv[1]), "ws://127.0.0.1:1/")
    await hub.upkeep.look()
    print("held", flush=True)
    sys.stdin.readline()
asyncio.run(main())
"""


@pytest.mark.fault("S21")
def test_another_process_is_noticed_and_what_it_leaves_behind_when_killed_is_not(tmp_path: Path) -> None:
    async def said() -> list[str]:
        hub = hub_of(tmp_path, "ws://127.0.0.1:1/")
        await hub.upkeep.look()
        await hub.close()
        return warnings(hub)

    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert len(asyncio.run(said())) == 1
        holder.kill()
        holder.wait()
    assert list((tmp_path / "keys").glob("first-*.lock"))
    assert asyncio.run(said()) == []


@pytest.mark.fault("S6", "S21")
async def test_the_key_is_in_no_file_and_no_notice(tmp_path: Path) -> None:
    first, second = (hub_of(tmp_path, "ws://127.0.0.1:1/") for _ in range(2))
    for hub in (first, second):
        await hub.upkeep.look()
    assert KEY not in repr([*second.store.notices])
    assert KEY not in texts_in(tmp_path)
    for hub in (first, second):
        await hub.close()


def texts_in(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return "\n".join(f"{path}\n{path.read_text()}" for path in files)


async def test_what_search_found_for_an_added_symbol_stays_whatever_is_found_later() -> None:
    hub = hub_of(None, "ws://127.0.0.1:1/")
    provider = keyed(hub)
    foo = Symbol("FOO")
    provider.found = [SymbolMatch(foo, "NYSE:FOO", "Foo", "stock", "first")]
    await hub.search("foo")
    assert hub.keep(foo) == {"first": "NYSE:FOO"}
    provider.symbols.found.clear()
    provider.found = [SymbolMatch(foo, "TSX:FOO", "Foo Canada", "stock", "first")]
    await hub.search("foo")
    assert provider.symbols.code(foo, lambda symbol: None) == "NYSE:FOO"
    assert hub.keep(Symbol("TYPED")) == {}


async def test_codes_of_an_earlier_run_count_before_the_rule_and_after_the_configuration() -> None:
    kept = {Symbol("FOO"): {"first": "NYSE:FOO", "gone": "x"}, AAPL: {"first": "XETRA:AAPL"}}
    hub = hub_of(None, "ws://127.0.0.1:1/", kept=kept)
    table = hub.providers["first"].symbols
    table.overrides[AAPL] = "NASDAQ:AAPL"
    assert table.code(Symbol("FOO"), lambda symbol: "NASDAQ:FOO") == "NYSE:FOO"
    assert table.code(AAPL, lambda symbol: None) == "NASDAQ:AAPL"
    assert table.symbol("NYSE:FOO", lambda code: None) == "FOO"
    assert hub.providers["second"].symbols.known(Symbol("FOO")) is None
    assert Kind.QUOTE in hub.feeds["first:main"].channel.kinds
