"""What to do about what the provider complains of: the tables of section 7 as functions."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from tui.providers.base import Close, LoginRefused, Then
from tui.providers.insightsentry import guesses
from tui.providers.insightsentry.wire import Problem

STORE_KEY: Final = "Store a valid key with `tickdeck credentials set insightsentry`."
PLAN: Final = "Check the plan on the InsightSentry dashboard; free plans have no WebSocket."
ELSEWHERE: Final = "Close the other program that uses this key, then reconnect with R."
ELSEWHERE_S: Final = 900.0
"""Until the next attempt when another program holds the key's connections."""
FULL: Final = Close("this key is in use elsewhere", Then.RETRY, ELSEWHERE_S, ELSEWHERE)
"""The others go on; they may have left the next time."""
EVICTED: Final = Close("this key is in use elsewhere", Then.FAIL, remedy=ELSEWHERE)
"""Two clients that both connect again would evict each other for ever, however late: the user decides."""
CHANGE: Final = "Change what is watched or the configuration, then reconnect with R."


class Reaction(Enum):
    """What a structured error asks of us (7.2)."""

    DROP = auto()  # one subscription failed, the rest stays active
    WAIT = auto()  # the server holds the request
    RESEND = auto()  # the same list again on the same socket
    RECONNECT = auto()
    KEY = auto()  # the key was refused
    STOP = auto()  # anything else: wait for the user


class Saying(Enum):
    """What a `message` of its own means (4.5, 7.1)."""

    CONNECTING = auto()
    CONNECTED = auto()
    KEY = auto()
    OVER_LIMIT = auto()
    ELSEWHERE = auto()
    ERROR = auto()
    OTHER = auto()


def reaction(problem: Problem, *, has_subscriptions: bool) -> Reaction:
    """Sort a structured error by the table of section 7.2; what it does not hold is terminal."""
    if problem.kind in guesses.PARTIAL_ERRORS and has_subscriptions:
        return Reaction.DROP
    if problem.kind in guesses.KEY_ERRORS or saying(problem.message) is Saying.KEY:
        return Reaction.KEY
    if problem.kind in guesses.ACCOUNT_ERRORS | guesses.EVICTED_ERRORS | guesses.FULL_ERRORS:
        return Reaction.STOP
    if problem.action == "wait_and_retry" or problem.kind in guesses.THROTTLED_ERRORS:
        return Reaction.WAIT
    if problem.retryable is False:
        return Reaction.STOP
    if problem.action in guesses.RECONNECT_ACTIONS:
        return Reaction.RECONNECT
    if problem.action == "retry_request" or problem.kind == "temporarily_unavailable":
        return Reaction.RESEND
    return Reaction.RECONNECT if problem.kind in guesses.BUSY_ERRORS else Reaction.STOP


def saying(text: str) -> Saying:
    """Sort a message text; the words are in `guesses`."""
    words = text.strip().lower()
    if words.startswith(guesses.BENIGN):
        return Saying.CONNECTING if words.startswith(guesses.BENIGN[0]) else Saying.CONNECTED
    if "key" in words and any(word in words for word in guesses.KEY_WORDS):
        return Saying.KEY
    if any(part in words for part in guesses.OVER_LIMIT):
        return Saying.OVER_LIMIT
    if "connections" in words and any(word in words for word in guesses.FULL_WORDS):
        return Saying.ELSEWHERE
    return Saying.ERROR if any(word in words for word in guesses.ERROR_WORDS) else Saying.OTHER


def stopped(problem: Problem, said: str) -> Close:
    """The end of a connection that only the user or other programs can bring back; `said` is its text, made safe."""
    if problem.kind in guesses.FULL_ERRORS:
        return FULL
    if problem.kind in guesses.EVICTED_ERRORS:
        return EVICTED
    if problem.kind in guesses.ACCOUNT_ERRORS:
        return Close(said, Then.FAIL, remedy=PLAN)
    return Close(said, Then.FAIL, remedy=CHANGE)


def refused(*, can_rotate: bool) -> LoginRefused:
    """The key was refused; a fresh one is worth a try only where we fetch it ourselves (9)."""
    return LoginRefused("key rejected", STORE_KEY, refresh=can_rotate)
