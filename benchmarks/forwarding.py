"""Rows of events that are forwarded: a million jobs a day to two destinations, in virtual time.

The task is the real code. Made up is what it asks: each request to COS and to a destination takes
the latency and the CPU of one core that it is charged (sweep_world.py).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.figures import Table
from benchmarks.made_up import made_up_record
from benchmarks.sweep_world import LIMIT_S, MadeUpStore, World
from benchmarks.virtual_time import VirtualTime
from handler.callback.record import JobRecord
from handler.events.queue import EventQueue
from handler.forwarding.context import ForwardContext, Timing
from handler.forwarding.forward import Forward
from handler.http_client import Answer
from handler.ledger.keys import EVENTS, PENDING
from handler.ledger.records import Ledger
from handler.log import Log
from handler.policy import Policy
from handler.settings import Settings

START = 1_790_000_000.0
A_MINUTE = 1_000_000 / 1440
"""Events, of a million jobs a day."""

LATENCIES_MS = (20, 50)
"""Of a request to COS and of a delivery."""

SEND_CPU_S = 0.002
"""Of one core: a delivery over a connection that is open, signed and encrypted."""

SECRET = "whsec_" + "A" * 43 + "="


class Forwarded(NamedTuple):
    """What was played. longest_s: of a run; requests: to COS for each event; left: objects that
    wait in the end; twice: deliveries that were repeated."""

    longest_s: float
    requests: float
    left: int
    twice: int


class Destinations:
    """Two receivers that take every event."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.taken: dict[tuple[str, str], int] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        self._world.charge("delivery", SEND_CPU_S)
        key = (url, headers["webhook-id"])
        self.taken[key] = self.taken.get(key, 0) + 1
        return Answer(204, b"")


def played(latency_s: float, a_minute: float, minutes: int) -> Forwarded:
    """Events that come evenly, and a run of the task each minute."""
    world = World(latency_s, VirtualTime(START))
    store, destinations = MadeUpStore(world), Destinations(world)
    urls = (f"https://{host}.example.com/#secret={SECRET}" for host in "ab")
    settings = Settings.from_env({"FORWARD_URLS": " ".join(urls)})
    ledger, queue = Ledger(store), EventQueue(store, Policy.of(settings))
    longest_s, came = 0.0, 0
    for minute in range(minutes):
        world.time.now = max(world.time.now, START + 60 * minute)
        while came < round(a_minute * (minute + 1)):
            ended = _record(f"j{came:032d}")
            queue.put_end(ended)
            ledger.put_record(ended)
            came += 1
        world.begun = begun = world.time.now
        Forward(_context(world, store, settings, destinations)).run()
        longest_s = max(longest_s, world.time.now - begun)
        world.begun = None
    asked = sum(count for kind, count in world.time.requests.items() if kind != "delivery")
    left = len(store.keys(EVENTS)) + len(store.keys(PENDING))
    twice = sum(count > 1 for count in destinations.taken.values())
    return Forwarded(longest_s, asked / came, left, twice)


def _record(job_id: str) -> JobRecord:
    return made_up_record(job_id)._replace(state="Success", outcome="succeeded", code="Success")


def _context(
    world: World, store: MadeUpStore, settings: Settings, destinations: Destinations
) -> ForwardContext:
    time, begun = world.time, world.time.now
    timing = Timing(
        time.clock, time.sleep, time.clock, lambda: begun + LIMIT_S - time.now, time.parallel
    )
    log = Log(io.StringIO(), time.clock)
    context = ForwardContext.of(settings, store, timing, log, "r1")
    return context._replace(http=destinations)


def measure(table: Table, minutes: int) -> None:
    """Play both latencies, and put their rows."""
    for ms in LATENCIES_MS:
        run = played(ms / 1000, A_MINUTE, minutes)
        title = f"1 M jobs a day to two destinations, {ms} ms: "
        for key, what, unit, value in (
            ("run", "the longest run", "s", run.longest_s),
            ("cos", "COS requests of the task per event", "", run.requests),
            ("left", "events left", "", run.left),
            ("twice", "sent twice", "", run.twice),
        ):
            table.put(f"events.{key}.{ms}", title + what, unit, ours=value)
