"""The configuration: what can be set, its defaults, and how it is read from a file."""

from __future__ import annotations

import logging
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from tui import paths
from tui.config_keys import KnownActions, check_keys
from tui.config_mistakes import Mistake, describe, did_you_mean, from_validation, report, secrets_in
from tui.config_providers import check_provider
from tui.errors import ConfigError, SymbolError
from tui.market.names import Kind, Symbol, parse_symbol
from tui.paths import find_config as find_config
from tui.providers import providers
from tui.providers.base import ProviderSettings

_log = logging.getLogger(__name__)

DEFAULT_WATCHLIST: Final = ("AAPL", "NVDA", "SPX", "BTC/USDT", "ETH/USDT")
DEFAULT_SOURCES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.QUOTE: ("aries", "insightsentry", "quantcite"),
    Kind.BAR: ("insightsentry", "aries"),
    Kind.BOOK: ("quantcite", "aries"),
    Kind.TRADE: ("aries",),
    Kind.NEWS: ("insightsentry", "aries"),
    Kind.GREEKS: ("aries",),
    Kind.ACCOUNT: ("aries",),
}
MAX_FILE: Final = 1024 * 1024
"""Largest configuration file that is read, in bytes."""
_FREE_TABLES: Final = ("watchlists", "sources", "symbols", "keys")
_ERROR_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{message}", {"message": message})


def _symbol(text: str) -> Symbol:
    try:
        return parse_symbol(text)
    except SymbolError as error:
        raise _wrong("is not a symbol, try AAPL, BTC/USDT or NASDAQ:AAPL") from error


def _provider(name: str) -> str:
    if name not in providers():
        raise _wrong("no such provider" + (did_you_mean(name, providers()) or f" (there are {', '.join(providers())})"))
    return name


def _kind(name: object) -> Kind:
    try:
        return Kind(str(name))
    except ValueError:
        raise _wrong("no such kind of data" + did_you_mean(str(name), [kind.value for kind in Kind])) from None


def _proxy(value: str) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https", "socks5", "socks5h") or not parts.hostname:
        raise _wrong("should look like http://host:port or socks5h://host:port")
    if "@" in parts.netloc:
        raise _wrong("a password does not belong in this file; set https_proxy in the environment instead")
    return value


def _existing_file(value: object) -> object:
    if not isinstance(value, str) or not value:
        return value or None
    path = Path(value).expanduser()
    if not path.is_file():
        raise _wrong("there is no such file")
    return path


