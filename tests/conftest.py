"""What the tests of all folders share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from inspect import isawaitable

import pytest

from tui.simulator.server import SimulatorServer


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


@pytest.fixture
async def simulator() -> AsyncIterator[SimulatorServer]:
    """A server that speaks every installed provider's protocol, on free ports, with a fixed seed."""
    async with SimulatorServer(port=0, seed=7) as server:
        yield server
