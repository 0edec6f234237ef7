"""What `run` finds out of keys before the screen comes, and says on it."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from tests.conftest import until
from tests.test_telling import toasts
from tui.app import MarketApp
from tui.commands import run
from tui.commands.run import look_for_keys
from tui.config import Config
from tui.credentials import FixedSecrets
from tui.errors import CredentialError, KeyringUnavailable
from tui.market.terms import FeedState


class NoKeyring(FixedSecrets):
    """Has what the environment holds; the keyring cannot be asked for the rest."""

    async def get(self, provider: str, field: str) -> SecretStr | None:
        if found := await super().get(provider, field):
            return found
        raise KeyringUnavailable("no keyring was found", remedy="Install one.")


class Silent(FixedSecrets):
    """A keyring that asks for its password."""

    async def get(self, provider: str, field: str) -> SecretStr | None:
        await asyncio.Event().wait()
        raise AssertionError("it never answers")


async def test_without_a_keyring_the_screen_says_what_can_be_done() -> None:
    said = await look_for_keys(Config(), NoKeyring({}))
    assert "insightsentry" in said
    assert "quantcite" in said
    assert "no keyring was found" in said
    for way in ("Press C", "TICKDECK_<PROVIDER>_<FIELD>", "tickdeck demo"):
        assert way in said


async def test_a_provider_whose_key_is_in_the_environment_is_not_named() -> None:
    said = await look_for_keys(Config(), NoKeyring({"quantcite": {"api_key": "key"}}))
    assert "quantcite:" not in said
    assert "quantcite," not in said
    assert "insightsentry" in said


async def test_a_keyring_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PATIENCE_S", 0.01)
    said = await look_for_keys(Config(), Silent({}))
    assert "has not answered" in said
    assert "Press C" in said


async def test_with_some_key_there_is_nothing_to_say_and_without_any_it_ends() -> None:
    assert await look_for_keys(Config(), FixedSecrets({"quantcite": {"api_key": "key"}})) == ""
    with pytest.raises(CredentialError) as caught:
        await look_for_keys(Config(), FixedSecrets({}))
    assert "tickdeck demo" in caught.value.remedy


async def test_the_remark_is_on_the_screen_and_not_repeated_by_every_provider() -> None:
    secrets = NoKeyring({})
    app = MarketApp(Config(), secrets, remark=await look_for_keys(Config(), secrets))
    async with app.run_test(size=(140, 45)):
        failed = FeedState.FAILED
        await until(lambda: app.hub and all(f.state is failed for f in app.hub.feeds.values() if f.wants))
        await until(lambda: any(f.state is failed for f in app.hub.feeds.values()) if app.hub else False)
        assert [text for text in toasts(app) if "Press C" in text] == toasts(app)
        assert len(toasts(app)) == 1
        await app.action_quit()
