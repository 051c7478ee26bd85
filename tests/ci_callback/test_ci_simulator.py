"""ci_callback/ci_simulator: the CI of the tests is one that a real client takes for CI.

What is not in CI's documents is decided there strictly, so that a handler that works with
it asks no more of the real one than the documents promise.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import qcloud_cos

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator, End, Fault
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.callback import envelope, record, tree
from handler.callback.families import FAMILIES
from handler.callback.lineage import Lineage, Marker, attach
from handler.callback.payload import Limits, parse
from handler.ci_api.client import Ci, CiAddress
from handler.ci_api.signing import Signer
from handler.errors import StoreError
from handler.http_client import Answer, HttpClient
from handler.ledger.bucket import BucketAddress, Credentials
from handler.ledger.cos import CosStore
from tests.fake_cos import NO_PAUSES, FakeCos
from tests.fake_cos.faults import Fault as CosFault

NOW = 1_790_000_000.0
CREDENTIALS = Credentials(SECRET_ID, SECRET_KEY, "")
AI, MEDIA = FAMILIES["ai"], FAMILIES["media"]


class Clock:
    """Epoch seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Receiver:
    """Whoever CI calls back: keeps what came, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.came: list[tuple[str, list[tuple[str, str]], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append((self.path, self.headers.items(), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def _server() -> Iterator[CiSimulator]:
    with CiSimulator() as face:
        yield face


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def face(_server: CiSimulator, clock: Clock) -> CiSimulator:
    """An empty CI."""
    _server.reset()
    _server.clock = clock
    return _server


@pytest.fixture
def ci(face: CiSimulator) -> Ci:
    return Ci(HttpClient(), CREDENTIALS, CiAddress(BUCKET, REGION, ("127.0.0.1", face.port)))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


@pytest.fixture
def sdk(face: CiSimulator) -> Any:
    """Tencent's own client. With IP and Domain it connects here and means CI's host."""
    config = qcloud_cos.CosConfig(
        Region=REGION,
        SecretId=SECRET_ID,
        SecretKey=SECRET_KEY,
        Scheme="http",
        IP="127.0.0.1",
        Port=face.port,
        Domain=f"{BUCKET}.ci.{REGION}.myqcloud.com",
    )
    return qcloud_cos.CosS3Client(config, retry=0)


def request(tag: str = "Transcode", key: str = "a.mp4", **more: Any) -> dict[str, Any]:
    """What stands below <Request>."""
    output = {"Region": REGION, "Bucket": BUCKET, "Object": "out"}
    operation = {"TemplateId": "t1", "Output": output, "UserData": more.pop("UserData", "mine")}
    return {"Tag": tag, "Input": {"Object": key}, "Operation": operation, **more}


def ask(
    face: CiSimulator,
    method: str,
    path: str,
    params: dict[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """Any request, signed."""
    host = f"{BUCKET}.ci.{REGION}.myqcloud.com"
    params = params or {}
    headers = Signer(CREDENTIALS, REGION).headers(method, host, path, params, body)
    url = f"{face.endpoint}{path}?{urlencode(params)}"
    return HttpClient().send(method, url, headers, body, 5)


def submit(ci: Ci, node: dict[str, Any] | None = None) -> str:
    """The id of a transcoding that was taken."""
    result = ci.create(MEDIA, node or request())
    assert result.verdict == "accepted"
    return result.job_id or ""


class TestAsTencentsOwnClientSeesIt:
    def test_it_submits_describes_lists_and_cancels(self, sdk: Any, face: CiSimulator) -> None:
        """Signatures, paths and answers are those that the SDK was written for."""
        made = sdk.ci_create_media_jobs(BUCKET, request(), {}, ContentType="application/xml")
        job_id = made["JobsDetail"][0]["JobId"]
        assert made["JobsDetail"][0]["State"] == "Submitted"
        answer = sdk.ci_get_media_jobs(BUCKET, f"{job_id},junknown")
        assert [job["JobId"] for job in answer["JobsDetail"]] == [job_id]
        assert answer["NonExistJobIds"] == "junknown"
        listed = sdk.ci_list_media_jobs(BUCKET, "Transcode", Size=1)
        assert [job["JobId"] for job in listed["JobsDetail"]] == [job_id]
        sdk.ci_cancel_jobs(BUCKET, job_id)
        assert face.jobs[job_id].state == "Cancel"

    def test_an_error_is_one_of_ci_s(self, sdk: Any, face: CiSimulator) -> None:
        """In XML, with the HTTP status that the SDK goes by. It reads the code of COS alone."""
        with pytest.raises(qcloud_cos.CosServiceError) as raised:
            sdk.ci_create_media_jobs(BUCKET, request("Nonsense"), {}, ContentType="application/xml")
        assert raised.value.get_status_code() == 400
        assert "<Code>InvalidArgument</Code>" in raised.value.get_origin_msg()

    def test_a_body_must_be_declared_as_xml(self, sdk: Any) -> None:
        """CI insists on it, and the SDK sets it only where it is told to."""
        with pytest.raises(qcloud_cos.CosServiceError) as raised:
            sdk.ci_create_media_jobs(BUCKET, request(), {}, ContentType="text/plain")
        assert "<Code>InvalidContentType</Code>" in raised.value.get_origin_msg()

    def test_older_paths(self, sdk: Any, face: CiSimulator) -> None:
        """The SDK still asks there."""
        sdk.ci_create_media_pic_jobs(
            BUCKET, request("PicProcess"), {}, ContentType="application/xml"
        )
        hashed = sdk.ci_create_file_hash_job(BUCKET, "a.mp4", {"Type": "MD5"}, UserData="mine")
        job_id = hashed["JobsDetail"]["JobId"]
        answer = sdk.ci_get_file_process_jobs(BUCKET, job_id)
        assert [job["JobId"] for job in answer["JobsDetail"]] == [job_id]
        assert [submission.path for submission in face.accepted] == ["/pic_jobs", "/file_jobs"]

    def test_workflows(self, sdk: Any, face: CiSimulator) -> None:
        """Triggered and described."""
        run_id = sdk.ci_trigger_workflow(BUCKET, "w1", "a.mp4")["InstanceId"]
        parsed = sdk.ci_get_workflowexecution(BUCKET, run_id)
        assert [execution["RunId"] for execution in parsed["WorkflowExecution"]] == [run_id]

    def test_ids_look_like_real_ones(self, ci: Ci) -> None:
        """The family's letter and 32 hexadecimal digits."""
        job_id = submit(ci)
        assert (job_id[0], len(job_id)) == ("j", 33)
        assert int(job_id[1:], 16)


