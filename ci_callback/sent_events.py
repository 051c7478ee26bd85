"""Reads of a ledger which events were sent, where to, and with which answer. It writes nothing."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Any

from handler.forwarding.finals import read_finals
from handler.ledger import keys
from handler.ledger.keys import DELIVERIES
from handler.ledger.store import Store

if TYPE_CHECKING:
    from handler.forwarding.sending import Outgoing

MAX_LOOKED_AT = 2_000
"""Objects below `_deliveries/` in which the deliveries of one job are looked for."""


@dataclass(frozen=True)
class SentEvent:
    """An event of one batch, and what became of it there, or an event of all its batches
    (`distinct`). key: of the newest batch. sent: by destination id: status, code, at, ms and
    reason."""

    key: str
    head: Mapping[str, Any]
    tag: str | None
    record_key: str
    sent: Mapping[str, Mapping[str, Any]]

    @property
    def id(self) -> str:
        """The webhook-id."""
        return str(self.head.get("id"))

    @property
    def is_unsent(self) -> bool:
        """Whether a destination did not accept it."""
        return any(answer.get("status") != "delivered" for answer in self.sent.values())

    def matches(self, wanted: EventFilter) -> bool:
        """Whether an event is meant, by what all its batches say of it: `unsent` is not looked
        at."""
        since = wanted.since
        return (
            (wanted.type is None or fnmatchcase(str(self.head.get("type")), wanted.type))
            and (wanted.event_id is None or self.id == wanted.event_id)
            and (since is None or _moment(str(self.head.get("occurred_at"))) >= since.timestamp())
        )

    def values(self) -> dict[str, Any]:
        """As JSON: without the record."""
        return {**self.head, "tag": self.tag, "record_key": self.record_key, "sent": self.sent}


@dataclass(frozen=True)
class EventFilter:
    """None: any. type: a pattern. unsent: only those that a destination did not accept."""

    since: datetime | None = None
    type: str | None = None
    event_id: str | None = None
    unsent: bool = False


def batch_keys(store: Store, since: datetime | None = None) -> Iterator[str]:
    """Keys of batches, in the order of time. May raise StoreError."""
    first = f"{DELIVERIES}dt={since.date().isoformat()}/" if since else DELIVERIES
    return (key for key in store.list(DELIVERIES) if key >= first and key.endswith(".json"))


def events_of(store: Store, batches: Iterable[str]) -> Iterator[SentEvent]:
    """The events of batches; what can't be read as one is passed over."""
    # Imported here, as below: `show` asks for events only where there are any.
    from handler.forwarding.stored import read_deliveries

    for key in batches:
        line = store.get(key)
        if line is None:
            continue
        try:
            events = read_deliveries(line)
        except (ValueError, RecursionError):
            continue
        yield from filter(None, (_event(key, values) for values in events))


def of_root(store: Store, root_job_id: str) -> list[SentEvent]:
    """The events of a root job, each batch in which it was sent or tried, in the order of time.

    The batches that hold its final events are known; others are looked for among the newest.
    """
    known = {final["batch"] for final in finals(store, root_job_id)}
    newest = heapq.nlargest(MAX_LOOKED_AT, batch_keys(store))
    batches = sorted({*known, *newest})
    return [
        event for event in events_of(store, batches) if event.head.get("root_job_id") == root_job_id
    ]


def has_events(store: Store) -> bool:
    """Whether any event was ever sent."""
    return next(batch_keys(store), None) is not None


def finals(store: Store, root_job_id: str) -> list[dict[str, str]]:
    """The final events of a root job, in their order; none where the note can't be read."""
    try:
        return read_finals(store.get(keys.final_events(root_job_id)))
    except ValueError:
        return []


def outgoing(store: Store, event: SentEvent) -> Outgoing | None:
    """The event as it was sent; None where its record is not in the ledger."""
    from handler.forwarding.pending import rebuilt

    record = store.get(event.record_key)
    if record is None:
        return None
    return rebuilt(dict(event.head), event.tag, event.record_key, record)


def distinct(events: Iterable[SentEvent], limit: int) -> list[SentEvent]:
    """Each event once, with the newest answer of each destination: a batch holds the answers of
    those that were tried then. events: in the order of time."""
    newest: dict[str, SentEvent] = {}
    for event in islice(events, limit):
        before = newest.get(event.id)
        answers = {**before.sent, **event.sent} if before else event.sent
        newest[event.id] = replace(event, sent=answers)
    return list(newest.values())


def _event(key: str, values: dict[str, Any]) -> SentEvent | None:
    head = {name: value for name, value in values.items() if name not in _BESIDE}
    sent, record_key = values.get("sent"), values.get("record_key")
    if not isinstance(sent, dict) or not all(isinstance(one, dict) for one in sent.values()):
        return None
    if not isinstance(record_key, str) or not isinstance(head.get("id"), str):
        return None
    tag = values.get("tag")
    try:
        json.dumps(head).encode()
    except ValueError:
        return None
    return SentEvent(key, head, tag if isinstance(tag, str) else None, record_key, sent)


_BESIDE = ("tag", "record_key", "sent")


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0
