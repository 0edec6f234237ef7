"""The exception tree.

::

    TickdeckError
    ├── ConfigError          a mistake in the configuration file: exit 3
    ├── CredentialError      a secret is missing, refused or unreadable: exit 4
    │   └── KeyringUnavailable   the OS keyring cannot be used here
    ├── FeedError            a connection could not do its work
    ├── RestError            an HTTP call failed
    ├── SymbolError          text that names no instrument
    └── UsageError           words on the command line that mean nothing: exit 2
"""

from __future__ import annotations


class TickdeckError(Exception):
    """Base of all errors that are meant for a person: what, where, what to do.

    Attributes:
        remedy: One sentence that says what the user can do, or "".
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class ConfigError(TickdeckError):
    """A mistake in the configuration: `FILE:LINE: key: what is wrong, did you mean …`."""


class CredentialError(TickdeckError):
    """A secret that is needed is missing, was refused, or cannot be read."""


class KeyringUnavailable(CredentialError):
    """The operating system's keyring is missing, locked, or does not answer."""


class FeedError(TickdeckError):
    """A provider connection cannot do its work.

    Attributes:
        retry_after_s: Seconds after which it may, or None when that is up to the user.
    """

    def __init__(self, message: str, *, remedy: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class RestError(TickdeckError):
    """An HTTP call failed.

    Attributes:
        status: HTTP status, or None when no answer came.
        retry_after_s: Seconds the server asked to wait, or None.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None, remedy: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.retry_after_s = retry_after_s


class SymbolError(TickdeckError):
    """Text that names no instrument."""


class UsageError(TickdeckError):
    """Words on the command line that mean nothing."""
