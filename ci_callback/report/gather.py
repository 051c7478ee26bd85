"""Reading what a report needs from a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice

from ci_callback import ledger_reader as reading
from ci_callback.report.figures import Figures
from ci_callback.report.retries import Families, Noted
from ci_callback.report.tally import Tally, day_of
from handler.ledger.store import Store
from handler.parallel import in_parallel


def gather(store: Store, since: date, until: date) -> Figures:
    """The figures of the jobs that were created between two UTC days, both included. A job without
    a time of creation counts on the day its callback came.

    The retries of a failed job are looked up however late they were. May raise StoreError.
    """
    tally, families = Tally(), Families()
    for stored in reading.records(
        store, reading.record_keys(store, reading.DayRange(since, until))
    ):
        if stored.record is None:
            tally.unreadable += 1
            continue
        if not since.isoformat() <= day_of(stored.record) <= until.isoformat():
            continue  # of a job without a time of creation only the record says when it was
        tally.take(stored.record)
        families.take(stored.record)
    noted = dict(_noted(store, families.open()))
    return tally.figures(since, until, families.retries(noted, _due(store)))


def _noted(store: Store, roots: Iterator[str]) -> Iterator[tuple[str, Noted]]:
    while batch := list(islice(roots, reading.BATCH)):
        for root, last in zip(
            batch, in_parallel(lambda root_job_id: _last(store, root_job_id), batch), strict=True
        ):
            if last is not None:
                yield root, last


def _last(store: Store, root: str) -> Noted | None:
    noted = None
    for step in reading.resubmissions(store, root):
        if step.attempt is not None:  # else it can't be read
            record = step.ended.record if step.ended else None
            noted = Noted(step.number, step.attempt.state, record.outcome if record else None)
    return noted


def _due(store: Store) -> dict[str, int]:
    """Roots of the families that a retry still waits for, and the newest attempt that failed."""
    due: dict[str, int] = {}
    for waiting in reading.outbox(store):
        ticket = waiting.ticket
        if (
            ticket is not None
            and ticket.record is not None
            and ticket.action in ("retry", "verify")
        ):
            lineage = ticket.record.lineage
            due[lineage.root_job_id] = max(lineage.attempt, due.get(lineage.root_job_id, 0))
    return due
