from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from tests.commands.program import configure, run
from tui.commands import reach as reaching
from tui.commands.checks import check_terminal
from tui.commands.findings import Level, bad, good, note, print_section
from tui.commands.reach import Reached, Server, reach, servers
from tui.config import Config
from tui.errors import TickdeckError
from tui.simulator.server import SimulatorServer


async def test_a_working_set_up_ends_with_0(simulator: SimulatorServer, tmp_path: Path) -> None:
    file = configure(tmp_path, simulator)
    done = await run("doctor", "--config", str(file), credentials=simulator.credentials())
    assert done.code == 0, done.out
    assert "✗" not in done.out
    assert f"✓ {file}: correct" in done.out
    assert "✓ logged in to Aries, InsightSentry, QuantCite" in done.out
    assert "✓ within 1 s of the servers" in done.out
    assert "• there is no keyring here" in done.out  # not needed: the environment has everything
    for fields in simulator.credentials().values():
        assert not any(value in done.out for value in fields.values())


async def test_without_any_credential_it_says_what_to_do_and_ends_with_1(
    simulator: SimulatorServer, tmp_path: Path
) -> None:
    file = configure(tmp_path, simulator)
    done = await run("doctor", "--config", str(file), backend="tests.keyrings.MemoryKeyring")
    assert done.code == 1
    assert "✓ tests.keyrings.MemoryKeyring, priority 1: stored, read back and removed an entry" in done.out
    assert "✗ no provider can be logged in to" in done.out
    assert "→ Store it: tickdeck credentials set quantcite" in done.out


async def test_one_refused_key_is_bad_while_the_others_work(simulator: SimulatorServer, tmp_path: Path) -> None:
    file = configure(tmp_path, simulator)
    credentials = {**simulator.credentials(), "quantcite": {"api_key": "wrong-key-1"}}
    done = await run("doctor", "--config", str(file), credentials=credentials)
    assert done.code == 1
    assert "✓ logged in to Aries, InsightSentry" in done.out
    quantcite = done.out.partition("QuantCite\n")[2].partition("\nproviders")[0]
    assert "✗ login" in quantcite
    assert "wrong-key-1" not in done.out


async def test_a_server_that_is_not_there_is_bad(simulator: SimulatorServer, tmp_path: Path) -> None:
    file = configure(tmp_path, simulator)
    await simulator.stop()
    done = await run("doctor", "--config", str(file), credentials=simulator.credentials())
    assert done.code == 1
    assert "✗ 127.0.0.1:" in done.out


async def test_a_broken_configuration_is_told_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("thme = 'x'\n[providers.aries]\nenabled = 3\n")
    done = await run("doctor", "--config", str(file), environment={"https_proxy": "http://127.0.0.1:9"})
    assert done.code == 1
    assert f"✗ {file}:1: thme: unknown key, did you mean 'theme'?\n    {file}:3: providers.aries.enabled" in done.out
    assert "keyring\n" in done.out
    assert "terminal\n" in done.out
    file.write_text("".join(f"[providers.{name}]\nenabled = false\n" for name in Config().providers))
    done = await run("doctor", "--config", str(file))
    assert done.code == 1
    assert "no provider can be logged in to" in done.out


def test_the_servers_of_a_provider_are_its_addresses_each_once() -> None:
    found = list(servers(Config().providers["aries"]))
    assert found == [Server("api.aries.com", 443, True), Server("app.aries.com", 443, True)]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


def date_header(off_s: float = 0.0) -> bytes:
    return f"Date: {format_datetime(datetime.now(UTC) + timedelta(seconds=off_s), usegmt=True)}".encode()


