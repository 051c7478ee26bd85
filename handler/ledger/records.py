"""Records and dead letters in a store. keys.py has the keys."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.ledger import keys
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.store import Store

Status: TypeAlias = Literal["kept", "duplicate", "unverified", "dead_letter"]
Comparison: TypeAlias = Literal["kept", "duplicate", "conflict"]


class StoreResult(NamedTuple):
    """The result for one job of a callback, once it is durable.

    kept: it is new, or it is this very write, whose answer had been lost.
    duplicate: the same end of the same job is kept already.
    dead_letter, unverified: it is kept as a dead letter, or as a ticket that asks CI.

    Attributes:
        differs: a duplicate that reports the same end with other details.
    """

    status: Status
    key: str
    differs: bool = False


class Conflict(NamedTuple):
    """Another end of the job is kept under the key, and stays; this one is stored nowhere yet."""

    key: str


class Ledger:
    """Records and dead letters in a store. Every method may raise StoreError."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def put_record(self, record: JobRecord) -> StoreResult | Conflict:
        """Keep a record, once. A terminal state never gives way to another.

        One request for a new record; a second one to read what exists already.
        """
        key = keys.record(record)
        line = record.to_json()
        if not keys.is_written_once(record):
            self.store.put(key, line)
            return StoreResult("kept", key)
        if self.store.put_new(key, line):
            return StoreResult("kept", key)
        comparison, differs = _compare(record, line, self._present(key))
        if comparison == "conflict":
            return Conflict(key)
        return StoreResult(comparison, key, differs)

    def compare(self, record: JobRecord) -> Comparison | None:
        """How a record compares with the one that is kept; None where none is kept."""
        key = keys.record(record)
        present = self.store.get(key)
        if present is None:
            return None
        return _compare(record, record.to_json(), present)[0]

    def put_dead_letter(self, dead_letter: DeadLetter) -> str:
        """Keep a dead letter; its key. The same body on the same day is kept once.

        An existing object under the key is read back: the key is a hash of the body, so an object
        that holds another body, or none, is damaged, and is replaced. So is a posted callback of
        the same bytes as a record or ticket of the function's own.

        Raises:
            StoreError: the dead letter is not known to be durable.
        """
        key, line = dead_letter.key, dead_letter.to_json()
        if not self.store.put_new(key, line) and not dead_letter.is_held_by(self._present(key)):
            self.store.put(key, line)
        return key

    def _present(self, key: str) -> bytes:
        """The object that a put_new was refused for."""
        present = self.store.get(key)
        if present is None:
            words = "the store reported that the object exists, and then that it does not"
            raise StoreError("put_new", key, words)
        return present


def _compare(record: JobRecord, line: bytes, present: bytes) -> tuple[Comparison, bool]:
    """And whether the details differ."""
    if present == line:
        return "kept", False
    try:
        kept = JobRecord.from_json(present)
    except (ValueError, RecursionError):
        return "conflict", True  # a foreign object has the record's key: a person must look
    if kept.outcome != record.outcome:
        return "conflict", True
    return "duplicate", kept.source.get("digest") != record.source.get("digest")
