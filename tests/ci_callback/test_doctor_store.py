"""`doctor` on the ledger: bucket, versioning, permissions by trying, a folder, the clock."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from ci_callback.doctor import cos_api, on_clock, on_store
from ci_callback.doctor import store_check as on_trial
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.findings import Finding
from handler.http_client import HttpClient
from handler.settings import Settings
from tests.alert_services import closed_port
from tests.ci_callback.doctor_services import Clock, Services
from tests.fake_cos import BUCKET, REGION, Fault, Seen


@pytest.fixture(scope="module")
def _started() -> Iterator[Services]:
    with Services("bucket", "versioning", "ledger", "ci") as services:
        yield services


@pytest.fixture
def here(_started: Services) -> Services:
    """All services, well."""
    _started.reset()
    return _started


def case_of(env: dict[str, str]) -> Case:
    """What a check is given."""
    return Case(Settings.from_env(env), Target(), HttpClient(), time.time)


@pytest.mark.parametrize("stated", [REGION, f"cos.{REGION}", ""])
def test_a_bucket_in_its_region_is_well(here: Services, stated: str) -> None:
    """An older page prints the region with a prefix."""
    here.cos.location = stated
    assert here.findings()["bucket"][0] == "ok"


def test_a_bucket_in_another_region(here: Services) -> None:
    """The setting that is meant is printed."""
    here.cos.location = "ap-beijing"
    findings = here.findings()
    what = f"{BUCKET} is in ap-beijing, not in {REGION}"
    assert findings["bucket"] == ("fault", what, "COS_REGION=ap-beijing")
    assert findings["ledger"][0] == findings["versioning"][0] == "skipped"


def test_a_bucket_that_is_not_there(here: Services) -> None:
    """COS says so."""
    here.env["LEDGER_URL"] = "cos://nobody-1250000000/ci"
    status, what, fix = here.findings()["bucket"]
    assert (status, what) == ("fault", f"COS knows no bucket nobody-1250000000 in {REGION}")
    assert "create it at https://console.cloud.tencent.com/cos/bucket" in fix


def test_a_secret_key_that_does_not_fit(here: Services) -> None:
    """One fault, and not the same in every line."""
    here.env["TENCENTCLOUD_SECRETKEY"] = "some-other-key"
    findings = here.findings()
    assert findings["credentials"][0] == "fault"
    assert findings["credentials"][1].startswith("the SecretKey does not fit the SecretId")
    assert "console.cloud.tencent.com/cam/capi" in findings["credentials"][2]
    assert findings["ledger"][0] == "skipped"


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("InvalidAccessKeyId", "the SecretId is not known"),
        ("ExpiredToken", "the session token is not valid, or not any more"),
        ("RequestTimeTooSkewed", "COS takes the request for too old or too new"),
    ],
)
def test_what_cos_says_of_the_credentials(here: Services, code: str, what: str) -> None:
    """In words, with the code behind."""
    with here.cos.faulty(lambda seen: Fault(before=(403, code))):
        assert here.findings()["credentials"][1] == f"{what} (HTTP 403 {code})"


def test_a_session_token_is_sent_and_signed(here: Services) -> None:
    """As the function's own are."""
    here.env["TENCENTCLOUD_SESSIONTOKEN"] = here.cos.security_token = "session-token"
    here.ci.security_token = here.scf.token = "session-token"
    findings = here.findings()
    assert {findings[name][0] for name in ("bucket", "versioning", "ledger", "ci")} == {"ok"}
    asked = [seen for seen in here.cos.seen if seen.query.startswith("location")]
    assert "x-cos-security-token" in asked[0].headers["authorization"]


def refused(
    query: str, status: int = 403, code: str = "AccessDenied"
) -> Callable[[Seen], Fault | None]:
    """A fault for requests about the bucket itself."""
    return lambda seen: Fault(before=(status, code)) if seen.query.startswith(query) else None


