"""The values that one run of the task works with."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from typing import NamedTuple

from handler.clock import rfc3339_of
from handler.forwarding.addresses import forward_client
from handler.http_client import Http
from handler.ingest.recorder import Recorder
from handler.ledger import keys
from handler.ledger.attempts import Attempts
from handler.ledger.dead_letters import Content, DeadLetter
from handler.ledger.keys import FORWARD_LEASES
from handler.ledger.lease import Lease
from handler.ledger.outbox import Outbox
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.log import Log
from handler.parallel import Parallel, in_parallel
from handler.policy import Policy
from handler.settings import Settings


class Timing(NamedTuple):
    """clock: epoch seconds. sleep: takes seconds. timer: seconds, of a clock that only runs
    forward. time_left: seconds until the run must have ended. parallel: runs several at a time."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    timer: Callable[[], float]
    time_left: Callable[[], float]
    parallel: Parallel = in_parallel


class ForwardContext(NamedTuple):
    """One run. writer: random, and part of each name that the run makes up. jitter: from 0 to 1."""

    settings: Settings
    policy: Policy
    ledger: Ledger
    recorder: Recorder
    outbox: Outbox
    attempts: Attempts
    lease: Lease
    http: Http
    timing: Timing
    log: Log
    request_id: str
    writer: str
    jitter: Callable[[], float]

    @classmethod
    def of(
        cls, settings: Settings, store: Store, timing: Timing, log: Log, request_id: str
    ) -> ForwardContext:
        """A context with a lease of its own, whose writer is random."""
        writer = secrets.token_hex(8)
        clock, sleep = timing.clock, timing.sleep
        wait_s, folder = settings.lease_wait_s, FORWARD_LEASES
        ledger = Ledger(store)
        return cls(
            settings=settings,
            policy=Policy.of(settings),
            ledger=ledger,
            recorder=Recorder.of(settings, store),
            outbox=Outbox(ledger),
            attempts=Attempts(store),
            lease=Lease(
                store, clock, sleep, writer, settings.lease_s, wait_s, folder, timing.timer
            ),
            http=forward_client(settings.forward_allow_hosts or frozenset()),
            timing=timing,
            log=log,
            request_id=request_id,
            writer=writer,
            jitter=random.random,
        )

    @property
    def store(self) -> Store:
        """The ledger's store."""
        return self.ledger.store

    def now(self) -> str:
        """This moment, RFC 3339 in UTC."""
        return rfc3339_of(self.timing.clock())

    def batch_name(self, number: int) -> str:
        """The name of a batch of this run."""
        return f"{int(self.timing.clock()):010d}-{self.writer}-{number:04d}"

    def deliveries_key(self, name: str) -> str:
        """Where it is kept what became of a batch."""
        return keys.deliveries(self.now(), name)

    def dead_letter(
        self, body: bytes, content: Content, reason: str, explanation: str
    ) -> DeadLetter:
        """A dead letter of something that the run found."""
        now = self.now()
        return DeadLetter(body, reason, explanation, {}, "timer", now, self.request_id, content)
