"""The list of deliveries: those since the server's start, and the records of before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ci_callback.console.follow import Following, FollowUp
from ci_callback.console.record_cache import RecordCache, is_record_key
from ci_callback.devserver.history import Invocation, JobAnswer
from ci_callback.ledger_reader import StoredRecord, received_at
from handler.callback import converters
from handler.callback.record import JobRecord

MAX_ROWS = 200

OUTCOMES = ("succeeded", "partial", "failed", "cancelled", "unfinished", "unknown")
NO_JOB = ("dead_letter", "ignored", "rejected", "retry_later")
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
    record of before the server's start."""

    id: str
    at: float | None
    jobs: tuple[JobRow, ...]
    delivery: Invocation | None = None

    @property
    def outcomes(self) -> set[str]:
        """Of its jobs, or of the delivery itself."""
        if self.jobs:
            return {job.outcome for job in self.jobs}
        answer = self.delivery.answer if self.delivery else None
        return {str(answer.get("status", ""))} if isinstance(answer, dict) else set()


@dataclass(frozen=True)
class Filter:
    """The filter of the list; "" shows all."""

    tag: str = ""
    outcome: str = ""
    text: str = ""

    def lets(self, row: Row) -> bool:
        """Whether a row is shown."""
        return (
            (not self.tag or any(job.answered.tag == self.tag for job in row.jobs))
            and (not self.outcome or self.outcome in row.outcomes)
            and (not self.text or self._is_in(row))
        )

    def _is_in(self, row: Row) -> bool:
        wanted = self.text.casefold()
        if any(wanted in part.casefold() for job in row.jobs for part in _texts(job)):
            return True
        request = row.delivery.request if row.delivery else None
        return request is not None and wanted in request.body.decode("utf-8", "replace").casefold()


@dataclass(frozen=True)
class Page:
    """Rows that the filter lets through, the newest first; how many more there are; all tags."""

    rows: Sequence[Row]
    more: int
    tags: Sequence[str]


def page(deliveries: Sequence[Invocation], records: RecordCache, wanted: Filter) -> Page:
    """One page of the list. May raise StoreError."""
    recent = records.recent()
    here = {delivery.request_id for delivery in deliveries}
    before = [
        stored for stored in recent if stored.record and _request_id(stored.record) not in here
    ]
    keys = {job.key for delivery in deliveries for job in delivery.jobs if is_record_key(job.key)}
    by_key = {stored.key: stored for stored in recent} | records.read(keys)
    rows = [_of_delivery(delivery, by_key) for delivery in deliveries]
    rows += [_of_record(stored) for stored in before]
    rows.sort(key=lambda row: row.at if row.at is not None else float("-inf"), reverse=True)
    let = [row for row in rows if wanted.lets(row)]
    tags = sorted({job.answered.tag for row in rows for job in row.jobs if job.answered.tag})
    following = Following(records, [stored.record for stored in by_key.values() if stored.record])
    shown = [_followed(row, following) for row in let[:MAX_ROWS]]
    return Page(shown, len(let) - len(shown), tags)


def _of_delivery(invocation: Invocation, stored: Mapping[str, StoredRecord]) -> Row:
    jobs = tuple(
        JobRow(job, stored[job.key].record if job.key in stored else None)
        for job in invocation.jobs
    )
    return Row(f"d{invocation.number}", invocation.at, jobs, invocation)


def _of_record(stored: StoredRecord) -> Row:
    record = stored.record
    if record is None:
        raise AssertionError("only records that can be read are listed")
    answered = JobAnswer(record.job_id, record.tag or "", record.outcome, "kept", stored.key)
    name = hashlib.sha256(stored.key.encode()).hexdigest()[:16]
    return Row(f"r{name}", received(record), (JobRow(answered, record),))


def _followed(row: Row, following: Following) -> Row:
    jobs = tuple(
        JobRow(job.answered, job.record, following.of(job.record) if job.record else None)
        for job in row.jobs
    )
    return Row(row.id, row.at, jobs, row.delivery)


def received(record: JobRecord) -> float | None:
    """When its callback came, in epoch seconds."""
    moment = converters.moment(received_at(record))
    return moment.timestamp() if moment else None


def _request_id(record: JobRecord) -> str:
    return str(record.source.get("request_id") or "")


def _texts(job: JobRow) -> Iterable[str]:
    yield from (job.answered.job_id, job.answered.tag, job.answered.key, job.outcome)
    record = job.record
    if record is not None:
        yield from (record.code, record.message, record.user_data or "")
        yield from (record.job_input.object, str(record.retry.get("root_job_id") or ""))
