from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.programs import Program
from tui.simulator.server import SimulatorServer


@pytest.fixture
def program(simulator: SimulatorServer, tmp_path: Path) -> Program:
    """The program, pointed at the simulator."""
    return Program(simulator, tmp_path)
