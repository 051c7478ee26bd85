"""The callbacks of one invocation: each body read, each of its jobs kept, each outcome logged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler.callback import catalogue, envelope, payload, record, tree
from handler.clock import rfc3339_of
from handler.errors import PayloadError, StoreError
from handler.ingest.recorder import Recorder, StoreResult
from handler.ledger.records import DeadLetter
from handler.log import Log
from handler.settings import Settings
from handler.triggers import Delivery, JobResult

if TYPE_CHECKING:
    from handler.ci_api.verification import Inline


@dataclass
class CallbackIngest:
    """Takes callbacks in. started: of time.perf_counter. inline: asks CI about each end before
    it is kept (VERIFY_CALLBACKS=always)."""

    settings: Settings
    intake: Recorder
    inline: Inline | None
    trigger: str
    clock: Callable[[], float]
    log: Log
    request_id: str
    started: float

    def take(self, delivery: Delivery) -> Sequence[JobResult]:
        """Keep one callback; what became of each of its jobs, each of them logged."""
        outcomes: list[JobResult] = []
        try:
            node, form = payload.parse(delivery.body, self.settings.limits)
            notices = envelope.read(node)
        except PayloadError as error:
            outcomes.append(self._put_dead_letter(delivery, error))
        else:
            source = record.Source(self.trigger, form, self._now(), self.request_id)
            outcomes += [self._take_one(one, source, delivery) for one in notices]
        if any(one.status == "retry_later" for one in outcomes):
            self.log.last_resort(delivery.body, "store")
        return outcomes

    def _take_one(
        self,
        notice: envelope.Notice | envelope.Unreadable | envelope.Ignored,
        source: record.Source,
        delivery: Delivery,
    ) -> JobResult:
        if isinstance(notice, envelope.Unreadable):
            return self._put_dead_letter(delivery, notice.error)
        if isinstance(notice, envelope.Ignored):
            self._log("INFO", status="ignored", reason=notice.reason)
            return JobResult("ignored", reason=notice.reason)
        try:
            job = record.normalise(notice, source)
        except PayloadError as error:
            return self._put_dead_letter(delivery, error)
        about = {"job_id": job.job_id, "tag": job.tag, "outcome": job.outcome}
        if not self._allows(job):
            self._log(
                "WARNING", status="rejected", reason="ALLOWED_BUCKETS does not name it", **about
            )
            return JobResult("rejected", **about, reason="its bucket is not allowed here")
        if job.tag is not None and job.tag not in catalogue.TAGS:
            self.log.warning("new_tag", **about)
        try:
            taken = self._believe(job, delivery)
        except StoreError as error:
            self._log("ERROR", status="retry_later", reason=str(error), **about)
            return JobResult("retry_later", **about, reason="the store did not take it")
        level = "WARNING" if taken.status in ("dead_letter", "unverified") else "INFO"
        self._log(level, status=taken.status, key=taken.key, differs=taken.differs or None, **about)
        return JobResult(taken.status, **about, key=taken.key)

    def _believe(self, job: record.JobRecord, delivery: Delivery) -> StoreResult:
        """Keep a job's end; where VERIFY_CALLBACKS=always, once CI has confirmed it."""
        if self.inline is not None and job.is_terminal:
            checked = self.inline.check(job)
            about = {"job_id": job.job_id, "tag": job.tag, "reason": checked.note}
            if checked.verdict == "differs":
                letter = self._letter(delivery, "mismatch", checked.note)
                key = self.intake.set_aside("mismatch", job, letter, checked.note)
                self.log.warning("mismatch", **about)
                return StoreResult("dead_letter", key)
            if checked.verdict == "unsettled":
                self.log.warning("not_confirmed", **about)
                return StoreResult("unverified", self.intake.doubt(job))
            if checked.verdict == "confirmed":
                job = job.confirmed()
            else:
                self.log.warning("not_asked", **about)
        explanation = "another end of this job is kept already, and stays"
        return self.intake.take(job, lambda: self._letter(delivery, "conflict", explanation))

    def _allows(self, job: record.JobRecord) -> bool:
        """Whether the input's bucket, or its appid, is one of ALLOWED_BUCKETS; a callback that
        names none is taken, since several tags never do."""
        allowed = self.settings.allowed_buckets
        bucket = (job.input or {}).get("bucket")
        if allowed is None:
            return True
        if not isinstance(bucket, str):
            # Several in one place are no name, but they are not nothing either.
            places = ("Input.BucketId", "BucketId")
            return all(
                tree.is_hollow(one) for at in places for one in tree.get_all(job.details, at)
            )
        return bucket in allowed or bucket.rpartition("-")[2] in allowed

    def _put_dead_letter(self, delivery: Delivery, error: PayloadError) -> JobResult:
        letter = self._letter(delivery, error.reason, error.explanation)
        try:
            key = self.intake.put_dead_letter(letter)
        except StoreError as failure:
            self._log("ERROR", status="retry_later", reason=str(failure))
            return JobResult("retry_later", reason="the store did not take it")
        self._log("WARNING", status="dead_letter", key=key, reason=str(error))
        return JobResult("dead_letter", key=key, reason=str(error))

    def _letter(self, delivery: Delivery, reason: str, explanation: str) -> DeadLetter:
        return DeadLetter(
            delivery.body,
            reason,
            explanation,
            delivery.headers,
            self.trigger,
            self._now(),
            self.request_id,
        )

    def _now(self) -> str:
        return rfc3339_of(self.clock())

    def _log(self, level: str, **fields: Any) -> None:
        write = {"INFO": self.log.info, "WARNING": self.log.warning}
        took = round((time.perf_counter() - self.started) * 1000, 1)
        write.get(level, self.log.error)("callback", duration_ms=took, **fields)
