"""The guards of the whole test run do find what they look for: planted secrets, and broken rules of a protocol."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.planted import MASK, PUBLIC, WORDS, Find, finds, finds_below
from tui import paths
from tui.simulator.server import dialects

ROOT = Path(__file__).parents[1]
SECRETS = [value for each in dialects() for field, value in each.credentials.items() if field not in PUBLIC]
LEAKY = """
import logging
from tests.planted import keep
from tui import paths
from tui.providers.quantcite.simulator import KEY, QuantCiteDialect
from tui.simulator.market import SimulatedMarket

def test_writes_to_its_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("one\\nkey: " + KEY)

def test_writes_to_the_home_folder():
    paths.write_private(paths.state_file(), KEY)

def test_prints():
    print("I say", KEY)

def test_starts_what_prints():
    keep(KEY.encode())

def spoil():
    QuantCiteDialect(SimulatedMarket(7, 0)).violations["rate limit"] += 1

def test_breaks_a_rule():
    spoil()

import pytest

@pytest.mark.violates("rate limit")
def test_breaks_the_rule_that_it_names():
    spoil()

@pytest.mark.violates("ping too soon")
def test_breaks_another_rule_than_it_names():
    spoil()
"""


@pytest.mark.fault("S6")
@pytest.mark.parametrize("secret", [*SECRETS, *(f"{word}1" for word in WORDS)])
def test_every_secret_is_found_in_every_form_and_not_repeated(secret: str) -> None:
    for form in (secret, quote(secret), base64.b64encode(f"{secret}:x".encode()).decode()):
        if form == secret or secret in SECRETS:
            [find] = finds("a.log", f"first\nuser=me key={form} rest")
            assert find == Find("a.log", 2, find.text)
            assert find.text.startswith(f"user=me key={MASK}")
            assert secret not in find.text


@pytest.mark.fault("S6")
def test_files_and_their_names_are_searched_but_not_those_that_hold_secrets_on_purpose(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "log.1").write_bytes(b"\xff\x00 planted-1 \xff")
    (tmp_path / "deep" / "planted-2.txt").touch()
    (tmp_path / "deep" / "simulator.toml").write_text(SECRETS[0])
    os.mkfifo(tmp_path / "pipe")
    assert sorted(find.where for find in finds_below(tmp_path)) == ["deep/er/log.1", "the name of a file"]
    shutil.rmtree(tmp_path / "deep")  # or the run that this test is part of would fail for it


@pytest.mark.fault("S6")
@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "several"])
def test_a_run_that_leaves_a_secret_or_breaks_a_rule_fails_and_says_where(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    temporary = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", ROOT / "pyproject.toml", "--rootdir", tmp_path,
         "-p", "no:cacheprovider", "--basetemp", temporary, "-q", tmp_path / "test_leaky.py", *options],
        cwd=ROOT, env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    shutil.rmtree(temporary)  # for the same reason
    said = done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, said + done.stderr
    told = said[said.index("planted secrets were found") :]
    for place in ("notes.txt:2: key: ***", f"{paths.state_file().name}:1: ***", "test_prints: Captured stdout call:1",
                  "test_leaky.py_test_starts_what_prints_call_:1: ***"):  # fmt: skip
        assert place in told, told
    assert not any(secret in told.partition("short test summary")[0] for secret in SECRETS)
    errors = {line.split()[1].partition("::")[2] for line in said.splitlines() if line.startswith("ERROR ")}
    assert errors == {"test_breaks_a_rule", "test_breaks_another_rule_than_it_names"}
    assert "7 passed" in said


def test_no_test_sees_the_users_own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    for folder in (paths.config_dir(), paths.state_dir(), Path.home()):
        assert folder.is_relative_to(tmp_path_factory.getbasetemp())
