"""The records of one job, found by their keys: the last days first, and by listings of its name in
each day after that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone

from ci_callback.ledger_reader import (
    FOLDERS,
    StoredRecord,
    StoredTicket,
    job_keys,
    outbox_of,
    records,
)
from handler.ledger import keys
from handler.ledger.store import Store
from handler.parallel import in_parallel

RECENT_DAYS = 4
"""So many days are asked for a job by its key: today, and three before it."""

IN_OTHER_FOLDERS = tuple(folder for folder in (*FOLDERS, "_unfinished") if folder != "jobs")


def find(store: Store, job_id: str, near: str | None = None) -> list[StoredRecord]:
    """Every record of a job, run or review: terminal states first, then earlier ones.

    near: a day on which it may have been created, or soon after. May raise StoreError.
    """
    recent = list(records(store, job_keys(job_id, _days_before(near))[:-1]))
    if recent:
        day = recent[0].key.split("/")[1]
        return [
            *recent[:1],
            *_named(store, job_id, [f"{name}/{day}/" for name in IN_OTHER_FOLDERS]),
        ]
    places = [
        place for folder in (*FOLDERS, "_unfinished") for place in store.folders(f"{folder}/dt=")
    ]
    found = _named(store, job_id, places)
    # A job whose callbacks came both with and without its time of creation has two records.
    undated = f"{keys.JOBS}dt={keys.NO_DAY}/"
    has_day = any(
        stored.key.startswith(keys.JOBS) and undated not in stored.key for stored in found
    )
    return [stored for stored in found if not (has_day and undated in stored.key)]


def tickets_of(store: Store, job_ids: Iterable[str]) -> list[StoredTicket]:
    """The tickets about some jobs. A ticket's name has the job's, so no other one is read."""
    ids = set(job_ids)
    parts = {f"-{keys.name(job_id)}-" for job_id in ids}
    waiting = outbox_of(store, lambda name: any(part in name for part in parts))
    return [stored for stored in waiting if stored.ticket and stored.ticket.job_id in ids]


def _days_before(near: str | None) -> list[str]:
    last = date.fromisoformat(near) if near else datetime.now(timezone.utc).date()
    return [str(last - timedelta(back)) for back in range(RECENT_DAYS)]


def _named(store: Store, job_id: str, places: Sequence[str]) -> list[StoredRecord]:
    """The records of a job below some prefixes, each of a day."""
    name = keys.name(job_id)

    def below(place: str) -> list[str]:
        return [
            key
            for key in store.list(place + name)
            if (last := key.rpartition("/")[2]) == f"{name}.json" or last.startswith(f"{name}-")
        ]

    return list(records(store, [key for some in in_parallel(below, places) for key in some]))
