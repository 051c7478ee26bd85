"""Writes rows: of objects that are new or were replaced, and no longer of those that are gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ci_callback.ledger_reader import BATCH, StoredRecord, records
from ci_callback.record_index.listing import NO_DAY, ListedDay
from ci_callback.record_index.rows import Row, row_of
from handler.ledger.keys import JOBS
from handler.ledger.store import Store
from handler.parallel import Parallel

MANY_GONE = 100
"""So many objects that a day's listing lacks are asked for one by one, since a listing may lag.
More at a time were deleted: by a lifecycle rule, say."""

_INSERT = (
    f"INSERT INTO records ({', '.join(Row._fields)}) "  # noqa: S608  (names of this code)
    f"VALUES ({', '.join('?' * len(Row._fields))}) RETURNING id"
)


class Writer:
    """Writes to one connection. Every method may raise StoreError."""

    def __init__(self, connection: sqlite3.Connection, store: Store, parallel: Parallel) -> None:
        self._run = connection.execute
        self._store = store
        self._parallel = parallel

    def day(self, day: ListedDay) -> Iterator[bool]:
        """Bring the rows of a day up to date, in steps; whether each step changed anything."""
        known = {
            key: (stamp, is_final)
            for key, stamp, is_final in self._run(
                "SELECT key, stamp, is_final FROM records WHERE dt = ?", (day.dt,)
            )
        }
        wanted = iter([key for key in day.listed if self._is_new(key, day.listed[key], known)])
        while some := list(islice(wanted, BATCH)):
            yield self.read({key: day.listed[key] for key in some})
        yield self._drop([key for key in known if key not in day.listed])

    def read(self, stamps: Mapping[str, str]) -> bool:
        """Read objects and write their rows; whether there was any."""
        rows = [
            _row_of(stored, stamps[stored.key])
            for stored in records(self._store, stamps, self._parallel)
        ]
        self._run("BEGIN IMMEDIATE")
        for row, text in rows:
            self._delete(row.key)
            (number,) = self._run(_INSERT, row).fetchone()
            self._run("INSERT INTO texts VALUES (?, ?)", (number, text))
        self._run("COMMIT")
        return bool(rows)

    def drop_days(self, listed: Sequence[str]) -> bool:
        """Drop the rows of days that are not there any more."""
        there = set(listed)
        gone = [dt for (dt,) in self._run("SELECT DISTINCT dt FROM records") if dt not in there]
        changed = [changed for dt in gone for changed in self.day(ListedDay(dt))]
        return any(changed)

    def hide_twins(self) -> bool:
        """Hide the record without a day of a job that has one under its day too."""
        undated = "dt = ? AND key LIKE ? AND is_hidden = 0"
        twin = "SELECT 1 FROM records AS other WHERE other.name = records.name AND other.dt <> ?"
        changed = self._run(
            f"UPDATE records SET is_hidden = 1 WHERE {undated} "  # noqa: S608  (this code's own)
            f"AND EXISTS ({twin} AND other.key LIKE ?)",
            (NO_DAY, f"{JOBS}%", NO_DAY, f"{JOBS}%"),
        )
        return changed.rowcount > 0

    def _is_new(self, key: str, stamp: str, known: Mapping[str, tuple[str, int]]) -> bool:
        if key not in known:
            return True
        before, is_final = known[key]
        return not is_final and (not stamp or stamp != before)

    def _drop(self, missing: Sequence[str]) -> bool:
        if len(missing) <= MANY_GONE:
            missing = [key for key in missing if self._store.get(key) is None]
        for key in missing:
            self._delete(key)
        return bool(missing)

    def _delete(self, key: str) -> None:
        self._run("DELETE FROM texts WHERE id = (SELECT id FROM records WHERE key = ?)", (key,))
        self._run("DELETE FROM records WHERE key = ?", (key,))


def _row_of(stored: StoredRecord, stamp: str) -> tuple[Row, str]:
    """The row of an object. One that no reader was made for is unreadable, and stops no other."""
    try:
        return row_of(stored, stamp)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return row_of(StoredRecord(stored.key, None), stamp)
