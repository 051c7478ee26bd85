"""The figures of the charts, out of the index: the same as report/gather.py reads of a ledger."""

# ruff: noqa: S608  # the SQL holds names of this code; each value is a parameter

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from ci_callback.record_index.rows import UNREADABLE
from ci_callback.report.figures import Failures, Figures, Job, Spread, TagRuns
from ci_callback.report.retries import Families, Fate, Noted
from ci_callback.report.tally import TOP_CODES, TOP_JOBS, commonest, spread
from handler.ledger import keys

_JOB = "job_id, tag, outcome, created_at, object, run_s, input_bytes, result_bytes, media_s"

_IN_RANGE = "is_hidden = 0 AND kind = ? AND day BETWEEN ? AND ?"


class Amounts(NamedTuple):
    """The run times of a day by tag, and its wait times, in seconds: 16 bytes a job. mark: how many
    rows it has, and the newest of them; another mark says that the day has changed."""

    mark: tuple[int, int]
    runs: dict[str, array[float]]
    waits: array[float]


class Totals:
    """The jobs that were created between two UTC days, both included."""

    def __init__(
        self, connection: sqlite3.Connection, since: date, until: date, memo: dict[str, Amounts]
    ) -> None:
        """memo: the amounts of each day, kept from one page to the next."""
        self._run = connection.execute
        self._memo = memo
        self._since, self._until = since, until
        self._range = ("job", since.isoformat(), until.isoformat())

    def figures(self, due: Mapping[str, int]) -> Figures:
        """All figures. due: as `due_of` gives it."""
        days, tags, outcomes = self._days()
        families = self.families()
        runs, waits = self._amounts()
        every = array("d")
        for values in runs.values():
            every.extend(values)
        ((sized,),) = self._of_jobs("SELECT count(bytes)")
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
            slowest=self._top("run_s"),
            largest=self._top("bytes"),
            sized=sized,
            runs=self._others("workflow"),
            reviews=self._others("review"),
            unreadable=unreadable,
        )

    def warm(self) -> None:
        """Read the amounts of each day, so that the next figures find them."""
        self._amounts()

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

    def _days(self) -> tuple[dict[str, dict[str, int]], Counter[str], Counter[str]]:
        days: defaultdict[str, Counter[str]] = defaultdict(Counter)
        tags: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
        listed = self._of_jobs("SELECT day, tag, outcome, count(*)", "GROUP BY day, tag, outcome")
        for day, tag, outcome, count in listed:
            days[day][outcome] += count
            tags[tag] += count
            outcomes[outcome] += count
        return {day: dict(days[day]) for day in sorted(days)}, tags, outcomes

    def _amounts(self) -> tuple[dict[str, array[float]], array[float]]:
        """The run times by tag, and all wait times, in seconds."""
        runs: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        waits = array("d")
        marks = self._of_jobs("SELECT day, count(*), max(id)", "GROUP BY day").fetchall()
        for day, *mark in marks:
            amounts = self._memo.get(day)
            if amounts is None or amounts.mark != tuple(mark):
                amounts = self._memo[day] = self._amounts_of(day, (mark[0], mark[1]))
            for tag, values in amounts.runs.items():
                runs[tag].extend(values)
            waits.extend(amounts.waits)
        return runs, waits

    def _amounts_of(self, day: str, mark: tuple[int, int]) -> Amounts:
        """Those of a day: each group as one text, since a row for each job would take longer."""
        amounts = Amounts(mark, {}, array("d"))
        sql = (
            "SELECT tag, group_concat(run_s), group_concat(wait_s) FROM records "
            f"WHERE {_IN_RANGE} GROUP BY tag"
        )
        for tag, run_s, wait_s in self._run(sql, ("job", day, day)):
            if run_s:
                amounts.runs[tag] = array("d", map(float, run_s.split(",")))
            if wait_s:
                amounts.waits.extend(map(float, wait_s.split(",")))
        return amounts

    def _failures(self) -> tuple[Failures, ...]:
        codes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        failed = f"AND {_FAILURE} AND outcome = 'failed' GROUP BY code, tag"
        for code, tag, count in self._of_jobs("SELECT code, tag, count(*)", failed):
            codes[code][tag] += count
        ordered = sorted(codes.items(), key=lambda item: (-item[1].total(), item[0]))
        return tuple(
            Failures(code, tags.total(), commonest(tags)) for code, tags in ordered[:TOP_CODES]
        )

    def _top(self, column: str) -> tuple[Job, ...]:
        """The jobs with the greatest values."""
        ranked = f"AND {column} IS NOT NULL ORDER BY {column} DESC LIMIT {TOP_JOBS}"
        ids = [number for (number,) in self._of_jobs("SELECT id", ranked)]
        sql = f"SELECT {column}, {_JOB} FROM records WHERE id IN (SELECT value FROM json_each(?))"
        rows = self._run(sql, (json.dumps(ids),)).fetchall()
        return tuple(Job(*row[1:]) for row in sorted(rows, key=lambda row: (-row[0], row[1])))

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


def _spread(values: array[float] | None) -> Spread | None:
    return spread(values) if values else None
