"""The tables that query/database.py makes: each record once, typed, whatever was compacted, came
late, or lies about; and nothing that a query could write."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ci_callback.compacted_day import manifest_key, part_key
from ci_callback.compaction import compact
from ci_callback.ledger_reader import ALL_DAYS, DayRange
from ci_callback.query.columns import DUCKDB, HIVE, SPARK, columns
from ci_callback.query.database import records_database
from handler.callback.lineage import Lineage
from handler.callback.record import SCHEMA
from handler.errors import StoreError
from handler.ledger.attempts import Attempts
from handler.ledger.folder import FolderStore
from tests.conftest import PAYLOADS, Invoked
from tests.records import DAY, keep, record

NEXT = "2026-09-21"


@pytest.fixture
def store(ledger: Path) -> FolderStore:
    """A ledger in a folder, empty."""
    return FolderStore(ledger)


def ask(folder: Path, sql: str, days: DayRange = ALL_DAYS) -> list[Any]:
    """Load the records and run a query."""
    with records_database(folder, days) as database:
        return database.sql(sql).fetchall()


def ids(folder: Path) -> Counter[str]:
    """How often each job is in the table."""
    return Counter(row[0] for row in ask(folder, "SELECT job_id FROM jobs"))


def once(*job_ids: str) -> Counter[str]:
    """Each of them once."""
    return Counter(job_ids)


# --- each record once ---------------------------------------------------------------------


def test_every_record_is_there_once_with_its_day(ledger: Path, store: FolderStore) -> None:
    """The day is the partition's, as a DATE."""
    keep(store, record("a"), record("b", day=NEXT), record("c", created_at=None))
    assert ask(ledger, "SELECT job_id, dt FROM jobs ORDER BY job_id") == [
        ("a", date(2026, 9, 20)),
        ("b", date(2026, 9, 21)),
        ("c", date(1970, 1, 1)),
    ]


def test_a_compacted_day_is_read_from_its_part(ledger: Path, store: FolderStore) -> None:
    """And from nowhere else: the small files need not be there."""
    keys = keep(store, record("a"), record("b"), record("c", day=NEXT))
    compact(store, DAY)
    assert ids(ledger) == once("a", "b", "c")
    for key in keys[:2]:
        store.delete(key)
    assert ids(ledger) == once("a", "b", "c")


def test_all_days_may_be_compacted(ledger: Path, store: FolderStore) -> None:
    """Then no small file is read, and none must be."""
    (key,) = keep(store, record("a"))
    compact(store, DAY)
    assert ids(ledger) == once("a")
    store.delete(key)
    assert ids(ledger) == once("a")


def test_a_late_record_is_counted_once_before_and_after_its_day_is_folded_again(
    ledger: Path, store: FolderStore
) -> None:
    """Stale, the day is read from jobs/ as a whole; then from its part again."""
    keep(store, record("a"), record("b"))
    compact(store, DAY)
    keep(store, record("late"))
    assert ids(ledger) == once("a", "b", "late")
    compact(store, DAY)
    assert ids(ledger) == once("a", "b", "late")


def test_a_part_without_its_manifest_is_not_read(ledger: Path, store: FolderStore) -> None:
    """A compaction that died in between, or that is still on its way."""
    keep(store, record("a"))
    compact(store, DAY)
    store.delete(manifest_key(DAY))
    assert ids(ledger) == once("a")


def test_a_manifest_without_its_part_is_not_believed(ledger: Path, store: FolderStore) -> None:
    """Somebody made room."""
    keep(store, record("a"))
    compact(store, DAY)
    store.delete(part_key(DAY))
    assert ids(ledger) == once("a")


def test_a_folder_in_the_place_of_a_part_is_no_part(ledger: Path, store: FolderStore) -> None:
    """The records of the day are read, as where the part is missing."""
    keep(store, record("a"))
    compact(store, DAY)
    store.delete(part_key(DAY))
    (ledger / part_key(DAY)).mkdir(parents=True)
    assert ids(ledger) == once("a")


def test_the_part_of_one_compaction_and_the_manifest_of_another_lose_nothing(
    ledger: Path, store: FolderStore
) -> None:
    """Two at one moment: the one that saw less wrote the part last."""
    keep(store, record("a"))
    compact(store, DAY)
    less = store.get(part_key(DAY)) or b""
    keep(store, record("late"))
    compact(store, DAY)
    store.put(part_key(DAY), less)
    assert ids(ledger) == once("a", "late")


