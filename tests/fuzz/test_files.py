"""Files: configuration, state, themes, usage, stored keys. A broken one is told about or left aside, never fatal."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from pydantic import SecretStr

from tests.fuzz.mutations import messages, texts
from tui import paths
from tui.config import Config, load_config
from tui.errors import ConfigError
from tui.market.names import Symbol
from tui.providers.aries.tokens import described
from tui.providers.insightsentry.keys import StoredKey, claims
from tui.state import StateFile
from tui.themes import Palette, read_theme
from tui.usage import UsageFile

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
PLAIN = "\n".join(line for line in EXAMPLE.splitlines() if line.strip() and not line.startswith("#"))
FULL = "\n".join(line.removeprefix("# ").removeprefix("#") for line in EXAMPLE.splitlines())
THEMES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "themes").glob("*.toml"))]
STATE = json.dumps(
    {
        "configured": "main",
        "watchlist": "main",
        "watchlists": {
            "main": {"configured": list(map(str, Config().watchlists["main"])), "edited": ["AAPL", "BTC/USDT"]}
        },
        "recent": ["TSLA"],
        "codes": {"TSLA": {"insightsentry": "NASDAQ:TSLA"}},
    }
)
USAGE = '{"days": {"2026-01-05": {"connections": 3, "bytes": 1000}}, "bytes_ever": 1000, "dialled_s": 1767623871}'
KEY = '{"key": "ws-1", "expires_at": 1767623871, "owner": "ab", "replaced_at": 0}'
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3Njc2MjM4NzEsImlhdCI6MTc2NzYyMDI3MX0.c2ln"


def is_shown_safely(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.fault("M68")
@given(raw=texts([PLAIN, FULL]))
@settings(deadline=None)
def test_a_broken_configuration_is_told_with_its_place(folder: Path, raw: bytes) -> None:
    path = folder / "config.toml"
    path.write_bytes(raw)
    told = complaint(path)
    assert not told or told.startswith(str(path))
    assert is_shown_safely(told), repr(told)


def complaint(path: Path) -> str:
    try:
        load_config(path)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.fault("M67")
@given(raw=texts([STATE]) | messages([STATE]).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(deadline=None)
def test_a_broken_state_file_costs_only_what_it_held(folder: Path, raw: bytes) -> None:
    path = folder / "state.json"
    path.write_bytes(raw)
    state = StateFile(Config(), path)
    assert all(isinstance(symbol, str) for listed in state.watchlists.values() for symbol in listed)
    state.used(Symbol("AAPL"))
    assert state.recent[0] == "AAPL"


@pytest.mark.fault("M71")
@given(raw=texts(THEMES))
@settings(deadline=None)
def test_a_broken_theme_is_told_or_whole(raw: bytes) -> None:
    try:
        palette = read_theme(raw.decode("utf-8", "replace"))
    except ValueError:
        return
    assert isinstance(palette, Palette)
    assert all(palette.style(role) for role in palette.colors)


@pytest.mark.fault("M67")
@given(raw=texts([USAGE]) | messages([USAGE]).map(str.encode))
@settings(deadline=None)
def test_a_broken_count_of_usage_starts_anew(folder: Path, raw: bytes) -> None:
    path = folder / "usage.json"
    path.write_bytes(raw)
    usage = UsageFile(path)
    day = date(2026, 1, 5)
    asyncio.run(usage.update(lambda tally: tally.add_bytes(day, 1)))
    assert usage.path is not None
    assert usage.tally.day(day).bytes >= 1


@pytest.mark.fault("M67")
@given(raw=texts([KEY, TOKEN]) | messages([KEY]).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(deadline=None)
def test_whatever_the_keyring_holds_is_a_key_or_none(raw: bytes) -> None:
    secret = SecretStr(raw.decode("utf-8", "replace"))
    key = StoredKey.parse(secret)
    if key is not None:
        assert key.secret.get_secret_value().strip()
        assert StoredKey.parse(key.dump()) is not None
    claims(secret)
    described(SecretStr(TOKEN), secret)
    described(secret, None)


def test_files_are_where_the_tests_think() -> None:
    assert paths.EXAMPLE == "config.example.toml"
    assert len(THEMES) >= 5
