"""`tickdeck symbols`: what the providers find for some words."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence

from tui.clock import Clock
from tui.commands.access import check_credentials, rest_client
from tui.commands.setup import complain, configuration
from tui.commands.signals import run_until_signal
from tui.config import Config
from tui.credentials import CredentialStore
from tui.feeds.hub import FeedHub
from tui.feeds.search import SearchMatch, SearchResult
from tui.market.store import MarketStore
from tui.market.text import clean

HEADINGS = ("symbol", "description", "kind", "providers")
MAX_DESCRIPTION = 60


def symbols_command(args: Namespace) -> int:
    """Print a table of what matches, best first; who could not answer is said on standard error.

    Args:
        args: `query`, and what `configuration` takes.

    Returns:
        0, or 1 when nothing was found.

    Raises:
        ConfigError, CredentialError: nobody can be asked.
    """
    return run_until_signal(_symbols(configuration(args), args.query))


async def _symbols(config: Config, query: str) -> int:
    found = await _search(config, query)
    for provider, reason in found.errors.items():
        complain(f"{provider}: {reason}")
    if not found.matches:
        complain(f"nothing found for {clean(query)!r}")
        return 1
    print("\n".join(table(found.matches)))
    return 0


async def _search(config: Config, query: str) -> SearchResult:
    clock = Clock()
    http = rest_client(config)
    try:
        hub = FeedHub(config, MarketStore(clock.now_ns), CredentialStore(), http, clock)
        await check_credentials(hub.providers.values())
        return await hub.search(query)
    finally:
        await http.close()


def table(matches: Sequence[SearchMatch]) -> Iterator[str]:
    """Aligned columns under headings."""
    rows = [
        (clean(each.symbol), clean(each.description, MAX_DESCRIPTION), clean(each.kind), " ".join(each.carried_by))
        for each in matches
    ]
    widths = [max(len(row[column]) for row in [HEADINGS, *rows]) for column in range(len(HEADINGS))]
    for row in [HEADINGS, *rows]:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
