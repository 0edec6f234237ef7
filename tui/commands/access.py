"""What the commands that ask providers share: the REST client, and whether there is any credential to ask with."""

from __future__ import annotations

from collections.abc import Iterable

from tui.config import Config
from tui.errors import CredentialError, KeyringUnavailable
from tui.providers.base import Provider
from tui.rest import RestClient


def rest_client(config: Config) -> RestClient:
    """A client with the network settings of the configuration; the caller closes it."""
    return RestClient(proxy=config.proxy, ca_file=config.ca_file)


async def check_credentials(providers: Iterable[Provider]) -> None:
    """Make sure that at least one provider can be logged in to.

    Raises:
        CredentialError: none can; says what to do.
    """
    names: list[str] = []
    trouble = ""
    for provider in providers:
        try:
            if await provider.has_credential():
                return
        except KeyringUnavailable as error:
            trouble = f" ({error})"
        names.append(provider.name)
    if not names:
        raise CredentialError("every provider is disabled", remedy="Set enabled = true under [providers.…].")
    raise CredentialError(
        f"no credentials for {', '.join(names)}{trouble}",
        remedy=f"Run: tickdeck credentials set {names[0]}. Or try: tickdeck demo",
    )