def test_the_region_may_be_missing_from_the_answer(here: Services) -> None:
    """The function's role may lack what doctor alone asks: no fault."""
    with here.cos.faulty(refused("location")):
        findings = here.findings()
    assert findings["bucket"][0] == "ok"
    assert findings["bucket"][1].endswith("without cos:GetBucketLocation")
    assert findings["ledger"][0] == "ok"


@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (405, "MethodNotAllowed")])
def test_another_refusal_is_reported_as_it_is(here: Services, status: int, code: str) -> None:
    """With the page to look at."""
    with here.cos.faulty(refused("location", status, code)):
        finding = here.findings()["bucket"]
    assert finding[0] == "fault"
    assert finding[1].endswith(f": HTTP {status} {code}")


def test_something_else_than_cos_answers(here: Services) -> None:
    """A web page, say."""
    with here.cos.faulty(lambda seen: Fault(body=b"<html>hello</html><p>")):
        assert here.findings()["bucket"][:2] == (
            "fault",
            f"COS refused to describe {BUCKET} in {REGION}: HTTP 200",
        )


@pytest.mark.parametrize("state", ["Enabled", "Suspended"])
def test_versioning_that_was_ever_on_is_a_fault(here: Services, state: str) -> None:
    """It can't be undone; and put_new is seen to write over a key."""
    here.cos.versioning = state
    findings = here.findings()
    status, what, fix = findings["versioning"]
    assert status == "fault"
    assert what.startswith(f"{state}: put_new (x-cos-forbid-overwrite) does not hold")
    assert "create a bucket without it" in fix
    assert findings["ledger put_new"][0] == "fault"
    assert findings["ledger put_new"][1].startswith("wrote over a key that exists")
    assert here.run(*here.arguments)[0] == 1


def test_versioning_that_can_not_be_read(here: Services) -> None:
    """The function needs no right to ask: what put_new does is tried all the same."""
    with here.cos.faulty(refused("versioning")):
        findings = here.findings()
    assert findings["versioning"][:2] == ("skipped", "COS did not answer: HTTP 403 AccessDenied")
    assert "cos:GetBucketVersioning" in findings["versioning"][2]
    assert findings["ledger"][0] == "ok"


def lacking(action: str) -> Callable[[Seen], Fault | None]:
    """A CAM that lacks one action below the prefix."""
    methods = {"PutObject": "PUT", "GetObject": "GET", "DeleteObject": "DELETE"}

    def judge(seen: Seen) -> Fault | None:
        listing = seen.method == "GET" and not seen.key and "prefix=" in seen.query
        hit = listing if action == "GetBucket" else seen.key and seen.method == methods[action]
        return Fault(before=(403, "AccessDenied")) if hit else None

    return judge


@pytest.mark.parametrize(
    ("action", "operations"),
    [
        ("PutObject", {"put_new", "put"}),
        ("GetObject", {"get"}),
        ("GetBucket", {"list"}),
        ("DeleteObject", {"delete"}),
    ],
)
def test_the_action_that_lacks_is_named(here: Services, action: str, operations: set[str]) -> None:
    """With the resource it is to be granted on; what works is told too."""
    with here.cos.faulty(lacking(action)):
        findings = here.findings()
    faults = {name.removeprefix("ledger ") for name in findings if name.startswith("ledger ")}
    assert faults == operations
    for name in operations:
        status, what, fix = findings[f"ledger {name}"]
        assert status == "fault"
        assert what.startswith("COS refused it (403 AccessDenied)")
        resource = f"qcs::cos:{REGION}:uid/1250000000:{BUCKET}/ci/*"
        assert fix.startswith(f"grant name/cos:{action} on {resource} at https://console")
    assert findings["ledger"][0] == "ok"
    left = here.cos.keys("ci/_doctor/")
    assert len(left) == (1 if action == "DeleteObject" else 0)
    if left:
        assert findings["ledger delete"][1].endswith(f"; {left[0]} may be left")


