from __future__ import annotations

import gc
import importlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands.program import PROGRAM, read, terminal
from tui import __version__, cli, paths
from tui.arguments import KINDS, parse
from tui.cli import main
from tui.errors import ConfigError, CredentialError, FeedError, UsageError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for each test, so that nobody's configuration or log is touched."""
    for name in [*os.environ]:
        if name.startswith(("TICKDECK_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def loaded_by(*arguments: str) -> set[str]:
    """Modules that are loaded after the command, run in a process of its own."""
    code = "import sys; from tui.cli import main; code = main(sys.argv[1:]); print(code, *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    words = done.stderr.split()
    assert words[0] == "0", done.stderr
    return set(words[1:])


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["config", "path"], ["config", "init"]])
def test_small_commands_load_nothing_large(arguments: list[str]) -> None:
    large = {"textual", "rich", "websockets", "httpx2", "keyring", "pydantic", "asyncio", "ssl"}
    assert loaded_by(*arguments) & large == set()


@pytest.mark.parametrize("arguments", [["config", "check"], ["--completion", "bash"]])
def test_commands_without_a_screen_load_no_screen(arguments: list[str]) -> None:
    assert loaded_by(*arguments) & {"textual", "websockets", "httpx2", "keyring"} == set()


def test_the_version_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tickdeck {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "command", "symbols"),
    [
        ([], "run", []),
        (["run"], "run", []),
        (["AAPL", "btc-usdt"], "run", ["AAPL", "BTC/USDT"]),
        (["--theme", "red-up", "AAPL"], "run", ["AAPL"]),
        (["--theme=red-up", "AAPL"], "run", ["AAPL"]),
        (["AAPL", "--theme", "red-up"], "run", ["AAPL"]),
        (["run", "AAPL 2026-12-18 200C"], "run", ["AAPL 2026-12-18 200C"]),
        (["RUN"], "run", ["RUN"]),
        (["DEMO", "demo"], "run", ["DEMO", "DEMO"]),
        (["demo", "ETHUSDT"], "demo", ["ETH/USDT"]),
        (["watch", "nvda", "AAPL"], "watch", ["NVDA", "AAPL"]),
        (["--", "watch"], "run", ["WATCH"]),
    ],
)
def test_a_first_word_that_is_no_command_is_a_symbol(arguments: list[str], command: str, symbols: list[str]) -> None:
    args = parse(arguments)
    assert args.command == command
    assert args.symbols == symbols


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "x.toml", "--theme", "red-up", "--log-level", "debug", "config", "check"],
        ["config", "check", "--config", "x.toml", "--theme", "red-up", "--log-level", "debug"],
        ["--config", "x.toml", "config", "--theme", "red-up", "check", "--log-level=debug"],
    ],
)
def test_common_options_stand_before_or_after_the_command(arguments: list[str]) -> None:
    args = parse(arguments)
    assert (args.config, args.theme, args.log_level) == (Path("x.toml"), "red-up", "debug")


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["demo"], {"seed": None, "faults": "none", "symbols": []}),
        (["demo", "--seed", "5", "--faults", "many"], {"seed": 5, "faults": "many"}),
        (["simulate"], {"port": 8765, "seed": None, "rate": 1.0, "faults": "none", "json": False}),
        (["simulate", "--port", "0", "--rate", "2.5", "--seed", "-1"], {"port": 0, "rate": 2.5, "seed": -1}),
        (["watch", "AAPL"], {"kinds": KINDS, "format": "text", "count": None, "seconds": None}),
        (
            ["watch", "AAPL", "--kinds", "book,quote,book", "--format", "json", "--count", "3", "--seconds", "0.5"],
            {"kinds": ("book", "quote"), "format": "json", "count": 3, "seconds": 0.5},
        ),
        (["symbols", "kraken", "eth"], {"query": "kraken eth"}),
        (["credentials", "set", "aries", "--field", "client_id", "--stdin"],
         {"action": "set", "provider": "aries", "field": "client_id", "stdin": True}),
        (["credentials", "list"], {"action": "list", "provider": None}),
        (["credentials", "test"], {"action": "test", "provider": None}),
        (["credentials", "remove", "aries"], {"action": "remove", "provider": "aries", "field": None}),
        (["doctor"], {"config": None}),
        (["config", "init", "--force"], {"action": "init", "force": True}),
    ],
)  # fmt: skip
def test_options_arrive_as_values(arguments: list[str], values: dict[str, Any]) -> None:
    args = vars(parse(arguments))
    assert {name: args[name] for name in values} == values


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["!!!"], "is not a symbol"),
        (["watch"], "SYMBOL"),
        (["watch", "AAPL", "--kinds", "quotes"], "quotes is not among quote, bar"),
        (["watch", "AAPL", "--kinds", ","], "nothing is not among"),
        (["watch", "AAPL", "--count", "0"], "not a number above zero"),
        (["watch", "AAPL", "--seconds", "nan"], "not a number above zero"),
        (["watch", "AAPL", "--seconds", "inf"], "not a number above zero"),
        (["watch", "AAPL", "--format", "xml"], "invalid choice"),
        (["simulate", "--port", "65536"], "not a port"),
        (["simulate", "--port", "-1"], "not a port"),
        (["simulate", "--rate", "0"], "not a number above zero"),
        (["demo", "--faults", "all"], "invalid choice"),
        (["--completion", "fish"], "invalid choice"),
        (["--log-level", "loud"], "invalid choice"),
        (["--config"], "expected one argument"),
        (["symbols"], "QUERY"),
        (["credentails", "list"], "no command 'credentails', did you mean 'credentials'?"),
        (["credentials", "set", "arise"], "Did you mean aries?"),
        (["credentials", "set", "aries", "--field", "clientid"], "Did you mean client_id?"),
        (["credentials", "set"], "One of: aries, insightsentry, quantcite"),
        (["credentials", "remove"], "One of: aries, insightsentry, quantcite"),
        (["credentials", "set", "aries", "secret-on-the-command-line"], "unrecognized arguments"),
        (["credentials", "set", "aries", "--stdin"], "Choose one: --field access_token"),
    ],
)
def test_words_that_mean_nothing_are_usage_errors(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert output.out == ""


@pytest.mark.parametrize("group", ["credentials", "config"])
def test_a_group_without_an_action_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([group]) == 2
    assert "actions:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("bad"), 3),
        (CredentialError("bad"), 4),
        (UsageError("bad"), 2),
        (FeedError("bad", remedy="do this"), 1),
        (KeyboardInterrupt(), 130),
        (SystemExit(143), 143),
    ],
)
def test_how_a_command_ends_decides_the_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ends(_: object) -> int:
        raise error

    monkeypatch.setattr(cli, "_run", ends)
    assert main(["doctor"]) == code
    err = capsys.readouterr().err
    assert err == ("" if isinstance(error, KeyboardInterrupt | SystemExit) else
                   "tickdeck: bad\n" + "do this\n" * bool(getattr(error, "remedy", "")))  # fmt: skip


