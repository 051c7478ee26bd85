"""Looks up one job in the ledger, and makes a table of rows for each part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ci_callback import job_columns
from ci_callback.job_lookup import find, tickets_of
from ci_callback.ledger_reader import (
    Resubmission,
    StoredRecord,
    StoredTicket,
    received_at,
    resubmissions,
)
from ci_callback.sent_events import SentEvent, finals, has_events, of_root
from ci_callback.terminal import Cell
from ci_callback.views import (
    NO_FAILURE,
    RESUBMISSION_COLUMNS,
    TICKET_COLUMNS,
    USUAL_RESUBMISSION_COLUMNS,
    USUAL_TICKET_COLUMNS,
    outcome,
    resubmission_cells,
    seconds_text,
    ticket_cells,
)
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger.store import Store

TIMES = (
    ("created_at", "created"),
    ("started_at", "started"),
    ("ended_at", "ended"),
)


@dataclass(frozen=True)
class JobHistory:
    """The ledger's knowledge of a job. records: its records; lineage: its root and attempt; first:
    the records of the root; finals: the final events of the root, in their order; events: where
    its events were sent."""

    records: Sequence[StoredRecord]
    lineage: Lineage
    first: Sequence[StoredRecord]
    resubmissions: Sequence[Resubmission]
    tickets: Sequence[StoredTicket]
    finals: Sequence[Mapping[str, str]] = ()
    events: Sequence[SentEvent] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the ledger does not know the job."""
        return not (self.records or self.resubmissions or self.tickets)


def history(store: Store, job_id: str) -> JobHistory:
    """Look a job up. May raise StoreError."""
    records = find(store, job_id)
    record = next((stored.record for stored in records if stored.record), None)
    lineage = record.lineage if record else Lineage(job_id, 1)
    root = lineage.root_job_id
    near = record.created_at[:10] if record and record.created_at else None
    first = records if root == job_id else find(store, root, near)
    made = resubmissions(store, root)
    ids = {
        job_id,
        root,
        *(resubmission.attempt.job_id for resubmission in made if resubmission.attempt),
    }
    tickets = tickets_of(store, ids)
    noted = finals(store, root)
    sent = of_root(store, root) if noted or has_events(store) else []
    return JobHistory(records, lineage, first, made, tickets, noted, sent)


def timings(record: JobRecord) -> list[tuple[str, str, float | None]]:
    """(what, when, seconds since the one before) of each time in a record."""
    times = [(what, getattr(record, name)) for name, what in TIMES]
    times.append(("callback", received_at(record)))
    rows: list[tuple[str, str, float | None]] = []
    before: datetime | None = None
    for what, when in times:
        if not isinstance(when, str):
            continue
        now = datetime.fromisoformat(when.replace("Z", "+00:00"))
        rows.append((what, when, (now - before).total_seconds() if before else None))
        before = now
    return rows


class Part(NamedTuple):
    """One table. usual: the columns that are shown where none is asked for."""

    title: str
    names: tuple[str, ...]
    usual: str
    rows: Callable[[JobHistory], Iterable[tuple[Cell, ...]]]


def _records(job: JobHistory) -> Iterable[tuple[Cell, ...]]:
    return (job_columns.cells(stored.record) for stored in job.records if stored.record)


def _timings(job: JobHistory) -> Iterable[tuple[Cell, ...]]:
    for stored in job.records:
        if stored.record is not None:
            for what, when, after in timings(stored.record):
                yield stored.record.job_id, what, when, "" if after is None else seconds_text(after)


def _attempts(job: JobHistory) -> Iterable[tuple[Cell, ...]]:
    root = job.lineage.root_job_id
    first = next((stored.record for stored in job.first if stored.record), None)
    if first is None:
        yield root, 1, "no record", root, "", "", "", ""
    else:
        code = "" if first.code in NO_FAILURE else first.code
        yield root, 1, first.state, root, outcome(first), code, first.message, first.created_at
    for resubmission in job.resubmissions:
        yield resubmission_cells(root, resubmission)


def _events(job: JobHistory) -> Iterable[tuple[Cell, ...]]:
    for event in job.events:
        for name, sent in event.sent.items():
            answer = (sent.get(part) for part in ("status", "code", "reason"))
            yield (str(sent.get("at")), event.head.get("type"), name, *answer, event.id)


def _tickets(job: JobHistory) -> Iterable[tuple[Cell, ...]]:
    return map(ticket_cells, job.tickets)


PARTS: Mapping[str, Part] = {
    "records": Part("Records", job_columns.names(), job_columns.usual_names(), _records),
    "timings": Part("Timings", ("job", "what", "at", "after_s"), "what,at,after_s", _timings),
    "attempts": Part("Attempts", RESUBMISSION_COLUMNS, USUAL_RESUBMISSION_COLUMNS, _attempts),
    "events": Part(
        "Events",
        ("sent", "type", "destination", "status", "code", "reason", "event"),
        "sent,type,destination,status,code,reason",
        _events,
    ),
    "tickets": Part("Tickets", TICKET_COLUMNS, USUAL_TICKET_COLUMNS, _tickets),
}
"""The tables of `show`, by their names."""
