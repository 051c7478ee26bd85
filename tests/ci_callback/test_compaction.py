"""compact.py on a folder and on COS: folding a day changes nothing but how it is read."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ci_callback import compaction
from ci_callback.compacted_day import Manifest, load, manifest_key, part_key
from ci_callback.compaction import compact, compact_days, fold, names_of, stale_days
from ci_callback.ledger_reader import DayRange
from ci_callback.pipelined import AHEAD
from ci_callback.query.day_part import schema_digest
from handler.errors import StoreError
from handler.ledger.folder import FolderStore
from handler.ledger.keys import record as record_key
from handler.ledger.store import Store
from tests.fake_cos import FakeCos
from tests.ledger.test_stores import cos_store
from tests.records import DAY, Listing, keep, record

PART = f"compacted/dt={DAY}/part-0.parquet"
MANIFEST = f"compacted/dt={DAY}/_manifest.json"


@pytest.fixture(params=["folder", "cos"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each kind of store, empty."""
    if request.param == "folder":
        yield FolderStore(tmp_path / "ledger")
    else:
        yield cos_store(request.getfixturevalue("cos"))


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    """A folder, where nothing depends on the kind of store."""
    return FolderStore(tmp_path / "ledger")


def rows(store: Store, sql: str = "job_id", day: str = DAY) -> list[Any]:
    """Expressions over the rows of a day's part, as any DuckDB reads it."""
    with tempfile.NamedTemporaryFile() as file, duckdb.connect() as database:
        file.write(store.get(part_key(day)) or b"")
        file.flush()
        found = database.read_parquet(file.name).project(sql).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def ids(store: Store, day: str = DAY) -> list[str]:
    """The jobs of a day's part, in its order."""
    return rows(store, day=day)


def fill(ledger: Path, count: int) -> None:
    """Put that many records into a folder's day, without waiting for the disk."""
    day = ledger / f"jobs/dt={DAY}"
    day.mkdir(parents=True)
    for number in range(count):
        (day / f"{number:04}.json").write_bytes(record(f"{number:04}").to_json())


def test_a_part_holds_the_days_records_in_the_order_of_their_keys(store: Store) -> None:
    """A row each, and no other day's."""
    ones = [record("b", user_data="größe"), record("a"), record("C")]
    keep(store, *ones, record("other", day="2026-09-21"))
    manifest = compact(store, DAY)
    assert manifest is not None
    assert rows(store, "job_id, user_data") == [("a", None), ("b", "größe"), ("C", None)]
    assert manifest.names == {"a.json", "b.json", "~43.json"}


def test_the_records_stay_where_they_are(store: Store) -> None:
    """A compaction is a copy."""
    (key,) = keep(store, record("a"))
    before = store.get(key)
    compact(store, DAY)
    assert store.get(key) == before
    assert list(store.list("")) == [MANIFEST, PART, key]


def test_a_manifest_lists_what_the_part_holds(store: Store) -> None:
    """Its name begins with an underscore, so that Spark and Hive read the part alone."""
    keep(store, record("b"), record("a"))
    manifest = compact(store, DAY)
    assert manifest is not None
    part = store.get(PART) or b""
    assert json.loads(store.get(MANIFEST) or b"") == {
        "schema": "compaction/1",
        "day": DAY,
        "records": 2,
        "written_until": max(time for _, time in compaction.listed(store, DAY)),
        "part": {
            "name": "part-0.parquet",
            "bytes": len(part),
            "digest": manifest.part.digest,
            "columns": manifest.part.columns,
        },
        "names": ["a.json", "b.json"],
        "elsewhere": [],
    }


def test_folding_twice_is_folding_once(store: Store) -> None:
    """The same bytes: nothing in them depends on when or where."""
    keep(store, record("a"), record("b"))
    compact(store, DAY)
    before = {key: store.get(key) for key in store.list("")}
    compact(store, DAY)
    assert {key: store.get(key) for key in store.list("")} == before


