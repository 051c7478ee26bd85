"""The SQL of the tables that a query sees: rows that were read now, cached ones and compacted
days.

Rows in Parquet stay there until a query asks for their columns: of a million records a count by tag
reads a hundredth.
"""

# ruff: noqa: S608  # the SQL holds names of this code, and texts that sql.py has quoted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ci_callback.query.columns import DUCKDB, columns
from ci_callback.query.sql import path_text, text
from handler.callback.record import SCHEMA
from handler.ledger.keys import NO_DAY

LOADED = "loaded"
"""The schema of what the views are made of. Of each kind: KIND, the rows that were read now;
KIND_listed, the keys that count of the cached ones; KIND_twins, the jobs of which a record has a
day and another one has none. And lineage: root and attempt of jobs, noted after their record."""

MISREAD = "a part was misread: compact its day again"


@dataclass(frozen=True)
class Sources:
    """What a table consists of.

    parts: files of compacted days, in their `dt=` folders. cached: files of the cache. is_partly:
    some of the cached rows do not count. since: the first day; None: all.
    """

    kind: str
    parts: Sequence[Path] = ()
    cached: Sequence[Path] = ()
    is_partly: bool = False
    has_twins: bool = False
    has_lineage: bool = False
    since: date | None = None


def all_rows(of: Sources) -> str:
    """Every row, before what is known of several is taken into account."""
    names = ", ".join(f'"{name}"' for name in columns(DUCKDB))
    selects = [f"SELECT {names}, dt FROM {LOADED}.{of.kind}"]
    if of.cached:
        listed = f"WHERE key IN (SELECT key FROM {LOADED}.{of.kind}_listed)"
        rows = f"read_parquet([{_paths(of.cached)}], union_by_name = true)"
        selects.append(f"SELECT {names}, dt FROM {rows} {listed if of.is_partly else ''}")
    if of.parts:
        casts = ", ".join(
            f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns(DUCKDB).items()
        )
        is_record = f'"schema" IS NOT DISTINCT FROM {text(SCHEMA)}'
        selects.append(
            f"SELECT {casts}, dt FROM read_parquet([{_paths(of.parts)}], "
            "hive_partitioning = true, hive_types = {'dt': DATE}) "
            f"WHERE CASE WHEN {is_record} THEN true ELSE error({text(MISREAD)}) END"
        )
    return " UNION ALL ".join(selects)


def twins(of: Sources) -> str:
    """The jobs of which a record has a day and another one has none."""
    jobs = f"SELECT job_id FROM ({all_rows(of)}) WHERE dt"
    return f"{jobs} = DATE '{NO_DAY}' INTERSECT {jobs} <> DATE '{NO_DAY}'"


def view(of: Sources) -> str:
    """What a query sees: of a job with and without a day the record with one, only the days of the
    range, and the root and attempt that are known now."""
    rows = f"SELECT * FROM ({all_rows(of)})"
    undated = f"dt = DATE '{NO_DAY}'"
    conditions = []
    if of.has_twins:
        conditions.append(
            f"NOT ({undated} AND job_id IN (SELECT job_id FROM {LOADED}.{of.kind}_twins))"
        )
    if of.since is not None:
        day = f"CASE WHEN {undated} THEN source.received_at ELSE dt END"
        conditions.append(f"NOT coalesce({day} < DATE '{of.since}', false)")
    if conditions:
        rows += f" WHERE {' AND '.join(conditions)}"
    if of.has_lineage:
        known = "CASE WHEN noted IS NULL OR retry.attempt <> 1 THEN retry ELSE noted END"
        rows = (
            f"SELECT rows.* REPLACE ({known} AS retry) FROM ({rows}) AS rows "
            f"LEFT JOIN {LOADED}.lineage AS notes ON notes.noted_job = rows.job_id"
        )
    return rows


def _paths(paths: Sequence[Path]) -> str:
    return ", ".join(map(path_text, paths))
