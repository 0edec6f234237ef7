"""QuantCite's messages: what is sent, and what comes, as data (protocol reference, sections 3 and 4).

Only `type` is sure. Every other field may be absent, null or of another type than documented and is then read as
unknown, so that one odd field costs nothing but itself. Books are decoded in `books`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from tui.providers import parse

MAX_CODE: Final = 40
MAX_NAMES: Final = 500
MAX_PAIRS: Final = 200_000


def authenticate(api_key: str) -> str:
    """Section 2: once per connection, before anything else."""
    return _frame("authenticate", api_key=api_key)


def subscribe(code: str, exchanges: Sequence[str] | None) -> str:
    """Section 3.1: one symbol a message; `exchanges` None asks for all that have it."""
    return _frame("subscribe_aggregated", symbol=code, exchanges="all" if exchanges is None else list(exchanges))


def unsubscribe(code: str) -> str:
    """Section 3.2."""
    return _frame("unsubscribe_aggregated", symbol=code)


def get_orderbook(code: str) -> str:
    """Section 3.3: the current book, for a subscribed symbol."""
    return _frame("get_aggregated_orderbook", symbol=code)


def get_exchanges() -> str:
    """Section 3.4."""
    return _frame("get_exchanges")


def get_pairs(exchange: str | None = None) -> str:
    """Section 3.5: all pairs, or those of one exchange. All pairs are a frame of half a megabyte or more."""
    return _frame("get_pairs") if exchange is None else _frame("get_pairs", exchange=exchange)


def ping() -> str:
    """Section 3.6."""
    return _frame("ping")


def _frame(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


def names(value: object) -> tuple[str, ...]:
    """The strings of a list, cleaned; anything else is left out."""
    if not isinstance(value, list):
        return ()
    return tuple(name for item in value[:MAX_NAMES] if isinstance(item, str) and (name := parse.text(item, MAX_CODE)))


def figure(value: object) -> Decimal | None:
    """A finite number that is not negative, or None."""
    try:
        return parse.size(value)
    except ValueError:
        return None


def _stamp(value: object) -> int | None:
    try:
        return parse.time_ns(value)
    except ValueError:
        return None


def _bytes(exact: Decimal | None, gigabytes: Decimal | None) -> int | None:
    if exact is not None:
        return int(exact)
    return None if gigabytes is None else int(gigabytes * 2**30)


def _claim(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _object(value: object) -> object:
    return value if isinstance(value, dict | BaseModel) else {}


def _codes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        code
        for code in value[:MAX_PAIRS]
        if isinstance(code, str) and 0 < len(code) <= MAX_CODE and code.isascii() and code.isprintable()
    )


def _pair_lists(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        return {}
    return {parse.text(exchange, MAX_CODE): _codes(codes) for exchange, codes in list(value.items())[:MAX_NAMES]}


def _statuses(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {parse.text(key, MAX_CODE): parse.text(state, MAX_CODE) for key, state in list(value.items())[:MAX_NAMES]}


Text = Annotated[str, BeforeValidator(lambda value: parse.text(value, 300))]
Code = Annotated[str, BeforeValidator(lambda value: parse.text(value, MAX_CODE))]
Names = Annotated[tuple[str, ...], BeforeValidator(names)]
Figure = Annotated[Decimal | None, BeforeValidator(figure)]
Stamp = Annotated[int | None, BeforeValidator(_stamp)]
Claim = Annotated[bool | None, BeforeValidator(_claim)]
Codes = Annotated[tuple[str, ...], BeforeValidator(_codes)]
PairLists = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_pair_lists)]
Statuses = Annotated[dict[str, str], BeforeValidator(_statuses)]


class Fields(BaseModel):
    """Base of messages and their parts: unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class DataUsage(Fields):
    """How much of the monthly allowance is gone, in GB of 2^30 bytes and percent (sections 6.2 and 9.3)."""

    used_gb: Figure = None
    limit_gb: Figure = None
    usage_percentage: Figure = None
    bytes_used: Figure = None
    bytes_limit: Figure = None

    @property
    def used_bytes(self) -> int | None:
        """Exactly, else from the rounded gigabytes."""
        return _bytes(self.bytes_used, self.used_gb)

    @property
    def limit_bytes(self) -> int | None:
        """The same for the allowance."""
        return _bytes(self.bytes_limit, self.limit_gb)

    @property
    def percent(self) -> Decimal | None:
        """As sent, else computed; above 100 when more is used than allowed."""
        if self.usage_percentage is not None or self.used_gb is None or not self.limit_gb:
            return self.usage_percentage
        return self.used_gb * 100 / self.limit_gb

    def __str__(self) -> str:
        """`51.2 of 50 GB used (102.4 %)`, or what of it is known, or an empty string."""
        share = "" if self.percent is None else f"{self.percent:.1f} %"
        if self.used_gb is None or self.limit_gb is None:
            return share and f"{share} of the data used"
        amount = f"{self.used_gb.normalize():f} of {self.limit_gb.normalize():f} GB used"
        return f"{amount} ({share})" if share else amount


