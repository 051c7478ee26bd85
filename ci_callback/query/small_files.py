"""Reads records that are a file each into a table of DuckDB.

DuckDB's JSON reader takes a millisecond to open a file. So the lines of many files are written
behind one another into one file, which it reads at once: 100,000 records take 3 s of CPU. A file
that is not one line of JSON is handed over as a parameter.
"""

# ruff: noqa: S608  # the SQL holds names of this code, and texts that sql.py has quoted

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ci_callback import compacted_day
from ci_callback.bar import Bar
from ci_callback.ledger_reader import DayRange
from ci_callback.query.columns import DUCKDB, columns
from ci_callback.query.sql import path_text, text
from handler.callback.record import SCHEMA
from handler.errors import StoreError
from handler.ledger.folder import FolderStore

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH_RECORDS = 20_000
BATCH_BYTES = 64_000_000
"""Files that are handed to DuckDB at one time: at most so many, until so many bytes."""

SMALLEST_BUFFER = 1024 * 1024
"""Bytes. DuckDB reads lines into buffers of twice the longest line's length."""

_IS_RECORD = (
    f"CASE WHEN json_valid(line) THEN coalesce(line->>'$.schema' = '{SCHEMA}', false) "
    "ELSE false END"
)


def listed(root: Path, kind: str, days: DayRange, without: frozenset[str]) -> list[str]:
    """The key of each file that may hold a record, in order. without: days. Folders are among them:
    to look at each entry takes half as long again, and `SmallFiles` leaves them out.

    Raises:
        StoreError: a folder can't be read.
    """
    found: list[str] = []
    for folder in FolderStore(root).folders(f"{kind}/dt="):
        day = compacted_day.day_of(folder)
        if day in without or not days.holds(day):
            continue
        try:
            names = sorted(os.listdir(root / folder))
        except OSError as error:
            raise StoreError("list", folder, str(error.strerror)) from error
        found += [folder + name for name in names if name.endswith(".json") and name[0] != "."]
    return found


class SmallFiles:
    """Fills a table that has the columns of a record, its day as `dt`, and its `key`."""

    def __init__(self, database: DuckDBPyConnection, root: Path, spool: Path) -> None:
        """spool: a file that may be written."""
        self._run = database.execute
        self._root = f"{root}/"
        self._spool = spool

    def fill(self, table: str, keys: Sequence[str], bar: Bar) -> list[str]:
        """Insert the records under some keys; the keys of files that hold none.

        Raises:
            StoreError: a file can't be read.
        """
        bar.expect(len(keys))
        dated, unreadable = _with_a_day(keys)
        for batch in self._batches(dated, bar):
            lines = {key: data for key, data in batch.items() if _is_line(data)}
            if not lines or not self._insert_lines(table, lines, unreadable):
                lines = {}
            odd = {key: data for key, data in batch.items() if key not in lines}
            if odd:
                self._insert_texts(table, odd, unreadable)
        return unreadable

    def _batches(self, keys: Sequence[str], bar: Bar) -> Iterator[dict[str, bytes]]:
        batch: dict[str, bytes] = {}
        size = 0
        for key in keys:
            data = self.read(key)
            if data is None:
                continue
            batch[key] = data
            size += len(data)
            if len(batch) == BATCH_RECORDS or size >= BATCH_BYTES:
                yield batch
                bar.step(len(batch))
                batch, size = {}, 0
        if batch:
            yield batch
            bar.step(len(batch))

    def read(self, key: str) -> bytes | None:
        """The bytes of a file: none of one that is gone, and None of a folder. Its key comes from
        the folder's listing, and a store would take as long to make a path of it as the system to
        read it."""
        try:
            with open(self._root + key, "rb", buffering=0) as file:
                return file.read()
        except FileNotFoundError:
            return b""
        except IsADirectoryError:
            return None
        except OSError as error:
            raise StoreError("get", key, str(error.strerror)) from error

    def _insert_lines(self, table: str, lines: dict[str, bytes], unreadable: list[str]) -> bool:
        """Insert records that are a line each; False where DuckDB reads more or fewer."""
        with self._spool.open("wb") as spool:
            spool.writelines(lines.values())
        types = ", ".join(f"{text(name)}: {text(kind)}" for name, kind in columns(DUCKDB).items())
        longest = max(map(len, lines.values()))
        # The window's numbers are those of the lines: it keeps their order.
        self._run(
            "CREATE OR REPLACE TEMP TABLE lines AS SELECT row_number() OVER () AS line_number, * "
            f"FROM read_json({path_text(self._spool)}, columns = {{{types}}}, "
            "format = 'newline_delimited', records = true, "
            f"ignore_errors = true, maximum_object_size = {max(longest + 1, SMALLEST_BUFFER)})"
        )
        self._run(
            "CREATE OR REPLACE TEMP TABLE names AS "
            "SELECT unnest(?) AS key, unnest(range(1, ?)) AS line_number",
            [list(lines), len(lines) + 1],
        )
        ((count,),) = self._run("SELECT count(*) FROM lines").fetchall()
        if count != len(lines):
            return False
        is_record = f'"schema" IS NOT DISTINCT FROM {text(SCHEMA)}'
        self._run(
            f"INSERT INTO {table} BY NAME SELECT lines.* EXCLUDE (line_number), key, {_DAY} AS dt "
            f"FROM lines JOIN names USING (line_number) WHERE {is_record}"
        )
        left = f"SELECT key FROM lines JOIN names USING (line_number) WHERE NOT {is_record}"
        unreadable += [key for (key,) in self._run(left).fetchall()]
        return True

    def _insert_texts(self, table: str, odd: dict[str, bytes], unreadable: list[str]) -> None:
        """Insert records of whatever form."""
        texts: dict[str, str] = {}
        for key, data in odd.items():
            try:
                texts[key] = data.decode("utf-8")
            except ValueError:
                unreadable.append(key)
        self._run(
            "CREATE OR REPLACE TEMP TABLE texts AS "
            "SELECT unnest(?::VARCHAR[]) AS key, unnest(?::VARCHAR[]) AS line",
            [list(texts), list(texts.values())],
        )
        form = text(json.dumps(columns(DUCKDB)))
        self._run(
            f"INSERT INTO {table} BY NAME "
            f"SELECT unnest(json_transform(line::JSON, {form})), {_DAY} AS dt, key "
            f"FROM texts WHERE {_IS_RECORD}"
        )
        left = self._run(f"SELECT key FROM texts WHERE NOT {_IS_RECORD}").fetchall()
        unreadable += [key for (key,) in left]


_DAY = "CAST(split_part(split_part(key, '/', 2), '=', 2) AS DATE)"
"""Of a key such as jobs/dt=2022-07-25/j1.json."""


def _with_a_day(keys: Sequence[str]) -> tuple[list[str], list[str]]:
    """The keys whose folder names a day, and the others."""
    days: dict[str, bool] = {}
    dated: list[str] = []
    others: list[str] = []
    for key in keys:
        day = compacted_day.day_of(key)
        if day not in days:
            days[day] = _is_day(day)
        (dated if days[day] else others).append(key)
    return dated, others


def _is_day(name: str) -> bool:
    try:
        return str(date.fromisoformat(name)) == name
    except ValueError:
        return False


def _is_line(data: bytes) -> bool:
    """Whether a file is one line with its line break, as the function writes it, in UTF-8."""
    if data.find(b"\n") != len(data) - 1 or data[:1] != b"{":
        return False
    try:
        return data.isascii() or bool(data.decode("utf-8"))
    except ValueError:
        return False
