"""Fills the index from the ledger, in one thread beside the pages: the newest day first, each
object once.

What this server wrote is noted at once. What others wrote is found by listing: the last days every
few seconds while somebody looks, all days now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from ci_callback.record_index import proofs
from ci_callback.record_index.database import IndexFile, IndexFileError
from ci_callback.record_index.listing import days, is_record, listed_days
from ci_callback.record_index.writing import Writer
from handler.errors import StoreError
from handler.ledger.store import Store
from handler.parallel import Item, Parallel, Result

RECENT_DAYS = 2
TELL_S = 1.0
"""Between two changes that are told to pages while it is filled."""


@dataclass(frozen=True)
class Pace:
    """recent_s, all_s: seconds between two listings of the last days, and of all. patience_s: how
    long a page waits for what is being read. parallel: how objects are read."""

    recent_s: float
    all_s: float
    patience_s: float
    parallel: Parallel


@dataclass(frozen=True)
class Progress:
    """How far the first filling is. records: how many are in the index. days: how many days of how
    many were read; equal once it is through."""

    records: int
    days_read: int
    days: int

    @property
    def is_whole(self) -> bool:
        """Whether each record that was there is in the index."""
        return self.days_read >= self.days


def one_by_one(
    do: Callable[[Item], Result], items: Sequence[Item], width: int | None = None
) -> list[Result]:
    """In place of in_parallel: of a disk, threads read no faster, and take turns from pages."""
    return [do(item) for item in items]


class RecordIndex:
    """The index of one ledger. Threads may share it."""

    def __init__(
        self,
        store: Callable[[], Store],
        path: Path | None,
        pace: Pace,
        tell: Callable[[], None] = lambda: None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """path: where it is kept; None: as long as it is used. tell: called when it has changed.
        prepare: called before it is said to be whole or up to date."""
        self._store = store
        self._pace = pace
        self._tell = tell
        self._prepare = prepare
        self.file = IndexFile(path)
        self.version = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failure: StoreError | IndexFileError | None = None
        self._is_closing = False
        self._listed_at = {"recent": float("-inf"), "all": float("-inf")}
        self._days = (0, 1)

    def look(self) -> threading.Thread | None:
        """Begin to look for what is new, unless that was done just now; the thread that does."""
        with self._lock:
            if self._thread is None and (which := self._due()) and not self._is_closing:
                self._thread = threading.Thread(target=self._run, args=(which,), daemon=True)
                self._thread.start()
            return self._thread

    def refresh(self) -> None:
        """Look for what is new, and wait a little for it.

        Raises:
            StoreError: the ledger can't be listed or read.
            IndexFileError
        """
        thread = self.look()
        if thread is not None:
            thread.join(self._pace.patience_s)
        if self._failure is not None:
            raise self._failure

    def begin_again(self) -> None:
        """Throw a broken file away, and read the ledger anew."""
        self.file.clear()
        self._listed_at = {"recent": float("-inf"), "all": float("-inf")}
        self._days = (0, 1)

    def note(self, written: Iterable[str]) -> None:
        """Take in what was written just now, by its keys. May raise StoreError, IndexFileError."""
        keys = list(dict.fromkeys(written))
        records = [key for key in keys if is_record(key)]
        with self.file.open() as connection:
            writer = Writer(connection, self._store(), self._pace.parallel)
            changed = bool(records) and writer.read(dict.fromkeys(records, ""))
            changed |= proofs.note(connection, self._store(), keys)
            if changed:
                writer.hide_twins()
                self.version += 1

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self.file.open() as connection:
            (count,) = connection.execute("SELECT count(*) FROM records").fetchone()
        return Progress(count, *self._days)

    def close(self) -> None:
        """Stop reading."""
        self._is_closing = True
        thread = self._thread
        if thread is not None:
            thread.join()

    def _due(self) -> str:
        now = time.monotonic()
        if now - self._listed_at["all"] > self._pace.all_s:
            return "all"
        return "recent" if now - self._listed_at["recent"] > self._pace.recent_s else ""

    def _run(self, which: str) -> None:
        try:
            self._try(which)
        finally:
            self._thread = None  # whatever happens, the next look tries again

    def _try(self, which: str) -> None:
        try:
            self._fill(None if which == "all" else _today() - timedelta(RECENT_DAYS))
            self._failure = None
        except StoreError as error:
            self._failure = error
            return
        except IndexFileError as error:
            if error.is_broken:
                self.begin_again()
            elif not error.is_busy:
                self._failure = error
            return
        now = time.monotonic()
        self._listed_at["recent"] = self._listed_at[which] = now

    def _fill(self, since: date | None) -> None:
        store = self._store()
        wanted = days(store, since)
        is_first = since is None and not self._is_whole()
        if is_first:
            self._days = (0, len(wanted) + 1)
        told = time.monotonic()
        with self.file.open() as connection:
            writer = Writer(connection, store, self._pace.parallel)
            changed = proofs.take(connection, store)
            for number, day in enumerate(listed_days(store, wanted), 1):
                for more in writer.day(day):
                    changed |= more
                    if changed and time.monotonic() - told > TELL_S:
                        told, changed = time.monotonic(), False
                        self._changed()
                    if self._is_closing:
                        return
                if is_first:
                    self._days = (number, len(wanted) + 1)
            if since is None:
                changed |= writer.drop_days(wanted)
            changed |= writer.hide_twins()
        self._through(changed or is_first, since is None)

    def _through(self, is_changed: bool, is_all: bool) -> None:
        """Say that what was listed is in the index."""
        if is_changed:
            self._prepare()
        if is_all:
            self._days = (1, 1)
        if is_changed:
            self._changed()

    def _is_whole(self) -> bool:
        return self._days[0] >= self._days[1]

    def _changed(self) -> None:
        self.version += 1
        self._tell()


def _today() -> date:
    return datetime.now(timezone.utc).date()
