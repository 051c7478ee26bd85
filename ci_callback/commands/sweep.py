"""`sweep`: do once, on any ledger, the work that the timer does each minute."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from ci_callback.command_language import localised
from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.listing import AsCsv, Columns, Form, Header, print_objects, say_rows
from ci_callback.sweep_preview import plan
from ci_callback.terminal import is_terminal, print_json, say
from ci_callback.writing import Yes, confirm_writing
from handler.retries.sweep import Sweep
from handler.run import Run

BUDGET_S = 55.0
"""The time limit of the deployed function (timeout in serverless.yml)."""

STEP = ("action", "job", "would", "key")
USUAL = "action,job,would"
"""The columns of --dry-run."""


def sweep(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the steps of a sweep; write nothing.")
    ] = False,
    yes: Yes = False,
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Do one sweep: submit due jobs again, and send due alerts.

    --dry-run lists what it would do; in a pipe, values are separated by tabs.
    """
    form = Form(columns or USUAL, as_csv, header)
    form.chosen(STEP)
    with local(must_exist=True, writes=not dry_run, doing="Sweeping") as here:
        if dry_run:
            planned = plan(here.sweep_context)
            would = localised if is_terminal() else str  # a program reads it in English
            rows = ((step.action, step.job_id, would(step.would), step.key) for step in planned)
            if as_json and not columns:
                print_json([asdict(step) for step in planned])
            elif as_json:
                print_objects(STEP, rows, form)
            else:
                say_rows(STEP, rows, form, empty="Nothing is due.")
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
