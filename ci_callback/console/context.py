"""The context of every page and button of the console."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Protocol

from flask import current_app

from ci_callback.console.follow import retried
from ci_callback.console.record_cache import RecordCache
from ci_callback.console.timeline import TimelineBuilder
from ci_callback.devserver.history import History
from ci_callback.devserver.local_function import LocalFunction
from ci_callback.named_ledgers import known_as
from ci_callback.record_index.database import last_row
from ci_callback.record_index.filler import Pace, RecordIndex, one_by_one
from ci_callback.record_index.search import Lookup
from ci_callback.record_index.totals import DayTotals, Totals, due_of
from ci_callback.report.figures import Figures
from ci_callback.report.retries import Fate
from ci_callback.writing import shown_ledger
from handler.parallel import in_parallel
from handler.settings import Settings

USUAL_DAYS = 30
MAX_ANSWERS = 200
"""Counts and figures that are kept until a record comes."""

EXTENSION = "console"
"""Under which an application has its console."""


class Plans(Protocol):
    """The simulator of CI: it takes a plan of how the retries of a job end."""

    def plan_retries(self, root_job_id: str, failures: int, form: str) -> None: ...


@dataclass(frozen=True)
class Keeping:
    """Where the index is kept (None: as long as the server runs), how many seconds a page waits for
    what is being read, and how often the ledger is listed (None: as suits it)."""

    folder: Path | None = None
    patience_s: float = 0.15
    every_s: float | None = None


class LedgerIndex:
    """The index of the function's ledger. What the function itself wrote is in it at once."""

    def __init__(self, function: LocalFunction, keeping: Keeping) -> None:
        self._function = function
        self._noted = 0
        self._totals: dict[str, DayTotals] = {}
        self._answers: dict[object, Any] = {}
        self._version = (-1, -1)
        settings = function.settings
        path = keeping.folder / "console" / _name(settings) if keeping.folder else None
        pace = _pace(settings, keeping)
        tell = function.history.tell
        self.index = RecordIndex(lambda: function.store, path, pace, tell, self._warm)

    def _warm(self) -> None:
        """Read the totals of the usual charts before somebody waits for them."""
        today = datetime.now(timezone.utc).date()
        with self.index.file.open() as connection:
            Totals(connection, today - timedelta(USUAL_DAYS), today, self._totals).warm()

    def figures(self, lookup: Lookup, since: date, until: date, tickets: Sequence[str]) -> Figures:
        """The figures of some days, read once for each state of ledger and outbox."""
        due = due_of(lookup.connection, retried(tickets))
        answers = self._memo(lookup.connection)
        question = ("figures", since, until, tuple(sorted(due.items())))
        if question not in answers:
            totals = Totals(lookup.connection, since, until, self._totals)
            answers[question] = totals.figures(due)
        figures: Figures = answers[question]
        return figures

    def fates(
        self, lookup: Lookup, since: date, until: date, tickets: Sequence[str]
    ) -> dict[str, Fate]:
        """What became of the families of those days, by their roots."""
        due = due_of(lookup.connection, retried(tickets))
        return Totals(lookup.connection, since, until, self._totals).fates(due)

    @contextlib.contextmanager
    def open(self) -> Iterator[Lookup]:
        """Questions to it, as of now. May raise StoreError, IndexFileError."""
        history = self._function.history
        before, self._noted = self._noted, history.version
        made = [*reversed(history.deliveries()), *reversed(history.tasks())]
        writes = [write for one in made if one.number > before for write in one.writes]
        if writes:
            self.index.note(write.key for write in writes if write.operation == "put")
        self.index.refresh()
        with self.index.file.open() as connection:
            yield Lookup(connection, self._memo(connection))

    def _memo(self, connection: sqlite3.Connection) -> dict[object, Any]:
        """Answers about the present state of the index, to which another console may write too."""
        version = (self.index.version, last_row(connection))
        if version != self._version or len(self._answers) > MAX_ANSWERS:
            self._answers, self._version = {}, version
        return self._answers


def _name(settings: Settings) -> str:
    url = settings.ledger_url
    where = f"cos://{url.bucket}/{url.prefix}" if url.scheme == "cos" else str(url.folder.resolve())
    return f"{hashlib.sha256(where.encode()).hexdigest()[:16]}.sqlite3"


def _pace(settings: Settings, keeping: Keeping) -> Pace:
    """How often to list: of COS, each 1,000 keys cost a request."""
    is_cos = settings.ledger_url.scheme == "cos"
    recent_s, all_s = (30.0, 900.0) if is_cos else (5.0, 60.0)
    if keeping.every_s is not None:
        recent_s = all_s = keeping.every_s
    return Pace(recent_s, all_s, keeping.patience_s, in_parallel if is_cos else one_by_one)


@dataclass(frozen=True)
class ConsoleContext:
    """One console. ci: the simulator of CI, where there is one. Times are in seconds."""

    function: LocalFunction
    records: RecordCache
    index: LedgerIndex
    port: int
    ci: Plans | None
    sweep_every_s: float

    @property
    def history(self) -> History:
        """The invocations of the function."""
        return self.function.history

    @property
    def ledger(self) -> str:
        """The ledger for people: its name, where it has one, and where it is."""
        return str(shown_ledger(self.function.settings.ledger_url).value)

    @property
    def ledger_colour(self) -> str:
        """The colour that the ledger's name has in its file; "" where it has none."""
        known = known_as(self.function.settings.ledger_url)
        return known.colour if known else ""

    @property
    def is_real(self) -> bool:
        """Whether what is written is seen by others: a ledger on COS."""
        return self.function.settings.ledger_url.scheme == "cos"

    def timelines(self) -> TimelineBuilder:
        """A builder of time lines from the present state. May raise StoreError."""
        return TimelineBuilder(self.records, self.history.deliveries(), self.history.tasks())


def console() -> ConsoleContext:
    """The console of the application that answers the current request."""
    context: ConsoleContext = current_app.extensions[EXTENSION]
    return context
