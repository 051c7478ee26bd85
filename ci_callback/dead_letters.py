"""Dead letters, read and replayed. The original stays; a success is noted beside it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ci_callback.program import PROGRAM
from handler.callback import envelope, payload
from handler.callback.record import JobRecord
from handler.errors import HandlerError
from handler.events.event import Event
from handler.events.queue import name_of
from handler.forwarding.pending import renewed
from handler.ingest.recorder import Recorder
from handler.ledger.dead_letters import DEAD_LETTER, Content, DeadLetter
from handler.ledger.keys import DEAD, EVENTS, OUTBOX
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.parallel import in_parallel
from handler.triggers import JobResult

NOTE = ".replayed.json"


class NoSuchDeadLetterError(HandlerError):
    """A name means no dead letter, or more than one."""


@dataclass(frozen=True)
class StoredDeadLetter:
    """A dead letter as it is kept. values: its JSON, the body in base64 among it."""

    key: str
    values: dict[str, Any]
    replayed_at: str | None

    @property
    def content(self) -> Content:
        """The kind of its body, as the function wrote it; by default a callback."""
        said = self.values.get("content")
        return said if said in ("record", "ticket", "event", "events") else "callback"

    @property
    def body(self) -> bytes:
        """The body as it came.

        Raises:
            ValueError: the dead letter was tampered with.
        """
        try:
            return base64.b64decode(self.values["body_base64"], validate=True)
        except (KeyError, TypeError, binascii.Error) as error:
            raise ValueError("the dead letter holds no body") from error


def dead_letters(store: Store) -> Iterator[StoredDeadLetter]:
    """All dead letters, oldest day first. May raise StoreError."""
    keys = list(store.list(DEAD))
    notes = {key for key in keys if key.endswith(NOTE)}
    for key in keys:
        if key not in notes:
            yield _read(store, key, key + NOTE in notes)


def newest_keys(store: Store) -> list[str]:
    """The keys of all dead letters, those of the newest day first. May raise StoreError."""
    listed = [key for key in store.list(DEAD) if not key.endswith(NOTE)]
    return sorted(listed, key=lambda key: key.split("/")[1], reverse=True)


def read_all(store: Store, keys: Sequence[str]) -> list[StoredDeadLetter]:
    """Dead letters by their keys. May raise StoreError."""
    return in_parallel(lambda key: _read(store, key, noted=True), keys)


def find(store: Store, name: str) -> StoredDeadLetter:
    """The dead letter that a whole key, or the beginning of its SHA-256, means.

    Raises:
        NoSuchDeadLetterError, StoreError
    """
    keys = [
        key
        for key in store.list(DEAD)
        if not key.endswith(NOTE) and (key == name or key.rpartition("/")[2].startswith(name))
    ]
    if not name or len(keys) != 1:
        meant = f"{len(keys)} dead letters" if keys else "no dead letter"
        raise NoSuchDeadLetterError(
            f"{name!r} means {meant}; `{PROGRAM} dead list` shows their names"
        )
    return _read(store, keys[0], noted=True)


def _read(store: Store, key: str, noted: bool) -> StoredDeadLetter:
    note = _object(store.get(key + NOTE)) if noted else {}
    values = _object(store.get(key))
    if values.get("schema") != DEAD_LETTER:
        values = {"reason": "unreadable", "explanation": f"not a {DEAD_LETTER}"}
    replayed_at = note.get("at")
    return StoredDeadLetter(key, values, replayed_at if isinstance(replayed_at, str) else None)


def _object(line: bytes | None) -> dict[str, Any]:
    """A JSON object; an empty one where the line holds no object."""
    try:
        values = json.loads(line or b"{}")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


@dataclass(frozen=True)
class Replay:
    """Runs dead letters again. process: the way of a callback's body. now: RFC 3339 in UTC."""

    ledger: Ledger
    recorder: Recorder
    limits: payload.Limits
    process: Callable[[bytes], Sequence[JobResult]]
    now: str

    def run(self, dead_letter: StoredDeadLetter) -> list[JobResult]:
        """Run a dead letter's body by the way that it would have gone; the result of each job.

        Whether the body is a record or a ticket is decided by the field that the function wrote
        beside it, never by the body: a stranger may post a ticket. A body that still can't be
        understood makes no second dead letter: the error is raised.

        Raises:
            PayloadError, ValueError, StoreError
        """
        content, body = dead_letter.content, dead_letter.body
        if content == "record":
            results = [self._record(JobRecord.from_json(body))]
        elif content == "ticket":
            results = [self._ticket(Ticket.from_json(body))]
        elif content == "event":
            results = [self._event(Event.from_queue(body))]
        elif content == "events":
            results = [self._pending(body)]
        else:
            envelope.read(payload.parse(body, self.limits)[0])
            results = list(self.process(body))
        if all(
            result.status in ("kept", "duplicate", "ignored", "unverified") for result in results
        ):
            note = json.dumps({"at": self.now}).encode("ascii")
            self.ledger.store.put(dead_letter.key + NOTE, note)
        return results

    def _record(self, record: JobRecord) -> JobResult:
        # Compared first: storing puts tickets before it meets the other end.
        if self.ledger.compare(record) == "conflict":
            raise _other_end()
        stored = self.recorder.store(record, _no_dead_letter)
        return JobResult(stored.status, record.job_id, record.tag, record.outcome, stored.key)

    def _ticket(self, ticket: Ticket) -> JobResult:
        """Put a ticket back, under a name that is not marked as done."""
        outbox = Outbox(self.ledger)
        ticket = ticket.replayed()
        while outbox.is_done(ticket.name):
            ticket = ticket.replayed()
        outbox.put(ticket)
        return JobResult("kept", ticket.job_id, key=OUTBOX + ticket.name)

    def _event(self, event: Event) -> JobResult:
        """Put a queued event back."""
        key = EVENTS + name_of(event)
        self.ledger.store.put(key, event.to_queue())
        return JobResult("kept", event.job_id, key=key)

    def _pending(self, body: bytes) -> JobResult:
        """Put events back that a destination did not take, as if they had never been sent."""
        now = datetime.fromisoformat(self.now.replace("Z", "+00:00")).timestamp()
        key, line = renewed(body, now)
        self.ledger.store.put(key, line)
        return JobResult("kept", key=key)


def _other_end() -> ValueError:
    return ValueError("the ledger still keeps another end of this job; the dead letter stays")


def _no_dead_letter() -> DeadLetter:
    raise _other_end()
