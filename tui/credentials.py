"""Secrets: from the environment, the operating system's keyring, or a prompt. Never from a plain file of ours."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import SecretStr

from tui import redaction
from tui.errors import CredentialError, KeyringUnavailable
from tui.keyring_thread import KeyringThread
from tui.redaction import Redactor

MAX_SECRET: Final = 8192
"""Longest secret in characters."""


class Source(StrEnum):
    """Where a secret was found."""

    ENVIRONMENT = "environment"
    FILE = "file"
    KEYRING = "keyring"
    THIS_RUN = "this run"


class _Found(NamedTuple):
    secret: SecretStr
    source: Source


class CredentialStore:
    """Looks secrets up, first found wins: environment, file named by the environment, keyring.

    The keyring is asked each time, so that what another process stored or rotated is seen; when it goes away, what it
    said last counts. What was entered or stored in this run wins over the environment.

    Args:
        keyring: The keyring's thread.
        redactor: Told about every secret, so that no log shows it.
        environment: Variables; those of the process when None.
    """

    def __init__(
        self,
        keyring: KeyringThread | None = None,
        *,
        redactor: Redactor = redaction.LIVE,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._keyring = keyring or KeyringThread()
        self._redactor = redactor
        self._environment = os.environ if environment is None else environment
        self._known: dict[tuple[str, str], _Found] = {}

    async def get(self, provider: str, field: str) -> SecretStr | None:
        """The secret, or None when nobody has stored one.

        Raises:
            KeyringUnavailable: the environment has none and the keyring cannot be asked.
            CredentialError: what was found cannot be a secret; says where.
        """
        found = await self._find(provider, field)
        return found.secret if found else None

    async def source_of(self, provider: str, field: str) -> Source | None:
        """Where the secret comes from, or None when there is none. Raises like `get`."""
        found = await self._find(provider, field)
        return found.source if found else None

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        """Store a secret in the keyring; keep it for this run only when there is no keyring.

        Raises:
            CredentialError: the value cannot be a secret.
        """
        try:
            await self.store(provider, field, secret)
        except KeyringUnavailable:
            self.keep(provider, field, secret)

    async def store(self, provider: str, field: str, secret: SecretStr) -> None:
        """Store a secret in the keyring, or raise KeyringUnavailable; CredentialError when it cannot be one."""
        found = self._seen(checked(secret.get_secret_value(), f"{provider} {field}"), Source.KEYRING)
        await self._keyring.set(f"{provider}:{field}", found.secret.get_secret_value())
        self._known[provider, field] = found

    def keep(self, provider: str, field: str, secret: SecretStr) -> None:
        """Use a secret for this run, before any other. Raises CredentialError when it cannot be one."""
        self._remember(provider, field, secret.get_secret_value(), Source.THIS_RUN)

    async def remove(self, provider: str, field: str) -> bool:
        """Remove a secret from the keyring; False when it held none. Raises KeyringUnavailable."""
        self._known.pop((provider, field), None)
        return await self._keyring.delete(f"{provider}:{field}")

    async def _find(self, provider: str, field: str) -> _Found | None:
        known = self._known.get((provider, field))
        if known and known.source is Source.THIS_RUN:
            return known
        if known is None and (found := await self._from_environment(provider, field)):
            return found
        try:
            text = await self._keyring.get(f"{provider}:{field}")
        except KeyringUnavailable:
            if known:  # it has gone away while we run
                return known
            raise
        if not text:
            self._known.pop((provider, field), None)
            return None
        return self._remember(provider, field, text, Source.KEYRING)

    async def _from_environment(self, provider: str, field: str) -> _Found | None:
        variable = variable_name(provider, field)
        if text := self._environment.get(variable):
            return self._seen(checked(text, variable), Source.ENVIRONMENT)
        if file := self._environment.get(f"{variable}_FILE"):
            text = await asyncio.to_thread(_read, Path(file), f"{variable}_FILE")
            return self._seen(checked(text, f"{variable}_FILE"), Source.FILE)
        return None

    def _remember(self, provider: str, field: str, text: str, source: Source) -> _Found:
        found = self._known[provider, field] = self._seen(checked(text, f"{provider} {field}"), source)
        return found

    def _seen(self, secret: SecretStr, source: Source) -> _Found:
        for part in _parts(secret.get_secret_value()):
            self._redactor.add(part)
        return _Found(secret, source)


class FixedSecrets:
    """Secrets that are given: for the simulator and for tests. Nothing is looked up and nothing leaves memory.

    Args:
        secrets: Values by provider and field.
    """

    def __init__(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self._secrets = {
            (provider, field): SecretStr(value)
            for provider, fields in secrets.items()
            for field, value in fields.items()
        }

    async def get(self, provider: str, field: str) -> SecretStr | None:
        """The secret, or None."""
        return self._secrets.get((provider, field))

    async def source_of(self, provider: str, field: str) -> Source | None:
        """`this run`, or None."""
        return Source.THIS_RUN if (provider, field) in self._secrets else None

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        """Keep a secret."""
        self.keep(provider, field, secret)

    def keep(self, provider: str, field: str, secret: SecretStr) -> None:
        """Keep a secret."""
        self._secrets[provider, field] = secret


def variable_name(provider: str, field: str) -> str:
    """The environment variable of a secret: `TICKDECK_ARIES_ACCESS_TOKEN`."""
    return f"TICKDECK_{provider}_{field}".upper().replace("-", "_")


def checked(text: str, where: str) -> SecretStr:
    """A secret as it was pasted, without the space around it. A JSON object passes too: some keys come with their life.

    Args:
        text: What was entered or found.
        where: For the message.

    Raises:
        CredentialError: empty, too long, or with characters that no key or token has; the value is not repeated.
    """
    value = text.strip()
    if not value:
        raise CredentialError(f"{where}: the secret is empty")
    if len(value) > MAX_SECRET:
        raise CredentialError(f"{where}: the secret is longer than {MAX_SECRET} characters")
    if value.startswith("{"):
        return SecretStr(_compact(value, where))
    if value[0] in "\"'" or value[-1] in "\"'":
        raise CredentialError(f"{where}: the secret is wrapped in quotes", remedy="Give it without them.")
    if not all("!" <= char <= "~" for char in value):
        raise CredentialError(
            f"{where}: the secret holds a space, a line break or another character that no key has",
            remedy="Copy it once more.",
        )
    return SecretStr(value)


def _compact(value: str, where: str) -> str:
    try:
        return json.dumps(json.loads(value), separators=(",", ":"))
    except (ValueError, RecursionError):
        raise CredentialError(f"{where}: the secret starts like JSON and is none") from None


def _parts(value: str) -> list[str]:
    """What must not be shown: the whole, and the texts inside of a JSON object."""
    inside = json.loads(value).values() if value.startswith("{") else ()
    return [value, *(part for part in inside if isinstance(part, str))]


def _read(file: Path, variable: str) -> str:
    try:
        with file.open(encoding="ascii") as handle:
            return handle.read(MAX_SECRET + 2)
    except OSError as error:
        raise CredentialError(f"{variable}: {file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise CredentialError(f"{variable}: {file}: not plain text") from None