def _without_repeats(symbols: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    return tuple(dict.fromkeys(symbols))


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


SymbolName = Annotated[Symbol, AfterValidator(_symbol)]
"""A symbol in any spelling, made canonical."""
Symbols = Annotated[tuple[SymbolName, ...], AfterValidator(_without_repeats)]
"""Symbols in order, each once."""
_ProviderName = Annotated[str, AfterValidator(_provider)]
_KindName = Annotated[Kind, BeforeValidator(_kind)]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Config(BaseModel):
    """All settings. `Config()` is what runs without a file; secrets are never part of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    theme: _Word = "tickdeck-dark"
    """Name of a theme file, without `.toml`."""
    frames_per_second: int = Field(default=10, ge=1, le=30, strict=True)
    """How often the screen is drawn while something changes."""
    flash: bool = Field(default=True, strict=True)
    """Whether a cell lights up for a moment when its number changes."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    """How much goes to the log file."""
    proxy: Annotated[str | None, AfterValidator(lambda value: _proxy(value or ""))] = None
    """Proxy for all connections; None takes `https_proxy` from the environment."""
    ca_file: Annotated[Path | None, BeforeValidator(_existing_file)] = None
    """Certificates trusted in addition to those of the operating system (PEM)."""
    watchlists: Mapping[_Word, Symbols] = Field(
        default={"main": DEFAULT_WATCHLIST}, min_length=1, validate_default=True
    )
    """Symbols by list name."""
    watchlist: str = Field(default="", validate_default=True)
    """The watchlist shown at the start; `main`, or else the first one, when the file names none."""
    sources: Mapping[_KindName, tuple[_ProviderName, ...]] = Field(default={}, validate_default=True)
    """Who is asked first, kind by kind; a kind that is left out keeps its default."""
    symbols: Mapping[SymbolName, Mapping[_ProviderName, _Word]] = {}
    """Provider codes by symbol and provider, where the usual rule is wrong."""
    providers: Mapping[str, SerializeAsAny[ProviderSettings]] = Field(default={}, validate_default=True)
    """Settings by provider; every installed provider is there."""
    keys: Mapping[str, str] = {}
    """Keys by action."""

    def with_providers(self, settings: Mapping[str, Mapping[str, Any]], *, only: bool = False) -> Config:
        """A copy in which these settings replace the providers' own, validated like those of a file.

        Args:
            settings: New values by provider and setting; what is not named stays.
            only: Disable every provider that is not named.

        Raises:
            ConfigError: a setting is wrong, or there is no such provider.
        """
        current = {name: kept.model_dump() for name, kept in self.providers.items()}
        if only:
            current = {name: {**kept, "enabled": name in settings} for name, kept in current.items()}
        merged = {**current, **{name: {**current.get(name, {}), **new} for name, new in settings.items()}}
        changed, mistakes = _providers(merged)
        if mistakes:
            raise ConfigError("\n".join(map(describe, mistakes)))
        return self.model_copy(update={"providers": changed})

    def codes(self, provider: str) -> dict[Symbol, str]:
        """The part of `symbols` that names this provider."""
        return {symbol: codes[provider] for symbol, codes in self.symbols.items() if provider in codes}

    @field_validator("watchlist")
    @classmethod
    def _watchlist(cls, name: str, info: ValidationInfo) -> str:
        lists = info.data.get("watchlists", {})
        if not name:
            return "main" if "main" in lists else next(iter(lists), "main")
        if lists and name not in lists:
            raise _wrong("no such watchlist" + did_you_mean(name, lists))
        return name

    @field_validator("sources")
    @classmethod
    def _sources(cls, sources: Mapping[Kind, tuple[str, ...]]) -> Mapping[Kind, tuple[str, ...]]:
        defaults = {kind: tuple(n for n in names if n in providers()) for kind, names in DEFAULT_SOURCES.items()}
        return {**defaults, **sources}

    @field_validator("keys", mode="before")
    @classmethod
    def _keys(cls, value: object) -> dict[str, str]:
        keys, mistakes = check_keys(value)
        if mistakes:
            raise _wrong("; ".join(map(describe, mistakes)))
        return keys

    @field_validator("providers", mode="before")
    @classmethod
    def _settings(cls, value: object) -> dict[str, ProviderSettings]:
        if not isinstance(value, Mapping):
            raise _wrong("should be a table")
        settings, mistakes = _providers(value)
        if mistakes:
            raise _wrong("; ".join(map(describe, mistakes)))
        return settings


def load_config(
    chosen: Path | None = None,
    *,
    warn: Callable[[str], None] = _log.warning,
    actions: KnownActions | None = None,
) -> Config:
    """Read and check the configuration.

    Args:
        chosen: The file the user named. Without one, a file that does not exist gives the defaults.
        warn: Told about what is unwise but works.
        actions: Says which actions a key can be given; None when the caller has no screen to know them.

    Raises:
        ConfigError: all mistakes, one a line, or the file that was named cannot be read.
    """
    file = find_config(chosen)
    if not (chosen or os.environ.get(paths.CONFIG_VARIABLE) or file.exists()):
        return Config()
    text = _read(file)
    if os.name == "posix" and file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        warn(f"{file}: others can change this file; run: chmod go-w {file}")
    return parse_config(text, file, actions)


def parse_config(text: str, file: Path, actions: KnownActions | None = None) -> Config:
    """Check the text of a configuration; `file` is only named in mistakes. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, text, error) from None
    config, mistakes = _checked(raw, actions)
    if mistakes or config is None:
        raise report(file, text, mistakes)
    return config


