"""filler.py: the index holds what the ledger holds, whoever wrote it, and reads it once."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from ci_callback.record_index import database
from ci_callback.record_index.database import IndexFileError
from ci_callback.record_index.filler import Pace, RecordIndex, one_by_one
from ci_callback.record_index.search import Lookup, Search
from ci_callback.report.tally import day_of
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.store import Store
from tests.records import keep, record
from tests.stores import MemoryStore

PATIENCE_S = 60.0


class Counting(MemoryStore):
    """Counts what is read, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.read: Counter[str] = Counter()
        self.is_away = False

    def get(self, key: str) -> bytes | None:
        if self.is_away:
            raise StoreError("get", key, "no answer")
        self.read[key] += 1
        return super().get(key)


def index_of(store: Store, path: Path | None = None, every_s: float = -1) -> RecordIndex:
    """An index that lists everything each time."""
    return RecordIndex(lambda: store, path, Pace(every_s, every_s, PATIENCE_S, one_by_one))


def counts(index: RecordIndex, search: Search = Search()) -> dict[str, int]:  # noqa: B008  (frozen)
    index.refresh()
    with index.file.open() as connection:
        return Lookup(connection).counts(search)


@pytest.fixture
def store() -> Counting:
    return Counting()


def test_each_record_is_read_once(store: Counting, tmp_path: Path) -> None:
    """Again after a restart neither, since the file stays."""
    written = keep(
        store, *(record(f"j{number}", f"2026-09-{number:02d}") for number in range(1, 9))
    )
    path = tmp_path / "below" / "index.sqlite3"
    assert counts(index_of(store, path)) == {"succeeded": 8}
    assert counts(index_of(store, path)) == {"succeeded": 8}
    assert {store.read[key] for key in written} == {1}
    assert path.stat().st_mode & 0o077 == 0


def test_what_others_write_and_delete_is_followed(store: Counting) -> None:
    """On any day, and a day that vanishes as a whole."""
    index = index_of(store)
    first, _ = keep(store, record("j1"), record("j2", "2026-09-21"))
    assert counts(index) == {"succeeded": 2}
    keep(store, record("j3", outcome="failed"))
    store.delete(first)
    assert counts(index) == {"succeeded": 1, "failed": 1}
    version = index.version
    store.delete("jobs/dt=2026-09-21/j2.json")
    assert counts(index) == {"failed": 1}
    assert index.version > version
    version = index.version
    assert counts(index) == {"failed": 1}
    assert index.version == version


def test_a_callback_of_a_running_job_replaces_the_one_before(store: Counting) -> None:
    """Its object is written again."""
    running = record("j1", state="Running", outcome="unfinished", ended_at=None, run_s=None)
    keep(store, running._replace(message="at 10 %"))
    index = index_of(store)
    assert counts(index, Search(words=("at 10 %",))) == {"unfinished": 1}
    keep(store, running._replace(message="at 90 %"))
    assert counts(index, Search(words=("at 10 %",))) == {}
    assert counts(index, Search(words=("at 90 %",))) == {"unfinished": 1}


def test_of_two_records_of_a_job_one_counts(store: Counting) -> None:
    """The one under its day, whichever was read first."""
    keep(store, record("j1", created_at=None, started_at=None, ended_at=None))
    index = index_of(store)
    assert counts(index) == {"succeeded": 1}
    keep(store, record("j1"))
    assert counts(index) == {"succeeded": 1}


def test_what_this_server_wrote_is_there_at_once(store: Counting) -> None:
    """Without a listing: by the key that it wrote, and nothing else."""
    index = index_of(store, every_s=3600)
    assert counts(index) == {}
    keys = keep(store, record("j1"))
    index.note([*keys, "_outbox/x.json", "jobs/dt=2026-09-20/gone.json"])
    assert counts(index) == {"succeeded": 1}


def test_a_proof_that_comes_later_is_followed(store: Counting) -> None:
    """The row of the job gets its root and attempt."""
    claim = {"JobId": "j2", "Operation": {"UserData": "/ci-retry:j1:2:00c0ffee00c0ffee"}}
    keep(store, record("j1", outcome="failed", state="Failed"), record("j2", details=claim))
    index = index_of(store)
    index.refresh()
    attempts = Attempts(store)
    attempts.put(Lineage("j1", 2), Attempt("submitted", 1.0, "w", job_id="j2"))
    attempts.note_lineage("j2", Lineage("j1", 2))
    store.put("_attempts/j1/odd.json", b"{}")
    store.put("_attempts/j1/03.json", b"{}")
    index.refresh()
    with index.file.open() as connection:
        assert Lookup(connection).end_of("j1", 2) == ("succeeded", "j2")
        kept = connection.execute("SELECT root, number, state, job_id FROM attempts").fetchall()
    assert kept == [("j1", 2, "submitted", "j2")]


