"""One sweep's context in memory, and what is left behind in it."""

from __future__ import annotations

import json
from typing import Any
from weakref import WeakKeyDictionary

from handler.ledger.outbox import Ticket
from handler.log import Log
from handler.retries.context import Invocation, SweepContext
from handler.settings import Settings
from tests.stores import QuickWorld

_contexts: WeakKeyDictionary[QuickWorld, list[SweepContext]] = WeakKeyDictionary()


def context_of(world: QuickWorld) -> SweepContext:
    """Of a sweep that holds its lease."""
    log = Log(world.output, world.clock)
    invocation = Invocation(world.clock, world.sleep, log, "r1", world.http, world.clock)
    context = SweepContext.of(Settings.from_env(world.env), world.memory, invocation)
    context.lease.acquired_at = world.now
    _contexts.setdefault(world, []).append(context)
    return context


def _closed(world: QuickWorld) -> set[str]:
    """The names of the tickets that sweeps delete at their end."""
    keys = {key for context in _contexts.get(world, ()) for key in context.outbox.closed}
    return {key.removeprefix("_outbox/") for key in keys}


def tickets(world: QuickWorld) -> dict[str, Ticket]:
    """What is in the outbox once each sweep has come to its end, by name."""
    names = [key.removeprefix("_outbox/") for key in world.keys("_outbox/")]
    left = [name for name in names if name not in _closed(world)]
    return {name: Ticket.from_json(world.memory.get(f"_outbox/{name}") or b"") for name in left}


def done(world: QuickWorld) -> list[str]:
    """The names of the tickets that were dealt with."""
    return sorted({key.removeprefix("_done/") for key in world.keys("_done/")} | _closed(world))


def lines(world: QuickWorld, event: str) -> list[dict[str, Any]]:
    """What was logged of an event, but for the time."""
    logged = [json.loads(line) for line in world.output.getvalue().splitlines()]
    return [
        {name: value for name, value in line.items() if name not in ("time", "event")}
        for line in logged
        if line["event"] == event
    ]
