"""The figures of the charts, out of the index: the same as report/gather.py reads of a ledger."""

# ruff: noqa: S608  # the SQL holds names of this code; each value is a parameter

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from heapq import nlargest
from itertools import chain
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from ci_callback.record_index.rows import UNREADABLE
from ci_callback.report.figures import Failures, Figures, Job, Spread, TagRuns
from ci_callback.report.retries import Families, Fate, Noted
from ci_callback.report.tally import TOP_CODES, TOP_JOBS, commonest, spread
from handler.ledger import keys

_JOB = "job_id, tag, outcome, created_at, object, run_s, input_bytes, result_bytes, media_s"

_IN_RANGE = "is_hidden = 0 AND kind = ? AND day BETWEEN ? AND ?"


Ranked: TypeAlias = "tuple[tuple[float, int], ...]"
"""The greatest values of a day, each with the id of its row."""


class DayTotals(NamedTuple):
    """What the charts need of a day, whichever days they show.

    mark: how many rows it has, and the newest of them; another mark says that the day has changed.
    jobs: by tag and outcome. runs, waits: the run times by tag, and all wait times, in seconds: 16
    bytes a job. slowest, largest: by run time and by size. sized: how many have a size.
    """

    mark: tuple[int, int]
    jobs: Counter[tuple[str, str]]
    runs: dict[str, array[float]]
    waits: array[float]
    slowest: Ranked
    largest: Ranked
    sized: int


class Totals:
    """The jobs that were created between two UTC days, both included."""

    def __init__(
        self, connection: sqlite3.Connection, since: date, until: date, memo: dict[str, DayTotals]
    ) -> None:
        """memo: the totals of each day, kept from one page to the next."""
        self._run = connection.execute
        self._memo = memo
        self._since, self._until = since, until
        self._range = ("job", since.isoformat(), until.isoformat())

    def figures(self, due: Mapping[str, int]) -> Figures:
        """All figures. due: as `due_of` gives it."""
        totals = self._days()
        days, tags, outcomes = _counts(totals)
        families = self.families()
        runs, waits = _amounts(totals.values())
        every = array("d")
        for values in runs.values():
            every.extend(values)
        ((unreadable,),) = self._run(
            "SELECT count(*) FROM records WHERE is_hidden = 0 AND kind = '' AND outcome = ? "
            "AND day BETWEEN ? AND ?",
            (UNREADABLE, *self._range[1:]),
        )
        return Figures(
            since=self._since,
            until=self._until,
            jobs=outcomes.total(),
            outcomes=dict(outcomes),
            days=days,
            run_s=spread(every),
            wait_s=spread(waits),
            tags=tuple(
                TagRuns(tag, jobs, _spread(runs.get(tag))) for tag, jobs in commonest(tags).items()
            ),
            failures=self._failures(),
            retries=families.retries(self._noted(families), due),
            slowest=self._jobs(day.slowest for day in totals.values()),
            largest=self._jobs(day.largest for day in totals.values()),
            sized=sum(day.sized for day in totals.values()),
            runs=self._others("workflow"),
            reviews=self._others("review"),
            unreadable=unreadable,
        )

    def warm(self) -> None:
        """Read the totals of each day, so that the next figures find them."""
        self._days()

    def families(self) -> Families:
        """The failed jobs and their re-submissions."""
        families = Families()
        sql = f"SELECT root, attempt, outcome FROM records WHERE {_IN_RANGE} AND {_FAILURE}"
        for row in self._run(sql, self._range):
            families.note(*row)
        return families

    def fates(self, due: Mapping[str, int]) -> dict[str, Fate]:
        """The fate of each family, by its root."""
        families = self.families()
        return families.fates(self._noted(families), due)

    def _noted(self, families: Families) -> dict[str, Noted]:
        """The newest re-submission of each family whose records do not hold the end."""
        roots = {keys.name(root): root for root in families.open()}
        sql = (
            "SELECT attempts.root, max(attempts.number), attempts.state, ended.outcome "
            "FROM attempts LEFT JOIN records AS ended ON ended.job_id = attempts.job_id "
            "AND ended.is_final AND ended.kind = 'job' AND ended.is_hidden = 0 "
            "WHERE attempts.root IN (SELECT value FROM json_each(?)) GROUP BY attempts.root"
        )
        # Of a row with max(), SQLite takes the other columns from the row of the maximum.
        rows = self._run(sql, (json.dumps(list(roots)),)).fetchall()
        return {roots[root]: Noted(*noted) for root, *noted in rows}

    def _of_jobs(self, select: str, rest: str = "") -> sqlite3.Cursor:
        return self._run(f"{select} FROM records WHERE {_IN_RANGE} {rest}", self._range)

    def _days(self) -> dict[str, DayTotals]:
        """Those of each day that has jobs, in order; read again where the day has changed."""
        marks = self._of_jobs("SELECT day, count(*), max(id)", "GROUP BY day ORDER BY day")
        found = {}
        for day, count, newest in marks.fetchall():
            known = self._memo.get(day)
            if known is None or known.mark != (count, newest):
                known = self._memo[day] = self._day(day, (count, newest))
            found[day] = known
        return found

    def _day(self, day: str, mark: tuple[int, int]) -> DayTotals:
        """Those of one day: each group as one text, since a row for each job would take longer."""
        sized = f"SELECT count(bytes) FROM records WHERE {_IN_RANGE}"
        ((count_sized,),) = self._run(sized, ("job", day, day))
        slowest, largest = self._top(day, "run_s"), self._top(day, "bytes")
        made = DayTotals(mark, Counter(), {}, array("d"), slowest, largest, count_sized)
        sql = (
            "SELECT tag, outcome, count(*), group_concat(run_s), group_concat(wait_s) "
            f"FROM records WHERE {_IN_RANGE} GROUP BY tag, outcome"
        )
        for tag, outcome, count, run_s, wait_s in self._run(sql, ("job", day, day)):
            made.jobs[tag, outcome] = count
            if run_s:
                runs = made.runs.setdefault(tag, array("d"))
                runs.extend(map(float, run_s.split(",")))
            if wait_s:
                made.waits.extend(map(float, wait_s.split(",")))
        return made

    def _top(self, day: str, column: str) -> Ranked:
        """The ids of the day's jobs with the greatest values."""
        sql = (
            f"SELECT {column}, id FROM records WHERE {_IN_RANGE} AND {column} IS NOT NULL "
            f"ORDER BY {column} DESC LIMIT {TOP_JOBS}"
        )
        return tuple(self._run(sql, ("job", day, day)))

    def _failures(self) -> tuple[Failures, ...]:
        codes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        failed = f"AND {_FAILURE} AND outcome = 'failed' GROUP BY code, tag"
        for code, tag, count in self._of_jobs("SELECT code, tag, count(*)", failed):
            codes[code][tag] += count
        ordered = sorted(codes.items(), key=lambda item: (-item[1].total(), item[0]))
        return tuple(
            Failures(code, tags.total(), commonest(tags)) for code, tags in ordered[:TOP_CODES]
        )

    def _jobs(self, ranked: Iterable[Ranked]) -> tuple[Job, ...]:
        """The jobs with the greatest values of all days."""
        top = nlargest(TOP_JOBS, chain.from_iterable(ranked), key=itemgetter(0))
        values = {number: value for value, number in top}
        sql = f"SELECT id, {_JOB} FROM records WHERE id IN (SELECT value FROM json_each(?))"
        rows = self._run(sql, (json.dumps(list(values)),)).fetchall()
        return tuple(
            Job(*row[1:]) for row in sorted(rows, key=lambda row: (-values[row[0]], row[1]))
        )

    def _others(self, kind: str) -> dict[str, int]:
        sql = f"SELECT outcome, count(*) FROM records WHERE {_IN_RANGE} GROUP BY outcome"
        return dict(self._run(sql, (kind, *self._range[1:])).fetchall())


