"""A ledger's records in a DuckDB of their own, which can read nothing else and write nothing.

    jobs         a compacted day from compacted/, each other day from jobs/: no record twice
    workflows    runs of workflows          reviews    moderation
    unreadable   files that hold no record: none of the other tables has them

Records that are a file each are loaded into a database file in a temporary folder; those that are
in Parquet, compacted or cached, are copied there as they are, and the tables are views of both.
The file is then opened read-only, in a DuckDB without access to any other file than these copies or
to the network, whose settings are locked. So a query can't write, whatever statement it is: DuckDB
2.0 takes `WITH t AS (COPY … TO …) SELECT 1` for a SELECT, and a file that it may read is one that
it may write as well. That is why it gets copies.

How records are read:
  - Column types come from the published schema. Types guessed from a sample depend on which
    records exist.
  - A value that is not of its column's type reads as NULL, and costs nothing else. A small file
    that holds no record is left out, and `unreadable` names it. A part holds only records: any
    other row means that the part was misread, and fails the query.
"""

# ruff: noqa: S608  # the SQL holds names of this code, and texts that sql.py has quoted

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ci_callback import compacted_day
from ci_callback.bar import NO_BAR
from ci_callback.compaction import names_of
from ci_callback.ledger_mirror import COPYING
from ci_callback.ledger_reader import ALL_DAYS, DayRange, noted_lineage
from ci_callback.query.cache import Cache, Cached
from ci_callback.query.columns import DUCKDB, columns
from ci_callback.query.small_files import SmallFiles, listed
from ci_callback.query.views import LOADED, Sources, twins, view
from ci_callback.terminal import bar
from handler.ledger import keys
from handler.ledger.folder import FolderStore

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

KINDS = ("jobs", "workflows", "reviews")

SHOWN = 1_000
"""More small files are read with a progress bar."""

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
        kinds = [_kind(statement) for statement in parser.extract_statements(sql)]
    if len(kinds) != 1 or kinds[0] not in READING or _SWITCHES.search(sql):
        raise NotAQueryError("a query is one statement that reads, such as SELECT or EXPLAIN")


def _kind(statement: Statement) -> str:
    """A statement's type. DuckDB's module has no name for some, such as UPDATE EXTENSIONS."""
    try:
        return str(statement.type.name)
    except ValueError:
        return ""


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
    with tempfile.TemporaryDirectory(prefix="ci-callback-") as temporary:
        scratch = Path(temporary).resolve()
        path = str(scratch / "records.duckdb")
        with duckdb.connect(path, config=_NO_EXTENSIONS) as writable:
            copies = _Loader(writable, folder.resolve(), scratch, days, cache).load()
        config: _Config = {
            **_NO_EXTENSIONS,
            "python_enable_replacements": False,
            "temp_directory": str(scratch / "spilled"),
        }
        with duckdb.connect(path, read_only=True, config=config) as connection:
            # In this order: neither can be widened again after the second.
            connection.execute("SET allowed_paths = ?", [[str(path) for path in copies]])
            connection.execute("SET enable_external_access = false")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
            yield connection


@dataclass(frozen=True)
class _Loader:
    """Fills an empty database. root: the ledger's folder; scratch: this query's own."""

    database: DuckDBPyConnection
    root: Path
    scratch: Path
    days: DayRange
    cache: Path | None = None

    def load(self) -> list[Path]:
        """Make every table; the files that a query reads besides the database."""
        run = self.database.execute
        run("SET TimeZone = 'UTC'")
        run(f"CREATE SCHEMA {LOADED}")
        run("CREATE TABLE unreadable (filename VARCHAR)")
        has_undated = next(self._undated(), None) is not None
        loaded = self.days.with_merged() if has_undated else self.days
        compacted = sorted(self._compacted(loaded))
        parts = [self._copied(compacted_day.part_key(day)) for day in compacted]
        has_lineage = self._note_lineage()
        copies = list(parts)
        for kind in KINDS:
            is_jobs = kind == "jobs"
            keys = listed(self.root, kind, loaded, frozenset(compacted if is_jobs else ()))
            cached = self._small(kind, keys)
            copies += cached.files
            of = Sources(
                kind,
                parts if is_jobs else (),
                cached.files,
                cached.is_partly,
                has_lineage=has_lineage and is_jobs,
                since=self.days.since,
            )
            self._make_view(of, has_undated and kind != "reviews")
        return copies

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

    def _copied(self, key: str) -> Path:
        """A file that no statement of a query can spoil: DuckDB can't tell reading from writing."""
        copy = self.scratch / key
        copy.parent.mkdir(parents=True)
        shutil.copyfile(self.root / key, copy)
        return copy

    def _small(self, kind: str, listed_keys: list[str]) -> Cached:
        """Read the small files that the cache does not have; what of it is used."""
        run, table = self.database.execute, f"{LOADED}.{kind}"
        fields = ", ".join(f'"{name}" {kind}' for name, kind in columns(DUCKDB).items())
        run(f"CREATE TABLE {table} ({fields}, dt DATE, key VARCHAR)")
        run(f"CREATE TABLE {table}_listed (key VARCHAR)")
        cache = Cache(self.database, self.cache, kind, f"{table}_listed") if self.cache else None
        cached = cache.copy(listed_keys, self.scratch) if cache else Cached()
        fresh = [key for key in listed_keys if key not in cached.keys]
        if not fresh:
            return cached
        files = SmallFiles(self.database, self.root, self.scratch / "records.ndjson")
        with bar("Loading records") if len(fresh) > SHOWN else nullcontext(NO_BAR) as shown:
            for key in files.fill(table, fresh, shown):
                run("INSERT INTO unreadable VALUES (?)", [str(self.root / key)])
        if cache:
            cache.add(table)
        return cached

    def _note_lineage(self) -> bool:
        """Root and attempt of jobs that the function submitted, where no record says so."""
        run, store = self.database.execute, FolderStore(self.root)
        run(f"CREATE TABLE {LOADED}.lineage (noted_job VARCHAR, noted {columns(DUCKDB)['retry']})")
        for key in store.list(keys.LINEAGE):
            lineage = noted_lineage(store, key)
            if lineage is not None:
                job_id = keys.sent(key.removeprefix(keys.LINEAGE).removesuffix(".json"))
                run(
                    f"INSERT INTO {LOADED}.lineage VALUES (?, {{'root_job_id': ?, 'attempt': ?}})",
                    [job_id, lineage.root_job_id, lineage.attempt],
                )
        ((count,),) = run(f"SELECT count(*) FROM {LOADED}.lineage").fetchall()
        return bool(count)

    def _make_view(self, of: Sources, may_have_twins: bool) -> None:
        run = self.database.execute
        if may_have_twins:
            run(f"CREATE TABLE {LOADED}.{of.kind}_twins AS {twins(of)}")
            of = replace(of, has_twins=True)
        run(f"CREATE VIEW {of.kind} AS {view(of)}")
