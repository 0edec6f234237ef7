"""What can be said on the command line: commands, options, symbols, completion files."""

from __future__ import annotations

import argparse
import difflib
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from tui import __version__
from tui.errors import SymbolError
from tui.market.names import Symbol, parse_symbol

COMMANDS: Final = ("run", "demo", "simulate", "watch", "symbols", "credentials", "doctor", "config")
FAULTS: Final = ("none", "some", "many")
KINDS: Final = ("quote", "bar", "book", "trade", "news", "status")
LEVELS: Final = ("debug", "info", "warning", "error")
_WITH_VALUE: Final = ("--config", "--theme", "--log-level")
_ALONE: Final = ("-h", "--help", "--version", "--completion")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parsed arguments; words that are no command are symbols for `run`. Raises SystemExit like argparse."""
    command, words = _with_command(list(arguments))
    args = build_parser([command] if command else COMMANDS).parse_args(words)
    if isinstance(getattr(args, "query", None), list):
        args.query = " ".join(args.query)
    return args


def build_parser(names: Iterable[str] = COMMANDS, providers: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of commands.

    Args:
        names: Of the commands; making all of them holds up a screen that waits for its own.
        providers: Names to offer in completion files; arguments are checked by the commands themselves.
    """
    parser = argparse.ArgumentParser(
        prog="tickdeck",
        description="A terminal dashboard for people who watch markets all day.",
        epilog="Without a command: run. Exit codes: 0 done, 1 failure, 2 usage, 3 configuration, 4 no credentials.",
        parents=[_common(None)],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tickdeck {__version__}")
    parser.add_argument(
        "--completion", action=_Completion, choices=("bash", "zsh"), help="print a completion file for this shell"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)

    common = _common(argparse.SUPPRESS)

    def command(name: str, help_text: str, function: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text, parents=[common], allow_abbrev=False)
        sub.set_defaults(function=function)
        return sub

    add: dict[str, Callable[[_AddCommand], None]] = {
        "run": _add_run,
        "demo": _add_demo,
        "simulate": _add_simulate,
        "watch": _add_watch,
        "symbols": _add_search,
        "credentials": partial(_add_credentials, providers=providers),
        "doctor": _add_doctor,
        "config": _add_config,
    }
    for name in names:
        add[name](command)
    return parser


_AddCommand = Callable[[str, str, str], argparse.ArgumentParser]


def _add_run(command: _AddCommand) -> None:
    run = command("run", "the dashboard on the providers of the configuration", "tui.commands.run:run_command")
    _add_symbols(run, "*")


def _add_demo(command: _AddCommand) -> None:
    demo = command(
        "demo", "the dashboard on a built-in simulator: no key, no network", "tui.commands.demo:demo_command"
    )
    _add_symbols(demo, "*")
    _add_market(demo)


def _add_simulate(command: _AddCommand) -> None:
    simulate = command("simulate", "the simulator on its own, until Ctrl+C", "tui.commands.simulate:simulate_command")
    simulate.add_argument(
        "--port", type=_port, default=8765, help="port on 127.0.0.1; 0 takes a free one (%(default)s)"
    )
    simulate.add_argument("--rate", type=_positive, default=1.0, metavar="X", help="speed of the market (%(default)g)")
    simulate.add_argument("--json", action="store_true", help=argparse.SUPPRESS)  # for a parent process
    _add_market(simulate)


def _add_watch(command: _AddCommand) -> None:
    watch = command("watch", "no screen: events on standard output", "tui.commands.watch:watch_command")
    _add_symbols(watch, "+")
    watch.add_argument("--kinds", type=_kinds, default=KINDS, metavar="KIND,…", help=f"some of {','.join(KINDS)}")
    watch.add_argument("--format", choices=("text", "json"), default="text", help="json: one object a line")
    watch.add_argument("--count", type=_count, metavar="N", help="stop after N events")
    watch.add_argument("--seconds", type=_positive, metavar="N", help="stop after N seconds")


def _add_search(command: _AddCommand) -> None:
    symbols = command("symbols", "symbol search over the providers", "tui.commands.symbols:symbols_command")
    symbols.add_argument("query", nargs="+", metavar="QUERY", help="part of a symbol or of a name")


def _add_credentials(command: _AddCommand, providers: Sequence[str]) -> None:
    credentials = command(
        "credentials", "keys and tokens in the keyring", "tui.commands.credentials:credentials_command"
    )
    actions = credentials.add_subparsers(title="actions", metavar="ACTION", dest="action")
    credentials.set_defaults(group=credentials)
    for name, help_text in (
        ("set", "store the secrets of a provider: asked for, never an argument"),
        ("list", "where each secret comes from, never its value"),
        ("test", "check stored secrets with the provider"),
        ("remove", "remove a provider's secrets from the keyring"),
    ):
        action = _action(actions, name, help_text)
        provider = action.add_argument("provider", nargs="?", metavar="PROVIDER", help="all of them when left out"
                                       if name in ("list", "test") else "whose")  # fmt: skip
        if providers:
            provider.choices = list(providers)
        if name in ("set", "remove"):
            action.add_argument("--field", help="only this one")
        if name == "set":
            action.add_argument("--stdin", action="store_true", help="read the secret from standard input")


def _add_doctor(command: _AddCommand) -> None:
    command(
        "doctor", "what is set up, what works, and the remedy for what does not", "tui.commands.doctor:doctor_command"
    )


def _add_config(command: _AddCommand) -> None:
    config = command("config", "the configuration file", "tui.commands.config:config_command")
    actions = config.add_subparsers(title="actions", metavar="ACTION", dest="action")
    config.set_defaults(group=config)
    _action(actions, "path", "print where the file is")
    init = _action(actions, "init", "write the commented example")
    init.add_argument("--force", action="store_true", help="replace a file that exists")
    _action(actions, "check", "check the file")


def _action(actions: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=help_text, description=help_text, parents=[_common(argparse.SUPPRESS)], allow_abbrev=False
    )
    return parser


def _common(default: str | None) -> argparse.ArgumentParser:
    """Options that may stand before or after the command."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("common options")
    group.add_argument("--config", type=Path, metavar="FILE", default=default, help="use this configuration file")
    group.add_argument("--theme", metavar="NAME", default=default, help="use this theme")
    group.add_argument("--log-level", choices=LEVELS, default=default, help="how much goes to the log file")
    return parser


def _add_symbols(parser: argparse.ArgumentParser, count: str) -> None:
    parser.add_argument("symbols", nargs=count, type=_symbol, metavar="SYMBOL", help="such as AAPL or BTC/USDT")


def _add_market(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed makes the same market")
    parser.add_argument("--faults", choices=FAULTS, default="none", help="what goes wrong on purpose (%(default)s)")


class _Completion(argparse.Action):
    """Prints a completion file and ends."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, values: Any, __: str | None = None) -> NoReturn:
        import shtab

        from tui.providers import providers

        full = build_parser(providers=list(providers()))
        for option in _config_options(full):
            option.complete = shtab.FILE  # type: ignore[attr-defined]
        sys.stdout.write(shtab.complete(full, shell=values) + "\n")
        parser.exit()


def _config_options(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    for action in parser._actions:
        if "--config" in action.option_strings:
            yield action
        elif isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _config_options(sub)


def _with_command(arguments: list[str]) -> tuple[str, list[str]]:
    """Put `run` before the first word when that is no command, or at the end when there is none.

    Returns:
        The command, "" where none is needed or an option lacks its value, and the arguments with it.
    """
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word in _WITH_VALUE:
            at += 2
        elif word.split("=")[0] in _ALONE:
            return "", arguments
        elif word.startswith("-") and word != "--":
            at += 1
        else:
            break
    word = arguments[at] if at < len(arguments) else ""
    if word in COMMANDS or at > len(arguments):  # or the value of the last option is missing
        return word, arguments
    if len(word) > 5 and word.islower() and (close := difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.8)):
        build_parser().error(f"no command {word!r}, did you mean {close[0]!r}? Symbols may be written {word.upper()}.")
    return "run", [*arguments[:at], "run", *arguments[at:]]


def _symbol(text: str) -> Symbol:
    try:
        return parse_symbol(text)
    except SymbolError as error:
        raise argparse.ArgumentTypeError(f"{error}. {error.remedy}") from None


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong or not kinds:
        raise argparse.ArgumentTypeError(f"{', '.join(wrong) or 'nothing'} is not among {', '.join(KINDS)}")
    return kinds


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return value