def test_a_late_record_makes_its_day_stale_until_it_is_folded_again(store: Store) -> None:
    """And no other day."""
    keep(store, record("a"), record("b", day="2026-09-21"))
    assert stale_days(store) == [DAY, "2026-09-21"]
    for day in (DAY, "2026-09-21"):
        compact(store, day)
    assert stale_days(store) == []
    keep(store, record("late"))
    assert stale_days(store) == [DAY]
    compact(store, DAY)
    assert stale_days(store) == []
    assert ids(store) == ["a", "late"]


def test_a_record_that_a_listing_does_not_show_stays_in_the_part(store: Store) -> None:
    """It is got by its exact key, since a listing may lag."""
    keys = keep(store, record("a"), record("b"))
    compact(store, DAY)
    keep(store, record("late"))
    lagging = Listing(store, hidden={keys[0]})
    assert names_of(lagging, DAY) == {"b.json", "late.json"}
    compact(lagging, DAY)
    assert ids(store) == ["a", "b", "late"]


def test_a_day_is_not_stale_because_a_listing_shows_less(store: Store) -> None:
    """Even if it shows nothing of the day."""
    keys = keep(store, record("a"), record("b"))
    compact(store, DAY)
    assert stale_days(Listing(store, hidden={keys[0]})) == []
    assert stale_days(Listing(store, hidden=set(keys))) == []
    compact(Listing(store, hidden=set(keys)), DAY)
    assert len(ids(store)) == 2


def test_a_record_that_is_listed_and_gone_is_not_in_the_part(store: Store) -> None:
    """The GET decides."""
    keep(store, record("a"))
    manifest = compact(Listing(store, gone={f"jobs/dt={DAY}/b.json"}), DAY)
    assert manifest is not None
    assert manifest.names == {"a.json"}


def test_a_record_that_somebody_deleted_is_gone_from_the_next_part(store: Store) -> None:
    """Whoever must erase a record deletes it and folds its day again; the last one, too."""
    keys = keep(store, record("a"), record("b"))
    compact(store, DAY)
    store.delete(keys[0])
    compact(store, DAY)
    assert ids(store) == ["b"]
    store.delete(keys[1])
    compact(store, DAY)
    assert ids(store) == []


def test_a_day_without_records_is_not_written(store: Store) -> None:
    """There is nothing to fold."""
    assert compact(store, DAY) is None
    assert list(store.list("")) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}\n",
        b"not JSON\n",
        b'{"schema":"other/1"}\n',
        record("a").to_json().rstrip(b"\n"),
        record("a").to_json() * 2,
        record("a").to_json().replace(b",", b",\n", 1),
    ],
    ids=["empty", "object", "text", "other schema", "no line break", "two", "two lines"],
)
def test_what_is_no_record_must_be_looked_at_by_a_person(folder: FolderStore, data: bytes) -> None:
    """Folding the day must raise, and leaves everything as it was."""
    keep(folder, record("b"))
    compact(folder, DAY)
    folder.put(f"jobs/dt={DAY}/odd.json", data)
    before = {key: folder.get(key) for key in folder.list("")}
    with pytest.raises(ValueError, match=r"dt=2026-09-20/odd\.json is no record .*: move it out"):
        compact(folder, DAY)
    assert {key: folder.get(key) for key in folder.list("")} == before


def test_what_can_not_be_a_record_is_not_looked_at(folder: FolderStore) -> None:
    """Other names, and folders within the day's folder."""
    keep(folder, record("a"))
    folder.put(f"jobs/dt={DAY}/notes.txt", b"x")
    folder.put(f"jobs/dt={DAY}/old/b.json", b"x")
    folder.put("jobs/readme.json", b"x")
    manifest = compact(folder, DAY)
    assert manifest is not None
    assert manifest.names == {"a.json"}
    assert stale_days(folder) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schema":"compaction/2"}',
        b'{"schema":"compaction/1"}',
        b"\xff",
        b"[" * 99_999,
    ],
)
def test_a_manifest_that_can_not_be_read_is_none(folder: FolderStore, data: bytes) -> None:
    """The day counts as not compacted, and can be folded anew."""
    keep(folder, record("a"))
    folder.put(MANIFEST, data)
    assert load(folder, DAY) is None
    assert stale_days(folder) == [DAY]
    compact(folder, DAY)
    assert stale_days(folder) == []


