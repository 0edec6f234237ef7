"""Keys: three modes, and the rotation that must happen once, in time, and be stored before use."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.providers.insightsentry.stand_ins import FRAMES, NOW_NS, Http, Secrets, provider
from tui.clock import NS, ManualClock
from tui.errors import CredentialError, KeyringUnavailable, RestError
from tui.providers.insightsentry.keys import Claims, StoredKey, claims

HOUR_NS = 3600 * NS
WEEK_S = 7 * 86_400
NOW_S = NOW_NS // NS


class Server(Http):
    """The endpoint: every call ends the last key and issues the next one, `ws_1`, `ws_2`, …"""

    def __init__(self, clock: ManualClock, log: list[str] | None = None) -> None:
        super().__init__({"/v2/websocket-key": self._issue}, log)
        self.clock = clock
        self.issued = 0
        self.fails: Exception | None = None

    async def _issue(self, query: Any) -> Any:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        self.issued += 1
        return {"api_key": f"ws_{self.issued}", "expiration": self.clock.now_ns() // NS + WEEK_S}


def kept(key: str, left_s: float, **more: Any) -> str:
    return json.dumps({"key": key, "expires_at": NOW_S + left_s, **more})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


async def key(of: Any, channel: str = "live", *, fresh: bool = False) -> str:
    credential = await of.credential(channel, fresh=fresh)
    return str(credential.secret.get_secret_value())


@pytest.mark.fault("M57")
async def test_direct_mode_uses_the_dashboard_key_without_the_spaces_around_it(tmp_path: Path) -> None:
    direct = provider(tmp_path, secrets=Secrets(api_key=" abc.def.ghi\n"))
    assert await key(direct) == "abc.def.ghi"
    assert await direct.has_credential()


@pytest.mark.parametrize("stored", ["", "two words", "smart“quotes”"])
async def test_a_key_that_cannot_be_one_is_not_sent(tmp_path: Path, stored: str) -> None:
    with pytest.raises(CredentialError) as caught:
        await provider(tmp_path, secrets=Secrets(api_key=stored)).credential("live")
    assert caught.value.remedy
    assert not stored or stored not in str(caught.value)


async def test_each_mode_needs_its_own_secret(tmp_path: Path) -> None:
    for mode, field in (("direct", "api_key"), ("rapidapi", "rapidapi_key"), ("static", "websocket_key")):
        assert not await provider(tmp_path, secrets=Secrets(), key=mode).has_credential()
        stored = Secrets()
        stored.secrets[field] = "x"
        assert await provider(tmp_path, secrets=stored, key=mode).has_credential()
        with pytest.raises(CredentialError):
            await provider(tmp_path, secrets=Secrets(), key=mode).credential("live")


async def test_a_pasted_key_may_say_when_it_ends(tmp_path: Path) -> None:
    plain = await provider(tmp_path, secrets=Secrets(websocket_key="ws_x"), key="static").credential("live")
    assert plain.expires_at_ns is None
    seed = json.dumps({"api_key": "ws_y", "expiration": NOW_S + 60})
    dated = await provider(tmp_path, secrets=Secrets(websocket_key=seed), key="static").credential("live")
    assert (dated.secret.get_secret_value(), dated.expires_at_ns) == ("ws_y", (NOW_S + 60) * NS)
    ended = json.dumps({"api_key": "ws_y", "expiration": NOW_S - 60})
    with pytest.raises(CredentialError):
        await provider(tmp_path, secrets=Secrets(websocket_key=ended), key="static").credential("live")


async def test_a_stored_key_with_more_than_a_day_left_is_used_as_it_is(tmp_path: Path, clock: ManualClock) -> None:
    server, secrets = Server(clock), Secrets(rapidapi_key="r", websocket_key=kept("ws_old", 25 * 3600))
    ring = provider(tmp_path, server, secrets, clock, key="rapidapi")
    assert [await key(ring), await key(ring, "newsfeed")] == ["ws_old", "ws_old"]
    assert server.issued == 0


@pytest.mark.fault("I10")
async def test_23_hours_left_at_the_start_rotates_once_and_stores_before_use(
    tmp_path: Path, clock: ManualClock
) -> None:
    log: list[str] = []
    server = Server(clock, log)
    secrets = Secrets(log, rapidapi_key="rapid", websocket_key=kept("ws_old", 23 * 3600))
    ring = provider(tmp_path, server, secrets, clock, key="rapidapi")
    credential = await ring.credential("live")
    assert credential.secret.get_secret_value() == "ws_1"
    assert credential.expires_at_ns == (NOW_S + WEEK_S) * NS
    assert log == ["get https://insightsentry.p.rapidapi.com/v2/websocket-key", "put websocket_key"]
    assert await key(ring, "newsfeed") == "ws_1"
    restarted = provider(tmp_path, server, secrets, clock, key="rapidapi")
    assert await key(restarted) == "ws_1"
    assert server.issued == 1
    assert server.requests[0][2] == {
        "x-rapidapi-key": "rapid",
        "x-rapidapi-host": "insightsentry.p.rapidapi.com",
    }


async def test_two_channels_at_once_rotate_once(tmp_path: Path, clock: ManualClock) -> None:
    server = Server(clock)
    ring = provider(tmp_path, server, Secrets(rapidapi_key="r"), clock, key="rapidapi")
    assert set(await asyncio.gather(key(ring), key(ring, "newsfeed"))) == {"ws_1"}
    assert server.issued == 1


@pytest.mark.fault("I10")
async def test_two_programs_at_once_rotate_once(tmp_path: Path, clock: ManualClock) -> None:
    server, secrets = Server(clock), Secrets(rapidapi_key="r")
    rings = [provider(tmp_path, server, secrets, clock, key="rapidapi") for _ in range(4)]
    assert await asyncio.gather(*map(key, rings)) == ["ws_1"] * 4
    assert server.issued == 1


PROCESS = """
import asyncio, json, os, sys
from pathlib import Path
from pydantic import SecretStr
from tests.providers.insightsentry.stand_ins import Http, provider
folder = Path(sys.argv[1])
class Files:
    async def get(self, provider, field):
        file = folder / field
        return SecretStr(file.read_text()) if file.exists() else None
    async def put(self, provider, field, secret):
        (folder / field).write_text(secret.get_secret_value())
