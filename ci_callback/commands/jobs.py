"""`jobs` and `tail`: records in the ledger, those there are and those that come."""

from __future__ import annotations

import heapq
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any

import typer

from ci_callback.common import AsJson, Since, Until, local
from ci_callback.ledger_reader import FOLDERS, Found, record_keys, records
from ci_callback.terminal import Cell, Styled, Table, print_json, say, say_table, width
from handler.callback import catalogue
from handler.callback.record import OUTCOMES, JobRecord
from handler.ledger.store import Store

OUTCOME_STYLES = {
    "succeeded": "green",
    "partial": "yellow",
    "failed": "red",
    "cancelled": "magenta",
    "unfinished": "cyan",
    "unknown": "yellow",
}


def tags(begun: str) -> list[str]:
    """Tags that begin so, for the shell's completion."""
    return [tag for tag in catalogue.TAGS if tag.lower().startswith(begun.lower())]


def outcomes(begun: str) -> list[str]:
    """Outcomes that begin so."""
    return sorted(one for one in {*OUTCOMES.values(), "partial"} if one.startswith(begun))


Tag = Annotated[
    str | None,
    typer.Option(help="This tag alone.", autocompletion=tags),
]


@dataclass(frozen=True)
class Which:
    """Which records are meant; None: any. Times are of the job's creation."""

    since: datetime | None = None
    until: datetime | None = None
    tag: str | None = None
    state: str | None = None
    outcome: str | None = None

    def means(self, record: JobRecord) -> bool:
        """Whether a record is one of them. One without a time of creation always lies within."""
        created = datetime.fromisoformat((record.created_at or "9999-01-01T00:00:00Z")[:19])
        created = created.replace(tzinfo=timezone.utc)
        return (
            (self.since is None or created >= self.since)
            and (self.until is None or record.created_at is None or created < self.until)
            and self.tag in (None, record.tag)
            and self.state in (None, record.state)
            and self.outcome in (None, record.outcome)
        )

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The days in whose folders they stand."""
        return (
            self.since.astimezone(timezone.utc).date() if self.since else None,
            self.until.astimezone(timezone.utc).date() if self.until else None,
        )


def jobs(
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    state: Annotated[
        str | None,
        typer.Option(help="This state as CI writes it: Success, Failed, Cancel, Running, …"),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(help="This outcome: succeeded, partial, failed, …", autocompletion=outcomes),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Short for --outcome failed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List records, the newest first. --json prints the whole records, one a line."""
    which = Which(since, until, tag, state, "failed" if failed else outcome)
    unfinished = which.outcome in (None, "unfinished", "unknown") and not failed
    folders = (*FOLDERS, "_unfinished") if unfinished else FOLDERS
    with local() as here:
        keys = record_keys(here.ledger.store, *which.days, folders)
        found = (one for one in records(here.ledger.store, keys) if _is_meant(one, which))
        newest = heapq.nlargest(limit, found, key=_age)
    if as_json:
        for one in newest:
            print_json(_as_object(one))
        return
    say_table(_table(newest, is_narrow=width() < NARROW), empty="No such records.")


def tail(
    tag: Tag = None,
    failed: Annotated[bool, typer.Option("--failed", help="Failed ones alone.")] = False,
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two looks at the ledger.")
    ] = 2.0,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Jobs created in the last so many days. Else: on COS 2, in a folder all.",
        ),
    ] = None,
    count: Annotated[
        int, typer.Option(min=0, help="End after so many records; 0: go on until Ctrl-C.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Print records as they come. Lists a few days' keys at each look."""
    which = Which(tag=tag, outcome="failed" if failed else None)
    with local() as here:
        store = here.ledger.store
        if days is None and here.settings.ledger_url.scheme == "cos":
            days = 2  # each look lists the keys of every day that it covers
        coming = (
            one
            for one in _coming(lambda: _recent(store, days), store, every)
            if _is_meant(one, which)
        )
        for one in itertools.islice(coming, count or None):
            if as_json:
                print_json(_as_object(one))
            else:
                say(*_line(one), sep="  ")


def _recent(store: Store, days: int | None) -> Iterator[str]:
    """Keys of the last days, and of jobs whose day nobody told; None: of all."""
    folders = (*FOLDERS, "_unfinished")
    if days is None:
        yield from record_keys(store, folders=folders)
        return
    since = datetime.now(timezone.utc).date() - timedelta(days)
    yield from record_keys(store, since, folders=folders)
    for folder in folders:
        yield from store.list(f"{folder}/dt=1970-01-01/")


def _coming(list_keys: Callable[[], Iterator[str]], store: Store, every: float) -> Iterator[Found]:
    """What was not there at the first look, as it appears."""
    seen = set(list_keys())
    while True:  # until the caller has enough, or Ctrl-C
        new = [key for key in list_keys() if key not in seen]
        seen.update(new)
        yield from records(store, new)
        time.sleep(every)


def _is_meant(found: Found, which: Which) -> bool:
    return found.record is not None and which.means(found.record)


def _age(found: Found) -> tuple[str, str]:
    record = found.record
    return ((record.created_at or "") if record else "", found.key)


def _as_object(found: Found) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(found.record.to_json()) if found.record else {}
    return {"key": found.key, "record": values}


NARROW = 110
"""Columns of a terminal, below which the time of creation and the run time are left out."""


def row(record: JobRecord) -> tuple[str, str, str, Styled, str, str]:
    """The cells of a record."""
    attempt = "" if record.lineage.attempt == 1 else f" (attempt {record.lineage.attempt})"
    code = "" if record.code in ("", "Success") else record.code
    return (
        record.job_id,
        (record.created_at or "").replace("T", " ")[:16],
        "" if record.run_s is None else f"{record.run_s:g}",
        Styled(record.outcome, OUTCOME_STYLES[record.outcome]),
        record.tag or record.kind,
        f"{code}{attempt}".strip(),
    )


def _table(found: Iterable[Found], is_narrow: bool) -> Table:
    if is_narrow:
        made = Table(("job", "created", "outcome", "tag", "code"))
    else:
        made = Table(("job", "created", "run s", "outcome", "tag", "code"))
    for one in found:
        if one.record is not None:
            job, created, run, *rest = row(one.record)
            made.add(*((job, created[:10]) if is_narrow else (job, created, run)), *rest)
    return made


def _line(found: Found) -> list[Cell]:
    return [cell for cell in row(found.record) if cell] if found.record else []