def test_two_thousand_records_are_two_thousand(ledger: Path, store: FolderStore) -> None:
    """Compacted, and stale."""
    day = ledger / f"jobs/dt={DAY}"
    day.mkdir(parents=True)
    for number in range(1_999):
        (day / f"{number:04}.json").write_bytes(record(f"{number:04}").to_json())
    compact(store, DAY)
    assert ask(ledger, "SELECT count(*), count(DISTINCT job_id) FROM jobs") == [(1_999, 1_999)]
    keep(store, record("late"))
    assert ask(ledger, "SELECT count(*), count(DISTINCT job_id) FROM jobs") == [(2_000, 2_000)]


def test_a_day_that_was_emptied_and_folded_has_no_rows(ledger: Path, store: FolderStore) -> None:
    """An empty part is read as such."""
    (key,) = keep(store, record("a"))
    compact(store, DAY)
    store.delete(key)
    compact(store, DAY)
    assert ids(ledger) == once()


def test_of_a_job_with_and_without_a_day_the_record_with_one_is_loaded(
    ledger: Path, store: FolderStore
) -> None:
    """A callback that names no time of creation stands under 1970-01-01."""
    undated: dict[str, Any] = {"created_at": None, "started_at": None, "ended_at": None}
    keep(store, record("a"), record("a", **undated), record("b", **undated))
    keep(store, record("w", kind="workflow"), record("w", kind="workflow", **undated))
    assert ask(ledger, "SELECT job_id, dt FROM jobs ORDER BY 1") == [
        ("a", date(2026, 9, 20)),
        ("b", date(1970, 1, 1)),
    ]
    assert ask(ledger, "SELECT dt FROM workflows") == [(date(2026, 9, 20),)]
    compact(store, DAY)
    compact(store, "1970-01-01")
    assert ids(ledger) == once("a", "b")
    for since, there in ((date(2026, 1, 1), ["a", "b"]), (date(2026, 9, 21), [])):
        rows = ask(ledger, "SELECT job_id FROM jobs ORDER BY 1", DayRange(since=since))
        assert [job_id for (job_id,) in rows] == there


def test_a_record_under_an_earlier_day_hides_the_one_without_a_day(
    ledger: Path, store: FolderStore
) -> None:
    """Its job was not created in the range, though its callback came in it."""
    came = {"source": record("a").source | {"received_at": "2026-09-22T00:00:00Z"}}
    undated: dict[str, Any] = {"created_at": None, "started_at": None, "ended_at": None, **came}
    keep(store, record("a"), record("a", **undated), record("b", **undated))
    days = DayRange(since=date(2026, 9, 21))
    assert ask(ledger, "SELECT job_id FROM jobs", days) == [("b",)]


# --- ledgers of all sorts -----------------------------------------------------------------


def test_a_ledger_without_anything_gives_tables_without_rows(ledger: Path) -> None:
    """With all their columns, so that a query written for a full ledger runs."""
    for view in ("jobs", "workflows", "reviews"):
        assert ask(ledger, f"SELECT * FROM {view}") == []
        assert ask(ledger, f"SELECT input.object, retry.attempt, dt FROM {view}") == []
    assert ask(ledger, "SELECT * FROM unreadable") == []
    assert list(ledger.parent.iterdir()) == []


def test_the_columns_are_the_same_with_and_without_records(
    ledger: Path, store: FolderStore
) -> None:
    """And for small files and parts."""

    def described() -> list[Any]:
        return ask(ledger, "SELECT column_name, column_type FROM (DESCRIBE jobs)")

    empty = described()
    keep(store, record("a"))
    assert described() == empty
    compact(store, DAY)
    assert described() == empty
    keep(store, record("b", day=NEXT))
    assert described() == empty
    assert [name for name, _ in empty] == [*columns(DUCKDB), "dt"]


def test_workflows_and_reviews_have_tables_of_their_own(ledger: Path, store: FolderStore) -> None:
    """A workflow's run is no job."""
    store.put(f"workflows/dt={DAY}/w.json", record("w", kind="workflow", tag=None).to_json())
    store.put(f"reviews/dt={DAY}/r-simple-0.json", record("r", kind="review").to_json())
    assert ids(ledger) == once()
    assert ask(ledger, "SELECT job_id, dt FROM workflows") == [("w", date(2026, 9, 20))]
    assert ask(ledger, "SELECT job_id, kind FROM reviews") == [("r", "review")]


