"""Folds the small records of a day into one file, since query engines pay for each file they open.

    jobs/dt=DAY/*.json  ─►  compacted/dt=DAY/part-0.ndjson.gz   the records, unchanged, one per line
                            compacted/dt=DAY/_manifest.json     the names of their files

The records stay where they are; a compaction is a copy, and may be deleted at any time. Whether it
is up to date is decided by names: a record that is listed and not in the manifest came late, and
makes its day stale. A name that is in the manifest and not listed proves nothing, since a listing
may lag: a GET of its exact key decides whether the record is still there.

The part is written before the manifest. Whatever happens in between, and if another process
compacts the same day at the same time, the part's size and last bytes show whether a part and a
manifest belong together (Manifest.fits); if not, the day counts as not compacted.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from handler.callback.record import JobRecord
from handler.ledger.keys import COMPACTED, JOBS, NO_DAY
from handler.ledger.store import Store
from handler.parallel import in_parallel

SCHEMA = "compaction/1"

PART = "part-0.ndjson.gz"
MANIFEST = "_manifest.json"
"""Its name begins with `_`: Spark and Hive do not read it."""

BATCH = 256
"""Records that are in memory at one time."""

TAIL_BYTES = 8
"""The end of a gzip file: CRC-32 and length of what was compressed (RFC 1952)."""


@dataclass(frozen=True)
class Manifest:
    """The contents of a day's part."""

    day: str
    """YYYY-MM-DD, in UTC."""
    names: frozenset[str]
    """Names of the records' files, such as "j1.json"."""
    part_bytes: int
    part_tail: str
    """The part's last 8 bytes, in hexadecimal."""
    elsewhere: frozenset[str] = frozenset()
    """Names of records without a day whose job has a record under its day too: left out."""

    def covers(self, names: Iterable[str]) -> bool:
        """Whether each of these records is in the part, or left out of it on purpose. If not, the
        day is stale."""
        return (self.names | self.elsewhere).issuperset(names)

    def fits(self, size: int, tail: bytes) -> bool:
        """Whether a part of this size in bytes and with these last bytes is the one meant."""
        return size == self.part_bytes and tail[-TAIL_BYTES:].hex() == self.part_tail

    def to_json(self) -> bytes:
        """One line of JSON; the same for the same records."""
        values = {
            "schema": SCHEMA,
            "day": self.day,
            "records": len(self.names),
            "part": {"name": PART, "bytes": self.part_bytes, "tail": self.part_tail},
            "names": sorted(self.names),
            "elsewhere": sorted(self.elsewhere),
        }
        return json.dumps(values, separators=(",", ":")).encode("utf-8") + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: it is no compaction/1.
        """
        values: Any = json.loads(data)
        try:
            if values["schema"] != SCHEMA:
                raise ValueError(f"not a {SCHEMA}")
            part = values["part"]
            names, elsewhere = frozenset(values["names"]), frozenset(values["elsewhere"])
            return cls(values["day"], names, part["bytes"], part["tail"], elsewhere)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a {SCHEMA}") from error


def folder(day: str) -> str:
    """Where a day's records are: their keys' common beginning."""
    return f"{JOBS}dt={day}/"


def part_key(day: str) -> str:
    """Where a day's records are kept in one file."""
    return f"{COMPACTED}dt={day}/{PART}"


def manifest_key(day: str) -> str:
    """Where it is kept which records a day's part holds."""
    return f"{COMPACTED}dt={day}/{MANIFEST}"


def fold(
    day: str, records: Iterable[tuple[str, bytes]], elsewhere: frozenset[str] = frozenset()
) -> tuple[bytes, Manifest]:
    """A day's part and its manifest, of pairs of file name and record in the order of names.

    Takes one record at a time and keeps but the compressed bytes and the names. The same
    records give the same bytes: gzip's header holds neither time nor name.
    """
    names = set()
    part = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=part, mode="wb", mtime=0) as lines:
        for name, record in records:
            names.add(name)
            lines.write(record)
    data = part.getvalue()
    tail = data[-TAIL_BYTES:].hex()
    return data, Manifest(day, frozenset(names), len(data), tail, elsewhere)


