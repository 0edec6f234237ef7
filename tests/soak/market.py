"""The simulator in a process of its own, with a ledger: `python -m tests.soak.market`.

The first line on standard output says where it listens; then one line every `STEP_S` says how things stand. A line on
standard input ends the faults, the end of it everything.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from random import Random
from typing import Any

from websockets.asyncio.server import ServerConnection

from tests.soak.ledger import Ledger
from tui.providers.insightsentry.simulator_frames import codes
from tui.simulator.faults import Fault, FaultKind
from tui.simulator.server import SimulatorServer

STEP_S = 0.2
LASTS_S = {FaultKind.REFUSE: (3.0, 8.0), FaultKind.FREEZE: (20.0, 45.0), FaultKind.SLOW: (5.0, 15.0)}


class WatchedServer(SimulatorServer):
    """A simulator that keeps a ledger, and in which something goes wrong on a steady beat."""

    def __init__(self, seed: int, rate: float) -> None:
        super().__init__(seed=seed, rate=rate)
        self.ledger = Ledger(codes(self.market), time.monotonic)
        self.faults: Counter[str] = Counter()
        self._sockets: dict[ServerConnection, Any] = {}

    async def _converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        dialect, channel = self._routes[socket.request.path.partition("?")[0]]
        line = self.ledger.opened(f"{dialect.provider}:{channel}")
        send = socket.send

        async def noted(frame: Any, *args: Any, **rest: Any) -> None:
            said = self.ledger.sending(line, frame)
            await send(frame, *args, **rest)
            self.ledger.sent(line, said)

        socket.send = noted  # type: ignore[method-assign, assignment]
        self._sockets[socket] = line
        try:
            await super()._converse(socket)
        finally:
            del self._sockets[socket]
            self.ledger.closed(line)

    async def trouble(self, every_s: float, seed: int) -> None:
        """One fault after the other, every kind equally often."""
        random = Random(f"soak/{seed}")
        while True:
            for kind in random.sample(list(FaultKind), len(FaultKind)):
                await asyncio.sleep(every_s)
                self.faults[kind] += 1
                self.cause(Fault(kind, random.uniform(*LASTS_S.get(kind, (0.0, 0.0))), random.random()))

    def report(self) -> dict[str, Any]:
        """How things stand."""
        now_s = time.monotonic()
        for link in self._links:
            line = self._sockets.get(link._socket)
            if line is not None:
                line.frozen_s = (line.frozen_s or now_s) if link.is_frozen else None
        violations = {f"{name}: {what}": number for name, found in self.violations().items()
                      for what, number in found.items()}  # fmt: skip
        return {**self.ledger.take(), "violations": violations, "faults": dict(self.faults)}


async def main() -> None:
    """Serve until standard input ends."""
    arguments = ArgumentParser()
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--rate", type=float, default=10.0)
    arguments.add_argument("--fault-every", type=float, default=5.0)
    given = arguments.parse_args()
    async with WatchedServer(given.seed, given.rate) as server:
        _say({"providers": server.settings(), "credentials": server.credentials()})
        telling = asyncio.create_task(_tell(server))
        trouble = asyncio.create_task(server.trouble(given.fault_every, given.seed))
        await _next_line()  # "quiet", or the end
        trouble.cancel()
        await _next_line()
        telling.cancel()
        await asyncio.wait({telling, trouble})


async def _tell(server: WatchedServer) -> None:
    while True:
        _say(server.report())
        await asyncio.sleep(STEP_S)


async def _next_line() -> None:
    """Wait for whoever started us: a line, or the end of it all. No thread of the loop's own: ending it would wait."""
    came = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> None:
        sys.stdin.readline()
        loop.call_soon_threadsafe(came.set)

    threading.Thread(target=read, daemon=True).start()
    await came.wait()


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
