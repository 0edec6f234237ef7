"""`tickdeck credentials set|list|test|remove`: secrets in the keyring. No value is ever printed."""

from __future__ import annotations

import asyncio
import getpass
import inspect
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from pydantic import SecretStr

from tui.browser import open_in_browser
from tui.commands.access import rest_client
from tui.commands.asking import ask
from tui.commands.providers import chosen, chosen_fields, enabled_providers, make_provider
from tui.commands.setup import complain, configuration
from tui.commands.signals import run_until_signal
from tui.commands.verifying import NO_CREDENTIALS, verify
from tui.credentials import CredentialStore, Source, checked, variable_name
from tui.errors import CredentialError, KeyringUnavailable, UsageError
from tui.keyring_thread import KeyringThread
from tui.providers.base import CredentialField, Provider

SignIn = Callable[[Callable[[str], object], Callable[[str], Awaitable[str]]], Awaitable[object]]


class KeyringStore(CredentialStore):
    """A store that keeps nothing for this run only: what is set here has to last."""

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        """Store a secret in the keyring, or raise KeyringUnavailable."""
        await self.store(provider, field, secret)


def credentials_command(args: Namespace) -> int:
    """Set, list, test or remove secrets.

    Args:
        args: `action`, `provider`; `field` for set and remove; `stdin` for set; what `configuration` takes.

    Returns:
        0; for test 4 when a credential is missing or refused and 1 when it could not be checked.

    Raises:
        UsageError: there is no such provider or field, or nobody can be asked for the secret.
        CredentialError: what was entered cannot be a secret, or the keyring cannot be used.
    """
    store = KeyringStore(KeyringThread(on_wait=lambda: complain("waiting for the keyring …")))
    match args.action:
        case "set":
            provider = _named(args)
            entered = _from_stdin(provider, args) if args.stdin else _from_prompt(provider, args)
            return run_until_signal(_set(provider, entered, args, store))
        case "list":
            return run_until_signal(_list(chosen(args.provider), store))
        case "test":
            return run_until_signal(_test(args, store))
        case _:
            return run_until_signal(_remove(_named(args), args, store))


def _named(args: Namespace) -> type[Provider]:
    if args.provider is None:
        names = ", ".join(provider.name for provider in chosen(None))
        raise UsageError(f"credentials {args.action} needs a provider", remedy=f"One of: {names}")
    return chosen(args.provider)[0]


def _from_stdin(provider: type[Provider], args: Namespace) -> dict[str, SecretStr]:
    fields = chosen_fields(provider, args.field)
    if len(fields) > 1:
        raise UsageError(f"{provider.name} has several secrets", remedy=f"Choose one: --field {' | '.join(fields)}")
    return {fields[0]: checked(sys.stdin.readline(), fields[0])}


def _from_prompt(provider: type[Provider], args: Namespace) -> dict[str, SecretStr]:
    names = chosen_fields(provider, args.field)
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on", remedy="Give the secret on standard input: --stdin")
    fields = [field for field in provider.credential_fields if field.name in names]
    return {field.name: secret for field in fields if (secret := _prompt(provider, field))}


def _prompt(provider: type[Provider], field: CredentialField) -> SecretStr | None:
    """Ask until what is entered can be a secret; nothing entered leaves the field as it is."""
    print(f"{provider.title}: {field.title}. {field.where}", file=sys.stderr)
    while text := getpass.getpass("  (not shown; Enter to skip) ").strip():
        try:
            return checked(text, field.name)
        except CredentialError as error:
            complain(str(error), error.remedy)
    return None


async def _set(
    provider: type[Provider], entered: Mapping[str, SecretStr], args: Namespace, store: CredentialStore
) -> int:
    for field, secret in entered.items():
        await store.store(provider.name, field, secret)
        complain(f"stored {provider.name} {field} in the keyring")
    if not args.stdin and args.field is None and await _sign_in(provider.name, args, store):
        return 0
    if entered:
        complain(f"to check it: tickdeck credentials test {provider.name}")
    else:
        complain("nothing was changed")
    return 0


