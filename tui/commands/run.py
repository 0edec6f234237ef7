"""`tickdeck run`: the dashboard on the providers of the configuration."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Final

from tui.commands.access import rest_client
from tui.commands.providers import enabled_providers
from tui.commands.setup import configuration
from tui.config import Config
from tui.credentials import CredentialStore
from tui.errors import CredentialError, KeyringUnavailable
from tui.loop import run
from tui.providers.base import Provider, SecretStore
from tui.state import StateFile

DEMO: Final = "Without any key: tickdeck demo"
INSTEAD: Final = (
    "Press C to enter keys for this run, or set TICKDECK_<PROVIDER>_<FIELD> in the environment, "
    f"such as TICKDECK_QUANTCITE_API_KEY. {DEMO}"
)
PATIENCE_S: Final = 1.5
"""A keyring that has not answered by then may be asking for its password: the screen comes without waiting for it."""


def run_command(args: Namespace) -> int:
    """Show the dashboard.

    Args:
        args: `symbols`, and what `configuration` takes.

    Returns:
        The exit code of the dashboard.

    Raises:
        ConfigError: the configuration is wrong.
        CredentialError: no provider can be logged in to, and the keyring has been asked.
    """
    config = configuration(args)
    secrets = CredentialStore()
    remark = asyncio.run(look_for_keys(config, secrets))
    from tui.app import MarketApp  # the screen's libraries are loaded once it is clear that there will be one

    app = MarketApp(config, secrets, symbols=args.symbols, state=StateFile(config), remark=remark)
    run(app.run_async())
    return app.return_code or 0


async def look_for_keys(config: Config, secrets: SecretStore) -> str:
    """Make sure that there is something to log in with, as far as that can be known.

    When the keyring cannot be asked the dashboard starts all the same: secrets can be entered there.

    Returns:
        What the user should know of it on the screen, or "".

    Raises:
        CredentialError: there is nothing to log in with.
    """
    providers = enabled_providers(config, secrets, rest_client(config))
    if not providers:
        raise CredentialError("every provider is disabled", remedy=f"Set enabled = true for one of them. {DEMO}")
    try:
        async with asyncio.timeout(PATIENCE_S):
            looks = {name: await _look(provider) for name, provider in providers.items()}
    except TimeoutError:
        return f"The keyring has not answered yet: it may be asking for its password. {INSTEAD}"
    if all(look is False for look in looks.values()):
        raise CredentialError(
            f"no keys or tokens for {', '.join(providers)}",
            remedy=f"Store what you have: tickdeck credentials set {next(iter(providers))}\n{DEMO}",
        )
    unread = {name: look for name, look in looks.items() if isinstance(look, KeyringUnavailable)}
    return " ".join(f"No keys for {', '.join(unread)}: {error}. {INSTEAD}" for error in list(unread.values())[:1])


async def _look(provider: Provider) -> bool | KeyringUnavailable:
    try:
        return await provider.has_credential()
    except KeyringUnavailable as error:
        return error
