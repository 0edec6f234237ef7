"""QuantCite's HTTP: is it up, and how much of the data allowance is used (reference, section 9)."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

from pydantic import BeforeValidator, SecretStr

from tui.clock import to_iso
from tui.errors import CredentialError, RestError
from tui.providers.base import HttpClient
from tui.providers.quantcite.wire import Claim, DataUsage, Fields, Figure, Stamp, Text, Usage

TIMEOUT_S: Final = 10.0
_REMEDY: Final = "Check the key with: tickdeck credentials set quantcite"
_SUPPORT: Final = "Contact QuantCite's support."


class Health(Fields):
    """Section 9.2."""

    status: Text = ""
    active_exchanges: Figure = None
    version: Text = ""

    @property
    def is_healthy(self) -> bool:
        """Anything but `healthy` means trouble."""
        return self.status == "healthy"


class BillingPeriod(Fields):
    """Part of the usage: `reset_date` may lie in the past, then `next_reset` is what counts."""

    reset_date: Stamp = None
    next_reset: Stamp = None


class AccountStatus(Fields):
    """Part of the usage."""

    limit_exceeded: Claim = None
    api_key_status: Text = ""


def _object(value: object) -> object:
    return value if isinstance(value, dict | Fields) else {}


class Account(Fields):
    """Section 9.3: plan, key and data used."""

    billing_tier: Text = ""
    api_key_active: Claim = None
    data_usage: Usage = DataUsage()
    billing_period: Annotated[BillingPeriod, BeforeValidator(_object)] = BillingPeriod()
    status: Annotated[AccountStatus, BeforeValidator(_object)] = AccountStatus()

    def refusal(self) -> str:
        """Why the key cannot be used, or an empty string."""
        state = self.status.api_key_status
        if state and state != "active":
            return f"the key is {state}"
        return "the key is not active" if self.api_key_active is False else ""

    def resets_ns(self, now_ns: int) -> int | None:
        """When the next billing period begins, or None when that is not said."""
        stamps = (self.billing_period.reset_date, self.billing_period.next_reset)
        return min((at for at in stamps if at is not None and at > now_ns), default=None)

    def sentence(self, now_ns: int) -> str:
        """`developer plan, 7.25 of 50 GB used (14.5 %), resets on 2026-01-15`."""
        resets_ns = self.resets_ns(now_ns)
        parts = [
            f"{self.billing_tier} plan" if self.billing_tier else "key accepted",
            str(self.data_usage),
            "data limit exceeded" if self.status.limit_exceeded else "",
            f"resets on {to_iso(resets_ns)[:10]}" if resets_ns else "",
        ]
        return ", ".join(part for part in parts if part)


class QuantCiteRest:
    """The two calls that a dashboard needs.

    Args:
        http: The REST client.
        base: `https://data.quantcite.com`.
    """

    def __init__(self, http: HttpClient, base: str) -> None:
        self._http = http
        self._base = base.rstrip("/")

    async def health(self) -> Health:
        """Whether the provider is up; no key needed. Raises RestError."""
        return Health.model_validate(_object(await self._http.get(f"{self._base}/api/v1/health", timeout_s=TIMEOUT_S)))

    async def account(self, key: SecretStr) -> Account:
        """Plan and usage of a key.

        The key is part of the path, so what goes wrong is told anew, without the address and without the error that
        may hold it.

        Raises:
            CredentialError: the key is unknown, suspended or expired.
            RestError: the call failed.
        """
        address = f"{self._base}/api/v1/data-usage/{quote(key.get_secret_value(), safe='')}"
        status: int | None
        try:
            answer = await self._http.get(address, timeout_s=TIMEOUT_S)
        except RestError as error:
            status, retry_after_s = error.status, error.retry_after_s
        else:
            account = Account.model_validate(_object(answer))
            if refusal := account.refusal():
                raise CredentialError(refusal, remedy=_SUPPORT)
            return account
        raise _told(status, retry_after_s)


def _told(status: int | None, retry_after_s: float | None) -> RestError | CredentialError:
    if status == 404:
        return CredentialError("QuantCite does not know this key", remedy=_REMEDY)
    if status in (401, 403):
        return CredentialError("QuantCite has suspended this account", remedy=_SUPPORT)
    what = "did not answer" if status is None else f"answered {status}"
    return RestError(f"QuantCite {what} when asked about the key", status=status, retry_after_s=retry_after_s)
