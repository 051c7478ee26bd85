"""What every step of a sweep works with: handed in once, so that the steps read as the protocol."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from handler.callback.record import JobRecord
from handler.ci_api.client import Ci
from handler.ci_api.locate import ci_of, place_of
from handler.clock import rfc3339_of
from handler.http_client import Http
from handler.ingest.recorder import Recorder
from handler.ledger.attempts import Attempts
from handler.ledger.dead_letters import Content, DeadLetter
from handler.ledger.lease import Lease
from handler.ledger.outbox import Outbox, Ticket, alert_of
from handler.ledger.records import Ledger
from handler.log import Log
from handler.policy import Policy
from handler.settings import Settings

MAX_TRIES = 8
"""How often a ticket is put off for one reason before a person is told."""

DELAYS_S = (60, 120, 300, 600, 1800, 3600, 7200, 14400)
"""Until a ticket that was put off is looked at again, by how often it was before."""


@dataclass
class SweepContext:
    """One sweep's tools. All times are epoch seconds or seconds."""

    settings: Settings
    ledger: Ledger
    lease: Lease
    http: Http
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Log
    request_id: str
    policy: Policy = field(init=False)
    intake: Recorder = field(init=False)
    outbox: Outbox = field(init=False)
    attempts: Attempts = field(init=False)
    submits: int = 0
    """Re-submissions of this sweep so far."""

    def __post_init__(self) -> None:
        self.policy = Policy.of(self.settings)
        self.intake = Recorder(self.ledger, self.policy)
        self.outbox = Outbox(self.ledger)
        self.attempts = Attempts(self.ledger.store)

    def ci(self, record: JobRecord) -> Ci:
        """CI for the bucket in which a job ran: the input's, else CI_BUCKET, else the ledger's.

        Raises:
            CiUnreachableError
        """
        return self.ci_of(*place_of(record))

    def ci_of(self, bucket: str = "", region: str = "") -> Ci:
        """CI for a bucket; "" stands for the one of the settings.

        Raises:
            CiUnreachableError
        """
        return ci_of(self.settings, self.http, self.sleep, bucket, region)

    def tell(self, name: str, ticket: Ticket, kind: str, note: str) -> None:
        """Put an alert in a ticket's place: first the alert, then the ticket is done."""
        self.outbox.put(alert_of(ticket, kind, note))
        self.outbox.done(name)
        self.note(ticket, f"told: {kind}", note)

    def put_off(self, name: str, ticket: Ticket, otherwise: str, note: str) -> None:
        """Look at a ticket again later; a bounded number of times, then tell `otherwise`."""
        if ticket.tries >= MAX_TRIES:
            self.tell(name, ticket, otherwise, f"{note}; tried {ticket.tries} times")
            return
        delay = DELAYS_S[min(ticket.tries, len(DELAYS_S) - 1)]
        self.wait(name, ticket, self.clock() + delay, note, counts=True)

    def wait(self, name: str, ticket: Ticket, due: float, note: str, counts: bool = False) -> None:
        """Look at a ticket again at a time, rounded up to a second."""
        self.outbox.move(name, ticket.later(math.ceil(due), note, counts))
        self.note(ticket, "put off", note)

    def note(self, ticket: Ticket, status: str, reason: str = "") -> None:
        """One log line about a ticket."""
        record = ticket.record
        self.log.info(
            "ticket",
            action=ticket.action,
            job_id=ticket.job_id,
            tag=record.tag if record else None,
            status=status,
            reason=reason or None,
        )

    def letter(self, body: bytes, content: Content, reason: str, explanation: str) -> DeadLetter:
        """A dead letter of something that the sweep found."""
        now = self.now()
        return DeadLetter(body, reason, explanation, {}, "timer", now, self.request_id, content)

    def now(self) -> str:
        """This moment, RFC 3339 in UTC."""
        return rfc3339_of(self.clock())
