"""The commands against a real Secret Service on a private D-Bus session with a private home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEEDED = ("dbus-run-session", "gnome-keyring-daemon", "secret-tool")
MISSING = [name for name in NEEDED if shutil.which(name) is None]

pytestmark = [
    pytest.mark.secretservice,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

TICKDECK = f"{sys.executable} -m tui"
UNLOCK = "printf %s '{}' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"
LOOK_UP = "secret-tool lookup service tickdeck username quantcite:api_key"
NO_SERVICES = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def session(home: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a script on a session bus of its own."""
    dropped = ("TICKDECK_", "XDG_", "DBUS_", "DISPLAY", "WAYLAND_", "PYTHON_KEYRING_", "GNOME_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    environment |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    home.chmod(0o700)
    return subprocess.run(
        ["dbus-run-session", *options, "--", "bash", "-c", script],
        env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_secret_is_stored_found_by_others_kept_over_sessions_and_removed(tmp_path: Path) -> None:
    unlock = UNLOCK.format("test-pw")
    first = session(
        tmp_path,
        f"{unlock}; printf 'planted-abc-123\\n' | {TICKDECK} credentials set quantcite --stdin; echo set $?; {LOOK_UP}",
    )
    assert first.stdout == "set 0\nplanted-abc-123", first.stderr
    assert "planted-abc" not in first.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(b"planted-abc-123" in path.read_bytes() for path in files)
    second = session(
        tmp_path,
        f"{unlock}; {TICKDECK} credentials list quantcite; {TICKDECK} credentials remove quantcite; echo removed $?; "
        f"{LOOK_UP}; echo looked $?; {TICKDECK} credentials list quantcite",
    )
    lines = second.stdout.splitlines()
    assert lines[1].split() == ["quantcite", "api_key", "keyring"], second.stderr
    assert lines[2:4] == ["removed 0", "looked 1"]
    assert "not set" in lines[5]


def test_a_round_trip_of_the_doctor_leaves_nothing_behind(tmp_path: Path) -> None:
    done = session(
        tmp_path,
        f"{UNLOCK.format('test-pw')}; https_proxy=http://127.0.0.1:9 {TICKDECK} doctor; "
        "secret-tool lookup service tickdeck username doctor:probe; echo looked $?",
    )
    assert "✓ keyring.backends.SecretService.Keyring, priority 5: stored, read back and removed an entry" in done.stdout
    assert done.stdout.endswith("looked 1\n")


@pytest.mark.fault("M56")
def test_a_locked_keyring_is_named_and_the_environment_still_works(tmp_path: Path) -> None:
    session(tmp_path, f"{UNLOCK.format('test-pw')}; printf abc-123 | {TICKDECK} credentials set quantcite --stdin")
    done = session(
        tmp_path,
        f"{UNLOCK.format('wrong-pw')}; printf abc-456 | {TICKDECK} credentials set quantcite --stdin; echo set $?; "
        f"TICKDECK_QUANTCITE_API_KEY=abc-789 {TICKDECK} credentials list quantcite",
    )
    assert done.stdout.startswith("set 4\n"), done.stderr
    assert "the keyring is locked" in done.stderr
    assert "Unlock it" in done.stderr
    assert "environment: TICKDECK_QUANTCITE_API_KEY" in done.stdout


def test_a_keyring_that_was_never_set_up_is_named(tmp_path: Path) -> None:
    done = session(tmp_path, f"printf abc-123 | {TICKDECK} credentials set quantcite --stdin; echo set $?")
    assert done.stdout == "set 4\n"
    assert "the keyring has never been set up" in done.stderr


def test_a_bus_without_a_secret_service_is_named(tmp_path: Path) -> None:
    bus = tmp_path / "bus.conf"
    bus.write_text(NO_SERVICES)
    done = session(
        tmp_path,
        f"printf abc-123 | {TICKDECK} credentials set quantcite --stdin; echo set $?",
        f"--config-file={bus}",
    )
    assert done.stdout == "set 4\n", done.stderr
    assert "there is no keyring here" in done.stderr


@pytest.mark.fault("M56")
def test_a_bus_that_has_gone_is_named(tmp_path: Path) -> None:
    script = (
        f"export DBUS_SESSION_BUS_ADDRESS=unix:path={tmp_path}/gone; "
        f"printf abc-123 | {TICKDECK} credentials set quantcite --stdin; echo set $?"
    )
    done = session(tmp_path, script)
    assert done.stdout == "set 4\n", done.stderr
    assert "there is no keyring here" in done.stderr
