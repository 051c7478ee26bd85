"""One pass over one tag: list a part of CI's jobs, compare it with the ledger, move a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from handler.callback import converters, tree
from handler.callback.catalogue import family_of
from handler.callback.details import dumps
from handler.callback.envelope import Notice
from handler.callback.record import TERMINAL, JobRecord, Source, normalise
from handler.callback.redaction import redact
from handler.callback.tree import Tree
from handler.ci_api.client import CiError
from handler.ci_api.job_page import JobPage, ListedJob, Window
from handler.errors import PayloadError
from handler.ledger import keys
from handler.ledger.outbox import Ticket
from handler.ledger.records import Conflict
from handler.parallel import Parallel
from handler.retries.ci_window import Listed, Pace, WindowReader
from handler.retries.comparison import missing_keys
from handler.retries.context import SweepContext
from handler.retries.cursors import Cursors, ages_of
from handler.retries.reconcile_scope import Scope

GRACE_S = 600.0
"""A job that ended less than that ago is left alone: its callback may be on its way."""

CLOCKS_S = 60.0
"""How far CI's clock, by which a job ended, and this one may differ; and those of two passes."""

EVERY_S = 1500.0
"""How far a look may be behind before it goes on, and how long all hours are not asked for at once
after they were too many: less than half an hour, so that a timer each half hour finds its work."""

WHOLE_PAGES = 20
"""Of CI's list: where all hours have no more, they are compared at once."""


class Look(NamedTuple):
    """What one look of a tag has still to compare: times of creation. behind_s: how much of it.
    age: its own, as the one before has it; None where it is the first."""

    tag: str
    age: int
    age_before: int | None
    window: Window
    behind_s: float


