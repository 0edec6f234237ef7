"""Where files live: configuration, state, log, themes; and how private files are written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from platformdirs import PlatformDirs

APP: Final = "tickdeck"
CONFIG_VARIABLE: Final = "TICKDECK_CONFIG"
EXAMPLE: Final = "config.example.toml"
_PACKAGE: Final = Path(__file__).resolve().parent
_ROOT: Final = _PACKAGE.parent


def config_dir() -> Path:
    """The user's configuration folder: `~/.config/tickdeck` on Linux."""
    return Path(_dirs().user_config_dir)


def state_dir() -> Path:
    """The folder of what the program remembers: `~/.local/state/tickdeck` on Linux."""
    return Path(_dirs().user_state_dir)


def config_file() -> Path:
    """The configuration file of the platform's folder."""
    return config_dir() / "config.toml"


def find_config(chosen: Path | None = None) -> Path:
    """The configuration file: the chosen one, else `$TICKDECK_CONFIG`, else that of the platform's folder."""
    named = chosen or os.environ.get(CONFIG_VARIABLE)
    return Path(named).expanduser() if named else config_file()


def state_file() -> Path:
    """Watchlists as edited on the screen, and symbols used lately."""
    return state_dir() / "state.json"


def log_file() -> Path:
    """The log; rolled files are beside it."""
    return state_dir() / "tickdeck.log"


def theme_dirs() -> tuple[Path, ...]:
    """Folders that may hold theme files, the user's own first.

    A wheel carries the themes inside the package; an editable install has them at the root of the checkout.
    """
    return tuple(
        folder for folder in (config_dir() / "themes", _PACKAGE / "themes_data", _ROOT / "themes") if folder.is_dir()
    )


def theme_names() -> list[str]:
    """Names of the themes that can be chosen: file names without `.toml`, sorted."""
    return sorted({file.stem for folder in theme_dirs() for file in folder.glob("*.toml")})


def example_config() -> str:
    """The text of `config.example.toml`.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for folder in (_PACKAGE, _ROOT):
        if (folder / EXAMPLE).is_file():
            return (folder / EXAMPLE).read_text(encoding="utf-8")
    raise FileNotFoundError(EXAMPLE)


def private_dir(path: Path) -> Path:
    """Make a folder that only its owner can enter; one that exists is left as it is. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only.

    A link is followed, so that configuration kept elsewhere stays there. After a power cut there is either the old
    text or the new one.

    Raises:
        OSError: the folder cannot be written, or the disk is full; the old file is untouched.
    """
    target = path.resolve()
    private_dir(target.parent)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _dirs() -> PlatformDirs:
    return PlatformDirs(APP, appauthor=False)
