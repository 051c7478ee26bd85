"""`show`: all that the ledger knows of one job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.job_lookup import find, tickets_of
from ci_callback.ledger_reader import (
    Resubmission,
    StoredRecord,
    StoredTicket,
    received_at,
    resubmissions,
)
from ci_callback.sent_events import SentEvent, finals, has_events, of_root
from ci_callback.terminal import (
    Cell,
    Styled,
    Table,
    Tree,
    complain,
    print_json,
    say,
    say_json,
    say_table,
    say_tree,
)
from ci_callback.views import (
    NO_FAILURE,
    epoch_text,
    outcome,
    record_object,
    resubmission_object,
    ticket_cells,
    ticket_object,
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


def show(
    job_id: Annotated[str, typer.Argument(help="A JobId, RunId or trace_id.")],
    as_json: AsJson = False,
) -> None:
    """Show a job's record, its attempts, its tickets, and how long each step took."""
    with local(must_exist=True) as here:
        job = history(here.ledger.store, job_id)
    if job.is_empty:
        complain(f"The ledger knows no job {job_id}.")
        raise typer.Exit(EXIT_NOT_2XX)
    if as_json:
        print_json(_as_object(job))
        return
    for stored in job.records:
        _say_record(stored)
    say_tree(_attempts(job))
    if job.events or job.finals:
        _say_events(job)
    if job.tickets:
        tickets = Table(("due (UTC)", "ticket", "job and note"), title="Tickets")
        for waiting in job.tickets:
            tickets.add(*ticket_cells(waiting))
        say_table(tickets)


def _say_events(job: JobHistory) -> None:
    last = job.finals[-1]["type"] if job.finals else "none yet"
    say(Styled("Final event ", "bold"), last)
    table = Table(("sent (UTC)", "type", "destination", "answer"), title="Events")
    for event in job.events:
        for name, sent in event.sent.items():
            said = (sent.get(part) for part in ("status", "code", "reason"))
            answer = " ".join(str(part) for part in said if part)
            table.add(str(sent.get("at"))[:19], event.head.get("type"), name, answer)
    say_table(table)


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


def _say_record(stored: StoredRecord) -> None:
    say(Styled("Key   ", "bold"), stored.key)
    if stored.record is None:
        say("It can't be read as a record:", stored.why)
        return
    say_json(json.loads(stored.record.to_json()))
    made = Table(("", "when (UTC)", "after s"), title="Timings")
    for what, when, after in timings(stored.record):
        made.add(what, when, "" if after is None else f"{after:,.0f}")
    say_table(made)


def _attempts(job: JobHistory) -> Tree:
    tree = Tree((Styled("Attempts", "bold"), "of", job.lineage.root_job_id))
    tree.add("1 ", *_end(job.first))
    for resubmission in job.resubmissions:
        attempt = resubmission.attempt
        if attempt is None:
            tree.add(f"{resubmission.number} ", "can't be read:", resubmission.why)
            continue
        about = f"{attempt.code} {attempt.message}".strip()
        known = (attempt.state, epoch_text(attempt.since), attempt.job_id, about)
        line = tree.add(f"{resubmission.number} ", "  ".join(part for part in known if part))
        if resubmission.ended is not None or attempt.state == "submitted":
            line.add(*_end([resubmission.ended] if resubmission.ended else []))
    return tree


def _end(records: Sequence[StoredRecord]) -> tuple[Cell, ...]:
    record = next((stored.record for stored in records if stored.record), None)
    if record is None:
        return ("no record yet",)
    code = () if record.code in NO_FAILURE else (record.code,)
    return (outcome(record), *code, record.ended_at)


def _as_object(job: JobHistory) -> dict[str, Any]:
    first = next((stored.record for stored in job.first if stored.record), None)
    root = job.lineage.root_job_id
    return {
        "records": [record_object(stored) for stored in job.records],
        "timings": [
            {"what": what, "at": when, "after_s": after}
            for stored in job.records[:1]
            if stored.record
            for what, when, after in timings(stored.record)
        ],
        "root_job_id": root,
        "attempts": [
            {"number": 1, "job_id": root, "outcome": first.outcome if first else None},
            *map(resubmission_object, job.resubmissions),
        ],
        "tickets": [ticket_object(ticket) for ticket in job.tickets],
        "final_events": list(job.finals),
        "events": [event.values() for event in job.events],
    }
