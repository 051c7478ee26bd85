"""How records, attempts and tickets are shown: as cells of a table, and as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ci_callback.ledger_reader import Resubmission, StoredRecord, StoredTicket
from ci_callback.terminal import Cell, Styled
from handler.callback.record import JobRecord

OUTCOME_STYLES: Mapping[str, str] = {
    "succeeded": "green",
    "partial": "yellow",
    "failed": "red",
    "cancelled": "magenta",
    "unfinished": "cyan",
    "unknown": "yellow",
}

NO_FAILURE = ("", "Success")
"""Codes that say nothing."""


def outcome(record: JobRecord) -> Styled:
    """A record's outcome in its colour."""
    return Styled(record.outcome, OUTCOME_STYLES[record.outcome])


def record_object(stored: StoredRecord) -> dict[str, Any]:
    """A record as it is stored, but with the job's root and attempt as they are known now."""
    record = stored.record
    return {
        "key": stored.key,
        "record": json.loads(record.to_json()) if record else None,
        "lineage": record.lineage._asdict() if record else None,
    }


TICKET_COLUMNS = ("due", "action", "job", "tries", "note", "state", "ticket")
USUAL_TICKET_COLUMNS = "due,action,job,tries,note"


def ticket_cells(waiting: StoredTicket) -> tuple[Cell, ...]:
    """The cells of TICKET_COLUMNS. Of a ticket that can't be read the note is its name."""
    ticket = waiting.ticket
    if ticket is None:
        return ("", "unreadable", "", "", waiting.name, "", waiting.name)
    due = utc_text(ticket.due) if ticket.due else "now"
    return (
        due,
        ticket.action,
        ticket.job_id,
        ticket.tries,
        ticket.note,
        ticket.state,
        waiting.name,
    )


RESUBMISSION_COLUMNS = ("root", "attempt", "state", "job", "outcome", "code", "message", "since")
USUAL_RESUBMISSION_COLUMNS = "root,attempt,state,job,outcome,code,message"


def resubmission_cells(root: str, resubmission: Resubmission) -> tuple[Cell, ...]:
    """The cells of RESUBMISSION_COLUMNS. Of one that can't be read the message says why."""
    attempt, number = resubmission.attempt, resubmission.number
    if attempt is None:
        return (root, number, "unreadable", "", "", "", resubmission.why, "")
    record = resubmission.ended.record if resubmission.ended else None
    end = outcome(record) if record else ""
    about = (attempt.code, attempt.message, utc_text(attempt.since))
    return (root, number, attempt.state, attempt.job_id, end, *about)


def ticket_object(waiting: StoredTicket) -> dict[str, Any]:
    """A ticket without the record that it carries."""
    ticket = waiting.ticket
    if ticket is None:
        return {"name": waiting.name, "unreadable": True}
    names = ("action", "job_id", "state", "due", "tries", "replays", "note", "details")
    return {"name": waiting.name, **{name: getattr(ticket, name) for name in names}}


def resubmission_object(resubmission: Resubmission) -> dict[str, Any]:
    """A re-submission, and the outcome of the job that it became."""
    record = resubmission.ended.record if resubmission.ended else None
    attempt = (
        resubmission.attempt._asdict() if resubmission.attempt else {"unreadable": resubmission.why}
    )
    return {"number": resubmission.number, **attempt, "outcome": record.outcome if record else None}


def seconds_text(seconds: float) -> str:
    """Seconds to the millisecond, never with an exponent: 4, 0.472, 137043963.453."""
    return f"{round(seconds, 3):.15g}"


def utc_text(epoch: float) -> str:
    """Epoch seconds as RFC 3339 in UTC; the number itself where it is beyond the year 9999."""
    try:
        return datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{epoch:g}"


def counted(counts: Mapping[str, int]) -> str:
    """How many there are of each: 2 duplicate, 5 kept; "" where there is nothing."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
