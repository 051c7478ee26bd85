"""The time line of a job and of its re-submissions: what happened, when, and what is to come.

From what is kept (records, tickets and their marks, attempts) and, as far as it happened
since the server's start, from what each invocation wrote and logged: that gives the times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ci_callback.console.events import Event, SendStatus, Timeline, Tone, in_order
from ci_callback.console.follow import TicketName
from ci_callback.console.forwarded import forwarded
from ci_callback.console.record_cache import RecordCache
from ci_callback.console.rows import received
from ci_callback.devserver.history import Invocation
from ci_callback.ledger_reader import Resubmission, StoredRecord, received_at, resubmissions
from handler.callback import converters
from handler.callback.record import JobRecord
from handler.ingest.recorder import Recorder
from handler.ledger import keys
from handler.ledger.keys import DONE, OUTBOX
from handler.ledger.records import Ledger

_TONES: Mapping[str, Tone] = {
    "succeeded": "good",
    "partial": "odd",
    "failed": "bad",
    "cancelled": "plain",
    "unknown": "bad",
}
_FINE = ("", "Success")
"""Codes and messages that say nothing."""

_GOOD_NEWS = ("alert.recovered",)


class TimelineBuilder:
    """Builds time lines from one ledger. Every method may raise StoreError."""

    def __init__(
        self, records: RecordCache, deliveries: Sequence[Invocation], tasks: Sequence[Invocation]
    ) -> None:
        self._records = records
        self._deliveries = sorted(deliveries, key=lambda invocation: invocation.at)
        self._tasks = sorted(tasks, key=lambda invocation: invocation.at)
        self._intake = Recorder(Ledger(records.store), records.policy)
        self._waiting = records.tickets()
        self._written: dict[str, tuple[float, Invocation]] = {}
        for invocation in (*self._deliveries, *self._tasks):
            for write in invocation.writes:
                self._written.setdefault(f"{write.operation} {write.key}", (write.at, invocation))

    def build(self, stored: StoredRecord) -> Timeline:
        """The time line of the job of a record, from its first attempt on."""
        record = stored.record
        if record is None:
            return Timeline("", [stored], [])
        root = record.lineage.root_job_id
        first = stored if record.lineage.attempt == 1 else self._root(root, record)
        again = resubmissions(self._records.store, root)
        ended = {step.number: step.ended for step in again if step.ended}
        if record.lineage.attempt > 1:
            ended.setdefault(record.lineage.attempt, stored)
        records = [
            candidate
            for candidate in (first, *(ended[number] for number in sorted(ended)))
            if candidate
        ]
        ids = {root, record.job_id} | {step.attempt.job_id for step in again if step.attempt} - {""}
        events: list[Event] = []
        if first is not None:
            events += self._of_record(first, 1)
        for step in again:
            events += self._of_step(step)
        since = {step.number: step.attempt.since for step in again if step.attempt}
        for number, end in ended.items():
            events += self._of_record(end, number, since.get(number, 0.0))
        events += self._of_tickets(records, ids)
        events += self._of_logs(ids)
        events += forwarded(self._records.store, root)
        return Timeline(root, records, in_order(events))

    def _root(self, root: str, record: JobRecord) -> StoredRecord | None:
        for delivery in self._deliveries:
            for job in delivery.jobs:
                if job.job_id == root and job.key:
                    return self._records.read([job.key]).get(job.key)
        return self._records.find(root, record.created_at or received_at(record))

    # --- what is kept ---

    def _of_record(self, stored: StoredRecord, number: int, after: float = 0.0) -> Iterator[Event]:
        record = stored.record
        if record is None:
            return
        if number == 1:
            yield Event("created", _epoch(record.created_at), values={"job": record.job_id})
        reason = " — ".join(part for part in (record.code, record.message) if part not in _FINE)
        yield Event(
            "ended",
            _epoch(record.ended_at),
            _TONES.get(record.outcome, "plain"),
            {"state": record.state or "", "outcome": record.outcome, "attempt": number},
            reason,
            after=after,
        )
        yield from self._of_deliveries(record, stored.key)

    def _of_deliveries(self, record: JobRecord, key: str) -> Iterator[Event]:
        came = [
            (delivery, job)
            for delivery in self._deliveries
            for job in delivery.jobs
            if job.job_id == record.job_id
        ]
        if not any(delivery.request_id == record.source.get("request_id") for delivery, _ in came):
            trigger = str(record.source.get("trigger") or "")
            event_name = "taken_in" if trigger in ("timer", "reconcile") else "callback"
            written = self._written.get(f"put {key}")
            yield Event(event_name, received(record), task=written[1].number if written else None)
        for delivery, job in came:
            event_name = {"kept": "callback", "duplicate": "again"}.get(job.status, "callback_odd")
            tone: Tone = "bad" if event_name == "callback_odd" else "plain"
            values = {"status": delivery.status, "kept": job.status}
            yield Event(event_name, delivery.at, tone, values, delivery=delivery.number)

    def _of_step(self, step: Resubmission) -> Iterator[Event]:
        attempt = step.attempt
        if attempt is None:
            return
        key = f"put {keys.lineage(attempt.job_id)}"
        written = self._written.get(key)
        number = {"attempt": step.number, "job": attempt.job_id}
        task = written[1].number if written else None
        if attempt.state == "submitted":
            yield Event("submitted", attempt.since, "plain", number, task=task)
            if step.ended is None:
                yield Event("running", None, "wait", number)
        elif attempt.state == "refused":
            text = f"{attempt.code} {attempt.message}"
            yield Event("refused", attempt.since, "bad", number, text, task=task)
        elif attempt.state == "submitting":
            yield Event("submitting", attempt.since, "wait", number)
        else:
            yield Event("not_taken", attempt.since, "wait", number, attempt.code)

    # --- tickets ---

    def _of_tickets(self, records: Iterable[StoredRecord], ids: set[str]) -> Iterator[Event]:
        mine = {keys.name(id_) for id_ in ids}
        called_for = [
            ticket.name
            for record in records
            if record.record
            for ticket in self._intake.tickets(record.record)
        ]
        waiting = [name for name in self._waiting if TicketName.of(name).job in mine]
        seen = [
            key.removeprefix(f"put {OUTBOX}")
            for key in self._written
            if key.startswith(f"put {OUTBOX}")
        ]
        written = [name for name in seen if TicketName.of(name).job in mine]
        for name in dict.fromkeys((*called_for, *waiting, *written)):
            if name in self._waiting:
                yield from self._waits(name)
            else:
                yield from self._is_done(name)

    def _waits(self, name: str) -> Iterator[Event]:
        ticket = TicketName.of(name)
        if ticket.action == "retry":
            yield Event("retry_waits", ticket.due, "wait", ticket=name)
        elif ticket.action.startswith("alert."):
            kind = ticket.action.removeprefix("alert.")
            yield Event("alert_waits", self._put_at(name), "wait", {"kind": kind})
        elif ticket.action == "verify":
            yield Event("verify_waits", ticket.due, "wait")

    def _is_done(self, name: str) -> Iterator[Event]:
        """A retry that is done shows in its attempt, an alert in the channels that received it."""
        action = TicketName.of(name).action
        if not action.startswith("alert."):
            return
        written = self._written.get(f"put {DONE}{name}")
        if written is None and self._records.store.get(DONE + name) is None:
            return
        tone: Tone = "good" if action in _GOOD_NEWS else "plain"
        values = {"kind": action.removeprefix("alert.")}
        if written is None:
            yield Event("alert_sent", None, tone, values)
            return
        at, task = written
        alerts = [line for line in task.lines if line.get("event") == "alert"]
        undelivered = [line for line in task.lines if line.get("event") == "alert_undelivered"]
        sent = [SendStatus(str(line.get("status")), str(line.get("channel"))) for line in alerts]
        event_name = "alert_undelivered" if undelivered and not alerts else "alert_sent"
        reason = str(undelivered[0].get("reason", "")) if undelivered else ""
        text = "" if sent else reason
        yield Event(event_name, at, tone, values, text, sent, task=task.number)

    def _put_at(self, name: str) -> float | None:
        written = self._written.get(f"put {OUTBOX}{name}")
        return written[0] if written else None

    # --- what was logged ---

    def _of_logs(self, ids: set[str]) -> Iterator[Event]:
        for task in self._tasks:
            for line in task.lines:
                if line.get("event") != "ticket" or line.get("job_id") not in ids:
                    continue
                status, reason = line.get("status"), str(line.get("reason", ""))
                if status == "deferred":
                    yield Event("deferred", task.at, "wait", text=reason, task=task.number)
                elif status == "alerted":
                    kind = {"kind": str(line.get("alert", ""))}
                    yield Event("stopped", task.at, "bad", kind, reason, task=task.number)


def _epoch(time: str | None) -> float | None:
    moment = converters.moment(time)
    return moment.timestamp() if moment else None
