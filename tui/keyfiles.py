"""Files about one key of one provider: found again by the key, without holding it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from tui.locks import held
from tui.paths import write_private

log = logging.getLogger(__name__)

SALT: Final = "salt"
SALT_BYTES: Final = 32


class KeyFiles:
    """Names files after a keyed hash of a key: `keys/quantcite-3f9a0c1d2b4e5f60.json`.

    The key of the hash is made on this machine and stays here: whoever reads a file name can neither tell the
    provider's key nor try keys out.

    Args:
        folder: The state folder, or None to keep nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder / "keys"
        self._salt: bytes | None = None

    async def path(self, provider: str, secret: SecretStr, suffix: str) -> Path | None:
        """Where something about a key belongs, or None when nothing can be kept.

        Args:
            provider: The provider's name.
            secret: The key.
            suffix: Of the file name: `.lock`.
        """
        if self._folder is None:
            return None
        try:
            if self._salt is None:
                self._salt = await asyncio.to_thread(_salt, self._folder / SALT)
        except OSError as error:
            log.warning("nothing can be kept in %s: %s", self._folder, error.strerror or error)
            self._folder = None
            return None
        return self._folder / f"{provider}-{fingerprint(secret, self._salt)}{suffix}"


def fingerprint(secret: SecretStr, salt: bytes) -> str:
    """Sixteen hexadecimal digits that tell keys apart."""
    return hashlib.blake2b(secret.get_secret_value().encode(), key=salt, digest_size=8).hexdigest()


def _salt(path: Path) -> bytes:
    """The one of the file, which is made when it is missing or damaged; all processes get the same."""
    with held(path.with_name(f"{path.name}.lock")):
        found = _read(path)
        if found is None:
            found = secrets.token_bytes(SALT_BYTES)
            write_private(path, found.hex())
        return found


def _read(path: Path) -> bytes | None:
    try:
        found = bytes.fromhex(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return found if len(found) == SALT_BYTES else None
