"""The ledger as DuckDB views: SQL text, made for the ledger's folder as it stands.

    jobs         a compacted day from compacted/, each other day from jobs/: nothing twice
    workflows    runs of workflows          reviews    moderation
    unreadable   files that hold no record: none of the others sees them

Why it is read the way it is:
  - `columns` come from the published schema. Sniffed ones depend on which records exist.
  - The glob names jobs/dt=*/*.json exactly: `**` would meet compacted/ and _outbox/.
  - ignore_errors, since one bad value in one file would otherwise fail every query: the
    value reads as NULL, and what is no JSON as a row of NULLs. Records as the function
    writes them hold neither. A small file that holds no record was put there by somebody
    else: it is left out, and `unreadable` names it (DuckDB 1.5 fails on one that breaks off
    in a first line of several, and names it in its error). A part holds records alone: a
    line that is none means that the part was misread, and fails the query.
  - A glob that matches nothing is an error in DuckDB, so it is only written where it matches.

The folder is looked at when the views are made. Make them anew for what came later.
"""

# ruff: noqa: S608  # the SQL holds names of this code, and paths and days that _text has quoted

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ci_callback import compaction as compact
from ci_callback.columns import DUCKDB, columns
from handler.callback.record import SCHEMA
from handler.ledger.folder import FolderStore
from handler.ledger.keys import COMPACTED

COPYING = "_copying"
"""Stands in a folder into which a ledger is being copied."""

IS_RECORD = f"\"schema\" IS NOT DISTINCT FROM '{SCHEMA}'"

KINDS = ("jobs", "workflows", "reviews")

LARGEST_RECORD = 64 * 1024 * 1024
"""Bytes. A body of 6 MiB, the most that is taken, gives a record well below that."""


def view_sql(folder: Path) -> str:
    """Statements that make the views for a ledger in a folder.

    Raises:
        ValueError: the folder is a copy that was broken off.
        StoreError: the folder can't be read.
    """
    root = folder.resolve()
    if (root / COPYING).exists():
        raise ValueError(f"copying the ledger to {folder} was broken off: copy it again")
    sources = {kind: [_small(root, kind)] if _has_any(root, kind) else [] for kind in KINDS}
    folded = list(_compacted(root))
    if folded:
        days = ", ".join(f"DATE {_text(day)}" for day in folded)
        sources["jobs"] = [f"{small} AND dt NOT IN ({days})" for small in sources["jobs"]]
        sources["jobs"].append(f"{_parts(root)} AND dt IN ({days})")
    views = {kind: sources[kind] or [_none(columns(DUCKDB))] for kind in KINDS}
    odd = [_odd(root, kind) for kind in KINDS if _has_any(root, kind)]
    views["unreadable"] = odd or ["SELECT NULL::VARCHAR AS filename WHERE false"]
    return "".join(
        f"CREATE OR REPLACE VIEW {name} AS\n" + "\nUNION ALL BY NAME\n".join(parts) + ";\n"
        for name, parts in views.items()
    )


def _compacted(root: Path) -> Iterator[str]:
    """Days whose part is whole and holds all of their records."""
    store = FolderStore(root)
    for day in compact.compacted_days(store):
        manifest = compact.load(store, day)
        if (
            manifest is not None
            and manifest.covers(compact.listed(store, day))
            and is_whole(root, manifest)
        ):
            yield day


def is_whole(root: Path, manifest: compact.Manifest) -> bool:
    """Whether the part in a ledger's folder is the one that the manifest means."""
    try:
        with (root / compact.part_key(manifest.day)).open("rb") as part:
            size = part.seek(0, 2)
            part.seek(max(0, size - compact.TAIL_BYTES))
            return manifest.fits(size, part.read())
    except FileNotFoundError:
        return False


def _has_any(root: Path, kind: str) -> bool:
    return any(root.glob(f"{kind}/dt=*/*.json"))


def _small(root: Path, kind: str) -> str:
    read = _read_json(_glob(root, f"{kind}/dt=*/*.json"), columns(DUCKDB))
    return f"SELECT * FROM {read}\nWHERE {IS_RECORD}"


def _parts(root: Path) -> str:
    # DuckDB knows gzip by its name, but not below a folder with a question mark in its own.
    pattern = _glob(root, f"{COMPACTED}dt=*/{compact.PART}")
    read = _read_json(pattern, columns(DUCKDB), "compression = 'gzip'")
    misread = f"error({_text('a part was misread: compact its day again')})"
    return f"SELECT * FROM {read}\nWHERE CASE WHEN {IS_RECORD} THEN true ELSE {misread} END"


def _odd(root: Path, kind: str) -> str:
    pattern = _glob(root, f"{kind}/dt=*/*.json")
    read = _read_json(pattern, {"schema": DUCKDB.text}, "filename = true")
    records = f"SELECT filename FROM {read}\nWHERE {IS_RECORD}"
    return f"SELECT file AS filename FROM glob({pattern}) WHERE file NOT IN (\n{records})"


def _read_json(pattern: str, types: dict[str, str], *options: str) -> str:
    written = ",\n    ".join(f"{_text(name)}: {_text(kind)}" for name, kind in types.items())
    listed = (
        f"columns = {{\n    {written}}}",
        "format = 'newline_delimited'",
        "records = true",
        "hive_partitioning = true",
        "hive_types = {'dt': DATE}",
        "ignore_errors = true",
        f"maximum_object_size = {LARGEST_RECORD}",
        *options,
    )
    return f"read_json({pattern},\n  " + ",\n  ".join(listed) + ")"


def _none(types: dict[str, str]) -> str:
    """A table of these columns without a row."""
    typed = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in types.items())
    return f"SELECT {typed}, NULL::DATE AS dt WHERE false"


def _glob(root: Path, pattern: str) -> str:
    """A pattern below the root, as a text of SQL. What the root's name holds stands for itself."""
    path = "".join(f"[{one}]" if one in "*?[" else one for one in root.as_posix())
    return _text(f"{path}/{pattern}")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
