"""The next step of a ticket, as a value. Each kind of ticket is decided by a module of its own
(resubmit, workflow_rerun, watch, unverified); carry_out.py does what they decide.

    Submit ──► Adopt, Defer or Alert, by CI's answer
    Adopt  ──► Done, with the watch ticket
    Store, SetAside ──► Done
    Defer, Alert, Done: the end of the ticket in this sweep
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ci_api.responses import CreateResult
from handler.ledger.attempts import Attempt
from handler.ledger.outbox import Ticket


@dataclass(frozen=True)
class Submit:
    """Claim an attempt, and send its one request.

    send: sends it; nothing is raised. earlier: the attempt as it is noted, if it is. nonce: of
    the marker; "" for a workflow's run, which takes none, so that no list can show what became
    of a request without an answer. record: of the job that failed, for the watch.
    """

    lineage: Lineage
    nonce: str
    send: Callable[[], CreateResult]
    earlier: Attempt | None
    record: JobRecord


@dataclass(frozen=True)
class Adopt:
    """Note that a claimed attempt was submitted, then watch its job.

    created_at: RFC 3339. is_over: whether CI says that the job has ended already.
    """

    lineage: Lineage
    claim: Attempt
    record: JobRecord
    job_id: str
    created_at: str | None = None
    is_over: bool = False


@dataclass(frozen=True)
class Store:
    """Take a record in by the way of a callback; then the ticket is done. is_missing: whether its
    callback never came."""

    record: JobRecord
    reason: str
    is_missing: bool = False


@dataclass(frozen=True)
class SetAside:
    """Make a dead letter of a record that is not believed, with an alert; then the ticket is
    done."""

    kind: str
    record: JobRecord
    reason: str


@dataclass(frozen=True)
class Defer:
    """Look at the ticket again.

    due: when, in epoch seconds; None: after a back-off by the number of tries. otherwise: the
    alert that is raised in place of one try too many; "": it does not count as a try.
    """

    reason: str
    due: float | None = None
    otherwise: str = ""


@dataclass(frozen=True)
class Alert:
    """Raise an alert in the ticket's place. record: in place of the ticket's own."""

    kind: str
    reason: str
    record: JobRecord | None = None


@dataclass(frozen=True)
class Done:
    """Nothing is left to do. tickets: stored before the ticket is marked as done. proven: a record
    whose event named another root, since its lineage was not known then."""

    status: str
    reason: str = ""
    tickets: tuple[Ticket, ...] = ()
    proven: JobRecord | None = None


NextStep: TypeAlias = Submit | Adopt | Store | SetAside | Defer | Alert | Done