@pytest.mark.fault("S7")
def test_a_mistake_of_ours_shows_where_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(_: object) -> int:
        raise ZeroDivisionError("token=S3CRET-VALUE \x1b[2J")

    monkeypatch.setattr(cli, "_run", breaks)
    assert main(["doctor"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "in breaks" in err
    assert "S3CRET" not in err
    assert "\x1b" not in err


@pytest.mark.parametrize("command", [[], ["run"], ["demo"], ["AAPL"]])
def test_the_dashboard_needs_a_terminal(command: list[str]) -> None:
    done = subprocess.run([*PROGRAM, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr
    assert done.stdout == ""


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("command", ["run", "demo"])
def test_the_garbage_collector_rests_before_anything_of_the_screen_is_imported(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[bool, str | None]] = []

    def instead_of_importing(_: str) -> None:
        found.append((gc.isenabled(), os.environ.get("TEXTUAL_FPS")))
        raise SystemExit(0)

    monkeypatch.delenv("TEXTUAL_FPS", raising=False)
    monkeypatch.setattr(importlib, "import_module", instead_of_importing)
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(sys, stream, Terminal())
    try:
        assert main([command]) == 0
    finally:
        gc.enable()
    assert found == [(False, "250")]


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Exit code and what the terminal shows, for a command that ends by itself."""
    with terminal(*arguments) as (process, screen):
        shown = b""
        while chunk := read(screen):
            shown += chunk
        return process.wait(20), shown.decode()


@pytest.mark.terminal
def test_without_any_credential_the_dashboard_offers_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.keyrings.MemoryKeyring")
    code, shown = on_a_terminal("AAPL")
    assert code == 4
    assert "no keys or tokens for aries, insightsentry, quantcite" in shown
    assert "tickdeck demo" in shown
    assert "\x1b" not in shown


@pytest.mark.terminal
def test_with_every_provider_disabled_the_dashboard_says_so(home: Path) -> None:
    file = home / "c.toml"
    file.write_text(
        "".join(f"[providers.{name}]\nenabled = false\n" for name in ("aries", "insightsentry", "quantcite"))
    )
    code, shown = on_a_terminal("run", "--config", str(file))
    assert code == 4
    assert "every provider is disabled" in shown


@pytest.mark.fault("S12")
@pytest.mark.terminal
def test_a_secret_is_asked_for_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal("credentials", "set", "quantcite") as (process, screen):
        shown = b""
        while b"not shown" not in shown:
            shown += os.read(screen, 4096)
        os.write(screen, b"S3CRET VALUE\n")
        while shown.count(b"not shown") < 2:  # refused: it holds a space
            shown += os.read(screen, 4096)
        os.write(screen, b"S3CRET-VALUE\n")
        while chunk := read(screen):
            shown += chunk
        assert process.wait(20) == 4
    assert "there is no keyring here" in shown.decode()
    assert b"S3CRET" not in shown


@pytest.mark.terminal
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_a_command_that_waits(number: signal.Signals, code: int) -> None:
    with terminal("credentials", "set", "quantcite") as (process, screen):
        shown = b""
        while b"not shown" not in shown:
            shown += os.read(screen, 4096)
        process.send_signal(number)
        while chunk := read(screen):
            shown += chunk
        assert process.wait(20) == code
    assert b"Traceback" not in shown


@pytest.mark.parametrize("arguments", [["--completion", "bash"], ["--version"], ["--help"], ["config", "path"]])
def test_a_reader_that_goes_away_is_no_failure(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PROGRAM, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_commands_options_and_providers(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--completion", shell]) == 0
    text = capsys.readouterr().out
    for word in ("credentials", "simulate", "--faults", "--log-level", "quantcite", "--stdin"):
        assert word in text


def test_bash_understands_the_completion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--completion", "bash"])
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out)
    words = "COMP_WORDS=(tickdeck credentials set q); COMP_CWORD=3"
    ask = f"source {script}; {words}; _shtab_tickdeck; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["quantcite"], done.stderr


def test_config_path_says_where_the_file_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "path"]) == 0
    assert main(["config", "path", "--config", "other.toml"]) == 0
    assert capsys.readouterr().out == f"{home}/.config/tickdeck/config.toml\nother.toml\n"


def test_config_init_writes_the_example_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / ".config" / "tickdeck" / "config.toml"
    assert main(["config", "init"]) == 0
    assert file.read_text() == paths.example_config()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("theme = 'red-up'\n")
    assert main(["config", "init"]) == 1
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "theme = 'red-up'\n"
    assert main(["config", "init", "--force"]) == 0
    assert file.read_text() == paths.example_config()


def test_config_init_that_cannot_write_says_why(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "file").write_text("")
    assert main(["config", "init", "--config", str(home / "file" / "c.toml")]) == 1
    assert str(home / "file" / "c.toml") in capsys.readouterr().err


@pytest.mark.fault("M68")
def test_config_check_says_each_mistake_and_ends_with_3(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "c.toml"
    file.write_text("theme = 'red-up'\n")
    file.chmod(0o600)
    assert main(["config", "check", "--config", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: correct\n"
    file.write_text("thme = 'red-up'\nflash = 3\n")
    assert main(["config", "check", "--config", str(file)]) == 3
    assert capsys.readouterr().err.splitlines() == [
        f"tickdeck: {file}:1: thme: unknown key, did you mean 'theme'?",
        f"tickdeck: {file}:2: flash: should be true or false",
    ]
    file.write_text("[keys]\napp.qiut = 'x'\n")
    assert main(["config", "check", "--config", str(file)]) == 3
    assert f"{file}:2: keys.app.qiut: no such action, did you mean 'app.quit'?" in capsys.readouterr().err
    assert main(["config", "check", "--config", str(home / "gone.toml")]) == 3
    assert main(["config", "check"]) == 0


def test_an_unknown_theme_is_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--theme", "red-upp"]) == 2
    assert "did you mean 'red-up'?" in capsys.readouterr().err
