"""The list of deliveries: those since the server's start, and all records of before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ci_callback.console import paging
from ci_callback.console.filters import Filter
from ci_callback.console.follow import Following, FollowUp
from ci_callback.console.paging import Place, place_of
from ci_callback.console.record_cache import RecordCache, is_record_key
from ci_callback.devserver.history import Invocation, JobAnswer
from ci_callback.ledger_reader import StoredRecord, received_at
from ci_callback.record_index.rows import UNREADABLE, searched
from ci_callback.record_index.search import Lookup, Search
from ci_callback.report.tally import day_of
from handler.callback import converters
from handler.callback.record import JobRecord
from handler.ledger import keys

OUTCOMES = ("succeeded", "partial", "failed", "cancelled", "unfinished", "unknown")
NO_JOB = ("dead_letter", "ignored", "rejected", "retry_later", UNREADABLE)
"""What a delivery without an identifiable job came to."""


@dataclass(frozen=True)
class JobRow:
    """One job of a delivery. record: where it can be read; follow: what became of a failure."""

    answered: JobAnswer
    record: JobRecord | None
    follow: FollowUp | None = None

    @property
    def outcome(self) -> str:
        """The record's outcome; without a record, the status of the answer."""
        return self.answered.outcome or self.answered.status


@dataclass(frozen=True)
class Row:
    """One line. at: epoch seconds; None where a record does not hold it. delivery: None for a
    record of before the server's start. why: what is wrong with one that can't be read."""

    id: str
    at: float | None
    jobs: tuple[JobRow, ...]
    delivery: Invocation | None = None
    why: str = ""

    @property
    def outcomes(self) -> set[str]:
        """Of its jobs, or of the delivery itself."""
        if self.jobs:
            return {job.outcome for job in self.jobs}
        answer = self.delivery.answer if self.delivery else None
        return {str(answer.get("status", ""))} if isinstance(answer, dict) else set()


@dataclass(frozen=True)
class Page:
    """Rows of one page, in order; how many match, all and by outcome; all tags."""

    rows: Sequence[Row]
    place: Place
    counts: Mapping[str, int]
    tags: Sequence[str]


@dataclass(frozen=True)
class Wanted:
    """What a page of the list is to show: the filter, and the same as the index is asked."""

    filter: Filter
    search: Search
    number: int = 1

    def lets(self, row: Row) -> bool:
        """Whether a delivery is shown, but for its outcome: the rule of the index for records."""
        search = self.search
        since, until = search.received
        at = row.at or 0.0
        return (
            (since is None or at >= since)
            and (until is None or at < until)
            and self._is_a_job(row)
            and all(_holds(row, word) for word in search.words)
        )

    def _is_a_job(self, row: Row) -> bool:
        """Whether one of its jobs has what only jobs have, where that is asked for."""
        search = self.search
        if not (search.tag or search.code or any(search.created) or search.roots is not None):
            return True
        return any(self._fits(job) for job in row.jobs)

    def _fits(self, job: JobRow) -> bool:
        search, record = self.search, job.record
        since, until = search.created
        if search.tag and job.answered.tag != search.tag:
            return False
        if not (search.code or since or until or search.roots is not None):
            return True
        return (
            record is not None
            and search.code in (None, record.code)
            and since <= day_of(record) <= (until or "9")
            and (search.roots is None or record.lineage.root_job_id in search.roots)
        )