def test_a_store_that_stops_answering_half_way(here: Services) -> None:
    """It is no matter of permissions: the status is that of a store out of reach."""
    reset = lambda seen: Fault(reset_before=True) if seen.key else None  # noqa: E731  # a line says more than three
    with here.cos.faulty(reset):
        status, out = here.run(*here.arguments)
    assert status == 4
    assert "(no answer)" in out
    with here.cos.faulty(lambda seen: Fault(before=(503, "SlowDown")) if seen.key else None):
        assert "try again; if it stays" in here.findings()["ledger put"][2]
    with here.cos.faulty(lambda seen: Fault(before=(403, "ExpiredToken")) if seen.key else None):
        assert "take new temporary credentials" in here.findings()["ledger put"][2]


def test_a_store_that_keeps_something_else(here: Services) -> None:
    """What is read back is compared, and a new key must be new."""
    with here.cos.faulty(lambda s: Fault(body=b"other") if s.key and s.method == "GET" else None):
        assert here.findings()["ledger get"][1] == "read other content than was written"
    taken = lambda s: Fault(before=(409, "FileAlreadyExists")) if s.method == "PUT" else None  # noqa: E731  # a line says more than three
    with here.cos.faulty(taken):
        assert "that was never written" in here.findings()["ledger put_new"][1]


# --- a folder ------------------------------------------------------------------------------


def folder_case(folder: Path) -> Case:
    return case_of({"LEDGER_URL": f"file:{folder}"})


def test_a_folder_that_is_there_keeps_what_is_in_it(tmp_path: Path) -> None:
    """Only the keys of doctor's own go."""
    (tmp_path / "jobs").mkdir()
    (finding,) = on_trial.trial(folder_case(tmp_path))
    assert finding.status == "ok"
    assert [path.name for path in tmp_path.iterdir()] == ["jobs"]


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    """Each operation that fails is told, with the command that shows why; exit status 4."""
    (tmp_path / "ledger").write_bytes(b"")
    findings = on_trial.trial(folder_case(tmp_path / "ledger"))
    faults = [finding for finding in findings if finding.status == "fault"]
    assert "ledger put_new" in {finding.name for finding in faults}
    assert {finding.exit for finding in faults} == {4}
    assert all(f"ls -ld {tmp_path}/ledger" in finding.fix for finding in faults)


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """put_new can't be atomic there: a fault, though all else works."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    findings = on_trial.trial(folder_case(tmp_path))
    assert [(finding.name, finding.status) for finding in findings] == [
        ("ledger put_new", "fault"),
        ("ledger", "ok"),
    ]
    assert "hard links" in findings[0].fix
    assert list(tmp_path.iterdir()) == []


# --- the spill -----------------------------------------------------------------------------


def spill_case(ledger: Path, spill: Path) -> Case:
    return case_of({"LEDGER_URL": f"file:{ledger}", "SPILL_URL": f"file:{spill}"})


def test_a_spill_is_tried_as_the_ledger_is(tmp_path: Path) -> None:
    """Below its own prefix; nothing is left."""
    (found,) = on_trial.spill(spill_case(tmp_path / "ledger", tmp_path / "spill"))
    assert (found.name, found.status) == ("spill", "ok")
    assert found.what.startswith("tried with a key of its own: put_new, put, get, list, delete")
    assert list(tmp_path.iterdir()) == []


def test_a_spill_that_can_not_be_written_is_a_fault(tmp_path: Path) -> None:
    """With the command that shows why. The ledger is another place, and well."""
    (tmp_path / "spill").write_bytes(b"")
    case = spill_case(tmp_path / "ledger", tmp_path / "spill")
    found = on_trial.spill(case)
    faults = {one.name: one.fix for one in found if one.status == "fault"}
    assert f"ls -ld {tmp_path}/spill" in faults["spill put_new"]
    assert [one.status for one in on_trial.trial(case)] == ["ok"]


def test_a_spill_without_rights_names_its_bucket_and_region(here: Services) -> None:
    """It is another bucket, in another region, and below _spill/ only."""
    url = "cos://spilled-1250000000/ci#region=ap-beijing"
    case = case_of({**here.env, "SPILL_URL": url})
    with here.cos.faulty(lambda seen: Fault(before=(403, "AccessDenied"))):
        found = {one.name: one for one in on_trial.spill(case)}
    put = found["spill put_new"]
    assert put.status == "fault"
    assert (
        "name/cos:PutObject on qcs::cos:ap-beijing:uid/1250000000:spilled-1250000000/ci/" in put.fix
    )
    assert {one.key.split("-")[0] for one in here.cos.seen if one.key} == {"ci/_spill/doctor"}


def test_no_spill_is_no_fault(tmp_path: Path) -> None:
    """It says what that means."""
    (found,) = on_trial.spill(folder_case(tmp_path))
    assert found.status == "skipped"
    assert "only the log" in found.what


@pytest.mark.parametrize(
    ("free", "status"), [(4 * 1024**2, "fault"), (50 * 1024**2, "warning"), (1024**3, "ok")]
)
def test_room(free: int, status: str) -> None:
    """In MiB, at the folder."""
    finding = on_store.judge_room(free, "/data/ledger")
    assert finding.status == status
    assert finding.what == f"{free // 1024**2:,} MiB are free at /data/ledger"
    assert ("df -h /data/ledger" in finding.fix) == (status != "ok")


# --- the clock -----------------------------------------------------------------------------


def clock_at(here: Services, endpoint: str) -> Finding:
    """What the check says where COS's clock is that of an endpoint."""
    (finding,) = on_clock.clock(case_of(here.env | {"COS_ENDPOINT": endpoint}))
    return finding


