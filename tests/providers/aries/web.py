"""A stand-in for the HTTP client, and secrets in memory."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.providers.aries.sessions import NOW_NS
from tui.clock import ManualClock
from tui.credentials import FixedSecrets
from tui.errors import RestError
from tui.providers.aries import AriesProvider
from tui.providers.aries.settings import AriesSettings
from tui.providers.base import ProviderContext

Answer = Any
Handler = Callable[["Call"], Answer]


class Call:
    """One HTTP call."""

    def __init__(self, method: str, url: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str]) -> None:
        self.method = method
        self.url = url
        self.query = dict(query)
        self.body = body
        self.headers = dict(headers)

    @property
    def bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


class Web:
    """Answers calls with a function and remembers them."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.calls: list[Call] = []

    async def get(
        self,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> Any:
        return await self._answer(Call("GET", url, query or {}, None, headers or {}))

    async def post(
        self, url: str, *, body: Mapping[str, Any], headers: Mapping[str, str] | None = None, timeout_s: float = 10.0
    ) -> Any:
        return await self._answer(Call("POST", url, {}, dict(body), headers or {}))

    async def _answer(self, call: Call) -> Any:
        self.calls.append(call)
        await asyncio.sleep(0)  # a real call lets others run
        answer = self.handler(call)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Secrets(FixedSecrets):
    """Secrets in memory that remember the order in which they were stored."""

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        super().__init__({"aries": fields or {}})
        self.stored: list[tuple[str, str]] = []

    async def put(self, provider: str, field: str, secret: SecretStr) -> None:
        self.stored.append((field, secret.get_secret_value()))
        await super().put(provider, field, secret)


class Bench:
    """An Aries provider on stand-ins."""

    def __init__(
        self,
        handler: Handler,
        secrets: Mapping[str, str] | Secrets | None = None,
        settings: Mapping[str, Any] | None = None,
        state_dir: Path | None = None,
    ) -> None:
        self.web = Web(handler)
        self.secrets = secrets if isinstance(secrets, Secrets) else Secrets(secrets)
        self.clock = ManualClock(NOW_NS)
        parts = AriesSettings.model_validate(settings or {}), self.secrets, self.web, self.clock.now_ns
        context = ProviderContext(*parts, state_dir=state_dir)
        self.provider = AriesProvider(context)
        self.tokens = self.provider.tokens


def jwt(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


def refused(status: int = 401) -> RestError:
    return RestError("refused", status=status)


def nothing(call: Call) -> Answer:
    raise AssertionError(f"nobody should call {call.url}")
