"""The commands. Exit status: 0 well, 1 the function answered other than 2xx, 2 usage,
3 settings, 4 the store can't be reached."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.json import JSON

from handler.app import main_handler, open_store
from handler.cli import dead, events
from handler.cli.common import EXIT_NOT_2XX, AsJson, console, echo_json, told_errors
from handler.cli.compact import compact
from handler.cli.replay import replay
from handler.cli.sweep import sweep
from handler.ledger.store import Store
from handler.settings import Settings

app = typer.Typer(
    help="Run the callback handler for Tencent Cloud Infinite locally, and look after its ledger.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


app.add_typer(dead.app, name="dead")
app.command(epilog="Example: python -m handler sweep --dry-run")(sweep)
app.command(epilog="Example: python -m handler compact --date 2026-11-20")(compact)
app.command(epilog="Example: python -m handler replay --from-log scf.log")(replay)


@app.command(
    epilog="Example: python -m handler invoke tests/payloads/Translation.seed.xml",
)
def invoke(
    file: Annotated[
        Path, typer.Argument(help="A callback's body, XML or JSON.", exists=True, dir_okay=False)
    ],
    as_event: Annotated[
        bool, typer.Option("--event", help="FILE is a whole SCF event: pass it as it is.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the function on one callback: its answer, the record's key and the record."""
    with told_errors():
        settings = Settings.from_env(os.environ)
        event = _event(file.read_bytes(), settings, as_event)
        # The function's log is on stdout, as in SCF; here stdout is for the result.
        with contextlib.redirect_stdout(sys.stderr):
            answer = main_handler(event, events.context())
        kept = _kept(answer, open_store(settings))
    if as_json:
        echo_json({"answer": answer, "kept": kept})
    else:
        _show(answer, kept)
    status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
    if not 200 <= status < 300:
        raise typer.Exit(EXIT_NOT_2XX)


def _event(sent: bytes, settings: Settings, as_event: bool) -> Any:
    if not as_event:
        token = settings.callback_tokens[0] if settings.callback_tokens else None
        return events.http_event(sent, token)
    try:
        return json.loads(sent)
    except ValueError as error:
        raise typer.BadParameter(f"an event is JSON, and this is none: {error}") from error


def _kept(answer: Any, store: Store) -> list[dict[str, Any]]:
    """Each key that the answer names, and what is kept there."""
    body = json.loads(answer["body"]) if "body" in answer else answer
    found = []
    for job in body.get("jobs", ()):
        data = store.get(job["key"]) if job["key"] else None
        found.append({"key": job["key"], "record": json.loads(data) if data else None})
    return found


def _show(answer: Any, kept: list[dict[str, Any]]) -> None:
    out = console()
    if "statusCode" in answer:
        out.print(f"[bold]Answer[/] {answer['statusCode']}")
        out.print(JSON(answer["body"], ensure_ascii=False))
    else:
        out.print("[bold]Answer[/]")
        out.print(JSON.from_data(answer, ensure_ascii=False))
    for one in kept:
        out.print("[bold]Key[/]   ", end=" ")
        out.print(one["key"], markup=False)
        out.print("[bold]Record[/]")
        out.print(JSON.from_data(one["record"], ensure_ascii=False))
