"""MarketApp: builds the parts, owns the feed workers, runs the frame clock."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import textual
from textual.app import SystemCommand
from textual.command import CommandPalette
from textual.driver import Driver
from textual.screen import Screen

from tui.actions import ACTIONS, Action
from tui.browser import open_in_browser
from tui.clock import Clock
from tui.errors import CredentialError, TickdeckError
from tui.market.names import Interval, Symbol
from tui.market.store import Changes, MarketStore, Topic
from tui.market.terms import Severity
from tui.market.text import safe_url
from tui.messages import (
    IntervalChosen,
    LinkOpened,
    MoveRefused,
    PanesArranged,
    ReconnectRequested,
    SymbolChosen,
    SymbolRemoved,
    VenuesChosen,
    WatchlistEdited,
)
from tui.orderly import OrderlyApp
from tui.pace import FramePace
from tui.painting import Painter
from tui.panes.base import Desk, Pane
from tui.panes.quotes import QuotesPane
from tui.quiet import Quiet
from tui.screens.main import MainScreen
from tui.telling import REPEAT_NS, Failures, Repeats, notice_text
from tui.terminal import steady
from tui.themes import DEFAULT, Palette, load_themes
from tui.thrift import let_go_of_closed_widgets, remember_fewer_widths
from tui.watchlists import Watchlists

if TYPE_CHECKING:  # the configuration takes a while to import, and the first frame of a demo needs little of it
    from pydantic import SecretStr

    from tui.config import Config
    from tui.credentials import CredentialStore, FixedSecrets
    from tui.feeds.hub import FeedHub
    from tui.rest import RestClient
    from tui.screens.symbols import Matches
    from tui.state import StateFile

ALWAYS_WANTED: Final = frozenset({"quotes", "news"})
"""Panes whose data is wanted even while they are hidden: the list drives the rest, unread news is counted."""
QUIT_S: Final = 1.5
SHORT_S: Final = 6.0
LONG_S: Final = 15.0
"""How long a notice stays that names something to do."""
LONGEST_S: Final = 60.0
"""The same for what has to be done before anything comes."""
REST_S: Final = 1.0
"""Between two looks at a screen at rest."""


Prepare = Callable[[], "tuple[Config, CredentialStore | FixedSecrets]"]


class MarketApp(OrderlyApp):
    """The dashboard.

    Args:
        config: What the user configured; where `prepare` brings that, as much of it as the screen needs.
        secrets: Where keys and tokens come from; None where `prepare` brings them.
        symbols: Added to the watch list for this run, the first one selected.
        demo: Say on the screen that the market is made up.
        state: What survives a restart; None keeps nothing (demo).
        remark: What the user should know from the start of keys that are missing, or "".
        prepare: Called in a thread after the first frame, where the feeds need more than the screen does: gives the
            whole configuration, and the secrets. When it raises TickdeckError the app ends, and `failure` is the error.
    """

    TITLE = "tickdeck"
    CSS_PATH = Path(__file__).with_name("styles") / "app.tcss"  # of a screen's, Textual would read all styles twice
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        config: Config,
        secrets: CredentialStore | FixedSecrets | None,
        *,
        symbols: Sequence[Symbol] = (),
        demo: bool = False,
        state: StateFile | None = None,
        clock: Clock | None = None,
        remark: str = "",
        prepare: Prepare | None = None,
    ) -> None:
        self.config = config
        self.clock = clock or Clock()
        self.store = MarketStore(self.clock.now_ns)
        self.store.wake = self._wake
        self.themes = load_themes()
        self.desk = Desk(
            store=self.store,
            palette=self.themes.get(config.theme),
            colorless=bool(os.environ.get("NO_COLOR")),
            flash=config.flash,
            names={name: list(listed) for name, listed in config.watchlists.items()},
            watchlist=config.watchlist,
        )
        self.hub: FeedHub | None = None
        self._http: RestClient | None = None
        self.is_demo = demo
        self.failure: TickdeckError | None = None
        self._prepare = prepare
        self._secrets = secrets
        self._state = state
        self._repeats = Repeats()
        self._failures = Failures()
        self._remark = remark
        self._quiet = Quiet(self.store)
        self._alarm: asyncio.TimerHandle | None = None
        self._is_leaving = False
        self._pace = FramePace(1 / config.frames_per_second, self.clock)
        self._painter = Painter(self, self.clock)
        self._behind: int | None = None
        self.watchlists = Watchlists(self.desk, state, symbols)
        let_go_of_closed_widgets()
        remember_fewer_widths()
        super().__init__()  # asks for the theme's variables
        for palette in self.themes.palettes.values():
            self.register_theme(palette.textual())
        self._start_in(self.desk.palette)

    def _start_in(self, palette: Palette) -> None:
        """Begin in a theme: set later, it would read all styles anew."""
        self.set_reactive(MarketApp.theme, palette.name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(palette.dark, "-dark-mode", update=False)
        self.set_class(not palette.dark, "-light-mode", update=False)

    def on_load(self) -> None:
        """From here on the terminal is ours, and whoever ends us gets it back in order."""
        self._catch_signals()

    def on_mount(self) -> None:
        """Show the first frame, then start the feeds."""
        self.set_keymap(dict(self.config.keys))
        self._frames = self.set_interval(1 / self.config.frames_per_second, self.draw_frame)
        self.call_after_refresh(self._go_on)

    def get_default_screen(self) -> MainScreen:
        """The dashboard is the lowest screen: an empty one below it would be styled and drawn first."""
        if not self.is_headless and self.console.color_system in (None, "standard"):
            self.desk.colorless = True  # shades of a colour come out alike, or as the background
        self.main = MainScreen(self.desk, self.config.keys)
        return self.main

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver for this platform, steadied."""
        return steady(super().get_driver_class(), self._painter.key_pressed)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for the moment before our themes are registered."""
        return dict(self.desk.palette.textual().variables)

    async def _go_on(self) -> None:
        """Everything that the first frame need not wait for, and the keys that did not wait for it."""
        await self.catch_up()
        if self._is_leaving:
            return
        if self._prepare is None:
            self._start_feeds()
        else:
            self.run_worker(self._prepare_feeds(self._prepare), group="start")

    async def _prepare_feeds(self, prepare: Prepare) -> None:
        try:
            self.config, self._secrets = await asyncio.to_thread(prepare)
        except TickdeckError as error:
            self.failure = error
            self.exit(return_code=1)
        else:
            if not self._is_leaving:  # there may be no screen any more
                self._start_feeds()

    def _start_feeds(self) -> None:
        assert self._secrets is not None
        from tui.feeds.hub import FeedHub  # after the first frame: sockets and TLS take a while to import
        from tui.rest import RestClient

        self._http = RestClient(proxy=self.config.proxy, ca_file=self.config.ca_file)
        folder, kept = (self._state.folder, self._state.codes) if self._state else (None, None)
        hub = self.hub = FeedHub(
            self.config, self.store, self._secrets, self._http, self.clock, state_dir=folder, kept=kept
        )
        for name, feed in hub.feeds.items():
            self.run_worker(feed.run(), name=name, group=f"feed:{name}", exclusive=True, exit_on_error=False)
        self.run_worker(hub.run_manager(), name="subscriptions", group="subscriptions", exit_on_error=False)
        assert self.main
        top = self.main.top_bar
        top.is_demo = self.is_demo
        for problem in self.themes.problems:
            self.tell(f"theme {problem}", Severity.WARNING)
        if self.config.theme not in self.themes.palettes:
            self.tell(f"There is no theme {self.config.theme}; this is {DEFAULT}.", Severity.WARNING)
        if self._remark:
            self.tell(self._remark, Severity.WARNING, LONGEST_S)
        chosen = self.main.query_one(QuotesPane).chosen  # keys may have come before the feeds
        self.main.choose(chosen or self.watchlists.first)
        self.update_wants()
        gc.enable()
        gc.freeze()  # what start-up made stays: looking through it again and again held up the loop for 0.2 s at a time

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name, code in (("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)):
            if number := getattr(signal, name, None):
                loop.add_signal_handler(number, self._exit_by_signal, code)

    def _exit_by_signal(self, code: int) -> None:
        self.run_worker(self._leave(code), name="leave", group="leave", exclusive=True)

    def _fatal_error(self) -> None:
        """Show where it happened, without local variables: they may hold secrets."""
        from rich.traceback import Traceback  # brings a highlighter of source code along

        self._exit_renderables.append(Traceback(show_locals=False, width=None, suppress=[textual]))
        self._close_messages_no_wait()

    async def action_quit(self) -> None:
        """Close the connections properly, then leave."""
        await self._leave(0)

    def action_help_quit(self) -> None:
        """Ctrl+C where there is nothing to copy: what the signal of the same key does."""
        self._exit_by_signal(130)

    async def _leave(self, code: int) -> None:
        self._is_leaving = True
        if self.hub is not None:
            try:
                async with asyncio.timeout(QUIT_S):
                    await self.hub.close()
                    if self._http is not None:
                        await self._http.close()
            except TimeoutError:
                self.log("feeds did not close in time")
        self.exit(return_code=code)

    async def draw_frame(self) -> None:
        """Draw what changed since the last frame, and ages."""
        main = self.main
        if main is None or not main.is_mounted or self.hub is None or not self._pace.beat():
            return
        self.desk.lag_s = self._pace.lag_s
        self.hub.release()
        changes = self.store.drain()
        if Topic.NOTICES in changes.topics:
            self._tell_notices()
        if Topic.FEEDS in changes.topics:
            self._tell_failures()
        if self._behind is None:
            await self.draw_changes(main, changes)
        else:
            self._behind += len(changes.keys)
            main.top_bar.behind = self._behind
            if self._quiet.ticks(changes, self.clock.now_ns()) or changes:
                main.draw_bars()  # the lights go on: a feed may fail meanwhile
        if self.store.quiet_since_ns is not None and not self.store.is_changed:
            self._rest()

    def _rest(self) -> None:
        """Stop the frame clock while nothing happens, but for a look once a second: values stop being live."""
        self._frames.pause()
        self._alarm = asyncio.get_running_loop().call_later(REST_S, self._wake)

    def _wake(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._pace.restart()
        self._frames.resume()

    async def draw_changes(self, main: MainScreen, changes: Changes) -> None:
        """Draw the panes that changes touch, and those that show ages when it is time for them."""
        now_ns = self.clock.now_ns()
        ticks = self._quiet.ticks(changes, now_ns)
        draws: list[Callable[[], None]] = [
            partial(self._draw_pane, pane)
            for pane in main.panes
            if ((ticks and pane.ticks) or (changes and pane.is_touched_by(changes)) or pane.is_due(now_ns))
            and pane.display
        ]
        if ticks or changes.topics:
            draws.append(main.draw_bars)
        elif changes:
            draws.append(main.top_bar.draw)
        await self._painter.paint(draws)

    def _draw_pane(self, pane: Pane) -> None:
        """Draw a pane that can be seen, unless the screen was frozen since the frame began."""
        if pane.display and self._behind is None:
            pane.draw()

    def flush(self) -> None:
        """Show what was drawn in a batch: widgets that asked while it lasted were not heard."""
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                screen.write_changes()
            else:
                screen.check_idle()

    def update_wants(self) -> None:
        """Tell the feeds what every pane that can be seen needs."""
        if self.hub is None or self.main is None:
            return
        for pane in self.main.panes:
            seen = pane.display or pane.pane_id in ALWAYS_WANTED
            self.hub.want(pane.pane_id, pane.wants() if seen else frozenset())

    def on_pane_wants_changed(self, message: Pane.WantsChanged) -> None:
        """A pane shows something else; a frozen screen returns to live, or it would mix two times."""
        self._freeze(False)
        self.update_wants()

    def on_panes_arranged(self, message: PanesArranged) -> None:
        """Other panes show."""
        self.update_wants()

    def on_symbol_chosen(self, message: SymbolChosen) -> None:
        """Another row is selected."""
        if self.main:
            self.main.choose(message.symbol)

    def on_interval_chosen(self, message: IntervalChosen) -> None:
        """An interval was picked from the list."""
        self._set_interval(message.interval)

    def on_reconnect_requested(self, message: ReconnectRequested) -> None:
        """The user does not want to wait."""
        if self.hub:
            self.hub.retry(message.feed)

    def on_venues_chosen(self, message: VenuesChosen) -> None:
        """Venues were switched off or on."""
        if self.hub and not self.hub.leave_out(message.symbol, message.left_out):
            self.tell(f"No source lets the venues of {message.symbol} be chosen.", Severity.WARNING)

    def on_link_opened(self, message: LinkOpened) -> None:
        """Open a page; without a desktop the address is copied and shown instead."""
        if url := safe_url(message.url):
            self.run_worker(self._open(url), group="browser", exit_on_error=False)

    async def _open(self, url: str) -> None:
        if not await asyncio.to_thread(open_in_browser, url):
            self.copy_to_clipboard(url)
            self.tell(f"Copied, as there is no browser here: {url}", Severity.INFO)

    def add_symbol(self, symbol: Symbol) -> None:
        """Put a symbol on the shown list and select it."""
        if symbol not in self.desk.symbols:
            self.watchlists.add(symbol, self.hub.keep(symbol) if self.hub else {})
        self._list_changed(symbol)

    def on_symbol_removed(self, message: SymbolRemoved) -> None:
        """A symbol is off the list; `u` brings it back."""
        self.watchlists.save()
        self.update_wants()
        self.tell(f"Removed {message.symbol}. Press u to bring it back.", Severity.INFO)

    def on_watchlist_edited(self, message: WatchlistEdited) -> None:
        """The order changed."""
        self.watchlists.save()

    def on_move_refused(self, message: MoveRefused) -> None:
        """A sorted list has no order of its own to change."""
        key = self.config.keys.get("quotes.sort", "s")
        self.tell(
            f"Rows move only in the list's own order. It is sorted by {message.sort_by}: press {key} until it is not.",
            Severity.INFO,
        )

    def action_undo_remove(self) -> None:
        """Bring back what was removed last, where it was."""
        symbol = self.watchlists.undo()
        if symbol is None:
            self.tell("Nothing was removed.", Severity.INFO)
        else:
            self._list_changed(symbol)

    def action_next_watchlist(self) -> None:
        """Show the next list."""
        if not self.watchlists.show_next():
            self.tell("There is one list only; more go under [watchlists].", Severity.INFO)
        self._list_changed(self.watchlists.first)

    def _list_changed(self, symbol: Symbol | None) -> None:
        if self.main is None:
            return
        pane = self.main.query_one(QuotesPane)
        if symbol is not None:
            pane.select_symbol(symbol)
        else:
            pane.redraw()
            self.main.choose(None)
        self.update_wants()

    async def action_add_symbol(self) -> None:
        """Ask for a symbol."""
        from tui.screens.symbols import SymbolPrompt

        if self.hub is None:
            return

        def chosen(symbol: Symbol | None) -> None:
            if symbol is not None:
                self.watchlists.used(symbol)
                self.add_symbol(symbol)

        await self.push_screen(SymbolPrompt(self.desk, self._search, self.watchlists.recent), chosen)

    async def _search(self, text: str) -> Matches:
        from tui.screens.symbols import Match, Matches

        assert self.hub
        found = await self.hub.search(text, 50)
        matches = [Match(m.symbol, m.description, m.kind, m.carried_by) for m in found.matches]
        return Matches(matches, [f"{name}: {why}" for name, why in found.errors.items()])

    def action_focus_pane(self, pane_id: str) -> None:
        """Go to a pane."""
        if self.main and self.screen is self.main:
            self.main.show(pane_id)

    def action_cycle_pane(self, step: int) -> None:
        """Go to the next or the previous pane."""
        if self.main and self.screen is self.main:
            self.main.cycle(step)

    def action_maximise(self) -> None:
        """Give the pane all the room, or take it back."""
        if self.main:
            self.main.maximise(not self.main.is_maximised)

    def action_restore(self) -> None:
        """Back from a maximised pane."""
        if self.main and self.main.is_maximised:
            self.main.maximise(False)

    def action_freeze(self) -> None:
        """Stop the screen while the feeds go on; the same key returns to live."""
        if self.main is None:
            return
        self._freeze(self._behind is None)

    def _freeze(self, on: bool) -> None:
        if self.main is None or on is (self._behind is not None):
            return
        self._behind = 0 if on else None
        self.main.top_bar.behind = self._behind
        for pane in self.main.panes:
            if not on and pane.display:
                pane.draw()
        self.main.draw_bars()

    def action_next_theme(self) -> None:
        """Change to the next theme."""
        names = list(self.themes.palettes)
        self.theme = names[(names.index(self.desk.palette.name) + 1) % len(names)]

    def watch_theme(self, theme: str) -> None:
        """Draw everything in the new colours."""
        if theme in self.themes.palettes:
            self.use_palette(self.themes.palettes[theme])

    def use_palette(self, palette: Palette) -> None:
        """Colours of all panes."""
        self.desk.palette = palette
        if self.main is not None and self.main.is_mounted:
            for pane in self.main.panes:
                pane.redraw()
            self.main.draw_bars()

    async def action_choose_interval(self) -> None:
        """Pick the bars' interval from a list."""
        from tui.panes.bars import BarsPane
        from tui.screens.choose import ChooseScreen

        if self.main is None:
            return

        def chosen(value: str | None) -> None:
            if value is not None:
                self._set_interval(Interval(value))

        words = [interval.value for interval in Interval]
        current = self.main.query_one(BarsPane).interval.value
        await self.push_screen(ChooseScreen("Interval of the bars", words, current), chosen)

    def _set_interval(self, interval: Interval) -> None:
        from tui.panes.bars import BarsPane

        if self.main:
            self.main.query_one(BarsPane).show_interval(interval)

    async def action_command_palette(self) -> None:  # type: ignore[override]
        """Every action by name; what is typed from here on goes into the input."""
        from textual.widgets import Input

        if not isinstance(self.screen, CommandPalette):
            palette = CommandPalette(id="--command-palette")
            await self.push_screen(palette)
            palette.set_focus(palette.query_one(Input))

    async def action_all_keys(self) -> None:
        """Every key."""
        from tui.screens.help import KeysScreen

        await self.push_screen(KeysScreen(ACTIONS, dict(self.config.keys)))

    async def action_pane_help(self) -> None:
        """Help for the focused pane."""
        from tui.screens.help import PaneHelpScreen

        if self.main:
            pane = self.main.pane(self.main.current)
            await self.push_screen(PaneHelpScreen(pane.title, pane.help, pane.pane_id, dict(self.config.keys)))

    async def action_credentials(self) -> None:
        """Enter keys for this run."""
        from tui.screens.credentials import CredentialsScreen, Entered, Wanted

        if self.hub is None:
            return
        hub = self.hub
        wanted = [
            Wanted(provider.title, field.name, field.title, field.where)
            for provider in hub.providers.values()
            for field in provider.credential_fields
        ]
        names = {provider.title: name for name, provider in hub.providers.items()}

        def entered(values: Entered | None) -> None:
            for (title, field), secret in (values or {}).items():
                self._keep(names[title], field, secret)

        await self.push_screen(CredentialsScreen(wanted), entered)

    def _keep(self, provider: str, field: str, secret: SecretStr) -> None:
        assert self._secrets is not None
        try:
            self._secrets.keep(provider, field, secret)
        except CredentialError as error:
            self.tell(f"{error}. {error.remedy}", Severity.ERROR)
            return
        self._remark = ""  # from here on a key that fails is news
        if self.hub:
            for name in self.hub.feeds:
                if name.startswith(f"{provider}:"):
                    self.hub.retry(name)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action by name, for the palette."""
        for action in ACTIONS:
            if action.method in ("app.command_palette", "app.restore"):
                continue
            prefix = "" if action.scope == "app" else f"{action.scope}: "
            yield SystemCommand(prefix + action.title, f"key {action.label}", partial(self._run, action))

    async def _run(self, action: Action) -> None:
        if self.main and action.scope != "app":
            self.main.show(action.scope)
            await self.run_action(action.method, self.main.pane(action.scope))
        else:
            await self.run_action(action.method)

    def tell(self, text: str, severity: Severity = Severity.INFO, seconds: float = SHORT_S) -> None:
        """Show a short text for a while; the same text not again within half a minute, three at most."""
        if not self._repeats.is_news(text, self.clock.now_ns()):
            return
        if len(self._notifications) >= 3:
            self.clear_notifications()
        level = {Severity.INFO: "information", Severity.WARNING: "warning", Severity.ERROR: "error"}[severity]
        self.notify(text, severity=level, timeout=seconds, markup=False)  # type: ignore[arg-type]

    def _tell_notices(self) -> None:
        fresh = [notice for notice in self.store.notices if notice.severity is not Severity.INFO]
        for notice in fresh[-3:]:
            if self.clock.now_ns() - notice.ts_recv_ns < REPEAT_NS:
                self.tell(notice_text(notice), notice.severity)

    def _tell_failures(self) -> None:
        key = self.config.keys.get("app.credentials", "C")
        for text in self._failures.fresh(self.store.feeds, key, but_keys=bool(self._remark)):
            self.tell(text, Severity.ERROR, LONG_S)
