"""What a key has used: counted by day, shared by processes, kept without the key."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from tui.clock import NS
from tui.keyfiles import SALT, KeyFiles
from tui.usage import MOST_DAYS, Tally, UsageFile, period_end, period_start, today

KEY = SecretStr("qc_live_7d1f0a")
DAY = date(2026, 1, 5)


def dialled(tally: Tally) -> int:
    tally.day(DAY).connections += 1
    return tally.connections_on(DAY)


def files_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


async def test_a_key_finds_its_file_again_and_other_keys_have_others(tmp_path: Path) -> None:
    path = await KeyFiles(tmp_path).path("quantcite", KEY, ".json")
    assert path is not None
    assert path == await KeyFiles(tmp_path).path("quantcite", KEY, ".json")
    others = [
        await KeyFiles(tmp_path).path("quantcite", SecretStr("another"), ".json"),
        await KeyFiles(tmp_path).path("aries", KEY, ".json"),
        await KeyFiles(tmp_path / "another machine").path("quantcite", KEY, ".json"),
    ]
    assert path not in others
    assert len(set(others)) == 3


@pytest.mark.fault("S9", "S10")
async def test_neither_the_key_nor_its_plain_hash_is_written_and_the_files_are_private(tmp_path: Path) -> None:
    path = await KeyFiles(tmp_path).path("quantcite", KEY, ".json")
    await UsageFile(path).update(dialled)
    written = files_in(tmp_path)
    assert path in written
    for file in written:
        assert KEY.get_secret_value() not in f"{file.name} {file.read_text()}"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


@pytest.mark.parametrize("damaged", ["", "zz", "00"])
async def test_a_damaged_salt_is_made_anew_and_stays(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / SALT).write_text(damaged)
    paths = {await KeyFiles(tmp_path).path("aries", KEY, ".lock") for _ in range(2)}
    assert len(paths) == 1


async def test_where_nothing_can_be_kept_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files = KeyFiles(tmp_path / "file")
    assert [await files.path("aries", KEY, ".lock") for _ in range(2)] == [None, None]
    assert await KeyFiles(None).path("aries", KEY, ".lock") is None


async def test_counts_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "x.json"
    assert [await UsageFile(path).update(dialled) for _ in range(3)] == [1, 2, 3]
    again = UsageFile(path)
    await again.update(lambda tally: None)
    assert again.tally.connections_on(DAY) == 3


async def test_programs_at_once_lose_no_count(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    files = [UsageFile(path) for _ in range(4)]
    await asyncio.gather(*(file.update(dialled) for file in files for _ in range(5)))
    assert json.loads(path.read_text())["days"]["2026-01-05"]["connections"] == 20


PROCESS = """
import asyncio, sys
from datetime import date
from pathlib import Path
from tui.usage import UsageFile
def add(tally):
    tally.day(date(2026, 1, 5)).bytes += 1
async def main():
    for _ in range(20):
        await UsageFile(Path(sys.argv[1])).update(add)
asyncio.run(main())
"""


def test_processes_at_once_lose_no_count(tmp_path: Path) -> None:
    path, root = tmp_path / "x.json", str(Path(__file__).parents[1])
    running = [subprocess.Popen([sys.executable, "-c", PROCESS, str(path)], cwd=root) for _ in range(2)]
    assert [each.wait(30) for each in running] == [0, 0]
    assert json.loads(path.read_text())["days"]["2026-01-05"]["bytes"] == 40


async def test_what_a_change_raises_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = UsageFile(tmp_path / "x.json")
    await file.update(dialled)

    def refuse(tally: Tally) -> None:
        dialled(tally)
        raise KeyError("no more")

    with pytest.raises(KeyError):
        await file.update(refuse)
    assert await file.update(dialled) == 2


@pytest.mark.parametrize(
    "text",
    ["", "{half", "[]", "\0" * 99, '{"days": {"2026-01-05": {"bytes": -1}}}', '{"days": {"x": {}}}', "9" * 99_999],
)
async def test_a_broken_file_starts_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert await UsageFile(path).update(dialled) == 1
    assert json.loads(path.read_text())["days"]["2026-01-05"]["connections"] == 1


async def test_a_file_that_cannot_be_written_does_not_cost_the_count_of_this_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    file = UsageFile(tmp_path / "file" / "x.json")
    assert [await file.update(dialled) for _ in range(3)] == [1, 2, 3]
    assert caplog.text.count("cannot be kept") == 1


async def test_without_a_file_the_count_is_in_memory() -> None:
    file = UsageFile(None)
    assert [await file.update(dialled) for _ in range(2)] == [1, 2]


@pytest.mark.fault("S14")
async def test_old_days_go() -> None:
    tally = Tally()
    for number in range(MOST_DAYS + 50):
        tally.day(date.fromordinal(DAY.toordinal() + number)).bytes = 1
    assert len(tally.days) == MOST_DAYS
    assert min(tally.days).toordinal() == DAY.toordinal() + 50
    assert Tally.model_validate_json(tally.model_dump_json()) == tally


@pytest.mark.parametrize(
    ("on", "resets_on", "start", "end"),
    [
        ("2026-01-05", None, "2026-01-01", "2026-02-01"),
        ("2026-12-31", None, "2026-12-01", "2027-01-01"),
        ("2026-01-05", "2026-01-15", "2025-12-15", "2026-01-15"),
        ("2026-01-15", "2026-01-15", "2026-01-15", "2026-02-15"),
        ("2026-03-05", "2025-01-31", "2026-02-28", "2026-03-31"),
        ("2026-02-28", "2026-01-31", "2026-02-28", "2026-03-31"),
    ],
)
def test_a_period_begins_where_the_provider_resets(on: str, resets_on: str | None, start: str, end: str) -> None:
    reset = None if resets_on is None else date.fromisoformat(resets_on)
    day = date.fromisoformat(on)
    assert period_start(day, reset) == date.fromisoformat(start)
    assert period_end(day, reset) == date.fromisoformat(end)


def test_bytes_count_from_a_day_on() -> None:
    tally = Tally()
    for number in (1, 2, 3):
        tally.day(date(2026, 1, number)).bytes = 10**number
    assert tally.bytes_since(date(2026, 1, 2)) == 1100


def test_days_are_those_of_utc() -> None:
    assert today(1_767_623_871 * NS) == DAY
