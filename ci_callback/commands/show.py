"""`show`: all that the ledger knows of one job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.ledger_reader import (
    Resubmission,
    StoredRecord,
    StoredTicket,
    find,
    outbox,
    received_at,
    resubmissions,
)
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
    """The ledger's knowledge of a job. found: its records; lineage: its root and attempt; first:
    the records of the root."""

    found: Sequence[StoredRecord]
    lineage: Lineage
    first: Sequence[StoredRecord]
    resubmissions: Sequence[Resubmission]
    tickets: Sequence[StoredTicket]

    @property
    def is_empty(self) -> bool:
        """Whether the ledger does not know the job."""
        return not (self.found or self.resubmissions or self.tickets)


def history(store: Store, job_id: str) -> JobHistory:
    """Look a job up. May raise StoreError."""
    found = find(store, job_id)
    record = next((one.record for one in found if one.record), None)
    lineage = record.lineage if record else Lineage(job_id, 1)
    root = lineage.root_job_id
    first = found if root == job_id else find(store, root)
    made = resubmissions(store, root)
    ids = {job_id, root, *(one.attempt.job_id for one in made if one.attempt)}
    tickets = [one for one in outbox(store) if one.ticket and one.ticket.job_id in ids]
    return JobHistory(found, lineage, first, made, tickets)


def show(
    job_id: Annotated[str, typer.Argument(help="A JobId, RunId or trace_id.")],
    as_json: AsJson = False,
) -> None:
    """Show a job's record, its attempts, its tickets, and how long each step took."""
    with local() as here:
        job = history(here.ledger.store, job_id)
    if job.is_empty:
        complain(f"The ledger knows no job {job_id}.")
        raise typer.Exit(EXIT_NOT_2XX)
    if as_json:
        print_json(_as_object(job))
        return
    for one in job.found:
        _say_record(one)
    say_tree(_attempts(job))
    if job.tickets:
        tickets = Table(("due (UTC)", "ticket", "job and note"), title="Tickets")
        for waiting in job.tickets:
            tickets.add(*ticket_cells(waiting))
        say_table(tickets)


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
    for one in job.resubmissions:
        attempt = one.attempt
        if attempt is None:
            tree.add(f"{one.number} ", "can't be read:", one.why)
            continue
        about = f"{attempt.code} {attempt.message}".strip()
        known = (attempt.state, epoch_text(attempt.since), attempt.job_id, about)
        line = tree.add(f"{one.number} ", "  ".join(part for part in known if part))
        if one.ended is not None or attempt.state == "submitted":
            line.add(*_end([one.ended] if one.ended else []))
    return tree


def _end(records: Sequence[StoredRecord]) -> tuple[Cell, ...]:
    record = next((one.record for one in records if one.record), None)
    if record is None:
        return ("no record yet",)
    code = () if record.code in NO_FAILURE else (record.code,)
    return (outcome(record), *code, record.ended_at)


def _as_object(job: JobHistory) -> dict[str, Any]:
    first = next((one.record for one in job.first if one.record), None)
    root = job.lineage.root_job_id
    return {
        "records": [record_object(one) for one in job.found],
        "timings": [
            {"what": what, "at": when, "after_s": after}
            for one in job.found[:1]
            if one.record
            for what, when, after in timings(one.record)
        ],
        "root_job_id": root,
        "attempts": [
            {"number": 1, "job_id": root, "outcome": first.outcome if first else None},
            *map(resubmission_object, job.resubmissions),
        ],
        "tickets": [ticket_object(ticket) for ticket in job.tickets],
    }
