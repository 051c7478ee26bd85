"""A ledger's records in a DuckDB of their own, which can read nothing else and write nothing.

    jobs         a compacted day from compacted/, each other day from jobs/: no record twice
    workflows    runs of workflows          reviews    moderation
    unreadable   files that hold no record: none of the other tables has them

The records are loaded into a database file in a temporary folder. The file is then opened
read-only, in a DuckDB without access to any other file or to the network, whose settings are
locked. So a query can't write, whatever statement it is: DuckDB 2.0 takes `WITH t AS (COPY … TO …)
SELECT 1` for a SELECT, and a folder that it may read is one that it may write as well.

How records are read:
  - Column types come from the published schema. Types guessed from a sample depend on which
    records exist.
  - A value that is not of its column's type reads as NULL, and costs nothing else. A small file
    that holds no record is left out, and `unreadable` names it. A part holds only records: any
    other line means that the part was misread, and fails the query.
  - Small files are read here and handed to DuckDB some at a time, since its JSON reader takes a
    millisecond to open each.
"""

# ruff: noqa: S608  # the SQL holds names of this code, and texts that sql.py has quoted

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ci_callback import compacted_day
from ci_callback.compaction import names_of
from ci_callback.ledger_mirror import COPYING
from ci_callback.ledger_reader import ALL_DAYS, DayRange, noted_lineage
from ci_callback.query.cache import Cache
from ci_callback.query.columns import DUCKDB, columns
from ci_callback.query.sql import path_text, text
from ci_callback.terminal import progress
from handler.callback.record import SCHEMA
from handler.ledger import keys
from handler.ledger.folder import FolderStore

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KINDS = ("jobs", "workflows", "reviews")

BATCH_RECORDS = 1_000
BATCH_CHARS = 16_000_000
"""Small files that are handed to DuckDB at one time: at most so many, until so many characters."""

MISREAD = "a part was misread: compact its day again"

_IS_RECORD = (
    f"CASE WHEN json_valid(line) THEN coalesce(line->>'$.schema' = '{SCHEMA}', false) "
    "ELSE false END"
)

_Config: TypeAlias = "dict[str, str | bool | int | float | list[str]]"

_NO_EXTENSIONS: _Config = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
"""Nothing is downloaded because a query names it."""


READING = ("SELECT", "EXPLAIN", "MULTI")
"""DuckDB's types of statements that are let through. MULTI is PIVOT. It is for a clear error: that
no statement can write is the doing of `records_database`."""


_SWITCHES = re.compile(r"(enable|disable)_(logging|profiling)", re.IGNORECASE)
"""Table functions that change DuckDB itself. DuckDB 1.5 aborts where the log's file is denied."""


class NotAQueryError(ValueError):
    """A statement that does not read, or more than one statement."""


def check_statement(sql: str) -> None:
    """Look at a query before anything is loaded for it.

    Raises:
        NotAQueryError: it is not one statement that reads.
        duckdb.Error: it can't be parsed.
    """
    import duckdb

    # Without access to files: DuckDB 1.5 reads those that IMPORT DATABASE names while it parses.
    with duckdb.connect(config={**_NO_EXTENSIONS, "enable_external_access": False}) as parser:
        kinds = [statement.type.name for statement in parser.extract_statements(sql)]
    if len(kinds) != 1 or kinds[0] not in READING or _SWITCHES.search(sql):
        raise NotAQueryError("a query is one statement that reads, such as SELECT or EXPLAIN")


@contextlib.contextmanager
def records_database(
    folder: Path,
    days: DayRange = ALL_DAYS,
    cache: Path | None = None,
) -> Iterator[DuckDBPyConnection]:
    """A connection to the records of a ledger in a folder, as they are now.

    cache: a folder for what was loaded once (cache.py); None: nothing is kept.
    days: only these. Records without a day are under 1970-01-01; of those, only jobs whose callback
    came before the range are left out.

    Raises:
        ValueError: the folder is an unfinished copy.
        StoreError: the folder can't be read.
        duckdb.Error: a part was misread.
    """
    import duckdb

    if (folder / COPYING).exists():
        raise ValueError(f"copying the ledger to {folder} was broken off: copy it again")
    with tempfile.TemporaryDirectory(prefix="ci-callback-") as scratch:
        path = str(Path(scratch) / "records.duckdb")
        with duckdb.connect(path, config=_NO_EXTENSIONS) as writable:
            _Loader(writable, folder.resolve(), days, cache).load()
        config: _Config = {
            **_NO_EXTENSIONS,
            "enable_external_access": False,
            "python_enable_replacements": False,
            "temp_directory": str(Path(scratch) / "spilled"),
        }
        with duckdb.connect(path, read_only=True, config=config) as connection:
            connection.execute("SET lock_configuration = true")
            yield connection


