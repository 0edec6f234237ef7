"""WebSocket keys: rotated ones with their life kept, pasted ones, and what a dashboard key says of itself.

Asking for a WebSocket key is no look-up: it ends the previous key at once (protocol reference 9). So a key is asked
for only when the stored one has under a day left or was refused, by one task of one process at a time, and it is stored
before it is used.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from tui.clock import NS
from tui.errors import CredentialError, RestError
from tui.locks import locked
from tui.providers.base import Credential, SecretStore
from tui.providers.parse import load_json, number, time_ns

log = logging.getLogger(__name__)

FIELD: Final = "websocket_key"
BUFFER_NS: Final = 24 * 3600 * NS
WARN_NS: Final = 12 * 3600 * NS
ONCE_NS: Final = 3600 * NS
"""A key that was refused before its time is replaced once in this long."""
RETRY_BASE_S: Final = 60.0
RETRY_CAP_S: Final = 3600.0

Fetch = Callable[[], Awaitable[tuple[SecretStr, int]]]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A WebSocket key as it is kept.

    Attributes:
        secret: The key.
        expires_at_ns: End of validity, or None when it was pasted without.
        owner: Fingerprint of the account it belongs to, or "".
        replaced_ns: When a key was last replaced because it was refused before its time, or 0.
    """

    secret: SecretStr
    expires_at_ns: int | None = None
    owner: str = ""
    replaced_ns: int = 0

    @classmethod
    def parse(cls, stored: SecretStr) -> StoredKey | None:
        """From what the store holds: JSON, or a bare pasted key; None when it holds no key."""
        words = stored.get_secret_value().strip()
        try:
            value = load_json(words) if words.startswith("{") else {"key": words}
        except ValueError:
            return None
        key = value.get("key") or value.get("api_key")
        if not isinstance(key, str) or not key.strip():
            return None
        owner = value.get("owner")
        return cls(
            SecretStr(key.strip()),
            _stamp(value.get("expires_at") or value.get("expiration")),
            owner if isinstance(owner, str) else "",
            _stamp(value.get("replaced_at")) or 0,
        )

    def dump(self) -> SecretStr:
        """As one value for the store: JSON with times in UTC seconds."""
        value = {
            "key": self.secret.get_secret_value(),
            "expires_at": None if self.expires_at_ns is None else self.expires_at_ns // NS,
            "owner": self.owner,
            "replaced_at": self.replaced_ns // NS,
        }
        return SecretStr(json.dumps(value))

    def left_ns(self, now_ns: int) -> int:
        """How long it is still valid."""
        return BUFFER_NS * 365 if self.expires_at_ns is None else self.expires_at_ns - now_ns

    @property
    def credential(self) -> Credential:
        """For a connection."""
        return Credential(self.secret, self.expires_at_ns)


class KeyRing:
    """The rotated key of one account.

    Args:
        provider: Whose it is, for the store.
        secrets: Where it is kept.
        now_ns: UTC nanoseconds.
        lock_path: A file that all processes of this user lock while one of them rotates; None shares with nobody.
    """

    def __init__(self, provider: str, secrets: SecretStore, now_ns: Callable[[], int], lock_path: Path | None) -> None:
        self._provider = provider
        self._secrets = secrets
        self._now_ns = now_ns
        self._lock_path = lock_path
        self._lock = asyncio.Lock()
        self._given: dict[str, str] = {}
        self._unsaved: StoredKey | None = None
        self._failures = 0
        self._not_before_ns = 0

    async def credential(self, channel: str, owner: str, fetch: Fetch, *, refused: bool) -> Credential:
        """The key for a channel: the stored one while it has more than a day left, else a new one.

        Args:
            channel: Who asks: each channel may have been refused with another key.
            owner: Fingerprint of the account.
            fetch: Gets a new key, ending the old one.
            refused: The key that this channel was given last was refused, or it asks for another since it is due.

        Raises:
            CredentialError: a new key was refused as well; says who else may be using the account.
            RestError: a rotation failed and the old key is no longer valid.
        """
        async with self._lock:
            key = await self._load(owner)
            if key is None or not self._is_good(key, channel, refused):
                async with locked(self._lock_path, "renewing the key"):
                    key = await self._load(owner)  # another process may have rotated meanwhile
                    if key is None or not self._is_good(key, channel, refused):
                        key = await self._replace(key, owner, fetch, refused=refused)
            self._given[channel] = key.secret.get_secret_value()
            return key.credential

    async def stored(self, owner: str) -> StoredKey | None:
        """The key as it is, for a look at its life."""
        return await self._load(owner)

    def _is_good(self, key: StoredKey, channel: str, refused: bool) -> bool:
        is_refused = refused and key.secret.get_secret_value() == self._given.get(
            channel, key.secret.get_secret_value()
        )
        return not is_refused and key.left_ns(self._now_ns()) > BUFFER_NS

    async def _load(self, owner: str) -> StoredKey | None:
        found = await self._secrets.get(self._provider, FIELD)
        key = self._unsaved or (None if found is None else StoredKey.parse(found))
        return key if key is not None and key.owner in ("", owner) else None

    async def _replace(self, old: StoredKey | None, owner: str, fetch: Fetch, *, refused: bool) -> StoredKey:
        now_ns = self._now_ns()
        is_early = refused and old is not None and old.left_ns(now_ns) > BUFFER_NS
        if is_early and old is not None and now_ns - old.replaced_ns < ONCE_NS:
            raise CredentialError(
                "InsightSentry refused a WebSocket key that was just renewed",
                remedy="Another program renews the key of this account: stop it, then reconnect with R.",
            )
        replaced_ns = now_ns if is_early else (old.replaced_ns if old else 0)
        try:
            new = await self._fetched(fetch, now_ns)
        except (RestError, CredentialError):
            if old is None or is_early or old.left_ns(now_ns) <= 0:
                raise
            if old.left_ns(now_ns) < WARN_NS:
                log.warning("the WebSocket key ends within 12 hours and could not be renewed")
            return old
        new = replace(new, owner=owner, replaced_ns=replaced_ns)
        await self._save(new)
        return new

    async def _fetched(self, fetch: Fetch, now_ns: int) -> StoredKey:
        if now_ns < self._not_before_ns:
            wait_s = (self._not_before_ns - now_ns) / NS
            raise RestError("InsightSentry key rotation failed a moment ago", retry_after_s=wait_s)
        try:
            secret, expires_at_ns = await fetch()
        except (RestError, CredentialError) as error:
            asked_s = (error.retry_after_s or 0.0) if isinstance(error, RestError) else 0.0
            wait_s = max(asked_s, min(RETRY_BASE_S * 2**self._failures, RETRY_CAP_S))
            self._failures = min(self._failures + 1, 10)
            self._not_before_ns = now_ns + int(min(wait_s, RETRY_CAP_S) * NS)
            raise
        self._failures = 0
        return StoredKey(secret, expires_at_ns)

    async def _save(self, key: StoredKey) -> None:
        """Store before use; a store that fails must not cost the key, since the old one is gone already."""
        self._unsaved = key
        try:
            await self._secrets.put(self._provider, FIELD, key.dump())
        except CredentialError:
            log.warning("the new WebSocket key could not be stored; it serves until the program ends")
        else:
            self._unsaved = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a dashboard key (a JWT) says of its plan, unverified; every claim is optional (2)."""

    expires_at_ns: int | None = None
    symbols: int | None = None
    connections: int | None = None
    has_newsfeed: bool | None = None


def claims(key: SecretStr) -> Claims | None:
    """Read a key's claims locally, or None when it is no JWT."""
    parts = key.get_secret_value().split(".")
    if len(parts) != 3:
        return None
    try:
        payload = load_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    if not isinstance(payload, dict):
        return None
    newsfeed = payload.get("newsfeed_enabled")
    return Claims(
        expires_at_ns=_stamp(payload.get("exp")),
        symbols=_count(payload.get("websocket_symbols")),
        connections=_count(payload.get("websocket_connections")),
        has_newsfeed=newsfeed if isinstance(newsfeed, bool) else None,
    )


def _stamp(value: Any) -> int | None:
    try:
        return time_ns(value)
    except ValueError:
        return None


def _count(value: Any) -> int | None:
    try:
        found = number(value)
    except ValueError:
        return None
    return None if found is None else int(found)
