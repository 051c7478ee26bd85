"""`dead`: the letters that could not be understood, to read and to run again."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local
from ci_callback.dead_letters import Letter, find, letters, replay
from ci_callback.terminal import Table, print_json, say, say_lines, say_table
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
        print_json(found)
        return
    rows = Table(("received", "why", "bytes", "run again", "key"))
    for one in found:
        received = str(one["received_at"] or "")[:19]
        rows.add(received, one["reason"], one["bytes"], one["replayed_at"], one["key"])
    say_table(rows, empty="There are no dead letters.")


@app.command(epilog="Example: python -m ci_callback dead show 5891b5b5")
def show(name: Name, as_json: AsJson = False) -> None:
    """One letter: what is known of it, and its body."""
    with local() as here:
        letter = find(here.ledger.store, name)
        text = letter.body.decode("utf-8", "backslashreplace")
    if as_json:
        print_json(_summary(letter) | {"headers": letter.values.get("headers"), "body": text})
        return
    for label, value in _summary(letter).items():
        say(f"{label:12}", value)
    say()
    say_lines(text)


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
        print_json(told)
    else:
        for one in told:
            say(f"{one['status']:12}", f"{one['job_id']} ", one["key"])
    if any(one.status in ("dead_letter", "retry_later") for one in outcomes):
        raise typer.Exit(EXIT_NOT_2XX)
