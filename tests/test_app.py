"""app.py: one event in, one answer out, and what is kept in between."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import index
from ci_callback.log_recovery import recover
from handler.callback.record import JobRecord
from handler.callback.redaction import SECRET_NODES
from handler.connections import Patience
from handler.errors import StoreError
from handler.settings import Settings
from handler.stores import open_store
from tests.callback.test_record import SCHEMA
from tests.callback.twins import as_json, as_xml
from tests.conftest import PAYLOADS, Invoked
from tests.fake_cos import FakeCos, Fault, Seen
from tests.fake_cos.server import Death

SEEDS = sorted(PAYLOADS.glob("*.seed.*"))
TRANSLATION = (PAYLOADS / "Translation.seed.json").read_bytes()
TRANSLATION_KEY = "jobs/dt=2022-07-25/ac34be3aa0bf411ed9ce39d7cc972e427.json"
SUCCESS = '{"JobsDetail": {"JobId": "j1", "Tag": "Translation", "State": "Success"}}'


def logged_bodies(invoked: Invoked) -> list[tuple[bytes, bool]]:
    """The bodies that the log holds whole, and whether their senders were checked."""
    recovered = recover(invoked.output.getvalue().splitlines())
    assert recovered.lost == ()
    return [(entry.body, entry.authenticated) for entry in recovered.bodies]


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_a_documented_callback_is_kept_on_cos_with_one_request(
    on_cos: Invoked, cos: FakeCos, path: Path
) -> None:
    """The main job: its valid record is there, and its duplicate costs two requests."""
    status, answer = on_cos.post(path.read_bytes())
    assert status == 200
    (job,) = answer["jobs"]
    assert job["status"] == "kept"
    assert cos.requests() == [("PUT", "ci/" + job["key"])]
    line = cos.read("ci/" + job["key"])
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(line))
    record = JobRecord.from_json(line)
    assert (record.job_id, record.tag, record.outcome) == (
        job["job_id"],
        job["tag"],
        job["outcome"],
    )

    cos.seen.clear()
    status, answer = on_cos.post(path.read_bytes())
    assert (status, answer["jobs"][0]["status"]) == (200, "duplicate")
    assert [method for method, _ in cos.requests()] == ["PUT", "GET"]
    assert cos.read("ci/" + job["key"]) == line


def test_the_same_callback_in_the_other_format_is_a_duplicate(on_disk: Invoked) -> None:
    """Twice is once, whatever the form."""
    assert on_disk.post(TRANSLATION)[1]["jobs"][0]["status"] == "kept"
    xml = (PAYLOADS / "Translation.seed.xml").read_bytes()
    assert on_disk.post(xml)[1]["jobs"][0]["status"] == "duplicate"
    assert "differs" not in on_disk.lines[-1]


def test_several_jobs_of_one_callback_are_kept_each(on_disk: Invoked) -> None:
    """One without a JobId becomes a dead letter, the others are kept."""
    jobs = [
        {"JobId": "j1", "State": "Success"},
        {"State": "Success"},
        {"JobId": "j2", "State": "Cancel"},
    ]
    status, answer = on_disk.post(json.dumps({"JobsDetail": jobs}))
    assert status == 202
    assert [job["status"] for job in answer["jobs"]] == ["kept", "dead_letter", "kept"]


def test_another_end_of_a_kept_job_becomes_a_dead_letter(on_disk: Invoked, ledger: Path) -> None:
    """The first end stays; someone must look."""
    on_disk.post(SUCCESS)
    status, answer = on_disk.post(SUCCESS.replace("Success", "Cancel"))
    assert (status, answer["jobs"][0]["status"]) == (202, "dead_letter")
    kept = json.loads((ledger / "jobs/dt=1970-01-01/j1.json").read_bytes())
    assert kept["outcome"] == "succeeded"
    dead_letter = json.loads((ledger / answer["jobs"][0]["key"]).read_bytes())
    assert dead_letter["reason"] == "conflict"


def test_the_same_end_with_other_details_is_logged(on_disk: Invoked) -> None:
    """A queue and a workflow may both send one job's callback."""
    on_disk.post(SUCCESS)
    on_disk.post(SUCCESS.replace("}}", ', "Message": "done"}}'))
    assert on_disk.lines[-1]["differs"] == "true"


