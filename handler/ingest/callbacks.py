"""The callbacks of one invocation: parses each body, stores each of its jobs, logs each result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from handler.callback import catalogue, envelope, payload, record, tree
from handler.callback.common_fields import INPUT_BUCKETS
from handler.errors import PayloadError, StoreError
from handler.ingest.fallback import Elsewhere, Fallback
from handler.ingest.received import ReceivedCallback
from handler.ingest.recorder import Recorder
from handler.ledger.records import StoreResult
from handler.log import Level, Log
from handler.settings import Settings
from handler.triggers import JobResult, Status

if TYPE_CHECKING:
    from handler.ci_api.verification import Inline

LEVELS: Mapping[Status, Level] = {
    "kept": "INFO",
    "duplicate": "INFO",
    "ignored": "INFO",
    "rejected": "WARNING",
    "unverified": "WARNING",
    "dead_letter": "WARNING",
    "spilled": "WARNING",
    "retry_later": "ERROR",
}
"""The level of the log line about a job, by its status."""

NOT_STORED = "the store did not accept it"
NOT_ATTEMPTED = "the store did not accept another job of this callback"
OUT_OF_TIME = "the function's time is used up"

BUCKET_PLACES = ("Input.BucketId", "Input.Bucket", "BucketId")


class CallbackIngest(NamedTuple):
    """Stores callbacks.

    inline: asks CI about each end before it is stored; None where the settings do not ask for it.
    fallback: where a callback goes that the ledger does not accept; None where the caller has it.
    time_left: seconds in which the store may still be asked.
    timer: seconds, of a clock that only runs forward. started: its reading when the invocation
    began.
    """

    settings: Settings
    recorder: Recorder
    inline: Inline | None
    fallback: Fallback | None
    log: Log
    time_left: Callable[[], float]
    started: float
    timer: Callable[[], float] = time.perf_counter

    def process(self, callback: ReceivedCallback) -> list[JobResult]:
        """Store one callback; the result for each of its jobs, each of them logged.

        The first job that the store does not accept ends it: that job and those after it go
        elsewhere with the whole callback, since each would wait for the store's time-out as well.
        """
        try:
            results, left = self._process(callback)
        except Exception:  # a fault of this code: a person must look, and the body is not lost
            self.log.failure("internal_error")
            explanation = "the function failed on it; its log has the stack trace"
            error = PayloadError("internal_error", explanation)
            results, left = [self.put_dead_letter(callback, error)], 0
        return self._settle(callback, results, left)

    def put_dead_letter(self, callback: ReceivedCallback, error: PayloadError) -> JobResult:
        """Store a callback that can't be understood as a dead letter."""
        dead_letter = callback.dead_letter(error.reason, error.explanation)
        try:
            key = self.recorder.put_dead_letter(dead_letter)
        except StoreError as failure:
            return JobResult("retry_later", reason=NOT_STORED, cause=str(failure))
        return self._report(JobResult("dead_letter", key=key, reason=str(error)))

    def _process(self, callback: ReceivedCallback) -> tuple[list[JobResult], int]:
        """The results up to the first job that is not stored, and the number of jobs behind it."""
        try:
            node, form = payload.parse(callback.body, self.settings.limits)
            notices = envelope.read(node)
        except PayloadError as error:
            return [self.put_dead_letter(callback, error)], 0
        source = record.Source(callback.trigger, form, callback.received_at, callback.request_id)
        results: list[JobResult] = []
        for notice in notices:
            if self.time_left() <= 0:
                break
            results.append(self._process_notice(notice, source, callback))
            if results[-1].status == "retry_later":
                break
        return results, len(notices) - len(results)

    def _settle(
        self, callback: ReceivedCallback, results: list[JobResult], left: int
    ) -> list[JobResult]:
        """Keep a callback elsewhere of which not all is stored; the results of all of its jobs."""
        failed = [result for result in results if result.status == "retry_later"]
        if not failed and not left:
            return results
        kept = self.fallback.keep(callback) if self.fallback else Elsewhere("retry_later")
        failed = [result._replace(status=kept.status, key=kept.key) for result in failed]
        for result in failed:
            self._report(result)
        others: list[JobResult] = []
        if left:
            reason = NOT_ATTEMPTED if failed else OUT_OF_TIME
            cause = f"{left} jobs of this callback were not attempted: {reason}"
            others = [JobResult(kept.status, key=kept.key, reason=reason, cause=cause)] * left
            self._report(others[0])
        return [*results[: len(results) - len(failed)], *failed, *others]

    def _process_notice(
        self,
        notice: envelope.Notice | envelope.Unreadable | envelope.Ignored,
        source: record.Source,
        callback: ReceivedCallback,
    ) -> JobResult:
        if isinstance(notice, envelope.Unreadable):
            return self.put_dead_letter(callback, notice.error)
        if isinstance(notice, envelope.Ignored):
            return self._report(JobResult("ignored", reason=notice.reason))
        try:
            job = record.normalise(notice, source)
        except PayloadError as error:
            return self.put_dead_letter(callback, error)
        if not self._is_allowed(job):
            return self._report(_result("rejected", job, reason="its bucket is not allowed here"))
        if job.tag is not None and job.tag not in catalogue.TAGS:
            self.log.warning("new_tag", job_id=job.job_id, tag=job.tag, outcome=job.outcome)
        return self._store(job, callback)

    def _store(self, job: record.JobRecord, callback: ReceivedCallback) -> JobResult:
        try:
            stored = self._verify_and_store(job, callback)
        except StoreError as error:
            return _result("retry_later", job, reason=NOT_STORED)._replace(cause=str(error))
        return self._report(_result(stored.status, job, stored.key), differs=stored.differs)

    def _verify_and_store(self, job: record.JobRecord, callback: ReceivedCallback) -> StoreResult:
        """Store a job's end; where CI is asked first, once CI has confirmed it."""
        if self.inline is not None and job.is_terminal:
            checked = self.inline.check(job)
            about = {"job_id": job.job_id, "tag": job.tag, "reason": checked.note}
            if checked.verdict == "differs":
                dead_letter = callback.dead_letter("mismatch", checked.note)
                key = self.recorder.set_aside("mismatch", job, dead_letter, checked.note)
                self.log.warning("mismatch", **about)
                return StoreResult("dead_letter", key)
            if checked.verdict == "unsettled":
                self.log.warning("not_confirmed", **about)
                return StoreResult("unverified", self.recorder.enqueue_verification(job))
            if checked.verdict == "confirmed":
                job = job.confirmed()
            else:
                self.log.warning("not_asked", **about)
        explanation = "another end of this job is kept already, and stays"
        return self.recorder.store(job, lambda: callback.dead_letter("conflict", explanation))

    def _is_allowed(self, job: record.JobRecord) -> bool:
        """Whether each bucket that the callback names for its input, or its appid, is one of
        ALLOWED_BUCKETS. A callback that names no bucket is allowed, since those of several tags
        never do."""
        allowed = self.settings.allowed_buckets
        if allowed is None:
            return True
        buckets = (
            bucket
            for path in INPUT_BUCKETS
            for bucket in tree.descend(job.details, path.split("."))
        )
        # What is no name is not nothing either.
        return all(
            isinstance(bucket, str) and (bucket in allowed or bucket.rpartition("-")[2] in allowed)
            for bucket in buckets
            if not tree.is_hollow(bucket)
        )

    def _report(self, result: JobResult, differs: bool = False) -> JobResult:
        """Log the result for a job, and return it."""
        level = LEVELS[result.status]
        write = {"INFO": self.log.info, "WARNING": self.log.warning}.get(level, self.log.error)
        write(
            "callback",
            status=result.status,
            job_id=result.job_id,
            tag=result.tag,
            outcome=result.outcome,
            key=result.key,
            reason=result.cause or result.reason,
            differs=differs or None,
            duration_ms=round((self.timer() - self.started) * 1000, 1),
        )
        return result


def _result(
    status: Status, job: record.JobRecord, key: str | None = None, reason: str | None = None
) -> JobResult:
    return JobResult(status, job.job_id, job.tag, job.outcome, key, reason)