@pytest.mark.parametrize(
    "change",
    [
        {"day": "../../elsewhere"},
        {"day": 5},
        {"names": [1]},
        {"names": [[]]},
        {"elsewhere": [None]},
        {"written_until": 5},
        {"part": {"bytes": 1, "digest": 5, "columns": schema_digest()}},
    ],
)
def test_a_manifest_that_holds_what_it_can_not_hold_is_none(
    folder: FolderStore, change: dict[str, object]
) -> None:
    """Everyone who may write into the bucket may put one there: no command ends in a stack."""
    keep(folder, record("a"))
    compact(folder, DAY)
    made = json.loads(folder.get(MANIFEST) or b"")
    folder.put(MANIFEST, json.dumps({**made, **change}).encode())
    assert load(folder, DAY) is None
    assert stale_days(folder) == [DAY]


def test_a_manifest_knows_its_own_part_alone(folder: FolderStore) -> None:
    """Two compactions at one moment may leave the part of one and the manifest of the other."""
    keep(folder, record("a"))
    compact(folder, DAY)
    part = folder.get(PART) or b""
    keep(folder, record("b"))
    manifest = compact(folder, DAY)
    newer = folder.get(PART) or b""
    assert manifest is not None
    assert manifest.fits(len(newer), newer)
    assert manifest.fits(len(newer), newer[-4096:])
    assert not manifest.fits(len(part), part)
    assert not manifest.fits(len(newer), newer[: -len(part)] + part)
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_store_that_fails_in_between_leaves_the_day_not_compacted(folder: FolderStore) -> None:
    """The part is there, the manifest isn't: the part alone says nothing."""

    class Full(Listing):
        def put(self, key: str, data: bytes) -> None:
            if key == MANIFEST:
                raise StoreError("put", key, "full")
            super().put(key, data)

    keep(folder, record("a"))
    with pytest.raises(StoreError):
        compact(Full(folder), DAY)
    assert folder.get(PART) is not None
    assert load(folder, DAY) is None


def test_a_day_of_two_thousand_records(folder: FolderStore, tmp_path: Path) -> None:
    """Each once."""
    fill(tmp_path / "ledger", 2_000)
    manifest = compact(folder, DAY)
    assert manifest is not None
    assert len(manifest.names) == 2_000
    assert ids(folder) == [f"{number:04}" for number in range(2_000)]


def test_a_record_costs_one_request_on_cos(cos: FakeCos) -> None:
    """Besides: the old manifest, one listing for each 1,000 records, the part, the manifest."""
    store = cos_store(cos)
    for number in range(260):
        job_record = record(f"{number:03}")
        cos.place(f"ci/{record_key(job_record)}", job_record.to_json())
    compact(store, DAY)
    requests = cos.requests()
    assert len(requests) == 260 + 4
    assert [key for method, key in requests if method == "PUT"] == [f"ci/{PART}", f"ci/{MANIFEST}"]
    assert len(ids(store)) == 260


class Line(bytes):
    """Bytes that know how many of their kind are in memory, and how many were at most."""

    alive = highest = 0
    lock = threading.RLock()  # several threads get them

    def __init__(self, data: bytes) -> None:
        with Line.lock:
            Line.alive += 1
            Line.highest = max(Line.highest, Line.alive)

    def __del__(self) -> None:
        with Line.lock:
            Line.alive -= 1


def test_the_records_of_a_day_need_not_fit_into_memory(folder: FolderStore, tmp_path: Path) -> None:
    """Some are there at one time, and one alone while it is folded."""

    class Counting(Listing):
        def get(self, key: str) -> bytes | None:
            content = super().get(key)
            return Line(content) if content is not None and key.startswith("jobs/") else content

    fill(tmp_path / "ledger", 500)
    manifest = compact(Counting(folder), DAY, width=8)
    assert manifest is not None
    assert len(manifest.names) == 500
    assert Line.highest <= 8 * (AHEAD + 1) + 1
    Line.highest = 0
    line = record("a").to_json()
    fold(DAY, ((f"{number}.json", Line(line)) for number in range(1_000)))
    assert Line.highest <= 2


