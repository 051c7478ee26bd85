"""Records that a query has loaded once, kept as Parquet: the next query reads no small file again.

    FOLDER/jobs-RANDOM.parquet      the columns of the table, and the key of each record

A record never changes once it is written, so a row counts as long as its key is listed. Each query
adds one file for what is new. What can't be read, or holds a key twice since two queries ran at
once, is thrown away and made again. A cache may be deleted at any time.
"""

# ruff: noqa: S608  # the SQL holds names of this code, and paths that sql.py has quoted

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ci_callback.query.columns import DUCKDB, columns
from ci_callback.query.sql import path_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MIN_RECORDS = 2_000
"""Fewer that are new are not written: reading them again takes a tenth of a second."""

NUL = "\0"
"""Between keys: no name of a file has it."""

MAX_FILES = 16
"""More are folded into one."""


def cache_folder(copies: Path, ledger: Path) -> Path:
    """Where the records of a ledger in a folder are cached, by the types that they are read as."""
    types = json.dumps(columns(DUCKDB))
    name = hashlib.sha256(f"{ledger.resolve()}\n{types}".encode()).hexdigest()[:16]
    return copies / "queries" / name


class Cached(NamedTuple):
    """The files and keys of a cache that a query uses. is_partly: the files have other rows too."""

    files: Sequence[Path] = ()
    keys: frozenset[str] = frozenset()
    is_partly: bool = False


class Cache:
    """The cached rows of one table, for one database that is being made."""

    def __init__(self, database: DuckDBPyConnection, folder: Path, kind: str, listed: str) -> None:
        """listed: the table of keys that `copy` fills."""
        self._database = database
        self._folder = folder
        self._kind = kind
        self._listed = listed

    def copy(self, keys: Sequence[str], folder: Path) -> Cached:
        """Copy the files into a folder that is this query's own, where no other query folds them;
        and which of the keys they have. Where they have others too, those that count are in the
        table `listed` then."""
        import duckdb

        if not self._files():
            return Cached()
        try:
            return self._copy(keys, folder)
        except (OSError, duckdb.Error):
            self.clear()
            return Cached()

    def _copy(self, keys: Sequence[str], folder: Path) -> Cached:
        run = self._database.execute
        files = [Path(shutil.copyfile(path, folder / path.name)) for path in self._files()]
        source = _source(files)
        # As one text: 100,000 values from DuckDB to Python and back would take five times as long.
        ((joined,),) = run(f"SELECT string_agg(key, chr(0)) FROM {source}").fetchall()
        held = (joined or "").split(NUL)
        known = frozenset(held)
        if len(held) != len(known):
            self.clear()
            return Cached()
        found = known.intersection(keys)
        is_partly = len(found) != len(known)
        if is_partly:
            split = "unnest(string_split(?, chr(0)))"
            run(f"INSERT INTO {self._listed} SELECT {split}", [NUL.join(found)])
        return Cached(files, found, is_partly)

    def add(self, table: str) -> None:
        """Keep the rows of a table that has the columns and the key, if they are many."""
        ((count,),) = self._database.execute(f"SELECT count(*) FROM {table}").fetchall()
        if count < MIN_RECORDS:
            return
        import duckdb

        # Where nothing can be written, nothing is cached.
        with contextlib.suppress(OSError, duckdb.IOException):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(f"SELECT * FROM {table}")
            old = self._files()
            if len(old) > MAX_FILES:
                self._write(f"SELECT * FROM {_source(self._files())}")
                for path in old:
                    path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Throw everything away."""
        for path in self._files():
            path.unlink(missing_ok=True)

    def _write(self, rows: str) -> None:
        """One file, whole or not at all."""
        name = f"{self._kind}-{secrets.token_hex(8)}"
        aside = self._folder / f"{name}.tmp"
        form = "FORMAT parquet, COMPRESSION zstd"
        self._database.execute(f"COPY ({rows}) TO {path_text(aside)} ({form})")
        aside.replace(self._folder / f"{name}.parquet")

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._kind}-*.parquet"))


def _source(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(map(path_text, files))}], union_by_name = true)"
