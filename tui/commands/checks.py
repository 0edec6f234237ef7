"""Checks of what is on this machine: configuration, keyring, terminal, log."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping

from tui import paths
from tui.commands.findings import Finding, bad, good, note
from tui.commands.setup import known_actions
from tui.config import Config, load_config
from tui.credentials import CredentialStore, Source
from tui.errors import ConfigError, CredentialError, KeyringUnavailable
from tui.keyring_thread import KeyringThread
from tui.providers import providers

PROBE = "doctor:probe"
"""Entry that the round trip writes, reads and removes."""
SMALLEST = (80, 24)
ROOMY = (120, 36)


def check_config(args: Namespace) -> tuple[Config, list[Finding]]:
    """The configuration, or the defaults, and what is wrong with the file."""
    file = paths.find_config(args.config)
    warnings: list[str] = []
    try:
        config = load_config(args.config, warn=warnings.append, actions=known_actions)
    except ConfigError as error:
        return Config(), [bad(str(error), error.remedy or "The defaults are used below.")]
    state = "correct" if file.exists() else "not there, the defaults are used"
    return config, [good(f"{file}: {state}"), *map(note, warnings)]


async def check_keyring(keyring: KeyringThread, is_needed: bool) -> list[Finding]:
    """Store, read back and remove a throw-away entry.

    Args:
        keyring: The keyring.
        is_needed: Whether nothing else holds a secret.
    """
    probe = secrets.token_urlsafe(24)
    try:
        backend = await keyring.backend()
        await keyring.set(PROBE, probe)
        await keyring.delete(PROBE)
    except KeyringUnavailable as error:
        return [(bad if is_needed else note)(str(error), error.remedy)]
    return [good(f"{backend.name}, priority {backend.priority:g}: stored, read back and removed an entry")]


async def check_secrets(store: CredentialStore) -> tuple[set[Source], list[Finding]]:
    """Where secrets are found, and what cannot be one. The keyring's own failure is told by `check_keyring`."""
    sources: dict[Source, list[str]] = {}
    found: list[Finding] = []
    for provider in providers().values():
        for field in provider.credential_fields:
            try:
                source = await store.source_of(provider.name, field.name)
            except KeyringUnavailable:
                continue
            except CredentialError as error:
                found.append(bad(str(error), error.remedy))
                continue
            if source:
                sources.setdefault(source, []).append(f"{provider.name} {field.name}")
    return set(sources), [*(good(f"from {source}: {', '.join(names)}") for source, names in sources.items()), *found]


def check_terminal(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Size, colours and encoding."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        yield note("standard input or standard error is no terminal", "The dashboard needs both; watch needs none.")
    else:
        yield _size(*shutil.get_terminal_size())
    yield _colours(environment)
    yield _encoding((sys.stdout.encoding or "").lower())


def check_log() -> Finding:
    """Whether the log and what the program remembers can be written."""
    file = paths.log_file()
    try:
        paths.private_dir(file.parent)
    except OSError as error:
        return note(f"{file.parent}: {error.strerror}", "Edited watchlists will not survive a restart.")
    if not os.access(file.parent, os.W_OK):
        return note(f"{file.parent} cannot be written", "Edited watchlists will not survive a restart.")
    return good(f"log: {file}")


def _size(columns: int, lines: int) -> Finding:
    text = f"{columns} columns, {lines} lines"
    if columns < SMALLEST[0] or lines < SMALLEST[1]:
        return bad(f"{text}: too small", f"Make it {SMALLEST[0]}×{SMALLEST[1]} at least.")
    if columns < ROOMY[0] or lines < ROOMY[1]:
        return good(f"{text}; all panes side by side from {ROOMY[0]}×{ROOMY[1]}")
    return good(text)


def _colours(environment: Mapping[str, str]) -> Finding:
    kind = environment.get("TERM", "")
    if kind in ("", "dumb"):
        return bad(f"TERM is {kind or 'not set'}: the screen cannot be drawn", "Set TERM, for example xterm-256color.")
    if environment.get("NO_COLOR"):
        return note("NO_COLOR is set: shades of grey", "Signs and arrows carry what colours would.")
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return good(f"{kind}, 16 million colours")
    if "256color" in kind:
        remedy = "If the terminal can do more: export COLORTERM=truecolor."
        return note(f"{kind}, 256 colours", remedy)
    return note(f"{kind}, 16 colours", "Try the theme high-contrast, or TERM=xterm-256color.")


def _encoding(encoding: str) -> Finding:
    if encoding.replace("-", "") == "utf8":
        return good("UTF-8")
    return bad(f"the encoding is {encoding or 'unknown'}, not UTF-8", "Set a UTF-8 locale: export LANG=C.UTF-8")
