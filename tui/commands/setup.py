"""What every command that needs the configuration starts with."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace

from tui import paths
from tui.config import Config, load_config
from tui.config_mistakes import did_you_mean
from tui.errors import ConfigError


def configuration(args: Namespace) -> Config:
    """The configuration with `--theme` and `--log-level` laid over it; warnings go to standard error.

    Raises:
        ConfigError: the file, or the theme that was asked for, is wrong.
    """
    config = load_config(args.config, warn=complain)
    changes = {"theme": args.theme, "log_level": args.log_level}
    if args.theme and (names := paths.theme_names()) and args.theme not in names:
        raise ConfigError(f"--theme: no theme {args.theme!r}" + did_you_mean(args.theme, names))
    config = config.model_copy(update={name: value for name, value in changes.items() if value})
    logging.getLogger().setLevel(config.log_level.upper())
    return config


def complain(message: str, remedy: str = "") -> None:
    """Say something on standard error, and below it what can be done."""
    print(f"tickdeck: {message}", file=sys.stderr)
    if remedy:
        print(remedy, file=sys.stderr)