@dataclass(frozen=True)
class _Loader:
    """Fills the tables of an empty database. root: the ledger's folder."""

    database: DuckDBPyConnection
    root: Path
    days: DayRange
    cache: Path | None = None

    def load(self) -> None:
        """Make every table."""
        types = columns(DUCKDB)
        fields = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
        for kind in KINDS:
            self.database.execute(f"CREATE TABLE {kind} ({fields}, dt DATE)")
        self.database.execute("CREATE TABLE unreadable (filename VARCHAR)")
        has_undated = next(self._undated(), None) is not None
        loaded = self.days.with_merged() if has_undated else self.days
        compacted = sorted(self._compacted(loaded))
        self._parts(compacted)
        for kind in KINDS:
            without = frozenset(compacted if kind == "jobs" else ())
            self._small(kind, list(self._small_files(kind, loaded, without)))
        self._merge_days()
        self._follow_lineage()

    def _undated(self) -> Iterator[str]:
        """Keys of records without a day, and of their part."""
        store = FolderStore(self.root)
        for folder in (*KINDS, keys.COMPACTED.rstrip("/")):
            yield from store.list(f"{folder}/dt={keys.NO_DAY}/")

    def _compacted(self, days: DayRange) -> Iterator[str]:
        """Days whose part is whole and holds all of their records."""
        store = FolderStore(self.root)
        for day in filter(days.holds, compacted_day.compacted_days(store)):
            manifest = compacted_day.load(store, day)
            if (
                manifest is not None
                and manifest.covers(names_of(store, day))
                and compacted_day.is_whole(self.root, manifest)
            ):
                yield day

    def _parts(self, days: list[str]) -> None:
        if not days:
            return
        paths = ", ".join(path_text(self.root / compacted_day.part_key(day)) for day in days)
        casts = ", ".join(
            f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns(DUCKDB).items()
        )
        is_record = f'"schema" IS NOT DISTINCT FROM {text(SCHEMA)}'
        misread = f"error({text(MISREAD)})"
        self.database.execute("SET TimeZone = 'UTC'")
        self.database.execute(
            f"INSERT INTO jobs BY NAME SELECT {casts}, dt FROM read_parquet([{paths}], "
            "hive_partitioning = true, hive_types = {'dt': DATE}) "
            f"WHERE CASE WHEN {is_record} THEN true ELSE {misread} END"
        )

    def _small_files(self, kind: str, days: DayRange, without: frozenset[str]) -> Iterator[str]:
        """The key of each file that may hold a record. without: days."""
        for key in filter(compacted_day.is_record, FolderStore(self.root).list(f"{kind}/dt=")):
            day = compacted_day.day_of(key)
            if day not in without and days.holds(day):
                yield key

    def _small(self, kind: str, listed: list[str]) -> None:
        """Fill a table from small files, and from the cache as far as that has them."""
        cache = Cache(self.database, self.cache, kind) if self.cache else None
        cached = cache.load(listed) if cache else set()
        fresh = [key for key in listed if key not in cached]
        if not fresh:
            return
        run = self.database.execute
        run(f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT *, '' AS key FROM {kind} LIMIT 0")
        for batch in _batches(self._texts(fresh)):
            self._insert(batch)
        run(f"INSERT INTO {kind} BY NAME SELECT * EXCLUDE (key) FROM fresh")
        if cache:
            cache.add("fresh")

    def _texts(self, listed: list[str]) -> Iterator[tuple[str, date, str]]:
        """Key, day and text of each file."""
        store = FolderStore(self.root)
        for key in progress(listed, "Loading records", len(listed) > BATCH_RECORDS):
            try:
                day = date.fromisoformat(compacted_day.day_of(key))
                yield key, day, (store.get(key) or b"").decode("utf-8")
            except ValueError:
                self._unreadable(key)

    def _insert(self, batch: list[tuple[str, date, str]]) -> None:
        run = self.database.execute
        run(
            "CREATE OR REPLACE TEMP TABLE batch AS "
            "SELECT unnest(?) AS key, unnest(?) AS dt, unnest(?) AS line",
            [list(column) for column in zip(*batch, strict=True)],
        )
        form = text(json.dumps(columns(DUCKDB)))
        run(
            f"INSERT INTO fresh BY NAME SELECT unnest(json_transform(line::JSON, {form})), dt, key "
            f"FROM batch WHERE {_IS_RECORD}"
        )
        for (key,) in run(f"SELECT key FROM batch WHERE NOT {_IS_RECORD}").fetchall():
            self._unreadable(key)

    def _unreadable(self, key: str) -> None:
        self.database.execute("INSERT INTO unreadable VALUES (?)", [str(self.root / key)])

    def _merge_days(self) -> None:
        """Keep only the dated record of a job that has one without a day as well; then only those
        of the range, beyond which records were loaded to find these."""
        for kind in ("jobs", "workflows"):
            self.database.execute(
                f"DELETE FROM {kind} WHERE dt = DATE '{keys.NO_DAY}' AND job_id IN "
                f"(SELECT job_id FROM {kind} WHERE dt <> DATE '{keys.NO_DAY}')"
            )
        if self.days.since is not None:
            for kind in KINDS:
                self.database.execute(
                    f"DELETE FROM {kind} WHERE "
                    f"CASE WHEN dt = DATE '{keys.NO_DAY}' THEN source.received_at ELSE dt END < ?",
                    [self.days.since],
                )

    def _follow_lineage(self) -> None:
        """Root and attempt of jobs that the function submitted, where no record says so."""
        store = FolderStore(self.root)
        for key in store.list(keys.LINEAGE):
            lineage = noted_lineage(store, key)
            if lineage is not None:
                job_id = keys.sent(key.removeprefix(keys.LINEAGE).removesuffix(".json"))
                self.database.execute(
                    "UPDATE jobs SET retry = {'root_job_id': ?, 'attempt': ?} "
                    "WHERE job_id = ? AND retry.attempt = 1",
                    [lineage.root_job_id, lineage.attempt, job_id],
                )


def _batches(files: Iterator[tuple[str, date, str]]) -> Iterator[list[tuple[str, date, str]]]:
    batch: list[tuple[str, date, str]] = []
    chars = 0
    for file in files:
        batch.append(file)
        chars += len(file[2])
        if len(batch) == BATCH_RECORDS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch
