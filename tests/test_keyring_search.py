"""Where there can be no keyring the library is not loaded to look for one; where there may be one it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import asyncio, sys
from tui.errors import KeyringUnavailable
from tui.keyring_thread import KeyringThread
try:
    print(asyncio.run(KeyringThread().get("aries:access_token")))
except KeyringUnavailable as error:
    print(error)
print("keyring" in sys.modules)
"""
NULL = "keyring.backends.null.Keyring"
OTHER = """
from keyring.backend import KeyringBackend
class Other(KeyringBackend):
    priority = 9
    def get_password(self, service, username): return f"{service}/{username}"
    def set_password(self, service, username, password): pass
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system always has one")


def ask(home: Path, **variables: str) -> list[str]:
    """What a program without a session gets for an answer, and whether it has loaded the library for it."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": os.pathsep.join([os.getcwd(), str(home)])}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=clean | variables, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.fault("M56")
def test_without_a_session_there_is_no_keyring_and_the_library_is_not_loaded(tmp_path: Path) -> None:
    assert ask(tmp_path) == ["there is no keyring here", "False"]


def test_on_a_bus_it_is_looked_for(tmp_path: Path) -> None:
    assert ask(tmp_path, DBUS_SESSION_BUS_ADDRESS=f"unix:path={tmp_path}/gone") == ["there is no keyring here", "True"]


def test_one_that_a_variable_names_is_asked(tmp_path: Path) -> None:
    said, is_loaded = ask(tmp_path, PYTHON_KEYRING_BACKEND=NULL)
    assert "switched off" in said
    assert is_loaded == "True"


@pytest.mark.parametrize(("folder", "variables"), [(".config", {}), ("settings", {"XDG_CONFIG_HOME": "settings"})])
def test_one_that_the_library_s_file_names_is_asked(tmp_path: Path, folder: str, variables: dict[str, str]) -> None:
    file = tmp_path / folder / "python_keyring" / "keyringrc.cfg"
    file.parent.mkdir(parents=True)
    file.write_text(f"[backend]\ndefault-keyring={NULL}\n")
    said, _ = ask(tmp_path, **{name: str(tmp_path / value) for name, value in variables.items()})
    assert "switched off" in said


def test_one_that_another_package_brings_is_asked(tmp_path: Path) -> None:
    (tmp_path / "other_keyring.py").write_text(OTHER)
    package = tmp_path / "other-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[keyring.backends]\nother = other_keyring\n")
    assert ask(tmp_path) == ["tickdeck/aries:access_token", "True"]