class TestStrictness:
    @pytest.mark.parametrize(
        ("node", "code"),
        [
            (request("Nonsense"), "InvalidArgument"),
            ({"Tag": "Transcode"}, "MissingContent"),
            (request(UserData="x" * 1025), "InvalidArgument"),
            (request(UserData="no ascii: ä"), "InvalidArgument"),
            (request(UserData={"a": "b"}), "InvalidArgument"),
            (request() | {"Input": {"Object": ["a", "b"]}}, "InvalidArgument"),
            (request() | {"Input": "a"}, "InvalidArgument"),
            (request() | {"Input": {"Object": "a", "BucketId": "b-1"}}, "InvalidArgument"),
            (request() | {"Operation": {"MediaResult": {"OutputFile": "x"}}}, "InvalidArgument"),
        ],
    )
    def test_a_request_that_was_not_cleaned_is_refused(
        self, ci: Ci, face: CiSimulator, node: dict[str, Any], code: str
    ) -> None:
        """CI itself may be milder: nobody knows."""
        result = ci.create(MEDIA, node)
        assert (result.verdict, result.code) == ("refused", code)
        assert face.accepted == []

    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"tag": "Transcode", "size": "101"},
            {"tag": "Transcode", "states": "Done"},
            {"tag": "Transcode", "nextToken": "999"},
            {"tag": "Transcode", "startCreationTime": "2026-01-01T00:00:00Z"},
        ],
    )
    def test_a_list_is_asked_for_as_documented(
        self, ci: Ci, face: CiSimulator, params: dict[str, str]
    ) -> None:
        """tag is required, size at most 100, times in +0800, tokens are CI's own."""
        submit(ci)
        answer = ask(face, "GET", "/jobs", params)
        assert (answer.status, b"InvalidArgument" in answer.body) == (400, True)

    @pytest.mark.parametrize(
        ("queue", "count"), [("Transcoding", 1), ("PicProcess", 0), ("Speeching", 0)]
    )
    def test_a_wrong_queue_type_hides_jobs(
        self, ci: Ci, face: CiSimulator, queue: str, count: int
    ) -> None:
        """As a filter does."""
        submit(ci)
        params = {"tag": "Transcode", "queueType": queue}
        answer = ask(face, "GET", "/jobs", params)
        assert answer.body.count(b"<JobId>") == count

    def test_newest_first_unless_asked_otherwise(
        self, ci: Ci, face: CiSimulator, clock: Clock
    ) -> None:
        """And no more than ten, and none after the end."""
        ids = [submit(ci) for _ in range(11)]
        answer = ask(face, "GET", "/jobs", {"tag": "Transcode"})
        positions = [answer.body.find(job_id.encode()) for job_id in reversed(ids)]
        assert positions[:10] == sorted(positions[:10])
        assert positions[10] == -1
        until = {"tag": "Transcode", "endCreationTime": "2026-09-21T22:13:20+0800"}
        assert b"<JobId>" not in ask(face, "GET", "/jobs", until).body

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("PUT", "/jobs/j1", 405),
            ("GET", "/nothing", 405),
            ("POST", "/jobs", 400),
            ("POST", "/nothing", 404),
            ("GET", "/jobs/" + ",".join("j" * 11), 400),
        ],
    )
    def test_other_requests_are_errors(
        self, face: CiSimulator, method: str, path: str, status: int
    ) -> None:
        """Never a silent 200."""
        body = b"<Request><Tag>Transcode</Tag></Request>" if path == "/nothing" else b"<no"
        answer = ask(face, method, path, {}, body if method == "POST" else b"")
        assert answer.status == status

    def test_each_family_is_described_at_its_own_path(self, ci: Ci) -> None:
        """A document job is not known at /jobs."""
        result = ci.create(FAMILIES["document"], request("DocProcess"))
        assert ci.describe(MEDIA, result.job_id or "") is None

    def test_another_host_is_refused(self, face: CiSimulator) -> None:
        """Signed or not."""
        ci = Ci(HttpClient(), CREDENTIALS, CiAddress("nobucket", REGION, ("127.0.0.1", face.port)))
        assert ci.create(MEDIA, request()).code == "InvalidHost"

    def test_the_session_token_is_checked(self, face: CiSimulator, ci: Ci) -> None:
        """A missing one is an expired one."""
        face.security_token = "token"
        assert ci.create(MEDIA, request()).code == "InvalidSecurityToken"

    def test_headers_must_be_signed(self, face: CiSimulator) -> None:
        """As in a bucket in strict signature mode: CI says AccessDenied then."""
        http = HttpClient()

        class Adding:
            """An Http that adds a header behind the signer's back."""

            def send(self, method: Any, url: Any, headers: Any, body: Any, timeout_s: Any) -> Any:
                more = {**headers, "Content-Type": "application/xml"}
                return http.send(method, url, more, body, timeout_s)

        ci = Ci(Adding(), CREDENTIALS, CiAddress(BUCKET, REGION, ("127.0.0.1", face.port)))
        assert ci.create(MEDIA, request()).verdict == "accepted"
        result = ci.trigger_workflow("w1", "a.mp4")
        assert (result.status, result.code) == (401, "AccessDenied")

    def test_it_wants_to_be_entered(self) -> None:
        """There is no port before."""
        with pytest.raises(RuntimeError, match="enter the face first"):
            assert CiSimulator().port