@pytest.mark.parametrize(
    ("ahead_s", "status", "words"),
    [
        (0, "ok", ""),
        (-50, "ok", "50 s ahead of COS's"),
        (120, "warning", "120 s behind COS's: some signatures fail"),
        (-2000, "fault", "2000 s ahead of COS's: signatures fail"),
    ],
)
def test_the_clocks_are_compared(here: Services, ahead_s: float, status: str, words: str) -> None:
    """By the Date of COS's answer, even of a refusal; a Date has whole seconds."""
    with Clock(ahead_s) as clock:
        finding = clock_at(here, clock.endpoint)
    assert finding.status == status
    if ahead_s:
        seconds, _, rest = finding.what.partition(" ")
        assert abs(int(seconds) - abs(ahead_s)) <= 5
        assert rest == words.partition(" ")[2]
    assert ("timedatectl set-ntp true" in finding.fix) == (status != "ok")


@pytest.mark.parametrize("off", [60, -60, 900.4])
def test_the_bounds_of_the_clock(off: float) -> None:
    """Over 60 s a warning, over 900 s a fault; both ways."""
    assert on_clock.judge(off).status == ("ok" if abs(off) <= 60 else "warning")
    assert on_clock.judge(off + 1 if off > 0 else off - 1).status != "ok"
    assert on_clock.judge(901).status == on_clock.judge(-901).status == "fault"


@pytest.mark.parametrize("date", ["", "tomorrow"])
def test_an_answer_without_a_date(here: Services, date: str) -> None:
    """Nothing is said of the clock."""
    with Clock(date=date) as clock:
        assert clock_at(here, clock.endpoint).status == "skipped"


def test_a_clock_out_of_reach(here: Services) -> None:
    """That is the bucket's fault to tell."""
    finding = clock_at(here, f"http://127.0.0.1:{closed_port()}")
    assert (finding.status, finding.what[:20]) == ("skipped", "COS can't be reached")


def test_without_an_endpoint_the_clock_is_asked_by_https(
    here: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the bucket's own host, which the connection here is led away from."""
    asked: list[str] = []

    def nowhere(host: str, timeout: float) -> HTTPSConnection:
        asked.append(host)
        return HTTPSConnection("127.0.0.1", closed_port(), timeout=timeout)

    monkeypatch.setattr(cos_api, "HTTPSConnection", nowhere)
    env = {name: value for name, value in here.env.items() if name != "COS_ENDPOINT"}
    (finding,) = on_clock.clock(case_of(env))
    assert asked == [f"{BUCKET}.cos.{REGION}.myqcloud.com"]
    assert finding.status == "skipped"
