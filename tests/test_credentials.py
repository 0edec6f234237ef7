from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import keyring.errors
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from pydantic import SecretStr

from tests.conftest import until
from tests.keyrings import FailingKeyring, ForgetfulKeyring, HangingKeyring, MemoryKeyring
from tui import keyring_thread
from tui.credentials import MAX_SECRET, CredentialStore, FixedSecrets, Source, checked, variable_name
from tui.errors import CredentialError, KeyringUnavailable
from tui.keyring_thread import KeyringThread
from tui.redaction import Redactor

Use = Callable[[KeyringBackend], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Make a backend the one that `keyring` has chosen."""
    return lambda backend: monkeypatch.setattr("keyring.core._keyring_backend", backend)


@pytest.fixture
def memory(use: Use) -> MemoryKeyring:
    backend = MemoryKeyring()
    use(backend)
    return backend


def store(environment: dict[str, str] | None = None, *, limit_s: float = 5.0) -> CredentialStore:
    return CredentialStore(KeyringThread(limit_s), redactor=Redactor(), environment=environment or {})


async def value(secrets: CredentialStore, provider: str = "aries", field: str = "access_token") -> str | None:
    found = await secrets.get(provider, field)
    return found.get_secret_value() if found else None


async def test_what_is_put_is_in_the_keyring_under_service_and_user(memory: MemoryKeyring) -> None:
    secrets = store()
    await secrets.put("aries", "access_token", SecretStr("  abc-123\n"))
    assert memory.entries == {("tickdeck", "aries:access_token"): "abc-123"}
    assert await value(secrets) == "abc-123"
    assert await secrets.source_of("aries", "access_token") is Source.KEYRING
    assert await value(store()) == "abc-123"


async def test_nothing_stored_is_none(memory: MemoryKeyring) -> None:
    secrets = store()
    assert await value(secrets) is None
    assert await secrets.source_of("aries", "access_token") is None


async def test_the_environment_wins_and_the_keyring_is_not_even_asked(memory: MemoryKeyring) -> None:
    memory.entries["tickdeck", "aries:access_token"] = "from-keyring"
    secrets = store({"TICKDECK_ARIES_ACCESS_TOKEN": " from-env "})
    assert await value(secrets) == "from-env"
    assert await secrets.source_of("aries", "access_token") is Source.ENVIRONMENT
    assert memory.calls == 0


async def test_a_file_named_by_the_environment_comes_next(memory: MemoryKeyring, tmp_path: Path) -> None:
    memory.entries["tickdeck", "aries:access_token"] = "from-keyring"
    (tmp_path / "token").write_text("from-file\n")
    secrets = store({"TICKDECK_ARIES_ACCESS_TOKEN_FILE": str(tmp_path / "token")})
    assert await value(secrets) == "from-file"
    assert await secrets.source_of("aries", "access_token") is Source.FILE


async def test_a_file_that_cannot_be_read_is_told_and_not_passed_over(memory: MemoryKeyring, tmp_path: Path) -> None:
    memory.entries["tickdeck", "aries:access_token"] = "from-keyring"
    secrets = store({"TICKDECK_ARIES_ACCESS_TOKEN_FILE": str(tmp_path / "gone")})
    with pytest.raises(CredentialError, match=r"TICKDECK_ARIES_ACCESS_TOKEN_FILE: .*No such file"):
        await secrets.get("aries", "access_token")


async def test_what_was_entered_or_rotated_in_this_run_wins_over_the_environment(memory: MemoryKeyring) -> None:
    secrets = store({"TICKDECK_ARIES_REFRESH_TOKEN": "first-token"})
    assert await value(secrets, "aries", "refresh_token") == "first-token"
    await secrets.put("aries", "refresh_token", SecretStr("rotated-token"))
    assert await value(secrets, "aries", "refresh_token") == "rotated-token"
    secrets.keep("aries", "refresh_token", SecretStr("typed-token"))
    assert await value(secrets, "aries", "refresh_token") == "typed-token"
    assert await secrets.source_of("aries", "refresh_token") is Source.THIS_RUN


async def test_what_another_process_stores_is_seen(memory: MemoryKeyring) -> None:
    secrets = store()
    assert await value(secrets) is None
    memory.entries["tickdeck", "aries:access_token"] = "first"
    assert await value(secrets) == "first"
    memory.entries["tickdeck", "aries:access_token"] = "second"
    assert await value(secrets) == "second"


async def test_a_keyring_that_goes_away_leaves_what_it_said_last(memory: MemoryKeyring, use: Use) -> None:
    secrets = store()
    memory.entries["tickdeck", "aries:access_token"] = "known"
    assert await value(secrets) == "known"
    use(FailingKeyring(keyring.errors.KeyringLocked("locked")))
    assert await value(secrets) == "known"
    with pytest.raises(KeyringUnavailable):
        await secrets.get("aries", "client_id")


async def test_removing_takes_it_out_of_the_keyring(memory: MemoryKeyring) -> None:
    secrets = store()
    await secrets.put("aries", "access_token", SecretStr("abc-123"))
    assert await secrets.remove("aries", "access_token")
    assert memory.entries == {}
    assert await value(secrets) is None
    assert not await secrets.remove("aries", "access_token")


class PlaintextKeyring(MemoryKeyring):
    __module__ = "keyrings.alt.file"


class EncryptedKeyring(MemoryKeyring):
    __module__ = "keyrings.cryptfile.cryptfile"


class Chain(MemoryKeyring):
    def __init__(self, *backends: KeyringBackend) -> None:
        super().__init__()
        self.backends = backends


FAILURES = [
    (fail.Keyring(), "there is no keyring here", "environment"),  # type: ignore[no-untyped-call]
    (null.Keyring(), "switched off", "PYTHON_KEYRING_BACKEND"),  # type: ignore[no-untyped-call]
    (PlaintextKeyring(), "keeps secrets in a plain file", "gnome-keyring"),
    (EncryptedKeyring(), "asks for a password on the terminal", "gnome-keyring"),
    (Chain(null.Keyring(), PlaintextKeyring()), "switched off", "PYTHON_KEYRING_BACKEND"),  # type: ignore[no-untyped-call]
    (FailingKeyring(keyring.errors.NoKeyringError("S3CRET")), "there is no keyring here", "environment"),
    (FailingKeyring(keyring.errors.KeyringLocked("S3CRET")), "the keyring is locked", "Unlock"),
    (FailingKeyring(keyring.errors.InitError("S3CRET")), "never been set up", "gnome-keyring-daemon --unlock"),
    (FailingKeyring(ValueError("S3CRET")), r"the keyring failed \(ValueError\)", "doctor"),
    (FailingKeyring(EOFError("S3CRET")), r"the keyring failed \(EOFError\)", "doctor"),
    (FailingKeyring(SystemExit(1)), r"the keyring failed \(SystemExit\)", "doctor"),
]


@pytest.mark.fault("M56", "S9")
@pytest.mark.parametrize(("backend", "said", "remedy"), FAILURES)
async def test_each_failure_of_the_keyring_has_its_own_words_and_remedy(
    use: Use, backend: KeyringBackend, said: str, remedy: str
) -> None:
    use(backend)
    with pytest.raises(KeyringUnavailable, match=said) as caught:
        await store().get("aries", "access_token")
    assert remedy in caught.value.remedy
    assert "S3CRET" not in str(caught.value) + caught.value.remedy


@pytest.mark.fault("M56")
@pytest.mark.parametrize(("backend", "said", "remedy"), FAILURES)
async def test_without_a_keyring_the_environment_works_and_what_is_put_lasts_for_this_run(
    use: Use, backend: KeyringBackend, said: str, remedy: str
) -> None:
    use(backend)
    secrets = store({"TICKDECK_ARIES_CLIENT_ID": "from-env"})
    assert await value(secrets, "aries", "client_id") == "from-env"
    await secrets.put("aries", "access_token", SecretStr("put-token"))
    assert await value(secrets) == "put-token"
    assert await secrets.source_of("aries", "access_token") is Source.THIS_RUN


@pytest.mark.fault("S9")
async def test_a_good_keyring_behind_a_bad_one_is_used(use: Use) -> None:
    behind = MemoryKeyring()
    use(Chain(PlaintextKeyring(), behind))
    await store().put("aries", "access_token", SecretStr("abc-123"))
    assert behind.entries == {("tickdeck", "aries:access_token"): "abc-123"}


async def test_a_keyring_that_keeps_nothing_is_found_out(use: Use) -> None:
    use(ForgetfulKeyring())
    with pytest.raises(KeyringUnavailable, match="did not keep"):
        await store().store("aries", "access_token", SecretStr("abc-123"))


@pytest.mark.fault("M56")
async def test_a_keyring_that_hangs_is_left_behind_and_taken_up_again_when_it_answers(use: Use) -> None:
    backend = HangingKeyring()
    backend.entries["tickdeck", "aries:access_token"] = "late"
    use(backend)
    secrets = store(limit_s=0.05)
    for _ in range(3):
        with pytest.raises(KeyringUnavailable, match=r"did not answer within 0\.05 s") as caught:
            await secrets.get("aries", "access_token")
        assert "another screen" in caught.value.remedy
    assert sum(thread.name == "keyring" and thread.is_alive() for thread in threading.enumerate()) >= 1
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "keyring")
    backend.answered.set()

    async def answers() -> bool:
        try:
            return await value(secrets) == "late"
        except KeyringUnavailable:
            return False

    await until(answers)


async def test_a_slow_keyring_is_said_once_a_call(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring_thread, "NOTICE_S", 0.01)
    backend = HangingKeyring()
    use(backend)
    said: list[str] = []

    def notice() -> None:
        said.append("waiting")
        backend.answered.set()

    assert await KeyringThread(5.0, on_wait=notice).get("aries:access_token") is None
    assert said == ["waiting"]


async def test_giving_up_on_a_call_leaves_the_keyring_usable(use: Use) -> None:
    backend = HangingKeyring()
    use(backend)
    thread = KeyringThread(5.0)
    asking = asyncio.create_task(thread.get("aries:access_token"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    backend.answered.set()
    await thread.set("aries:access_token", "abc-123")
    assert await thread.get("aries:access_token") == "abc-123"


@pytest.mark.fault("M57")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("two words", "holds a space"),
        ("two\nlines", "holds a space"),
        ("bell\a", "holds a space"),
        ("zero\u200bwidth", "holds a space"),
        ('"quoted"', "wrapped in quotes"),
        ("'quoted'", "wrapped in quotes"),
        ("x" * (MAX_SECRET + 1), "longer than"),
        ("{half", "starts like JSON"),
    ],
)
async def test_what_cannot_be_a_secret_is_refused_before_it_is_stored(
    memory: MemoryKeyring, text: str, said: str
) -> None:
    with pytest.raises(CredentialError, match=said) as caught:
        await store().put("aries", "access_token", SecretStr(text))
    assert memory.entries == {}
    assert not text.strip() or text not in str(caught.value)


@pytest.mark.fault("M57")
async def test_a_variable_that_cannot_be_a_secret_is_named(memory: MemoryKeyring) -> None:
    with pytest.raises(CredentialError, match="TICKDECK_ARIES_ACCESS_TOKEN: the secret holds a space"):
        await store({"TICKDECK_ARIES_ACCESS_TOKEN": "two words"}).get("aries", "access_token")


def test_a_key_that_comes_with_its_life_is_kept_whole() -> None:
    assert checked(' {"key": "a b", "expires_at": 5} ', "x").get_secret_value() == '{"key":"a b","expires_at":5}'


def test_variables_are_named_after_provider_and_field() -> None:
    assert variable_name("insightsentry", "api_key") == "TICKDECK_INSIGHTSENTRY_API_KEY"
    assert variable_name("my-broker", "token") == "TICKDECK_MY_BROKER_TOKEN"


@pytest.mark.fault("S6")
async def test_every_secret_that_was_seen_is_hidden_from_the_log(memory: MemoryKeyring) -> None:
    redactor = Redactor()
    memory.entries["tickdeck", "aries:client_id"] = "keyring-secret"
    secrets = CredentialStore(
        KeyringThread(), redactor=redactor, environment={"TICKDECK_ARIES_ACCESS_TOKEN": "env-secret"}
    )
    await secrets.get("aries", "access_token")
    await secrets.get("aries", "client_id")
    await secrets.put("insightsentry", "websocket_key", SecretStr('{"key": "inner-secret", "expires_at": 5}'))
    secrets.keep("quantcite", "api_key", SecretStr("typed-secret"))
    text = redactor.redact("env-secret keyring-secret inner-secret typed-secret")
    assert text == "*** *** *** ***"


async def test_no_repr_shows_a_secret(memory: MemoryKeyring, caplog: pytest.LogCaptureFixture) -> None:
    secrets = store()
    with caplog.at_level(logging.DEBUG):
        await secrets.put("aries", "access_token", SecretStr("abc-123-secret"))
    assert "abc-123-secret" not in repr(vars(secrets)) + caplog.text


async def test_fixed_secrets_know_what_they_were_given_and_what_is_put() -> None:
    secrets = FixedSecrets({"aries": {"access_token": "demo"}})
    found = await secrets.get("aries", "access_token")
    assert found is not None
    assert found.get_secret_value() == "demo"
    assert await secrets.get("aries", "client_id") is None
    await secrets.put("aries", "client_id", SecretStr("mine"))
    assert await secrets.source_of("aries", "client_id") is Source.THIS_RUN
