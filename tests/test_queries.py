"""docs/queries.md: each question's SQL is run on jobs of which the answers are known, and each
table definition names the published schema's columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ci_callback.compaction import compact
from ci_callback.ledger_mirror import copy_down
from ci_callback.query.columns import HIVE, HIVE_PARQUET, SPARK, columns, published
from ci_callback.query.database import records_database
from handler.callback.lineage import Lineage, Marker, attach
from handler.ledger.attempts import Attempts
from handler.ledger.folder import FolderStore
from handler.ledger.store import Store
from tests.callback.twins import as_json
from tests.conftest import Invoked
from tests.fake_cos import FakeCos
from tests.ledger.test_stores import cos_store

DOCUMENT = (Path(__file__).parents[1] / "docs/queries.md").read_text(encoding="utf-8")
BUCKET = "examplebucket-1250000000"


def section(title: str) -> str:
    """What stands below a heading, up to the next one of its rank or above."""
    [(rank, text)] = re.findall(rf"^(#+) {re.escape(title)}$(.*)", DOCUMENT, re.M | re.S)
    text_of_section: str = re.split(rf"^#{{1,{len(rank)}}} ", text, maxsplit=1, flags=re.M)[0]
    return text_of_section


def blocks(language: str, text: str) -> list[str]:
    """The blocks of code in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


QUESTIONS = {
    re.sub(r"^\d+\. ", "", title): blocks("sql", section(title))
    for title in re.findall(r"^### (\d+\. .*)$", DOCUMENT, re.M)
}


# --- the jobs that the questions are asked about ------------------------------------------


def finished(job_id: str, tag: str = "Transcode", at: str = "19T01:00:00", **nodes: Any) -> bytes:
    """A job's callback. at: day and time of its creation, in September 2026, UTC.

    nodes: wait_s and run_s (seconds), input (a key), user_data, and whole nodes of JobsDetail.
    """
    created = datetime.fromisoformat(f"2026-09-{at}")
    started = created + timedelta(seconds=nodes.pop("wait_s", 10))
    ended = started + timedelta(seconds=nodes.pop("run_s", 50))
    operation = nodes.pop("Operation", {}) | {"UserData": nodes.pop("user_data", "")}
    place = {"BucketId": BUCKET, "Region": "ap-chongqing", "Object": nodes.pop("input", "x.mp4")}
    detail = {
        "JobId": job_id,
        "Tag": tag,
        "State": "Success",
        "Code": "Success",
        "Message": "",
        "QueueId": "queue-a",
        "CreationTime": f"{created.isoformat()}+0000",
        "StartTime": f"{started.isoformat()}+0000",
        "EndTime": f"{ended.isoformat()}+0000",
        "Input": place,
        "Operation": operation,
    }
    return as_json({"EventName": "TaskFinish", "JobsDetail": detail | nodes})


def media(name: str, size: int, duration_s: float) -> dict[str, Any]:
    """The Operation of a job that wrote a media file."""
    place = {"Bucket": BUCKET, "Region": "ap-chongqing"}
    return {
        "MediaResult": {"OutputFile": {**place, "ObjectPrefix": "out/", "ObjectName": name}},
        "MediaInfo": {"Format": {"Size": str(size), "Duration": str(duration_s)}},
    }


def failed(code: str, message: str) -> dict[str, str]:
    """How a failure is told."""
    return {"State": "Failed", "Code": code, "Message": message}


def again(root: str, attempt: int, user_data: str = "") -> str:
    """The UserData of a job that was submitted again."""
    return attach(user_data, Marker(Lineage(root, attempt), "00c0ffee00c0ffee")) or ""


def run(run_id: str, *tasks: dict[str, str]) -> bytes:
    """A callback of a workflow's run."""
    nodes = {
        "RunId": run_id,
        "WorkflowId": "w1",
        "WorkflowName": "publish",
        "State": "Success" if all(task["State"] == "Success" for task in tasks) else "Failed",
        "BucketId": BUCKET,
        "Object": "videos/a.mp4",
        "CreateTime": "2026-09-19T01:00:00+0000",
        "Tasks": list(tasks),
    }
    return as_json({"EventName": "WorkflowFinish", "WorkflowExecution": nodes})


PICTURE = {"Format": "jpg", "Width": "1", "Height": "1", "Quality": "90"}