def test_an_unfinished_job_is_put_aside(on_disk: Invoked) -> None:
    """And its end is kept when it comes."""
    status, answer = on_disk.post(SUCCESS.replace("Success", "Running"))
    assert (status, answer["jobs"][0]["outcome"]) == (200, "unfinished")
    assert answer["jobs"][0]["key"].startswith("_unfinished/")
    assert on_disk.post(SUCCESS)[1]["jobs"][0]["status"] == "kept"


def test_a_tag_that_is_not_in_the_catalogue_is_kept_and_logged(on_disk: Invoked) -> None:
    """Nothing that CI sends is an error."""
    status, _ = on_disk.post(SUCCESS.replace("Translation", "BrandNew"))
    assert status == 200
    assert [line["event"] for line in on_disk.lines] == ["new_tag", "callback"]


@pytest.mark.parametrize("path", SECRET_NODES)
@pytest.mark.parametrize("form", [as_xml, as_json])
def test_an_echoed_secret_is_written_nowhere(
    on_disk: Invoked, ledger: Path, path: str, form: Any
) -> None:
    """Not into the record, a ticket or a log line: here of a failed job, and of its conflict."""
    detail: Any = "planted-marker"
    for name in reversed(path.split(".")):
        detail = {name: detail}
    job = detail | {"JobId": "j1", "Tag": path.split(".")[1], "State": "Failed"}
    assert on_disk.post(form({"JobsDetail": job}))[0] == 200
    on_disk.post(form({"JobsDetail": job | {"State": "Cancel"}}))
    written = [file.read_text() for file in ledger.rglob("*.json")]
    assert len(written) == 4
    assert "planted-marker" not in "".join(written) + on_disk.output.getvalue()


def test_the_consoles_test_message_is_answered_and_not_kept(on_cos: Invoked, cos: FakeCos) -> None:
    """It is sent when the address for reviews is set."""
    status, answer = on_cos.post((PAYLOADS / "ReviewVideo.simple.json").read_bytes())
    assert (status, answer["status"]) == (200, "ignored")
    assert cos.seen == []
    assert on_cos.lines[-1]["status"] == "ignored"


def test_runs_and_reviews_are_kept_beside_the_jobs(on_cos: Invoked, cos: FakeCos) -> None:
    """Each under a key of its own, a failed run is told."""
    for name in ("WorkflowFinish.intl.xml", "ReviewImage.detail.json"):
        assert on_cos.post((PAYLOADS / name).read_bytes())[0] == 200
    run = (PAYLOADS / "WorkflowFinish.intl.json").read_bytes().replace(b'"Success"', b'"Failed"')
    assert on_cos.post(run.replace(b"i166ee19017b", b"i166ee19017c"))[0] == 200
    kinds = [key.split("/")[1] for key in cos.keys("")]
    assert sorted(kinds) == ["_outbox", "reviews", "workflows", "workflows"]
    assert cos.keys("ci/_outbox/")[0].endswith("-alert.failed.json")


@pytest.mark.parametrize(
    ("bucket", "status"),
    [
        ("media-1250000000", 200),
        ("other-1260000000", 200),
        ("my-own-media-1260000000", 200),
        ("other-1250000000", 403),
        ("1260000000", 200),
        ("media-12500000001", 403),
        (None, 200),
    ],
)
@pytest.mark.parametrize("name", ["BucketId", "Bucket"])
def test_callbacks_of_buckets_that_are_not_allowed_are_refused(
    on_cos: Invoked, cos: FakeCos, name: str, bucket: str | None, status: int
) -> None:
    """By bucket or by appid: staging does not write to production. None named: it is taken."""
    on_cos.env["ALLOWED_BUCKETS"] = "media-1250000000,1260000000"
    detail = {"JobId": "j1", "State": "Failed", "Input": {name: bucket, "Object": "a"}}
    answered, answer = on_cos.post(json.dumps({"JobsDetail": detail}))
    assert answered == status
    assert (answer["jobs"][0]["status"] == "rejected") == (status == 403)
    assert (cos.seen == []) == (status == 403)


