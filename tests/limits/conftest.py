"""A world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.limits.world import World, world
from tui.simulator.market import STEP_NS
from tui.simulator.server import SimulatorServer


@pytest.fixture
async def here(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server that looks at the clock often, and takes one step of the market however much time has passed."""

    async def catch_up(server: SimulatorServer) -> None:
        now_ns = server.clock.now_ns()
        server.market.now_ns = max(server.market.now_ns, now_ns - STEP_NS)
        server._step()

    monkeypatch.setattr("tui.simulator.server.STEP_S", 0.004)
    monkeypatch.setattr(SimulatorServer, "_catch_up", catch_up)
    async with world() as made:
        yield made
