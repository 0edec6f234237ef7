"""`tickdeck doctor`: what is set up, what works, and the remedy for what does not."""

from __future__ import annotations

import asyncio
import statistics
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from urllib.request import getproxies

from tui.commands.access import rest_client
from tui.commands.checks import check_config, check_keyring, check_log, check_secrets, check_terminal
from tui.commands.findings import Finding, Level, bad, good, note, print_section
from tui.commands.providers import enabled_providers
from tui.commands.reach import Reached, Server, reach, servers
from tui.commands.signals import run_until_signal
from tui.commands.verifying import verify
from tui.config import Config
from tui.credentials import CredentialStore, Source
from tui.errors import TickdeckError
from tui.keyring_thread import KeyringThread
from tui.network import is_loopback
from tui.providers.base import Provider

MAX_CLOCK_OFF_S: Final = 5.0
MAX_LOGIN_CLOCK_OFF_S: Final = 60.0
"""Tokens that end after minutes are refused by then."""


def doctor_command(args: Namespace) -> int:
    """Print a report.

    Args:
        args: What `configuration` takes.

    Returns:
        0, or 1 when something that is needed does not work.
    """
    return run_until_signal(_doctor(args))


async def _doctor(args: Namespace) -> int:
    report: list[Finding] = []

    def section(title: str, findings: list[Finding]) -> None:
        report.extend(findings)
        print_section(title, findings)

    config, findings = check_config(args)
    section("configuration", [*findings, check_log()])
    keyring = KeyringThread()
    store = CredentialStore(keyring)
    sources, findings = await check_secrets(store)
    section("keyring", [*await check_keyring(keyring, is_needed=not sources - {Source.KEYRING}), *findings])
    checked = await _check_providers(config, store)
    for one in checked:
        section(one.title, one.findings)
    section("providers", [_usable(checked)])
    section("terminal", list(check_terminal()))
    section("clock", [_clock([off for one in checked for off in one.clocks_off_s])])
    return int(any(finding.level is Level.BAD for finding in report))


class _Checked(NamedTuple):
    """What was found about one provider."""

    title: str
    is_usable: bool
    findings: list[Finding]
    clocks_off_s: list[float]


async def _check_providers(config: Config, store: CredentialStore) -> list[_Checked]:
    http = rest_client(config)
    try:
        providers = enabled_providers(config, store, http).values()
        return await asyncio.gather(*(_check_provider(provider, config) for provider in providers))
    finally:
        await http.close()


async def _check_provider(provider: Provider, config: Config) -> _Checked:
    """Servers and login at the same time; what nobody can log in to is not needed."""
    addresses = list(servers(config.providers[provider.name]))
    verdict, reached = await asyncio.gather(
        verify(provider), asyncio.gather(*(_reach(server, config) for server in addresses))
    )
    complain = note if verdict.is_absent else bad
    findings: list[Finding] = []
    clocks_off_s: list[float] = []
    for server, answer in zip(addresses, reached, strict=True):
        findings.append(_connection(server, answer, complain))
        if isinstance(answer, Reached) and answer.clock_off_s is not None:
            clocks_off_s.append(answer.clock_off_s)
    login = f"login: {verdict.text}"
    findings.append(
        good(login) if verdict.code == 0 else complain(login, "" if verdict.said == "no keyring" else verdict.remedy)
    )
    return _Checked(provider.title, verdict.code == 0, findings, clocks_off_s)


async def _reach(server: Server, config: Config) -> Reached | TickdeckError | None:
    """None behind a proxy, where this machine may know no names and reach nothing by itself."""
    if not is_loopback(server.host) and (config.proxy or getproxies().keys() & {"https", "wss", "socks"}):
        return None
    try:
        return await reach(server, config.ca_file)
    except TickdeckError as error:
        return error


def _connection(
    server: Server, answer: Reached | TickdeckError | None, complain: Callable[[str, str], Finding]
) -> Finding:
    match answer:
        case None:
            return note(f"{server.host}: through the proxy")
        case Reached():
            return good(f"{server.host}:{server.port}: {answer.seconds * 1000:.0f} ms {answer.protocol or 'no TLS'}")
        case _:
            return complain(str(answer), answer.remedy)


def _usable(checked: Sequence[_Checked]) -> Finding:
    usable = [one.title for one in checked if one.is_usable]
    if usable:
        return good(f"logged in to {', '.join(usable)}")
    return bad(
        "no provider can be logged in to", "tickdeck credentials set PROVIDER stores a key; tickdeck demo needs none"
    )


def _clock(offs_s: list[float]) -> Finding:
    if not offs_s:
        return note("not compared: no server said its time")
    off_s = statistics.median(offs_s)
    if abs(off_s) <= MAX_CLOCK_OFF_S:
        return good(f"within {max(1, round(abs(off_s)))} s of the servers")
    text = f"{abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'} the servers"
    remedy = "Logins and ages depend on it: let the system set its clock (timedatectl set-ntp true)."
    return bad(text, remedy) if abs(off_s) > MAX_LOGIN_CLOCK_OFF_S else note(text, remedy)
