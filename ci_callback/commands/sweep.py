"""`sweep`: do once, on any ledger, the work that the timer does each minute."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.sweep_preview import plan
from ci_callback.terminal import Table, print_json, say, say_table
from ci_callback.writing import Yes, confirm_writing
from handler.retries.sweep import Sweep
from handler.run import Run

BUDGET_S = 55.0
"""The time limit of the deployed function (timeout in serverless.yml)."""


def sweep(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what a sweep would do; write nothing.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Do one sweep: submit due jobs again, and send due alerts."""
    with local() as here:
        if dry_run:
            planned = [asdict(step) for step in plan(here.sweep_context)]
            if as_json:
                print_json(planned)
                return
            rows = Table(("action", "job", "would"))
            for step in planned:
                rows.add(*(step[name] for name in ("action", "job_id", "would")))
            say_table(rows, empty="Nothing is due.")
            return
        confirm_writing(here.settings, yes)
        run = Run(here.request_id, time.perf_counter(), BUDGET_S)
        here.function.take_in_spilled(here.settings, run)
        deadline = run.started + BUDGET_S
        summary = Sweep(here.sweep_context, lambda: deadline - time.perf_counter()).run()
    if as_json:
        print_json(asdict(summary))
    else:
        values = asdict(summary) | {"reasons": "; ".join(summary.reasons)}
        say("  ".join(f"{name}: {value}" for name, value in values.items() if value != ""))
    if summary.status not in ("done", "in_progress", "lease_held"):
        raise typer.Exit(EXIT_NOT_2XX)
