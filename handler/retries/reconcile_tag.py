"""One pass over one tag: list a part of CI's jobs, compare it with the ledger, move a cursor."""

from __future__ import annotations

from collections.abc import Iterable
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
from handler.parallel import Parallel
from handler.retries.ci_window import Listed, Pace, WindowReader
from handler.retries.comparison import missing_keys
from handler.retries.context import SweepContext
from handler.retries.cursors import Cursors, ages_of

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
    tag: str
    hours: int
    ages: tuple[int, ...]
    cursors: Cursors
    reader: WindowReader
    now: int
    listed: int = 0
    absent: int = 0
    per_s: float = 0.0
    """Jobs that CI lists for a second of creation, as the last round found."""

    @classmethod
    def of(
        cls,
        context: SweepContext,
        tag_and_hours: tuple[str, int],
        by_hand: bool,
        pace: Pace,
        parallel: Parallel,
    ) -> TagPass:
        """Read how far the last pass came.

        Raises:
            StoreError, CiUnreachableError
            CiError: CI has no list of the tag.
        """
        tag, hours = tag_and_hours
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
        tag_pass = cls(context, tag, hours, ages, cursors, reader, now)
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
        begin = min(self.now - self.hours * 3600, *self.cursors.cursors.values())
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
            looks.append(Look(self.tag, age, before, window, window.end - window.begin))
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
        of_page: dict[str, JobPage] = {}
        seen: set[str] = set()
        for page in listed.pages:
            for job in page.jobs:
                if job.created_at and job.created_at.timestamp() >= listed.upto:
                    continue
                key = key_of(job)
                seen.add(key)
                if self._is_compared(job, ended_after):
                    of_page[key] = page
        self.listed += len(of_page)
        store, parallel = self.context.ledger.store, self.reader.parallel
        missing = missing_keys(store, list(of_page), parallel)
        if missing:
            pages = {id(of_page[key]): of_page[key] for key in missing}
            records = {keys.record(record): record for record in self._records(pages.values())}
            self._take_in([record for key, record in records.items() if key in missing])
        return len(seen)

    def _is_compared(self, job: ListedJob, ended_after: float) -> bool:
        if job.ended_at is None:
            return True
        ended = job.ended_at.timestamp()
        if self.now - ended < GRACE_S:
            return False
        created = job.created_at.timestamp() if job.created_at else ended
        return not ended_after or not job.created_at or ended - created > ended_after

    def _records(self, pages: Iterable[JobPage]) -> list[JobRecord]:
        """The records of the pages that hold a missing job."""
        context = self.context
        source = Source("reconcile", "xml", context.now(), context.request_id, True)
        read = (self._record(detail, source) for page in pages for detail in page.details())
        return [record for record in read if record is not None and record.outcome in TERMINAL]

    def _record(self, detail: dict[str, Tree], source: Source) -> JobRecord | None:
        job_id = (tree.text(detail, "JobId") or "").strip()
        if not job_id:
            return None
        try:
            return normalise(Notice("job", None, job_id, detail, None), source)
        except PayloadError as error:
            # CI can be asked again: what it tells of the job's secrets need not be kept.
            body = dumps({"JobsDetail": redact(detail)})
            context = self.context
            dead_letter = context.dead_letter(body, "callback", error.reason, error.explanation)
            context.recorder.put_dead_letter(dead_letter)
            return None

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
                f"{self.cursors.absent} jobs of {self.tag} ended by CI's word, and no callback "
                "came for them; they are taken in. The callback URL or the queue's NotifyConfig is "
                "probably wrong"
            )
            raise_alert(self.context, "absent", self.tag, note)
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


def key_of(job: ListedJob) -> str:
    """The key of a listed job's record, as keys.record makes it of the whole job."""
    return keys.job(job.job_id, converters.rfc3339(job.created_at))


def raise_alert(context: SweepContext, kind: str, about: str, note: str) -> None:
    """Once a day, however many passes find something."""
    context.outbox.put(Ticket(f"alert.{kind}", about, context.now()[:10], note=note))