_FAILURE = "(outcome = 'failed' OR attempt > 1)"
"""As the index of them has it: SQLite uses it only where the words are the same."""


def due_of(connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
    """Roots of the families that a retry waits for, and the newest attempt that failed. names: of
    the jobs that the tickets are about, as in keys."""
    sql = (
        "SELECT root, max(attempt) FROM records INDEXED BY by_name WHERE kind = 'job' "
        "AND is_hidden = 0 AND name IN (SELECT value FROM json_each(?)) GROUP BY root"
    )
    return dict(connection.execute(sql, (json.dumps(list(names)),)).fetchall())


def _counts(
    totals: Mapping[str, DayTotals],
) -> tuple[dict[str, dict[str, int]], Counter[str], Counter[str]]:
    """The jobs by day and outcome, by tag, and by outcome."""
    days: dict[str, dict[str, int]] = {}
    tags: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for name, day in totals.items():
        of_day: Counter[str] = Counter()
        for (tag, outcome), count in day.jobs.items():
            of_day[outcome] += count
            tags[tag] += count
        days[name] = dict(of_day)
        outcomes += of_day
    return days, tags, outcomes


def _amounts(totals: Iterable[DayTotals]) -> tuple[dict[str, array[float]], array[float]]:
    """The run times by tag, and all wait times, in seconds."""
    runs: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
    waits = array("d")
    for day in totals:
        for tag, values in day.runs.items():
            runs[tag].extend(values)
        waits.extend(day.waits)
    return runs, waits


def _spread(values: array[float] | None) -> Spread | None:
    return spread(values) if values else None
