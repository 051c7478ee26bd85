"""query/cache.py: what a query has loaded once is not read again, and shows the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_callback.query import cache as cache_module
from ci_callback.query.cache import cache_folder
from ci_callback.query.database import records_database
from ci_callback.query.small_files import SmallFiles
from handler.ledger.folder import FolderStore
from tests.records import keep, record


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """A ledger of six records, of which so few are cached as they are here."""
    monkeypatch.setattr(cache_module, "MIN_RECORDS", 2)
    made = FolderStore(tmp_path / "ledger's [1]")
    more = {"result": {"a": [1, {"b": None}]}, "input": {"object": "in/a.mp4"}}
    keep(made, *(record(f"j{number}", f"2026-09-0{number + 1}", **more) for number in range(5)))
    keep(made, record("w1", kind="workflow"))
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the records that were read one by one."""
    asked: list[str] = []
    original = SmallFiles.read

    def read_noted(files: SmallFiles, key: str) -> bytes | None:
        asked.append(key)
        return original(files, key)

    monkeypatch.setattr(SmallFiles, "read", read_noted)
    return asked


def rows(tmp_path: Path, cached: bool = True) -> list[tuple[object, ...]]:
    """All there is in the tables."""
    folder = tmp_path / "ledger's [1]"
    copies = cache_folder(tmp_path / "copies", folder) if cached else None
    with records_database(folder, cache=copies) as database:
        return [
            row
            for kind in ("jobs", "workflows")
            for row in database.execute(f"SELECT * FROM {kind} ORDER BY job_id").fetchall()
        ]


def files(tmp_path: Path) -> list[Path]:
    """What the cache consists of."""
    return sorted((tmp_path / "copies").rglob("*.parquet"))


def test_the_next_query_reads_no_record_and_shows_the_same(
    store: FolderStore, tmp_path: Path, read: list[str]
) -> None:
    """Each column of each type. What is too little to be cached is read again."""
    expected = rows(tmp_path, cached=False)
    assert len(expected) == 6
    assert rows(tmp_path) == expected
    read.clear()
    assert rows(tmp_path) == expected
    assert read == ["workflows/dt=2026-09-20/w1.json"]


def test_a_new_record_is_read_and_one_that_is_gone_is_not_shown(
    store: FolderStore, tmp_path: Path, read: list[str]
) -> None:
    """The listing says which ones count."""
    rows(tmp_path)
    (new,) = keep(store, record("j7", "2026-09-08"))
    store.delete("jobs/dt=2026-09-01/j0.json")
    read.clear()
    assert rows(tmp_path) == rows(tmp_path, cached=False)
    assert new in read
    assert "jobs/dt=2026-09-02/j1.json" not in read[: read.index(new)]


def test_a_cache_that_can_not_be_read_is_made_again(
    store: FolderStore, tmp_path: Path, read: list[str]
) -> None:
    """Nothing is lost with it."""
    expected = rows(tmp_path)
    (path,) = files(tmp_path)
    path.write_bytes(b"PAR1 and nothing more")
    assert rows(tmp_path) == expected
    (again,) = files(tmp_path)
    assert again != path


def test_what_two_queries_added_at_once_is_counted_once(store: FolderStore, tmp_path: Path) -> None:
    """A key that is there twice throws the cache away."""
    expected = rows(tmp_path)
    (path,) = files(tmp_path)
    path.with_name("jobs-copy.parquet").write_bytes(path.read_bytes())
    assert rows(tmp_path) == expected
    assert len(files(tmp_path)) == 1


def test_many_files_are_folded_into_one(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> None:
    """Each query may add one."""
    monkeypatch.setattr(cache_module, "MAX_FILES", 2)
    for number in range(20, 26, 2):
        rows(tmp_path)
        keep(store, record(f"k{number}"), record(f"k{number + 1}"))
    assert rows(tmp_path) == rows(tmp_path, cached=False)
    assert len(files(tmp_path)) <= 2
    assert len(rows(tmp_path)) == 12


def test_a_folder_that_can_not_be_written_to_caches_nothing(
    store: FolderStore, tmp_path: Path
) -> None:
    """The query works all the same."""
    (tmp_path / "copies").write_text("a file in its place")
    assert len(rows(tmp_path)) == 6


def test_few_records_are_not_cached(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small ledger leaves no folder behind."""
    monkeypatch.setattr(cache_module, "MIN_RECORDS", 2_000)
    rows(tmp_path)
    assert not (tmp_path / "copies").exists()
