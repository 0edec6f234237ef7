"""Access tokens: found, refreshed before they end, shared, stored before use."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.providers.aries.sessions import NOW_NS
from tests.providers.aries.web import Bench, Call, Handler, Secrets, jwt, nothing, refused
from tui.clock import NS
from tui.errors import CredentialError, KeyringUnavailable, RestError
from tui.locks import locked

SIGNED_IN = {"refresh_token": "refresh-0", "client_id": "client"}


class Issuer:
    """A token endpoint that rotates refresh tokens."""

    def __init__(self, *, expires_in: object = 3600, rotates: bool = True) -> None:
        self.number = 0
        self.expires_in = expires_in
        self.rotates = rotates

    def __call__(self, call: Call) -> Any:
        assert (call.method, call.url) == ("POST", "https://api.aries.com/v1/oauth2/token")
        assert call.body["grant_type"] == "refresh_token"
        if self.rotates and call.body["refresh_token"] != f"refresh-{self.number}":
            return refused()
        self.number += 1
        answer = {"access_token": f"access-{self.number}", "token_type": "Bearer", "expires_in": self.expires_in}
        return answer | ({"refresh_token": f"refresh-{self.number}"} if self.rotates else {})


def answering(answer: object) -> Handler:
    return lambda call: answer


def due(bench: Bench) -> None:
    """Let 80 % of an hour pass."""
    bench.clock.advance(2880)


async def access(bench: Bench, *, fresh: bool = False) -> str:
    return (await bench.tokens.token(fresh=fresh)).access.get_secret_value()


async def test_a_stored_token_is_used_as_it_is() -> None:
    bench = Bench(nothing, {"access_token": "opaque"})
    credential = await bench.provider.credential("market")
    assert (credential.secret.get_secret_value(), credential.expires_at_ns) == ("opaque", None)


async def test_the_end_of_a_token_is_read_out_of_it() -> None:
    ends_s = NOW_NS // NS + 1800
    bench = Bench(nothing, {"access_token": jwt(exp=ends_s)})
    assert (await bench.provider.credential("market")).expires_at_ns == ends_s * NS


@pytest.mark.parametrize("text", ["a.b.c", "...", "eyJ.e30.x", jwt(exp="soon"), jwt(exp=[1])])
async def test_a_token_that_says_nothing_usable_has_no_known_end(text: str) -> None:
    assert (await Bench(nothing, {"access_token": text}).tokens.token()).expires_ns is None


async def test_without_an_access_token_one_is_fetched() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    credential = await bench.provider.credential("market")
    assert credential.secret.get_secret_value() == "access-1"
    assert credential.expires_at_ns == NOW_NS + 3600 * NS
    assert bench.web.calls[0].body == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-0",
        "client_id": "client",
    }


async def test_a_client_secret_is_sent_when_there_is_one() -> None:
    bench = Bench(Issuer(), SIGNED_IN | {"client_secret": "hush"})
    await access(bench)
    assert bench.web.calls[0].body["client_secret"] == "hush"


async def test_tokens_are_stored_the_refresh_token_first() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    await access(bench)
    assert [field for field, _ in bench.secrets.stored] == ["refresh_token", "token_state", "access_token"]
    assert bench.secrets.stored[0][1] == "refresh-1"
    noted = json.loads(bench.secrets.stored[1][1])
    assert (noted["issued_at"], noted["expires_at"]) == (NOW_NS // NS, NOW_NS // NS + 3600)
    assert "access-1" not in bench.secrets.stored[1][1]


async def test_the_noted_life_serves_the_next_run() -> None:
    first = Bench(Issuer(), SIGNED_IN)
    await access(first)
    second = Bench(nothing, dict(first.secrets.stored) | {"client_id": "client"})
    token = await second.tokens.token()
    assert (token.issued_ns, token.expires_ns) == (NOW_NS, NOW_NS + 3600 * NS)


async def test_a_note_about_another_token_is_ignored() -> None:
    first = Bench(Issuer(), SIGNED_IN)
    await access(first)
    second = Bench(nothing, dict(first.secrets.stored) | {"access_token": "pasted"})
    assert (await second.tokens.token()).expires_ns is None


async def test_a_token_is_refreshed_at_eighty_per_cent_of_its_life() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    assert await access(bench) == "access-1"
    bench.clock.advance(2879)
    assert await access(bench) == "access-1"
    bench.clock.advance(1)
    assert await access(bench) == "access-2"
    assert bench.web.calls[-1].body["refresh_token"] == "refresh-1", "the rotated one"


async def test_a_refresh_token_that_does_not_rotate_is_kept() -> None:
    bench = Bench(Issuer(rotates=False), SIGNED_IN)
    await access(bench)
    due(bench)
    await access(bench)
    assert [call.body["refresh_token"] for call in bench.web.calls] == ["refresh-0", "refresh-0"]


async def test_all_who_come_together_share_one_refresh() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    await access(bench)
    due(bench)
    assert await asyncio.gather(*(access(bench) for _ in range(5))) == ["access-2"] * 5
    assert len(bench.web.calls) == 2


@pytest.mark.fault("M54")
async def test_sockets_that_were_refused_together_share_one_refresh() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    await access(bench)
    bench.clock.advance(60)
    assert await asyncio.gather(*(access(bench, fresh=True) for _ in range(3))) == ["access-2"] * 3
    bench.clock.advance(5)
    assert await access(bench, fresh=True) == "access-2", "one that was refused a little later as well"
    bench.clock.advance(60)
    assert await access(bench, fresh=True) == "access-3"


async def test_two_programs_at_once_share_one_refresh(tmp_path: Path) -> None:
    issuer, store = Issuer(), Secrets(SIGNED_IN)
    programs = [Bench(issuer, store, state_dir=tmp_path / "state") for _ in range(4)]
    assert await asyncio.gather(*(access(program) for program in programs)) == ["access-1"] * 4
    assert issuer.number == 1
    assert stat.S_IMODE((tmp_path / "state" / "aries-token.lock").stat().st_mode) == 0o600


async def test_programs_that_refresh_in_turn_use_the_refresh_token_of_the_one_before(tmp_path: Path) -> None:
    issuer, store = Issuer(), Secrets(SIGNED_IN)
    first, second = (Bench(issuer, store, state_dir=tmp_path) for _ in range(2))
    assert [await access(first), await access(second)] == ["access-1"] * 2
    for number, bench in enumerate((second, first, second), 2):
        for each in (first, second):
            due(each)
        assert await access(bench) == f"access-{number}"
    assert issuer.number == 4


async def test_a_socket_that_was_refused_takes_what_another_program_has_refreshed(tmp_path: Path) -> None:
    issuer, store = Issuer(), Secrets(SIGNED_IN)
    first, second = (Bench(issuer, store, state_dir=tmp_path) for _ in range(2))
    assert [await access(first), await access(second)] == ["access-1"] * 2
    for each in (first, second):
        each.clock.advance(60)
    assert await access(first, fresh=True) == "access-2"
    assert await access(second, fresh=True) == "access-2"
    assert issuer.number == 2


async def test_while_another_program_refreshes_for_too_long_the_old_token_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(Issuer(), SIGNED_IN, state_dir=tmp_path)
    await access(bench)
    due(bench)
    monkeypatch.setattr("tui.locks.LIMIT_S", 0.02)
    async with locked(tmp_path / "aries-token.lock", "x"):
        assert await access(bench) == "access-1"
        bench.clock.advance(3600)
        with pytest.raises(RestError, match="another tickdeck has been renewing the login") as caught:
            await access(bench)
    assert caught.value.retry_after_s
    assert await access(bench) == "access-2"


PROCESS = """
import asyncio, os, sys
from pathlib import Path
from pydantic import SecretStr
from tests.providers.aries.web import Bench, Secrets
folder = Path(sys.argv[1])
class Files(Secrets):
    async def get(self, provider, field):
        file = folder / field
        return SecretStr(file.read_text()) if file.exists() else None
    async def put(self, provider, field, secret):
        (folder / field).write_text(secret.get_secret_value())