def _checked(raw: dict[str, Any], actions: KnownActions | None) -> tuple[Config | None, list[Mistake]]:
    """The configuration, or all that is wrong with it: secrets, then providers and keys, then the rest."""
    known = {name: provider.settings_model.model_fields.keys() for name, provider in providers().items()}
    mistakes = [Mistake(place, _secret_remedy(place)) for place in secrets_in(raw, known, _FREE_TABLES)]
    sections = raw.get("providers", {})
    settings, wrong = _providers(sections) if isinstance(sections, dict) else ({}, [])
    keys, wrong_keys = check_keys(raw.get("keys", {}), actions)
    mistakes += wrong + wrong_keys
    checked = {**raw, "keys": keys}
    if isinstance(sections, dict):
        checked["providers"] = settings
    config: Config | None = None
    try:
        config = Config.model_validate(checked)
    except ValidationError as error:
        mistakes += from_validation(error, raw, Config.model_fields)
    mistakes += _unknown_names(raw)
    return config, _first_at_each_place(mistakes)


def _unknown_names(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """Names of what does not exist, judged even when what they refer to has mistakes of its own."""
    theme, themes = raw.get("theme"), paths.theme_names()
    if isinstance(theme, str) and themes and theme not in themes:
        yield Mistake(("theme",), "no such theme" + did_you_mean(theme, themes))
    name, lists = raw.get("watchlist"), raw.get("watchlists")
    if isinstance(name, str) and isinstance(lists, dict) and name not in lists:
        yield Mistake(("watchlist",), "no such watchlist" + did_you_mean(name, lists))


def _providers(sections: Mapping[str, Any]) -> tuple[dict[str, ProviderSettings], list[Mistake]]:
    """Settings of every installed provider, and what is wrong in the sections."""
    settings: dict[str, ProviderSettings] = {}
    mistakes: list[Mistake] = []
    for name, provider in providers().items():
        settings[name], wrong = check_provider(name, provider.settings_model, sections.get(name, {}))
        mistakes += wrong
    for name in sections.keys() - settings.keys():
        mistakes.append(Mistake(("providers", name), "no such provider" + did_you_mean(name, settings)))
    return settings, mistakes


def _first_at_each_place(mistakes: list[Mistake]) -> list[Mistake]:
    """A secret is an unknown key too: say the first thing only, and nothing about what lies in a wrong table."""
    kept: dict[Any, Mistake] = {}
    for mistake in mistakes:
        kept.setdefault(mistake.place, mistake)
    return list(kept.values())


def _secret_remedy(place: tuple[str | int, ...]) -> str:
    command = "tickdeck credentials set"
    if len(place) > 2 and place[0] == "providers" and (provider := providers().get(str(place[1]))):
        command += f" {provider.name}"
        if any(field.name == place[2] for field in provider.credential_fields):
            command += f" --field {place[2]}"
    return f"secrets do not belong in this file; remove the line and run: {command}"


def _read(file: Path) -> str:
    try:
        data = file.read_bytes() if file.stat().st_size <= MAX_FILE else None
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ConfigError(f"{file}: {reason}", remedy="Run: tickdeck config init") from error
    if data is None:
        raise ConfigError(f"{file}: larger than {MAX_FILE // 1024} KB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{file}:{line}: not UTF-8") from None


def _syntax_error(file: Path, text: str, error: tomllib.TOMLDecodeError) -> ConfigError:
    message = str(error)
    if match := _ERROR_LINE.search(message):
        return ConfigError(f"{file}:{match[1]}: {message[: match.start()]}")
    last = text.rstrip().count("\n") + 1
    return ConfigError(f"{file}:{last}: {message.removesuffix(' (at end of document)')} at the end of the file")
