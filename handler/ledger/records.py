"""The ledger: keep a record, keep a dead letter. What the keys mean is in keys.py."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.ledger import keys
from handler.ledger.store import Store

Verdict: TypeAlias = Literal["kept", "duplicate", "conflict"]

DEAD_LETTER = "dead-letter/1"

Content: TypeAlias = Literal["callback", "record", "ticket"]
"""What a dead letter holds: a callback's body as it was sent, or what the function itself wrote, a
job-record/1 or a ticket/1. The body does not decide: a stranger may post any of them."""


@dataclass(frozen=True)
class Kept:
    """What became of a record.

    kept: it is new, or it is this very write, whose answer had been lost.
    duplicate: the same end of the same job is kept already.
    conflict: another end is kept already, and stays.
    """

    verdict: Verdict
    key: str
    differs: bool = False
    """A duplicate that tells the same end with other details."""


@dataclass(frozen=True)
class DeadLetter:
    """A body that could not be understood, or that tells another end than the one kept."""

    body: bytes
    reason: str
    explanation: str
    headers: Mapping[str, str]
    """Without secrets: the trigger passes on only headers that it knows to hold none."""
    trigger: str
    received_at: str
    request_id: str
    content: Content = "callback"

    @property
    def sha256(self) -> str:
        """Of the body, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    def to_json(self) -> bytes:
        """The letter as it is kept: one line of JSON, the body in base64."""
        values = {
            "schema": DEAD_LETTER,
            "content": self.content,
            "reason": self.reason,
            "explanation": self.explanation,
            "sha256": self.sha256,
            "bytes": len(self.body),
            "trigger": self.trigger,
            "received_at": self.received_at,
            "request_id": self.request_id,
            "headers": dict(self.headers),
            "body_base64": base64.b64encode(self.body).decode("ascii"),
        }
        return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


class Ledger:
    """Records and dead letters in a store. Every method may raise StoreError."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def keep(self, record: JobRecord) -> Kept:
        """Keep a record, once. A terminal state never gives way to another.

        One request for a new record; a second one to look at what stands there already.
        """
        key = keys.record(record)
        line = record.to_json()
        if not keys.is_written_once(record):
            self.store.put(key, line)
            return Kept("kept", key)
        if self.store.put_new(key, line):
            return Kept("kept", key)
        present = self.store.get(key)
        if present is None:
            raise _contradiction(key)
        return _compare(record, line, key, present)

    def compare(self, record: JobRecord) -> Verdict | None:
        """What `keep` would say of a record, without keeping it; None where it is new."""
        key = keys.record(record)
        present = self.store.get(key)
        if present is None:
            return None
        return _compare(record, record.to_json(), key, present).verdict

    def put_dead_letter(self, letter: DeadLetter) -> str:
        """Keep a dead letter; its key. The same body on the same day is kept once.

        What exists under the key is read back: the key is a hash of the body, so an object that
        holds another body, or none, is damaged, and is replaced. So is a posted callback of the
        same bytes as a record or ticket of the function's own.

        Raises:
            StoreError: the dead letter is not known to be durable.
        """
        key = keys.dead(letter.sha256, letter.received_at)
        line = letter.to_json()
        if self.store.put_new(key, line):
            return key
        present = self.store.get(key)
        if present is None:
            raise _contradiction(key)
        if not _holds(present, letter):
            self.store.put(key, line)
        return key


def _compare(record: JobRecord, line: bytes, key: str, present: bytes) -> Kept:
    if present == line:
        return Kept("kept", key)
    try:
        kept = JobRecord.from_json(present)
    except ValueError:
        # Somebody else's object stands where the record belongs: a person must look.
        return Kept("conflict", key)
    if kept.outcome != record.outcome:
        return Kept("conflict", key)
    differs = kept.source.get("digest") != record.source.get("digest")
    return Kept("duplicate", key, differs)


def _holds(present: bytes, letter: DeadLetter) -> bool:
    """Whether an object is a dead letter of this body, and of this content unless that is a
    callback."""
    try:
        values = json.loads(present)
        if letter.content not in ("callback", values["content"]):
            return False
        return base64.b64decode(values["body_base64"], validate=True) == letter.body
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _contradiction(key: str) -> StoreError:
    return StoreError(
        "put_new", key, "the store reported that the object exists, and then that it does not"
    )
