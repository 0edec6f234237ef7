"""The simulated authorization server (13): codes with PKCE, refresh tokens that rotate."""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from tui.simulator.dialect import Response

ACCESS: Final = "demo-aries"
REFRESH: Final = "demo-aries-refresh"
CLIENT: Final = "demo-client"
LIFE_S: Final = 3600
MOST_KEPT: Final = 100
"""Codes and tokens that count, the newest ones."""


class TokenDesk:
    """Issues tokens.

    Attributes:
        access: Access tokens that are good.
        refresh: Refresh tokens that are good; each but the first serves once.
        life_s: Life that a new access token is said to have.
    """

    def __init__(self) -> None:
        self.access = {ACCESS}
        self.refresh = {REFRESH}
        self.life_s = LIFE_S
        self._codes: dict[str, tuple[str, str]] = {}
        self._given: deque[tuple[str, str]] = deque()
        self._issued = 0

    def authorize(self, query: Mapping[str, str]) -> Response:
        """Sign the user in without asking, and send the browser back with a code."""
        redirect, challenge = query.get("redirect_uri", ""), query.get("code_challenge", "")
        asked = query.get("response_type"), query.get("client_id"), query.get("code_challenge_method")
        if asked != ("code", CLIENT, "S256") or not redirect.startswith("http://127.0.0.1"):
            return _error(400, "bad_request", "unknown client or redirect")
        code = f"auth-code-{self._next()}"
        self._codes[code] = challenge, redirect
        for old in list(self._codes)[:-MOST_KEPT]:
            del self._codes[old]
        landing = f"{redirect}?{urlencode({'code': code, 'state': query.get('state', '')})}"
        return Response({"location": landing}, 302, {"Location": landing})

    def token(self, body: Mapping[str, Any]) -> Response:
        """`POST /v1/oauth2/token`."""
        if body.get("client_id") != CLIENT:
            return _error(401, "unauthorized", "unknown client")
        match body.get("grant_type"):
            case "authorization_code" | "code":
                return self._trade(body)
            case "refresh_token":
                return self._refresh(body)
            case _:
                return _error(400, "bad_request", "unknown grant type")

    def _trade(self, body: Mapping[str, Any]) -> Response:
        challenge, redirect = self._codes.pop(str(body.get("code")), ("", ""))
        digest = hashlib.sha256(str(body.get("code_verifier")).encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not challenge or proof != challenge or body.get("redirect_uri") != redirect:
            return _error(400, "bad_request", "invalid code")
        return self._issue()

    def _refresh(self, body: Mapping[str, Any]) -> Response:
        token = str(body.get("refresh_token"))
        if token not in self.refresh:
            return _error(401, "unauthorized", "invalid refresh token")
        if token != REFRESH:  # the first one stays good, so that a demo can be started again
            self.refresh.discard(token)
        return self._issue()

    def _issue(self) -> Response:
        number = self._next()
        access, refresh = f"{ACCESS}-{number}", f"{REFRESH}-{number}"
        self.access.add(access)
        self.refresh.add(refresh)
        self._given.append((access, refresh))
        if len(self._given) > MOST_KEPT:
            old_access, old_refresh = self._given.popleft()
            self.access.discard(old_access)
            self.refresh.discard(old_refresh)
        return Response(
            {
                "access_token": access,
                "refresh_token": refresh,
                "token_type": "Bearer",
                "expires_in": self.life_s,
                "refresh_token_expires_in": 2_592_000,
                "scope": "account:information market:information",
            }
        )

    def _next(self) -> int:
        self._issued += 1
        return self._issued


def _error(status: int, code: str, text: str) -> Response:
    return Response({"error": code, "message": text}, status)
