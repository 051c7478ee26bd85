"""Dead letters, read and run again. The original stays; a success is noted beside it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from handler.callback import envelope, payload
from handler.callback.record import SCHEMA as RECORD
from handler.callback.record import JobRecord
from handler.errors import HandlerError
from handler.ingest.recorder import Recorder
from handler.ledger.outbox import SCHEMA as TICKET
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import DEAD_LETTER, DeadLetter, Ledger
from handler.ledger.store import Store
from handler.triggers import JobResult

LETTERS = "_dead/"
NOTE = ".replayed.json"


class NoSuchLetterError(HandlerError):
    """No dead letter, or more than one, is meant by a name."""


@dataclass(frozen=True)
class Letter:
    """A dead letter as it is kept. values: its JSON, the body in base64 among it."""

    key: str
    values: dict[str, Any]
    replayed_at: str | None

    @property
    def body(self) -> bytes:
        """The body as it came.

        Raises:
            ValueError: the letter was tampered with.
        """
        try:
            return base64.b64decode(self.values["body_base64"], validate=True)
        except (KeyError, TypeError, binascii.Error) as error:
            raise ValueError("the letter holds no body") from error


def letters(store: Store) -> Iterator[Letter]:
    """All dead letters, oldest day first. May raise StoreError."""
    keys = list(store.list(LETTERS))
    notes = {key for key in keys if key.endswith(NOTE)}
    for key in keys:
        if key not in notes:
            yield _read(store, key, key + NOTE in notes)


def find(store: Store, name: str) -> Letter:
    """The letter that a whole key, or the beginning of its SHA-256, means.

    Raises:
        NoSuchLetterError, StoreError
    """
    keys = [
        key
        for key in store.list(LETTERS)
        if not key.endswith(NOTE) and (key == name or key.rpartition("/")[2].startswith(name))
    ]
    if not name or len(keys) != 1:
        meant = f"{len(keys)} of them" if keys else "none"
        raise NoSuchLetterError(f"{name!r} means {meant}; `dead list` shows their names")
    return _read(store, keys[0], noted=True)


def _read(store: Store, key: str, noted: bool) -> Letter:
    note = store.get(key + NOTE) if noted else None
    try:
        values = json.loads(store.get(key) or b"{}")
    except ValueError:
        values = {}
    if not isinstance(values, dict) or values.get("schema") != DEAD_LETTER:
        values = {"reason": "unreadable", "explanation": f"not a {DEAD_LETTER}"}
    return Letter(key, values, json.loads(note)["at"] if note else None)


def replay(
    letter: Letter,
    ledger: Ledger,
    intake: Recorder,
    limits: payload.Limits,
    take: Callable[[bytes], Sequence[JobResult]],
    now: str,
) -> list[JobResult]:
    """Run a letter's body by the same way again; what became of each job.

    take: the way of a callback's body. A record or a ticket that the sweep had put aside
    goes back to where it came from. A body that still can't be understood makes no second
    letter: the error is raised.

    Raises:
        PayloadError, ValueError, StoreError
    """
    body = letter.body
    form = _form(body)
    if form == RECORD:
        outcomes = [_record(JobRecord.from_json(body), intake)]
    elif form == TICKET:
        ticket = Ticket.from_json(body)
        Outbox(ledger).put(ticket)
        outcomes = [JobResult("kept", ticket.job_id, key=f"_outbox/{ticket.name}")]
    else:
        envelope.read(payload.parse(body, limits)[0])
        outcomes = list(take(body))
    if all(one.status in ("kept", "duplicate", "ignored", "unverified") for one in outcomes):
        ledger.store.put(letter.key + NOTE, json.dumps({"at": now}).encode("ascii"))
    return outcomes


def _form(body: bytes) -> str:
    """What wrote the body: the schema of a record or a ticket; "" for CI."""
    try:
        read = json.loads(body)
    except ValueError:
        return ""
    schema = read.get("schema") if isinstance(read, dict) else None
    return schema if schema in (RECORD, TICKET) else ""


def _record(record: JobRecord, intake: Recorder) -> JobResult:
    def letter() -> DeadLetter:
        raise ValueError("another end of this job is kept still; the letter stays as it is")

    taken = intake.take(record, letter)
    return JobResult(taken.status, record.job_id, record.tag, record.outcome, taken.key)
