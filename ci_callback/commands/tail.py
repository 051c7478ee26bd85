"""`tail`: records as they come."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Annotated

import typer

from ci_callback.common import AsJson, local
from ci_callback.job_columns import cells, names, usual_names
from ci_callback.ledger_reader import FOLDERS, DayRange, StoredRecord, record_keys, records
from ci_callback.listing import AsCsv, Columns, Form, Header, printer_of_rows
from ci_callback.record_filter import RecordFilter, Tag
from ci_callback.terminal import print_json
from ci_callback.views import record_object
from handler.ledger.store import Store

COS_DAYS = 2
"""Days that are listed on COS unless `--days` says otherwise: each look lists the keys of each."""


def tail(
    tag: Tag = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only failed jobs.")] = False,
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two readings of the ledger.")
    ] = 2.0,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Only jobs created in the last so many days. Default: 2 on COS, all in a folder.",
        ),
    ] = None,
    count: Annotated[
        int, typer.Option(min=0, help="Exit after this many records; 0: run until Ctrl-C.")
    ] = 0,
    columns: Columns = None,
    header: Header = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Print records as they are stored."""
    form = Form(columns or usual_names(), as_csv, header)
    form.chosen(names())
    wanted = RecordFilter(tag=tag, outcome="failed" if failed else None)
    with local(must_exist=True, doing=None) as here:
        store = here.ledger.store
        if days is None and here.settings.ledger_url.scheme == "cos":
            days = COS_DAYS
        coming = (
            stored
            for stored in _coming(lambda: recent_keys(store, days), store, every)
            if stored.record is not None and wanted.matches(stored.record)
        )
        print_row = None if as_json else printer_of_rows(names(), form)
        for stored in itertools.islice(coming, count or None):
            if print_row is None:
                print_json(record_object(stored))
            elif stored.record is not None:
                print_row(cells(stored.record))


def recent_keys(store: Store, days: int | None) -> Iterator[str]:
    """Keys of the last days, and of jobs without a day; None: of all."""
    since = datetime.now(timezone.utc).date() - timedelta(days) if days else None
    return record_keys(store, DayRange(since), (*FOLDERS, "_unfinished"))


def _coming(
    list_keys: Callable[[], Iterator[str]], store: Store, every: float
) -> Iterator[StoredRecord]:
    """Records that were not there at the first look, as they appear."""
    seen = set(list_keys())
    while True:  # until the caller has enough, or Ctrl-C
        new = [key for key in list_keys() if key not in seen]
        seen.update(new)
        yield from records(store, new)
        time.sleep(every)
