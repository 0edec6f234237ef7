"""Provider objects for commands that ask them something without opening a feed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from tui import paths
from tui.clock import Clock
from tui.config import Config
from tui.errors import UsageError
from tui.providers import providers
from tui.providers.base import HttpClient, Provider, ProviderContext, SecretStore


def enabled_providers(config: Config, secrets: SecretStore, http: HttpClient) -> dict[str, Provider]:
    """The enabled providers by name; nothing is opened."""
    return {
        name: make_provider(name, config, secrets, http)
        for name, settings in config.providers.items()
        if settings.enabled
    }


def make_provider(name: str, config: Config, secrets: SecretStore, http: HttpClient) -> Provider:
    """One provider, enabled or not."""
    settings, codes = config.providers[name], config.codes(name)
    context = ProviderContext(settings, secrets, http, Clock().now_ns, codes, paths.state_dir())
    return providers()[name](context)


def chosen(name: str | None) -> list[type[Provider]]:
    """The provider that was named, or all of them. Raises UsageError when there is none of that name."""
    installed = providers()
    if name is None:
        return list(installed.values())
    if name not in installed:
        raise UsageError(f"no provider {name!r}", remedy=_meant(name, list(installed)))
    return [installed[name]]


def chosen_fields(provider: type[Provider], name: str | None) -> list[str]:
    """The field that was named, or all of the provider's. Raises UsageError when there is none of that name."""
    names = [field.name for field in provider.credential_fields]
    if name is None:
        return names
    if name not in names:
        raise UsageError(f"{provider.name} has no secret {name!r}", remedy=_meant(name, names))
    return [name]


def _meant(word: str, names: Sequence[str]) -> str:
    close = get_close_matches(word.lower(), names, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are {', '.join(names)}."