def test_the_keys_are_those_that_the_documents_name() -> None:
    """Other tools read them."""
    assert (part_key(DAY), manifest_key(DAY)) == (PART, MANIFEST)


# --- what another engine finds ---


def test_every_engine_reads_times_as_instants_and_free_fields_as_text(folder: FolderStore) -> None:
    """Spark, Presto and Hive take a time without UTC for another zone's, and few know Parquet's
    JSON."""
    keep(folder, record("a", result={"b": [1]}))
    compact(folder, DAY)
    with tempfile.NamedTemporaryFile() as file, duckdb.connect() as database:
        file.write(folder.get(PART) or b"")
        file.flush()
        columns = database.execute(
            "SELECT name, converted_type FROM parquet_schema(?) WHERE converted_type IS NOT NULL",
            [file.name],
        ).fetchall()
        ((codec,),) = database.execute(
            "SELECT DISTINCT compression FROM parquet_metadata(?)", [file.name]
        ).fetchall()
    kinds = dict(columns)
    assert kinds["created_at"] == kinds["received_at"] == "TIMESTAMP_MICROS"
    assert kinds["details"] == kinds["result"] == "UTF8"
    assert codec == "ZSTD"
    assert rows(folder, "details, result, epoch(ended_at)") == [
        ('{"JobId":"a"}', '{"b":[1]}', 1789891265.25)
    ]


def test_every_day_has_the_same_columns(folder: FolderStore) -> None:
    """Whatever its records hold: one table reads all days."""
    keep(folder, record("a"), record("b", day="2026-09-21", result={"x": 1}, input={"url": "u"}))
    keep(folder, record("c", day="2026-09-22"))
    folder.delete(keep(folder, record("d", day="2026-09-23"))[0])
    for day in (DAY, "2026-09-21", "2026-09-22"):
        compact(folder, day)

    def types(day: str) -> list[Any]:
        with tempfile.NamedTemporaryFile() as file, duckdb.connect() as database:
            file.write(folder.get(part_key(day)) or b"")
            file.flush()
            return database.read_parquet(file.name).types

    assert types(DAY) == types("2026-09-21") == types("2026-09-22")


def test_a_day_without_any_record_left_has_a_file_without_rows(folder: FolderStore) -> None:
    """With the columns of all days."""
    (key,) = keep(folder, record("a"))
    compact(folder, DAY)
    folder.delete(key)
    compact(folder, DAY)
    assert rows(folder, "*") == []


