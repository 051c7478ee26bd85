"""`show`: all that the ledger knows of one job."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Annotated, Any

import typer

from ci_callback.commands.jobs import OUTCOME_STYLES
from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.ledger_reader import Found, Step, Waiting, find, outbox, steps
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
from handler.callback.record import JobRecord

TIMES = (
    ("created_at", "created"),
    ("started_at", "started"),
    ("ended_at", "ended"),
)


def show(
    job_id: Annotated[str, typer.Argument(help="A JobId, RunId or trace_id.")],
    as_json: AsJson = False,
) -> None:
    """A job's record, its attempts, the tickets that speak of it, and how long each step took."""
    with local() as here:
        store = here.ledger.store
        found = find(store, job_id)
        root = next((one.record.lineage.root_job_id for one in found if one.record), job_id)
        first = found if root == job_id else find(store, root)
        taken = steps(store, root)
        ids = {job_id, root, *(step.attempt.job_id for step in taken)}
        waiting = [one for one in outbox(store) if one.ticket and one.ticket.job_id in ids]
    if not (found or taken or waiting):
        complain(f"The ledger knows no job {job_id}.")
        raise typer.Exit(EXIT_NOT_2XX)
    if as_json:
        print_json(_as_object(found, root, first, taken, waiting))
        return
    for one in found:
        say(Styled("Key   ", "bold"), one.key)
        if one.record is not None:
            say_json(json.loads(one.record.to_json()))
            say_table(_timings(one.record))
        else:
            say("It can't be read as a record:", one.why)
    say_tree(_attempts(root, first, taken))
    if waiting:
        say_table(_tickets(waiting))


def timings(record: JobRecord) -> list[tuple[str, str, float | None]]:
    """(what, when, seconds since the one before) of each time that a record tells."""
    told = [(what, getattr(record, name)) for name, what in TIMES]
    told.append(("callback", record.source.get("received_at")))
    rows: list[tuple[str, str, float | None]] = []
    before: datetime | None = None
    for what, when in told:
        if not isinstance(when, str):
            continue
        now = datetime.fromisoformat(when.replace("Z", "+00:00"))
        rows.append((what, when, (now - before).total_seconds() if before else None))
        before = now
    return rows


def _timings(record: JobRecord) -> Table:
    made = Table(("", "when (UTC)", "after s"), title="Timings")
    for what, when, after in timings(record):
        made.add(what, when, "" if after is None else f"{after:,.0f}")
    return made


def _attempts(root: str, first: list[Found], taken: list[Step]) -> Tree:
    tree = Tree((Styled("Attempts", "bold"), "of", root))
    tree.add("1 ", *_end(first))
    for step in taken:
        attempt = step.attempt
        since = datetime.fromtimestamp(attempt.since, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        about = f"{attempt.code} {attempt.message}".strip()
        told = "  ".join(part for part in (attempt.state, since, attempt.job_id, about) if part)
        line = tree.add(f"{step.number} ", told)
        if step.ended is not None or attempt.state == "submitted":
            line.add(*_end([step.ended] if step.ended else []))
    return tree


def _end(found: list[Found]) -> tuple[Cell, ...]:
    record = next((one.record for one in found if one.record), None)
    if record is None:
        return ("no record yet",)
    code = () if record.code in ("", "Success") else (record.code,)
    return (Styled(record.outcome, OUTCOME_STYLES[record.outcome]), *code, record.ended_at)


def _tickets(waiting: list[Waiting]) -> Table:
    made = Table(("due (UTC)", "ticket", "job and note"), title="Tickets")
    for one in waiting:
        if one.ticket is not None:
            made.add(*ticket_row(one))
    return made


def ticket_row(waiting: Waiting) -> tuple[Cell, ...]:
    """The cells of a ticket."""
    ticket = waiting.ticket
    if ticket is None:
        return ("", "unreadable", waiting.name)
    due = datetime.fromtimestamp(ticket.due, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    return (
        due if ticket.due else "now",
        ticket.action + (f", try {ticket.tries + 1}" if ticket.tries else ""),
        tuple(one for one in (ticket.job_id, ticket.note) if one),
    )


def ticket_object(waiting: Waiting) -> dict[str, Any]:
    """A ticket for machines, without the record that it carries."""
    ticket = waiting.ticket
    if ticket is None:
        return {"name": waiting.name, "unreadable": True}
    names = ("action", "job_id", "state", "due", "tries", "note", "details")
    return {"name": waiting.name, **{name: getattr(ticket, name) for name in names}}


def _as_object(
    found: list[Found], root: str, first: list[Found], taken: list[Step], waiting: list[Waiting]
) -> dict[str, Any]:
    ends = [one.record for one in first if one.record]
    return {
        "records": [
            {"key": one.key, "record": json.loads(one.record.to_json()) if one.record else None}
            for one in found
        ],
        "timings": [
            {"what": what, "at": when, "after_s": after}
            for one in found[:1]
            if one.record
            for what, when, after in timings(one.record)
        ],
        "root_job_id": root,
        "attempts": [
            {"number": 1, "job_id": root, "outcome": ends[0].outcome if ends else None},
            *(
                {
                    "number": step.number,
                    **asdict(step.attempt),
                    "outcome": step.ended.record.outcome
                    if step.ended and step.ended.record
                    else None,
                }
                for step in taken
            ),
        ],
        "tickets": [ticket_object(one) for one in waiting],
    }