def issue(query):
    with open(folder / "issued", "a") as file:
        file.write("x")
    return {"api_key": "ws_%d" % os.getpid(), "expiration": 1767623871 + 604800}
async def main():
    ring = provider(folder, Http({"/v2/websocket-key": issue}), Files(), key="rapidapi")
    print("ready", flush=True)
    sys.stdin.readline()
    print((await ring.credential("live")).secret.get_secret_value())
asyncio.run(main())
"""


@pytest.mark.fault("I10")
def test_two_processes_at_once_rotate_once(tmp_path: Path) -> None:
    (tmp_path / "rapidapi_key").write_text("r")
    root = str(Path(__file__).parents[3])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
        )
        for _ in range(2)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    outputs = [each.communicate("go\n", timeout=30)[0] for each in running]
    assert (tmp_path / "issued").read_text() == "x"
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("ws_")


@pytest.mark.fault("I10", "M55")
async def test_a_failed_rotation_keeps_the_old_key_and_asks_again_later_and_later(
    tmp_path: Path, clock: ManualClock
) -> None:
    server = Server(clock)
    server.fails = RestError("no answer")
    secrets = Secrets(rapidapi_key="r", websocket_key=kept("ws_old", 23 * 3600))
    ring = provider(tmp_path, server, secrets, clock, key="rapidapi")
    asked: list[int] = []
    for minute in range(12):
        before = len(server.requests)
        assert await key(ring, fresh=minute > 0) == "ws_old"
        if len(server.requests) > before:
            asked.append(minute)
        clock.advance(60)
    assert asked == [0, 1, 3, 7]
    server.fails = None
    clock.advance(3600)
    assert await key(ring) == "ws_1"


@pytest.mark.fault("M55")
async def test_a_failed_rotation_is_an_error_once_the_old_key_has_ended(tmp_path: Path, clock: ManualClock) -> None:
    server = Server(clock)
    server.fails = RestError("too many requests", status=429, retry_after_s=120)
    ring = provider(
        tmp_path, server, Secrets(rapidapi_key="r", websocket_key=kept("ws_old", -1)), clock, key="rapidapi"
    )
    with pytest.raises(RestError):
        await ring.credential("live")
    with pytest.raises(RestError) as caught:
        await ring.credential("live")
    assert caught.value.retry_after_s == 120
    assert len(server.requests) == 1


async def test_a_refused_rapidapi_key_is_said_with_the_remedy(tmp_path: Path, clock: ManualClock) -> None:
    server = Server(clock)
    server.fails = RestError("HTTP 401", status=401)
    with pytest.raises(CredentialError) as caught:
        await provider(tmp_path, server, Secrets(rapidapi_key="r"), clock, key="rapidapi").credential("live")
    assert "credentials set" in caught.value.remedy


@pytest.mark.fault("I10", "M54")
async def test_a_key_refused_before_its_time_is_replaced_once_an_hour(tmp_path: Path, clock: ManualClock) -> None:
    server = Server(clock)
    secrets = Secrets(rapidapi_key="r", websocket_key=kept("ws_old", WEEK_S))
    ring = provider(tmp_path, server, secrets, clock, key="rapidapi")
    assert await key(ring) == "ws_old"
    assert await key(ring, fresh=True) == "ws_1"
    clock.advance(1800)
    restarted = provider(tmp_path, server, secrets, clock, key="rapidapi")
    for each in (ring, restarted):
        with pytest.raises(CredentialError) as caught:
            await each.credential("live", fresh=True)
        assert "Another program" in caught.value.remedy
    clock.advance(1801)
    assert await key(ring, fresh=True) == "ws_2"


async def test_a_channel_refused_with_the_key_before_gets_the_new_one_without_a_rotation(
    tmp_path: Path, clock: ManualClock
) -> None:
    server = Server(clock)
    ring = provider(
        tmp_path, server, Secrets(rapidapi_key="r", websocket_key=kept("ws_old", WEEK_S)), clock, key="rapidapi"
    )
    assert [await key(ring), await key(ring, "newsfeed")] == ["ws_old"] * 2
    assert [await key(ring, fresh=True), await key(ring, "newsfeed", fresh=True)] == ["ws_1"] * 2
    assert server.issued == 1


async def test_another_program_that_rotated_first_spares_us_a_rotation(tmp_path: Path, clock: ManualClock) -> None:
    server = Server(clock)
    secrets = Secrets(rapidapi_key="r", websocket_key=kept("ws_old", WEEK_S))
    ring = provider(tmp_path, server, secrets, clock, key="rapidapi")
    assert await key(ring) == "ws_old"
    secrets.secrets["websocket_key"] = kept("ws_theirs", WEEK_S)
    assert await key(ring, fresh=True) == "ws_theirs"
    assert server.issued == 0


async def test_a_key_of_another_account_is_not_used(tmp_path: Path, clock: ManualClock) -> None:
    server, secrets = Server(clock), Secrets(rapidapi_key="r")
    assert await key(provider(tmp_path, server, secrets, clock, key="rapidapi")) == "ws_1"
    other = provider(tmp_path, server, secrets, clock, key="rapidapi", rapidapi_url="http://127.0.0.1:8766/x")
    assert await key(other) == "ws_2"


async def test_a_store_that_fails_does_not_cost_the_new_key(tmp_path: Path, clock: ManualClock) -> None:
    class Locked(Secrets):
        async def put(self, provider: str, field: str, secret: SecretStr) -> None:
            raise KeyringUnavailable("locked")

    server = Server(clock)
    ring = provider(tmp_path, server, Locked(rapidapi_key="r"), clock, key="rapidapi")
    assert [await key(ring), await key(ring, "newsfeed")] == ["ws_1"] * 2
    assert server.issued == 1


@pytest.mark.parametrize(
    ("answer", "ends_s"),
    [
        (json.loads((FRAMES / "rest" / "websocket_key.json").read_text()), 1768228200),
        ({"api_key": "ws_9", "expiration": 1768228200000}, 1768228200),
        ({"api_key": "ws_9"}, NOW_S + 6 * 86_400),
        ({"api_key": "ws_9", "expiration": "soon"}, NOW_S + 6 * 86_400),
    ],
)
async def test_the_life_of_a_new_key_is_read_in_every_form(tmp_path: Path, answer: Any, ends_s: int) -> None:
    ring = provider(tmp_path, Http({"/v2/websocket-key": answer}), Secrets(rapidapi_key="r"), key="rapidapi")
    credential = await ring.credential("live")
    assert credential.expires_at_ns is not None
    assert credential.expires_at_ns // NS == ends_s


@pytest.mark.fault("M55")
@pytest.mark.parametrize("answer", [None, [], {}, {"api_key": ""}, {"api_key": 7}, {"message": "quota exceeded"}])
async def test_an_answer_without_a_key_keeps_the_old_one(tmp_path: Path, answer: Any) -> None:
    secrets = Secrets(rapidapi_key="r", websocket_key=kept("ws_old", 3600))
    ring = provider(tmp_path, Http({"/v2/websocket-key": answer}), secrets, key="rapidapi")
    assert await key(ring) == "ws_old"
    assert StoredKey.parse(SecretStr(secrets.secrets["websocket_key"])) is not None


@pytest.mark.parametrize("stored", ["{", "{}", '{"key": 1}', '{"key": ""}'])
async def test_a_spoilt_store_is_no_key(tmp_path: Path, clock: ManualClock, stored: str) -> None:
    secrets = Secrets(rapidapi_key="r", websocket_key=stored)
    assert await key(provider(tmp_path, Server(clock), secrets, clock, key="rapidapi")) == "ws_1"


def test_a_stored_key_survives_the_way_through_the_store() -> None:
    kept_key = StoredKey(SecretStr("ws_1"), NOW_S * NS, "owner", (NOW_S - 5) * NS)
    assert StoredKey.parse(kept_key.dump()) == kept_key
    assert "ws_1" not in repr(kept_key)


def _jwt(payload: Any) -> SecretStr:
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return SecretStr(f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmF0dXJl")


def test_a_dashboard_key_tells_its_plan() -> None:
    said = {"email": "a@b.c", "exp": 1768228200, "newsfeed_enabled": True, "websocket_symbols": 5}
    assert claims(_jwt({**said, "websocket_connections": 1})) == Claims(1768228200 * NS, 5, 1, True)
    assert claims(_jwt({"exp": "x", "websocket_symbols": None, "newsfeed_enabled": 1})) == Claims()


@pytest.mark.parametrize("key", ["plain", "a.b.c", "a.é.c", "..", "a.W10.c"])
def test_a_key_that_is_no_jwt_tells_nothing(key: str) -> None:
    assert claims(SecretStr(key)) is None