Usage = Annotated[DataUsage, BeforeValidator(_object)]


class Authentication(Fields):
    """Part of `welcome`; the masked key in it is not read."""

    status: Text = ""


class Welcome(Fields):
    """Section 4.1: the login went through, or a greeting before it."""

    session_id: Text = ""
    user_tier: Text = ""
    message: Text = ""
    authentication: Annotated[Authentication, BeforeValidator(_object)] = Authentication()
    available_commands: Names = ()

    @property
    def is_login(self) -> bool:
        """Whether it answers `authenticate`. A list of commands with nothing but a session beside it is a greeting."""
        if self.authentication.status:
            return self.authentication.status == "authenticated"
        return bool(self.user_tier or (self.session_id and not self.available_commands))


class RateLimits(Fields):
    """Part of `authentication_success`."""

    requests_per_minute: Figure = None


class AuthenticationSuccess(Fields):
    """Section 4.1 (c): the older form of a login that went through."""

    tier: Text = Field("", validation_alias=AliasChoices("tier", "user_tier"))
    data_usage: Usage = DataUsage()
    rate_limits: Annotated[RateLimits, BeforeValidator(_object)] = RateLimits()


class SubscriptionResponse(Fields):
    """Section 4.2. `exchanges` are those really subscribed; `success` is None when it is missing."""

    symbol: Code = ""
    exchanges: Names = ()
    success: Claim = None
    message: Text = ""
    subscription_id: Code = ""


class UnsubscribeResponse(Fields):
    """Section 4.3."""

    symbol: Code = ""
    success: Claim = None


class ExchangeList(Fields):
    """Part of `exchanges_data`. The counts beside the lists do not match them and are not read."""

    supported_exchanges: Names = ()
    active_exchanges: Names = ()
    exchange_status: Statuses = {}


class ExchangesData(Fields):
    """Section 4.6."""

    data: Annotated[ExchangeList, BeforeValidator(_object)] = ExchangeList()


class PairList(Fields):
    """Part of `pairs_data`, in its two shapes; categories and counts are not read."""

    exchanges: PairLists = {}
    exchange: Code = ""
    pairs: Codes = ()

    @property
    def by_exchange(self) -> dict[str, tuple[str, ...]]:
        """Exchange to pairs, from either shape."""
        return {**self.exchanges, self.exchange: self.pairs} if self.exchange else self.exchanges


class PairsData(Fields):
    """Section 4.7."""

    data: Annotated[PairList, BeforeValidator(_object)] = PairList()


class Pong(Fields):
    """Section 4.8: nothing in it is needed, the round trip is measured here."""


class RateLimitWarning(Fields):
    """Section 6.2."""

    current_rate: Figure = None
    limit: Figure = None
    reset_time: Stamp = None


class DataLimitWarning(Fields):
    """Section 6.2: near the allowance or already beyond it; the numbers tell."""

    message: Text = ""
    data_usage: Usage = DataUsage()
    action_required: Text = ""


class Problem(Fields):
    """Section 6.1: an error in any of its carriers."""

    type: Text
    error: Text = ""
    message: Text = ""
    code: Figure = None
    symbol: Code = ""
    suggested_symbols: Names = ()
    exchange: Code = ""
    retry_after: Figure = None
    current_limit: Figure = None
    data_usage: Usage = DataUsage()
    action_required: Text = ""

    @property
    def kind(self) -> str:
        """What it is, whatever carried it: `authentication_failed` for `Authentication failed`."""
        return (self.error or self.type).strip().lower().replace(" ", "_")


class Unknown(Fields):
    """A message of a type that the reference does not know, or of none."""

    type: Code
    fields: Names


Message = (
    Welcome
    | AuthenticationSuccess
    | SubscriptionResponse
    | UnsubscribeResponse
    | ExchangesData
    | PairsData
    | Pong
    | RateLimitWarning
    | DataLimitWarning
    | Problem
    | Unknown
)

_TYPES: Final[dict[str, type[Message]]] = {
    "welcome": Welcome,
    "authentication_success": AuthenticationSuccess,
    "aggregated_subscription_response": SubscriptionResponse,
    "unsubscribe_response": UnsubscribeResponse,
    "exchanges_data": ExchangesData,
    "pairs_data": PairsData,
    "pong": Pong,
    "rate_limit_warning": RateLimitWarning,
    "data_limit_warning": DataLimitWarning,
}
_PROBLEMS: Final = frozenset(
    "error subscription_error authentication_error authentication_required authentication_failed invalid_api_key"
    " api_key_not_found account_suspended invalid_symbol invalid_exchange exchange_unavailable no_subscription"
    " rate_limit_exceeded data_limit_exceeded".split()
)


def read(message: dict[str, Any]) -> Message:
    """The message that a decoded JSON object holds, books aside. Never raises."""
    kind = message.get("type")
    if isinstance(kind, str):
        if kind in _PROBLEMS:
            return Problem.model_validate(message)
        if kind in _TYPES:
            return _TYPES[kind].model_validate(message)
    return Unknown.model_validate({"type": kind, "fields": [key for key in message if key != "type"]})
