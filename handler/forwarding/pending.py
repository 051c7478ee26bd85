"""Events that a destination has not taken, up to 100 in one object, in the order of time:

    _pending/DESTINATION/DUE-SINCE-RUN.json         DUE, SINCE: 10-digit epoch seconds

An object names its events and where their records are; a record that is not in the ledger (the
second of two ends) is in it. It is replaced by its rest, or deleted once each event was taken.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from handler.callback.details import dumps
from handler.forwarding.sending import Outgoing
from handler.ledger.keys import PENDING
from handler.ledger.store import Store
from handler.parallel import Parallel, in_parallel

SCHEMA = "pending/1"

_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_KEY = re.compile(rf"{PENDING}([0-9a-f]{{16}})/(\d{{10}})-(\d{{10}})-[^/]+\.json")


class Place(NamedTuple):
    """The parts of a batch's key. Times are epoch seconds."""

    key: str
    destination_id: str
    due: int
    since: int

    @classmethod
    def of(cls, key: str) -> Place | None:
        """Read a key; None for any other key."""
        match = _KEY.fullmatch(key)
        return cls(key, match[1], int(match[2]), int(match[3])) if match else None


class Batch(NamedTuple):
    """Events that one destination has not taken. since: when the first of them could not be sent;
    tries: how often they were sent."""

    destination_id: str
    since: float
    tries: int
    events: tuple[Outgoing, ...]

    def key(self, due: float, run: str) -> str:
        """Where it is kept until it is due."""
        times = f"{min(int(due), 9_999_999_999):010d}-{int(self.since):010d}"
        return f"{PENDING}{self.destination_id}/{times}-{run}.json"

    def to_json(self) -> bytes:
        """As it is stored."""
        events = [_named(event) for event in self.events]
        values = {
            "schema": SCHEMA,
            "destination": self.destination_id,
            "since": self.since,
            "tries": self.tries,
            "events": events,
        }
        return dumps(values) + b"\n"


def _named(event: Outgoing) -> dict[str, Any]:
    where: dict[str, Any] = {"tag": event.tag, "record_key": event.record_key}
    if not event.is_kept:
        where["record"] = json.loads(event.body)["record"]
    return {**where, "head": event.head}


def read_batch(store: Store, line: bytes, parallel: Parallel = in_parallel) -> Batch:
    """Read a batch, with the records of its events, several at a time. One whose record is gone is
    left out: the function never deletes one.

    Raises:
        StoreError. ValueError: it is no pending/1.
    """
    values = _values(line)
    try:
        made = parallel(lambda named: _outgoing(store, named), values["events"])
        events = tuple(event for event in made if event is not None)
        times = float(values["since"]), int(values["tries"])
        return Batch(values["destination"], *times, events)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a {SCHEMA} with other fields than it should have") from error


def renewed(line: bytes, now: float) -> tuple[str, bytes]:
    """Key and bytes of a batch that was given up, to be tried as one that never failed.

    Raises:
        ValueError: it is no pending/1.
    """
    values = _values(line)
    values |= {"since": now, "tries": 0}
    batch = Batch(values["destination"], now, 0, ())
    run = hashlib.sha256(line).hexdigest()[:16]
    return batch.key(now, f"{run}-replayed"), dumps(values) + b"\n"


def _values(line: bytes) -> dict[str, Any]:
    try:
        values: Any = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise ValueError(f"not a {SCHEMA}")
    if not _ID.fullmatch(str(values.get("destination"))):
        raise ValueError(f"a {SCHEMA} without its destination")
    return values


def _outgoing(store: Store, named: dict[str, Any]) -> Outgoing | None:
    inside = named.get("record")
    record = store.get(named["record_key"]) if inside is None else dumps(inside)
    if record is None:
        return None
    made = rebuilt(named["head"], named["tag"], named["record_key"], record)
    return made._replace(is_kept=inside is None)


def rebuilt(head: dict[str, Any], tag: str | None, record_key: str, record: bytes) -> Outgoing:
    """An event as it was sent, of its parts."""
    body = b"".join((dumps(head)[:-1], b',"record":', record.rstrip(b"\n"), b"}"))
    return Outgoing(head["id"], head["type"], tag, head, record_key, body)


def places(keys: Sequence[str]) -> dict[str, list[Place]]:
    """The pending batches by destination, in the order of time."""
    found: dict[str, list[Place]] = {}
    for key in keys:
        place = Place.of(key)
        if place is not None:
            found.setdefault(place.destination_id, []).append(place)
    return found
