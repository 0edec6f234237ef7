import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from tests.conftest import until
from tests.simulator.notes import NotesDialect
from tui.clock import ManualClock
from tui.simulator.faults import HEADLINES, NOISE, Fault, FaultKind, FaultLevel, FaultPlan
from tui.simulator.server import SimulatorServer

NS = 1_000_000_000


@pytest.fixture
async def server() -> AsyncIterator[SimulatorServer]:
    async with SimulatorServer(seed=3, speaks=[NotesDialect]) as running:
        yield running


def dial(server: SimulatorServer, path: str = "/notes/a") -> connect:
    return connect(server.ws_base + path, proxy=None, compression=None, ping_interval=None, close_timeout=1)


async def answer(client: ClientConnection, question: str) -> str:
    """The next frame that is no tick."""
    await client.send(question)
    return await next_word(client)


async def next_word(client: ClientConnection) -> str:
    async with asyncio.timeout(5):
        while True:
            frame = await client.recv(decode=True)
            if not frame.startswith("tick "):
                return frame


async def http(server: SimulatorServer, raw: bytes) -> bytes:
    port = int(server.http_base.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_every_channel_has_its_path_and_conversation(server: SimulatorServer) -> None:
    async with dial(server) as first, dial(server, "/notes/b?key=1") as second:
        assert await next_word(first) == "hello on a"
        assert await next_word(second) == "hello on b"
        assert await answer(first, "add 2 3") == "5"


async def test_unknown_paths_are_not_found(server: SimulatorServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(server, "/notes/c")
    assert refused.value.response.status_code == 404


async def test_the_market_moves_in_real_time(server: SimulatorServer) -> None:
    started_ns = server.market.now_ns
    async with dial(server) as client:
        async with asyncio.timeout(5):
            ticks = [await client.recv() for _ in range(6)]
        assert sum(int(str(tick).split()[1]) for tick in ticks[1:]) > 0
    assert server.market.now_ns - started_ns >= NS // 2 - NS // 5


async def test_a_late_market_catches_up_step_by_step() -> None:
    clock = ManualClock()
    async with SimulatorServer(seed=3, speaks=[NotesDialect], clock=clock) as server, dial(server) as client:
        await next_word(client)
        clock.advance(1.0)
        steps: list[str] = []
        async with asyncio.timeout(5):
            while len(steps) < 10:
                said = str(await client.recv())
                if said != "tick 0":
                    steps.append(said)
        assert server.market.now_ns == clock.now_ns()


async def test_a_conversation_can_hang_up(server: SimulatorServer) -> None:
    async with dial(server) as client:
        await next_word(client)
        assert await answer(client, "leave") == "goodbye"
        with pytest.raises(ConnectionClosedError):
            await next_word(client)
        assert (client.close_code, client.close_reason) == (4001, "asked to leave")


async def test_garbage_and_errors_end_one_conversation_only(server: SimulatorServer) -> None:
    async with dial(server) as healthy, dial(server) as broken, dial(server) as binary:
        await next_word(healthy)
        await broken.send("add one two")  # the dialect raises ValueError
        await binary.send(b"\xff\x00")
        for client, code in ((broken, 1011), (binary, 1003)):
            await client.wait_closed()
            assert client.close_code == code
        assert await answer(healthy, "add 1 1") == "2"


async def test_raw_bytes_instead_of_a_handshake_disturb_nobody(server: SimulatorServer) -> None:
    async with dial(server) as client:
        await next_word(client)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x16\x03\x01\x02\x00 no handshake \r\n\r\n" * 10)
        with suppress(OSError):
            await writer.drain()
        writer.close()
        assert await answer(client, "add 4 4") == "8"


async def test_a_slow_reader_is_cut_off_and_delays_nobody(server: SimulatorServer) -> None:
    async with dial(server) as healthy, dial(server) as slow:
        await next_word(healthy)
        await slow.send("flood")
        slow.transport.pause_reading()
        await until(lambda: len(server.links()) == 1, what="the slow link to be given up")
        assert await answer(healthy, "add 1 2") == "3"
        slow.transport.abort()


@pytest.mark.violates("unknown word")
async def test_what_clients_do_wrong_is_counted_by_provider(server: SimulatorServer) -> None:
    assert server.violations() == {}
    async with dial(server) as client:
        await client.send("what?")
        await until(server.violations)
    assert server.violations() == {"notes": {"unknown word": 1}}


async def test_connections_drop_on_request(server: SimulatorServer) -> None:
    async with dial(server) as a, dial(server, "/notes/b") as b:
        await next_word(a)
        await next_word(b)
        assert server.drop("notes", "a") == 1
        with pytest.raises(ConnectionClosedError):
            await next_word(a)
        assert a.close_code == 1006
        assert server.drop("notes", code=1013) == 1
        with pytest.raises(ConnectionClosedError):
            await next_word(b)
        assert b.close_code == 1013
        assert server.drop("nobody") == 0


async def test_a_frozen_connection_answers_no_ping_until_it_thaws(server: SimulatorServer) -> None:
    async with dial(server) as client:
        await next_word(client)
        [link] = server.links()
        assert server.freeze("notes", seconds=60) == 1
        pong = await client.ping()
        await client.send("add 5 5")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pong), 0.3)
        link.thaw()
        await asyncio.wait_for(pong, 5)
        assert await next_word(client) == "10"


