"""What is set up before anything that the screen needs is imported."""

from __future__ import annotations

import gc
import os
from typing import Final

UPDATES: Final = "250"
"""How often a second Textual looks whether something is to be drawn: what a key changes shows 4 ms later, not 17."""


def before_the_screen() -> None:
    """Call before anything imports Textual, which reads its settings then, and before what takes long to import."""
    os.environ.setdefault("TEXTUAL_FPS", UPDATES)
    gc.disable()  # until the feeds start: a sixth of the time to the first frame
