"""The command line: dispatch, log, exit codes. Imports nothing that a command may not need."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import FrameType
from typing import Final, NoReturn

from tui.arguments import parse
from tui.errors import ConfigError, CredentialError, TickdeckError, UsageError

EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
EXIT_CONFIG: Final = 3
EXIT_CREDENTIALS: Final = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; those of the process when None.

    Returns:
        The exit code: 0 done, 1 failure, 2 usage, 3 configuration, 4 no credentials, 130 and 143 after a signal.
    """
    _forbid_core_dumps()
    try:
        code = _main(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _forget_stdout()
        return 0


def _forbid_core_dumps() -> None:
    """A crash of the interpreter must not write our memory, keys and all, to a disk."""
    with suppress(ImportError, OSError, ValueError):  # there is no such thing on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _main(arguments: Sequence[str]) -> int:
    try:
        with _ending_on_sigterm():
            return _run(parse(arguments))
    except SystemExit as end:  # argparse, and the signal handler
        return end.code if isinstance(end.code, int) else EXIT_FAILURE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except TickdeckError as error:
        return _failed(error)
    except Exception:
        return _crashed()


def _run(args: argparse.Namespace) -> int:
    is_screen = args.command in ("run", "demo")
    if is_screen and not (sys.stdin.isatty() and sys.stderr.isatty()):
        print("tickdeck: the dashboard needs a terminal for standard input and standard error", file=sys.stderr)
        print("For pipes and scripts: tickdeck watch SYMBOL --format json", file=sys.stderr)
        return EXIT_FAILURE
    if "group" in args and args.action is None:
        args.group.print_help(sys.stderr)
        return EXIT_USAGE
    if is_screen:
        from tui.commands.screen import before_the_screen

        before_the_screen()
    module, name = args.function.split(":")
    function: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module), name)
    with _log(args):
        return function(args)


def _log(args: argparse.Namespace) -> AbstractContextManager[None]:
    """A log file for the commands that run for long; for the others warnings are enough. A demo leaves nothing."""
    if args.command == "config":
        return nullcontext()
    from tui import logs, paths

    has_file = args.command in ("run", "watch") or (args.command == "demo" and args.log_level)
    file = paths.log_file() if has_file else None
    return logs.logging_to(file, args.log_level or "info", to_stderr=args.command not in ("run", "demo"))


def _failed(error: TickdeckError) -> int:
    text = str(error)
    sys.stderr.write("".join(f"tickdeck: {line}\n" for line in text.splitlines()) if text else "")
    if error.remedy:
        sys.stderr.write(f"{error.remedy}\n")
    if isinstance(error, ConfigError):
        return EXIT_CONFIG
    if isinstance(error, UsageError):
        return EXIT_USAGE
    return EXIT_CREDENTIALS if isinstance(error, CredentialError) else EXIT_FAILURE


def _crashed() -> int:
    """A mistake of ours: say where it happened. The texts of exceptions may hold what providers sent, or keys."""
    from tui.redaction import LIVE, escape_controls

    for line in traceback.format_exc().splitlines():
        sys.stderr.write(f"{escape_controls(LIVE.redact(line))}\n")
    sys.stderr.write("tickdeck: this is a mistake in the program; the lines above say where.\n")
    return EXIT_FAILURE


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl+C does, so that what is open gets closed."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _forget_stdout() -> None:
    """The reader has gone, as `head` does; the interpreter would complain when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
