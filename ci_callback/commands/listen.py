"""`listen`: the events of a ledger, sent to one's own code on this machine as they come."""

from __future__ import annotations

import base64
import itertools
import secrets
import time
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

import typer

from ci_callback.commands.tail import COS_DAYS, recent_keys
from ci_callback.common import AsJson, local
from ci_callback.event_sending import UnusableAddressError, destination
from ci_callback.ledger_reader import records
from ci_callback.record_filter import known_type
from ci_callback.sent_events import batch_keys, events_of, outgoing
from ci_callback.terminal import complain, print_json, say
from handler.events.event import of_record
from handler.forwarding.sending import Outgoing, is_wanted, send
from handler.http_client import HttpClient
from handler.ledger.store import Store
from handler.policy import Policy


def listen(
    forward_to: Annotated[
        str, typer.Option(metavar="URL", help="Your own code: http://localhost:3000/hook")
    ],
    secret: Annotated[
        str | None,
        typer.Option(metavar="WHSEC", help="whsec_…, to sign with. Default: a new one is printed."),
    ] = None,
    types: Annotated[str, typer.Option(help="Patterns of types, separated by commas.")] = "*",
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two readings of the ledger.")
    ] = 2.0,
    count: Annotated[
        int, typer.Option(min=0, help="Exit after so many events; 0: run until Ctrl-C.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Send the events of a ledger to your own code as they are made.

    If the function has FORWARD_URLS, all its events are sent; else those that follow from new
    records.
    """
    for pattern in types.split(","):
        known_type(pattern.strip())
    key = secret or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    try:
        to = destination(f"{forward_to}#secret={quote(key, safe='')}&types={quote(types)}")
    except UnusableAddressError as error:
        raise typer.BadParameter(
            "--forward-to: an address such as http://localhost:3000/hook; --secret: whsec_ and the "
            "base64 of 24 to 64 bytes"
        ) from error
    if secret is None:
        complain("Signed with", key)
    client = HttpClient()
    with local(must_exist=True, doing=None) as here:
        days = COS_DAYS if here.settings.ledger_url.scheme == "cos" else None
        policy = Policy.of(here.settings)
        wanted = (
            event
            for event in _coming(here.ledger.store, policy, days, every)
            if is_wanted(event, to)
        )
        for event in itertools.islice(wanted, count or None):
            result = send(client, to, event, time.time())
            if as_json:
                print_json({"id": event.id, "type": event.type} | result.values(_now()))
            else:
                answer = result.code or result.reason
                say(event.type, event.head["job_id"], result.status, answer, f"{event.id}")
    client.close()


def _coming(store: Store, policy: Policy, days: int | None, every: float) -> Iterator[Outgoing]:
    """The events of new records and of new batches, each once."""
    records_seen = set(recent_keys(store, days))
    batches_seen = set(batch_keys(store))
    known: set[str] = set()
    while True:  # until the caller has enough, or Ctrl-C
        time.sleep(every)
        new = [key for key in recent_keys(store, days) if key not in records_seen]
        records_seen.update(new)
        batches = [key for key in batch_keys(store) if key not in batches_seen]
        batches_seen.update(batches)
        for event in itertools.chain(_of_records(store, policy, new), _of_batches(store, batches)):
            if event.id not in known:
                known.add(event.id)
                yield event


def _of_records(store: Store, policy: Policy, new: list[str]) -> Iterator[Outgoing]:
    for stored in records(store, new):
        event = of_record(stored.record, policy) if stored.record else None
        if event is not None:
            yield Outgoing.of(event, is_kept=True)


def _of_batches(store: Store, batches: list[str]) -> Iterator[Outgoing]:
    for sent in events_of(store, batches):
        event = outgoing(store, sent)
        if event is not None:
            yield event


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
