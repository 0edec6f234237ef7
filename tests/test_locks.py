"""Locks between processes."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tui.errors import RestError
from tui.locks import FileLock, held, locked

HOLDER = """
import sys
from pathlib import Path
from tui.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.readline()
"""


def test_one_holder_at_a_time_and_the_file_is_private(tmp_path: Path) -> None:
    first, second = (FileLock(tmp_path / "state" / "key.lock") for _ in range(2))
    assert [first.acquire(), first.acquire(), second.acquire()] == [True, True, False]
    assert [first.is_held, second.is_held] == [True, False]
    assert stat.S_IMODE(os.stat(first.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(first.path.parent).st_mode) == 0o700
    first.release()
    first.release()
    assert second.acquire()


@pytest.mark.fault("S10")
def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"key\.lock"):
        FileLock(tmp_path / "key.lock").acquire()
    assert not (tmp_path / "elsewhere").exists()


def test_what_a_killed_process_leaves_behind_locks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "key.lock"
    root = str(Path(__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert not FileLock(path).acquire()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert path.exists()
    lock = FileLock(path)
    assert lock.acquire()
    lock.release()


async def test_whoever_comes_second_waits_and_only_so_long(tmp_path: Path) -> None:
    path = tmp_path / "key.lock"
    order: list[str] = []

    async def second() -> None:
        async with locked(path, "renewing the key"):
            order.append("second")

    async with locked(path, "renewing the key"):
        waiting = asyncio.create_task(second())
        with pytest.raises(RestError, match="another tickdeck has been renewing the key for too long"):
            async with locked(path, "renewing the key", limit_s=0.02):
                raise AssertionError("two hold it")
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_a_time_limit_inside_is_not_taken_for_ours(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        async with locked(tmp_path / "key.lock", "x"):
            raise TimeoutError
    assert FileLock(tmp_path / "key.lock").acquire()


async def test_a_lock_that_cannot_be_opened_is_said_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RestError, match=r"cannot use the lock file key\.lock") as caught:
        async with locked(tmp_path / "file" / "key.lock", "x"):
            pass
    assert str(tmp_path) in caught.value.remedy


async def test_without_a_path_nothing_is_locked() -> None:
    async with locked(None, "x"), locked(None, "x"):
        pass


def test_threads_wait_by_blocking_and_only_so_long(tmp_path: Path) -> None:
    path = tmp_path / "key.lock"
    with held(path), pytest.raises(OSError, match="held by another"), held(path, limit_s=0.01):
        pass
    with held(path):
        pass
