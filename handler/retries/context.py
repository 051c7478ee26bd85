"""The values that one sweep, or one reconciliation, works with."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from handler.ci_api.locate import CiLocator
from handler.ci_api.responses import ANSWER_LIMITS
from handler.clock import rfc3339_of
from handler.http_client import Http, client_of_process
from handler.ingest.recorder import Recorder
from handler.ledger.attempts import Attempts
from handler.ledger.dead_letters import Content, DeadLetter
from handler.ledger.lease import Lease
from handler.ledger.outbox import Outbox
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.log import Log
from handler.parallel import Parallel, in_parallel
from handler.policy import Policy
from handler.retries.roots import RootLocks
from handler.settings import Settings


@dataclass(frozen=True)
class Invocation:
    """The parts of an invocation: clock (epoch seconds), sleep (seconds), log and request id.

    http: for CI and the alert channels; None: over the network. timer: seconds, of a clock that
    only runs forward. parallel: how several tickets are dealt with at a time.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Log
    request_id: str
    http: Http | None = None
    timer: Callable[[], float] = time.perf_counter
    parallel: Parallel = in_parallel


@dataclass
class SweepContext:
    """One sweep's settings, its ledger as seen by each part, its lease, and the invocation's own.

    Not frozen: AlertContext, the part of it that alerts need, declares plain attributes.
    """

    settings: Settings
    policy: Policy
    ledger: Ledger
    recorder: Recorder
    outbox: Outbox
    attempts: Attempts
    lease: Lease
    roots: RootLocks
    ci: CiLocator
    http: Http
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    timer: Callable[[], float]
    parallel: Parallel
    log: Log
    request_id: str

    @classmethod
    def of(cls, settings: Settings, store: Store, invocation: Invocation) -> SweepContext:
        """A context with a lease of its own, whose writer is random."""
        ledger, policy = Ledger(store), Policy.of(settings)
        clock, sleep = invocation.clock, invocation.sleep
        http = invocation.http or client_of_process(ANSWER_LIMITS.max_bytes)
        writer = secrets.token_hex(8)
        return cls(
            settings=settings,
            policy=policy,
            ledger=ledger,
            recorder=Recorder.of(settings, store),
            outbox=Outbox(ledger, invocation.parallel),
            attempts=Attempts(store),
            lease=Lease(
                store,
                clock,
                sleep,
                writer,
                settings.lease_s,
                settings.lease_wait_s,
                timer=invocation.timer,
            ),
            roots=RootLocks(),
            ci=CiLocator(settings, http, sleep),
            http=http,
            clock=clock,
            sleep=sleep,
            timer=invocation.timer,
            parallel=invocation.parallel,
            log=invocation.log,
            request_id=invocation.request_id,
        )

    def dead_letter(
        self, body: bytes, content: Content, reason: str, explanation: str
    ) -> DeadLetter:
        """A dead letter of something that the sweep found."""
        now = self.now()
        return DeadLetter(body, reason, explanation, {}, "timer", now, self.request_id, content)

    def now(self) -> str:
        """This moment, RFC 3339 in UTC."""
        return rfc3339_of(self.clock())
