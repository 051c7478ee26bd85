"""One event, `job-event/1`: the end of a job, or a retry, as the user's own code receives it.

docs/events.md has the types and the guarantees. An event is made of a record. Its id is a function
of the job, the type and the reason, so a receiver recognises an event that is sent twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, NamedTuple, TypeAlias

from handler.callback.details import dumps
from handler.callback.record import JobRecord
from handler.clock import is_believed, rfc3339_of
from handler.ledger import keys
from handler.policy import Policy

SCHEMA = "job-event/1"
QUEUED = "queued-event/1"

Type: TypeAlias = Literal[
    "job.succeeded",
    "job.partial",
    "job.retrying",
    "job.recovered",
    "job.failed",
    "job.cancelled",
    "workflow.finished",
    "review.finished",
    "job.missing_callback",
]

NOT_FINAL = frozenset({"job.retrying", "job.missing_callback"})
"""Types after which a final event of the same root follows."""

NOTES = {
    "failed": "it is not retried: the failure is not one that passes, or retries are off",
    "gave-up": "no attempt is left",
    "unknown": "how it ended can't be read from its callback",
    "conflict": "another end of this job was reported, and is the one that is kept",
}
"""Why a job.failed is final, by its reason; others come from the sweep, with a note of its own."""


class Event(NamedTuple):
    """One event. Times are RFC 3339 in UTC.

    reason: of a job.failed, one word; "" for another type. note: the same in a sentence. retry_at:
    when a job.retrying is submitted again. record: the newest one that is known of the job.
    own_record: whether the callback of that record called for this event, so that it counts only
    where the ledger holds the record. supersedes: id of the final event that this one replaces.
    """

    type: Type
    occurred_at: str
    root_job_id: str
    job_id: str
    attempt: int
    record: JobRecord
    reason: str = ""
    note: str = ""
    retry_at: str | None = None
    own_record: bool = False
    supersedes: str | None = None

    @property
    def id(self) -> str:
        """Made of the root, the job, the type and the reason; of a review, which may be reported
        several times, of the report."""
        of = keys.record(self.record) if self.record.kind == "review" else self.job_id
        parts = (self.root_job_id, of, self.type, self.reason)
        text = "\n".join(part.replace("\n", " ") for part in parts)
        return f"evt_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected of the root job."""
        return self.type not in NOT_FINAL

    def head(self) -> dict[str, Any]:
        """All but the record, in the order in which it is sent."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "type": self.type,
            "occurred_at": self.occurred_at,
            "root_job_id": self.root_job_id,
            "job_id": self.job_id,
            "attempt": self.attempt,
            "final": self.is_final,
            "reason": self.reason or None,
            "note": self.note or None,
            "retry_at": self.retry_at,
            "supersedes": self.supersedes,
            "user_data": self.record.user_data,
        }

    def to_json(self) -> bytes:
        """The body that is sent."""
        return b"".join((dumps(self.head())[:-1], b',"record":', self._record(), b"}"))

    def to_queue(self) -> bytes:
        """The event as it waits."""
        names = [name for name in self._fields if name != "record"]
        values = {"schema": QUEUED} | {name: getattr(self, name) for name in names}
        return b"".join((dumps(values)[:-1], b',"record":', self._record(), b"}\n"))

    def _record(self) -> bytes:
        return self.record.to_json().rstrip(b"\n")

    @classmethod
    def from_queue(cls, line: bytes) -> Event:
        """Read back what `to_queue` wrote.

        Raises:
            ValueError: it is not a queued event.
        """
        try:
            values: Any = json.loads(line)
            if not isinstance(values, dict) or values.pop("schema", None) != QUEUED:
                raise ValueError(f"not a {QUEUED}")
            record = JobRecord.from_json(json.dumps(values.pop("record", None)).encode())
            return cls(**values, record=record)
        except (TypeError, RecursionError) as error:
            raise ValueError(f"a {QUEUED} with other fields than it should have") from error


_ENDS: dict[str, Type] = {
    "partial": "job.partial",
    "cancelled": "job.cancelled",
}


def of_record(record: JobRecord, policy: Policy) -> Event | None:
    """The event that the callback of a record calls for; None where it reports no end."""
    if record.outcome == "unfinished" or (record.outcome == "unknown" and record.kind != "job"):
        return None
    if record.kind != "job":
        kinds: dict[str, Type] = {"workflow": "workflow.finished", "review": "review.finished"}
        return _about(record, kinds[record.kind])
    return _of_job(record, policy)


def _of_job(record: JobRecord, policy: Policy) -> Event:
    if record.outcome == "succeeded":
        is_retry = record.lineage.attempt > 1
        return _about(record, "job.recovered" if is_retry else "job.succeeded")
    if record.outcome == "unknown":
        return of_failure(record, "unknown", NOTES["unknown"])._replace(own_record=False)
    if record.outcome != "failed":
        return _about(record, _ENDS[record.outcome])
    actions = policy.actions(record)
    if "retry" in actions:
        at = max(policy.due(record), _epoch(str(record.source["received_at"])))
        return _about(record, "job.retrying")._replace(retry_at=rfc3339_of(at))
    reason = "gave-up" if "alert.gave-up" in actions else "failed"
    return of_failure(record, reason, NOTES[reason])


def of_failure(record: JobRecord, reason: str, note: str) -> Event:
    """A job.failed of a record's job."""
    return _about(record, "job.failed")._replace(reason=reason, note=note)


def of_missing_callback(record: JobRecord) -> Event:
    """No callback came for a job, and its end was taken from CI's list."""
    return _about(record, "job.missing_callback")._replace(own_record=False)


def _about(record: JobRecord, kind: Type) -> Event:
    lineage = record.lineage
    return Event(
        kind,
        record.ended_at or str(record.source["received_at"]),
        lineage.root_job_id,
        record.job_id,
        lineage.attempt,
        record,
        own_record=True,
    )


def moment_of(record: JobRecord) -> int:
    """Epoch seconds by which an event of a record is queued; 0 where the record has no time that is
    believed. It depends on the record only, so that the same event has the same name."""
    time = record.ended_at or record.created_at
    return 0 if time is None or not is_believed(time) else _epoch(time)


def _epoch(time: str) -> int:
    from datetime import datetime  # only where events are forwarded

    return int(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp())
