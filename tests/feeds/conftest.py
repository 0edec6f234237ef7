"""Tests of what opens connections run on both loops that the program may run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tui.loop import loop_factory

BOTH = {"test_connection.py", "test_transport.py"}


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loops of a test by name; uvloop is not there for every platform."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in BOTH and (uvloop := loop_factory()):
        factories["uvloop"] = uvloop
    return factories
