"""compacted_search.py: a filter asks the day's one file which records are worth to be read."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from ci_callback.compacted_day import part_key
from ci_callback.compacted_search import WORTH, can_match
from ci_callback.compaction import compact
from ci_callback.ledger_reader import ALL_DAYS
from ci_callback.newest import OfDay, Search, newest
from ci_callback.record_filter import RecordFilter
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.folder import FolderStore
from tests.records import DAY, keep, record

COUNT = 2 * WORTH
FAILED = [f"j{number:04d}" for number in range(0, COUNT, 50)]
WANTED = RecordFilter(outcome="failed")


class Counting(FolderStore):
    """Counts what is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read: Counter[str] = Counter()

    def get(self, key: str) -> bytes | None:
        self.read[key.split("/")[0]] += 1
        return super().get(key)


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    """A day of which each fiftieth record failed."""
    store = Counting(tmp_path)
    ids = (f"j{number:04d}" for number in range(COUNT))
    keep(store, *(failed(job) if job in FAILED else record(job) for job in ids))
    return store


def failed(job_id: str) -> JobRecord:
    """A record of that kind."""
    return record(job_id, outcome="failed", state="Failed")


def found(store: Counting, wanted: RecordFilter = WANTED) -> list[str]:
    """The jobs that match, of all that is there."""
    store.read.clear()
    search = Search(
        lambda stored: stored.record is not None and wanted.matches(stored.record),
        lambda of_day: can_match(store, of_day, wanted),
    )
    stored = newest(store, ALL_DAYS, ("jobs", "workflows"), 10, search)
    return sorted(one.record.job_id for one in stored if one.record)


def test_of_a_compacted_day_only_what_can_match_is_read(store: Counting) -> None:
    """Beside the first ten, which might all match."""
    assert found(store) == FAILED
    assert store.read == {"jobs": COUNT, "compacted": 1}
    compact(store, DAY)
    assert found(store) == FAILED
    assert store.read["compacted"] == 2
    assert store.read["jobs"] <= 10 + len(FAILED)
    assert found(store, RecordFilter(tag="Translation")) == []
    assert store.read["jobs"] == 10
    assert found(store, RecordFilter(tag="Transcode", state="Failed")) == FAILED


def test_without_a_filter_no_part_is_asked_for(store: Counting) -> None:
    """Nor where the time alone decides."""
    compact(store, DAY)
    assert len(found(store, RecordFilter())) == 10
    assert store.read == {"jobs": 10}


def test_a_record_that_came_after_the_day_was_compacted_is_found(store: Counting) -> None:
    """Of another kind as well."""
    compact(store, DAY)
    keep(store, failed("late"), record("run", kind="workflow", tag=None, outcome="failed"))
    assert found(store) == sorted([*FAILED, "late", "run"])


def test_a_record_that_was_changed_since_is_found(store: Counting, tmp_path: Path) -> None:
    """By the time at which it was written."""
    compact(store, DAY)
    (key,) = keep(store, failed("j0001"))
    os.utime(tmp_path / key, (4_000_000_000, 4_000_000_000))
    assert found(store) == sorted([*FAILED, "j0001"])


@pytest.mark.parametrize("part", [None, b"", b"PAR1 spoilt PAR1"])
def test_a_part_that_is_not_the_one_meant_is_passed_over(
    store: Counting, tmp_path: Path, part: bytes | None
) -> None:
    """All records are read."""
    compact(store, DAY)
    path = tmp_path / part_key(DAY)
    path.unlink() if part is None else path.write_bytes(part)
    assert found(store) == FAILED


def test_a_part_that_duckdb_can_not_read_is_passed_over(store: Counting, tmp_path: Path) -> None:
    """Of the right size, and with the right end."""
    compact(store, DAY)
    path = tmp_path / part_key(DAY)
    whole = path.read_bytes()
    path.write_bytes(b"x" * 200 + whole[200:])
    assert found(store) == FAILED


def test_without_duckdb_all_records_are_read(
    store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra of the command line."""
    compact(store, DAY)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert found(store) == FAILED
    assert store.read["jobs"] == COUNT


def test_few_records_are_read_at_once(store: Counting) -> None:
    """Without a look at the part."""
    few = OfDay(DAY, [f"{keys.JOBS}dt={DAY}/j{number:04d}.json" for number in range(WORTH - 1)])
    store.read.clear()
    assert can_match(store, few, WANTED) == few.keys
    assert store.read == {}