def page(
    deliveries: Sequence[Invocation], records: RecordCache, lookup: Lookup, wanted: Wanted
) -> Page:
    """One page of the list. May raise StoreError."""
    named = {job.key for delivery in deliveries for job in delivery.jobs if is_record_key(job.key)}
    by_key = records.read(named)
    rows = [_of_delivery(delivery, by_key) for delivery in deliveries]
    of_any_outcome = [row for row in rows if wanted.lets(row)]
    outcome = wanted.filter.outcome
    here = [row for row in of_any_outcome if not outcome or outcome in row.outcomes]
    requests = [delivery.request_id for delivery in deliveries]
    counts = lookup.counts(replace(wanted.search, outcome=""), requests)
    total = len(here) + (counts.get(outcome, 0) if outcome else sum(counts.values()))
    for name in (name for row in of_any_outcome for name in row.outcomes):
        counts[name] = counts.get(name, 0) + 1
    place = place_of(wanted.number, total)
    following = Following(records, lookup)
    tags = {job.answered.tag for row in rows for job in row.jobs if job.answered.tag}
    return Page(
        [
            _followed(row, following)
            for row in _shown(here, records, lookup, (wanted, place, requests))
        ],
        place,
        counts,
        sorted({*lookup.tags(), *tags}),
    )


def _shown(
    here: Sequence[Row],
    records: RecordCache,
    lookup: Lookup,
    what: tuple[Wanted, Place, Sequence[str]],
) -> list[Row]:
    """The rows of a page: deliveries and records in one order.

    Of the records, only those are fetched among which the page's can be: at most all deliveries
    come before it.
    """
    wanted, place, requests = what
    sort, skip = wanted.filter.sort, place.skip
    passed = max(0, skip - len(here))
    found = lookup.page(wanted.search, sort, (passed, len(here) + paging.PAGE_ROWS), requests)
    entries: list[tuple[float | None, Row | str]] = [
        *((_value(row, sort), row) for row in here),
        *((one.value, one.key) for one in found),
    ]
    is_up = sort == "oldest"
    unknown = float("inf") if is_up else float("-inf")
    entries.sort(key=lambda entry: unknown if entry[0] is None else entry[0], reverse=not is_up)
    chosen = [entry for _, entry in entries[skip - passed :][: paging.PAGE_ROWS]]
    stored = records.read([key for key in chosen if isinstance(key, str)])
    rows = (
        _of_record(stored[entry]) if isinstance(entry, str) else entry
        for entry in chosen
        if not isinstance(entry, str) or entry in stored
    )
    return list(rows)


def _value(row: Row, sort: str) -> float | None:
    """The sort key of a row."""
    if sort != "longest":
        return row.at
    return max((job.record.run_s or 0.0 for job in row.jobs if job.record), default=None)


def _of_delivery(invocation: Invocation, stored: Mapping[str, StoredRecord]) -> Row:
    jobs = tuple(
        JobRow(job, stored[job.key].record if job.key in stored else None)
        for job in invocation.jobs
    )
    return Row(f"d{invocation.number}", invocation.at, jobs, invocation)


def _of_record(stored: StoredRecord) -> Row:
    record = stored.record
    name = f"r{hashlib.sha256(stored.key.encode()).hexdigest()[:16]}"
    if record is None:
        job_id = keys.sent(stored.key.rpartition("/")[2].removesuffix(".json"))
        answered = JobAnswer(job_id, "", UNREADABLE, "kept", stored.key)
        return Row(name, None, (JobRow(answered, None),), why=stored.why)
    answered = JobAnswer(record.job_id, record.tag or "", record.outcome, "kept", stored.key)
    return Row(name, received(record), (JobRow(answered, record),))


def _followed(row: Row, following: Following) -> Row:
    jobs = tuple(
        JobRow(job.answered, job.record, following.of(job.record) if job.record else None)
        for job in row.jobs
    )
    return replace(row, jobs=jobs)


def received(record: JobRecord) -> float | None:
    """When its callback came, in epoch seconds."""
    moment = converters.moment(received_at(record))
    return moment.timestamp() if moment else None


def _holds(row: Row, word: str) -> bool:
    """Whether a word is part of one of its jobs' texts, or of its body."""
    if any(word in text for job in row.jobs for text in _texts(job)):
        return True
    request = row.delivery.request if row.delivery else None
    return request is not None and word in request.body.decode("utf-8", "replace").casefold()


def _texts(job: JobRow) -> Iterable[str]:
    yield f"{job.answered.job_id}\n{job.answered.tag}".casefold()
    if job.record is not None:
        yield searched(job.record)
