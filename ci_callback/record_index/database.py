"""The file of the index: its tables, and connections to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

from handler.errors import HandlerError

VERSION = 2
"""Of the tables. A file of another version is thrown away."""

FILE_MODE = 0o600
"""Only the owner may read it: it holds the texts of records."""

WAIT_S = 30.0
"""For another process that writes."""

MAPPED_BYTES = 1 << 30

TABLES = """
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL, dt TEXT NOT NULL,
    kind TEXT NOT NULL, job_id TEXT NOT NULL, tag TEXT NOT NULL, outcome TEXT NOT NULL,
    code TEXT NOT NULL, root TEXT NOT NULL, attempt INTEGER NOT NULL, day TEXT NOT NULL, at REAL,
    run_s REAL, wait_s REAL, input_bytes INTEGER, result_bytes INTEGER, bytes INTEGER, media_s REAL,
    object TEXT NOT NULL, created_at TEXT NOT NULL, request_id TEXT NOT NULL,
    may_follow INTEGER NOT NULL, is_final INTEGER NOT NULL, stamp TEXT NOT NULL,
    is_hidden INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_time ON records
    (is_hidden, at, outcome, tag, code, day, run_s, request_id);
CREATE INDEX IF NOT EXISTS by_place ON records (dt, key);
CREATE INDEX IF NOT EXISTS by_day ON records
    (is_hidden, kind, day, tag, outcome, run_s, wait_s, bytes);
CREATE INDEX IF NOT EXISTS by_failure ON records
    (is_hidden, kind, day, root, attempt, outcome, code, tag)
    WHERE outcome = 'failed' OR attempt > 1;
CREATE INDEX IF NOT EXISTS by_root ON records (root, attempt);
CREATE INDEX IF NOT EXISTS by_job ON records (job_id);
CREATE INDEX IF NOT EXISTS by_name ON records (name);
CREATE INDEX IF NOT EXISTS by_request ON records (request_id);
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lineages (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS attempts (
    root TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, job_id TEXT NOT NULL,
    PRIMARY KEY (root, number)
);
"""
"""by_time and by_day hold all that lists and charts ask for, since rows are wide.

records: a row for each object; one that is written again gets a number that no row had before, by
which totals.py finds that its day has changed. root of attempts: as a part of a key. texts: what is
searched, in a table of its own, since all other questions are answered faster without."""


class IndexFileError(HandlerError):
    """The file can't be used now: another process writes to it, or the disk is full. is_busy: the
    first of these, which passes. is_broken: it is damaged, and only to be made anew."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(f"the console's index {path}: {error}")
        self.is_busy = "locked" in str(error)
        self.is_broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        )


class IndexFile:
    """A file, made where it is missing, broken or of another version. Several consoles may share
    it. Each method may raise IndexFileError."""

    def __init__(self, path: Path | None) -> None:
        """path: None for a temporary file."""
        if path is None:
            folder = tempfile.mkdtemp(prefix="ci-callback-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            path = Path(folder) / "index.sqlite3"
        self.path = path
        try:
            self._make()
        except IndexFileError as error:
            if not error.is_broken:
                raise
            self.clear()

    def clear(self) -> None:
        """Begin again."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._make()

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread. Each statement outside of BEGIN is a transaction."""
        try:
            with contextlib.closing(
                sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)
            ) as connection:
                # What a crash of the machine loses is read again.
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
                yield connection
        except sqlite3.DatabaseError as error:
            raise IndexFileError(self.path, error) from error

    def _make(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, FILE_MODE))
        except OSError as error:
            raise IndexFileError(self.path, error) from error
        with self.open() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == VERSION:
                return
            if version:
                raise sqlite3.DatabaseError(f"an index of version {version}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(TABLES)
            connection.execute(f"PRAGMA user_version = {VERSION}")


def last_row(connection: sqlite3.Connection) -> int:
    """The number of the row that was written last, by whichever process; 0 before the first."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
    return row[0] if row else 0
