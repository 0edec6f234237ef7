from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from tests.conftest import until
from tui.config import Config
from tui.market.names import Symbol
from tui.state import MAX_RECENT, StateFile

AAPL, NVDA, BTC, ETH = (Symbol(name) for name in ("AAPL", "NVDA", "BTC/USDT", "ETH/USDT"))
CONFIG = Config(watchlists={"main": (AAPL, NVDA), "coins": (BTC,)})


def is_written() -> bool:
    return not any(thread.name == "state" for thread in threading.enumerate())


async def test_an_edited_watchlist_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "new" / "state.json"
    StateFile(CONFIG, file).save({"main": [NVDA, ETH], "coins": [BTC], "mine": [ETH]}, "mine")
    await until(is_written)
    again = StateFile(CONFIG, file)
    assert again.watchlists == {"main": [NVDA, ETH], "mine": [ETH]}
    assert again.watchlist == "mine"
    assert again.recent == [ETH]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_list_that_changed_in_the_configuration_wins_again(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    StateFile(CONFIG, file).save({"main": [NVDA], "coins": [ETH]}, "coins")
    await until(is_written)
    changed = Config(watchlists={"main": (AAPL, NVDA, BTC), "coins": (BTC,)}, watchlist="main")
    again = StateFile(changed, file)
    assert again.watchlists == {"coins": [ETH]}
    assert again.watchlist == "coins"
    assert StateFile(changed.model_copy(update={"watchlist": "coins"}), file).watchlist is None


async def test_the_last_of_many_changes_is_what_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    state = StateFile(CONFIG, file)
    for count in range(20):
        state.save({"main": [Symbol(f"A{number}") for number in range(count)]}, "main")
    await until(is_written)
    assert len(StateFile(CONFIG, file).watchlists["main"]) == 19


async def test_recent_symbols_are_newest_first_each_once_and_few(tmp_path: Path) -> None:
    state = StateFile(CONFIG, tmp_path / "state.json")
    for number in range(MAX_RECENT + 10):
        state.used(Symbol(f"S{number}"))
    state.used(Symbol("S20"))
    assert len(state.recent) == MAX_RECENT
    assert state.recent[:2] == ["S20", f"S{MAX_RECENT + 9}"]
    state.save({"main": [AAPL]}, "main")
    await until(is_written)
    assert StateFile(CONFIG, tmp_path / "state.json").recent == state.recent


async def test_codes_of_added_symbols_are_kept_as_long_as_the_symbols_are_known(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    state = StateFile(CONFIG, file)
    state.codes[ETH] = {"insightsentry": "KRAKEN:ETHUSDT", "quantcite": "ETH/USDT"}
    state.codes[Symbol("GONE")] = {"insightsentry": "NYSE:GONE"}
    state.codes[NVDA] = {}
    state.save({"main": [AAPL, NVDA, ETH]}, "main")
    await until(is_written)
    again = StateFile(CONFIG, file)
    assert again.codes == {ETH: {"insightsentry": "KRAKEN:ETHUSDT", "quantcite": "ETH/USDT"}}
    again.save({"main": [AAPL]}, "main")
    await until(is_written)
    assert ETH in StateFile(CONFIG, file).codes, "it may be brought back"
    for number in range(MAX_RECENT):
        again.used(Symbol(f"S{number}"))
    again.save({"main": [NVDA]}, "main")
    await until(is_written)
    assert StateFile(CONFIG, file).codes == {}


@pytest.mark.fault("M67")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{half",
        "[]",
        "\0" * 100,
        '{"watchlists": {"main": {"configured": null, "edited": ["!!!"]}}}',
        '{"recent": 3}',
        '{"codes": {"AAPL": {"insightsentry": "\\u001b[2J"}}}',
        '{"codes": {"AAPL": {"insightsentry": ""}}}',
        json.dumps({"recent": ["AAPL"] * 60}),
        json.dumps({"recent": [f"S{n}" for n in range(60)]}),
    ],
)
def test_a_broken_file_is_put_aside_and_the_configured_lists_are_used(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    state = StateFile(CONFIG, file)
    assert state.watchlists == {}
    assert state.watchlist is None
    assert not file.exists()
    assert (tmp_path / "state.json.broken").read_text() == text
    assert caplog.records


def test_what_a_newer_version_wrote_besides_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"recent": ["aapl"], "theme": "x"}')
    assert StateFile(CONFIG, file).recent == [AAPL]


@pytest.mark.fault("M65")
async def test_a_place_that_cannot_be_written_costs_the_state_not_the_program(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    state = StateFile(CONFIG, tmp_path / "file" / "state.json")
    state.save({"main": [AAPL]}, "main")
    await until(is_written)
    assert "could not be saved" in caplog.text
