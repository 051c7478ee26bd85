"""The newest records of a ledger, read as far as they are shown.

A ledger has one folder per day, and a listing says when each object was written. So the days are
read from the newest on, and within a day the records in the order in which they were written: of
100,000 records, twenty cost twenty GETs and the listing of one day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from ci_callback.ledger_reader import (
    BATCH,
    DayRange,
    StoredRecord,
    record_keys,
    records,
)
from handler.ledger import keys
from handler.ledger.store import Store
from handler.parallel import in_parallel

MAX_FOLDERS = 1_000
"""What COS gives of a ledger's days at most, the oldest ones: where it gives so many, all keys are
listed."""


@runtime_checkable
class Dated(Protocol):
    """A store that says when each object was written."""

    def dated(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and time, RFC 3339 in UTC, of what begins with prefix."""
        ...


def newest(
    store: Store,
    days: DayRange,
    folders: Iterable[str],
    limit: int,
    matches: Callable[[StoredRecord], bool],
) -> list[StoredRecord]:
    """At most so many records that match, those of the newest day first, and in a day those that
    were written last. Jobs without a day come last. May raise StoreError."""
    found: list[StoredRecord] = []
    for of_day in _by_day(store, days, tuple(folders)):
        # Each of the first ones is shown if all match; after that the filter is a narrow one.
        size = limit - len(found)
        at = 0
        while at < len(of_day) and len(found) < limit:
            batch = of_day[at : at + size]
            at += size
            size = BATCH
            found += filter(matches, records(store, batch))
        if len(found) >= limit:
            break
    return sorted(found[:limit], key=_created, reverse=True)


def _created(stored: StoredRecord) -> tuple[str, str]:
    record = stored.record
    return ((record.created_at or "") if record else "", stored.key)


def _by_day(store: Store, days: DayRange, folders: tuple[str, ...]) -> Iterator[list[str]]:
    """The keys of each day, from the newest day on."""
    of_days: dict[str, list[str]] = {}
    for there in in_parallel(lambda folder: store.folders(f"{folder}/dt="), folders):
        if len(there) >= MAX_FOLDERS:
            yield sorted(record_keys(store, days, folders), key=_day, reverse=True)
            return
        for prefix in there:
            of_days.setdefault(prefix.rpartition("dt=")[2].rstrip("/"), []).append(prefix)
    undated = of_days.pop(keys.NO_DAY, [])
    for day in sorted(filter(days.holds, of_days), reverse=True):
        yield _in_order(store, of_days[day])
    if undated:
        # What has a twin under a day does not count: that is known once all days are listed.
        all_keys = record_keys(store, days, folders)
        yield [key for key in all_keys if _day(key) == f"dt={keys.NO_DAY}"]


def _in_order(store: Store, prefixes: Sequence[str]) -> list[str]:
    """The keys of a day, what was written last first; in reverse order where no one knows."""
    if isinstance(store, Dated):
        listed = in_parallel(lambda prefix: list(store.dated(prefix)), prefixes)
        dated = [entry for of_folder in listed for entry in of_folder]
        names = [key for key, _ in sorted(dated, key=lambda entry: entry[::-1], reverse=True)]
    else:
        names = sorted((key for prefix in prefixes for key in store.list(prefix)), reverse=True)
    return [key for key in names if key.endswith(".json")]


def _day(key: str) -> str:
    return key.split("/")[1]
