"""The columns of `jobs`, which `tail` prints too: a row per column."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ci_callback.terminal import Cell
from ci_callback.views import NO_FAILURE, outcome, seconds_text
from handler.callback.record import JobRecord


class Column(NamedTuple):
    """One column. is_extra: it is shown where it is asked for by its name."""

    name: str
    cell: Callable[[JobRecord], Cell]
    is_extra: bool = False


def _run_s(record: JobRecord) -> str:
    return "" if record.run_s is None else seconds_text(record.run_s)


def _code(record: JobRecord) -> str:
    number = record.lineage.attempt
    attempt = "" if number == 1 else f" (attempt {number})"
    return f"{'' if record.code in NO_FAILURE else record.code}{attempt}".strip()


COLUMNS = (
    Column("job", lambda record: record.job_id),
    Column("created", lambda record: record.created_at),
    Column("outcome", outcome),
    Column("tag", lambda record: record.tag or record.kind),
    Column("run_s", _run_s),
    Column("code", _code),
    Column("state", lambda record: record.state, is_extra=True),
    Column("message", lambda record: record.message, is_extra=True),
    Column("ended", lambda record: record.ended_at, is_extra=True),
    Column("queue", lambda record: record.queue_id, is_extra=True),
    Column("object", lambda record: record.job_input.object, is_extra=True),
    Column("user_data", lambda record: record.user_data, is_extra=True),
    Column("attempt", lambda record: record.lineage.attempt, is_extra=True),
    Column("root", lambda record: record.lineage.root_job_id, is_extra=True),
)


def names() -> tuple[str, ...]:
    """The names of all columns."""
    return tuple(column.name for column in COLUMNS)


def usual_names() -> str:
    """The columns that are shown where none is asked for, separated by commas."""
    return ",".join(column.name for column in COLUMNS if not column.is_extra)


def cells(record: JobRecord) -> tuple[Cell, ...]:
    """A record's cells, one for each column."""
    return tuple(column.cell(record) for column in COLUMNS)
