"""`tickdeck demo`: the dashboard on the simulator. Needs no key, no network, no configuration, and leaves nothing."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from tui.loop import run
from tui.market.names import Symbol

if TYPE_CHECKING:
    from tui.config import Config
    from tui.credentials import FixedSecrets


class Look(NamedTuple):
    """As much of the configuration as the screen needs, at its defaults.

    The configuration itself knows all providers and validates what they can be given: too much before the first frame.
    """

    theme: str = "tickdeck-dark"
    frames_per_second: int = 10
    flash: bool = True
    watchlists: Mapping[str, Sequence[Symbol]] = {"main": tuple(map(Symbol, "AAPL NVDA SPX BTC/USDT ETH/USDT".split()))}
    watchlist: str = "main"
    keys: Mapping[str, str] = {}


def demo_command(args: Namespace) -> int:
    """Show the dashboard, then start the simulator beside us.

    Args:
        args: `symbols`, `seed`, `faults`, `theme`.

    Returns:
        The exit code of the dashboard.

    Raises:
        TickdeckError: the simulator did not start.
    """
    from tui.app import MarketApp

    with ExitStack() as stack:

        def simulate() -> tuple[Config, FixedSecrets]:
            from tui.simulator.process import SimulatorProcess

            simulator = stack.enter_context(SimulatorProcess(seed=args.seed, faults=args.faults))
            for name in ("tui.feeds.hub", "tui.rest"):  # what feeds need, while the simulator starts
                import_module(name)
            from tui.config import Config
            from tui.credentials import FixedSecrets

            config = Config()
            addresses = simulator.addresses()
            return config.with_providers(addresses.providers, only=True), FixedSecrets(addresses.credentials)

        look = Look(args.theme) if args.theme else Look()
        app = MarketApp(cast("Config", look), None, symbols=args.symbols, demo=True, prepare=simulate)
        run(app.run_async())
        if app.failure:
            raise app.failure
        return app.return_code or 0
