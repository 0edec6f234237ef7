"""`tickdeck demo`: the dashboard on the simulator. Needs no key, no network, no configuration, and leaves nothing."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from importlib import import_module

from tui.loop import run


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
    from tui.config import Config
    from tui.credentials import FixedSecrets

    with ExitStack() as stack:

        def simulate() -> tuple[Config, FixedSecrets]:
            from tui.simulator.process import SimulatorProcess

            simulator = stack.enter_context(SimulatorProcess(seed=args.seed, faults=args.faults))
            for name in ("tui.feeds.hub", "tui.rest"):  # what feeds need, while the simulator starts
                import_module(name)
            config = Config()
            addresses = simulator.addresses()
            return config.with_providers(addresses.providers, only=True), FixedSecrets(addresses.credentials)

        # as much of the configuration as the screen needs: the rest asks every provider for its settings
        look = {"theme": args.theme} if args.theme else {}
        config = Config.model_construct(watchlist="main", **look)
        app = MarketApp(config, FixedSecrets({}), symbols=args.symbols, demo=True, prepare=simulate)
        run(app.run_async())
        if app.failure:
            raise app.failure
        return app.return_code or 0
