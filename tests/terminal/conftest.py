from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.computer import Computer, Simulation


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """A computer for one test."""
    return Computer(tmp_path)


@pytest.fixture
def simulation(computer: Computer) -> Iterator[Simulation]:
    """A simulator on it, whose credentials are in the environment."""
    with Simulation(computer) as simulation:
        computer.secrets = simulation.secrets
        yield simulation
