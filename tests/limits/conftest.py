"""A world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.limits.world import World, world


@pytest.fixture
async def here(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server that looks at the clock often, since the test lets minutes pass in seconds."""
    monkeypatch.setattr("tui.simulator.server.STEP_S", 0.004)
    async with world() as made:
        yield made
