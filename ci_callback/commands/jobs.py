"""`jobs`: the newest records of the ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from ci_callback.common import AsJson, Since, Until, local
from ci_callback.compacted_search import can_match
from ci_callback.job_columns import cells, names, usual_names
from ci_callback.ledger_reader import FOLDERS
from ci_callback.listing import AsCsv, Columns, Form, Header, print_objects, say_rows
from ci_callback.newest import Search, newest
from ci_callback.record_filter import (
    RecordFilter,
    Tag,
    check_order,
    known_outcome,
    known_state,
    outcomes,
)
from ci_callback.terminal import print_json
from ci_callback.views import record_object


def jobs(
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    state: Annotated[
        str | None,
        typer.Option(
            help="Only this state as CI writes it: Success, Failed, Cancel, Running, …",
            callback=known_state,
        ),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            help="Only this outcome: succeeded, partial, failed, …",
            autocompletion=outcomes,
            callback=known_outcome,
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Short for --outcome failed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many records.")] = 50,
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List records, newest first. In a pipe, values are separated by tabs.

    --json prints the whole records, one per line; with --columns, only those.
    """
    form = Form(columns or usual_names(), as_csv, header)
    form.chosen(names())
    check_order(since, until)
    if failed and outcome not in (None, "failed"):
        raise typer.BadParameter(f"--failed contradicts --outcome {outcome}")
    wanted = RecordFilter(since, until, tag, state, "failed" if failed else outcome)
    unfinished = wanted.outcome in (None, "unfinished", "unknown")
    folders = (*FOLDERS, "_unfinished") if unfinished else FOLDERS
    with local(must_exist=True) as here:
        store = here.ledger.store
        search = Search(
            lambda stored: stored.record is not None and wanted.matches(stored.record),
            lambda of_day: can_match(store, of_day, wanted),
        )
        found = newest(store, wanted.days, folders, limit, search)
    rows = (cells(stored.record) for stored in found if stored.record is not None)
    if as_json and columns:
        print_objects(names(), rows, form)
    elif as_json:
        for stored in found:
            print_json(record_object(stored))
    else:
        say_rows(names(), rows, form, empty="No such records.")
