"""Callbacks that never came: asked for in CI's lists, and taken in by the way of a callback.

No page says that CI sends a callback again that was not accepted. So on its own timer, for
each tag in RECONCILE_TAGS:

    list CI's jobs of the last hours, page by page ── that ended a while ago
         ── is its key in the ledger's listing of that day? ── yes: fine
              └─ no: GET of the exact key decides (a listing may lag) ── there: fine
                   └─ not there: take it in; count it as absent

More absent than MISSING_CALLBACK_ALERT_THRESHOLD: the callback URL or the queue's NotifyConfig is
probably wrong, and one alert says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from handler.callback import converters, tree
from handler.callback.catalogue import family_of
from handler.callback.details import dumps
from handler.callback.envelope import Notice
from handler.callback.families import Family
from handler.callback.record import TERMINAL, JobRecord, Source, normalise
from handler.callback.redaction import redact
from handler.callback.tree import Tree
from handler.ci_api.client import CiError
from handler.ci_api.locate import CiUnreachableError
from handler.errors import PayloadError, StoreError
from handler.ledger import keys
from handler.ledger.outbox import Ticket
from handler.parallel import in_parallel
from handler.retries.budget import Budget, too_short
from handler.retries.context import SweepContext

GRACE_S = 600.0
"""A job that ended less than that ago is left alone: its callback may be on its way."""

OVERLAP_S = 60.0
"""A pass that was aborted goes on that much before where it was."""

BATCH = 100
"""Jobs that are compared at a time: a page of CI's list."""

MAX_LISTED = 100_000
"""Keys of a day that are listed: 100 requests and four seconds. What comes behind them is looked
for by a GET of its key, so a day of a million records does not use up the whole of each pass."""

STATES = "Success,Failed,Cancel"
"""The states that are ends (list page of CI's job API)."""

SCHEMA = "reconcile/1"


@dataclass
class Summary:
    """The result of one pass over one tag. status: done; in_progress: the next one goes on from
    here; aborted: by the store or CI; failed."""

    tag: str
    status: str = "done"
    listed: int = 0
    absent: int = 0
    reason: str = ""