class TestHowJobsEnd:
    def test_by_script_as_the_clock_goes_on(self, ci: Ci, face: CiSimulator, clock: Clock) -> None:
        """Submitted for queue_s, Running for run_s, then over, hours within no time."""
        face.script("Transcode", ["Failed"], queue_s=60, run_s=3600)
        job_id = submit(ci)
        states = []
        for now in (NOW + 59, NOW + 60, NOW + 3659, NOW + 3660):
            clock.now = now
            described = ci.describe(MEDIA, job_id)
            states.append(described.state if described else None)
        assert states == ["Submitted", "Running", "Running", "Failed"]
        assert face.settle() == [job_id]
        assert face.settle() == []

    def test_the_how_manieth_submission_counts(
        self, ci: Ci, face: CiSimulator, clock: Clock
    ) -> None:
        """For each input object by itself; the last entry goes for all that follow."""
        face.script("Transcode", ["Failed", "Success"])
        face.script("stuck.mp4", [None])
        face.script("odd.mp4", [End("Failed", "OddCode", "odd message", {"MediaInfo": {}})])
        keys = ("a.mp4", "a.mp4", "a.mp4", "b.mp4", "stuck.mp4", "odd.mp4")
        ids = [submit(ci, request(key=key)) for key in keys]
        clock.now += 10
        face.settle()
        states = [face.jobs[job_id].state for job_id in ids]
        assert states == ["Failed", "Success", "Success", "Failed", "Submitted", "Failed"]
        described = ci.describe(MEDIA, ids[-1])
        assert described is not None
        assert (described.code, described.message) == ("OddCode", "odd message")

    def test_by_hand(self, ci: Ci, face: CiSimulator, clock: Clock) -> None:
        """With nodes of a result, as CI puts them below Operation."""
        job_id = submit(ci)
        clock.now += 5
        face.start(job_id)
        clock.now += 5
        face.finish(job_id, "Success", message="done", result={"MediaResult": {"X": "1"}})
        detail = face.jobs[job_id].detail()
        assert detail["Operation"]["MediaResult"] == {"X": "1"}
        assert (detail["Message"], detail["State"]) == ("done", "Success")
        assert detail["CreationTime"] == "2026-09-21T22:13:20+0800"
        assert detail["StartTime"] == "2026-09-21T22:13:25+0800"
        assert detail["EndTime"] == "2026-09-21T22:13:30+0800"

    def test_lists_may_lag_and_hide(self, ci: Ci, face: CiSimulator, clock: Clock) -> None:
        """Nothing is promised of them; describing is another matter."""
        face.lag(30)
        job_id = submit(ci)
        assert list(ci.list_jobs(MEDIA, "Transcode", NOW)) == []
        clock.now += 30
        assert len(list(ci.list_jobs(MEDIA, "Transcode", NOW))) == 1
        face.hide_from_list(job_id)
        assert list(ci.list_jobs(MEDIA, "Transcode", NOW)) == []
        assert ci.describe(MEDIA, job_id) is not None
        face.forget(job_id)
        assert ci.describe(MEDIA, job_id) is None


