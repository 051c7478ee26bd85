"""Writes the results of one run: deliveries, pending events, and events that were given up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from handler.callback.details import dumps
from handler.clock import rfc3339_of
from handler.errors import StoreError
from handler.forwarding.condition import GIVE_UP_S, retry_delay_s
from handler.forwarding.context import ForwardContext
from handler.forwarding.outlet import Sent
from handler.forwarding.pending import Batch
from handler.forwarding.sending import Outgoing
from handler.ledger.outbox import Ticket
from handler.settings import Destination

SCHEMA = "deliveries/1"
CLOCKS_DIFFER_S = 3600
"""How far ahead another machine's clock may be."""

WRITE_TRIES = 3
"""Of the object that says what became of a batch: without it the whole batch is sent again."""


class Unsent(NamedTuple):
    """Events that a destination has not accepted: the time of the first try, and the number of
    tries."""

    since: float
    tries: int
    sent: Sequence[Sent]


def put_deliveries(
    context: ForwardContext, key: str, results: Mapping[str, Sequence[Sent]], of: Sequence[Outgoing]
) -> None:
    """Store what became of events. results: by destination.

    Raises:
        StoreError
    """
    became: dict[str, dict[str, Any]] = {event.id: {} for event in of}
    for destination_id, sent in results.items():
        for outgoing, result in sent:
            at = rfc3339_of(result.at)
            became[outgoing.id][destination_id] = result.values(at)
    events = [
        {**event.head, "tag": event.tag, "record_key": event.record_key, "sent": became[event.id]}
        for event in of
    ]
    line = dumps({"schema": SCHEMA, "at": context.now(), "events": events}) + b"\n"
    for tries_left in reversed(range(WRITE_TRIES)):
        try:
            context.store.put(key, line)
            return
        except StoreError:
            if not tries_left:
                raise


def is_old(context: ForwardContext, unsent: Unsent) -> bool:
    """Whether events are given up. A time that lies an hour ahead bounds nothing, and counts."""
    return not -CLOCKS_DIFFER_S <= context.timing.clock() - unsent.since <= GIVE_UP_S


def put_unsent(context: ForwardContext, to: Destination, name: str, unsent: Unsent) -> list[Sent]:
    """Keep the events that a destination has not accepted: failed ones until they are due again,
    waiting ones behind those that are pending already. Events that are too old become a dead
    letter, with an alert. The same with what became of it.

    Raises:
        StoreError
    """
    now, too_old = context.timing.clock(), is_old(context, unsent)
    failed = [sent for sent in unsent.sent if sent.result.status == "failed"]
    waiting = [sent for sent in unsent.sent if sent.result.status == "waiting"]
    if too_old and failed:
        _give_up(context, to, Batch(to.id, unsent.since, unsent.tries + 1, _events(failed)))
    elif failed:
        wait_s = max(sent.result.retry_after_s for sent in failed)
        tries = unsent.tries + 1
        due = now + max(wait_s, retry_delay_s(tries, context.jitter))
        batch = Batch(to.id, unsent.since, tries, _events(failed))
        context.store.put(batch.key(due, f"{name}-f"), batch.to_json())
    if waiting and too_old:
        _give_up(context, to, Batch(to.id, unsent.since, unsent.tries, _events(waiting)))
    elif waiting:
        batch = Batch(to.id, unsent.since, unsent.tries, _events(waiting))
        # In the place of the former one: those of a destination are sent in the order of time.
        context.store.put(batch.key(unsent.since, f"{name}-w"), batch.to_json())
    if not too_old:
        return list(unsent.sent)
    return [Sent(sent.outgoing, sent.result._replace(status="given_up")) for sent in unsent.sent]


def read_deliveries(line: bytes) -> list[dict[str, Any]]:
    """The events of an object below `_deliveries/`, each with `sent`: its result by destination.

    Raises:
        ValueError: it is no deliveries/1.
    """
    values: Any = json.loads(line)
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise ValueError(f"not a {SCHEMA}")
    events = values.get("events")
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError(f"a {SCHEMA} with other fields than it should have")
    return events


def _events(sent: Sequence[Sent]) -> tuple[Outgoing, ...]:
    return tuple(outgoing for outgoing, _ in sent)


def _give_up(context: ForwardContext, to: Destination, batch: Batch) -> None:
    """First the alert, then the dead letter: one that is missing is better than no alert."""
    letter = context.dead_letter(
        batch.to_json(), "events", "undelivered", f"not taken by {to.host} ({to.id}) for days"
    )
    count = len(batch.events)
    note = f"{count} events were not taken by {to.host} ({to.id}) for days; kept in {letter.key}"
    context.outbox.put(Ticket("alert.undelivered", to.id, letter.sha256[:16], note=note))
    context.ledger.put_dead_letter(letter)


def results_of(sent: Sequence[Sent]) -> dict[str, int]:
    """How many events came to which end."""
    counts: dict[str, int] = {}
    for _, result in sent:
        counts[result.status] = counts.get(result.status, 0) + 1
    return counts
