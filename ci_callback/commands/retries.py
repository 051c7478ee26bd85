"""`retries`: what the outbox still holds, and how the re-submissions made so far stand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ci_callback.commands.show import ticket_object, ticket_row
from ci_callback.common import AsJson, local
from ci_callback.ledger_reader import all_steps, outbox
from ci_callback.terminal import Table, print_json, say_table


def retries(
    made: Annotated[
        bool, typer.Option("--made", help="Also the re-submissions that were made, by root job.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what is still to be done: retries, watches, callbacks in doubt and alerts."""
    with local() as here:
        waiting = list(outbox(here.ledger.store))
        taken = list(all_steps(here.ledger.store)) if made else []
    if as_json:
        attempts = [
            {"root_job_id": root, "number": step.number, **asdict(step.attempt)}
            for root, step in taken
        ]
        print_json({"tickets": [ticket_object(one) for one in waiting], "attempts": attempts})
        return
    tickets = Table(("due (UTC)", "ticket", "job and note"))
    for one in waiting:
        tickets.add(*ticket_row(one))
    say_table(tickets, empty="The outbox is empty: nothing is still to be done.")
    if not made:
        return
    rows = Table(("root job", "attempt", "state", "became", "outcome"))
    for root, step in taken:
        ended = step.ended.record.outcome if step.ended and step.ended.record else ""
        rows.add(root, step.number, step.attempt.state, step.attempt.job_id, ended)
    say_table(rows, empty="No job was submitted again.")