@asynccontextmanager
async def listening(
    certificate: trustme.LeafCert | None, header: bytes, until: bytes = b"\r\n\r\n"
) -> AsyncIterator[Server]:
    """A server that answers with this header after it has read so far."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(until)
            writer.write(b"HTTP/1.1 404 Not Found\r\n" + header + b"\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(tls)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield Server("127.0.0.1", server.sockets[0].getsockname()[1], is_secure=True)
    finally:
        server.close()
        await server.wait_closed()


async def failure(server: Server, ca_file: Path | None) -> TickdeckError:
    with pytest.raises(TickdeckError) as caught:
        await reach(server, ca_file)
    return caught.value


async def test_a_good_certificate_is_accepted_and_the_clocks_compared(authority: trustme.CA, ca_file: Path) -> None:
    async with listening(authority.issue_cert("127.0.0.1"), date_header(-3600)) as server:
        found = await reach(server, ca_file)
    assert isinstance(found, Reached)
    assert found.protocol.startswith("TLSv1.")
    assert found.clock_off_s is not None
    assert 3590 < found.clock_off_s < 3610


@pytest.mark.parametrize("header", [b"Server: x", b"Date: never", b"Date:", b"Date: \xff\xff"])
async def test_a_server_that_does_not_say_its_time_is_reached_all_the_same(
    authority: trustme.CA, ca_file: Path, header: bytes
) -> None:
    async with listening(authority.issue_cert("127.0.0.1"), header) as server:
        assert (await reach(server, ca_file)).clock_off_s is None


def certificates(authority: trustme.CA) -> Iterator[tuple[trustme.LeafCert, str]]:
    past = datetime.now(UTC) - timedelta(days=1)
    yield authority.issue_cert("127.0.0.1", not_after=past), "expired"
    yield authority.issue_cert("example.com"), "IP address mismatch"
    yield trustme.CA().issue_cert("127.0.0.1"), "unable to get local issuer certificate"


async def test_a_bad_certificate_is_refused_and_said(authority: trustme.CA, ca_file: Path) -> None:
    for certificate, said in certificates(authority):
        async with listening(certificate, date_header()) as server:
            error = await failure(server, ca_file)
        assert "certificate refused" in str(error)
        assert said in str(error)
        assert "ca_file" in error.remedy


async def test_a_plain_port_is_no_tls(ca_file: Path) -> None:
    async with listening(None, date_header(), until=b"\x16") as server:  # the first byte of a TLS handshake
        error = await failure(server, ca_file)
    assert "no TLS: WRONG_VERSION_NUMBER" in str(error)


async def test_a_port_that_stays_silent_is_given_up(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "CONNECT_S", 0.05)
    async with listening(None, date_header()) as server:
        assert "no connection within 0.05 s" in str(await failure(server, ca_file))


async def test_a_closed_port_and_an_unknown_name_are_said() -> None:
    async with listening(None, b"") as server:
        port = server.port
    assert f"127.0.0.1:{port}" in str(await failure(Server("127.0.0.1", port, False), None))
    assert "the name is not known" in str(await failure(Server("no-such-host.invalid", 443, True), None))
    assert "the name is not known" in str(await failure(Server("x" * 300, 443, True), None))


@pytest.mark.parametrize(
    ("environment", "level", "said"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Level.GOOD, "16 million colours"),
        ({"TERM": "xterm-256color"}, Level.NOTE, "256 colours"),
        ({"TERM": "screen"}, Level.NOTE, "16 colours"),
        ({"TERM": "dumb"}, Level.BAD, "TERM is dumb"),
        ({}, Level.BAD, "TERM is not set"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Level.NOTE, "shades of grey"),
    ],
)
def test_colours_are_judged_by_the_environment(environment: dict[str, str], level: Level, said: str) -> None:
    assert any(found.level is level and said in found.text for found in check_terminal(environment))


def test_findings_are_printed_with_their_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    print_section("things", [good("fine"), note("so so"), bad("one\ntwo", "mend\nit")])
    assert capsys.readouterr().out == (
        "things\n  ✓ fine\n  • so so\n  ✗ one\n    two\n    → mend\n    → it\n"
    )  # fmt: skip


async def test_a_terminal_without_unicode_gets_plain_signs(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("thme = 'x'\n")
    environment = {"PYTHONIOENCODING": "ascii", "https_proxy": "http://127.0.0.1:9"}
    done = await run("doctor", "--config", str(file), environment=environment)
    assert f"  ! {file}:1: thme" in done.out
    assert done.out.isascii()
