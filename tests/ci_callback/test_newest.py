"""newest.py and job_lookup.py: `jobs` and `show` read what they show, and no more."""

from __future__ import annotations

import os
import shutil
import threading
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.job_parts import history
from ci_callback.ledger_reader import ALL_DAYS, FOLDERS, DayRange, StoredRecord
from ci_callback.newest import Search, newest
from handler.ledger import keys
from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Ticket
from tests.records import keep, record
from tests.stores import MemoryStore

ALL = (*FOLDERS, "_unfinished")


class Counting(FolderStore):
    """Counts requests, as COS would be paid for them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: Counter[str] = Counter()
        self.days: list[str] = []

    def get(self, key: str) -> bytes | None:
        self.asked["get"] += 1
        return super().get(key)

    def dated(self, prefix: str) -> Any:
        self.days.append(prefix)
        return super().dated(prefix)


@pytest.fixture(scope="module")
def ten_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty records a day; a record's number is the order in which it was written."""
    folder = tmp_path_factory.mktemp("ten_days")
    store = FolderStore(folder)
    for day in range(1, 11):
        for number in range(30):
            (key,) = keep(store, record(f"j{number * 7 % 30:02d}", f"2026-09-{day:02d}"))
            moment = 1_790_000_000 + number
            os.utime(folder / key, (moment, moment))
    return folder


@pytest.fixture
def store(ten_days: Path, tmp_path: Path) -> Counting:
    """A copy, times included."""
    shutil.copytree(ten_days, tmp_path, dirs_exist_ok=True)
    return Counting(tmp_path)


def ids(found: list[StoredRecord]) -> list[tuple[str, str]]:
    """Day and job of each."""
    return [
        (stored.key.split("/")[1][-2:], stored.record.job_id) for stored in found if stored.record
    ]


def anything(stored: StoredRecord) -> bool:
    return stored.record is not None


def test_what_was_written_last_is_read_and_nothing_else(store: Counting) -> None:
    """Of the newest day, without a look into the others."""
    found = newest(store, ALL_DAYS, ALL, 5, Search(anything))
    assert sorted(ids(found)) == sorted(("10", f"j{n * 7 % 30:02d}") for n in range(25, 30))
    assert store.asked == {"get": 5}
    assert store.days == ["jobs/dt=2026-09-10/"]


def test_more_than_a_day_goes_on_with_the_day_before(store: Counting) -> None:
    """The newest day first."""
    found = newest(store, ALL_DAYS, ALL, 40, Search(anything))
    assert Counter(day for day, _ in ids(found)) == {"10": 30, "09": 10}
    assert store.asked["get"] == 40


def test_a_filter_reads_on_until_there_are_enough(store: Counting) -> None:
    """And to the end where there are not."""

    def is_wanted(stored: StoredRecord) -> bool:
        return stored.record is not None and stored.record.job_id == "j03"

    assert len(newest(store, ALL_DAYS, ALL, 2, Search(is_wanted))) == 2
    assert store.asked["get"] <= 60
    assert len(newest(store, ALL_DAYS, ALL, 99, Search(is_wanted))) == 10


def test_days_bound_what_is_listed(store: Counting) -> None:
    """None outside of them."""
    days = DayRange(datetime(2026, 9, 3).date(), datetime(2026, 9, 4).date())
    assert len(newest(store, days, ALL, 99, Search(anything))) == 60
    assert store.days == ["jobs/dt=2026-09-04/", "jobs/dt=2026-09-03/"]


def test_jobs_without_a_day_come_last_unless_they_have_a_twin(store: Counting) -> None:
    """Which is known once all days are listed."""
    keep(store, record("j03", created_at=None), record("lone", created_at=None))
    found = newest(store, ALL_DAYS, ALL, 999, Search(anything))
    assert len(found) == 301
    assert ids(found)[-1] == ("01", "lone")


def test_a_store_that_tells_no_times_is_read_by_name() -> None:
    """A wrapper, say."""
    store = MemoryStore()
    keep(store, *(record(f"j{n}") for n in range(9)))
    assert sorted(ids(newest(store, ALL_DAYS, ALL, 2, Search(anything)))) == [
        ("20", "j7"),
        ("20", "j8"),
    ]


def test_a_folder_tells_when_its_objects_were_written(store: Counting) -> None:
    """In the form of COS."""
    (key, at), *_ = store.dated("jobs/dt=2026-09-10/j00")
    assert (key, at) == ("jobs/dt=2026-09-10/j00.json", "2026-09-21T14:13:20Z")


def test_a_job_of_the_last_days_is_shown_with_few_requests(store: Counting) -> None:
    """Its attempts and the tickets that name it, among 50 others."""
    today = datetime.now(timezone.utc)
    day = (today - timedelta(1)).strftime("%Y-%m-%d")
    root = record("jroot", day, outcome="failed", state="Failed")
    keep(store, root)
    for number in range(50):
        ticket = Ticket("watch", f"jother{number}", "Success", due=int(today.timestamp()))
        store.put(keys.OUTBOX + ticket.name, ticket.to_json())
    ticket = Ticket("retry", "jroot", "failed", due=int(today.timestamp()))
    store.put(keys.OUTBOX + ticket.name, ticket.to_json())
    store.asked.clear()
    job = history(store, "jroot")
    assert [stored.record for stored in job.records] == [root]
    assert [stored.ticket for stored in job.tickets] == [ticket]
    assert store.asked["get"] <= 15


def test_an_old_job_is_found_by_its_name_in_each_day(store: Counting) -> None:
    """Without reading the others, reviews and earlier states included."""
    running = record("j03", "2026-09-02", state="Running", outcome="unfinished", ended_at=None)
    keep(store, running)
    store.asked.clear()
    job = history(store, "j03")
    assert len(job.records) == 11
    assert store.asked["get"] <= 11 + 15
    assert history(store, "nobody").is_empty


def test_verbose_says_how_many_requests_were_sent(
    store: Counting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On stderr, by kind."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}")
    monkeypatch.delenv("CI_CALLBACK_VERBOSE", raising=False)
    quiet = CliRunner().invoke(app, ["jobs", "--limit", "3"])
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    monkeypatch.setenv("CI_CALLBACK_VERBOSE", "")  # given back at the end
    result = CliRunner().invoke(app, ["-v", "jobs", "--limit", "3"])
    assert result.stdout == quiet.stdout
    assert result.stderr == "requests to the ledger: 3 GET, 5 LIST\n"


class Together(FolderStore):
    """Answers a listing once so many others are asked for."""

    def __init__(self, root: Path, count: int) -> None:
        super().__init__(root)
        self.others = threading.Barrier(count, timeout=60)

    def folders(self, prefix: str) -> Any:
        self.others.wait()
        return super().folders(prefix)

    def dated(self, prefix: str) -> Any:
        self.others.wait()
        return super().dated(prefix)


def test_the_folders_of_a_day_are_listed_at_a_time(tmp_path: Path) -> None:
    """On COS each takes its round trip."""
    store = Together(tmp_path, 2)
    keep(store, record("a"), record("w", kind="workflow"))
    found = newest(store, ALL_DAYS, ("jobs", "workflows"), 5, Search(lambda stored: True))
    assert len(found) == 2
