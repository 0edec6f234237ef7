"""Files under trouble: a disk that is full, a program that is killed while it writes, names from outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.programs import Program
from tests.conftest import until
from tests.feeds.test_hub import running
from tui.clock import Clock
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.feeds.hub import FeedHub
from tui.market.names import Interval, Kind, Subscription, Symbol
from tui.market.store import MarketStore
from tui.rest import RestClient
from tui.simulator.server import SimulatorServer
from tui.state import StateFile

FULL = ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh"]
"""Before a command: no file that it writes can grow past half a kilobyte, as on a disk that has no room left."""
SAVE_FOR_EVER = """
import itertools, json, sys
from pathlib import Path
from tui.paths import write_private
for number in itertools.count():
    write_private(Path(sys.argv[1]), json.dumps([number] * 50_000))
    print(number, flush=True)
"""
RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{number}" for kind in ("com", "lpt") for number in range(1, 10))}


@pytest.fixture
def program(simulator: SimulatorServer, tmp_path: Path) -> Program:
    return Program(simulator, tmp_path)


@pytest.mark.fault("M65")
async def test_a_full_disk_costs_the_log_and_the_counts_not_the_feeds(program: Program) -> None:
    result = await program.run(
        "watch", "AAPL", "BTC/USDT", "--seconds", "3", "--log-level", "debug", "--format", "json", before=FULL
    )
    quoted = [json.loads(line) for line in result.lines]
    assert result.code == 0, result.err
    assert {line["symbol"] for line in quoted if line["kind"] == "quote"} == {"AAPL", "BTC/USDT"}
    logs = [path for path in program.folder.rglob("*.log*") if path.is_file()]
    assert any(path.stat().st_size >= 512 for path in logs), "the limit was reached"
    assert "Traceback" not in result.err


@pytest.mark.fault("M66")
def test_a_program_that_is_killed_while_it_writes_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, str(file)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            told = [int(writer.stdout.readline()) for _ in range(3)][-1]
            writer.kill()
        kept = json.loads(file.read_text())
        assert len(kept) == 50_000
        assert len(set(kept)) == 1
        assert kept[0] >= told, "what was told as written is there"


def names_below(folder: Path) -> set[str]:
    """Names of all files and folders below a folder."""
    return {path.name for path in folder.rglob("*")}


@pytest.mark.fault("S11")
async def test_no_file_is_named_after_what_comes_from_outside(simulator: SimulatorServer, tmp_path: Path) -> None:
    hostile = [Symbol(name) for name in ("../../ETC/PASSWD", "CON", ".HIDDEN", "A\x1b[2JB", "X" * 300)]
    config = Config().with_providers(simulator.settings(), only=True)
    state = StateFile(config, tmp_path / "state.json")
    state.save({name: [name] for name in hostile}, hostile[0])
    clock, http = Clock(), RestClient()
    store = MarketStore(clock.now_ns)
    hub = FeedHub(config, store, FixedSecrets(simulator.credentials()), http, clock, state_dir=tmp_path)
    symbols = [*hostile, Symbol("AAPL")]
    wants = frozenset(
        Subscription(kind, symbol, Interval("1m") if kind is Kind.BAR else None)
        for kind in (Kind.QUOTE, Kind.BOOK, Kind.TRADE, Kind.BAR)
        for symbol in symbols
    )
    async with running(hub):
        hub.want("test", wants)
        await until(lambda: store.quote(Symbol("AAPL")))
        await hub.upkeep.look()
    await http.close()
    names = names_below(tmp_path)
    assert {"state.json", "keys"} <= names
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", name), name
        assert name.partition(".")[0].lower() not in RESERVED
        assert not any(word in name.lower() for word in ("passwd", "hidden", "xxx", "aapl")), name
