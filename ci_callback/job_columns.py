"""The columns of `jobs`, which `tail` prints too: a row per column."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ci_callback.terminal import Cell
from ci_callback.views import NO_FAILURE, outcome
from handler.callback.record import JobRecord


class Column(NamedTuple):
    """One column. narrow_chars: to how many characters its cells are cut where the terminal is
    narrow; 0: the column is left out there; None: they are shown whole."""

    head: str
    cell: Callable[[JobRecord], Cell]
    narrow_chars: int | None = None


def _created(record: JobRecord) -> str:
    return (record.created_at or "").replace("T", " ")[:16]


def _run_s(record: JobRecord) -> str:
    return "" if record.run_s is None else f"{record.run_s:g}"


def _code(record: JobRecord) -> str:
    number = record.lineage.attempt
    attempt = "" if number == 1 else f" (attempt {number})"
    return f"{'' if record.code in NO_FAILURE else record.code}{attempt}".strip()


COLUMNS = (
    Column("job", lambda record: record.job_id),
    Column("created", _created, narrow_chars=len("2026-11-20")),
    Column("run s", _run_s, narrow_chars=0),
    Column("outcome", outcome),
    Column("tag", lambda record: record.tag or record.kind),
    Column("code", _code),
)


def heads(is_narrow: bool) -> tuple[str, ...]:
    """The heads of the columns that are shown."""
    return tuple(column.head for column in _shown(is_narrow))


def cells(record: JobRecord, is_narrow: bool = False) -> tuple[Cell, ...]:
    """A record's cells, one for each column that is shown."""
    return tuple(
        cell[: column.narrow_chars] if is_narrow and isinstance(cell, str) else cell
        for column in _shown(is_narrow)
        for cell in (column.cell(record),)
    )


def _shown(is_narrow: bool) -> list[Column]:
    return [column for column in COLUMNS if not is_narrow or column.narrow_chars != 0]
