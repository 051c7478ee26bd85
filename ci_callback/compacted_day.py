"""A day that is folded into one file: its keys, and the manifest that says what the file holds.

compaction.py makes them, and says when they are up to date.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci_callback.query.day_part import schema_digest
from handler.ledger.keys import COMPACTED, JOBS
from handler.ledger.store import Store

SCHEMA = "compaction/1"

PART = "part-0.parquet"
MANIFEST = "_manifest.json"
"""Its name begins with `_`: Spark and Hive do not read it."""

TAIL_BYTES = 4096
"""The end of a Parquet file in which its footer holds the digest, as its last piece but the name
of its writer and an order for each column."""


@dataclass(frozen=True)
class Part:
    """The properties by which a day's file is recognised. columns: those of the schema that it was
    made with."""

    size: int
    digest: str
    columns: str


@dataclass(frozen=True)
class Manifest:
    """The contents of a day's part."""

    day: str
    """YYYY-MM-DD, in UTC."""
    names: frozenset[str]
    """Names of the records' files, such as "j1.json"."""
    part: Part
    elsewhere: frozenset[str] = frozenset()
    """Names of records without a day whose job has a record under its day too: left out."""
    written_until: str = ""
    """RFC 3339 in UTC: when the last of the records was written. "" where the store can't say."""

    def covers(self, names: Iterable[str]) -> bool:
        """Whether each of these records is in the part, or left out of it on purpose. If not, the
        day is stale."""
        return (self.names | self.elsewhere).issuperset(names)

    def is_older(self, times: Iterable[str]) -> bool:
        """Whether a record was written after the part was made, and so changed: one that is new
        has another name."""
        return bool(self.written_until) and max(times, default="") > self.written_until

    def fits(self, size: int, tail: bytes) -> bool:
        """Whether a part of this size in bytes and with these last bytes is the one meant."""
        digest = self.part.digest.encode()
        return size == self.part.size and digest in tail[-TAIL_BYTES:]

    def to_json(self) -> bytes:
        """One line of JSON; the same for the same records."""
        values = {
            "schema": SCHEMA,
            "day": self.day,
            "records": len(self.names),
            "written_until": self.written_until,
            "part": {
                "name": PART,
                "bytes": self.part.size,
                "digest": self.part.digest,
                "columns": self.part.columns,
            },
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
        try:
            values: Any = json.loads(data)
            schema = values["schema"]
            of_part = values["part"]
            part = Part(of_part["bytes"], of_part["digest"], of_part["columns"])
            names, elsewhere = frozenset(values["names"]), frozenset(values["elsewhere"])
            made = cls(values["day"], names, part, elsewhere, values["written_until"])
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"not a {SCHEMA}") from error
        texts = (made.day, made.written_until, part.digest, part.columns, *names, *elsewhere)
        if schema != SCHEMA or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"not a {SCHEMA}")
        return made


def folder(day: str) -> str:
    """Where a day's records are: their keys' common beginning."""
    return f"{JOBS}dt={day}/"


def part_key(day: str) -> str:
    """Where a day's records are kept in one file."""
    return f"{COMPACTED}dt={day}/{PART}"


def manifest_key(day: str) -> str:
    """Where it is kept which records a day's part holds."""
    return f"{COMPACTED}dt={day}/{MANIFEST}"


def load(store: Store, day: str) -> Manifest | None:
    """A day's manifest; None where it is missing, can't be read, is of another day, or means a
    part with other columns than this program's."""
    data = store.get(manifest_key(day))
    try:
        manifest = Manifest.from_json(data) if data is not None else None
    except ValueError:
        return None
    if manifest is None or manifest.day != day or manifest.part.columns != schema_digest():
        return None
    return manifest


def compacted_days(store: Store) -> Iterator[str]:
    """The days that have a manifest."""
    return (day_of(key) for key in store.list(COMPACTED) if key.endswith(f"/{MANIFEST}"))


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Whether the part in a ledger's folder is the one that the manifest means."""
    try:
        with (folder / part_key(manifest.day)).open("rb") as part:
            size = part.seek(0, io.SEEK_END)
            part.seek(max(0, size - TAIL_BYTES))
            return manifest.fits(size, part.read())
    except (FileNotFoundError, IsADirectoryError):
        return False


def day_of(key: str) -> str:
    """The day in a key such as jobs/dt=2022-07-25/j1.json."""
    return key.split("/")[1].removeprefix("dt=")


def is_record(key: str) -> bool:
    """Whether a key below jobs/ (or workflows/, or reviews/) can be a record's."""
    folder, _, below = key.partition("/dt=")
    day, _, name = below.partition("/")
    return bool(day) and "/" not in folder + name and name.endswith(".json")
