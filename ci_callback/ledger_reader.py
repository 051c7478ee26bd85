"""Reads records, tickets and attempts of a ledger, for people to look at. It writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from ci_callback.ledger_checks import checked
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.keys import ATTEMPTS, OUTBOX
from handler.ledger.outbox import Ticket
from handler.ledger.store import Store
from handler.parallel import in_parallel

FOLDERS = ("jobs", "workflows", "reviews")
"""Folders of records in a terminal state; `_unfinished` is laid out in the same way."""

BATCH = 256

MAX_ATTEMPTS = 100
"""More than any setting allows: a bound for a ledger that the function did not write."""

MAX_LISTED_DAYS = 31
"""So many days are listed one by one."""


@dataclass(frozen=True)
class DayRange:
    """UTC days on which jobs were created, both included. None: without that bound. Jobs without
    a believable day are under 1970-01-01, which only a range without a beginning holds."""

    since: date | None = None
    until: date | None = None

    def holds(self, day: str) -> bool:
        """Whether a day, YYYY-MM-DD, is one of them."""
        return (self.since is None or day >= self.since.isoformat()) and (
            self.until is None or day <= self.until.isoformat()
        )


ALL_DAYS = DayRange()


@dataclass(frozen=True)
class StoredRecord:
    """A record and its key. record: None where the object can't be read as one; `why` says how."""

    key: str
    record: JobRecord | None
    why: str = ""


@dataclass(frozen=True)
class Resubmission:
    """One re-submission of a job, and the record of the job that it became. attempt: None where
    it can't be read; `why` says how."""

    number: int
    attempt: Attempt | None
    ended: StoredRecord | None
    why: str = ""


@dataclass(frozen=True)
class StoredTicket:
    """A ticket in the outbox; None where it can't be read."""

    name: str
    ticket: Ticket | None


def record_keys(
    store: Store, days: DayRange = ALL_DAYS, folders: Iterable[str] = FOLDERS
) -> Iterator[str]:
    """Keys of records, in the order of days within a folder, those without a day last.

    A job of which callbacks came both with and without its time of creation has two records. The
    one under its day counts; the other one is left out. May raise StoreError.
    """
    for folder in folders:
        if days.since is None:
            yield from _merged(store.list(f"{folder}/dt="), days)
        else:
            listed = _since(store, folder, days.since, days.until or date.max)
            yield from (key for key in listed if key.endswith(".json"))


def _merged(listed: Iterator[str], days: DayRange) -> Iterator[str]:
    """Of the keys of a folder, sorted: those within a range, each name once."""
    undated: dict[str, str] = {}
    for key in listed:
        _, day, name = key.split("/", 2)
        if not name.endswith(".json"):
            continue
        if day == f"dt={keys.NO_DAY}":
            undated[name] = key
            continue
        undated.pop(name, None)
        if days.holds(day.removeprefix("dt=")):
            yield key
        elif not undated:
            return  # the days that follow are later still
    yield from undated.values()


def _since(store: Store, folder: str, since: date, until: date) -> Iterator[str]:
    """Day by day while there are few; one listing of all is cheaper than hundreds of days."""
    # A clock may be wrong by a day, and so may CI's: two days ahead are looked at too.
    last = min(until, date.today() + timedelta(2))
    if (last - since).days > MAX_LISTED_DAYS:
        beyond = f"{folder}/dt={until + timedelta(1) if until < date.max else 'A'}"
        for key in store.list(f"{folder}/dt=", beyond):
            if key >= f"{folder}/dt={since}":
                yield key
        return
    for ahead in range((last - since).days + 1):
        yield from store.list(f"{folder}/dt={since + timedelta(ahead)}/")


def records(store: Store, found: Iterable[str]) -> Iterator[StoredRecord]:
    """The records under some keys, in their order; keys that are gone again are left out."""
    todo = iter(found)
    while batch := list(islice(todo, BATCH)):
        for key, line in zip(batch, in_parallel(store.get, batch), strict=True):
            if line is not None:
                yield _read(key, line)


