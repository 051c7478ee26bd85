"""From job records to the figures of a report. Pure.

The state that is kept while records pass is small, whatever their size: counts, one float for each
run and wait time (8 bytes), the few slowest and largest jobs, and short texts.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date

from ci_callback.ledger_reader import received_at
from ci_callback.report.figures import Failures, Figures, Job, Spread, TagRuns
from ci_callback.report.retries import Retries
from handler.callback.outcome import OUTCOMES
from handler.callback.record import JobRecord
from handler.ledger import keys

TOP_JOBS = 10
TOP_CODES = 20
TOP_TAGS = 50
MAX_DIGITS = 18
"""Of an amount: a double is exact enough for it, and nothing that CI counts is larger."""

MAX_TEXT_CHARS = 300
"""Longest text from outside that is kept. Keys of objects may have 850 bytes."""

_KNOWN = frozenset(OUTCOMES.values()) | {"partial"}


def spread(values: array[float]) -> Spread | None:
    """Percentiles, interpolated between the two nearest values; None for no values."""
    if not values:
        return None
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return Spread(len(ordered), at(0.05), at(0.25), at(0.5), at(0.75), at(0.95), ordered[-1])


def clean(text: object) -> str:
    """A text from outside: cut, and without what can't be shown or would reorder what is."""
    kept = str(text or "")[:MAX_TEXT_CHARS]
    if kept.isprintable():
        return kept
    return "".join(char if char.isprintable() else "\ufffd" for char in kept)


class _Top:
    """The jobs with the greatest values; of equals the one whose id comes first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, _Backwards, Job]] = []

    def offer(self, value: float, job: Job) -> None:
        entry = (value, _Backwards(job.job_id), job)
        if len(self._heap) < TOP_JOBS:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def jobs(self) -> tuple[Job, ...]:
        return tuple(job for _, _, job in sorted(self._heap, key=lambda e: e[:2], reverse=True))


@dataclass(frozen=True)
class _Backwards:
    text: str

    def __lt__(self, other: _Backwards) -> bool:
        return self.text > other.text


def day_of(record: JobRecord) -> str:
    """The UTC day under which a job is counted: that of its creation, else of its callback."""
    return keys.day(record.created_at or received_at(record))


@dataclass
class Tally:
    """Counts records as they pass."""

    unreadable: int = 0
    _days: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _other: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _tags: Counter[str] = field(default_factory=Counter)
    _runs: defaultdict[str, array[float]] = field(
        default_factory=lambda: defaultdict(lambda: array("d"))
    )
    _waits: array[float] = field(default_factory=lambda: array("d"))
    _codes: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _slowest: _Top = field(default_factory=_Top)
    _largest: _Top = field(default_factory=_Top)
    _sized: int = 0

    def take(self, record: JobRecord) -> None:
        """Count a record."""
        outcome = known_outcome(record)
        if record.kind != "job":
            self._other[record.kind][outcome] += 1
            return
        tag = clean(record.tag)
        self._tags[tag] += 1
        self._days[day_of(record)][outcome] += 1
        if record.outcome == "failed":
            self._codes[clean(record.code)][tag] += 1
        job = job_of(record)
        wait = amount(record.wait_s)
        if wait is not None:
            self._waits.append(wait)
        if job.run_s is not None:
            self._runs[tag].append(job.run_s)
            self._slowest.offer(job.run_s, job)
        if job.bytes:
            self._sized += 1
            self._largest.offer(job.bytes, job)

    def figures(self, since: date, until: date, retries: Retries) -> Figures:
        """The figures of the records so far."""
        outcomes: Counter[str] = sum(self._days.values(), Counter())
        every = array("d")
        for runs in self._runs.values():
            every.extend(runs)
        codes = sorted(self._codes.items(), key=lambda item: (-item[1].total(), item[0]))
        return Figures(
            since=since,
            until=until,
            jobs=outcomes.total(),
            outcomes=dict(outcomes),
            days={day: dict(self._days[day]) for day in sorted(self._days)},
            run_s=spread(every),
            wait_s=spread(self._waits),
            tags=tuple(
                TagRuns(tag, jobs, spread(self._runs[tag]) if tag in self._runs else None)
                for tag, jobs in commonest(self._tags).items()
            ),
            failures=tuple(
                Failures(code, tags.total(), commonest(tags)) for code, tags in codes[:TOP_CODES]
            ),
            retries=retries,
            slowest=self._slowest.jobs(),
            largest=self._largest.jobs(),
            sized=self._sized,
            runs=dict(self._other["workflow"]),
            reviews=dict(self._other["review"]),
            unreadable=self.unreadable,
        )


def commonest(counts: Counter[str]) -> dict[str, int]:
    """The commonest first, equal counts in the order of their names; at most TOP_TAGS."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return dict(ordered[:TOP_TAGS])


def known_outcome(record: JobRecord) -> str:
    """The outcome under which a record is counted."""
    return record.outcome if record.outcome in _KNOWN else "unknown"


def job_of(record: JobRecord) -> Job:
    """A record as an entry of a ranking."""
    job_input = record.job_input
    result = record.result if isinstance(record.result, dict) else {}
    media = _at(_at(result, "media"), "format")
    lists = [value for value in result.values() if isinstance(value, list)]
    sizes = [
        size
        for holder in (result, media, *(row for rows in lists for row in rows))
        if isinstance(holder, dict) and (size := amount(holder.get("size_bytes"))) is not None
    ]
    sent_bytes = amount(job_input.headers.get("Size"))
    return Job(
        job_id=clean(record.job_id),
        tag=clean(record.tag),
        outcome=known_outcome(record),
        created_at=clean(record.created_at),
        object=clean(job_input.object or job_input.url or None),
        run_s=amount(record.run_s),
        input_bytes=None if sent_bytes is None else int(sent_bytes),
        result_bytes=int(sum(sizes)) if sizes else None,
        media_s=amount(_at(media, "duration_s")),
    )


def _at(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def amount(value: object) -> float | None:
    """A number that is 0 or more; None for anything else. Headers have theirs as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 10**MAX_DIGITS else None
