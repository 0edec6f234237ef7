"""Access tokens: found, refreshed before they end, stored before they are used (section 13)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from tui.clock import NS
from tui.errors import CredentialError, KeyringUnavailable, RestError
from tui.locks import locked
from tui.providers import parse
from tui.providers.base import HttpClient, SecretStore

log = logging.getLogger(__name__)

PROVIDER: Final = "aries"
STATE: Final = "token_state"
"""Field beside the access token that says when it ends; tokens need not be readable."""
SIGN_IN: Final = "Sign in again: tickdeck credentials set aries"
LIFE_S: Final = 3600
"""Life of a token when neither the answer nor the token says."""
REFRESH_AT: Final = 0.8
"""Part of a token's life after which it is refreshed."""
SPARE_NS: Final = 600 * NS
"""Time to have left when the beginning of a token's life is not known."""
ONCE_NS: Final = 30 * NS
"""A token this young is not refreshed again because a socket was still refused with the one before."""
_REFUSED: Final = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its life, as far as it is known."""

    access: SecretStr
    issued_ns: int | None = None
    expires_ns: int | None = None

    def is_over(self, now_ns: int) -> bool:
        """Whether its life has ended."""
        return self.expires_ns is not None and now_ns >= self.expires_ns

    def is_due(self, now_ns: int) -> bool:
        """Whether it is time to refresh it."""
        if self.expires_ns is None:
            return False
        if self.issued_ns is None:
            return self.expires_ns - now_ns < SPARE_NS
        return now_ns >= self.issued_ns + int((self.expires_ns - self.issued_ns) * REFRESH_AT)


class TokenKeeper:
    """The one place that knows the access token of all sockets and REST calls.

    Args:
        secrets: Where tokens are stored.
        http: For refreshing.
        now_ns: UTC nanoseconds.
        url: The token endpoint.
        lock_path: A file that all processes of this user lock while one of them refreshes; None shares with nobody.
    """

    def __init__(
        self,
        secrets: SecretStore,
        http: HttpClient,
        now_ns: Callable[[], int],
        url: str,
        lock_path: Path | None = None,
    ) -> None:
        self._secrets = secrets
        self._http = http
        self._now_ns = now_ns
        self._url = url
        self._lock_path = lock_path
        self._lock = asyncio.Lock()
        self._held: Token | None = None
        self._stored: SecretStr | None = None
        self._unsaved: SecretStr | None = None
        self._refreshed_ns: int | None = None

    async def token(self, *, fresh: bool = False) -> Token:
        """The token to use now. Callers that come together share one refresh, those of other processes too.

        Args:
            fresh: The last one was refused.

        Raises:
            CredentialError: there is none, or none that could still be accepted.
            RestError: a refresh is due, failed, and the old token no longer serves.
        """
        before = self._held
        async with self._lock:
            held = await self._load()
            if held is not None and self._is_good(held, before, fresh):
                return held
            try:
                async with locked(self._lock_path, "renewing the login"):
                    held = await self._load()  # another process may have refreshed meanwhile
                    if held is not None and self._is_good(held, before, fresh):
                        return held
                    return await self._refreshed(held)
            except (RestError, CredentialError) as error:
                if held is None or self._must_refresh(held, before, fresh):
                    raise
                log.info("the Aries access token could not be refreshed yet: %s", error)
                return held

    async def exchange(self, body: Mapping[str, str]) -> Token:
        """Trade a code or a refresh token for an access token, and store what came.

        Raises:
            RestError: the call failed, or its answer holds no token.
        """
        answer = await self._http.post(self._url, body=body)
        return await self._keep(answer)

    async def is_signed_in(self) -> bool:
        """Whether an access token or what it takes to get one is stored; no network.

        Raises:
            KeyringUnavailable: nothing was found and the keyring cannot be asked.
        """
        if await self._get("refresh_token") is not None and await self._get("client_id") is not None:
            return True
        return await self._secrets.get(PROVIDER, "access_token") is not None

    def _is_good(self, held: Token, before: Token | None, fresh: bool) -> bool:
        return not held.is_due(self._now_ns()) and not self._must_refresh(held, before, fresh)

    def _must_refresh(self, held: Token, before: Token | None, fresh: bool) -> bool:
        """Whether the token serves no longer: it has ended, or was refused."""
        return held.is_over(self._now_ns()) or (fresh and not self._is_new(held, before))

    def _is_new(self, held: Token, before: Token | None) -> bool:
        """Whether the token is another one than the one that the caller was refused with."""
        if before is not None and held.access != before.access:
            return True
        return self._refreshed_ns is not None and self._now_ns() - self._refreshed_ns < ONCE_NS

    async def _load(self) -> Token | None:
        """The token in use, unless somebody has stored another one meanwhile."""
        try:
            stored = await self._secrets.get(PROVIDER, "access_token")
        except KeyringUnavailable:
            if self._held is None and await self._get("refresh_token") is None:
                raise
            stored = None
        if stored is not None and stored != self._stored:
            self._stored = stored
            self._held = described(stored, await self._get(STATE))
        return self._held

    async def _refreshed(self, held: Token | None) -> Token:
        refresh = self._unsaved or await self._get("refresh_token")
        client_id = await self._get("client_id")
        if refresh is None or client_id is None:
            what = "nothing is stored to log in to Aries with" if held is None else (
                "the Aries access token is no longer good and cannot be renewed"
            )  # fmt: skip
            raise CredentialError(what, remedy=SIGN_IN)
        body = {
            "grant_type": "refresh_token",
            "refresh_token": refresh.get_secret_value(),
            "client_id": client_id.get_secret_value(),
        }
        if secret := await self._get("client_secret"):
            body["client_secret"] = secret.get_secret_value()
        try:
            return await self.exchange(body)
        except RestError as error:
            if error.status in _REFUSED:
                raise CredentialError("the sign-in at Aries has ended", remedy=SIGN_IN) from None
            raise

    async def _keep(self, answer: Any) -> Token:
        """Read the answer of the token endpoint and store it: the refresh token first, since the old one is gone.

        `{"access_token": "eyJ…", "refresh_token": "eyJ…", "token_type": "Bearer", "expires_in": 3600}`
        """
        held = answer if isinstance(answer, dict) else {}
        access = held.get("access_token")
        if not isinstance(access, str) or not access.strip():
            raise RestError("Aries answered without an access token")
        token = _token(SecretStr(access.strip()), held.get("expires_in"), self._now_ns())
        refresh = held.get("refresh_token")
        if isinstance(refresh, str) and refresh.strip():
            self._unsaved = SecretStr(refresh.strip())
            if await self._put("refresh_token", self._unsaved):
                self._unsaved = None  # whoever refreshes next, the store has the one that is good
        await self._put(STATE, _state(token))
        await self._put("access_token", token.access)
        self._held, self._refreshed_ns = token, self._now_ns()
        self._stored = await self._get("access_token")
        return token

    async def _get(self, field: str) -> SecretStr | None:
        try:
            return await self._secrets.get(PROVIDER, field)
        except KeyringUnavailable:
            return None

    async def _put(self, field: str, secret: SecretStr) -> bool:
        try:
            await self._secrets.put(PROVIDER, field, secret)
        except CredentialError:
            log.warning("the Aries %s could not be stored; it serves until the program ends", field)
            return False
        return True


def described(access: SecretStr, state: SecretStr | None) -> Token:
    """A stored token with its life: as it was noted when it came, else as it says itself, else unknown."""
    noted = _object(state.get_secret_value()) if state is not None else {}
    if noted.get("of") == _fingerprint(access):
        issued_ns, expires_ns = _stamp(noted.get("issued_at")), _stamp(noted.get("expires_at"))
        if expires_ns is not None:
            return Token(access, issued_ns, expires_ns)
    claims = _claims(access)
    return Token(access, _stamp(claims.get("iat")), _stamp(claims.get("exp")))


def _token(access: SecretStr, expires_in: object, now_ns: int) -> Token:
    try:
        lasts_s = parse.positive(expires_in)
    except ValueError:
        lasts_s = None
    if lasts_s is None and (ends_ns := _stamp(_claims(access).get("exp"))):
        return Token(access, now_ns, ends_ns)
    return Token(access, now_ns, now_ns + int(min(lasts_s or LIFE_S, 10**9) * NS))


def _state(token: Token) -> SecretStr:
    """What is noted beside a token: whose times they are, and the times in UTC seconds."""
    issued_ns, expires_ns = token.issued_ns or 0, token.expires_ns or 0
    noted = {"of": _fingerprint(token.access), "issued_at": issued_ns // NS, "expires_at": expires_ns // NS}
    return SecretStr(json.dumps(noted))


def _fingerprint(access: SecretStr) -> str:
    return hashlib.sha256(access.get_secret_value().encode()).hexdigest()[:16]


def _claims(access: SecretStr) -> dict[str, Any]:
    """What a JWT says of itself, unverified: only good for knowing when to refresh."""
    parts = access.get_secret_value().split(".")
    if len(parts) != 3:
        return {}
    try:
        return _object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        value = parse.load_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _stamp(value: object) -> int | None:
    try:
        return parse.time_ns(value)
    except ValueError:
        return None