async def test_refused_upgrades_say_when_to_come_back(server: SimulatorServer) -> None:
    server.refuse("notes", 7)
    with pytest.raises(InvalidStatus) as refused:
        await dial(server)
    response = refused.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")


@pytest.mark.parametrize("draw", [0.0, 0.000001])
async def test_broken_framing_ends_the_connection(server: SimulatorServer, draw: float) -> None:
    async with dial(server) as client:
        await next_word(client)
        server.cause(Fault(FaultKind.GARBLE, 0, draw))
        with pytest.raises(ConnectionClosed):
            await next_word(client)
        assert client.close_code in (1002, 1006)


async def test_noise_comes_between_whole_frames(server: SimulatorServer) -> None:
    async with dial(server) as client:
        await next_word(client)
        server.cause(Fault(FaultKind.NOISE, 0, 0.0))
        assert await next_word(client) == NOISE[0]
        server.links()[0].cut_next()
        assert await next_word(client) in ("tic", "tick")  # half of "tick 123"
        assert await answer(client, "add 1 1") == "2"


async def test_hostile_headlines_come_as_news(server: SimulatorServer) -> None:
    async with dial(server) as client:
        await next_word(client)
        server.cause(Fault(FaultKind.HEADLINE, 0, 0.5))
        assert await next_word(client) == HEADLINES[0]


async def test_slow_links_deliver_late_and_in_order(server: SimulatorServer) -> None:
    async with dial(server) as client:
        await next_word(client)
        server.links()[0].delay(0.3)
        loop = asyncio.get_running_loop()
        asked = loop.time()
        await client.send("add 1 1")
        await client.send("add 2 2")
        assert [await next_word(client), await next_word(client)] == ["2", "4"]
        assert loop.time() - asked >= 0.3


async def test_every_kind_of_fault_leaves_the_server_serving(server: SimulatorServer) -> None:
    for kind in FaultKind:
        for draw in (0.1, 0.5000013):
            clients = [await dial(server) for _ in range(2)]
            server.cause(Fault(kind, 0.01, draw))
            for client in clients:
                client.transport.abort()
            await until(lambda: not server.links() and not server.is_refusing("notes"))
    async with dial(server) as client:
        await next_word(client)
        assert await answer(client, "add 20 22") == "42"


def test_a_fault_plan_repeats_itself_and_keeps_its_pace() -> None:
    def times(level: FaultLevel, seed: int) -> list[tuple[int, Fault]]:
        plan = FaultPlan(level, seed, 0)
        return [(second, fault) for second in range(600) for fault in plan.due(second * NS)]

    assert times(FaultLevel.NONE, 1) == []
    assert 10 <= len(times(FaultLevel.SOME, 1)) <= 20
    many = times(FaultLevel.MANY, 1)
    assert 60 <= len(many) <= 120
    assert {fault.kind for _, fault in many} == set(FaultKind)
    assert all(20 <= fault.seconds <= 60 for _, fault in many if fault.kind is FaultKind.FREEZE)
    assert times(FaultLevel.MANY, 1) == many
    assert times(FaultLevel.MANY, 2) != many


async def test_a_taken_port_is_an_error_and_rest_takes_the_next_free_one(server: SimulatorServer) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await SimulatorServer(port=server.port, speaks=[NotesDialect]).start()
    assert server.http_base != server.ws_base.replace("ws", "http")


async def test_stopping_closes_clients_with_1001() -> None:
    server = SimulatorServer(speaks=[NotesDialect])
    await server.start()
    client, frozen = await dial(server), await dial(server)
    await next_word(client)
    server.links()[1].freeze()
    await server.stop()
    with pytest.raises(ConnectionClosed):
        await next_word(client)
    assert client.close_code == 1001
    await frozen.close()


async def test_rest_answers_get_and_post(server: SimulatorServer) -> None:
    got = await http(server, b"GET /notes/echo?q=a%20b&q=c&e= HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert json.loads(body) == {"method": "GET", "query": {"q": "c", "e": ""}, "body": ""}
    posted = await http(server, b"POST /notes/echo HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
    assert json.loads(posted.partition(b"\r\n\r\n")[2])["body"] == "abc"
    teapot = await http(server, b"GET /notes/teapot HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert teapot.startswith(b"HTTP/1.1 418 ")
    assert b"X-Kind: stout" in teapot


async def test_rest_keeps_connections_open(server: SimulatorServer) -> None:
    one = b"GET /notes/echo HTTP/1.1\r\n\r\n"
    last = b"GET /notes/echo HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert (await http(server, one + one + last)).count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /other HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET /notesecho HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET /notes/broken HTTP/1.1\r\nConnection: close\r\n\r\n", 500),
        (b"nonsense\r\n\r\n", 400),
        (b"GET //[ HTTP/1.1\r\n\r\n", 400),
        (b"GET /notes/echo HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /notes/echo HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"POST /notes/echo HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /notes/echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /notes/echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    ],
)
async def test_rest_refuses_what_it_cannot_take(server: SimulatorServer, request_bytes: bytes, status: int) -> None:
    assert (await http(server, request_bytes)).startswith(b"HTTP/1.1 %d " % status)
