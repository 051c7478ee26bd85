"""benchmarks/tool.py and its ledgers: what is measured is a ledger as it is stored."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import figures, tool
from benchmarks.made_up import day_of_records
from benchmarks.stub_objects import Objects, Range
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.folder import FolderStore
from tests.records import DAY


def test_a_made_up_day_holds_records_under_their_keys(tmp_path: Path) -> None:
    """The same ones in a folder and on the stub of COS."""
    tool.write(tmp_path, day_of_records(DAY, 30))
    objects = Objects()
    objects.declare(day_of_records(DAY, 30, "ci/"))
    store = FolderStore(tmp_path)
    found = list(store.list("jobs/"))
    assert len(found) == 30
    for key in found:
        line = store.get(key) or b""
        assert objects.get(f"ci/{key}") == line
        assert keys.record(JobRecord.from_json(line)) == key


def test_made_up_records_differ_as_real_ones_do() -> None:
    """In ids, names and times: equal ones would compress to nothing."""
    made = day_of_records(DAY, 1_000)
    lines = [json.loads(made.content(number)) for number in range(1_000)]
    assert len({line["input"]["object"] for line in lines}) == 1_000
    times = [line["created_at"] for line in lines]
    assert times == sorted(times)
    assert len(set(times)) == 1_000


def test_a_range_without_marks_is_the_same_text() -> None:
    """But for the number of each."""
    assert Range("a", ".json", 3, 5, b"x@KEY@").content(4) == b"x004"


def test_requests_are_read_as_the_command_prints_them() -> None:
    """Other lines on stderr are not looked at."""
    printed = "a hint\nrequests to the ledger: 100,010 GET, 14 LIST, 2 PUT\n"
    assert tool.requests_of(printed) == {"GET": 100_010, "LIST": 14, "PUT": 2}
    assert tool.requests_of("requests to the ledger: none\n") == {}


def test_the_days_are_the_last_ones() -> None:
    """`show` asks for the last four by the job's key."""
    days = tool.last_days()
    assert len(days) == tool.DAYS
    assert days == sorted(days)


def test_every_command_has_a_bar_in_both_places() -> None:
    """What people wait for, and what COS is paid for."""
    bars = [bar.top for bar in figures.BARS if bar.top.startswith("tool.")]
    for what in ("jobs", "jobs.gets", "show.gets", "show_old.gets", "query_first", "query_next"):
        assert {f"tool.folder.{what}", f"tool.cos.{what}"} <= set(bars)
