"""ledger_reader.py: each job once, under its day, with the root and attempt that are known now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.ledger_reader import (
    MERGE_DAYS,
    DayRange,
    outbox,
    record_keys,
    records,
    resubmissions,
)
from handler.callback.lineage import Lineage, Marker, attach
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Outbox, about
from handler.ledger.records import Ledger
from tests.records import DAY, keep, record
from tests.stores import MemoryStore, Wrapped

UNDATED: dict[str, Any] = {"created_at": None, "started_at": None, "ended_at": None}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """An empty ledger, which the commands look at too."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}/ledger")
    monkeypatch.setenv("NO_COLOR", "1")
    return FolderStore(tmp_path / "ledger")


def run(*arguments: str) -> str:
    """stdout of a command that ends well."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


# --- a job with and without its time of creation ---


def twins(store: FolderStore) -> tuple[JobRecord, JobRecord]:
    """One job twice: from a callback without CreationTime, and from one with it."""
    undated = record("j1", **UNDATED, outcome="failed", code="InternalError")
    dated = record("j1")
    keep(store, undated, dated)
    return undated, dated


def test_of_two_records_of_a_job_the_one_under_its_day_counts(store: FolderStore) -> None:
    """In `jobs`, `show`, `report` and `replay --from`."""
    twins(store)
    keep(store, record("j2", **UNDATED))
    (first, second) = (json.loads(line) for line in run("jobs", "--json").splitlines())
    assert [first["key"], second["key"]] == [f"jobs/dt={DAY}/j1.json", "jobs/dt=1970-01-01/j2.json"]
    assert [job["key"] for job in json.loads(run("show", "j1", "--json"))["records"]] == [
        f"jobs/dt={DAY}/j1.json"
    ]
    report = json.loads(run("report", "--json", "--since", "2026-01-01"))
    assert report["jobs"] == 2
    assert report["days"] == {DAY: {"succeeded": 2}}


def test_the_other_record_does_not_hide_a_job_from_a_range_of_days(store: FolderStore) -> None:
    """The record under its day decides whether the job is within."""
    twins(store)
    for arguments, ids in (
        (("--until", "2026-09-19"), []),
        (("--until", "2026-09-21"), ["j1"]),
        (("--since", DAY), ["j1"]),
        (("--since", "2026-09-21"), []),
        (("--failed",), []),
    ):
        lines = run("jobs", "--json", *arguments).splitlines()
        assert [json.loads(line)["record"]["job_id"] for line in lines] == ids, arguments


names = st.sampled_from(["a", "b", "c"])
days = st.sampled_from([None, "2026-09-19", "2026-09-20", "2026-09-21"])


ranges = st.one_of(st.none(), st.dates(date(2026, 9, 10), date(2026, 9, 30)))


@given(st.lists(st.tuples(names, days)), ranges, ranges)
def test_each_name_comes_once_whatever_days_it_stands_under(
    placed: list[tuple[str, str | None]], since: date | None, until: date | None
) -> None:
    """Undated only where no day has it that may be near; dated only within the range."""
    listed = sorted({f"jobs/dt={day or keys.NO_DAY}/{name}.json" for name, day in placed})

    class Listed(Wrapped):
        def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
            return iter([key for key in listed if key.startswith(prefix)])

    reported_keys = list(record_keys(Listed(MemoryStore()), DayRange(since, until), ("jobs",)))
    first = (since - timedelta(MERGE_DAYS)).isoformat() if since else ""
    last = until.isoformat() if until else "9"
    near = {name for name, day in placed if day and first <= day and (since is None or day <= last)}
    assert Counter(reported_keys) == Counter(
        key
        for key in listed
        if (keys.NO_DAY in key and key.split("/")[2][0] not in near)
        or (
            keys.NO_DAY not in key
            and key[8:18] <= last
            and (since is None or key[8:18] >= since.isoformat())
        )
    )


def test_a_job_without_a_day_is_in_every_range_that_its_callback_allows(
    store: FolderStore,
) -> None:
    """It was created before its callback came: only a range that begins later has no room for it.
    `report` counts it on the day of its callback."""
    keep(store, record("j1", **UNDATED), record("r1", kind="workflow", **UNDATED))
    for arguments, ids in (
        (("--since", DAY), {"j1", "r1"}),
        (("--since", "2026-01-01"), {"j1", "r1"}),
        (("--until", "2026-01-01"), {"j1", "r1"}),
        (("--since", "2026-09-21"), set()),
    ):
        lines = run("jobs", "--json", *arguments).splitlines()
        assert {json.loads(line)["record"]["job_id"] for line in lines} == ids, arguments
    for since, count in ((DAY, 1), ("2026-09-21", 0)):
        assert json.loads(run("report", "--json", "--since", since))["jobs"] == count


def test_a_re_submission_that_ended_without_a_day_is_found(store: FolderStore) -> None:
    """Its attempt says when it was created, its callback did not."""
    ended = record("j2", **UNDATED)
    keep(store, ended)
    at = f"{DAY}T08:00:00Z"
    Attempts(store).put(Lineage("j1", 2), Attempt("submitted", 1, "x", 1, "j2", at))
    (step,) = resubmissions(store, "j1")
    assert step.ended is not None
    assert step.ended.record == ended


# --- lineage ---


def claiming(job_id: str, root: str, attempt: int) -> JobRecord:
    """A record whose UserData claims to be an attempt of another job; it says attempt 1 itself."""
    text = attach("mine", Marker(Lineage(root, attempt), "0123456789abcdef"))
    return record(job_id)._replace(details={"JobId": job_id, "Operation": {"UserData": text}})


def test_what_was_noted_after_the_record_is_followed(store: FolderStore) -> None:
    """A claim that nothing proves is none."""
    keep(store, record("j1", outcome="failed"), claiming("j2", "j1", 2), claiming("j3", "j1", 2))
    Attempts(store).note_lineage("j2", Lineage("j1", 2))
    shown = {
        job["record"]["job_id"]: job["lineage"]
        for job in map(json.loads, run("jobs", "--json").splitlines())
    }
    assert shown == {
        "j1": {"root_job_id": "j1", "attempt": 1},
        "j2": {"root_job_id": "j1", "attempt": 2},
        "j3": {"root_job_id": "j3", "attempt": 1},
    }
    assert "(attempt 2)" in run("jobs")
    assert json.loads(run("show", "j2", "--json"))["root_job_id"] == "j1"
    assert json.loads(run("show", "j3", "--json"))["root_job_id"] == "j3"


def test_only_jobs_that_claim_to_be_a_re_submission_cost_a_request(
    store: FolderStore, tmp_path: Path
) -> None:
    """A list of jobs asks for nothing else."""
    proven = record("c", retry={"root_job_id": "a", "attempt": 3})
    keep(store, record("a"), claiming("b", "a", 2), proven)
    asked = []

    class Asked(FolderStore):
        def get(self, key: str) -> bytes | None:
            asked.append(key)
            return super().get(key)

    entries = list(records(Asked(tmp_path / "ledger"), list(record_keys(store))))
    assert {entry.key[-6:]: entry.record.lineage.attempt for entry in entries if entry.record} == {
        "a.json": 1,
        "b.json": 1,
        "c.json": 3,
    }
    assert [key for key in asked if not key.startswith("jobs/")] == ["_lineage/b.json"]


def test_the_record_of_a_ticket_is_followed_too(store: FolderStore) -> None:
    """The report counts the retry that it waits for with its root."""
    failed = claiming("j2", "j1", 2)._replace(outcome="failed", code="InternalError")
    keep(store, record("j1", outcome="failed", code="InternalError"), failed)
    Outbox(Ledger(store)).put(about(failed, "retry", 2_000_000_000))
    Attempts(store).note_lineage("j2", Lineage("j1", 2))
    (waiting,) = outbox(store)
    assert waiting.ticket is not None
    assert waiting.ticket.record is not None
    assert waiting.ticket.record.lineage == Lineage("j1", 2)


def test_a_report_follows_what_was_noted_after_the_record(store: FolderStore) -> None:
    """A retry that succeeded before its proof was stored has recovered its root."""
    keep(store, record("j1", outcome="failed", code="InternalError"), claiming("j2", "j1", 2))
    retries = json.loads(run("report", "--json", "--since", DAY))["retries"]
    assert (retries["failed"], retries["not_retried"]) == (1, 1)
    Attempts(store).note_lineage("j2", Lineage("j1", 2))
    retries = json.loads(run("report", "--json", "--since", DAY))["retries"]
    assert retries["failed"] == retries["fates"]["recovered"] == 1


@pytest.mark.parametrize(
    "noted", [b"", b"[]", b"{}", b'{"root_job_id": 1, "attempt": "x"}', b"[" * 9999]
)
def test_a_note_that_can_not_be_read_is_none(store: FolderStore, noted: bytes) -> None:
    """The record's own word stands."""
    store.put("_lineage/j2.json", noted)
    (entry,) = records(store, keep(store, claiming("j2", "j1", 2)))
    assert entry.record is not None
    assert entry.record.lineage == Lineage("j2", 1)
