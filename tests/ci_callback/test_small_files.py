"""query/small_files.py: the records of many files come into a table, each under its own key."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ci_callback.bar import Bar
from ci_callback.ledger_reader import ALL_DAYS, DayRange
from ci_callback.query import small_files
from ci_callback.query.columns import DUCKDB, columns
from ci_callback.query.small_files import SmallFiles, listed
from handler.errors import StoreError
from handler.ledger.folder import FolderStore
from tests.records import DAY, keep, record


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """With the table that is filled."""
    fields = ", ".join(f'"{name}" {kind}' for name, kind in columns(DUCKDB).items())
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE found ({fields}, dt DATE, key VARCHAR)")
        yield connection


def fill(
    database: duckdb.DuckDBPyConnection, folder: Path, bar: Bar | None = None
) -> tuple[dict[str, str], list[str]]:
    """Job by key, and the keys of files that hold no record."""
    keys = listed(folder, "jobs", ALL_DAYS, frozenset())
    files = SmallFiles(database, folder, folder.parent / "lines")
    unreadable = files.fill("found", keys, bar or Bar())
    rows = database.execute("SELECT key, job_id FROM found").fetchall()
    assert len(dict(rows)) == len(rows)
    return dict(rows), sorted(unreadable)


ODD: dict[str, bytes] = {
    "empty": b"",
    "line": b"\n",
    "cut": record("cut").to_json()[:-20] + b"\n",
    "two": record("two").to_json() * 2,
    "beside": record("x").to_json().rstrip(b"\n") + record("y").to_json(),
    "other": b'{"schema":"other/1"}\n',
    "list": b"[1]\n",
    "bytes": record("bytes").to_json().replace(b"Transcode", b"\xff"),
}
"""What is no record, and would shift the others by a line if it were counted wrongly."""


def test_each_record_stands_under_its_own_key_whatever_lies_between(
    database: duckdb.DuckDBPyConnection, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever batches they are read."""
    monkeypatch.setattr(small_files, "BATCH_RECORDS", 100)
    names = [f"j{number:03}" for number in range(500)]
    store = FolderStore(ledger)
    keep(store, *(record(name) for name in names))
    for number, data in enumerate(ODD.values()):
        store.put(f"jobs/dt={DAY}/j{number * 61:03}x.json", data)
    pretty = json.dumps(json.loads(record("pretty").to_json()), indent=1)
    store.put(f"jobs/dt={DAY}/j250y.json", pretty.encode())
    found, unreadable = fill(database, ledger)
    assert found.pop(f"jobs/dt={DAY}/j250y.json") == "pretty"
    assert found == {f"jobs/dt={DAY}/{name}.json": name for name in names}
    assert unreadable == [f"jobs/dt={DAY}/j{number * 61:03}x.json" for number in range(len(ODD))]


def test_many_records_of_all_sizes_keep_their_order(
    database: duckdb.DuckDBPyConnection, ledger: Path
) -> None:
    """DuckDB reads them in several threads."""
    chance = random.Random(1)
    folder = ledger / f"jobs/dt={DAY}"
    folder.mkdir(parents=True)
    for number in range(5_000):
        details = {"Text": "x" * chance.randrange(4_000)}
        line = record(f"j{number:05}", details=details).to_json()
        (folder / f"j{number:05}.json").write_bytes(line)
    found, unreadable = fill(database, ledger)
    assert found == {f"jobs/dt={DAY}/j{n:05}.json": f"j{n:05}" for n in range(5_000)}
    assert unreadable == []


def test_a_folder_that_is_no_day_is_named(
    database: duckdb.DuckDBPyConnection, ledger: Path
) -> None:
    """Its files are in no table."""
    store = FolderStore(ledger)
    keep(store, record("a"))
    for day in ("yesterday", "2026-13-01", "20260920"):
        store.put(f"jobs/dt={day}/b.json", record("b").to_json())
    found, unreadable = fill(database, ledger)
    assert list(found.values()) == ["a"]
    assert len(unreadable) == 3


def test_the_bar_counts_files(database: duckdb.DuckDBPyConnection, ledger: Path) -> None:
    """Expected and read, those that hold no record included."""
    seen: list[tuple[int, int]] = []
    store = FolderStore(ledger)
    keep(store, record("a"), record("b"))
    store.put(f"jobs/dt={DAY}/c.json", b"")
    fill(database, ledger, Bar(lambda expected, done: seen.append((expected, done))))
    assert seen == [(3, 0), (3, 3)]


def test_a_file_that_is_gone_holds_no_record(
    database: duckdb.DuckDBPyConnection, ledger: Path
) -> None:
    """It was deleted since the listing."""
    files = SmallFiles(database, ledger, ledger.parent / "lines")
    assert files.fill("found", [f"jobs/dt={DAY}/gone.json"], Bar()) == [f"jobs/dt={DAY}/gone.json"]


def test_a_file_that_can_not_be_read_is_reported(
    database: duckdb.DuckDBPyConnection, ledger: Path
) -> None:
    """As everywhere, by a StoreError."""
    link = ledger / f"jobs/dt={DAY}/a.json"
    link.parent.mkdir(parents=True)
    link.symlink_to(link)
    files = SmallFiles(database, ledger, ledger.parent / "lines")
    with pytest.raises(StoreError):
        files.fill("found", [f"jobs/dt={DAY}/a.json"], Bar())


def test_a_folder_in_the_place_of_a_record_is_left_out(
    database: duckdb.DuckDBPyConnection, ledger: Path
) -> None:
    """As a store's listing leaves it out: it is neither a record nor unreadable."""
    keep(FolderStore(ledger), record("b"))
    (ledger / f"jobs/dt={DAY}/a.json").mkdir()
    assert fill(database, ledger) == ({f"jobs/dt={DAY}/b.json": "b"}, [])


def test_the_listing_has_what_can_be_a_record(ledger: Path) -> None:
    """Of the days that are asked for."""
    store = FolderStore(ledger)
    keep(store, record("b"), record("a"), record("c", day="2026-09-21"))
    keep(store, record("d", day="2026-09-22"))
    for name in (".tmp-x.json", "notes.txt", "old/x.json"):
        path = ledger / f"jobs/dt={DAY}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    days = DayRange(until=None)
    assert listed(ledger, "jobs", days, frozenset({"2026-09-22"})) == [
        f"jobs/dt={DAY}/a.json",
        f"jobs/dt={DAY}/b.json",
        "jobs/dt=2026-09-21/c.json",
    ]
    assert listed(ledger, "reviews", days, frozenset()) == []
