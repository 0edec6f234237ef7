"""`tickdeck watch`: normalised events on standard output, a line each, for pipes and scripts. Draws no screen."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final

from tui.clock import Clock
from tui.commands.access import check_credentials, rest_client
from tui.commands.doubts import Doubts
from tui.commands.lines import Format, Record, to_columns, to_json
from tui.commands.printing import EventPrinter
from tui.commands.setup import complain, configuration
from tui.commands.signals import run_until_signal
from tui.config import Config
from tui.credentials import CredentialStore
from tui.feeds.hub import FeedHub
from tui.feeds.refusals import OWN, did_you_mean
from tui.loop import run
from tui.market.events import Event, Notice
from tui.market.names import Interval, Kind, Subscription, Symbol, Wants
from tui.market.store import MarketStore
from tui.market.terms import Severity
from tui.market.text import clean
from tui.providers.base import HttpClient, SecretStore
from tui.state import StateFile

BEAT_S: Final = 0.5
"""Between two looks at bars and doubts: an open bar is printed twice a second at most."""
CLOSE_S: Final = 3.0
MAX_COMPLAINTS: Final = 200
FORMATS: Final[dict[str, Format]] = {"json": to_json, "text": to_columns}


def watch_command(args: Namespace) -> int:
    """Print events until told otherwise.

    Args:
        args: `symbols`, `kinds` (some of `printing.KINDS`), `format` (`text` or `json`), `count` and `seconds` (None
            for no end), and what `configuration` takes.

    Returns:
        0 after `count` lines or `seconds`; 2 when no symbol can be used, 4 when every feed waits for the user; 130 or
        143 after a signal.

    Raises:
        ConfigError, CredentialError: nothing can be asked for.
    """
    config = configuration(args)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # columns hold more than ASCII
    return run_until_signal(_watch(config, args), run)


async def _watch(config: Config, args: Namespace) -> int:
    http = rest_client(config)
    try:
        watch = Watch(config, CredentialStore(), http, args.symbols, args.kinds, FORMATS[args.format], args.count)
        return await watch.run(args.seconds)
    finally:
        await http.close()


def wants_of(symbol: Symbol, kinds: Collection[str]) -> Wants:
    """What to ask for to get these kinds of events of a symbol; bars of one minute."""
    wanted = (kind for kind in (Kind.QUOTE, Kind.BAR, Kind.BOOK, Kind.TRADE) if kind.value in kinds)
    return frozenset(Subscription(kind, symbol, Interval.M1 if kind is Kind.BAR else None) for kind in wanted)


class Watch:
    """One run of the command.

    Args:
        config: Which providers, and who is asked first.
        secrets: What they are asked with.
        http: For REST calls.
        symbols: Whose events.
        kinds: Some of `printing.KINDS`.
        format: Makes the lines.
        count: End after this many lines; None for no end.
    """

    def __init__(
        self,
        config: Config,
        secrets: SecretStore,
        http: HttpClient,
        symbols: Sequence[Symbol],
        kinds: Collection[str],
        format: Format,
        count: int | None = None,
    ) -> None:
        clock = Clock()
        store = MarketStore(clock.now_ns)
        state = StateFile(config)
        self.hub = FeedHub(config, store, secrets, http, clock, state_dir=state.folder, kept=state.codes)
        self.hub.listener = self._happened
        self._printer = EventPrinter(store, symbols, kinds, self._print)
        wants = {symbol: wants_of(symbol, kinds) for symbol in symbols}
        streams = frozenset({Subscription(Kind.NEWS)} if "news" in kinds else ())
        self._wants = streams.union(*wants.values())
        self._doubts = Doubts(self.hub, {symbol: wants[symbol] for symbol in wants if wants[symbol]}, self._wants)
        self._format = format
        self._left = count
        self._done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._complaints: set[str] = set()

    async def run(self, seconds: float | None = None) -> int:
        """Print until there is nothing left to do, or for some seconds; the exit code."""
        await check_credentials(self.hub.providers.values())
        self.hub.want("watch", self._wants)
        async with self._running():
            try:
                async with asyncio.timeout(seconds):
                    return await self._done
            except TimeoutError:
                return 0

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.hub.run()), asyncio.create_task(self._beat())]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            yield
        finally:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self.hub.close()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self._done.done():
            self._done.set_exception(error)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self._printer.print_bars()
            code = await self._doubts.look()
            if code is not None and not self._done.done():
                self._done.set_result(code)

    def _happened(self, event: Event) -> None:
        self._printer.happened(event)
        if isinstance(event, Notice) and event.severity is not Severity.INFO:
            self._complain(event)

    def _complain(self, notice: Notice) -> None:
        """Say on standard error what a provider has to say; what concerns several kinds of a symbol, once."""
        symbol = notice.subscription.symbol if notice.subscription else None
        if symbol and notice.refused:
            self._doubts.refused(symbol)
        about = f"{symbol}: " if symbol and symbol not in notice.text else ""
        text = about + notice.text if notice.source == OWN else f"{notice.source}: {about}{notice.text}"
        if text not in self._complaints and len(self._complaints) < MAX_COMPLAINTS:
            self._complaints.add(text)
            complain(clean(text), clean(did_you_mean(notice.suggestions)))

    def _print(self, record: Record) -> None:
        if self._done.done():
            return
        try:
            sys.stdout.write(self._format(record) + "\n")
            sys.stdout.flush()
        except BrokenPipeError as error:  # raised from here it would look like a mistake of the listener
            self._done.set_exception(error)
            return
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._done.set_result(0)
