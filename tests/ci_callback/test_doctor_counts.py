"""`doctor` on CI's own count of media jobs and the ledger's."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.cloud_simulator import CloudSimulator
from ci_callback.doctor import on_counts
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.findings import Finding
from handler.callback.record import JobRecord
from handler.clock import rfc3339_of
from handler.http_client import HttpClient
from handler.ledger.folder import FolderStore
from handler.settings import Settings
from tests.records import keep, record

BUCKET = "media-1250000000"
NOW = time.time() // 60 * 60
HOUR = 3_600


class Ledger:
    """A folder, and an account whose CI counts."""

    def __init__(self, folder: Path, account: CloudSimulator) -> None:
        self.folder, self.account = folder, account
        self.store = FolderStore(folder)

    def ended(self, job_id: str, at: float, outcome: str = "succeeded") -> None:
        """A callback came. at: epoch seconds."""
        day = rfc3339_of(at)[:10]
        job: JobRecord = record(job_id, day, outcome=outcome)
        (key,) = keep(self.store, job)
        os.utime(self.folder / key, (at, at))

    def counted(self, number: int, at: float, bucket: str = BUCKET) -> None:
        """CI counts jobs that succeeded."""
        self.account.monitor.count(on_counts.METRIC, bucket, at, number)

    def finding(self, **env: str) -> Finding:
        """What doctor finds."""
        settings = Settings.from_env(
            {
                "LEDGER_URL": f"file:{self.folder}",
                "CI_BUCKET": BUCKET,
                "COS_REGION": "ap-beijing",
                "TENCENTCLOUD_SECRETID": SECRET_ID,
                "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
                **env,
            }
        )
        client = HttpClient()
        target = Target(scf_endpoint=self.account.endpoint)
        try:
            (found,) = on_counts.media_jobs(Case(settings, target, client, lambda: NOW))
        finally:
            client.close()
        return found


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """With a job of days ago, so that it is old enough."""
    with CloudSimulator() as account:
        made = Ledger(tmp_path / "ledger", account)
        made.ended("jold", NOW - 4 * 24 * HOUR)
        yield made


def test_as_many_callbacks_as_ci_counted_are_well(ledger: Ledger) -> None:
    """Of several minutes, added up: the service gives the largest of a longer period."""
    for at in range(6):
        ledger.ended(f"j{at}", NOW - (at + 1) * HOUR)
        ledger.counted(1, NOW - (at + 1) * HOUR)
    found = ledger.finding()
    assert (found.status, "CI counted 6" in found.what, "has 6" in found.what) == ("ok", True, True)


def test_a_callback_that_never_came_is_a_warning_with_what_to_do(ledger: Ledger) -> None:
    """Failed jobs and those of other families do not fill the gap."""
    ledger.ended("j1", NOW - HOUR)
    ledger.ended("j2", NOW - HOUR, "failed")
    ledger.ended("d3", NOW - HOUR)
    ledger.counted(3, NOW - HOUR)
    found = ledger.finding()
    assert found.status == "warning"
    assert "CI counted 3" in found.what
    assert "2 callbacks may never have come" in found.what
    assert "reconcile --tag" in found.fix


@pytest.mark.parametrize(("missing", "status"), [(1, "ok"), (2, "warning")])
def test_one_in_a_hundred_is_no_gap(ledger: Ledger, missing: int, status: str) -> None:
    """A job at either end of the window is counted on one side alone."""
    for number in range(20):
        ledger.ended(f"j{number}", NOW - 2 * HOUR)
    for _ in range(99):
        ledger.counted(1, NOW - 2 * HOUR)
    for number in range(20, 99 - missing + 1):
        ledger.ended(f"j{number}", NOW - 2 * HOUR)
    ledger.counted(1, NOW - 3 * HOUR)
    assert ledger.finding().status == status


def test_the_last_minutes_do_not_count(ledger: Ledger) -> None:
    """Neither the metric nor the callback is there yet."""
    ledger.counted(5, NOW - on_counts.LAG_S + 60)
    assert ledger.finding().status == "ok"


def test_a_callback_that_came_a_little_later_counts(ledger: Ledger) -> None:
    """Its job ended within the window."""
    ledger.counted(1, NOW - on_counts.LAG_S - 60)
    ledger.ended("j1", NOW - on_counts.LAG_S + 120)
    assert ledger.finding().status == "ok"


def test_what_came_before_the_ledger_was_there_is_no_gap(tmp_path: Path) -> None:
    """The function was deployed an hour ago."""
    with CloudSimulator() as account:
        young = Ledger(tmp_path / "young", account)
        young.counted(50, NOW - 5 * HOUR)
        young.ended("j1", NOW - HOUR)
        young.counted(1, NOW - HOUR)
        found = young.finding()
    assert (found.status, "in 0.8 hours" in found.what) == ("ok", True)


def test_an_empty_ledger_whose_ci_works_is_a_warning(tmp_path: Path) -> None:
    """No queue calls it."""
    with CloudSimulator() as account:
        empty = Ledger(tmp_path / "empty", account)
        empty.counted(50, NOW - 5 * HOUR)
        found = empty.finding()
    assert (found.status, "the ledger has 0" in found.what) == ("warning", True)


def test_every_bucket_of_the_function_is_counted(ledger: Ledger) -> None:
    """Also more of them than one request takes."""
    others = [f"media{number}-1250000000" for number in range(on_counts.INSTANCES + 1)]
    for number, bucket in enumerate(others):
        ledger.counted(1, NOW - HOUR, bucket)
        ledger.ended(f"j{number}", NOW - HOUR)
    found = ledger.finding(ALLOWED_BUCKETS=",".join([BUCKET, *others]))
    assert (found.status, f"CI counted {len(others)}" in found.what) == ("ok", True)


def test_many_records_are_counted_without_reading_them(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that those that failed are among them; far more are not compared."""
    for number in range(3):
        ledger.ended(f"j{number}", NOW - HOUR, "failed")
    ledger.counted(3, NOW - HOUR)
    monkeypatch.setattr(on_counts, "MAX_READ", 2)
    assert "those that failed included" in ledger.finding().what
    monkeypatch.setattr(on_counts, "MAX_LISTED", 2)
    assert (ledger.finding().status, "not compared" in ledger.finding().what) == ("skipped", True)


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InternalError"])
def test_without_an_answer_it_is_skipped(ledger: Ledger, code: str) -> None:
    """The right is named where it is lacking."""
    ledger.account.faults.refuse("GetMonitorData", code)
    found = ledger.finding()
    assert (found.status, code in found.what) == ("skipped", True)
    assert ("monitor:GetMonitorData" in found.fix) == (code == "UnauthorizedOperation")


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"CI_BUCKET": ""}, "name no CI"),
        ({"TENCENTCLOUD_SECRETID": "", "TENCENTCLOUD_SECRETKEY": ""}, "no credentials"),
    ],
)
def test_without_a_bucket_or_keys_it_is_skipped(
    ledger: Ledger, env: dict[str, str], why: str
) -> None:
    """Nothing is asked."""
    found = ledger.finding(**env)
    assert (found.status, why in found.what) == ("skipped", True)
    assert ledger.account.seen == []


def test_a_stand_in_for_cos_has_no_count(ledger: Ledger) -> None:
    """Tencent's own API is not asked about it."""
    settings = Settings.from_env(
        {
            "LEDGER_URL": f"file:{ledger.folder}",
            "CI_BUCKET": BUCKET,
            "COS_REGION": "ap-beijing",
            "COS_ENDPOINT": "http://127.0.0.1:1",
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
        }
    )
    client = HttpClient()
    (found,) = on_counts.media_jobs(Case(settings, Target(), client, lambda: NOW))
    client.close()
    assert (found.status, "simulator" in found.what) == ("skipped", True)
