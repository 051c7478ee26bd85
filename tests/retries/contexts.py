"""One sweep's context in memory, and what is left behind in it."""

from __future__ import annotations

import json
from typing import Any

from handler.ledger.outbox import Ticket
from handler.log import Log
from handler.retries.context import Invocation, SweepContext
from handler.settings import Settings
from tests.stores import QuickWorld


def context_of(world: QuickWorld) -> SweepContext:
    """Of a sweep that holds its lease."""
    log = Log(world.output, world.clock)
    invocation = Invocation(world.clock, world.sleep, log, "r1", world.http, world.clock)
    context = SweepContext.of(Settings.from_env(world.env), world.memory, invocation)
    context.lease.acquired_at = world.now
    return context


def tickets(world: QuickWorld) -> dict[str, Ticket]:
    """What is in the outbox, by name."""
    keys = world.keys("_outbox/")
    lines = {key.removeprefix("_outbox/"): world.memory.get(key) or b"" for key in keys}
    return {name: Ticket.from_json(line) for name, line in lines.items()}


def done(world: QuickWorld) -> list[str]:
    """The names of the tickets that were dealt with."""
    return [key.removeprefix("_done/") for key in world.keys("_done/")]


def lines(world: QuickWorld, event: str) -> list[dict[str, Any]]:
    """What was logged of an event, but for the time."""
    logged = [json.loads(line) for line in world.output.getvalue().splitlines()]
    return [
        {name: value for name, value in line.items() if name not in ("time", "event")}
        for line in logged
        if line["event"] == event
    ]