@pytest.mark.parametrize(
    "detail",
    [
        {"Input": [{"BucketId": "media-1250000000"}, {"BucketId": "other-1250000000"}]},
        {"Input": {"BucketId": ["media-1250000000", "other-1250000000"]}},
        {"Input": {"BucketId": {"x": "other-1250000000"}}},
        {"Input": {"BucketId": "media-1250000000", "Bucket": "other-1250000000"}},
        {"BucketId": "other-1250000000"},
    ],
    ids=str,
)
def test_a_bucket_that_is_not_allowed_does_not_hide_behind_one_that_is(
    on_disk: Invoked, ledger: Path, detail: dict[str, Any]
) -> None:
    """In a node that was sent twice, or under its other name."""
    on_disk.env["ALLOWED_BUCKETS"] = "media-1250000000"
    body = json.dumps({"JobsDetail": {"JobId": "j1", "State": "Failed"} | detail})
    assert on_disk.post(body)[0] == 403
    assert not list(ledger.rglob("*.json"))


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("", 400, "empty"),
        ("hello", 202, "not_xml_or_json"),
        ("<Response/>", 202, "no_callback"),
        ('{"hello": "world"}', 202, "no_callback"),
        (TRANSLATION.decode()[:300], 202, "json_invalid"),
        ("<Response><JobsDetail><JobId>j1</JobId>", 202, "xml_invalid"),
        ('<!DOCTYPE r [<!ENTITY x "y">]><Response>&x;</Response>', 202, "dtd_forbidden"),
        ("<?xml version='1.0' encoding='x-none'?><Response/>", 202, "encoding"),
        ("<a>" * 100_000, 202, "too_deep"),
        ("[" * 70_000, 202, "too_deep"),
        ("x" * (5 * 1024 * 1024 + 1), 413, "at most 5242880 bytes"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_input_is_answered_stored_and_logged_in_one_line(
    on_disk: Invoked, ledger: Path, body: str, status: int, reason: str
) -> None:
    """No stack trace; a dead letter holds the whole body where there is one to look at."""
    answered, answer = on_disk.post(body)
    assert answered == status
    assert reason in answer["reason"]
    (line,) = on_disk.lines
    assert line["level"] == "WARNING"
    assert reason in line["reason"]
    assert "Traceback" not in on_disk.output.getvalue()
    dead_letters = [json.loads(path.read_bytes()) for path in ledger.glob("_dead/*/*.json")]
    if status == 202:
        assert [base64.b64decode(dead_letter["body_base64"]) for dead_letter in dead_letters] == [
            body.encode()
        ]
    else:
        assert dead_letters == []


def test_a_stranger_stores_nothing_and_shows_in_the_log_without_the_body(
    on_cos: Invoked, cos: FakeCos
) -> None:
    """401, no request to the store, no token in any line."""
    on_cos.env["CALLBACK_TOKENS"] = "right-token"
    status, answer = on_cos.post(TRANSLATION, queryString={"token": "wrong-token"})
    assert (status, answer["status"]) == (401, "rejected")
    assert cos.seen == []
    assert "token" not in json.dumps(on_cos.lines).replace("a valid token is needed", "")
    status, _ = on_cos.post(TRANSLATION, queryString={"token": "right-token"})
    assert status == 200
    assert "right-token" not in on_cos.output.getvalue()


def test_a_burst_of_wrong_tokens_is_a_line_each_and_no_request(
    on_cos: Invoked, cos: FakeCos
) -> None:
    """To be counted by its status and by where it came from; the store is not asked."""
    on_cos.env["CALLBACK_TOKENS"] = "right-token"
    for number in range(50):
        on_cos.post(
            TRANSLATION,
            queryString={"token": f"guess-{number}"},
            requestContext={"sourceIp": f"203.0.113.{number}"},
        )
    assert cos.seen == []
    lines = on_cos.lines
    assert {(line["event"], line["status"]) for line in lines} == {("request_refused", 401)}
    assert [line["client_address"] for line in lines] == [f"203.0.113.{n}" for n in range(50)]
    assert "guess" not in on_cos.output.getvalue()


def test_health_does_not_touch_the_store(on_cos: Invoked, cos: FakeCos) -> None:
    """So it can be asked often."""
    answer = on_cos.event({"httpMethod": "GET", "path": "/health"})
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})
    assert cos.seen == []


