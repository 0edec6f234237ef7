"""The settings of one provider: its own model, and the rules for addresses that hold for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from tui.config_mistakes import Mistake, from_validation
from tui.network import is_loopback
from tui.providers.base import ProviderSettings

_FAMILIES: Final = {"ws": "ws", "wss": "ws", "http": "http", "https": "http"}


def check_provider(name: str, model: type[ProviderSettings], section: object) -> tuple[ProviderSettings, list[Mistake]]:
    """Validated settings, or the defaults and what is wrong with the section.

    Args:
        name: The provider, for places.
        model: Its settings.
        section: A table of the file, or settings that are validated already.
    """
    place = ("providers", name)
    if isinstance(section, ProviderSettings):
        section = section.model_dump()
    if not isinstance(section, Mapping):
        return model(), [Mistake(place, "should be a table")]
    try:
        settings = model.model_validate(dict(section))
    except ValidationError as error:
        return model(), from_validation(error, section, model.model_fields, place)
    wrong = [Mistake((*place, key), text) for key, text in _wrong_addresses(settings)]
    return model() if wrong else settings, wrong


def _wrong_addresses(settings: ProviderSettings) -> Iterator[tuple[str, str]]:
    for key, field in type(settings).model_fields.items():
        if key == "url" or key.endswith("_url"):
            default = urlsplit(str(field.default)).scheme
            if text := _wrong_address(str(getattr(settings, key)), _FAMILIES.get(default)):
                yield key, text


def _wrong_address(url: str, family: str | None) -> str | None:
    """What is wrong with an address; `family` is `ws` or `http` when only that kind fits."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is not an address"
    if not host or parts.scheme not in _FAMILIES or not url.isprintable() or " " in url:
        return f"should be an address that starts with {family or 'ws'}s://"
    if family and _FAMILIES[parts.scheme] != family:
        return f"should start with {family}s://"
    if "@" in parts.netloc or parts.query:
        return "should hold no user, password or query; keys are stored by: tickdeck credentials set"
    if parts.scheme in ("ws", "http") and not is_loopback(host):
        return f"{parts.scheme}:// is not encrypted and allowed for this machine only; use {parts.scheme}s://"
    return None
