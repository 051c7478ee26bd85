"""`show`: all that the ledger knows of one job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ci_callback.command_language import localised
from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.job_parts import PARTS, JobHistory, history, timings
from ci_callback.ledger_reader import StoredRecord
from ci_callback.listing import AsCsv, Columns, Form, Header, print_objects, say_rows
from ci_callback.record_filter import known
from ci_callback.terminal import (
    Cell,
    Styled,
    Tree,
    complain,
    print_json,
    say,
    say_json,
    say_tree,
)
from ci_callback.views import (
    NO_FAILURE,
    outcome,
    record_object,
    resubmission_object,
    ticket_object,
    utc_text,
)


def known_part(sent: str | None) -> str | None:
    """The name of a table. Raises typer.BadParameter."""
    return known("part", sent, PARTS)


def parts(begin: str) -> list[str]:
    """Tables whose names begin so, for the shell's completion."""
    return [name for name in PARTS if name.startswith(begin)]


def show(
    job_id: Annotated[str, typer.Argument(help="A JobId, RunId or trace_id.")],
    part: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Only one table: {', '.join(PARTS)}.",
            callback=known_part,
            autocompletion=parts,
        ),
    ] = None,
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show a job's record, its attempts, its tickets, and how long each step took.

    With --part, --columns, --header or --csv it prints one table as `jobs` does, records by
    default.
    """
    name = part or ("records" if columns or header or as_csv else None)
    if name is not None:
        form = Form(columns or PARTS[name].usual, as_csv, header)
        form.chosen(PARTS[name].names)
    with local(must_exist=True) as here:
        job = history(here.ledger.store, job_id)
    if job.is_empty:
        complain(f"The ledger knows no job {job_id}.")
        raise typer.Exit(EXIT_NOT_2XX)
    if name is not None and as_json:
        print_objects(PARTS[name].names, PARTS[name].rows(job), form)
    elif name is not None:
        say_rows(PARTS[name].names, PARTS[name].rows(job), form, empty=f"There are no {name}.")
    elif as_json:
        print_json(_as_object(job))
    else:
        _say_all(job)


def _say_all(job: JobHistory) -> None:
    """What a person who is called at night looks for comes first, and the records, of which each
    fills a screen, last."""
    for stored in job.records:
        _say_summary(stored)
    say_tree(_attempts(job))
    if job.events or job.finals:
        last = job.finals[-1]["type"] if job.finals else "none yet"
        say(Styled("Final event ", "bold"), last)
    for name in ("tickets", "timings", "events"):
        _say_part(name, job)
    for stored in job.records:
        say()
        _say_record(stored)


def _say_summary(stored: StoredRecord) -> None:
    if stored.record is not None:
        record = stored.record
        about = () if record.code in NO_FAILURE else (record.code, record.message)
        say(Styled(record.job_id, "bold"), record.tag or record.kind, outcome(record), *about)


def _say_part(name: str, job: JobHistory) -> None:
    table = PARTS[name]
    rows = list(table.rows(job))
    if rows:
        say()
        say(Styled(table.title, "bold"))
        say_rows(table.names, rows, Form(table.usual, header=True))


def _say_record(stored: StoredRecord) -> None:
    say(Styled("Key   ", "bold"), stored.key)
    if stored.record is None:
        say("It can't be read as a record:", stored.why)
        return
    say_json(json.loads(stored.record.to_json()))


def _attempts(job: JobHistory) -> Tree:
    tree = Tree((Styled(localised("Attempts of"), "bold"), job.lineage.root_job_id))
    tree.add("1 ", *_end(job.first))
    for resubmission in job.resubmissions:
        attempt = resubmission.attempt
        if attempt is None:
            tree.add(f"{resubmission.number} ", localised("can't be read:"), resubmission.why)
            continue
        about = f"{attempt.code} {attempt.message}".strip()
        facts = (attempt.state, utc_text(attempt.since), attempt.job_id, about)
        line = tree.add(f"{resubmission.number} ", "  ".join(fact for fact in facts if fact))
        if resubmission.ended is not None or attempt.state == "submitted":
            line.add(*_end([resubmission.ended] if resubmission.ended else []))
    return tree


def _end(records: Sequence[StoredRecord]) -> tuple[Cell, ...]:
    record = next((stored.record for stored in records if stored.record), None)
    if record is None:
        return (localised("no record yet"),)
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