async def _sign_in(name: str, args: Namespace, store: CredentialStore) -> bool:
    """Offer to sign in with the browser, where the provider can; True when that was done."""
    config = configuration(args)
    http = rest_client(config)
    try:
        provider = make_provider(name, config, store, http)
        sign_in = _sign_in_of(provider)
        if sign_in is None or await ask(f"Sign in to {provider.title} with the browser now? [y/N] ") not in ("y", "Y"):
            return False
        complain(f"{name}: {await sign_in(open_in_browser, ask)}")
        return True
    finally:
        await http.close()


def _sign_in_of(provider: Provider) -> SignIn | None:
    """What a provider that can be signed in to offers: a method, or a function beside its class."""
    method: SignIn | None = getattr(provider, "sign_in", None)
    if method is not None:
        return method
    function = getattr(inspect.getmodule(type(provider)), "sign_in", None)
    return None if function is None else lambda browser, prompt: function(provider, browser, prompt)


async def _list(providers: Sequence[type[Provider]], store: CredentialStore) -> int:
    rows = [("PROVIDER", "SECRET", "COMES FROM")]
    trouble: dict[str, str] = {}
    for provider in providers:
        for field in provider.credential_fields:
            try:
                source = await store.source_of(provider.name, field.name)
                said = _origin(provider.name, field.name, source) if source else _missing(provider.name, field)
            except CredentialError as error:
                trouble[str(error)] = error.remedy
                is_absent = isinstance(error, KeyringUnavailable)
                said = f"no keyring; {_variable(provider.name, field.name)}" if is_absent else "not usable"
            rows.append((provider.name, field.name, said))
    _print_table(rows)
    for problem, remedy in trouble.items():
        complain(problem, remedy)
    return 0


def _origin(provider: str, field: str, source: Source) -> str:
    match source:
        case Source.ENVIRONMENT:
            return _variable(provider, field)
        case Source.FILE:
            return f"file: {variable_name(provider, field)}_FILE"
        case _:
            return str(source)


def _missing(provider: str, field: CredentialField) -> str:
    needed = "needed" if field.required else "not always needed"
    return f"not set, {needed}; {_variable(provider, field.name)}"


def _variable(provider: str, field: str) -> str:
    return f"environment: {variable_name(provider, field)}"


async def _test(args: Namespace, store: CredentialStore) -> int:
    config = configuration(args)
    http = rest_client(config)
    try:
        if args.provider:
            providers = {kind.name: make_provider(kind.name, config, store, http) for kind in chosen(args.provider)}
        else:
            providers = enabled_providers(config, store, http)
        verdicts = await asyncio.gather(*map(verify, providers.values()))
    finally:
        await http.close()
    _print_table([(name, verdict.said, verdict.text) for name, verdict in zip(providers, verdicts, strict=True)])
    for remedy in dict.fromkeys(verdict.remedy for verdict in verdicts if verdict.remedy):
        print(remedy, file=sys.stderr)
    return max((verdict.code for verdict in verdicts), default=NO_CREDENTIALS)


async def _remove(provider: type[Provider], args: Namespace, store: CredentialStore) -> int:
    fields = chosen_fields(provider, args.field)
    removed = [field for field in fields if await store.remove(provider.name, field)]
    complain(
        f"removed {provider.name} {', '.join(removed)}" if removed else f"the keyring held nothing of {provider.name}"
    )
    for origin in [origin async for origin in _left(provider.name, fields, store)]:
        complain(f"still there: {origin}")
    return 0


async def _left(provider: str, fields: Sequence[str], store: CredentialStore) -> AsyncIterator[str]:
    for field in fields:
        if source := await store.source_of(provider, field):
            yield _origin(provider, field, source)


def _print_table(rows: Sequence[tuple[str, str, str]]) -> None:
    first, second = (max((len(row[column]) for row in rows), default=0) for column in range(2))
    for row in rows:
        print(f"{row[0]:<{first}}  {row[1]:<{second}}  {row[2]}")
