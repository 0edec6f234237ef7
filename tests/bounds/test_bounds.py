"""No container of the program grows without bound: the list is complete, and floods reach the limits and stop there."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.bounds import market_flood, program_flood, provider_flood
from tests.bounds.find import containers
from tests.bounds.table import BOUNDED, FIXED


def test_every_container_is_in_the_table_and_nothing_else() -> None:
    found = {name.removeprefix("tui.") for name in containers()}
    listed = FIXED.keys() | BOUNDED.keys()
    assert sorted(found - listed) == [], "give each a limit that a flood reaches, or say why it cannot grow"
    assert sorted(listed - found) == [], "no such container any more"
    assert not FIXED.keys() & BOUNDED.keys()


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How full each container was at the end of the flood that filled it most."""
    folder = tmp_path_factory.mktemp("flood")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        floods = [
            market_flood.store_flood(),
            market_flood.series_flood(),
            market_flood.heat_flood(),
            market_flood.venues_flood(),
            market_flood.marks_flood(),
            market_flood.styles_flood(),
            market_flood.figures_flood(),
            provider_flood.aries_flood(),
            provider_flood.depth_flood(),
            provider_flood.tokens_flood(),
            provider_flood.search_flood(),
            provider_flood.insightsentry_flood(folder),
            provider_flood.quantcite_flood(),
            provider_flood.usage_flood(),
            program_flood.limiter_flood(),
            program_flood.connection_flood(),
            program_flood.links_flood(),
            program_flood.refusals_flood(),
            program_flood.screen_flood(folder),
            program_flood.commands_flood(),
            program_flood.simulator_flood(),
        ]
    caches = {name: cache_size(name) for name in BOUNDED if name.endswith("()")}
    return program_flood.merged([*floods, caches])


def cache_size(name: str) -> int:
    module, _, function = name.removesuffix("()").rpartition(".")
    size: int = getattr(import_module(f"tui.{module}"), function).cache_parameters()["maxsize"]
    return size


@pytest.mark.parametrize("name", BOUNDED)
def test_a_flood_fills_it_to_its_limit_and_no_further(name: str, sizes: dict[str, int]) -> None:
    assert name in sizes, "no flood reaches it"
    assert BOUNDED[name] * 0.5 <= sizes[name] <= BOUNDED[name]