def test_what_else_lies_in_a_ledger_is_not_read(ledger: Path, store: FolderStore) -> None:
    """Tickets hold whole records."""
    keep(store, record("a"))
    for key in (
        "_outbox/0000000000-b-failed-alert.failed.json",
        f"_unfinished/dt={DAY}/b-running.json",
        f"_dead/dt={DAY}/b.json",
        f"jobs/dt={DAY}/old/b.json",
        f"jobs/dt={DAY}/b.json.bak",
    ):
        store.put(key, record("b").to_json())
    assert ids(ledger) == once("a")


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    """What means something to a glob or to SQL included."""
    folder = tmp_path / "it's [a] *led?ger"
    store = FolderStore(folder)
    keep(store, record("a"), record("b", day=NEXT))
    compact(store, DAY)
    assert ids(folder) == once("a", "b")
    assert ask(folder, "SELECT * FROM unreadable") == []


def test_a_relative_folder_is_read_from_wherever(
    ledger: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is relative to the working directory."""
    keep(store, record("a"))
    store.put(f"jobs/dt={DAY}/odd.json", b"x")
    monkeypatch.chdir(ledger.parent)
    assert ids(Path("ledger")) == once("a")
    assert ask(Path("ledger"), "FROM unreadable") == [(f"{ledger}/jobs/dt={DAY}/odd.json",)]


def test_a_copy_that_was_broken_off_must_not_be_queried(ledger: Path, store: FolderStore) -> None:
    """It must raise: rows may be missing."""
    store.put("_copying", b"")
    with pytest.raises(ValueError, match="copy it again"):
        ids(ledger)


def test_a_folder_that_can_not_be_read_is_reported(tmp_path: Path) -> None:
    """As everywhere, by a StoreError."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError):
        ids(tmp_path / "file")


# --- typed, and never by a sample ---------------------------------------------------------


def as_stored(value: Any) -> Any:
    """A value out of DuckDB as the record has it: times as text, JSON as what it means."""
    if isinstance(value, datetime):
        written = value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        return written + "Z"
    if isinstance(value, dict):
        return {name: as_stored(member) for name, member in value.items()}
    return value


@pytest.mark.parametrize(
    "is_compacted",
    [pytest.param(False, id="small files"), pytest.param(True, id="parts", marks=pytest.mark.slow)],
)
def test_every_field_of_every_payload_comes_out_as_it_was_kept(
    on_disk: Invoked, ledger: Path, is_compacted: bool
) -> None:
    """All that CI sends, kept by the function and read from the tables."""
    paths = [path for path in PAYLOADS.rglob("*") if path.suffix in (".json", ".xml")]
    for path in sorted(paths):
        on_disk.post(path.read_bytes())
    store = FolderStore(ledger)
    if is_compacted:
        for key in list(store.list("jobs/")):
            compact(store, key.split("/")[1].removeprefix("dt="))
    kept: dict[str, Any] = {}
    for view in ("jobs", "workflows", "reviews"):
        for key in store.list(f"{view}/"):
            document = json.loads(store.get(key) or b"")
            kept[document["source"]["digest"]] = document
    for view in ("jobs", "workflows", "reviews"):
        with records_database(ledger) as database:
            relation = database.sql(f"SELECT * EXCLUDE (dt) FROM {view}")
            rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        for row in rows:
            expected = kept.pop(row["source"]["digest"])
            for name in ("result", "details"):
                row[name] = json.loads(row[name]) if row[name] is not None else None
            if expected["input"] is not None:
                # Further fields of CI's Input node are in details.
                of_schema = ("bucket", "region", "object", "url", "headers")
                expected["input"] = {name: expected["input"][name] for name in of_schema}
            assert {name: as_stored(value) for name, value in row.items()} == expected
    assert kept == {}


def test_a_value_of_another_type_costs_itself_alone(ledger: Path, store: FolderStore) -> None:
    """Not the query, and not the row: somebody edited a record by hand."""
    keep(store, record("a"), record("b", job_level=10**30, created_at=f"{DAY}T08:00:00Z"))
    odd = record("b", job_level=10**30, wait_s="abc", input="x", ended_at="-", outputs={"a": 1})
    keep(store, odd)
    assert ask(
        ledger, "SELECT job_id, job_level, wait_s, input.object, ended_at, outputs, run_s FROM jobs"
    ) == [
        ("a", 0, 5.0, None, datetime(2026, 9, 20, 8, 1, 5, 250_000), [], 60.25),
        ("b", None, None, None, None, None, 60.25),
    ]


@pytest.mark.parametrize("data", [b"", b"{}\n", b"[1]\n", b'{"schema":', b"\xff\x00", b"x" * 99])
def test_a_file_that_holds_no_record_is_left_out_and_named(
    ledger: Path, store: FolderStore, data: bytes
) -> None:
    """In `unreadable`."""
    keep(store, record("a"))
    store.put(f"jobs/dt={DAY}/odd.json", data)
    store.put(f"workflows/dt={DAY}/odd.json", data)
    assert ids(ledger) == once("a")
    named = ask(ledger, "SELECT filename FROM unreadable ORDER BY filename")
    assert [Path(name).relative_to(ledger.resolve()).as_posix() for (name,) in named] == [
        f"jobs/dt={DAY}/odd.json",
        f"workflows/dt={DAY}/odd.json",
    ]


@pytest.mark.parametrize("spoil", ["schema", "bytes"])
def test_a_part_that_is_misread_fails_the_query(
    ledger: Path, store: FolderStore, spoil: str
) -> None:
    """Left out without a word, a row could take a whole day along. Other days are not touched."""
    keep(store, record("a"), record("b", day=NEXT))
    compact(store, DAY)
    part = store.get(part_key(DAY)) or b""
    written = SCHEMA.encode() if spoil == "schema" else part[4:200]
    assert written in part
    store.put(part_key(DAY), part.replace(written, bytes(byte ^ 1 for byte in written)))
    with pytest.raises(duckdb.Error):
        ids(ledger)
    assert ask(ledger, "SELECT job_id FROM jobs", DayRange(since=date(2026, 9, 21))) == [("b",)]


def test_a_large_record_is_read(ledger: Path, store: FolderStore) -> None:
    """A body of 6 MiB gives one of some 20 MB where every character is escaped twice."""
    keep(store, record("a", details={"Text": '"' * 12_000_000}))
    assert ask(ledger, "SELECT length(details->>'$.Text') FROM jobs") == [(12_000_000,)]
    compact(store, DAY)
    assert ask(ledger, "SELECT length(details->>'$.Text') FROM jobs") == [(12_000_000,)]


# --- the schema's types -------------------------------------------------------------------


def test_types_come_from_the_published_schema() -> None:
    """One of each kind; what has no form of its own in the schema is JSON."""
    types = columns(DUCKDB)
    assert types["job_id"] == types["outcome"] == types["schema"] == "VARCHAR"
    assert types["created_at"] == "TIMESTAMP"
    assert types["wait_s"] == "DOUBLE"
    assert types["job_level"] == "BIGINT"
    assert types["input"].endswith('"headers" MAP(VARCHAR, VARCHAR))')
    assert types["outputs"] == 'STRUCT("bucket" VARCHAR, "region" VARCHAR, "object" VARCHAR)[]'
    assert types["result"] == types["details"] == "JSON"


def test_a_field_whose_type_the_schema_leaves_open_is_free() -> None:
    """Several types, none, or a list or map of such; Hive can't read them: they are left out."""
    schema = {
        "properties": {
            "several": {"type": ["string", "integer"]},
            "none": {"description": "?"},
            "flag": {"type": ["boolean", "null"]},
            "list": {"type": "array"},
            "texts": {"type": "array", "items": {"type": "string"}},
            "mapped": {"type": "object", "additionalProperties": {}},
            "partly": {"type": "object", "properties": {"a": {"type": "null"}, "b": {"const": 1}}},
            "maybe": {"enum": ["x", None]},
        }
    }
    assert columns(DUCKDB, schema) == {
        "several": "JSON",
        "none": "JSON",
        "flag": "BOOLEAN",
        "list": "JSON[]",
        "texts": "VARCHAR[]",
        "mapped": "MAP(VARCHAR, JSON)",
        "partly": 'STRUCT("a" JSON, "b" JSON)',
        "maybe": "VARCHAR",
    }
    assert columns(SPARK, schema)["mapped"] == "MAP<STRING, STRING>"
    assert columns(HIVE, schema) == {
        "flag": "boolean",
        "texts": "array<string>",
        "maybe": "string",
    }


def test_what_was_noted_after_the_record_is_followed(ledger: Path, store: FolderStore) -> None:
    """Root and attempt of a job that the function submitted."""
    keep(store, record("a"), record("b"), record("c", retry={"root_job_id": "a", "attempt": 3}))
    for job_id in ("b", "c", "x"):
        Attempts(store).note_lineage(job_id, Lineage("a", 2))
    store.put("_lineage/a.json", b"[]")
    compact(store, DAY)
    assert ask(ledger, "SELECT job_id, retry.root_job_id, retry.attempt FROM jobs ORDER BY 1") == [
        ("a", "a", 1),
        ("b", "a", 2),
        ("c", "a", 3),
    ]