CALLBACKS = (
    finished("t1", input="videos/a.mp4", Operation=media("a.mp4", 1_000, 90.0)),
    finished(
        "t2", at="19T01:10:00", wait_s=20, user_data="order 4711", **failed("InternalError", "odd")
    ),
    finished(
        "t3",
        at="19T01:30:00",
        Operation=media("b.mp4", 3_000, 30.0),
        user_data=again("t2", 2, "order 4711"),
    ),
    finished(
        "t4", at="20T16:00:00", input="videos/a.mp4", **failed("FormatUnsupport", "not a video")
    ),
    finished("t5", at="20T16:05:00", run_s=3_600, **failed("InternalError", "odder")),
    finished(
        "t6",
        at="20T16:55:00",
        wait_s=100,
        user_data=again("t5", 2),
        **failed("InternalError", "oddest"),
    ),
    finished(
        "d1",
        "DocProcess",
        "19T01:00:00",
        wait_s=200,
        QueueId="queue-b",
        input="a.docx",
        Operation={
            "DocProcessResult": {
                "TotalPageCount": "3",
                "SuccPageCount": "2",
                "FailPageCount": "1",
                "PageInfo": [{"PageNo": "1", "TgtUri": "out/1.jpg"}],
            }
        },
    ),
    finished(
        "p1",
        "PicProcess",
        "20T16:00:00",
        QueueId="queue-b",
        wait_s=0,
        Operation={
            "PicProcessResult": {
                "ObjectName": ["out/1.jpg", "out/2.jpg"],
                "ProcessResult": [{**PICTURE, "Size": "40"}, {**PICTURE, "Size": "2"}],
            },
            "Output": {"Bucket": BUCKET, "Region": "ap-chongqing", "Object": "out/${number}.jpg"},
        },
    ),
    finished(
        "f1",
        "FileHashCode",
        "20T16:00:00",
        StartTime="-",
        Operation={"FileHashCodeResult": {"MD5": "0" * 32, "FileSize": "999"}},
    ),
    run(
        "w1",
        {"Type": "Transcode", "Name": "T_1", "JobId": "t1", "State": "Success"},
        {"Type": "Snapshot", "Name": "S_1", "State": "Failed", "Code": "NoFrame"},
    ),
    run("w2", {"Type": "Transcode", "Name": "T_1", "JobId": "t3", "State": "Success"}),
)

D19, D20 = date(2026, 9, 19), date(2026, 9, 20)


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A time in September 2026."""
    return datetime(2026, 9, day, hour, minute, second)


ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "How many jobs fail, by day and tag?": [
        (D19, "DocProcess", 1, 0, 1, 0.0),
        (D19, "Transcode", 3, 1, 0, 33.3),
        (D20, "FileHashCode", 1, 0, 0, 0.0),
        (D20, "PicProcess", 1, 0, 0, 0.0),
        (D20, "Transcode", 3, 3, 0, 100.0),
    ],
    "In which queues do jobs wait long?": [
        ("queue-b", 2, 100.0, 190.0, 200.0),
        ("queue-a", 6, 10.0, 80.0, 100.0),
    ],
    "How long does a job take, from submission to end?": [
        ("DocProcess", 1, 250.0, 250.0),
        ("FileHashCode", 1, 60.0, 60.0),
        ("Transcode", 2, 60.0, 60.0),
        ("PicProcess", 1, 50.0, 50.0),
    ],
    "What was submitted again, and did it help?": [
        ("t2", "Transcode", 2, "InternalError", "succeeded", True),
        ("t5", "Transcode", 2, "InternalError", "failed", False),
    ],
    "Why do jobs fail?": [
        ("Transcode", "InternalError", 3, "odder", at(20, 17, 5, 10)),
        ("Transcode", "FormatUnsupport", 1, "not a video", at(20, 16, 1)),
    ],
    "How many bytes were written, by day and tag?": [
        (D19, "DocProcess", None, 1),
        (D19, "Transcode", 4_000, 0),
        (D20, "PicProcess", 42, 0),
    ],
    "Which are the largest files that jobs wrote?": [
        ("out/b.mp4", 3_000, 0.5, "t3"),
        ("out/a.mp4", 1_000, 1.5, "t1"),
    ],
    "Which jobs worked on one input object, and how did they end?": [
        (at(19, 1), "Transcode", "succeeded", "Success", ["out/a.mp4"]),
        (at(20, 16), "Transcode", "failed", "FormatUnsupport", []),
    ],
    "How did the jobs with one user_data end?": [
        ("t2", "Transcode", 1, "failed", at(19, 1, 11, 10)),
        ("t3", "Transcode", 2, "succeeded", at(19, 1, 31)),
    ],
    "In which workflows did a task fail?": [
        ("publish", "w1", "videos/a.mp4", "S_1", "NoFrame"),
    ],
    "Which hours are the busiest?": [
        (at(21, 0), 5, 1.04),
        (at(19, 9), 4, 0.06),
    ],
    "Which jobs succeeded only in part?": [
        (D19, "DocProcess", "d1", "a.docx", 1, 3),
    ],
    "How late do callbacks arrive?": [
        (D19, 4, 219_944.5, 0),
        (D20, 5, 79_944.0, 0),
    ],
}


def deliver(function: Invoked, store: Store) -> None:
    """CI calls back; sweeps have noted which jobs they submitted."""
    for job, root in (("t3", "t2"), ("t6", "t5")):
        Attempts(store).note_lineage(job, Lineage(root, 2))
    for number, body in enumerate(CALLBACKS):
        status, answer = function.post(body)
        assert status == 200, (number, answer)


def as_they_are(function: Invoked, folder: Path, cos: FakeCos) -> Path:
    """No day is compacted."""
    return folder


def with_a_compacted_day(function: Invoked, folder: Path, cos: FakeCos) -> Path:
    """One day is."""
    compact(FolderStore(folder), "2026-09-19")
    return folder


def with_a_stale_day(function: Invoked, folder: Path, cos: FakeCos) -> Path:
    """One is, another came late to its part."""
    store = FolderStore(folder)
    key = "jobs/dt=2026-09-20/t6.json"
    late = store.get(key) or b""
    store.delete(key)
    compact(store, "2026-09-19")
    compact(store, "2026-09-20")
    store.put(key, late)
    return folder


def copied_down(function: Invoked, folder: Path, cos: FakeCos) -> Path:
    """The ledger is on COS."""
    on_cos = Invoked(dict(cos.env))
    store = cos_store(cos)
    deliver(on_cos, store)
    compact(store, "2026-09-20")
    copy_down(store, folder.with_name("copy"))
    return folder.with_name("copy")


STATES = (as_they_are, with_a_compacted_day, with_a_stale_day, copied_down)


@pytest.mark.parametrize("state", STATES)
def test_each_question_has_its_answer(
    on_disk: Invoked, ledger: Path, cos: FakeCos, state: Callable[[Invoked, Path, FakeCos], Path]
) -> None:
    """The same, however the ledger is kept."""
    deliver(on_disk, FolderStore(ledger))
    folder = state(on_disk, ledger, cos)
    with records_database(folder) as database:
        nodes = {title: database.sql(sql).fetchall() for title, (sql,) in QUESTIONS.items()}
    assert nodes == ANSWERS


def test_ten_questions_and_more_are_answered() -> None:
    """Each by one statement."""
    assert len(QUESTIONS) >= 10
    assert all(len(statements) == 1 for statements in QUESTIONS.values())


def test_each_question_can_be_asked_of_an_empty_ledger(tmp_path: Path) -> None:
    """Before the first callback came."""
    with records_database(tmp_path) as database:
        for (sql,) in QUESTIONS.values():
            assert database.sql(sql).fetchall() == []


def test_the_lines_of_python_work_as_they_stand(
    on_disk: Invoked,
    ledger: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the environment of the function."""
    deliver(on_disk, FolderStore(ledger))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEDGER_URL", on_disk.env["LEDGER_URL"])
    (code,) = blocks("python", section("DuckDB"))
    exec(compile(code, "docs/queries.md", "exec"), {})
    out = capsys.readouterr().out
    assert "Transcode" in out
    assert "outcome" in out


