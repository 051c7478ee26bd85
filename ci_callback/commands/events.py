"""`events`: lists the events that the user's own code received, and sends them again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local, moment
from ci_callback.event_sending import requeue, send_to
from ci_callback.listing import (
    AsCsv,
    Columns,
    Form,
    Header,
    print_objects,
    printer_of_rows,
    say_rows,
)
from ci_callback.program import PROGRAM
from ci_callback.record_filter import known_type
from ci_callback.sent_events import EventFilter, SentEvent, batch_keys, distinct, events_of
from ci_callback.terminal import complain, print_json, say
from ci_callback.writing import Yes, confirm_writing
from handler.ledger.store import Store
from handler.settings.destinations import TYPES

MAX_EVENTS = 10_000
"""Of one command; a narrower filter shows others."""

NAMES = ("occurred_utc", "type", "job_id", "destinations", "id")


def types(begin: str) -> list[str]:
    """Types of events that begin so, for the shell's completion."""
    return [name for name in TYPES if name.startswith(begin)]


app = typer.Typer(help="List the events that your own code received, and send them again.")

Since = Annotated[
    datetime | None,
    typer.Option(
        parser=moment,
        metavar="WHEN",
        help="Only events since: 24h, 7d, 2026-11-20 or an RFC 3339 time.",
    ),
]
Type = Annotated[
    str | None,
    typer.Option(
        "--type",
        help="Only this type, or a pattern such as job.*.",
        callback=known_type,
        autocompletion=types,
    ),
]
Unsent = Annotated[
    bool, typer.Option("--unsent", help="Only events that a destination did not accept.")
]


@app.callback(invoke_without_command=True)
def events(
    context: typer.Context,
    since: Since = None,
    kind: Type = None,
    unsent: Unsent = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Also print new events as they are made.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0.1, help="With --follow: seconds between two readings.")
    ] = 2.0,
    count: Annotated[
        int, typer.Option(min=0, help="With --follow: exit after so many; 0: run until Ctrl-C.")
    ] = 0,
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List the events that were sent or wait to be, with the answer of each destination.

    In a pipe, values are separated by tabs.
    """
    if context.invoked_subcommand is not None:
        return
    form = Form(columns, as_csv, header)
    form.chosen(NAMES)
    wanted = EventFilter(since, kind, None, unsent)
    with local(must_exist=True, doing=None if follow else "Reading events") as here:
        store = here.ledger.store
        if follow:
            _follow(store, wanted, every, count, None if as_json else form)
            return
        found = _found(store, wanted)
    if as_json and columns:
        print_objects(NAMES, map(_cells, found), form)
        return
    if as_json:
        print_json([event.values() for event in found])
        return
    say_rows(NAMES, map(_cells, found), form, empty="There are no events.")


@app.command(epilog=f"Example: {PROGRAM} events resend --since 24h --type job.failed --unsent")
def resend(
    event_id: Annotated[
        str | None, typer.Argument(help="The event's id; default: all that match.", metavar="ID")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="An address as in FORWARD_URLS, to which this command sends. Default: "
            "queue the events again for their own destinations."
        ),
    ] = None,
    since: Since = None,
    kind: Type = None,
    unsent: Unsent = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send events again, with the same ids."""
    wanted = EventFilter(since, kind, event_id, unsent)
    if wanted == EventFilter():
        raise typer.BadParameter("name an event, or choose some: --since, --type or --unsent")
    with local(must_exist=True, writes=not to, doing="Sending events") as here:
        if not to:
            confirm_writing(here.settings, yes)
        found = _found(here.ledger.store, wanted)
        results = send_to(here, to, found) if to else requeue(here.ledger.store, found)
    if as_json:
        print_json(results)
    else:
        for result in results:
            say(f"{result['status']:10}", result["id"], result["type"], result["job_id"])
    if not results:
        complain("No event matches.")
    if not results or any(result["status"] == "failed" for result in results):
        raise typer.Exit(EXIT_NOT_2XX)


def _found(store: Store, wanted: EventFilter) -> list[SentEvent]:
    batches = batch_keys(store, wanted.since)
    matching = (event for event in events_of(store, batches) if event.matches(wanted))
    found = distinct(matching, MAX_EVENTS)
    return [event for event in found if event.is_unsent or not wanted.unsent]


def _follow(store: Store, wanted: EventFilter, every: float, count: int, form: Form | None) -> None:
    """form: None for JSON."""
    print_row = printer_of_rows(NAMES, form) if form else None
    for number, event in enumerate(coming(store, wanted, every), 1):
        if print_row:
            print_row(_cells(event))
        else:
            print_json(event.values())
        if number == count:
            return


def coming(store: Store, wanted: EventFilter, every: float) -> Iterator[SentEvent]:
    """Events that were not there at the first look, as they appear."""
    seen = set(batch_keys(store, wanted.since))
    while True:  # until the caller has enough, or Ctrl-C
        time.sleep(every)
        new = [key for key in batch_keys(store, wanted.since) if key not in seen]
        seen.update(new)
        for event in events_of(store, new):
            if event.matches(wanted) and (event.is_unsent or not wanted.unsent):
                yield event


def _cells(event: SentEvent) -> tuple[Any, ...]:
    head = event.head
    reason = f" ({head['reason']})" if head.get("reason") else ""
    return (
        str(head.get("occurred_at"))[:19],
        f"{head.get('type')}{reason}",
        head.get("job_id"),
        "; ".join(answer_text(name, sent) for name, sent in event.sent.items()) or "none wants it",
        event.id,
    )


def answer_text(destination_id: str, sent: Any) -> str:
    """The answer of a destination, in a few words."""
    code = f" {sent['code']}" if sent.get("code") else ""
    return f"{destination_id[:6]} {sent.get('status')}{code} {str(sent.get('at'))[:19]}"