def test_a_refused_request_opens_no_store_and_imports_no_sdk() -> None:
    """A cold start that only says 401 is cheap: measured in a process of its own."""
    code = """
import sys, index
event = {"httpMethod": "POST", "path": "/", "body": "<a/>"}
assert index.main_handler(event, {})["statusCode"] == 401
costly = ("qcloud_cos", "requests", "xml", "logging", "urllib.parse", "handler.ingest")
print([name for name in costly if name in sys.modules])
"""
    env = {
        "LEDGER_URL": "cos://records-1250000000/ci",
        "COS_REGION": "ap-guangzhou",
        "CALLBACK_TOKENS": "a-token",
        "TENCENTCLOUD_SECRETID": "x",
        "TENCENTCLOUD_SECRETKEY": "y",
    }
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_callback_that_is_kept_imports_no_sdk(cos: FakeCos) -> None:
    """A cold start whose one request is a PUT: measured in a process of its own."""
    code = f"""
import sys, index
event = {{"httpMethod": "POST", "path": "/", "body": {TRANSLATION.decode()!r}}}
assert index.main_handler(event, {{}})["statusCode"] == 200
costly = ("qcloud_cos", "requests", "urllib3", "xml.etree", "logging")
print([name for name in costly if name in sys.modules])
"""
    env = {**cos.env, "CALLBACK_TOKENS": "none"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
    assert [request.method for request in cos.seen] == ["PUT"]


@pytest.mark.parametrize("missing", ["LEDGER_URL", "CALLBACK_TOKENS"])
def test_wrong_settings_are_answered_503_and_named_in_the_log(
    on_cos: Invoked, cos: FakeCos, missing: str
) -> None:
    """No stack trace, and the body is in the log so that it is not lost."""
    on_cos.env |= {"TENCENTCLOUD_RUNENV": "SCF", "CALLBACK_TOKENS": "a-token"}
    del on_cos.env[missing]
    answer = on_cos.event(
        {"httpMethod": "POST", "path": "/", "body": "<a/>", "queryString": {"token": "a-token"}}
    )
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "60"
    wrong, part = on_cos.lines
    assert (wrong["event"], wrong["variable"], wrong["found"]) == (
        "settings_invalid",
        missing,
        "nothing",
    )
    known = missing != "CALLBACK_TOKENS"
    assert part["authenticated"] == ("true" if known else "false")
    assert logged_bodies(on_cos) == [(b"<a/>", known)]
    assert "Traceback" not in on_cos.output.getvalue()
    assert cos.seen == []


def test_a_stranger_is_distinguished_even_while_settings_are_wrong(on_disk: Invoked) -> None:
    """Nothing of theirs is logged."""
    on_disk.env |= {"CALLBACK_TOKENS": "a-token", "VERIFY_CALLBACKS": "maybe"}
    status, _ = on_disk.post("<a/>")
    assert status == 401
    assert [line["event"] for line in on_disk.lines] == ["settings_invalid", "request_refused"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/favicon.ico", 404),
        ("POST", "/admin", 404),
        ("GET", "/", 405),
        ("POST", "/health", 405),
    ],
)
def test_no_body_that_is_no_callback_is_logged_while_the_tokens_are_missing(
    on_disk: Invoked, method: str, path: str, status: int
) -> None:
    """Method and path are checked first: scanners ask for these all day."""
    on_disk.env |= {"TENCENTCLOUD_RUNENV": "SCF"}
    answered, _ = on_disk.post("<a/>", httpMethod=method, path=path)
    assert answered == status
    assert [line["event"] for line in on_disk.lines][-1] == "request_refused"
    assert logged_bodies(on_disk) == []