@dataclass
class TagPass:
    """What a pass does about one tag. Methods may raise StoreError and CiError.

    now: epoch seconds when the pass began. What ends later is for the next one.
    """

    context: SweepContext
    scope: Scope
    ages: tuple[int, ...]
    cursors: Cursors
    reader: WindowReader
    now: int
    listed: int = 0
    absent: int = 0
    other_queues: int = 0
    per_s: float = 0.0
    """Jobs that CI lists for a second of creation, as the last round found."""

    @classmethod
    def of(
        cls,
        context: SweepContext,
        scope: Scope,
        by_hand: bool,
        pace: Pace,
        parallel: Parallel,
    ) -> TagPass:
        """Read how far the last pass came.

        Raises:
            StoreError, CiUnreachableError
            CiError: CI has no list of the tag.
        """
        tag, hours = scope.tag, scope.hours
        family = family_of(tag, "")
        if family is None or not family.list_known:
            raise CiError("list", "CI has no list of this tag that is known", retryable=False)
        reader = WindowReader(context.ci.of_bucket(), family, tag, pace, parallel)
        cursors = Cursors.load(context.ledger.store, tag, by_hand)
        now = int(context.clock())
        cursors.believe(now + CLOCKS_S)
        if now - cursors.absent_since >= EVERY_S:
            cursors.absent, cursors.absent_since = 0, now
        ages = (0,) if by_hand else ages_of(hours)
        tag_pass = cls(context, scope, ages, cursors, reader, now)
        if set(ages) != cursors.cursors.keys():
            # Kept at once: a cursor that is not there would slide with the hours.
            begin = now - hours * 3600
            cursors.cursors = {age: cursors.cursors.get(age, begin) for age in ages}
            tag_pass.save()
        return tag_pass

    def compare_whole(self) -> None:
        """Compare all hours at once, where they have few pages: then all looks are done."""
        if self.now - self.cursors.large_at < EVERY_S:
            return
        # From the cursors on, where they stand still since before these hours.
        begin = min(self.now - self.scope.hours * 3600, *self.cursors.cursors.values())
        window = Window(begin, self.now)
        listed = self.reader.read(window, WHOLE_PAGES)
        if listed.upto == window.end:
            self._compare(listed, ended_after=0)
            self.cursors.lag_s = 0
            self.cursors.cursors = {age: self.now - age for age in self.ages}
        else:
            self.cursors.large_at = self.now
        self.save()

    def most_behind(self) -> Look:
        """The look that is most behind."""
        looks = []
        for age, before in zip(self.ages, (None, *self.ages), strict=False):
            cursor = self.cursors.cursors[age]
            window = Window(cursor, max(cursor, self.now - age))
            looks.append(Look(self.scope.tag, age, before, window, window.end - window.begin))
        return max(looks, key=lambda look: look.behind_s)

    def compare(self, look: Look, pages: int) -> int:
        """Compare some pages' worth of jobs, from the look's cursor on; how many pages it took."""
        begin, end = look.window
        if self.per_s:
            end = min(end, begin + max(1, int(pages * 100 / self.per_s)))
        listed = self.reader.read(Window(begin, end), pages)
        # The look before compared, or will compare, what had ended at its own age.
        before = look.age_before
        count = self._compare(listed, before - GRACE_S - CLOCKS_S if before else 0)
        self.per_s = count / (listed.upto - begin)
        self.cursors.cursors[look.age] = listed.upto
        self.save()
        return len(listed.pages)

    def save(self) -> None:
        """Keep how far this pass came."""
        self.cursors.save(self.context.ledger.store, self.context.clock())

    def _compare(self, listed: Listed, ended_after: float) -> int:
        """Take in the jobs whose callback has not come; how many jobs CI listed.

        ended_after: seconds; what ended sooner after its creation is left out.
        """
        compared: dict[str, tuple[JobPage, ListedJob]] = {}
        seen: set[str] = set()
        elsewhere: set[str] = set()
        for page in listed.pages:
            for job in page.jobs:
                if job.created_at and job.created_at.timestamp() >= listed.upto:
                    continue
                key = key_of(job)
                seen.add(key)
                if not self.scope.has(job):
                    elsewhere.add(key)
                elif self._is_compared(job, ended_after):
                    compared[key] = page, job
        self.listed += len(compared)
        self.other_queues += len(elsewhere)
        store, parallel = self.context.ledger.store, self.reader.parallel
        missing = missing_keys(store, list(compared), parallel)
        if missing:
            self._take_in_of([compared[key] for key in missing])
        return len(seen)

    def _take_in_of(self, missing: list[tuple[JobPage, ListedJob]]) -> None:
        """Take in missing jobs; those that ended before their queue was connected, in silence."""
        wanted = {job.job_id: job for _, job in missing}
        new: list[JobRecord] = []
        old: list[JobRecord] = []
        for page in {id(page): page for page, _ in missing}.values():
            for detail in page.details():
                job = wanted.pop((tree.text(detail, "JobId") or "").strip(), None)
                if job is not None:
                    (old if self.scope.is_old(job) else new).extend(self._records(job, detail))
        self._take_in(new)
        self.reader.parallel(self._store_old, old)

    def _is_compared(self, job: ListedJob, ended_after: float) -> bool:
        if job.ended_at is None:
            return True
        ended = job.ended_at.timestamp()
        if self.now - ended < GRACE_S:
            return False
        created = job.created_at.timestamp() if job.created_at else ended
        return not ended_after or not job.created_at or ended - created > ended_after

    def _records(self, job: ListedJob, detail: dict[str, Tree]) -> list[JobRecord]:
        """The record of a missing job; [] where CI's detail is of no end, or can't be read."""
        context = self.context
        source = Source("reconcile", "xml", context.now(), context.request_id, True)
        try:
            record = normalise(Notice("job", None, job.job_id, detail, None), source)
        except PayloadError as error:
            self._bury(job, detail, error)
            return []
        is_it = record.outcome in TERMINAL and keys.record(record) == key_of(job)
        return [record] if is_it else []

    def _bury(self, job: ListedJob, detail: dict[str, Tree], error: PayloadError) -> None:
        # CI can be asked again: what it tells of the job's secrets need not be kept.
        body = dumps({"JobsDetail": redact(detail)})
        context = self.context
        dead_letter = context.dead_letter(body, "callback", error.reason, error.explanation)
        if self.scope.is_old(job):
            context.ledger.put_dead_letter(dead_letter)
        else:
            context.recorder.put_dead_letter(dead_letter)

    def _take_in(self, missing: list[JobRecord]) -> None:
        """Count them, raise the alert, then keep what their callbacks would have said.

        In this order: a pass that breaks off in between does not find them absent when it is made
        again.
        """
        self.absent += len(missing)
        self.cursors.absent += len(missing)
        self.save()
        if (
            missing
            and self.cursors.absent >= self.context.settings.missing_callback_alert_threshold
        ):
            note = (
                f"{self.cursors.absent} jobs of {self.scope.tag} ended according to CI, but no "
                "callback arrived for them; the function stored CI's results. The callback URL or "
                "the queue's NotifyConfig is probably wrong"
            )
            raise_alert(self.context, "absent", self.scope.tag, note)
        self.reader.parallel(self._store, missing)

    def _store(self, record: JobRecord) -> None:
        context = self.context
        explanation = "another end is kept already"
        dead_letter = context.dead_letter(record.to_json(), "record", "conflict", explanation)
        if context.recorder.events is not None:
            context.recorder.events.put_missing_callback(record)
        result = context.recorder.store(record, lambda: dead_letter)
        context.log.warning(
            "callback_absent",
            job_id=record.job_id,
            tag=record.tag,
            outcome=record.outcome,
            status=result.status,
            key=result.key,
        )

    def _store_old(self, record: JobRecord) -> None:
        stored = self.context.recorder.store_old(record)
        self.context.log.info(
            "callback_absent",
            job_id=record.job_id,
            tag=record.tag,
            outcome=record.outcome,
            status="conflict" if isinstance(stored, Conflict) else stored.status,
            key=stored.key,
            before_connection=True,
        )


def key_of(job: ListedJob) -> str:
    """The key of a listed job's record, as keys.record makes it of the whole job."""
    return keys.job(job.job_id, converters.rfc3339(job.created_at))


def raise_alert(context: SweepContext, kind: str, about: str, note: str) -> None:
    """Once a day, however many passes find something."""
    context.outbox.put(Ticket(f"alert.{kind}", about, context.now()[:10], note=note))
