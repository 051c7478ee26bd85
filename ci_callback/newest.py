"""The newest records of a ledger, read as far as they are shown.

A ledger has one folder per day, and a listing says when each object was written. So the days are
read from the newest on, and within a day the records in the order in which they were written: of
100,000 records, twenty cost twenty GETs and the listing of one day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol, runtime_checkable

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


class OfDay(NamedTuple):
    """Records of a day, those that were written last first.

    day: YYYY-MM-DD. last_written: RFC 3339 in UTC, "" where the store can't say.
    """

    day: str
    keys: Sequence[str]
    last_written: str = ""


class Search(NamedTuple):
    """matches: of a record that was read. can_match: which keys are worth to be read."""

    matches: Callable[[StoredRecord], bool]
    can_match: Callable[[OfDay], Sequence[str]] = lambda of_day: of_day.keys


def newest(
    store: Store, days: DayRange, folders: Iterable[str], limit: int, search: Search
) -> list[StoredRecord]:
    """At most so many records that match, those of the newest day first, and in a day those that
    were written last. Jobs without a day come last. May raise StoreError."""
    found: list[StoredRecord] = []
    for of_day in _by_day(store, days, tuple(folders)):
        # Each of the first ones is shown if all match; after that the filter is a narrow one.
        size = limit - len(found)
        found += filter(search.matches, records(store, of_day.keys[:size]))
        left = of_day.keys[size:]
        if left and len(found) < limit:
            left = search.can_match(of_day._replace(keys=left))
        for at in range(0, len(left), BATCH):
            if len(found) >= limit:
                break
            found += filter(search.matches, records(store, left[at : at + BATCH]))
        if len(found) >= limit:
            break
    return sorted(found[:limit], key=_created, reverse=True)


def _created(stored: StoredRecord) -> tuple[str, str]:
    record = stored.record
    return ((record.created_at or "") if record else "", stored.key)


def _by_day(store: Store, days: DayRange, folders: tuple[str, ...]) -> Iterator[OfDay]:
    """From the newest day on."""
    of_days: dict[str, list[str]] = {}
    for there in in_parallel(lambda folder: store.folders(f"{folder}/dt="), folders):
        if len(there) >= MAX_FOLDERS:
            for day, of_day in groupby(
                sorted(record_keys(store, days, folders), key=_day, reverse=True), _day
            ):
                yield OfDay(day, list(of_day))
            return
        for prefix in there:
            of_days.setdefault(prefix.rpartition("dt=")[2].rstrip("/"), []).append(prefix)
    undated = of_days.pop(keys.NO_DAY, [])
    for day in sorted(filter(days.holds, of_days), reverse=True):
        yield _in_order(store, day, of_days[day])
    if undated:
        # What has a twin under a day does not count: that is known once all days are listed.
        all_keys = record_keys(store, days, folders)
        yield OfDay(keys.NO_DAY, [key for key in all_keys if _day(key) == keys.NO_DAY])


def _in_order(store: Store, day: str, prefixes: Sequence[str]) -> OfDay:
    """What was written last first; in reverse order where no one knows."""
    last_written = ""
    if isinstance(store, Dated):
        listed = in_parallel(lambda prefix: list(store.dated(prefix)), prefixes)
        dated = [entry for of_folder in listed for entry in of_folder]
        names = [key for key, _ in sorted(dated, key=lambda entry: entry[::-1], reverse=True)]
        last_written = max((at for key, at in dated if key.startswith(keys.JOBS)), default="")
    else:
        names = sorted((key for prefix in prefixes for key in store.list(prefix)), reverse=True)
    return OfDay(day, [key for key in names if key.endswith(".json")], last_written)


def _day(key: str) -> str:
    return key.split("/")[1].removeprefix("dt=")
