"""`show`: all that the ledger knows of one job."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Annotated, Any

import typer
from rich.json import JSON
from rich.table import Table
from rich.tree import Tree

from ci_callback.commands.jobs import OUTCOME_STYLES
from ci_callback.common import EXIT_NOT_2XX, AsJson, console, echo_json, escape, local, safe, table
from ci_callback.ledger_reader import Found, Step, Waiting, find, outbox, steps
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
        typer.echo(f"The ledger knows no job {safe(job_id)}.", err=True)
        raise typer.Exit(EXIT_NOT_2XX)
    if as_json:
        echo_json(_as_object(found, root, first, taken, waiting))
        return
    out = console()
    for one in found:
        out.print("[bold]Key[/]   ", end=" ")
        out.print(one.key, markup=False)
        if one.record is not None:
            out.print(JSON.from_data(json.loads(one.record.to_json()), ensure_ascii=False))
            out.print(_timings(one.record))
        else:
            out.print(f"It can't be read as a record: {safe(one.why)}", markup=False)
    out.print(_attempts(root, first, taken))
    if waiting:
        out.print(_tickets(waiting))


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
    made = table("", "when (UTC)", "after s", title="Timings")
    for what, when, after in timings(record):
        made.add_row(what, when, "" if after is None else f"{after:,.0f}")
    return made


def _attempts(root: str, first: list[Found], taken: list[Step]) -> Tree:
    tree = Tree(f"[bold]Attempts[/] of {escape(safe(root))}")
    tree.add(f"1  {_end(first)}")
    for step in taken:
        attempt = step.attempt
        since = datetime.fromtimestamp(attempt.since, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        about = f"{attempt.code} {attempt.message}".strip()
        told = "  ".join(part for part in (attempt.state, since, attempt.job_id, about) if part)
        node = tree.add(f"{step.number}  {escape(safe(told))}")
        if step.ended is not None or attempt.state == "submitted":
            node.add(_end([step.ended] if step.ended else []))
    return tree


def _end(found: list[Found]) -> str:
    record = next((one.record for one in found if one.record), None)
    if record is None:
        return "no record yet"
    code = "" if record.code in ("", "Success") else f" {escape(safe(record.code))}"
    return f"[{OUTCOME_STYLES[record.outcome]}]{record.outcome}[/]{code} {record.ended_at or ''}"


def _tickets(waiting: list[Waiting]) -> Table:
    made = table("due (UTC)", "ticket", "job and note", title="Tickets")
    for one in waiting:
        if one.ticket is not None:
            made.add_row(*ticket_row(one))
    return made


def ticket_row(waiting: Waiting) -> tuple[str, ...]:
    """The cells of a ticket."""
    ticket = waiting.ticket
    if ticket is None:
        return ("", "unreadable", escape(safe(waiting.name)))
    due = datetime.fromtimestamp(ticket.due, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    return (
        due if ticket.due else "now",
        escape(safe(ticket.action)) + (f", try {ticket.tries + 1}" if ticket.tries else ""),
        "\n".join(escape(safe(one)) for one in (ticket.job_id, ticket.note) if one),
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