def compact(store: Store, day: str) -> Manifest | None:
    """Fold a day's records; None where the day has no records and never had any.

    One listing and three requests besides a GET for each record. In memory are the names
    (about 100 bytes each), 256 records, and the compressed part (a tenth of the records'
    size), since a store takes an object as a whole: half a gigabyte for a million records.

    Raises:
        StoreError: the store did not do it; the day is as it was, or counts as not compacted.
        ValueError: something in the day's folder is no record.
    """
    known = load(store, day)
    names = set(listed(store, day)) | (known.names | known.elsewhere if known else set())
    elsewhere = _under_a_day(store, names) if day == NO_DAY else frozenset()
    part, manifest = fold(day, _records(store, day, sorted(names - elsewhere)), elsewhere)
    if not names and known is None:
        return None
    store.put(part_key(day), part)
    store.put(manifest_key(day), manifest.to_json())
    return manifest


def load(store: Store, day: str) -> Manifest | None:
    """A day's manifest; None where it is missing or can't be read."""
    data = store.get(manifest_key(day))
    try:
        return Manifest.from_json(data) if data is not None else None
    except ValueError:
        return None


def listed(store: Store, day: str) -> Iterator[str]:
    """Names of a day's records, as far as the listing shows them."""
    return (key.rpartition("/")[2] for key in store.list(folder(day)) if is_record(key))


def listed_days(store: Store) -> Iterator[tuple[str, set[str]]]:
    """Each day that has records, and their names, as far as the listing shows them."""
    for day, keys in groupby(filter(is_record, store.list(JOBS)), day_of):
        yield day, {key.rpartition("/")[2] for key in keys}


def compacted_days(store: Store) -> Iterator[str]:
    """The days that have a manifest."""
    return (day_of(key) for key in store.list(COMPACTED) if key.endswith(f"/{MANIFEST}"))


def stale_days(store: Store) -> Iterator[str]:
    """The days with records that their part does not hold, or that have no part. Of records
    without a day: also where the part holds a job that has a record under its day by now."""
    undated: frozenset[str] = frozenset()
    for day, names in listed_days(store):
        manifest = load(store, day)
        if manifest is None or not manifest.covers(names):
            yield day
        elif day == NO_DAY:
            undated = manifest.names
        elif not undated.isdisjoint(names):
            undated = frozenset()
            yield NO_DAY


def _under_a_day(store: Store, names: set[str]) -> frozenset[str]:
    """Those of the names that are under a day as well."""
    days = (day_names for day, day_names in listed_days(store) if day != NO_DAY)
    return frozenset().union(*(names & day_names for day_names in days))


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Whether the part in a ledger's folder is the one that the manifest means."""
    try:
        with (folder / part_key(manifest.day)).open("rb") as part:
            size = part.seek(0, io.SEEK_END)
            part.seek(max(0, size - TAIL_BYTES))
            return manifest.fits(size, part.read())
    except FileNotFoundError:
        return False


def day_of(key: str) -> str:
    """The day in a key such as jobs/dt=2022-07-25/j1.json."""
    return key.split("/")[1].removeprefix("dt=")


def is_record(key: str) -> bool:
    """Whether a key below jobs/ (or workflows/, or reviews/) can be a record's."""
    folder, _, below = key.partition("/dt=")
    day, _, name = below.partition("/")
    return bool(day) and "/" not in folder + name and name.endswith(".json")


def _records(store: Store, day: str, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each record that is there, in order, some at a time in parallel."""

    def get(name: str) -> bytes | None:
        return store.get(folder(day) + name)

    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        for name, data in zip(some, in_parallel(get, some), strict=True):
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
