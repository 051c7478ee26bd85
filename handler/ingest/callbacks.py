"""The callbacks of one invocation: each body read, each of its jobs kept, each outcome logged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler.callback import catalogue, envelope, nodes, payload, record
from handler.clock import rfc3339_of
from handler.errors import PayloadError, StoreError
from handler.ingest.recorder import Intake, Taken
from handler.ledger.records import DeadLetter
from handler.log import Log
from handler.settings import Settings
from handler.triggers import Delivery, Outcome

if TYPE_CHECKING:
    from handler.ci_api.verification import Inline


@dataclass
class Reception:
    """Takes callbacks in. inline: asks CI about each end before it is kept (VERIFY=always);
    started: of time.perf_counter."""

    settings: Settings
    intake: Intake
    inline: Inline | None
    trigger: str
    clock: Callable[[], float]
    log: Log
    request_id: str
    started: float

    def take(self, delivery: Delivery) -> Sequence[Outcome]:
        """Keep one callback; what became of each of its jobs, each of them logged."""
        outcomes: list[Outcome] = []
        try:
            tree, form = payload.parse(delivery.body, self.settings.limits)
            notices = envelope.read(tree)
        except PayloadError as error:
            outcomes.append(self._bury(delivery, error))
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
    ) -> Outcome:
        if isinstance(notice, envelope.Unreadable):
            return self._bury(delivery, notice.error)
        if isinstance(notice, envelope.Ignored):
            self._log("INFO", status="ignored", reason=notice.reason)
            return Outcome("ignored", reason=notice.reason)
        try:
            job = record.normalise(notice, source)
        except PayloadError as error:
            return self._bury(delivery, error)
        about = {"job_id": job.job_id, "tag": job.tag, "outcome": job.outcome}
        if not self._allows(job):
            self._log(
                "WARNING", status="rejected", reason="ALLOW_BUCKETS does not name it", **about
            )
            return Outcome("rejected", **about, reason="its bucket is not allowed here")
        if job.tag is not None and job.tag not in catalogue.TAGS:
            self.log.warning("new_tag", **about)
        try:
            taken = self._believe(job, delivery)
        except StoreError as error:
            self._log("ERROR", status="retry_later", reason=str(error), **about)
            return Outcome("retry_later", **about, reason="the store did not take it")
        level = "WARNING" if taken.status in ("dead_letter", "unverified") else "INFO"
        self._log(level, status=taken.status, key=taken.key, differs=taken.differs or None, **about)
        return Outcome(taken.status, **about, key=taken.key)

    def _believe(self, job: record.JobRecord, delivery: Delivery) -> Taken:
        """Keep a job's end, once CI has confirmed it where VERIFY=always asks for that."""
        if self.inline is not None and job.is_terminal:
            checked = self.inline.check(job)
            about = {"job_id": job.job_id, "tag": job.tag, "reason": checked.note}
            if checked.verdict == "differs":
                letter = self._letter(delivery, "mismatch", checked.note)
                key = self.intake.set_aside("mismatch", job, letter, checked.note)
                self.log.warning("mismatch", **about)
                return Taken("dead_letter", key)
            if checked.verdict == "unsettled":
                self.log.warning("not_confirmed", **about)
                return Taken("unverified", self.intake.doubt(job))
            if checked.verdict == "confirmed":
                job = job.confirmed()
            else:
                self.log.warning("not_asked", **about)
        explanation = "another end of this job is kept already, and stays"
        return self.intake.take(job, lambda: self._letter(delivery, "conflict", explanation))

    def _allows(self, job: record.JobRecord) -> bool:
        """Whether the input's bucket, or its appid, is one of ALLOW_BUCKETS; a callback that
        names none is taken, since several tags never do."""
        allowed = self.settings.allow_buckets
        bucket = (job.input or {}).get("bucket")
        if allowed is None:
            return True
        if not isinstance(bucket, str):
            # Several in one place are no name, but they are not nothing either.
            places = ("Input.BucketId", "BucketId")
            return all(
                nodes.is_hollow(one) for at in places for one in nodes.nodes(job.details, at)
            )
        return bucket in allowed or bucket.rpartition("-")[2] in allowed

    def _bury(self, delivery: Delivery, error: PayloadError) -> Outcome:
        letter = self._letter(delivery, error.reason, error.explanation)
        try:
            key = self.intake.bury(letter)
        except StoreError as failure:
            self._log("ERROR", status="retry_later", reason=str(failure))
            return Outcome("retry_later", reason="the store did not take it")
        self._log("WARNING", status="dead_letter", key=key, reason=str(error))
        return Outcome("dead_letter", key=key, reason=str(error))

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
