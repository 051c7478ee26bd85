"""`retries`: the tickets in the outbox, and the re-submissions made so far."""

from __future__ import annotations

from typing import Annotated

import typer

from ci_callback.common import AsJson, local
from ci_callback.ledger_reader import Resubmission, StoredTicket, all_resubmissions, outbox
from ci_callback.listing import AsCsv, Columns, Form, Header, print_objects, say_rows
from ci_callback.terminal import print_json
from ci_callback.views import (
    RESUBMISSION_COLUMNS,
    TICKET_COLUMNS,
    USUAL_RESUBMISSION_COLUMNS,
    USUAL_TICKET_COLUMNS,
    resubmission_cells,
    resubmission_object,
    ticket_cells,
    ticket_object,
)


def retries(
    made: Annotated[
        bool,
        typer.Option("--made", help="List the re-submissions made so far, not what is pending."),
    ] = False,
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List pending work: retries, watches, unverified callbacks and alerts.

    In a pipe, values are separated by tabs. --json prints tickets and re-submissions whole; with
    --columns, only those, one object per line.
    """
    names = RESUBMISSION_COLUMNS if made else TICKET_COLUMNS
    usual = USUAL_RESUBMISSION_COLUMNS if made else USUAL_TICKET_COLUMNS
    form = Form(columns or usual, as_csv, header)
    form.chosen(names)
    is_whole = as_json and not columns
    with local(must_exist=True) as here:
        store = here.ledger.store
        waiting = list(outbox(store)) if is_whole or not made else []
        submitted = list(all_resubmissions(store)) if made else []
    if is_whole:
        print_json(_as_object(waiting, submitted))
        return
    rows = (
        [resubmission_cells(*one) for one in submitted]
        if made
        else [ticket_cells(ticket) for ticket in waiting]
    )
    if as_json:
        print_objects(names, rows, form)
        return
    empty = "No job was submitted again." if made else "The outbox is empty: nothing is pending."
    say_rows(names, rows, form, empty=empty)


def _as_object(
    waiting: list[StoredTicket], submitted: list[tuple[str, Resubmission]]
) -> dict[str, object]:
    attempts = [
        {"root_job_id": root, **resubmission_object(resubmission)}
        for root, resubmission in submitted
    ]
    return {"tickets": [ticket_object(ticket) for ticket in waiting], "attempts": attempts}
