"""The ticket that watches a re-submitted job, and what it holds. Pure."""

from __future__ import annotations

from handler.callback.lineage import Lineage, Marker
from handler.callback.record import JobRecord
from handler.ledger.attempts import Attempt
from handler.ledger.outbox import Ticket


def watch_ticket(lineage: Lineage, attempt: Attempt, record: JobRecord, after_s: int) -> Ticket:
    """Watch an attempt's job from so many seconds after its claim. record: of the job before."""
    return Ticket(
        "watch",
        attempt.job_id,
        "submitted",
        int(attempt.since) + after_s,
        record,
        note=f"attempt {lineage.attempt} of {lineage.root_job_id}",
        details={
            "root_job_id": lineage.root_job_id,
            "attempt": lineage.attempt,
            "created_at": attempt.created_at,
            "nonce": attempt.nonce,
        },
    )


def marker_of(ticket: Ticket) -> Marker:
    """The marker of the job that a ticket watches.

    Raises:
        ValueError: it is no watch ticket.
    """
    try:
        details = ticket.details or {}
        lineage = Lineage(str(details["root_job_id"]), int(details["attempt"]))
        return Marker(lineage, str(details["nonce"]))
    except (KeyError, TypeError) as error:
        raise ValueError("a watch ticket without its attempt") from error
