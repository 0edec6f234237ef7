"""`tickdeck config path|init|check`."""

from __future__ import annotations

from argparse import Namespace

from tui import paths
from tui.commands.setup import complain
from tui.paths import find_config


def config_command(args: Namespace) -> int:
    """Print where the configuration is, write the example there, or check it.

    Args:
        args: `action`, `config`, and `force` for `init`.

    Returns:
        0, or 1 when the example could not be written.

    Raises:
        ConfigError: what is wrong with the file.
    """
    match args.action:
        case "path":
            print(find_config(args.config))
            return 0
        case "init":
            return _init(args)
        case _:
            return _check(args)


def _init(args: Namespace) -> int:
    file = find_config(args.config)
    if file.exists() and not args.force:
        complain(f"{file} exists", "To replace it: tickdeck config init --force")
        return 1
    try:
        paths.write_private(file, paths.example_config())
    except OSError as error:
        complain(f"{file}: {error.strerror}")
        return 1
    print(file)
    return 0


def _check(args: Namespace) -> int:
    from tui.commands.setup import configuration  # reads the settings of all providers: only this needs it

    configuration(args)
    file = find_config(args.config)
    print(f"{file}: {'correct' if file.exists() else 'not there, the defaults are used'}")
    return 0
