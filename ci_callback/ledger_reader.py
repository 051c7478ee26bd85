"""The ledger as people look at it: records, tickets, attempts and dead letters. It only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.keys import ATTEMPTS, OUTBOX
from handler.ledger.outbox import Ticket
from handler.ledger.store import Store
from handler.parallel import in_parallel

FOLDERS = ("jobs", "workflows", "reviews")
"""Where ends are kept; `_unfinished` is like them."""

BATCH = 256


@dataclass(frozen=True)
class DayRange:
    """UTC days on which jobs were created, both included. None: without that bound. Jobs without
    a believable day stand under 1970-01-01, which only a range without a beginning holds."""

    since: date | None = None
    until: date | None = None

    def holds(self, day: str) -> bool:
        """Whether a day, YYYY-MM-DD, is one of them."""
        return (self.since is None or day >= self.since.isoformat()) and (
            self.until is None or day <= self.until.isoformat()
        )


ALL_DAYS = DayRange()


@dataclass(frozen=True)
class Found:
    """What stands under a key. record: None where it can't be read as one; `why` says how."""

    key: str
    record: JobRecord | None
    why: str = ""


@dataclass(frozen=True)
class Step:
    """One re-submission of a job: how it stands, and the record of the job it became."""

    number: int
    attempt: Attempt
    ended: Found | None


@dataclass(frozen=True)
class Waiting:
    """A ticket in the outbox; None where it can't be read."""

    name: str
    ticket: Ticket | None


def record_keys(
    store: Store,
    since: date | None = None,
    until: date | None = None,
    folders: Iterable[str] = FOLDERS,
) -> Iterator[str]:
    """Keys of records whose day (the UTC day on which the job was created) lies between the two,
    both included, in the order of days within a folder. Records without a believable day, which
    stand under 1970-01-01, are left out where `since` is given. May raise StoreError.
    """
    for folder in folders:
        if since is None:
            stop = f"{folder}/dt={until + timedelta(1)}" if until else None
            listed = store.list(f"{folder}/dt=", stop)
        else:
            listed = _of_days(store, folder, since, until or date.max)
        yield from (key for key in listed if key.endswith(".json"))


def _of_days(store: Store, folder: str, since: date, until: date) -> Iterator[str]:
    """Day by day while there are few; one listing of all is cheaper than hundreds of days."""
    beyond = f"{folder}/dt={until + timedelta(1) if until < date.max else 'A'}"
    if (min(until, date.today() + timedelta(2)) - since).days > 31:
        for key in store.list(f"{folder}/dt=", beyond):
            if key >= f"{folder}/dt={since}":
                yield key
        return
    day = since
    # A clock may be wrong by a day, and so may CI's: two days ahead are looked at too.
    while day <= min(until, date.today() + timedelta(2)):
        yield from store.list(f"{folder}/dt={day}/")
        day += timedelta(1)


def records(store: Store, found: Iterable[str]) -> Iterator[Found]:
    """What stands under keys, in their order; one that is gone again is left out."""
    todo = iter(found)
    while batch := list(islice(todo, BATCH)):
        for key, line in zip(batch, in_parallel(store.get, batch), strict=True):
            if line is not None:
                yield _read(key, line)


def find(store: Store, job_id: str) -> list[Found]:
    """Every record of a job, run or review: ends first, then what was told of it before."""
    name = keys.name(job_id)
    matching = [
        key
        for key in record_keys(store, folders=(*FOLDERS, "_unfinished"))
        if (last := key.rpartition("/")[2]) == f"{name}.json" or last.startswith(f"{name}-")
    ]
    return list(records(store, matching))


def steps(store: Store, root_job_id: str) -> list[Step]:
    """The re-submissions of a job, in the order of their numbers, from 2 on."""
    taken: list[Step] = []
    for number in range(2, 100):
        step = _step(store, keys.attempt(root_job_id, number), number)
        if step is None:
            break
        taken.append(step)
    return taken


def all_steps(store: Store) -> Iterator[tuple[str, Step]]:
    """(root job id, re-submission) of every one that is listed. Of an id that was too long to be
    written into a key, the part of the key stands in its place."""
    for key in store.list(ATTEMPTS):
        _, part, last = key.split("/", 2)
        number = last.removesuffix(".json")
        step = _step(store, key, int(number)) if number.isdecimal() else None
        if step is not None:
            yield keys.sent(part), step


def _step(store: Store, key: str, number: int) -> Step | None:
    attempt = Attempts(store).at(key)
    if attempt is None:
        return None
    ended = keys.job(attempt.job_id, attempt.created_at)
    line = store.get(ended) if attempt.job_id else None
    return Step(number, attempt, _read(ended, line) if line is not None else None)


def outbox(store: Store) -> Iterator[Waiting]:
    """All tickets, the next one due first."""
    names = (key.removeprefix(OUTBOX) for key in store.list(OUTBOX))
    while batch := list(islice(names, BATCH)):
        lines = in_parallel(lambda name: store.get(OUTBOX + name), batch)
        for name, line in zip(batch, lines, strict=True):
            if line is not None:
                yield Waiting(name, _ticket(line))


def _ticket(line: bytes) -> Ticket | None:
    try:
        return Ticket.from_json(line)
    except ValueError:
        return None


def _read(key: str, line: bytes) -> Found:
    try:
        return Found(key, JobRecord.from_json(line))
    except (ValueError, TypeError) as error:
        return Found(key, None, str(error))