def test_what_is_no_record_is_counted(store: Counting) -> None:
    """As that."""
    store.put("jobs/dt=2026-09-20/odd.json", b"{}")
    store.put("jobs/dt=2026-09-20/deeper/x.json", b"{}")
    assert counts(index_of(store)) == {"unreadable": 1}


def test_a_record_that_no_row_can_hold_stops_no_other(
    store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted as unreadable."""
    keep(store, record("j1"), record("jodd"), record("j2"))

    def odd(of: JobRecord) -> str:
        return day_of(of) if of.job_id != "jodd" else "x" * int("none")

    monkeypatch.setattr("ci_callback.record_index.rows.day_of", odd)
    assert counts(index_of(store)) == {"succeeded": 2, "unreadable": 1}


def test_a_ledger_that_is_away_is_said_until_it_is_back(store: Counting) -> None:
    """Each look tries again."""
    keep(store, record("j1"))
    store.is_away = True
    index = index_of(store, every_s=3600)
    for _ in range(2):
        with pytest.raises(StoreError):
            index.refresh()
    store.is_away = False
    assert counts(index) == {"succeeded": 1}


@pytest.mark.parametrize("harm", [b"no database at all" * 100, b""])
def test_a_broken_file_is_made_anew(store: Counting, tmp_path: Path, harm: bytes) -> None:
    """And so is one of another version."""
    keep(store, record("j1"))
    path = tmp_path / "index.sqlite3"
    path.write_bytes(harm)
    assert counts(index_of(store, path)) == {"succeeded": 1}
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert counts(index_of(store, path)) == {"succeeded": 1}


@pytest.mark.parametrize("is_open", [True, False])
def test_an_index_that_another_console_writes_to_is_left_alone(
    is_open: bool, store: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it is opened nor when it is filled: what it holds is read again by nobody."""
    monkeypatch.setattr(database, "WAIT_S", 0.01)
    path = tmp_path / "index.sqlite3"
    (key,) = keep(store, record("j1"))
    index = index_of(store, path)
    index.refresh()
    keep(store, record("j2"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        index = index if is_open else index_of(store, path)
        assert counts(index) == {"succeeded": 1}
        other.execute("ROLLBACK")
    assert counts(index) == {"succeeded": 2}
    assert store.read[key] == 1


def test_a_broken_file_that_is_found_late_is_made_anew(store: Counting, tmp_path: Path) -> None:
    """While the console runs."""
    keep(store, record("j1"))
    path = tmp_path / "index.sqlite3"
    index = index_of(store, path)
    index.refresh()
    for name in ("index.sqlite3-wal", "index.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    path.write_bytes(b"no database at all" * 1000)
    index.refresh()
    assert counts(index) == {"succeeded": 1}


def test_a_place_where_no_index_can_be_is_an_error(store: Counting, tmp_path: Path) -> None:
    """A file in the place of its folder; and a folder in its own place."""
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "index.sqlite3", tmp_path):
        with pytest.raises(IndexFileError, match="the console's index"):
            index_of(store, path)


def test_progress_is_told_until_all_is_read(store: Counting) -> None:
    """So that a count is not taken for the whole."""
    keep(store, *(record(f"j{number}", f"2026-09-{number:02d}") for number in range(1, 4)))
    index = index_of(store)
    assert not index.progress.is_whole
    index.refresh()
    assert index.progress.is_whole
    assert index.progress.records == 3
    index.close()
    index.refresh()


def test_any_text_and_number_of_a_record_can_be_kept(store: Counting) -> None:
    """Though the ledger's objects may hold what the function would not write."""
    odd = (
        record("j\ud800", message="\ud800", user_data="u" * 10_000),
        record("j2", retry={"root_job_id": "r", "attempt": 10**30}),
        record("j3", run_s=1e300, wait_s=-1, details={"JobId": "j3"}),
    )
    for number, one in enumerate(odd):
        store.put(f"jobs/dt=2026-09-20/{number}.json", json.dumps(one.values()).encode())
    assert counts(index_of(store)) == {"succeeded": 3}
