"""Callbacks that never came: asked for in CI's lists, and taken in by the way of a callback.

Nobody documents that CI sends a callback again that was not taken. So on its own timer, for
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
from itertools import islice
from typing import Any

from handler.callback import converters, tree
from handler.callback.catalogue import family_of
from handler.callback.details import dumps
from handler.callback.envelope import Notice
from handler.callback.families import Family
from handler.callback.record import TERMINAL, JobRecord, Source, normalise
from handler.callback.tree import Tree
from handler.ci_api.client import CiError
from handler.ci_api.locate import CiUnreachableError
from handler.errors import PayloadError, StoreError
from handler.ledger import keys
from handler.ledger.outbox import Ticket
from handler.parallel import in_parallel
from handler.retries.context import SweepContext

GRACE_S = 600.0
"""A job that ended less than that ago is left alone: its callback may be on its way."""

OVERLAP_S = 60.0
"""A pass that was broken off goes on that much before where it was."""

BATCH = 100
"""Jobs that are compared at a time: a page of CI's list."""

RESERVE_S = 5.0
STEP_S = 15.0
"""As in a sweep: what is left at the end, and what a batch may take."""

MAX_LISTED = 100_000
"""Keys of a day that are listed: 100 requests and four seconds. What stands behind them is looked
for by a GET of its key, so a day of a million records does not use up the whole of each pass."""

STATES = "Success,Failed,Cancel"
"""The states that are ends (list page of CI's job API)."""

SCHEMA = "reconcile/1"


@dataclass
class Summary:
    """What one pass over one tag did."""

    tag: str
    status: str = "done"
    listed: int = 0
    absent: int = 0
    reason: str = ""


@dataclass
class Reconcile:
    """One run over all tags of RECONCILE_TAGS. It raises nothing: each tag's end is logged."""

    bench: SweepContext
    time_left: Callable[[], float]
    _days: dict[str, frozenset[str]] = field(default_factory=dict)

    def run(self) -> list[Summary]:
        """Every tag in its turn; one that fails does not stop the others."""
        summaries = []
        for tag, hours in self.bench.settings.reconcile_tags:
            started = time.perf_counter()
            summary = Summary(tag)
            try:
                self._tag(summary, tag, hours)
            except (StoreError, CiError, CiUnreachableError) as error:
                summary.status, summary.reason = "broken_off", str(error)
            except Exception:  # the other tags go on; raised, SCF would run all of it again
                summary.status = "failed"
                self.bench.log.failure("internal_error", tag=tag)
            self._log(summary, started)
            summaries.append(summary)
        return summaries

    def _tag(self, summary: Summary, tag: str, hours: int) -> None:
        family = family_of(tag, "")
        if family is None or not family.list_known:
            summary.status, summary.reason = "failed", "CI has no list of this tag that is known"
            return
        now = self.bench.clock()
        begin = now - hours * 3600
        reached = self._reached(tag)
        if reached is not None:
            begin = max(begin, reached - OVERLAP_S)
        for batch in _batches(self._ended(family, tag, begin, now)):
            if self.time_left() < RESERVE_S + STEP_S:
                summary.status = "to be continued"
                break
            summary.listed += len(batch)
            for folder in {_folder(keys.record(one)) for one in batch}:
                self._list(folder)
            absent = in_parallel(self._is_absent, batch)
            missing = [one for one, is_absent in zip(batch, absent, strict=True) if is_absent]
            summary.absent += len(missing)
            # Before they are taken in, as a ticket before its record: a pass that breaks off
            # in between finds them no more when it is made again.
            if summary.absent >= self.bench.settings.missing_callback_alert_threshold and missing:
                self._alarm(tag, summary.absent)
            in_parallel(self._take_in, missing)
            self._note(tag, converters.moment(batch[-1].created_at))
        else:
            # All of it: the next pass looks at all the hours again, since jobs end late.
            self._note(tag, None)

    def _ended(self, family: Family, tag: str, begin: float, now: float) -> Iterator[JobRecord]:
        """The jobs that ended a while ago, as records, in the order of their creation."""
        source = Source("reconcile", "xml", self.bench.now(), self.bench.request_id, True)
        for detail in self.bench.ci_of().list_jobs(family, tag, begin, states=STATES):
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
            body = dumps({"JobsDetail": detail})
            self.bench.intake.put_dead_letter(
                self.bench.letter(body, "callback", error.reason, error.explanation)
            )
            return None

    def _is_absent(self, record: JobRecord) -> bool:
        """Whether a job's callback has not come."""
        key = keys.record(record)
        if key in self._days[_folder(key)]:
            return False
        return self.bench.ledger.store.get(key) is None

    def _take_in(self, record: JobRecord) -> None:
        """Keep what the callback would have said."""
        bench = self.bench
        letter = bench.letter(record.to_json(), "record", "conflict", "another end is kept already")
        taken = bench.intake.store(record, lambda: letter)
        bench.log.warning(
            "callback_absent",
            job_id=record.job_id,
            tag=record.tag,
            outcome=record.outcome,
            status=taken.status,
            key=taken.key,
        )

    def _list(self, folder: str) -> None:
        """The keys of a day, listed once a run: not one request a job."""
        if folder not in self._days:
            listed = islice(self.bench.ledger.store.list(folder), MAX_LISTED)
            self._days[folder] = frozenset(listed)

    def _alarm(self, tag: str, count: int) -> None:
        """Once a day for a tag, however many passes find something."""
        note = (
            f"{count} jobs of {tag} ended by CI's word, and no callback came for them; they are "
            "taken in. The callback URL or the queue's NotifyConfig is probably wrong"
        )
        self.bench.outbox.put(Ticket("alert.absent", tag, self.bench.now()[:10], note=note))

    # --- how far a pass came ---

    def _reached(self, tag: str) -> float | None:
        line = self.bench.ledger.store.get(keys.progress(tag))
        if line is None:
            return None
        try:
            values: Any = json.loads(line)
            reached = values["reached"] if values["schema"] == SCHEMA else None
        except (ValueError, KeyError, TypeError):
            return None  # from the beginning of its hours: nothing is lost by that
        return float(reached) if isinstance(reached, (int, float)) else None

    def _note(self, tag: str, reached: Any) -> None:
        values = {
            "schema": SCHEMA,
            "reached": reached.timestamp() if reached is not None else None,
            "at": self.bench.now(),
        }
        self.bench.ledger.store.put(keys.progress(tag), json.dumps(values).encode("ascii"))

    def _log(self, summary: Summary, started: float) -> None:
        well = summary.status in ("done", "to be continued")
        write = self.bench.log.info if well else self.bench.log.error
        fields = {name: value for name, value in asdict(summary).items() if value != ""}
        took = round((time.perf_counter() - started) * 1000, 1)
        write("reconcile", **fields, duration_ms=took)


def _folder(key: str) -> str:
    return key.rpartition("/")[0] + "/"


def _batches(records: Iterator[JobRecord]) -> Iterator[list[JobRecord]]:
    while batch := list(islice(records, BATCH)):
        yield batch
