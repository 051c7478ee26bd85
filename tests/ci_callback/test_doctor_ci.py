"""`doctor` on CI: reachable, bound, allowed, and its queues calling this function."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import BUCKET, REGION, Fault
from ci_callback.doctor.queue_rules import Expected, judge
from tests.ci_callback.doctor_services import CONFIG, TOKEN, Services
from tests.test_cam_policy import granted

HOST = "fn.example.com"
GOOD = f"https://{HOST}/?token={TOKEN}"
EXPECTED = Expected(HOST, "/", ("an-older-token", TOKEN), False, BUCKET)


@pytest.fixture(scope="module")
def _started() -> Iterator[Services]:
    with Services("ci", "ci bucket", "ci permissions", "queues", "ledger") as services:
        yield services


@pytest.fixture
def here(_started: Services) -> Services:
    """All services, well."""
    _started.reset()
    return _started


def test_ci_answers_that_it_knows_no_such_job(here: Services) -> None:
    """That is reachable and allowed; nothing is submitted, cancelled or triggered."""
    findings = here.findings()
    assert findings["ci"] == ("ok", f"answers for {BUCKET} in {REGION}", "")
    assert {request.method for request in here.ci.seen} == {"GET"}
    assert here.ci.accepted == []


def test_every_action_of_reading_is_tried(here: Services) -> None:
    """Just those that docs/cam-policy.json grants, but for what a path does not tell apart."""
    status, what, _ = here.findings()["ci permissions"]
    tried = set(re.findall(r"ci:\w+", what))
    reading = {action for action in granted("ci") if action.startswith("ci:Describe")}
    assert status == "ok"
    # At /jobs a single job of a picture or of speech can't be told from one of media.
    assert reading - tried == {"ci:DescribePicProcessJob", "ci:DescribeAsrJob"}
    assert tried <= reading


def test_what_can_not_be_tried_says_so(here: Services) -> None:
    """Submitting costs money."""
    status, what, fix = here.findings()["ci submit"]
    assert status == "skipped"
    assert "can't be tried" in what
    assert "cam:PassRole" in fix


@pytest.mark.parametrize("status", [401, 403])
def test_the_action_that_lacks_is_named(here: Services, status: int) -> None:
    """With its resource; and that a wrong signature looks the same."""
    deny = Fault(before=(status, "AccessDenied"))
    with here.ci.faulty(lambda seen: deny if seen.path == "/doc_jobs" else None):
        findings = here.findings()
    judged = findings["ci permission ci:DescribeDocProcessJobs"]
    assert judged[0] == "fault"
    assert "the signature is wrong" in judged[1]
    resource = f"qcs::ci:*:uid/1250000000:bucket/{BUCKET}/*"
    assert judged[2].startswith(f"grant ci:DescribeDocProcessJobs on {resource}")
    assert "ci permission ci:DescribeDocProcessJob" not in findings
    assert findings["ci permissions"][0] == "ok"


@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (400, "QueueNotFound")])
def test_another_answer_is_a_warning(here: Services, status: int, code: str) -> None:
    """A service that is off for the bucket, or one that is out of order."""
    fault = Fault(before=(status, code))
    with here.ci.faulty(lambda seen: fault if seen.path.startswith("/file_jobs/") else None):
        judged = here.findings()["ci permission ci:DescribeFileProcessJob"]
    assert judged[0] == "warning"
    assert code in judged[1]


def test_a_404_with_a_code_is_leave_to_ask(here: Services) -> None:
    """CI's pages do not say how it tells that it knows no such job."""
    fault = Fault(before=(404, "ResourceNotFound"))
    with here.ci.faulty(lambda seen: fault if "0" * 32 in seen.path else None):
        findings = here.findings()
    assert findings["ci"][0] == findings["ci permissions"][0] == "ok"
    assert not [name for name in findings if name.startswith("ci permission ")]


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (Fault(reset_before=True), "no answer from 127.0.0.1"),
        (Fault(before=(403, "SignatureDoesNotMatch")), "the SecretKey does not fit the SecretId"),
        (Fault(before=(403, "MediaBucketUnBinded")), f"{BUCKET} is not bound to CI"),
        (Fault(body=b"<html/>"), "CI answered something else"),
    ],
)
def test_a_ci_that_is_not_well_is_asked_nothing_else(
    here: Services, fault: Fault, what: str
) -> None:
    """One fault, in one line."""
    with here.ci.faulty(lambda seen: fault):
        findings = here.findings()
    assert findings["ci"][0] == "fault"
    assert what in findings["ci"][1]
    assert findings["ci"][2]
    assert {findings[name][0] for name in ("ci bucket", "ci permissions", "queues")} == {"skipped"}
    assert findings["ledger"][0] == "ok"