def test_a_health_check_is_answered_503_while_settings_are_wrong(on_disk: Invoked) -> None:
    """And logs no body, since it has none."""
    on_disk.env |= {"VERIFY_CALLBACKS": "maybe"}
    answered, _ = on_disk.post("", httpMethod="GET", path="/health")
    assert answered == 503
    assert [line["event"] for line in on_disk.lines] == ["settings_invalid"]


def test_a_store_that_is_away_is_answered_503_with_the_body_in_the_log(
    on_cos: Invoked, cos: FakeCos
) -> None:
    """Whatever was not acknowledged must come again, or be taken from the log."""
    with cos.faulty(lambda seen: Fault(before=(503, "ServiceUnavailable"))):
        status, answer = on_cos.post(SUCCESS)
        assert (status, answer["jobs"][0]["status"]) == (503, "retry_later")
        dead_status, _ = on_cos.post("hello")
        assert dead_status == 503
    events = [line["event"] for line in on_cos.lines]
    assert events == ["callback_not_stored", "callback"] * 2
    assert logged_bodies(on_cos) == [(SUCCESS.encode(), True), (b"hello", True)]
    assert on_cos.post(SUCCESS)[1]["jobs"][0]["status"] == "kept"


@pytest.mark.parametrize("death", ["reset", "silence"])
def test_callbacks_after_a_freeze_are_kept(
    on_cos: Invoked, cos: FakeCos, death: Death, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connections of the instance died while it was frozen; COS is well."""
    monkeypatch.setattr(
        "handler.ledger.cos.PATIENCE", Patience(whole_s=20, connect_s=10, silent_s=0.1)
    )
    monkeypatch.setattr("handler.stores._warm_stores", {})
    for number in range(8):
        body = SUCCESS.replace("j1", f"j{number}")
        assert on_cos.post(body)[0] == 200
        assert cos.forget_idle(death) >= 1
    assert len(cos.seen) == 8


@pytest.mark.parametrize(("conflicts", "status"), [(1, 202), (None, 503)])
def test_a_dead_letter_met_by_a_conflict_is_stored_or_refused(
    on_cos: Invoked, cos: FakeCos, conflicts: int | None, status: int
) -> None:
    """202 means that the body is in the ledger, whatever 409s COS gave before."""
    met = iter(range(conflicts or 100))

    def fault(seen: Seen) -> Fault | None:
        conflict = Fault(before=(409, "PathConflict"))
        is_dead_letter = seen.method == "PUT" and "/_dead/" in seen.key
        return conflict if is_dead_letter and next(met, None) is not None else None

    with cos.faulty(fault):
        assert on_cos.post("hello")[0] == status
    assert len(cos.keys("ci/_dead/")) == (status == 202)


def test_a_direct_invoke_needs_no_token_and_raises_where_the_store_is_away(
    on_cos: Invoked, cos: FakeCos
) -> None:
    """CAM guards it; whoever invokes sees the error."""
    on_cos.env["CALLBACK_TOKENS"] = "a-token"
    answer = on_cos.event(json.loads(SUCCESS))
    assert answer["jobs"][0]["status"] == "kept"
    with cos.faulty(lambda seen: Fault(before=(403, "AccessDenied"))), pytest.raises(StoreError):
        on_cos.event(json.loads(SUCCESS))


def test_a_fault_of_the_function_itself_is_answered_503_and_loses_nothing(
    on_disk: Invoked,
) -> None:
    """No exception leaves the HTTP way: here the clock fails."""

    class StoppedError(Exception):
        pass

    def clock() -> float:
        if on_disk.output.getvalue() or not started:
            return 0.0
        started.clear()
        raise StoppedError

    started = [True]
    from handler.app import Function
    from handler.log import Log

    function = Function(on_disk.env, clock, Log(on_disk.output, lambda: 0.0))
    answer = function.handle({"httpMethod": "POST", "path": "/", "body": SUCCESS}, {})
    assert answer["statusCode"] == 503
    assert "StoppedError" in on_disk.lines[0]["traceback"]
    assert logged_bodies(on_disk) == [(SUCCESS.encode(), True)]
    started.append(True)
    on_disk.output.truncate(0)
    on_disk.output.seek(0)
    with pytest.raises(StoppedError):
        function.handle(json.loads(SUCCESS), {})


def test_a_timer_with_wrong_settings_logs_and_ends(on_disk: Invoked) -> None:
    """Raising would make the platform run it again, to no avail; a direct invoke is told."""
    on_disk.env["VERIFY_CALLBACKS"] = "maybe"
    answer = on_disk.event({"Type": "Timer", "TriggerName": "sweep", "Message": ""})
    assert answer == {"status": "failed"}
    assert on_disk.lines[0]["event"] == "settings_invalid"
    from handler.errors import SettingsError

    with pytest.raises(SettingsError):
        on_disk.event({"JobsDetail": {}})


def test_the_log_line_of_a_callback_has_what_the_pager_asks(on_disk: Invoked) -> None:
    """Which request, which job, what became of it, how long it took."""
    on_disk.post(TRANSLATION)
    (line,) = on_disk.lines
    assert line.pop("duration_ms") > 0
    assert line == {
        "time": "2026-09-21T14:13:21Z",
        "level": "INFO",
        "event": "callback",
        "faas.invocation_id": "request-1",
        "faas.trigger": "http",
        "faas.coldstart": "false",
        "status": "kept",
        "key": TRANSLATION_KEY,
        "job_id": "ac34be3aa0bf411ed9ce39d7cc972e427",
        "tag": "Translation",
        "outcome": "succeeded",
    }


def test_the_entry_file_hands_on_the_entrypoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SCF loads index.main_handler; a context that is no dict does no harm."""
    monkeypatch.setenv("LEDGER_URL", f"file:{tmp_path}")
    event = {"httpMethod": "POST", "path": "/", "body": TRANSLATION.decode()}
    answer: Any = index.main_handler(event, None)
    assert answer["statusCode"] == 200
    assert json.loads(capsys.readouterr().out)["event"] == "callback"


def test_connections_outlive_an_invocation_and_are_bounded(cos: FakeCos) -> None:
    """One client for a place; many places do not pile up."""
    settings = Settings.from_env(cos.env)
    assert open_store(settings) is open_store(settings)
    for number in range(20):
        store = open_store(
            Settings.from_env(cos.env | {"LEDGER_URL": f"cos://records-1250000000/p{number}"})
        )
    store.put("a", b"")
    assert cos.keys() == ["ci/a".replace("ci", "p19")]


METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "post",
    "po\u017ft",
    "",
)
ANY_PATH = (
    *("/", "/callback", "/callback/", "//", "/..", "/health/../callback", "/%63allback", "*", ""),
    *("/callback?x", "/callback;x", "/favicon.ico", "/CALLBACK", "http://x/", "/callback\0", "/a"),
    *(None, 5, ["/"]),
)
WITHOUT_TOKEN: tuple[dict[str, Any], ...] = (
    {},
    {"requestContext": {"serviceId": "s", "stage": "release"}},
    {"queryString": {"token": ""}},
    {"queryStringParameters": {"token": "Open-sesame-1"}},
    {"headers": {"authorization": "Bearer"}},
    {"headers": {"cookie": "token=open-sesame-1"}},
    {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"},
    {"Records": [{"Ckafka": {"msgBody": SUCCESS}}]},
)


@pytest.mark.parametrize("more", WITHOUT_TOKEN, ids=str)
def test_without_a_token_no_method_and_no_path_stores_or_logs_anything(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    """Refused with one line, which has nothing of the body; no other trigger is reached."""
    guarded = Invoked({"LEDGER_URL": f"file:{tmp_path}/ledger", "CALLBACK_TOKENS": "open-sesame-1"})
    for method in METHODS:
        for path in ANY_PATH:
            event = {"httpMethod": method, "path": path, "body": SUCCESS, "headers": {}} | more
            assert guarded.event(event)["statusCode"] in (401, 404, 405), (method, path)
    assert not (tmp_path / "ledger").exists()
    assert {line["event"] for line in guarded.lines} == {"request_refused"}
    assert len(guarded.lines) == len(METHODS) * len(ANY_PATH)
    assert "j1" not in guarded.output.getvalue()