def issue(call):
    assert call.body["refresh_token"] == "refresh-0", "used twice"
    with open(folder / "issued", "a") as file:
        file.write("x")
    return {"access_token": "access-%d" % os.getpid(), "refresh_token": "refresh-1", "expires_in": 3600}
async def main():
    bench = Bench(issue, Files(), state_dir=folder)
    print("ready", flush=True)
    sys.stdin.readline()
    print((await bench.tokens.token()).access.get_secret_value())
asyncio.run(main())
"""


def test_two_processes_at_once_share_one_refresh(tmp_path: Path) -> None:
    for field, value in SIGNED_IN.items():
        (tmp_path / field).write_text(value)
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(2)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    outputs = [each.communicate("go\n", timeout=30)[0] for each in running]
    assert (tmp_path / "issued").read_text() == "x"
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("access-")


@pytest.mark.fault("M55")
async def test_a_token_with_time_left_serves_while_the_refresh_fails() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    await access(bench)
    due(bench)
    for trouble in (refused(500), RestError("no network"), refused(401)):
        bench.web.handler = answering(trouble)
        assert await access(bench) == "access-1"
    bench.clock.advance(3600)
    with pytest.raises(CredentialError, match="has ended") as caught:
        await access(bench)
    assert "refresh" not in repr(caught.value)
    bench.web.handler = lambda call: RestError("no network")
    with pytest.raises(RestError, match="no network"):
        await access(bench)


async def test_a_refused_token_without_a_way_to_refresh_needs_the_user() -> None:
    bench = Bench(nothing, {"access_token": "opaque"})
    with pytest.raises(CredentialError) as caught:
        await access(bench, fresh=True)
    assert "Sign in again" in caught.value.remedy


async def test_a_token_that_has_ended_without_a_way_to_refresh_needs_the_user() -> None:
    bench = Bench(nothing, {"access_token": jwt(exp=NOW_NS // NS - 5)})
    with pytest.raises(CredentialError):
        await access(bench)


async def test_nothing_stored_is_said_with_a_remedy() -> None:
    with pytest.raises(CredentialError, match="nothing is stored") as caught:
        await access(Bench(nothing))
    assert caught.value.remedy


async def test_a_token_that_the_user_stores_meanwhile_is_taken() -> None:
    bench = Bench(nothing, {"access_token": "old"})
    assert await access(bench) == "old"
    await bench.secrets.put("aries", "access_token", SecretStr("new"))
    assert await access(bench) == "new"


@pytest.mark.fault("M55")
@pytest.mark.parametrize("answer", [None, [], {}, {"access_token": ""}, {"access_token": 7}, "token"])
async def test_an_answer_without_a_token_is_an_error(answer: object) -> None:
    with pytest.raises(RestError, match="without an access token"):
        await access(Bench(lambda call: answer, SIGNED_IN))


@pytest.mark.parametrize("expires_in", [None, "soon", -1, 0, True])
async def test_a_token_without_a_usable_life_has_an_hour(expires_in: object) -> None:
    token = await Bench(Issuer(expires_in=expires_in), SIGNED_IN).tokens.token()
    assert token.expires_ns == NOW_NS + 3600 * NS


async def test_a_store_that_fails_does_not_cost_the_tokens() -> None:
    bench = Bench(Issuer(), SIGNED_IN)

    async def put(provider: str, field: str, secret: SecretStr) -> None:
        raise CredentialError("too long")

    bench.secrets.put = put  # type: ignore[method-assign]
    assert await access(bench) == "access-1"
    assert await access(bench) == "access-1"
    due(bench)
    assert await access(bench) == "access-2"


@pytest.mark.fault("M56")
async def test_a_locked_keyring_is_told_and_not_taken_for_an_empty_one() -> None:
    bench = Bench(nothing)

    async def get(provider: str, field: str) -> SecretStr | None:
        raise KeyringUnavailable("locked")

    bench.secrets.get = get  # type: ignore[method-assign]
    with pytest.raises(KeyringUnavailable):
        await access(bench)


async def test_a_locked_keyring_does_not_hide_what_the_environment_has() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    stored = bench.secrets.get

    async def get(provider: str, field: str) -> SecretStr | None:
        if found := await stored(provider, field):
            return found
        raise KeyringUnavailable("locked")

    bench.secrets.get = get  # type: ignore[method-assign]
    assert await bench.provider.has_credential()
    assert await access(bench) == "access-1"


async def test_no_secret_shows_in_a_representation() -> None:
    bench = Bench(Issuer(), SIGNED_IN)
    token = await bench.tokens.token()
    assert "access-1" not in repr(token)
    assert "refresh-1" not in repr(vars(bench.tokens))
