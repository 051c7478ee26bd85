"""Reads records, tickets and attempts of a ledger, for people to look at. It writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
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
from handler.parallel import Parallel, in_parallel

FOLDERS = ("jobs", "workflows", "reviews")
"""Folders of records in a terminal state; `_unfinished` is laid out in the same way."""

BATCH = 256

MAX_ATTEMPTS = 100
"""More than any setting allows: a bound for a ledger that the function did not write."""

MAX_LISTED_DAYS = 31
"""So many days are listed one by one."""

MERGE_DAYS = 7
"""So long after a job was created its callback may come: where there are records without a day,
names are compared with those of so many days before a range."""


@dataclass(frozen=True)
class DayRange:
    """UTC days on which jobs were created, both included. None: without that bound. Jobs without
    a believable day are under 1970-01-01, which every range holds."""

    since: date | None = None
    until: date | None = None

    def holds(self, day: str) -> bool:
        """Whether a day, YYYY-MM-DD, is one of them."""
        return day == keys.NO_DAY or (
            (self.since is None or day >= self.since.isoformat())
            and (self.until is None or day <= self.until.isoformat())
        )

    def with_merged(self) -> DayRange:
        """The range in which the twin of a record without a day may be."""
        if self.since is None:
            return self
        earlier = date.fromordinal(max(1, self.since.toordinal() - MERGE_DAYS))
        return DayRange(earlier, self.until)


ALL_DAYS = DayRange()


@dataclass(frozen=True)
class StoredRecord:
    """A record and its key. record: with the root and attempt that are known now, which the
    function may have noted after it was stored. None where the object can't be read as one; `why`
    says how."""

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
    """A ticket in the outbox; None where it can't be read. Its record is as a StoredRecord's."""

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
        yield from _merged(_listed(store, folder, days), days)


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
        elif days.since is None and not undated:
            return  # the days that follow are later still
    yield from undated.values()


def _listed(store: Store, folder: str, days: DayRange) -> Iterator[str]:
    """The keys of a folder that may be within a range or hide one that is, sorted."""
    if days.since is None:
        yield from store.list(f"{folder}/dt=")
        return
    has_undated = False
    for key in store.list(f"{folder}/dt={keys.NO_DAY}/"):
        has_undated = True
        yield key
    wanted = days.with_merged() if has_undated else days
    yield from _since(store, folder, wanted.since or date.min, wanted.until or date.max)


def _since(store: Store, folder: str, since: date, until: date) -> Iterator[str]:
    """Day by day while there are few; one listing of all is cheaper than hundreds of days."""
    # A clock may be wrong by a day, and so may CI's: two days ahead are looked at too.
    last = min(until, date.today() + timedelta(2))
    if (last - since).days > MAX_LISTED_DAYS:
        beyond = f"{folder}/dt={until + timedelta(1) if until < date.max else 'A'}"
        for key in store.list(f"{folder}/dt=", beyond):
            if key >= f"{folder}/dt={since}" and not key.startswith(f"{folder}/dt={keys.NO_DAY}"):
                yield key
        return
    for ahead in range((last - since).days + 1):
        yield from store.list(f"{folder}/dt={since + timedelta(ahead)}/")


def records(
    store: Store, keys: Iterable[str], parallel: Parallel = in_parallel
) -> Iterator[StoredRecord]:
    """The records under some keys, in their order; keys that are gone again are left out."""
    todo = iter(keys)
    while batch := list(islice(todo, BATCH)):
        for stored in parallel(lambda key: _stored(store, key), batch):
            if stored is not None:
                yield stored


def received_at(record: JobRecord) -> str | None:
    """When the callback of a record came, RFC 3339 in UTC; None where it does not say."""
    received = record.source.get("received_at")
    return received if isinstance(received, str) else None


def resubmissions(store: Store, root_job_id: str) -> list[Resubmission]:
    """The re-submissions of a job, in the order of their numbers, from 2 on."""
    made: list[Resubmission] = []
    for number in range(2, MAX_ATTEMPTS):
        resubmission = _resubmission(store, keys.attempt(root_job_id, number), number)
        if resubmission is None:
            break
        made.append(resubmission)
    return made


def all_resubmissions(store: Store) -> Iterator[tuple[str, Resubmission]]:
    """(root job id, re-submission) of every one that is listed. In place of an id that is too long
    for a key, it gives the part of the key."""
    for key in store.list(ATTEMPTS):
        _, part, last = key.split("/", 2)
        number = last.removesuffix(".json")
        resubmission = _resubmission(store, key, int(number)) if number.isdecimal() else None
        if resubmission is not None:
            yield keys.sent(part), resubmission


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
    """The record of the job that a re-submission became."""
    if not attempt.job_id:
        return None
    places = job_keys(attempt.job_id, [keys.day(attempt.created_at)])
    return next((stored for key in places if (stored := _stored(store, key)) is not None), None)


def job_keys(job_id: str, days: Iterable[str]) -> list[str]:
    """Where the record of a job may be that was created on one of some days. The first that exists
    counts: the one without a day comes last."""
    name = f"{keys.name(job_id)}.json"
    return [f"{keys.JOBS}dt={day}/{name}" for day in dict.fromkeys((*days, keys.NO_DAY))]


def noted_lineage(store: Store, key: str) -> Lineage | None:
    """The lineage noted under a key of `_lineage/`; None where it can't be read. May raise
    StoreError."""
    line = store.get(key)
    try:
        return checked(Lineage(**json.loads(line))) if line is not None else None
    except (ValueError, TypeError, RecursionError):
        return None


def may_follow(record: JobRecord) -> bool:
    """Whether `_lineage/` may say another root than the record: its UserData claims that the job
    is a re-submission, which was not proven when the record was stored."""
    return record.kind == "job" and record.lineage.attempt == 1 and record.marker is not None


def _followed(store: Store, record: JobRecord) -> JobRecord:
    """A record with the root and attempt that are known now. Only a claim costs a request."""
    noted = noted_lineage(store, keys.lineage(record.job_id)) if may_follow(record) else None
    return record.with_lineage(noted) if noted else record


def outbox(store: Store) -> Iterator[StoredTicket]:
    """All tickets, the next one due first."""
    return outbox_of(store, lambda name: True)


def outbox_of(store: Store, is_wanted: Callable[[str], bool]) -> Iterator[StoredTicket]:
    """The tickets whose names are wanted, the next one due first."""
    listed = (key.removeprefix(OUTBOX) for key in store.list(OUTBOX))
    names = filter(is_wanted, listed)
    while batch := list(islice(names, BATCH)):
        for stored in in_parallel(lambda name: _waiting(store, name), batch):
            if stored is not None:
                yield stored


def _waiting(store: Store, name: str) -> StoredTicket | None:
    line = store.get(OUTBOX + name)
    if line is None:
        return None
    try:
        ticket = checked(Ticket.from_json(line))
        if ticket.record is not None:
            ticket = ticket._replace(record=_followed(store, checked(ticket.record)))
    except (ValueError, RecursionError):
        return StoredTicket(name, None)
    return StoredTicket(name, ticket)


def _stored(store: Store, key: str) -> StoredRecord | None:
    line = store.get(key)
    if line is None:
        return None
    try:
        record = checked(JobRecord.from_json(line))
    except (ValueError, TypeError, RecursionError) as error:
        return StoredRecord(key, None, str(error))
    return StoredRecord(key, _followed(store, record))