@dataclass
class Reconcile:
    """One run over all tags of RECONCILE_TAGS. It raises nothing: each tag's end is logged."""

    context: SweepContext
    time_left: Callable[[], float]
    _days: dict[str, frozenset[str]] = field(default_factory=dict)

    def run(self) -> list[Summary]:
        """Every tag in its turn; one that fails does not stop the others."""
        summaries = []
        budget = Budget.of(self.time_left, lambda: float("inf"))
        for tag, hours in self.context.settings.reconcile_tags:
            started = time.perf_counter()
            summary = Summary(tag)
            try:
                self._tag(summary, tag, hours, budget)
            except (StoreError, CiError, CiUnreachableError) as error:
                summary.status, summary.reason = "aborted", str(error)
            except Exception:  # the other tags go on; raised, SCF would run all of it again
                summary.status = "failed"
                self.context.log.failure("internal_error", tag=tag)
            self._log(summary, started)
            summaries.append(summary)
        return summaries

    def _tag(self, summary: Summary, tag: str, hours: int, budget: Budget) -> None:
        family = family_of(tag, "")
        if family is None or not family.list_known:
            summary.status, summary.reason = "failed", "CI has no list of this tag that is known"
            return
        if not budget.fits_a_step:
            summary.status, summary.reason = "failed", too_short(budget)
            self._raise_alert("sweep", "reconcile", too_short(budget))
            return
        now = self.context.clock()
        begin = now - hours * 3600
        reached = self._reached(tag)
        if reached is not None:
            begin = max(begin, reached - OVERLAP_S)
        for batch in _batches(self._ended(family, tag, begin, now)):
            if not budget.allows_step():
                summary.status = "in_progress"
                return
            self._compare(summary, tag, batch)
            self._note(tag, converters.moment(batch[-1].created_at))
        # All of it: the next pass looks at all the hours again, since jobs end late.
        self._note(tag, None)

    def _compare(self, summary: Summary, tag: str, batch: list[JobRecord]) -> None:
        """Take in the jobs of a batch whose callback has not come."""
        summary.listed += len(batch)
        for folder in {_folder(keys.record(record)) for record in batch}:
            self._list(folder)
        absent = in_parallel(self._is_absent, batch)
        missing = [record for record, is_absent in zip(batch, absent, strict=True) if is_absent]
        summary.absent += len(missing)
        # Before they are taken in, as a ticket before its record: a pass that is aborted in
        # between does not find them absent when it is made again.
        if summary.absent >= self.context.settings.missing_callback_alert_threshold and missing:
            note = (
                f"{summary.absent} jobs of {tag} ended by CI's word, and no callback came for "
                "them; they are taken in. The callback URL or the queue's NotifyConfig is "
                "probably wrong"
            )
            self._raise_alert("absent", tag, note)
        in_parallel(self._take_in, missing)

    def _ended(self, family: Family, tag: str, begin: float, now: float) -> Iterator[JobRecord]:
        """The jobs that ended a while ago, as records, in the order of their creation."""
        source = Source("reconcile", "xml", self.context.now(), self.context.request_id, True)
        for detail in self.context.ci.of_bucket().list_jobs(family, tag, begin, states=STATES):
            record = self._record(detail, source)
            ended = converters.moment(record.ended_at) if record else None
            late = ended is not None and now - ended.timestamp() < GRACE_S
            if record is not None and record.outcome in TERMINAL and not late:
                yield record

    def _record(self, detail: dict[str, Tree], source: Source) -> JobRecord | None:
        job_id = tree.text(detail, "JobId")
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

    def _is_absent(self, record: JobRecord) -> bool:
        """Whether a job's callback has not come."""
        key = keys.record(record)
        if key in self._days[_folder(key)]:
            return False
        return self.context.ledger.store.get(key) is None

    def _take_in(self, record: JobRecord) -> None:
        """Keep what the callback would have said."""
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

    def _list(self, folder: str) -> None:
        """The keys of a day, listed once a run: not one request a job."""
        if folder not in self._days:
            listed = islice(self.context.ledger.store.list(folder), MAX_LISTED)
            self._days[folder] = frozenset(listed)

    def _raise_alert(self, kind: str, about: str, note: str) -> None:
        """Once a day, however many passes find something."""
        day = self.context.now()[:10]
        self.context.outbox.put(Ticket(f"alert.{kind}", about, day, note=note))

    # --- how far a pass came ---

    def _reached(self, tag: str) -> float | None:
        line = self.context.ledger.store.get(keys.progress(tag))
        if line is None:
            return None
        try:
            values: Any = json.loads(line)
            reached = values["reached"] if values["schema"] == SCHEMA else None
        except (ValueError, KeyError, TypeError):
            return None  # from the beginning of its hours: nothing is lost by that
        return float(reached) if isinstance(reached, (int, float)) else None

    def _note(self, tag: str, reached: datetime | None) -> None:
        values = {
            "schema": SCHEMA,
            "reached": reached.timestamp() if reached is not None else None,
            "at": self.context.now(),
        }
        self.context.ledger.store.put(keys.progress(tag), json.dumps(values).encode("ascii"))

    def _log(self, summary: Summary, started: float) -> None:
        is_well = summary.status in ("done", "in_progress")
        write = self.context.log.info if is_well else self.context.log.error
        fields = {name: value for name, value in asdict(summary).items() if value != ""}
        took = round((time.perf_counter() - started) * 1000, 1)
        write("reconcile", **fields, duration_ms=took)


def _folder(key: str) -> str:
    return key.rpartition("/")[0] + "/"


def _batches(records: Iterator[JobRecord]) -> Iterator[list[JobRecord]]:
    while batch := list(islice(records, BATCH)):
        yield batch
