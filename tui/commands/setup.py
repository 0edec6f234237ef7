"""What every command that needs the configuration starts with."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from tui import paths
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.config import Config


def configuration(args: Namespace) -> Config:
    """The configuration with `--theme` and `--log-level` laid over it; warnings go to standard error.

    Raises:
        ConfigError: the file is wrong.
        UsageError: there is no such theme.
    """
    from tui.config import load_config  # and with it the settings of all providers
    from tui.config_mistakes import did_you_mean

    config = load_config(args.config, warn=complain, actions=known_actions)
    changes = {"theme": args.theme, "log_level": args.log_level}
    if args.theme and (names := paths.theme_names()) and args.theme not in names:
        raise UsageError(f"--theme: no theme {args.theme!r}" + did_you_mean(args.theme, names))
    config = config.model_copy(update={name: value for name, value in changes.items() if value})
    logging.getLogger().setLevel(config.log_level.upper())
    return config


def complain(message: str, remedy: str = "") -> None:
    """Say something on standard error, and below it what can be done."""
    print(f"tickdeck: {message}", file=sys.stderr)
    if remedy:
        print(remedy, file=sys.stderr)


def known_actions() -> dict[str, str]:
    """The default keys of the actions that `[keys]` can give another, by name."""
    from tui.actions import ACTIONS  # and with it the screen's library: only who gives keys to actions pays for it

    return {action.id: action.keys for action in ACTIONS}
