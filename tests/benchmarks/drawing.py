"""Drawing: a frame of the dashboard at 140x45, against writing the same cells to the same terminal raw."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.terminal import Program


def drawing() -> Iterator[Figure]:
    """A frame in which everything has changed, and one in which five rows have."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        with Program(("-m", "tests.benchmarks.drawing_app", str(file))) as program:
            program.watch_until(file.exists)
        found = json.loads(file.read_text())
    full, few, raw = (found[name] * 1000 for name in ("full", "few", "raw"))
    sizes = found["sizes"]
    detail = f"{full:.1f} against {raw:.2f} ms, {sizes['full']:,} B"
    yield Figure("a frame in which every pane changed", "the same cells raw", found["full/raw"], "x", 10, detail)
    detail = f"{few:.1f} against {full:.1f} ms, {sizes['few']:,} B"
    yield Figure("a frame in which five rows changed", "a frame in which all did", found["few/full"], "x", 0.4, detail)