# --- other engines ------------------------------------------------------------------------


def defined(title: str, name: str) -> dict[str, str]:
    """Name and type of the columns in the definition of a table, in a section."""
    (table,) = [sql for sql in blocks("sql", section(title)) if f"TABLE {name} (" in sql]
    (between,) = re.findall(r"\(\n(.*?)\n\)\n", table, re.S)
    return dict(re.findall(r"^  `(\w+)` (.*?),?$", between, re.M))


def test_sparks_table_has_the_schemas_columns() -> None:
    """All of them, and the day."""
    assert defined("Spark", "compacted_jobs") == {**columns(SPARK), "dt": "DATE"}
    assert list(columns(SPARK)) == list(published()["properties"])


def test_dlcs_tables_have_the_schemas_columns() -> None:
    """All of them over folded days; over the records, its SerDe can't read what has no form of its
    own in the schema."""
    assert defined("Tencent DLC", "compacted_jobs") == columns(HIVE_PARQUET)
    assert list(columns(HIVE_PARQUET)) == list(published()["properties"])
    assert defined("Tencent DLC", "new_jobs") == columns(HIVE)
    assert set(published()["properties"]) - set(columns(HIVE)) == {"result", "details"}


def test_another_duckdb_reads_the_files_as_they_lie(
    on_disk: Invoked, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the document's own line, in the ledger's folder."""
    deliver(on_disk, FolderStore(ledger))
    for day in ("2026-09-19", "2026-09-20"):
        compact(FolderStore(ledger), day)
    (sql,) = blocks("sql", section("Compaction"))
    monkeypatch.chdir(ledger)
    with duckdb.connect() as database:
        found = database.sql(sql).fetchall()
        (as_json,) = database.sql(
            "SELECT result->>'$.media.format.size_bytes' FROM 'compacted/*/*.parquet' "
            "WHERE job_id = 't1'"
        ).fetchall()
    assert dict(found) == {"Transcode": 6, "DocProcess": 1, "PicProcess": 1, "FileHashCode": 1}
    assert as_json == ("1000",)


def test_the_document_says_which_names_engines_skip() -> None:
    """So that nobody wonders about the others."""
    assert "Names that begin with `_`" in DOCUMENT
