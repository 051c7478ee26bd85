"""Writes the records of a day as one Parquet file, by DuckDB.

The columns are those of the published schema, whatever the records of a day hold: every day's file
has the same ones. Times are instants in UTC. `result` and `details`, which have another form for
each tag, are text that holds JSON: a column type of their own would differ from day to day.

The records are written to a file of lines first, so that none of them needs to be in memory, and
DuckDB reads that file as a stream: 8 s of CPU and 290 MB for a million records.
"""

# ruff: noqa: S608  # the SQL holds names of this code, and texts that sql.py has quoted

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ci_callback.query.columns import DUCKDB, PARQUET, columns
from ci_callback.query.sql import path_text, text
from handler.callback.record import SCHEMA

GROUP_BYTES = 32 * 1024 * 1024
"""Bytes of JSON in a row group, about: it is in memory while it is written."""

GROUP_ROWS = (2_048, 122_880)
"""Rows of a group, from one of DuckDB's vectors to its own number."""

MEMORY = "512MB"
"""What DuckDB may take before it writes to the temporary folder. A million records take half."""

SMALLEST_BUFFER = 1024 * 1024
"""Bytes. DuckDB reads lines into buffers of twice the longest line's length."""

METADATA = "ci_callback.digest"
"""The name of the digest in the file's footer."""


@dataclass
class _Spooled:
    """The contents of the file of lines."""

    count: int
    size: int
    longest: int
    digest: str


def write_part(records: Iterable[tuple[str, bytes]]) -> tuple[bytes, str]:
    """A Parquet file of records in their order, and its digest. The same records give the same
    bytes with the same DuckDB.

    records: pairs of a file's name and its record, a line each. They take their size as JSON in
    the temporary folder, which TMPDIR names.

    Raises:
        ValueError: it can't be written, as where the temporary folder is full, or DuckDB read other
        content than was written.
    """
    import duckdb

    try:
        with tempfile.TemporaryDirectory(prefix="ci-callback-") as scratch:
            folder = Path(scratch)
            lines, part = folder / "records.ndjson", folder / "part.parquet"
            spooled = _spool(records, lines)
            _convert(lines, spooled, part)
            return part.read_bytes(), spooled.digest
    except (OSError, duckdb.Error) as error:
        raise ValueError(f"a part can't be written: {error}") from error


@functools.cache
def schema_digest() -> str:
    """Which columns a part has. A part that was made with other ones is made again."""
    types = json.dumps(columns(PARQUET))
    return hashlib.sha256(types.encode()).hexdigest()[:16]


def _spool(records: Iterable[tuple[str, bytes]], lines: Path) -> _Spooled:
    digest = hashlib.sha256()
    count = size = longest = 0
    with lines.open("wb") as file:
        for name, record in records:
            digest.update(name.encode() + b"\0")
            digest.update(record)
            file.write(record)
            count, size, longest = count + 1, size + len(record), max(longest, len(record))
    return _Spooled(count, size, longest, digest.hexdigest())


def _convert(lines: Path, spooled: _Spooled, part: Path) -> None:
    import duckdb

    fitting = GROUP_BYTES * spooled.count // max(1, spooled.size)
    least, most = GROUP_ROWS
    form = (
        "FORMAT parquet, COMPRESSION zstd, "
        f"ROW_GROUP_SIZE {min(max(fitting, least), most)}, "
        f"KV_METADATA {{{text(METADATA)}: {text(spooled.digest)}}}"
    )
    # One thread: several days are written at a time, and one thread writes the same bytes.
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": MEMORY,
        "temp_directory": str(lines.parent / "spilled"),
    }
    with duckdb.connect(config=config) as database:
        # A time of the schema has no zone in DuckDB: it takes the session's.
        database.execute("SET TimeZone = 'UTC'")
        rows = _rows_of(lines, spooled.longest)
        database.execute(f"COPY ({rows}) TO {text(str(part))} ({form})")
        ((written,),) = database.execute(
            f'SELECT count(*) FROM read_parquet({path_text(part)}) WHERE "schema" = {text(SCHEMA)}'
        ).fetchall()
    if written != spooled.count:
        raise ValueError(f"only {written} of {spooled.count} records were written: compact again")


def _rows_of(lines: Path, longest: int) -> str:
    types = ", ".join(f"{text(name)}: {text(kind)}" for name, kind in columns(DUCKDB).items())
    casts = ", ".join(
        f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns(PARQUET).items()
    )
    return (
        f"SELECT {casts} FROM read_json({path_text(lines)}, columns = {{{types}}}, "
        "format = 'newline_delimited', records = true, "
        f"ignore_errors = true, maximum_object_size = {max(longest + 1, SMALLEST_BUFFER)})"
    )