def test_a_part_with_other_columns_is_made_again(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version wrote it: until then its day is read record by record."""
    keep(folder, record("a"))
    compact(folder, DAY)
    assert load(folder, DAY) is not None
    monkeypatch.setattr("ci_callback.compacted_day.schema_digest", lambda: "newer")
    assert load(folder, DAY) is None
    assert stale_days(folder) == [DAY]


def test_the_temporary_folder_may_have_any_name(
    folder: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What means something to a glob or to SQL included."""
    odd = tmp_path / "it's [a] *tem?p"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    keep(folder, record("a"))
    assert compact(folder, DAY) is not None
    assert list(odd.iterdir()) == []


def test_a_temporary_folder_that_is_not_there_is_reported(
    folder: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full one, too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    keep(folder, record("a"))
    with pytest.raises(ValueError, match="a part can't be written"):
        compact(folder, DAY)


def test_what_duckdb_misreads_is_not_kept(folder: FolderStore) -> None:
    """Nothing is written in place of a whole part."""
    with pytest.raises(ValueError, match="only 1 of 2 records were written"):
        fold(DAY, [("a.json", record("a").to_json()), ("c.json", b"{}\n")])


# --- days ---


def test_a_record_that_somebody_changed_makes_its_day_stale(
    folder: FolderStore, tmp_path: Path
) -> None:
    """It was written after all that the part holds."""
    keys = keep(folder, record("a"), record("b"))
    compact(folder, DAY)
    keep(folder, record("a", code="Edited"))
    later = (tmp_path / "ledger" / keys[1]).stat().st_mtime + 5
    os.utime(tmp_path / "ledger" / keys[0], (later, later))
    assert stale_days(folder) == [DAY]
    compact(folder, DAY)
    assert stale_days(folder) == []
    assert rows(folder, "code") == ["Edited", "Success"]


def test_a_store_that_does_not_say_when_it_wrote_tells_stale_days_by_names(
    folder: FolderStore,
) -> None:
    """Folded with times or without."""
    keep(folder, record("a"))
    for store in (folder, Listing(folder)):
        compact(store, DAY)
        assert stale_days(folder) == stale_days(Listing(folder)) == []


def test_only_the_days_of_a_range_are_looked_at(cos: FakeCos) -> None:
    """A nightly run lists what it may fold."""
    store = cos_store(cos)
    keep(store, *(record(f"j{day}", day=f"2026-09-{day}") for day in (10, 20, 21, 22)))
    cos.seen.clear()
    days = DayRange(since=date(2026, 9, 20), until=date(2026, 9, 21))
    assert stale_days(store, days) == ["2026-09-20", "2026-09-21"]
    listed = [key for method, key in cos.requests() if method == "GET" and key]
    assert sorted(listed) == [
        f"ci/compacted/dt={day}/_manifest.json"
        for day in ("1970-01-01", "2026-09-20", "2026-09-21")
    ]


def test_many_days_are_folded_at_a_time(store: Store) -> None:
    """Each as if alone."""
    days = [f"2026-09-{day:02}" for day in range(1, 11)]
    keep(store, *(record(f"j{day[-2:]}", day=day) for day in days))
    assert [manifest.day for manifest in map(made, compact_days(store, days))] == days
    assert stale_days(store) == []
    assert [ids(store, day) for day in days] == [[f"j{day[-2:]}"] for day in days]


def made(result: Manifest | Exception | None) -> Manifest:
    """A manifest, and nothing else."""
    assert isinstance(result, Manifest)
    return result


def test_a_day_that_can_not_be_folded_keeps_no_other_back(folder: FolderStore) -> None:
    """What was wrong with it comes in its place."""
    keep(folder, record("a"), record("b", day="2026-09-21"))
    folder.put(f"jobs/dt={DAY}/odd.json", b"{}\n")
    broken, empty, whole = compact_days(folder, [DAY, "2026-09-19", "2026-09-21"])
    assert "odd.json is no record" in str(broken)
    assert empty is None
    assert made(whole).names == {"b.json"}


# --- a job with and without its time of creation ---


def test_a_record_without_a_day_is_left_out_where_its_job_has_one_under_its_day(
    tmp_path: Path,
) -> None:
    """The part holds each job once over all days; nothing becomes stale by it."""
    store = FolderStore(tmp_path)
    keep(store, record("a", created_at=None), record("b", created_at=None), record("a"))
    manifest = compact(store, "1970-01-01")
    assert manifest is not None
    assert (set(manifest.names), set(manifest.elsewhere)) == ({"b.json"}, {"a.json"})
    assert Manifest.from_json(manifest.to_json()) == manifest
    compact(store, DAY)
    assert stale_days(store) == []


def test_a_record_under_its_day_that_comes_later_makes_those_without_a_day_stale(
    tmp_path: Path,
) -> None:
    """Folded again, the other one is left out."""
    store = FolderStore(tmp_path)
    keep(store, record("a", created_at=None))
    compact(store, "1970-01-01")
    keep(store, record("a"), record("b", day="2026-09-21"))
    compact(store, DAY)
    compact(store, "2026-09-21")
    assert stale_days(store) == ["1970-01-01"]
    manifest = compact(store, "1970-01-01")
    assert manifest is not None
    assert (set(manifest.names), set(manifest.elsewhere)) == (set(), {"a.json"})
    assert stale_days(store) == []


def test_records_without_a_day_that_all_have_a_twin_are_folded_to_none(tmp_path: Path) -> None:
    """And are not stale for ever."""
    store = FolderStore(tmp_path)
    keep(store, record("a", created_at=None), record("a"))
    compact(store, DAY)
    manifest = compact(store, "1970-01-01")
    assert manifest is not None
    assert (set(manifest.names), set(manifest.elsewhere)) == (set(), {"a.json"})
    assert stale_days(store) == []
