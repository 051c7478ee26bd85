"""The final events of each root job, in their order, one object each below `_finals/`.

The first final event of a root creates the object, in one request; each further one is noted behind
it, and supersedes the one before. The note comes before the event is sent, under the lease of the
task, so that no two final events are both the first.

{"schema": "finals/1", "events": [{"id": "evt_…", "type": "job.failed", "batch": KEY}]}

KEY is where it is kept what became of the event.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from handler.events.event import Event
from handler.ledger import keys
from handler.ledger.lease import Lease
from handler.ledger.store import Store

SCHEMA = "finals/1"
WRITE_S = 5.0
"""The longest that a note may take."""


class Noted(NamedTuple):
    """A final event that is noted. supersedes: the id of the one before it. earlier_batch: the key
    of the batch in which it was noted, where that was another one: it may have been sent then."""

    supersedes: str | None = None
    earlier_batch: str | None = None


def note_final(store: Store, lease: Lease, event: Event, batch: str) -> Noted:
    """Note a final event before it is sent. batch: the key of what becomes of it. A note that can't
    be read is replaced: the event is sent, but does not say that it supersedes another.

    Raises:
        StoreError: it is not known to be noted. LeaseLostError: it was not noted.
    """
    key = keys.final_events(event.root_job_id)
    own = {"id": event.id, "type": event.type, "batch": batch}
    lease.check(WRITE_S)
    if store.put_new(key, _line([own])):
        return Noted()
    try:
        noted = read_finals(store.get(key))
    except (ValueError, RecursionError):
        noted = []
    ids = [final["id"] for final in noted]
    if event.id in ids:
        at = ids.index(event.id)
        before = noted[at]["batch"]
        return Noted(ids[at - 1] if at else None, before if before != batch else None)
    lease.check(WRITE_S)
    store.put(key, _line([*noted, own]))
    return Noted(ids[-1] if ids else None)


def read_finals(line: bytes | None) -> list[dict[str, str]]:
    """The final events that an object holds; none of None.

    Raises:
        ValueError: it is no finals/1.
    """
    if line is None:
        return []
    values: Any = json.loads(line)
    events = values.get("events") if isinstance(values, dict) else None
    if not isinstance(events, list) or values.get("schema") != SCHEMA:
        raise ValueError(f"not a {SCHEMA}")
    names = ("id", "type", "batch")
    if not all(
        isinstance(one, dict) and all(isinstance(one.get(n), str) for n in names) for one in events
    ):
        raise ValueError(f"a {SCHEMA} with other fields than it should have")
    return events


def _line(events: list[dict[str, str]]) -> bytes:
    return json.dumps({"schema": SCHEMA, "events": events}).encode("ascii") + b"\n"
