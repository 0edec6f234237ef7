"""`tickdeck demo`: the dashboard on the simulator. Needs no key, no network, no configuration, and leaves nothing."""

from __future__ import annotations

from argparse import Namespace

from tui.simulator.process import SimulatorProcess


def demo_command(args: Namespace) -> int:
    """Start the simulator beside us and show it.

    Args:
        args: `symbols`, `seed`, `faults`, `theme`.

    Returns:
        The exit code of the dashboard.

    Raises:
        TickdeckError: the simulator did not start.
    """
    with SimulatorProcess(seed=args.seed, faults=args.faults) as simulator:
        # These take as long to import as the simulator takes to start: let both happen at once.
        from tui.app import MarketApp
        from tui.config import Config
        from tui.credentials import FixedSecrets

        addresses = simulator.addresses()
        config = Config().with_providers(addresses.providers, only=True)
        if args.theme:
            config = config.model_copy(update={"theme": args.theme})
        app = MarketApp(config, FixedSecrets(addresses.credentials), symbols=args.symbols, demo=True, state=None)
        app.run()
        return app.return_code or 0
