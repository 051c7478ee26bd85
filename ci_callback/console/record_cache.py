"""The console's reader of the ledger: records that stay as they are are read once."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from datetime import timedelta

from ci_callback.devserver.local_function import LocalFunction
from ci_callback.ledger_reader import (
    MERGE_DAYS,
    StoredRecord,
    job_keys,
    may_follow,
    received_at,
    records,
)
from handler.callback import converters
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.keys import OUTBOX
from handler.ledger.store import Store
from handler.policy import Policy

MAX_TICKETS = 5_000
MAX_CACHED = 3_000
MAX_CACHED_BYTES = 32 * 1024 * 1024
"""Of all records that are cached, as JSON; as objects they take about twice as much."""

_KEY = re.compile(
    r"(?:jobs|workflows|reviews|_unfinished)/dt=\d{4}-\d\d-\d\d/[a-z0-9~A-F-]{1,260}\.json"
)


_UNDATED = f"/dt={keys.NO_DAY}/"


def is_record_key(key: str) -> bool:
    """Whether a text from outside can be the key of a record."""
    return _KEY.fullmatch(key) is not None


class _Known:
    """Records by their key: at most MAX_CACHED, and MAX_CACHED_BYTES. The oldest ones go."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, StoredRecord] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self.bytes = 0

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> StoredRecord | None:
        return self._records.get(key)

    def add(self, stored: StoredRecord) -> None:
        """Keep one that is not kept yet."""
        if stored.record is None or stored.key in self._records:
            return
        self._records[stored.key] = stored
        self._sizes[stored.key] = len(stored.record.to_json())
        self.bytes += self._sizes[stored.key]

    def shorten(self) -> None:
        """Drop the oldest ones, down to the bounds."""
        while len(self._records) > MAX_CACHED or self.bytes > MAX_CACHED_BYTES:
            key, _ = self._records.popitem(last=False)
            self.bytes -= self._sizes.pop(key)


class RecordCache:
    """The ledger as pages need it. Every method may raise StoreError."""

    def __init__(self, function: LocalFunction) -> None:
        self._function = function
        self._known = _Known()

    @property
    def store(self) -> Store:
        """The ledger's store."""
        return self._function.store

    @property
    def policy(self) -> Policy:
        """The policy on failures."""
        return Policy.of(self._function.settings)

    def read(self, wanted: Iterable[str]) -> dict[str, StoredRecord]:
        """Records by their keys; one that is not there is left out. In place of a record without a
        day, that of the same job under its day, where there is one."""
        by_key = self._read(wanted)
        return {
            key: self._dated(stored) if _UNDATED in key else stored
            for key, stored in by_key.items()
        }

    def _dated(self, undated: StoredRecord) -> StoredRecord:
        record = undated.record
        return (record and self.find(record.job_id, received_at(record))) or undated

    def _read(self, wanted: Iterable[str]) -> dict[str, StoredRecord]:
        asked = list(dict.fromkeys(wanted))
        missing = [key for key in asked if key not in self._known]
        fresh = {record.key: record for record in records(self.store, missing)}
        for stored in fresh.values():
            if stored.record is not None and _never_changes(stored.record):
                self._known.add(stored)
        found_now = {
            key: cached
            for key in asked
            if (cached := fresh.get(key) or self._known.get(key)) is not None
        }
        self._known.shorten()
        return found_now

    @property
    def cached(self) -> tuple[int, int]:
        """How many records are cached, and the bytes of their JSON."""
        return len(self._known), self._known.bytes

    def find(self, job_id: str, near: str | None) -> StoredRecord | None:
        """The record of a job that was created at `near` (RFC 3339), or up to a week before."""
        moment = converters.moment(near)
        day = moment.date() if moment else None
        days = [str(day - timedelta(back)) for back in range(MERGE_DAYS + 1)] if day else []
        return next(iter(self._read(job_keys(job_id, days)).values()), None)

    def tickets(self) -> list[str]:
        """Names of the tickets that wait, the next one due first."""
        names = []
        for key in self.store.list(OUTBOX):
            names.append(key.removeprefix(OUTBOX))
            if len(names) >= MAX_TICKETS:
                break
        return names


def _never_changes(record: JobRecord) -> bool:
    """Whether reading it again would show the same: its root may be noted later."""
    return keys.is_written_once(record) and not may_follow(record)
