"""The events that wait to be sent, one object each below `_events/`.

    SECONDS-JOB_ID-OUTCOME-DAY-KIND.json

SECONDS: epoch seconds of the job's end. KIND: `own` where the ledger's record of that day and that
job says all of it, so that the object itself need not be read; else the type, and the reason of a
failure. The name is a function of the record and the kind: a redelivery writes the same one again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from handler.callback.record import JobRecord
from handler.events.event import Event, moment_of, of_failure, of_missing_callback, of_record
from handler.ledger import keys
from handler.ledger.attempts import Attempts
from handler.ledger.keys import EVENTS
from handler.ledger.store import Store
from handler.policy import Policy

OWN = "own"
TOLD_BY_RECORD = frozenset({"succeeded", "partial", "cancelled"})
"""Outcomes of a job whose event follows from the record alone, whatever the settings are."""

_NAME = re.compile(
    r"(?P<seconds>\d{10})-(?P<job>[^-/]+)-(?P<outcome>[a-z]+)-(?P<day>\d{8})-(?P<kind>[^-/]+)\.json"
)


class Queued(NamedTuple):
    """The parts of a queued event's name. job: as a part of a key."""

    name: str
    job: str
    outcome: str
    day: str
    kind: str

    @classmethod
    def of(cls, name: str) -> Queued | None:
        """Read a name; None for any other key."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        day = match["day"]
        written = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        return cls(name, match["job"], match["outcome"], written, match["kind"])

    @property
    def record_key(self) -> str:
        """Of the job's record."""
        return f"{keys.JOBS}dt={self.day}/{self.job}.json"


def name_of(event: Event) -> str:
    """The name under which an event is queued."""
    record = event.record
    kind = keys.name(f"{event.type}.{event.reason}" if event.reason else event.type)
    if event.own_record and record.kind == "job" and record.outcome in TOLD_BY_RECORD:
        kind = OWN
    elif record.kind == "review":
        kind += "~" + keys.name(str(record.source["digest"])[:12])
    day = keys.day(record.created_at).replace("-", "")
    seconds = f"{moment_of(record):010d}"
    return f"{seconds}-{keys.name(event.job_id)}-{record.outcome}-{day}-{kind}.json"


class EventQueue:
    """Puts events. Every method may raise StoreError: then it may not be durable, and putting it
    again is the same as once."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def put_end(self, record: JobRecord) -> None:
        """Put the event that a record calls for, if it does."""
        event = of_record(record, self._policy)
        if event is not None:
            self.put(event)

    def put_failure(self, record: JobRecord, reason: str, note: str) -> None:
        """Put the final event of a job whose retries have come to an end without a success."""
        proven = Attempts(self._store).proven(record)
        self.put(of_failure(proven, reason, note)._replace(own_record=False))

    def put_missing_callback(self, record: JobRecord) -> None:
        """Put the event that no callback came, and that CI was asked."""
        self.put(of_missing_callback(record))

    def put(self, event: Event) -> None:
        """Put an event."""
        self._store.put(EVENTS + name_of(event), event.to_queue())
