from __future__ import annotations

import base64
import logging
import queue
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tui.logs import FILES, DroppingQueueHandler, PrivateFileHandler, RedactingFormatter, logging_to
from tui.redaction import Redactor, escape_controls

SECRET = "s3cr+t/Value=42"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqb2UifQ.c2lnbmF0dXJl"


@contextmanager
def nothing_changed() -> Iterator[None]:
    """Logging is global: a test must leave it as it was."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    yield
    assert (root.level, list(root.handlers)) == before


def redactor() -> Redactor:
    made = Redactor()
    made.add(SECRET)
    return made


@pytest.mark.fault("S6")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"got {SECRET}!", "got ***!"),
        (f"{SECRET}{SECRET}", "******"),
        (f"/ws?a=1&x={quote(SECRET, safe='')}&b=2", "/ws?a=1&x=***&b=2"),
        (f"blob {base64.b64encode(SECRET.encode()).decode().rstrip('=')}", "blob ***"),
        ("Authorization: Bearer abc.def-123", "Authorization: *** ***"),
        ("sent Bearer abcdefgh", "sent Bearer ***"),
        ("Basic dXNlcjpwYXNz", "Basic ***"),
        (f"token is {JWT}", "token is ***"),
        ("wss://me:pw@host/x", "wss://***@host/x"),
        ("?api_key=abc&symbol=AAPL", "?api_key=***&symbol=AAPL"),
        ('{"apiKey": "abc", "symbol": "AAPL"}', '{"apiKey": "***", "symbol": "AAPL"}'),
        ('{\\"access_token\\":\\"abc\\"}', '{\\"access_token\\":\\"***\\"}'),
        ("password = hunter2, user = joe", "password = ***, user = joe"),
        ("client_secret='abc'", "client_secret='***'"),
        ("AAPL 1.5 key levels", "AAPL 1.5 key levels"),
        ("https://example.com/a@b", "https://example.com/a@b"),
    ],
)
def test_known_secrets_and_what_looks_like_one_are_hidden(text: str, shown: str) -> None:
    assert redactor().redact(text) == shown


def test_a_longer_secret_is_hidden_whole_when_a_shorter_one_begins_it() -> None:
    made = Redactor()
    made.add("abcdef")
    made.add("abcdef-ghijkl")
    assert made.redact("x abcdef-ghijkl y abcdef z") == "x *** y *** z"


def test_short_values_are_not_searched_for() -> None:
    made = Redactor()
    made.add("on")
    assert made.redact("on and on") == "on and on"


def test_control_characters_are_written_out() -> None:
    assert escape_controls("a\x1b]52;c;x\x07\r\nb\x9bc\u2028d\x00é") == (
        "a\\x1b]52;c;x\\x07\\x0d\\x0ab\\x9bc\\x2028d\\x00é"
    )


def record(message: str, *args: object, exc: BaseException | None = None) -> logging.LogRecord:
    info = (type(exc), exc, exc.__traceback__) if exc else None
    return logging.LogRecord("tui.test", logging.WARNING, __file__, 1, message, args, info)


@pytest.mark.fault("M53")
def test_a_message_cannot_forge_a_line() -> None:
    line = RedactingFormatter(redactor=redactor()).format(record("closed: %s", "bye\n2026-01-01T00:00:00 INFO fake"))
    assert "\n" not in line
    assert "bye\\x0a2026" in line


@pytest.mark.fault("M53")
def test_tracebacks_are_indented_and_without_secrets() -> None:
    try:
        raise ValueError(f"refused {SECRET}\x1b[2J")
    except ValueError as error:
        text = RedactingFormatter(redactor=redactor()).format(record("failed", exc=error))
    first, *more = text.split("\n")
    assert first.endswith("tui.test: failed")
    assert more
    assert all(line.startswith("    ") for line in more)
    assert SECRET not in text
    assert "\x1b" not in text
    assert "ValueError: refused ***\\x1b[2J" in text


def test_wrong_arguments_cost_no_line() -> None:
    assert "%d of %s" in RedactingFormatter(redactor=redactor()).format(record("%d of %s", "x"))


def lines_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


@pytest.mark.fault("S6", "S10")
def test_the_log_is_a_private_file_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "state" / "tickdeck.log"
    with nothing_changed(), logging_to(file, "debug", redactor=redactor()):
        logging.getLogger("tui.feeds").debug("sent %s", SECRET)
        logging.getLogger("websockets.client").debug("> GET /?token=%s", SECRET)
        logging.getLogger("httpx2").info("GET https://host/?key=%s", SECRET)
        logging.getLogger("websockets.client").info("connection open")
    text = file.read_text()
    assert [line.split(": ", 1)[1] for line in lines_of(file)] == ["sent ***", "connection open"]
    assert SECRET not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_level_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "tickdeck.log"
    with nothing_changed(), logging_to(file, "warning"):
        logging.getLogger("tui").info("not this")
        logging.getLogger("tui").warning("but this")
    assert [line.split(": ", 1)[1] for line in lines_of(file)] == ["but this"]


@pytest.mark.fault("S10", "S14")
def test_rolled_files_are_private_and_few(tmp_path: Path) -> None:
    file = tmp_path / "tickdeck.log"
    handler = PrivateFileHandler(file, maxBytes=100, backupCount=FILES)
    for number in range(50):
        handler.handle(record(f"line {number:03d} {'x' * 60}"))
    handler.close()
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["tickdeck.log", *(f"tickdeck.log.{n}" for n in range(1, FILES + 1))]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.fault("S10")
def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "tickdeck.log").symlink_to(victim)
    with nothing_changed(), logging_to(tmp_path / "tickdeck.log"):
        logging.getLogger("tui").warning("hello")
    assert victim.read_text() == "precious"
    assert "no log is written" in capsys.readouterr().err


def test_a_loose_file_of_before_is_made_private(tmp_path: Path) -> None:
    file = tmp_path / "tickdeck.log"
    file.write_text("old\n")
    file.chmod(0o666)
    with nothing_changed(), logging_to(file):
        logging.getLogger("tui").warning("new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert lines_of(file)[0] == "old"


@pytest.mark.fault("M65")
def test_without_a_place_for_the_log_the_program_goes_on_quietly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with nothing_changed(), logging_to(tmp_path / "file" / "tickdeck.log"):
        logging.getLogger("tui").error("nobody hears")
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "nobody hears" not in err


def test_commands_without_a_screen_say_warnings_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with nothing_changed(), logging_to(None, to_stderr=True, redactor=redactor()):
        logging.getLogger("tui").info("not this")
        logging.getLogger("tui").warning("beware of %s", SECRET)
    assert capsys.readouterr().err == "tickdeck: beware of ***\n"


def test_a_disk_that_is_behind_costs_lines_not_time() -> None:
    handler = DroppingQueueHandler(queue.Queue(2), redactor())
    for number in range(5):
        handler.handle(record(f"line {number}"))
    assert handler.dropped == 3
