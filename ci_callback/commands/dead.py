"""`dead`: the letters that could not be understood, to read and to run again."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, console, echo_json, escape, local, safe, table
from ci_callback.dead_letters import Letter, find, letters, replay
from handler.clock import rfc3339_of
from handler.ingest.recorder import Recorder
from handler.policy import Policy
from handler.triggers import Delivery

app = typer.Typer(help="Read dead letters, and run them again.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(help="The letter's key, or the beginning of its SHA-256.", metavar="LETTER")
]


def _summary(letter: Letter) -> dict[str, Any]:
    names = ("reason", "explanation", "bytes", "trigger", "received_at")
    told = {name: letter.values.get(name) for name in names}
    return {"key": letter.key, **told, "replayed_at": letter.replayed_at}


@app.command("list", epilog="Example: python -m ci_callback dead list --json")
def list_letters(as_json: AsJson = False) -> None:
    """All letters: why each is dead, and whether it was run again since."""
    with local() as here:
        found = [_summary(letter) for letter in letters(here.ledger.store)]
    if as_json:
        echo_json(found)
        return
    rows = table("received", "why", "bytes", "run again", "key")
    for one in found:
        values = (
            str(one["received_at"] or "")[:19],
            one["reason"],
            one["bytes"],
            one["replayed_at"],
            one["key"],
        )
        rows.add_row(*(escape(safe(value)) for value in values))
    console().print(rows if found else "There are no dead letters.")


@app.command(epilog="Example: python -m ci_callback dead show 5891b5b5")
def show(name: Name, as_json: AsJson = False) -> None:
    """One letter: what is known of it, and its body."""
    with local() as here:
        letter = find(here.ledger.store, name)
        text = letter.body.decode("utf-8", "backslashreplace")
    if as_json:
        echo_json(_summary(letter) | {"headers": letter.values.get("headers"), "body": text})
        return
    out = console()
    for label, value in _summary(letter).items():
        out.print(f"{label:12} {'' if value is None else value}", markup=False)
    out.print()
    # Whatever the body holds, it must not steer the terminal.
    safe = "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)
    out.print(safe, markup=False)


@app.command("replay", epilog="Example: python -m ci_callback dead replay 5891b5b5")
def replay_letter(name: Name, as_json: AsJson = False) -> None:
    """Run a letter's body again by the way of a callback. The letter stays."""
    with local() as here:
        letter = find(here.ledger.store, name)

        def take(body: bytes) -> Any:
            delivery = Delivery(body)
            return here.function.take(
                [delivery], "replay", here.settings, here.request_id, time.perf_counter()
            )

        intake = Recorder(here.ledger, Policy.of(here.settings))
        now = rfc3339_of(time.time())
        outcomes = replay(letter, here.ledger, intake, here.settings.limits, take, now)
    told = [
        {"job_id": one.job_id, "tag": one.tag, "status": one.status, "key": one.key}
        for one in outcomes
    ]
    if as_json:
        echo_json(told)
    else:
        for one in told:
            console().print(f"{one['status']:12} {one['job_id']}  {one['key']}", markup=False)
    if any(one.status in ("dead_letter", "retry_later") for one in outcomes):
        raise typer.Exit(EXIT_NOT_2XX)