def test_a_bucket_without_media_processing(here: Services) -> None:
    """A warning: documents are processed all the same."""
    here.ci.media_buckets = []
    assert here.findings()["ci bucket"][0] == "warning"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("path", ["/mediabucket", "/queue"])
def test_what_doctor_alone_asks_may_be_denied(here: Services, path: str, status: int) -> None:
    """No fault: the function does without."""
    deny = Fault(before=(status, "AccessDenied"))
    with here.ci.faulty(lambda seen: deny if seen.path == path else None):
        findings = here.findings()
    name, action = {
        "/mediabucket": ("ci bucket", "ci:DescribeMediaBuckets"),
        "/queue": ("queue media", "ci:DescribeMediaQueues"),
    }[path]
    assert findings[name][0] == "skipped"
    assert f"grant {action} to these credentials" in findings[name][2]
    assert "fault" not in {finding[0] for finding in findings.values()}


@pytest.mark.parametrize("path", ["/mediabucket", "/queue"])
def test_what_is_not_reported_is_not_judged(here: Services, path: str) -> None:
    """Nor is it said that no queue calls, where one was not told of."""
    with here.ci.faulty(lambda seen: Fault(reset_before=True) if seen.path == path else None):
        findings = here.findings()
    name = "ci bucket" if path == "/mediabucket" else "queue media"
    assert findings[name][0] == "skipped"
    assert findings[name][2] == "try again"
    assert "queues" not in findings


# --- queues --------------------------------------------------------------------------------


def test_a_queue_that_calls_this_function_is_well(here: Services) -> None:
    """The token is compared and not shown."""
    status, what, _ = here.findings()["queue media"]
    assert (status, what) == ("ok", f"calls this function, at https://{here.url.host}/")


def test_without_settings_the_token_of_the_url_is_looked_for(here: Services) -> None:
    """On a machine that does not have the function's own."""
    here.env["CALLBACK_TOKENS"] = "none"
    address = f"https://{here.url.host}/?token="
    assert here.findings(url=address + TOKEN)["queue media"][0] == "ok"
    assert here.findings(url=address + "another-token")["queue media"][0] == "fault"


def test_kinds_that_ci_has_not_are_left_out(here: Services) -> None:
    """A service that is off answers an error, or an empty list."""
    here.ci.no_service = {"/ai_queue"}
    findings = here.findings()
    assert findings["queue ai"][:2] == (
        "skipped",
        f"CI has none for {BUCKET}: CI ai_queue: CI refused it (HTTP 400 MediaBucketUnBinded)",
    )
    assert findings["queue speech"] == ("skipped", f"CI has none for {BUCKET}", "")


def test_where_no_queue_calls_nothing_is_heard(here: Services) -> None:
    """A queue that is off may be meant so; all of them are a fault."""
    here.only_queue("", State="Off", Event="", Type="")
    findings = here.findings()
    assert findings["queue media"][0] == "warning"
    assert findings["queues"][0] == "fault"
    assert "no queue of records-1250000000 calls this function" in findings["queues"][1]
    assert "Queues: callback on, TaskFinish" in findings["queues"][2]


def test_a_queue_that_is_named_must_call(here: Services) -> None:
    """And the others are not asked for."""
    here.ci.queue("/docqueue", "", State="Off")
    findings = here.findings(queues=("document", "file"))
    assert findings["queue document"][0] == "fault"
    assert findings["queue file"][:2] == ("fault", f"CI has none for {BUCKET}")
    assert "queue media" not in findings


def test_several_queues_of_a_kind_have_their_ids(here: Services) -> None:
    """Media has a second one for speed transcoding."""
    here.ci.queue("/queue", here.callback_url("?token=wrong"))
    findings = here.findings()
    assert findings[f"queue media p{1:032}"][0] == "ok"
    assert findings[f"queue media p{2:032}"][0] == "fault"


def test_queues_that_call_are_proposed_for_reconciliation(here: Services) -> None:
    """As `deploy connect` notes them; without RECONCILE_TAGS alone."""
    queue = f"p{1:032}"
    status, what, fix = here.findings()["reconcile queues"]
    assert status == "warning"
    assert f"RECONCILE_QUEUES lacks {queue}" in what
    assert re.search(rf"RECONCILE_QUEUES={queue}@20\d\d-.*Z$", fix)
    here.env["RECONCILE_QUEUES"] = fix.rpartition("=")[2]
    assert here.findings()["reconcile queues"][:2] == ("ok", "1 queues are checked")
    del here.env["RECONCILE_QUEUES"]
    here.env["RECONCILE_TAGS"] = "Transcode:6"
    assert "reconcile queues" not in here.findings()


