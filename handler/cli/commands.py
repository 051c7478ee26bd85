"""The commands. Exit status: 0 well, 1 the function answered other than 2xx, 2 usage,
3 settings, 4 the store can't be reached."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.json import JSON

from handler.app import main_handler, open_store
from handler.cli import events
from handler.errors import SettingsError, StoreError
from handler.ledger.store import Store
from handler.settings import Settings

EXIT_NOT_2XX = 1
EXIT_SETTINGS = 3
EXIT_STORE = 4

app = typer.Typer(
    help="Run the callback handler for Tencent Cloud Infinite locally, and look after its ledger.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _commands() -> None:
    """Makes each command be called by its name, even while there is one alone."""


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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for a machine.")
    ] = False,
) -> None:
    """Run the function on one callback: its answer, the record's key and the record."""
    with _told_errors():
        settings = Settings.from_env(os.environ)
        event = _event(file.read_bytes(), settings, as_event)
        # The function's log is on stdout, as in SCF; here stdout is for the result.
        with contextlib.redirect_stdout(sys.stderr):
            answer = main_handler(event, events.context())
        kept = _kept(answer, open_store(settings))
    if as_json:
        typer.echo(json.dumps({"answer": answer, "kept": kept}, ensure_ascii=False))
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
    console = Console(highlight=False, soft_wrap=True)
    if "statusCode" in answer:
        console.print(f"[bold]Answer[/] {answer['statusCode']}")
        console.print(JSON(answer["body"], ensure_ascii=False))
    else:
        console.print("[bold]Answer[/]")
        console.print(JSON.from_data(answer, ensure_ascii=False))
    for one in kept:
        console.print("[bold]Key[/]   ", end=" ")
        console.print(one["key"], markup=False)
        console.print("[bold]Record[/]")
        console.print(JSON.from_data(one["record"], ensure_ascii=False))


@contextlib.contextmanager
def _told_errors() -> Iterator[None]:
    """Settings and store faults as a message and an exit status, not a stack trace."""
    try:
        yield
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"settings: {problem}", err=True)
        raise typer.Exit(EXIT_SETTINGS) from error
    except StoreError as error:
        typer.echo(f"store: {error}", err=True)
        raise typer.Exit(EXIT_STORE) from error
