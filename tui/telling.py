"""What the dashboard tells of by itself: notices in words, and feeds that wait for the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from tui.clock import NS
from tui.market.store import FeedRecord
from tui.market.terms import FeedState

if TYPE_CHECKING:
    from tui.market.events import Notice

REPEAT_NS: Final = 30 * NS
"""The same text is not told again for this long."""
MOST_TOLD: Final = 100
"""Texts that are remembered for that."""


class Repeats:
    """Keeps the same text from being told over and over."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def is_news(self, text: str, now_ns: int) -> bool:
        """Whether a text was not told lately; from now on it was."""
        if now_ns - self._told.get(text, -REPEAT_NS) < REPEAT_NS:
            return False
        recent = [(old, at) for old, at in self._told.items() if now_ns - at < REPEAT_NS]
        self._told = dict([*recent, (text, now_ns)][-MOST_TOLD:])
        return True


def notice_text(notice: Notice) -> str:
    """A notice in one or two sentences; what follows from what all providers say names none of them."""
    from tui.feeds.refusals import OWN, did_you_mean  # not before there are feeds: the first frame comes sooner

    subscription = notice.subscription
    about = subscription.symbol if subscription and notice.source == OWN else subscription
    text = f"{about}: {notice.text}" if about else notice.text
    if notice.suggestions:
        text += f". {did_you_mean(notice.suggestions)}"
    return text if notice.source == OWN else f"{notice.source}: {text}"


class Failures:
    """Feeds that have failed, told once a provider: what ails one of its feeds mostly ails all of them."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def fresh(self, feeds: Mapping[str, FeedRecord], key: str, *, but_keys: bool = False) -> Iterator[str]:
        """What to tell of failures that are new since the last call.

        Args:
            feeds: All feeds by name.
            key: What opens the dialog for keys and tokens.
            but_keys: Leave out those that want a key: the user knows.
        """
        failed = {
            (name.partition(":")[0], status.reason): status
            for name, record in feeds.items()
            if (status := record.status) is not None and status.state is FeedState.FAILED
        }
        for (provider, reason), status in failed.items():
            if (provider, reason) not in self._told and not (but_keys and status.needs_key):
                here = f"Press {key} to enter a key here." if status.needs_key else ""
                yield " ".join(filter(None, (f"{provider}: {reason or 'failed'}.", here, status.remedy)))
        self._told = set(failed)
