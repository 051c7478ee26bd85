"""The page of events: what the user's own code was sent, destination by destination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from flask import Blueprint, render_template, request

from ci_callback.console.context import console
from ci_callback.console.filters import MAX_PAGE
from ci_callback.console.paging import PAGE_ROWS, place_of
from ci_callback.sent_events import SentEvent, batch_keys, events_of
from handler.callback import converters
from handler.ledger.store import Store

MAX_BATCHES = 40
"""Batches of events on a page; each holds up to 100."""

event_page = Blueprint("events", __name__)


class SentRow(NamedTuple):
    """One event at one destination, as it was tried in one batch. at: epoch seconds; ms: how long
    the destination took. All texts are from the ledger."""

    destination: str
    at: float | None
    type: str
    is_final: bool
    job_id: str
    status: str
    code: str
    reason: str
    ms: str


@event_page.get("/events")
def sent() -> str:
    context = console()
    store = context.records.store
    keys = sorted(batch_keys(store), reverse=True)
    number = min(request.args.get("page", 1, type=int), MAX_PAGE)
    # A page of this list is of batches, since only reading one says how many events it holds.
    place = place_of(number, -(-len(keys) // MAX_BATCHES) * PAGE_ROWS)
    begin = (place.number - 1) * MAX_BATCHES
    rows = list(_rows(store, keys[begin : begin + MAX_BATCHES]))
    hosts = {to.id: to.host for to in context.function.settings.forward_urls}
    wanted = request.args.get("to", "")
    return render_template(
        "events.html",
        sent=[row for row in rows if wanted in ("", row.destination)],
        place=place,
        hosts={row.destination: "" for row in rows} | hosts,
        wanted=wanted,
    )


def _rows(store: Store, keys: Sequence[str]) -> Iterator[SentRow]:
    for event in islice(events_of(store, keys), MAX_BATCHES * 100):
        for destination, answer in event.sent.items():
            yield _row(event, destination, answer)


def _row(event: SentEvent, destination: str, answer: Mapping[str, Any]) -> SentRow:
    moment = converters.moment(str(answer.get("at")))
    texts = {name: str(answer.get(name) or "") for name in ("status", "code", "reason", "ms")}
    return SentRow(
        destination,
        moment.timestamp() if moment else None,
        str(event.head.get("type")),
        event.head.get("final") is True,
        str(event.head.get("job_id") or ""),
        **texts,
    )
