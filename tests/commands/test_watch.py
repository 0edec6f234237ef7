from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from tests.commands.programs import Program
from tui.simulator.server import SimulatorServer

NUMBER, TEXT, STAMP, FLAG = "number", "text", "stamp", "flag"
COMMON = {"kind": TEXT, "source": TEXT, "ts_event": STAMP, "ts_recv": STAMP}
PRICES = ("bid", "ask", "bid_size", "ask_size", "last", "change", "change_percent", "volume", "open", "high", "low")
FIELDS: dict[str, dict[str, str]] = {
    "quote": {**dict.fromkeys((*PRICES, "prev_close"), NUMBER), "symbol": TEXT, "delayed": FLAG},
    "bar": {
        "symbol": TEXT, "interval": TEXT, "start": STAMP, "closed": FLAG,
        **dict.fromkeys(("open", "high", "low", "close", "volume"), NUMBER),
    },
    "book": {"symbol": TEXT, "bids": "side", "asks": "side", "crossed": FLAG},
    "trade": {"symbol": TEXT, "price": NUMBER, "size": NUMBER, "venue": TEXT, "side": TEXT},
    "news": {
        "symbol": TEXT, "title": TEXT, "summary": TEXT, "link": TEXT, "publisher": TEXT, "published": STAMP,
        "symbols": "texts",
    },
    "status": {"feed": TEXT, "state": TEXT, "reason": TEXT},
}  # fmt: skip
NEEDED = {
    "quote": {"symbol"},
    "bar": {"symbol", "interval", "start", "open", "high", "low", "close", "closed"},
    "book": {"symbol", "bids", "asks", "crossed"},
    "trade": {"symbol", "price", "size"},
    "news": {"title", "published", "symbols"},
    "status": {"feed", "state"},
}
STAMPED = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
SOURCES = {"insightsentry", "quantcite", "aries"}


