from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backends import fail

from tests.commands.program import configure, run
from tests.keyrings import MemoryKeyring
from tui.cli import main
from tui.providers import providers
from tui.simulator.server import SimulatorServer

Type = Callable[[str], None]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*os.environ]:
        if name.startswith(("TICKDECK_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    backend = MemoryKeyring()
    monkeypatch.setattr("keyring.core._keyring_backend", backend)
    return backend


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Type:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_secret_from_standard_input_is_stored(
    memory: MemoryKeyring, stdin: Type, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin("  abc-123-secret \nsomething else")
    assert main(["credentials", "set", "quantcite", "--stdin"]) == 0
    assert memory.entries == {("tickdeck", "quantcite:api_key"): "abc-123-secret"}
    output = capsys.readouterr()
    assert output.out == ""
    assert "stored quantcite api_key in the keyring" in output.err
    assert "abc-123" not in output.err


def test_one_of_several_secrets_is_chosen_by_field(memory: MemoryKeyring, stdin: Type) -> None:
    stdin("client-1")
    assert main(["credentials", "set", "aries", "--stdin", "--field", "client_id"]) == 0
    assert memory.entries == {("tickdeck", "aries:client_id"): "client-1"}


@pytest.mark.parametrize("text", ["", "\n", "two words", '"quoted"'])
def test_what_cannot_be_a_secret_is_not_stored(
    memory: MemoryKeyring, stdin: Type, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(text)
    assert main(["credentials", "set", "quantcite", "--stdin"]) == 4
    assert memory.entries == {}
    assert "api_key: the secret" in capsys.readouterr().err


def test_without_a_terminal_and_without_stdin_nothing_is_asked(
    memory: MemoryKeyring, stdin: Type, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin("abc-123")
    assert main(["credentials", "set", "quantcite"]) == 2
    assert "--stdin" in capsys.readouterr().err


def test_without_a_keyring_setting_fails_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, stdin: Type, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("keyring.core._keyring_backend", fail.Keyring())  # type: ignore[no-untyped-call]
    stdin("abc-123")
    assert main(["credentials", "set", "quantcite", "--stdin"]) == 4
    assert "there is no keyring here" in capsys.readouterr().err


def test_the_list_says_where_each_secret_comes_from_and_no_value(
    memory: MemoryKeyring, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.entries["tickdeck", "quantcite:api_key"] = "S3CRET-1"
    monkeypatch.setenv("TICKDECK_ARIES_CLIENT_ID", "S3CRET-2")
    (tmp_path / "secret").write_text("S3CRET-3")
    monkeypatch.setenv("TICKDECK_ARIES_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    assert main(["credentials", "list"]) == 0
    output = capsys.readouterr()
    rows = {tuple(line.split(maxsplit=2)[:2]): line.split(maxsplit=2)[2] for line in output.out.splitlines()}
    assert rows["quantcite", "api_key"] == "keyring"
    assert rows["aries", "client_id"] == "environment: TICKDECK_ARIES_CLIENT_ID"
    assert rows["aries", "client_secret"] == "file: TICKDECK_ARIES_CLIENT_SECRET_FILE"
    assert rows["insightsentry", "api_key"].endswith("environment: TICKDECK_INSIGHTSENTRY_API_KEY")
    assert len(rows) == 1 + sum(len(provider.credential_fields) for provider in providers().values())
    assert "S3CRET" not in output.out + output.err


def test_the_list_of_one_provider_holds_nothing_else(memory: MemoryKeyring, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["credentials", "list", "quantcite"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_list_without_a_keyring_says_so_once_and_names_the_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("keyring.core._keyring_backend", fail.Keyring())  # type: ignore[no-untyped-call]
    assert main(["credentials", "list"]) == 0
    output = capsys.readouterr()
    assert output.err.count("there is no keyring here") == 1
    assert "no keyring; environment: TICKDECK_QUANTCITE_API_KEY" in output.out


def test_removing_leaves_other_secrets_and_tells_what_still_counts(
    memory: MemoryKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for field in ("client_id", "client_secret"):
        memory.entries["tickdeck", f"aries:{field}"] = "abc-123"
    memory.entries["tickdeck", "quantcite:api_key"] = "abc-123"
    assert main(["credentials", "remove", "aries", "--field", "client_id"]) == 0
    assert set(memory.entries) == {("tickdeck", "aries:client_secret"), ("tickdeck", "quantcite:api_key")}
    monkeypatch.setenv("TICKDECK_ARIES_CLIENT_SECRET", "abc-123")
    assert main(["credentials", "remove", "aries"]) == 0
    assert set(memory.entries) == {("tickdeck", "quantcite:api_key")}
    assert "still there: environment: TICKDECK_ARIES_CLIENT_SECRET" in capsys.readouterr().err


async def test_stored_secrets_are_checked_with_the_providers(simulator: SimulatorServer, tmp_path: Path) -> None:
    file = configure(tmp_path, simulator)
    done = await run("credentials", "test", "--config", str(file), credentials=simulator.credentials())
    assert done.code == 0, done.err
    verdicts = {line.split()[0]: line.split()[1] for line in done.out.splitlines()}
    assert verdicts == dict.fromkeys(providers(), "good")


async def test_a_refused_secret_and_a_missing_one_end_with_4(simulator: SimulatorServer, tmp_path: Path) -> None:
    file = configure(tmp_path, simulator)
    wrong = {"quantcite": {"api_key": "wrong-key-1"}, "insightsentry": {"api_key": "wrong-key-2"}}
    done = await run("credentials", "test", "--config", str(file), credentials=wrong)
    assert done.code == 4
    lines = {line.split()[0]: line for line in done.out.splitlines()}
    assert all(word not in lines[name] for name in lines for word in ("good", "wrong-key"))
    assert "tickdeck credentials set" in done.err
    one = await run("credentials", "test", "aries", "--config", str(file))
    assert one.code == 4
    assert one.out.startswith("aries")


async def test_a_server_that_is_not_there_is_a_failure_and_no_refusal(
    simulator: SimulatorServer, tmp_path: Path
) -> None:
    file = configure(tmp_path, simulator)
    await simulator.stop()
    done = await run("credentials", "test", "insightsentry", "--config", str(file), credentials=simulator.credentials())
    assert done.code == 1, done.out