class TestCallbacks:
    @pytest.mark.parametrize("tag", ["Transcode", "Translation", "DocProcess", "Tts"])
    def test_both_formats_hold_the_same(self, ci: Ci, face: CiSimulator, tag: str) -> None:
        """The handler makes one record of them."""
        node = request(tag)
        if tag == "Tts":
            del node["Input"]
        family = FAMILIES["document"] if tag == "DocProcess" else MEDIA
        job_id = ci.create(family, node).job_id or ""
        face.finish(job_id, "Failed", "ResourceNotFound", "no such object")
        records = [_record(face.callback_body(job_id, form)) for form in ("XML", "JSON")]
        assert records[0] == records[1]
        assert (records[0]["job_id"], records[0]["outcome"]) == (job_id, "failed")
        assert (records[0]["code"], records[0]["user_data"]) == ("ResourceNotFound", "mine")
        has_bucket = bool((records[0]["input"] or {}).get("bucket"))
        assert has_bucket == (tag == "Transcode")

    def test_a_workflow_s_run(self, ci: Ci, face: CiSimulator) -> None:
        """WorkflowFinish, in both formats."""
        run_id = ci.trigger_workflow("w1", "a.mp4").job_id or ""
        face.finish(run_id, "Failed")
        (xml, _), (json_tree, _) = (
            parse(face.callback_body(run_id, form), Limits()) for form in ("XML", "JSON")
        )
        assert xml == {"Response": json_tree}
        assert tree.text(json_tree, "EventName") == "WorkflowFinish"
        assert tree.text(json_tree, "WorkflowExecution.RunId") == run_id
        assert tree.text(json_tree, "WorkflowExecution.State") == "Failed"

    def test_the_request_is_that_of_the_only_capture(
        self, ci: Ci, face: CiSimulator, receiver: Receiver
    ) -> None:
        """These headers in this order, and nothing that proves who sent it."""
        face.callback_url = f"{receiver.url}/callback?token=t"
        job_id = submit(ci)
        face.finish(job_id)
        assert face.deliver(job_id) == 200
        path, headers, body = receiver.came[0]
        assert path == "/callback?token=t"
        assert headers == [
            ("Host", receiver.url.removeprefix("http://")),
            ("User-Agent", "Go-http-client/1.1"),
            ("Content-Length", str(len(body))),
            ("Content-Type", "application/xml"),
            ("Accept-Encoding", "gzip"),
        ]
        start = (
            b'<?xml version="1.0" encoding="utf-8"?>\n<Response><EventName>TaskFinish</EventName>'
        )
        assert body.startswith(start)

    def test_a_job_s_own_address_comes_first(
        self, ci: Ci, face: CiSimulator, receiver: Receiver
    ) -> None:
        """And its own format; neither is ever told again."""
        face.callback_url = "http://127.0.0.1:1/never"
        job_id = submit(ci, request(CallBack=receiver.url, CallBackFormat="JSON"))
        face.finish(job_id)
        assert face.deliver(job_id) == 200
        assert receiver.came[0][2].startswith(b'{"EventName": "TaskFinish", "JobsDetail": [{')
        assert b"CallBack" not in receiver.came[0][2]

    def test_without_a_callback_url_nothing_is_posted(self, ci: Ci, face: CiSimulator) -> None:
        """No address, or the word no."""
        silent, muted = submit(ci), submit(ci, request(CallBack="no"))
        assert face.deliver(silent) is None
        face.callback_url = "http://127.0.0.1:1/"
        assert face.deliver(muted) is None
        assert face.delivered == []
        assert face.deliver(silent) is None
        assert face.delivered == [(silent, None)]

    def test_they_are_sent_as_jobs_end(
        self, ci: Ci, face: CiSimulator, receiver: Receiver, clock: Clock
    ) -> None:
        """Once; an answer other than 2xx brings no second one, and nothing says that CI would."""
        face.callback_url, face.deliver_on_finish = receiver.url, True
        receiver.status = 503
        by_hand = submit(ci)
        face.finish(by_hand)
        face.script("Transcode", ["Success"])
        by_script = submit(ci)
        clock.now += 10
        face.settle()
        face.settle()
        assert face.delivered == [(by_hand, 503), (by_script, 503)]


