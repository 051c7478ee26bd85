"""`dead`: dead letters, to read and to replay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.dead_letters import Replay, StoredDeadLetter, dead_letters, find
from ci_callback.listing import AsCsv, Columns, Form, Header, print_objects, say_rows
from ci_callback.program import PROGRAM
from ci_callback.terminal import print_json, say, say_lines
from ci_callback.writing import Yes, confirm_writing
from handler.clock import rfc3339_of
from handler.ingest.recorder import Recorder
from handler.redaction.text import redact_body
from handler.run import Run
from handler.triggers import Delivery, JobResult

app = typer.Typer(help="Read dead letters, and replay them.", no_args_is_help=True)

NAMES = (
    "key",
    "reason",
    "received_at",
    "bytes",
    "replayed_at",
    "trigger",
    "content",
    "explanation",
)
"""The columns of the list."""

USUAL = "key,reason,received_at,bytes,replayed_at"

Name = Annotated[
    str,
    typer.Argument(help="The dead letter's key, or the beginning of its SHA-256.", metavar="NAME"),
]


def _summary(dead_letter: StoredDeadLetter) -> dict[str, Any]:
    names = ("reason", "explanation", "bytes", "trigger", "received_at")
    values = {name: dead_letter.values.get(name) for name in names}
    return {
        "key": dead_letter.key,
        "content": dead_letter.content,
        **values,
        "replayed_at": dead_letter.replayed_at,
    }


@app.command("list", epilog=f"Example: {PROGRAM} dead list --json")
def list_dead_letters(
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List all dead letters, with the reason of each and the time of its replay.

    In a pipe, values are separated by tabs.
    """
    form = Form(columns or USUAL, as_csv, header)
    form.chosen(NAMES)
    with local(must_exist=True) as here:
        summaries = [_summary(dead_letter) for dead_letter in dead_letters(here.ledger.store)]
    rows = ([summary[name] for name in NAMES] for summary in summaries)
    if as_json and columns:
        print_objects(NAMES, rows, form)
        return
    if as_json:
        print_json(summaries)
        return
    say_rows(NAMES, rows, form, empty="There are no dead letters.")


@app.command(epilog=f"Example: {PROGRAM} dead show 5891b5b5")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a dead letter and its body, without secrets."""
    with local(must_exist=True) as here:
        dead_letter = find(here.ledger.store, name)
        text = redact_body(dead_letter.body, here.settings.secrets)
    if as_json:
        print_json(
            _summary(dead_letter) | {"headers": dead_letter.values.get("headers"), "body": text}
        )
        return
    for label, value in _summary(dead_letter).items():
        say(f"{label:12}", value)
    say()
    say_lines(text)


@app.command("replay", epilog=f"Example: {PROGRAM} dead replay 5891b5b5")
def replay_dead_letter(name: Name, yes: Yes = False, as_json: AsJson = False) -> None:
    """Process a dead letter again. The dead letter stays.

    A callback is processed as if it had just arrived; a ticket goes back to the outbox.
    """
    with local(must_exist=True, writes=True) as here:
        confirm_writing(here.settings, yes)
        dead_letter = find(here.ledger.store, name)

        def process(body: bytes) -> Sequence[JobResult]:
            run = Run(here.request_id, time.perf_counter())
            return here.function.process([Delivery(body)], "replay", here.settings, run)

        recorder = Recorder.of(here.settings, here.ledger.store)
        now = rfc3339_of(time.time())
        replay = Replay(here.ledger, recorder, here.settings.limits, process, now)
        jobs = replay.run(dead_letter)
    results = [
        {"job_id": job.job_id, "tag": job.tag, "status": job.status, "key": job.key} for job in jobs
    ]
    if as_json:
        print_json(results)
    else:
        for result in results:
            say(f"{result['status']:12}", f"{result['job_id']} ", result["key"])
    if any(job.status in ("dead_letter", "retry_later") for job in jobs):
        raise typer.Exit(EXIT_NOT_2XX)