def find(store: Store, job_id: str) -> list[StoredRecord]:
    """Every record of a job, run or review: terminal states first, then earlier ones."""
    name = keys.name(job_id)
    matching = [
        key
        for key in record_keys(store, folders=(*FOLDERS, "_unfinished"))
        if (last := key.rpartition("/")[2]) == f"{name}.json" or last.startswith(f"{name}-")
    ]
    return list(records(store, matching))


def resubmissions(store: Store, root_job_id: str) -> list[Resubmission]:
    """The re-submissions of a job, in the order of their numbers, from 2 on."""
    made: list[Resubmission] = []
    for number in range(2, MAX_ATTEMPTS):
        one = _resubmission(store, keys.attempt(root_job_id, number), number)
        if one is None:
            break
        made.append(one)
    return made


def all_resubmissions(store: Store) -> Iterator[tuple[str, Resubmission]]:
    """(root job id, re-submission) of every one that is listed. In place of an id that is too long
    for a key, it gives the part of the key."""
    for key in store.list(ATTEMPTS):
        _, part, last = key.split("/", 2)
        number = last.removesuffix(".json")
        one = _resubmission(store, key, int(number)) if number.isdecimal() else None
        if one is not None:
            yield keys.sent(part), one


def _resubmission(store: Store, key: str, number: int) -> Resubmission | None:
    try:
        attempt = Attempts(store).at(key)
        if attempt is None:
            return None
        checked(attempt)
    except (ValueError, TypeError, RecursionError) as error:
        return Resubmission(number, None, None, str(error))
    return Resubmission(number, attempt, _ended(store, attempt))


def _ended(store: Store, attempt: Attempt) -> StoredRecord | None:
    """The record of the job that a re-submission became, with or without its day."""
    places = dict.fromkeys(
        keys.job(attempt.job_id, at) for at in (attempt.created_at, None) if attempt.job_id
    )
    for key in places:
        line = store.get(key)
        if line is not None:
            return _read(key, line)
    return None


def lineage_of(store: Store, record: JobRecord) -> Lineage:
    """Root and attempt of a job: those of its record where that is a re-submission, else those that
    the function noted after the record was stored. May raise StoreError."""
    if record.kind != "job" or record.lineage.attempt > 1:
        return record.lineage
    return noted_lineage(store, keys.lineage(record.job_id)) or record.lineage


def noted_lineage(store: Store, key: str) -> Lineage | None:
    """The lineage noted under a key of `_lineage/`; None where it can't be read. May raise
    StoreError."""
    line = store.get(key)
    try:
        return checked(Lineage(**json.loads(line))) if line is not None else None
    except (ValueError, TypeError, RecursionError):
        return None


def lineages(store: Store, found: Iterable[StoredRecord]) -> dict[str, Lineage]:
    """Root and attempt of each record, by its key. `_lineage/` is asked only about jobs whose
    UserData claims to be a re-submission, which the record does not confirm. May raise StoreError.
    """
    known = {one.key: one.record for one in found if one.record}
    asked = [key for key, record in known.items() if _claims_lineage(record)]
    noted = in_parallel(lambda key: lineage_of(store, known[key]), asked)
    lineages = {key: record.lineage for key, record in known.items()}
    return lineages | dict(zip(asked, noted, strict=True))


def _claims_lineage(record: JobRecord) -> bool:
    return record.kind == "job" and record.lineage.attempt == 1 and record.marker is not None


def outbox(store: Store) -> Iterator[StoredTicket]:
    """All tickets, the next one due first."""
    names = (key.removeprefix(OUTBOX) for key in store.list(OUTBOX))
    while batch := list(islice(names, BATCH)):
        lines = in_parallel(lambda name: store.get(OUTBOX + name), batch)
        for name, line in zip(batch, lines, strict=True):
            if line is not None:
                yield StoredTicket(name, _ticket(line))


def _ticket(line: bytes) -> Ticket | None:
    try:
        ticket = checked(Ticket.from_json(line))
        if ticket.record is not None:
            checked(ticket.record)
    except (ValueError, RecursionError):
        return None
    return ticket


def _read(key: str, line: bytes) -> StoredRecord:
    try:
        return StoredRecord(key, checked(JobRecord.from_json(line)))
    except (ValueError, TypeError, RecursionError) as error:
        return StoredRecord(key, None, str(error))
