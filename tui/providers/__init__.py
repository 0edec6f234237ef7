"""Discovery: every sub-package with a `PROVIDER`, and whatever the entry-point group `tickdeck.providers` names."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from tui.providers.base import Provider


@cache
def providers() -> dict[str, type[Provider]]:
    """Provider classes by name, the built-in ones first."""
    found: dict[str, type[Provider]] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg:
            provider: type[Provider] = importlib.import_module(f"{__name__}.{module.name}").PROVIDER
            found[provider.name] = provider
    for entry in entry_points(group="tickdeck.providers"):
        outside: type[Provider] = entry.load()
        found.setdefault(outside.name, outside)
    return found