class TestTheRest:
    @pytest.mark.parametrize(
        ("fault", "accepted"),
        [
            (Fault(reset_before=True), 0),
            (Fault(reset_after=True), 1),
            (Fault(cut_answer=True), 1),
            (Fault(after=(500, "InternalError")), 1),
            (Fault(body=b"garbage"), 1),
        ],
    )
    def test_faults(self, ci: Ci, face: CiSimulator, fault: Fault, accepted: int) -> None:
        """Before a job is taken, or after."""
        with face.faulty(lambda seen: fault if seen.method == "POST" else None):
            assert ci.create(MEDIA, request()).verdict == "unknown"
        assert len(face.accepted) == accepted
        assert submit(ci)

    def test_other_processes_can_use_it(self, face: CiSimulator) -> None:
        """It is a server like any other."""
        code = (
            "from tests.ci_callback.test_ci_simulator import *\n"
            f"address = CiAddress(BUCKET, REGION, ('127.0.0.1', {face.port}))\n"
            "ci = Ci(HttpClient(), CREDENTIALS, address)\n"
            "print(submit(ci))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert [submission.job_id for submission in face.accepted] == [done.stdout.strip()]

    def test_one_endpoint_stands_in_for_cos_and_ci(self, cos: FakeCos) -> None:
        """A function has one setting for both."""
        with CiSimulator(cos=cos) as both:
            place = BucketAddress(BUCKET, "ci/", REGION, ("127.0.0.1", both.port))
            store = CosStore(place, CREDENTIALS, NO_PAUSES)
            assert store.put_new("a", b"1") is True
            assert store.put_new("a", b"2") is False
            assert store.get("a") == b"1"
            assert store.get("b") is None
            assert list(store.list("")) == ["a"]
            ci = Ci(HttpClient(), CREDENTIALS, CiAddress(BUCKET, REGION, ("127.0.0.1", both.port)))
            submit(ci)
            assert both.requests() == [("POST", "/jobs")]
            broken = cos.faulty(lambda seen: CosFault(reset_before=True))
            with broken, pytest.raises(StoreError, match="the connection broke"):
                store.get("a")

    def test_the_clock_is_the_real_one_by_default(self) -> None:
        """For a demonstration."""
        assert CiSimulator().clock is time.time


def test_a_job_that_fails_twice_is_retried_and_recovers(
    ci: Ci, face: CiSimulator, clock: Clock, receiver: Receiver
) -> None:
    """The whole way, by hand: submit, callback, again with a marker, until it succeeds."""
    face.script("Transcode", ["Failed", "Failed", "Success"], queue_s=10, run_s=50)
    face.callback_url, face.deliver_on_finish = receiver.url, True
    root = submit(ci)
    for attempt in (2, 3, 4):
        clock.now += 60
        face.settle()
        parsed = _record(receiver.came[-1][2])
        if parsed["outcome"] == "succeeded":
            break
        marked = attach("mine", Marker(Lineage(root, attempt), "00c0ffee00c0ffee"))
        assert marked is not None
        submit(ci, request(UserData=marked))
    assert [job.state for job in face.jobs.values()] == ["Failed", "Failed", "Success"]
    assert [submission.marker for submission in face.accepted] == [None, (root, 2), (root, 3)]
    assert parsed["user_data"] == "mine"


def _record(body: bytes) -> dict[str, Any]:
    """The handler's record of a callback, without what tells one delivery from another."""
    node, form = parse(body, Limits())
    notice = envelope.read(node)[0]
    assert isinstance(notice, envelope.Notice)
    made = record.normalise(notice, record.Source("http", form, "2026-01-01T00:00:00Z", "r"))
    values: dict[str, Any] = json.loads(made.to_json())
    del values["source"], values["details"]
    return values
