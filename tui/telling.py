"""What the dashboard tells of by itself: notices in words, and feeds that wait for the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui.market.events import FeedState, Notice
from tui.market.store import FeedRecord


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
