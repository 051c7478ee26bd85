"""`jobs`: the newest records of the ledger."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Annotated

import typer

from ci_callback.common import AsJson, Since, Until, local
from ci_callback.job_columns import cells, heads
from ci_callback.ledger_reader import FOLDERS, StoredRecord, record_keys, records
from ci_callback.record_filter import RecordFilter, Tag, outcomes
from ci_callback.terminal import Table, print_json, say_table, width
from ci_callback.views import record_object

NARROW = 110
"""Characters of a line below which columns are cut or left out (job_columns.py)."""


def jobs(
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    state: Annotated[
        str | None,
        typer.Option(help="Only this state as CI writes it: Success, Failed, Cancel, Running, …"),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            help="Only this outcome: succeeded, partial, failed, …", autocompletion=outcomes
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Short for --outcome failed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many records.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List records, newest first.

    --json prints the whole records, one per line.
    """
    wanted = RecordFilter(since, until, tag, state, "failed" if failed else outcome)
    unfinished = wanted.outcome in (None, "unfinished", "unknown")
    folders = (*FOLDERS, "_unfinished") if unfinished else FOLDERS
    with local() as here:
        store = here.ledger.store
        stored_records = records(store, record_keys(store, wanted.days, folders))
        matching = (
            stored
            for stored in stored_records
            if stored.record is not None and wanted.matches(stored.record)
        )
        newest = heapq.nlargest(limit, matching, key=_created)
    if as_json:
        for stored in newest:
            print_json(record_object(stored))
    else:
        say_table(_table(newest, is_narrow=width() < NARROW), empty="No such records.")


def _created(stored: StoredRecord) -> tuple[str, str]:
    record = stored.record
    return ((record.created_at or "") if record else "", stored.key)


def _table(newest: Sequence[StoredRecord], is_narrow: bool) -> Table:
    table = Table(heads(is_narrow))
    for stored in newest:
        if stored.record is not None:
            table.add(*cells(stored.record, is_narrow))
    return table
