"""`retries`: the tickets in the outbox, and the re-submissions made so far."""

from __future__ import annotations

from typing import Annotated

import typer

from ci_callback.common import AsJson, local
from ci_callback.ledger_reader import all_resubmissions, outbox
from ci_callback.terminal import Table, print_json, say_table
from ci_callback.views import resubmission_object, ticket_cells, ticket_object


def retries(
    made: Annotated[
        bool, typer.Option("--made", help="Show the re-submissions made so far as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List pending work: retries, watches, unverified callbacks and alerts."""
    with local(must_exist=True) as here:
        waiting = list(outbox(here.ledger.store))
        submitted = list(all_resubmissions(here.ledger.store)) if made else []
    if as_json:
        attempts = [
            {"root_job_id": root, **resubmission_object(resubmission)}
            for root, resubmission in submitted
        ]
        print_json({"tickets": [ticket_object(ticket) for ticket in waiting], "attempts": attempts})
        return
    tickets = Table(("due (UTC)", "ticket", "job and note"))
    for ticket in waiting:
        tickets.add(*ticket_cells(ticket))
    say_table(tickets, empty="The outbox is empty: nothing is still to be done.")
    if not made:
        return
    rows = Table(("root job", "attempt", "state", "new job", "outcome"))
    for root, resubmission in submitted:
        attempt = resubmission.attempt
        ended = resubmission.ended.record if resubmission.ended else None
        state, job = (
            (attempt.state, attempt.job_id) if attempt else ("unreadable", resubmission.why)
        )
        rows.add(root, resubmission.number, state, job, ended.outcome if ended else "")
    say_table(rows, empty="No job was submitted again.")