def test_a_queue_that_calls_no_more_is_not_to_be_looked_at(here: Services) -> None:
    """Its failures would be retried."""
    here.env["RECONCILE_QUEUES"] = f"p{1:032}@2026-11-27T10:40:00Z,p9@2026-11-27T10:40:00Z"
    status, what, _ = here.findings()["reconcile queues"]
    assert (status, "names p9, which CI does not show" in what) == ("warning", True)


def verdict(url: str, expected: Expected = EXPECTED, **values: Any) -> tuple[str, str]:
    """Status and what of a queue with this Url; values of its NotifyConfig."""
    queue = {"State": values.pop("queue_state", "Active"), "NotifyConfig": CONFIG | {"Url": url}}
    queue["NotifyConfig"] |= values
    finding = judge("queue", queue, expected).finding
    return finding.status, finding.what


@pytest.mark.parametrize(
    "url",
    [
        GOOD,
        f"https://{HOST}?token={TOKEN}",
        f"https://{HOST}/callback/?x=1&token=an-older-token",
        f"https://{HOST.upper()}/?token={TOKEN}",
    ],
)
def test_any_token_and_either_path_will_do(url: str) -> None:
    """As the function itself takes them."""
    assert verdict(url)[0] == "ok"


@pytest.mark.parametrize(
    ("url", "values", "status", "words"),
    [
        ("", {}, "warning", "calls no address"),
        (GOOD, {"State": "Off"}, "warning", "calls no address"),
        ("not a url", {}, "warning", "calls no address"),
        ("http://[", {}, "warning", "calls no address"),
        ("", {"Type": "TDMQ"}, "warning", "calls a message queue (TDMQ)"),
        ("https://other.example.com/hook/key", {}, "fault", "calls https://other.example.com/…, n"),
        (f"https://{HOST}:8443/?token={TOKEN}", {}, "fault", f"calls https://{HOST}:8443/, not"),
        (f"https://{HOST}/hooks?token={TOKEN}", {}, "fault", "where the function answers 404"),
        (f"https://{HOST}/", {}, "fault", f"calls https://{HOST}/ without ?token=…"),
        (f"https://{HOST}/?token=", {}, "fault", "without ?token=…"),
        (f"https://{HOST}/?token=x", {}, "fault", "with a token that CALLBACK_TOKENS does not"),
        (f"https://{HOST}/?token=é", {}, "fault", "with a token that CALLBACK_TOKENS does not"),
        (GOOD, {"Event": "WorkflowFinish"}, "fault", "has no TaskFinish"),
        (GOOD, {"queue_state": "Paused"}, "warning", "is paused: its jobs wait"),
        (GOOD.replace("https", "http"), {}, "warning", "by plain http"),
        (GOOD, {"Event": "TaskFinish"}, "ok", "ends of workflow runs are not reported"),
    ],
)
def test_what_is_wrong_with_a_queue(
    url: str, values: dict[str, str], status: str, words: str
) -> None:
    """The first rule that finds something speaks; neither token nor foreign path is shown."""
    finding = verdict(url, EXPECTED, **values)
    assert finding[0] == status
    assert words in finding[1]
    assert TOKEN not in finding[1]
    assert "hook/key" not in finding[1]


def test_without_tokens_and_without_a_url_less_is_compared() -> None:
    """CALLBACK_TOKENS=none lets everyone in; without --url any host may be meant."""
    anywhere = Expected("", "/", (), False, BUCKET)
    assert verdict("https://other.example.com/", anywhere) == (
        "ok",
        "calls, at https://other.example.com/",
    )


def test_a_queue_that_can_not_be_read_calls_nobody() -> None:
    """CI may answer anything."""
    queue_verdict = judge("queue", {"NotifyConfig": ["x"]}, EXPECTED)
    assert (queue_verdict.finding.status, queue_verdict.calls) == ("warning", False)


def test_ci_may_be_another_buckets(here: Services, tmp_path: Path) -> None:
    """CI_BUCKET is asked for, where it is set; with a ledger in a folder too."""
    here.env |= {"LEDGER_URL": f"file:{tmp_path}/ledger", "CI_BUCKET": BUCKET}
    findings = here.findings()
    assert findings["ci"][0] == findings["queue media"][0] == "ok"


def test_without_credentials_ci_is_not_asked(here: Services, tmp_path: Path) -> None:
    """A folder needs none."""
    here.env |= {"LEDGER_URL": f"file:{tmp_path}/ledger", "CI_BUCKET": BUCKET}
    here.env |= {"TENCENTCLOUD_SECRETID": ""}
    findings = here.findings()
    assert findings["ci"][:2] == ("skipped", "there are no credentials to ask CI with")
