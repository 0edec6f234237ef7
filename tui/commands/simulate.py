"""`tickdeck simulate`: the simulator on its own, and what to save to make the program use it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from tui.commands.signals import run_until_signal
from tui.credentials import variable_name
from tui.simulator.faults import FaultLevel
from tui.simulator.server import SimulatorServer

DEFAULT_SEED = 7


def simulate_command(args: Namespace) -> int:
    """Serve until Ctrl+C or SIGTERM; with `--json`, until standard input ends.

    Args:
        args: `port`, `seed` (None for the usual one), `rate`, `faults`, `json`.

    Returns:
        130 or 143 after a signal, 1 when the port is taken, 0 at the end of standard input.
    """
    return run_until_signal(_simulate(args))


async def _simulate(args: Namespace) -> int:
    server = SimulatorServer(
        port=args.port,
        seed=DEFAULT_SEED if args.seed is None else args.seed,
        rate=args.rate,
        faults=FaultLevel(args.faults),
    )
    try:
        await server.start()
    except OSError as error:
        print(f"tickdeck: cannot listen on 127.0.0.1:{args.port}: {os.strerror(error.errno or 0)}", file=sys.stderr)
        print("Try another port: tickdeck simulate --port 0 takes any free one.", file=sys.stderr)
        return 1
    try:
        if args.json:
            print(json.dumps(addresses(server)), flush=True)
            await _input_ended()
        else:
            print("\n".join(page(server, args)), flush=True)
            await asyncio.Event().wait()
    finally:
        await server.stop()
        for provider, rules in server.violations().items():
            counts = ", ".join(f"{rule} ({number})" for rule, number in sorted(rules.items()))
            print(f"tickdeck: clients of {provider} broke rules of its protocol: {counts}", file=sys.stderr)
    return 0


def addresses(server: SimulatorServer) -> dict[str, Any]:
    """What another process needs to use a running server; see `tui.simulator.process`."""
    return {
        "ws": server.ws_base,
        "http": server.http_base,
        "providers": server.settings(),
        "credentials": server.credentials(),
    }


def page(server: SimulatorServer, args: Namespace) -> Iterator[str]:
    """A configuration file that points at the server; all the rest is comments, so that it can be saved as it is."""
    yield f"# tickdeck simulator: faults {args.faults}, rate {args.rate:g}. Ctrl+C ends it."
    yield f"# WebSocket  {server.ws_base}"
    yield f"# REST       {server.http_base}"
    yield "#"
    yield "# Save all of this as simulator.toml, then in another terminal:"
    for provider, fields in server.credentials().items():
        for field, value in fields.items():
            yield f"#   export {variable_name(provider, field)}={value}"
    yield "#   tickdeck run --config simulator.toml"
    for provider, settings in server.settings().items():
        yield ""
        yield f"[providers.{provider}]"
        yield from (f"{name} = {toml_value(value)}" for name, value in settings.items())


def toml_value(value: object) -> str:
    """A setting as TOML: text, booleans, numbers, lists and tables of them.

    Raises:
        TypeError: anything else.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            return repr(value)
        case Mapping():
            return "{" + ", ".join(f"{json.dumps(str(k))} = {toml_value(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(toml_value, value)) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")


async def _input_ended() -> None:
    """Wait until whoever holds the other end of standard input has gone."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(ended.set)

    # Not the loop's executor: that would wait for this thread when a signal ends us.
    threading.Thread(target=read, name="standard input", daemon=True).start()
    await ended.wait()
