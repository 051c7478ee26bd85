"""Folds the small records of a day into one Parquet file, since query engines pay for each file
they open.

    jobs/dt=DAY/*.json  ─►  compacted/dt=DAY/part-0.parquet   the records, in the order of names
                            compacted/dt=DAY/_manifest.json   the names of their files

The records stay where they are; a compaction is a copy, and may be deleted at any time. Whether it
is up to date is decided by names: a record that is listed and not in the manifest came late, and
makes its day stale; so does one that was written after all that the part holds, since somebody
changed it. A name that is in the manifest and not listed proves nothing, since a listing may lag: a
GET of its exact key decides whether the record is still there.

The part is written before the manifest. Whatever happens in between, and if another process
compacts the same day at the same time, the part's size and the digest in its footer show whether a
part and a manifest belong together (Manifest.fits); if not, the day counts as not compacted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ci_callback.bar import NO_BAR, Bar
from ci_callback.compacted_day import (
    Manifest,
    Part,
    day_of,
    folder,
    is_record,
    load,
    manifest_key,
    part_key,
)
from ci_callback.ledger_reader import ALL_DAYS, DayRange
from ci_callback.newest import Dated
from ci_callback.pipelined import WIDTH, in_order
from ci_callback.query.day_part import schema_digest, write_part
from handler.callback.record import JobRecord
from handler.errors import HandlerError
from handler.ledger.keys import JOBS, NO_DAY
from handler.ledger.store import Store
from handler.parallel import in_parallel

DAYS_AT_A_TIME = 4
"""Days that are folded at a time. They share the connections."""


def fold(
    day: str,
    records: Iterable[tuple[str, bytes]],
    elsewhere: frozenset[str] = frozenset(),
    written_until: str = "",
) -> tuple[bytes, Manifest]:
    """A day's part and its manifest, of pairs of file name and record in the order of names.

    Takes one record at a time and keeps the names. The same records give the same bytes.

    Raises:
        ValueError: something else was written than was given.
    """
    names: set[str] = set()

    def noted() -> Iterator[tuple[str, bytes]]:
        for name, record in records:
            names.add(name)
            yield name, record

    data, digest = write_part(noted())
    part = Part(len(data), digest, schema_digest())
    return data, Manifest(day, frozenset(names), part, elsewhere, written_until)


def compact(store: Store, day: str, width: int = WIDTH, bar: Bar = NO_BAR) -> Manifest | None:
    """Fold a day's records; None where the day has no records and never had any.

    One listing and three requests besides a GET for each record, `width` at a time. In memory are
    the names (about 150 bytes each), 4 * width records, what DuckDB takes (day_part.MEMORY at
    most), and the part (130 to 300 bytes a record), since a store takes an object as a whole.

    Raises:
        StoreError: the store did not do it; the day is as it was, or counts as not compacted.
        ValueError: something in the day's folder is no record.
    """
    known = load(store, day)
    wanted, elsewhere, until = _wanted(store, day, known)
    if not wanted and not elsewhere and known is None:
        return None
    bar.expect(len(wanted))
    part, manifest = fold(day, _records(store, day, wanted, width, bar), elsewhere, until)
    store.put(part_key(day), part)
    store.put(manifest_key(day), manifest.to_json())
    return manifest


def _wanted(
    store: Store, day: str, known: Manifest | None
) -> tuple[list[str], frozenset[str], str]:
    """The names that a day's part shall hold, in order, and those that it leaves out; and when the
    last of them was written."""
    times = dict(listed(store, day))
    until = max([known.written_until if known else "", *times.values()])
    names = set(times) | (known.names | known.elsewhere if known else set())
    elsewhere = _under_a_day(store, names) if day == NO_DAY else frozenset[str]()
    return sorted(names - elsewhere), elsewhere, until


def compact_days(
    store: Store, days: Sequence[str], bar: Bar = NO_BAR
) -> list[Manifest | Exception | None]:
    """Fold several days at a time: for each its manifest, None where it has no records, or what
    `compact` raised. A day that can't be folded keeps no other one back."""
    at_a_time = max(1, min(DAYS_AT_A_TIME, len(days)))

    def one(day: str) -> Manifest | Exception | None:
        try:
            return compact(store, day, WIDTH // at_a_time, bar)
        except (HandlerError, ValueError) as error:
            return error

    return in_parallel(one, days, at_a_time)


def listed(store: Store, day: str) -> Iterator[tuple[str, str]]:
    """Name and time of the last write of a day's records, as far as the listing shows them. The
    time is "" where the store can't say."""
    at = folder(day)
    pairs = store.dated(at) if isinstance(store, Dated) else ((key, "") for key in store.list(at))
    return ((key.rpartition("/")[2], time) for key, time in pairs if is_record(key))


def names_of(store: Store, day: str) -> set[str]:
    """The names of a day's records, as far as the listing shows them. Costs no time stamps."""
    return {key.rpartition("/")[2] for key in store.list(folder(day)) if is_record(key)}


def days_with_records(store: Store, days: DayRange = ALL_DAYS) -> list[str]:
    """The days of a range that have a folder of records, in order; 1970-01-01 is in every range."""
    return list(filter(days.holds, map(day_of, store.folders(f"{JOBS}dt="))))


def stale_days(store: Store, days: DayRange = ALL_DAYS) -> list[str]:
    """The days of a range with records that their part does not hold as they are, or that have no
    part. Of records without a day: also where the part holds a job that has a record under its
    day by now, within the range."""
    undated = load(store, NO_DAY)
    left_out = undated.names if undated else frozenset()

    def look(day: str) -> tuple[bool, bool]:
        """Whether it is stale; and whether it has a job that is also among those without a day."""
        times = dict(listed(store, day))
        if not times:
            return False, False
        manifest = undated if day == NO_DAY else load(store, day)
        is_stale = (
            manifest is None or not manifest.covers(times) or manifest.is_older(times.values())
        )
        return is_stale, day != NO_DAY and not left_out.isdisjoint(times)

    found = days_with_records(store, days)
    looked = in_parallel(look, found)
    stale = {day for day, (is_stale, _) in zip(found, looked, strict=True) if is_stale}
    if any(has_twin for _, has_twin in looked):
        stale.add(NO_DAY)
    return sorted(stale)


def _under_a_day(store: Store, names: set[str]) -> frozenset[str]:
    """Those of the names that are under a day as well."""
    days = [day for day in days_with_records(store) if day != NO_DAY]
    found = in_parallel(lambda day: names & names_of(store, day), days)
    return frozenset().union(*found)


def _records(
    store: Store, day: str, names: Sequence[str], width: int, bar: Bar
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each record that is there, in order, some at a time in parallel."""

    def get(name: str) -> bytes | None:
        return store.get(folder(day) + name)

    for name, data in zip(names, in_order(get, names, width), strict=True):
        bar.step()
        if data is not None:
            yield name, _one_record(folder(day) + name, data)


def _one_record(key: str, data: bytes) -> bytes:
    """The bytes, if they are a record as it is written: one line with its line break.

    Anything else would be lost in the part, or spoil its neighbours: a person must look.
    """
    try:
        if data.find(b"\n") != len(data) - 1:
            raise ValueError("it is not one line")
        JobRecord.from_json(data)
    except ValueError as error:
        raise ValueError(
            f"{key} is no record ({error}): move it out of {JOBS} and compact the day again"
        ) from error
    return data