def parsed(line: str) -> dict[str, Any]:
    """A line by the rules of the design: numbers as they are written, nothing that is no number."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in {line}")

    record: dict[str, Any] = json.loads(line, parse_float=Decimal, parse_constant=refuse)
    fields = COMMON | FIELDS[record["kind"]]
    assert {*COMMON, *NEEDED[record["kind"]]} <= set(record) <= set(fields), line
    for name, value in record.items():
        assert is_a(fields[name], value) or (name == "ts_event" and value is None), (name, line)
    assert record["source"] in SOURCES
    return record


def is_a(kind: str, value: object) -> bool:
    match kind:
        case "number":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "text":
            return isinstance(value, str) and bool(value)
        case "flag":
            return isinstance(value, bool)
        case "stamp":
            return isinstance(value, str) and bool(STAMPED.match(value))
        case "texts":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case "side":
            return isinstance(value, list) and all(
                len(level) == 3 and is_a("number", level[0]) and is_a("number", level[1]) and is_a("texts", level[2])
                for level in value
            )
    return False


async def test_all_kinds_come_from_all_providers_as_documented(program: Program, simulator: SimulatorServer) -> None:
    result = await program.run("watch", "AAPL", "BTC/USDT", "--format", "json", "--seconds", "6")
    assert (result.code, result.err) == (0, "")
    records = [parsed(line) for line in result.lines]
    seen = {(record["kind"], record.get("symbol"), record["source"]) for record in records}
    assert {kind for kind, _, _ in seen} == set(FIELDS)
    assert {source for kind, _, source in seen if kind != "status"} == SOURCES
    assert {symbol for kind, symbol, _ in seen if kind == "quote"} == {"AAPL", "BTC/USDT"}
    assert {symbol for kind, symbol, _ in seen if kind == "bar"} == {"AAPL", "BTC/USDT"}
    market = simulator.market
    books = [record for record in records if record["kind"] == "book" and record["source"] == "quantcite"]
    assert all([b[0] for b in book["bids"]] == sorted((b[0] for b in book["bids"]), reverse=True) for book in books)
    assert all(set(level[2]) <= set(market.instruments["BTC/USDT"].venues) for book in books for level in book["bids"])
    prints = {(each.price, each.size) for each in market.trades("AAPL")}
    trades = [(Decimal(r["price"]), Decimal(r["size"])) for r in records if r["kind"] == "trade"]
    assert trades
    assert set(trades) <= prints
    assert len({r["title"] for r in records if r["kind"] == "news"}) == len([r for r in records if r["kind"] == "news"])
    assert simulator.violations() == {}


async def test_it_ends_after_so_many_lines_of_the_kinds_asked_for(program: Program) -> None:
    result = await program.run("watch", "BTC/USDT", "--kinds", "book,status", "--count", "9", "--format", "json")
    records = [parsed(line) for line in result.lines]
    assert (result.code, len(records), result.err) == (0, 9, "")
    assert {record["kind"] for record in records} == {"book", "status"}


async def test_text_comes_in_columns(program: Program) -> None:
    result = await program.run("watch", "BTC/USDT", "--kinds", "book", "--count", "3")
    assert result.code == 0
    pattern = (
        r"\d\d:\d\d:\d\d\.\d{3}  book    BTC/USDT    quantcite      bid +[\d.]+ × +[\d.]+  ask +[\d.]+ × +[\d.]+  "
    )
    assert all(re.match(pattern, line) for line in result.lines), result.out
    assert len({line.index("ask") for line in result.lines}) == 1


async def test_an_unknown_symbol_is_said_and_the_rest_goes_on(program: Program) -> None:
    result = await program.run("watch", "BTX/USDT", "BTC/USDT", "--kinds", "book", "--count", "12", "--format", "json")
    assert result.code == 0
    assert {parsed(line)["symbol"] for line in result.lines} == {"BTC/USDT"}
    assert "BTX/USDT" in result.err
    assert re.search("Did you mean .*BTC/USDT", result.err)
    assert result.err.count("BTX/USDT") <= 2


async def test_when_no_symbol_can_be_used_it_ends_with_2(program: Program) -> None:
    result = await program.run("watch", "BTX/USDT", "--kinds", "book")
    assert (result.code, result.out) == (2, "")
    assert "BTX/USDT" in result.err


async def test_kinds_that_nobody_offers_are_named(program: Program) -> None:
    result = await program.run("watch", "SPX", "--kinds", "book")
    assert (result.code, result.out, result.err) == (2, "", "tickdeck: SPX: no provider offers its book\n")


async def test_a_refused_symbol_is_looked_for_elsewhere(program: Program) -> None:
    result = await program.run("watch", "APPL", "--kinds", "quote")
    assert (result.code, result.out) == (2, "")
    assert "APPL: no provider knows it\nDid you mean AAPL?" in result.err


async def test_without_credentials_it_ends_with_4_and_the_remedy(program: Program) -> None:
    result = await program.run("watch", "AAPL", secrets={})
    assert (result.code, result.out) == (4, "")
    assert "no credentials" in result.err
    assert "tickdeck credentials set" in result.err


async def test_when_every_key_is_refused_it_ends_with_4_and_the_remedies(program: Program) -> None:
    wrong = dict.fromkeys(program.secrets, "a-wrong-key")
    result = await program.run("watch", "AAPL", "BTC/USDT", "--kinds", "quote,book", secrets=wrong)
    assert (result.code, result.out) == (4, "")
    assert "tickdeck credentials set quantcite" in result.err
    assert "a-wrong-key" not in result.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_signals_end_it_without_a_word(program: Program, number: signal.Signals, code: int) -> None:
    process = await program.start("watch", "BTC/USDT", "--kinds", "book")
    assert process.stdout
    await asyncio.wait_for(process.stdout.readline(), 20)
    process.send_signal(number)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, errors) == (code, b"")


async def test_a_reader_that_leaves_ends_it_without_a_word(program: Program) -> None:
    command = " ".join(f"'{word}'" for word in (sys.executable, "-m", "tui", "watch", "BTC/USDT", "--kinds", "book"))
    process = await asyncio.create_subprocess_shell(
        f"set -o pipefail; {command} --config '{program.config}' | head -n 2",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        executable="/bin/bash",
        env={"HOME": str(program.folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", **program.secrets,
             "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, len(out.splitlines()), errors) == (0, 2, b"")


async def test_symbols_prints_a_table_of_matches(program: Program) -> None:
    result = await program.run("symbols", "bitcoin")
    assert (result.code, result.err) == (0, "")
    headings, *rows = result.lines
    assert headings.split() == ["symbol", "description", "kind", "providers"]
    [row] = [row for row in rows if row.startswith("BTC/USDT")]
    assert row.index("Bitcoin") == headings.index("description")
    assert "quantcite" in row[headings.index("providers") :]


async def test_symbols_says_when_nothing_is_found(program: Program) -> None:
    result = await program.run("symbols", "zzzzzz")
    assert (result.code, result.out) == (1, "")
    assert "nothing found for 'zzzzzz'" in result.err


async def test_symbols_without_credentials_ends_with_4(program: Program) -> None:
    result = await program.run("symbols", "bitcoin", secrets={})
    assert (result.code, result.out) == (4, "")


def test_commands_without_a_screen_do_not_import_textual() -> None:
    modules = "tui.commands.watch, tui.commands.symbols, tui.commands.simulate"
    code = f"import sys, {modules}; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
