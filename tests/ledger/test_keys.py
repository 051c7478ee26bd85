"""keys.py: every key that is ever written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.callback.record import JobRecord
from handler.ledger import keys
from tests.callback.test_record import job, records
from tests.callback.twins import as_json


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("ac34be", "ac34be"),
        ("j96***", "j96~2A~2A~2A"),
        ("../../etc", "~2E~2E~2F~2E~2E~2Fetc"),
        ("A", "~41"),
        ("a-b_c", "a~2Db~5Fc"),
        ("é", "~C3~A9"),
        ("\x00\n", "~00~0A"),
        ("\ud800", "~ED~A0~80"),
        ("x" * 80, "x" * 80),
    ],
)
def test_a_name_from_outside_is_written_in_harmless_characters(sent: str, written: str) -> None:
    """Nothing escapes its place."""
    assert keys.name(sent) == written


@given(st.text(min_size=1, max_size=200))
def test_a_name_is_short_and_holds_no_separator(sent: str) -> None:
    """Whatever it was."""
    written = keys.name(sent)
    assert re.fullmatch(r"[a-z0-9A-F~]{1,81}", written)


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_two_names_meet_even_where_case_does_not_count(name: str, other: str) -> None:
    """Different names, different keys, on any disk."""
    if name != other:
        assert keys.name(name).lower() != keys.name(other).lower()


def test_a_short_name_can_not_be_made_to_meet_a_long_one() -> None:
    """The form of a long name is one character longer than any name that is written out."""
    long = keys.name("x" * 10_000)
    assert len(long) == 81
    assert long.startswith("x" * 16 + "~")
    assert keys.name(long.replace("~", "")) != long
    assert keys.name(long) != long


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2022-07-25T08:35:39Z", "2022-07-25"),
        ("2015-01-01T00:00:00Z", "2015-01-01"),
        ("2100-12-31T00:00:00Z", "2100-12-31"),
        ("2014-12-31T23:59:59Z", "1970-01-01"),
        ("2101-01-01T00:00:00Z", "1970-01-01"),
        (None, "1970-01-01"),
    ],
)
def test_a_partition_is_the_utc_day_or_1970(time: str | None, day: str) -> None:
    """Never the day of receipt: a redelivery on another day meets the same key."""
    assert keys.day(time) == day


@pytest.mark.parametrize(
    ("state", "key"),
    [
        ("Success", "jobs/dt=2022-07-25/j1.json"),
        ("Failed", "jobs/dt=2022-07-25/j1.json"),
        ("Running", "_unfinished/dt=2022-07-25/j1-~52unning.json"),
        ("../x", "_unfinished/dt=2022-07-25/j1-~2E~2E~2Fx.json"),
    ],
)
def test_a_record_is_kept_by_day_and_job(state: str, key: str) -> None:
    """A terminal one has one key; an unfinished one has a key for each state."""
    assert keys.record(job(State=state, CreationTime="2022-07-25T23:35:39+0800")) == key


def test_a_job_without_a_state_stands_aside_too() -> None:
    """It is not known to have ended."""
    assert keys.record(job()) == "_unfinished/dt=1970-01-01/j1-none.json"


def test_a_run_of_a_workflow_is_kept_by_its_id() -> None:
    """Aside as long as it runs."""
    run = {"RunId": "i1", "CreateTime": "2022-08-09 14:54:17+0800"}
    (ended,) = records(as_json({"WorkflowExecution": run | {"State": "Failed"}}))
    (running,) = records(as_json({"WorkflowExecution": run | {"State": "Running"}}))
    assert keys.record(ended) == "workflows/dt=2022-08-09/i1.json"
    assert keys.record(running) == "_unfinished/dt=2022-08-09/i1-~52unning.json"
    assert (keys.is_written_once(ended), keys.is_written_once(running)) == (True, False)


def review(**detail: Any) -> JobRecord:
    """A review with these nodes."""
    tree = {"EventName": "ReviewVideo", "JobsDetail": {"JobId": "av1"} | detail}
    (record,) = records(as_json(tree))
    return record


def test_no_report_of_a_review_overwrites_another() -> None:
    """CI reports a live one with each batch of pictures, in a state that is not terminal."""
    first = review(State="Auditing", CreationTime="2022-04-08T11:05:57+08:00", SnapshotCount=1)
    second = review(State="Auditing", CreationTime="2022-04-08T11:05:57+08:00", SnapshotCount=2)
    again = review(CreationTime="2022-04-08T11:05:57+08:00", State="Auditing", SnapshotCount=1)
    digest = str(first.source["digest"])[:12]
    assert keys.record(first) == f"reviews/dt=2022-04-08/av1-~41uditing-{digest}.json"
    assert keys.record(first) != keys.record(second)
    assert keys.record(first) == keys.record(again)
    assert keys.is_written_once(first)


def test_a_simple_review_is_kept_as_such() -> None:
    """It has no state."""
    (record,) = records(as_json({"code": 0, "message": "success", "data": {"trace_id": "sa1"}}))
    digest = str(record.source["digest"])[:12]
    assert keys.record(record) == f"reviews/dt=1970-01-01/sa1-simple-{digest}.json"


def test_every_key_that_can_be_made_is_below_a_prefix_of_the_table() -> None:
    """The table is whole, and no prefix is a part of another."""
    made = [
        keys.record(job(State="Success")),
        keys.record(job(State="Running")),
        keys.record(review(State="Success")),
        keys.job("j1", None),
        keys.attempt("j1", 2),
        keys.lineage("j1"),
        keys.progress("Transcode"),
        keys.dead("ab", "2026-11-21T08:00:00Z"),
        keys.spilled("2026-11-21T08:00:00Z", 4, "ab"),
    ]
    assert all(any(key.startswith(prefix) for prefix in keys.PREFIXES) for key in made)
    assert not any(
        prefix != other and prefix.startswith(other)
        for prefix in keys.PREFIXES
        for other in keys.PREFIXES
    )
    assert set(keys.PREFIXES) >= keys.DELETED_BELOW


def test_no_prefix_is_written_out_anywhere_else() -> None:
    """A second table would drift from the first."""
    root = Path(__file__).parents[2]
    written = re.compile("[\"'](" + "|".join(map(re.escape, keys.PREFIXES)) + ")[^\"']*[\"']")
    places = [
        f"{path.relative_to(root)}:{number}"
        for folder in ("handler", "ci_callback")
        for path in sorted((root / folder).rglob("*.py"))
        if path != root / "handler/ledger/keys.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if written.search(line)
    ]
    assert places == []


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("jobs/dt=2026-11-26/j1.json", True),
        ("_sweep/1790000000-ab", True),
        ("_sweep/", False),
        ("jobs/dt=2026-11-26/", False),
        ("jobs/.DS_Store", False),
        ("jobs/.sync/j1.json", False),
        ("/jobs/j1.json", False),
        ("jobs//j1.json", False),
        ("jobs/../j1.json", False),
        ("", False),
    ],
)
def test_what_can_be_a_key(key: str, expected: bool) -> None:
    """A folder marker and a hidden file can't."""
    assert keys.is_key(key) is expected


def test_a_dead_letter_is_kept_by_its_digest() -> None:
    """So the same body is kept once a day."""
    assert keys.dead("ab", "2026-11-21T08:00:00Z") == "_dead/dt=2026-11-21/ab.json"


@given(st.text(st.characters(), max_size=100))
def test_a_name_that_is_written_out_can_be_read_back(text: str) -> None:
    """A long one can't: it is shown as it is."""
    written = keys.name(text)
    assert keys.sent(written) == (text if len(written) <= keys.MAX_NAME_CHARS else written)


def test_what_no_name_is_made_of_is_read_back_all_the_same() -> None:
    """A file that somebody else put there."""
    assert keys.sent("~2é~7E") == "~2?~"
