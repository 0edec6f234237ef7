"""Whether a provider accepts what is stored for it."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from tui.errors import CredentialError, KeyringUnavailable, RestError, TickdeckError
from tui.market.text import clean
from tui.providers.base import Provider

LIMIT_S: Final = 20.0
FAILURE: Final = 1
NO_CREDENTIALS: Final = 4


class Verdict(NamedTuple):
    """What came of it.

    Attributes:
        code: Exit code: 0 accepted, 4 missing or refused, 1 could not be checked.
        said: In a word or two.
        text: What the provider said, or what is wrong.
        remedy: What the user can do, or "".
    """

    code: int
    said: str
    text: str
    remedy: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether there is nothing to log in with."""
        return self.said in ("missing", "no keyring")


async def verify(provider: Provider, limit_s: float = LIMIT_S) -> Verdict:
    """Ask the provider with the cheapest call it has; never raises for what a provider does."""
    try:
        async with asyncio.timeout(limit_s):
            if not await provider.has_credential():
                remedy = f"Store it: tickdeck credentials set {provider.name}"
                return Verdict(NO_CREDENTIALS, "missing", "nothing is stored to log in with", remedy)
            return Verdict(0, "good", clean(await provider.verify()))
    except TimeoutError:
        return Verdict(FAILURE, "no answer", f"not within {limit_s:g} s", "Try again later.")
    except KeyringUnavailable as error:
        return Verdict(NO_CREDENTIALS, "no keyring", str(error), error.remedy)
    except CredentialError as error:
        return Verdict(NO_CREDENTIALS, "not usable", str(error), error.remedy)
    except RestError as error:
        if error.status in (401, 403):
            remedy = error.remedy or f"Store another one: tickdeck credentials set {provider.name}"
            return Verdict(NO_CREDENTIALS, "refused", str(error), remedy)
        return Verdict(FAILURE, "failed", str(error), error.remedy)
    except TickdeckError as error:
        return Verdict(FAILURE, "failed", str(error), error.remedy)
