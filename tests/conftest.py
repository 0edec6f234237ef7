"""What the tests of all folders share."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isawaitable
from typing import Any

import pytest

from tests import conduct, planted
from tui.clock import ManualClock
from tui.market.store import MarketStore
from tui.simulator.server import SimulatorServer

_finds: list[planted.Find] = []


async def until(holds: Callable[[], object], *, limit_s: float = 10.0, what: str | Callable[[], str] = "") -> None:
    """Wait until something is true; fail when the limit is reached first, and say what was waited for."""
    try:
        async with asyncio.timeout(limit_s):
            while True:
                result = holds()
                if await result if isawaitable(result) else result:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not within {limit_s:g} s: {(what() if callable(what) else what) or holds}")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Functions are timed when that is asked for (`--benchmark-enable`), not by every run of the tests."""
    config.option.benchmark_disable = True


@pytest.fixture
def clock() -> ManualClock:
    """Stands still until a test moves it."""
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MarketStore:
    """Empty, for tests to fill by hand."""
    return MarketStore(clock.now_ns)


@pytest.fixture
async def simulator() -> AsyncIterator[SimulatorServer]:
    """A server that speaks every installed provider's protocol, on free ports, with a fixed seed."""
    async with SimulatorServer(port=0, seed=7) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the user's settings and files, and what the program writes by itself is searched at the end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith(("TICKDECK_", "XDG_")):
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        planted.keep_below(tmp_path_factory.getbasetemp())
        conduct.watch(patch)
        yield


@pytest.fixture(autouse=True)
def _rules_of_the_protocols(request: pytest.FixtureRequest, _own_folders: None) -> Iterator[None]:
    """No client breaks a rule of a protocol, unless the test is about that: `@pytest.mark.violates("rate limit")`."""
    yield
    found = conduct.violations()
    if mark := request.node.get_closest_marker("violates"):
        found = Counter({what: number for what, number in found.items() if mark.args and what not in mark.args})
    assert not found, "the simulator counted violations of the protocol"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember secrets that a test printed; what its log holds has not passed through our handlers."""
    if report.when == "teardown":
        for title, text in report.sections:
            if title.startswith(("Captured stdout", "Captured stderr")):
                _finds.extend(planted.finds(f"{report.nodeid}: {title}", text))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Search everything that the whole test run left behind for planted secrets; one find fails the run."""
    if not hasattr(session.config, "workerinput"):  # the last of them is the one that started the others
        left: Any = session.config
        _finds.extend(planted.finds_below(left._tmp_path_factory.getbasetemp()))
        if _finds and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where secrets were found, without saying them."""
    if _finds:
        terminalreporter.section("planted secrets were found", red=True, bold=True)
        for find in _finds:
            terminalreporter.write_line(f"{find.where}:{find.line}: {find.text}")
