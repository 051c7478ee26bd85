"""client.py: what is asked of CI, and what each of its answers means.

CI is the one of ci_callback/ci_simulator, over real sockets, with the COS SDK's own signer.
Where it would have to misbehave at length, a list of answers stands in for the HTTP.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ci_callback.ci_simulator import BUCKET, REGION, CiSimulator, Fault, Seen
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from handler.callback import tree
from handler.callback.families import FAMILIES
from handler.ci_api import client as ci_module
from handler.ci_api.client import ANSWER_LIMITS, Ci, CiAddress, CiError
from handler.http_client import Answer, HttpClient
from handler.ledger.bucket import Credentials

NOW = 1_790_000_000.0  # 2026-09-21T22:13:20+0800
CREDENTIALS = Credentials(SECRET_ID, SECRET_KEY, "")
MEDIA, AI, DOCUMENT, FILE = (FAMILIES[name] for name in ("media", "ai", "document", "file"))
WORKFLOW = FAMILIES["workflow"]
UNKNOWN_ID = "j" + "0" * 32
NONE_SUCH = f"<Response><NonExistJobIds>{UNKNOWN_ID}</NonExistJobIds></Response>".encode()


class Clock:
    """Epoch seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Answers:
    """An Http that gives prepared answers, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.urls: list[str] = []

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        self.urls.append(url)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(scope="module")
def http() -> HttpClient:
    """As a function has it: one for all."""
    return HttpClient(ANSWER_LIMITS.max_bytes)


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
def sleeps() -> list[float]:
    """What was slept: nothing really is."""
    return []


@pytest.fixture
def ci(face: CiSimulator, http: HttpClient, sleeps: list[float]) -> Ci:
    return Ci(http, CREDENTIALS, CiAddress(BUCKET, REGION, ("127.0.0.1", face.port)), sleeps.append)


@pytest.fixture
def impatient(face: CiSimulator, http: HttpClient, sleeps: list[float]) -> Ci:
    """Waits half a second for an answer, and not five: for a CI that gives none."""
    return Ci(
        http, CREDENTIALS, CiAddress(BUCKET, REGION, ("127.0.0.1", face.port)), sleeps.append, 0.5
    )


def answering(*answers: Answer) -> Ci:
    """A Ci whose CI answers so."""
    return Ci(Answers(*answers), CREDENTIALS, CiAddress(BUCKET, REGION), sleep=lambda seconds: None)


def translation(key: str = "input/en.pdf", user_data: str = "mine") -> dict[str, Any]:
    """A request as the submit page of Translation has it."""
    return {
        "Tag": "Translation",
        "Input": {"Object": key, "Lang": "en", "Type": "pdf"},
        "Operation": {
            "Translation": {"Lang": "zh", "Type": "pdf"},
            "Output": {"Region": REGION, "Bucket": BUCKET, "Object": "output/zh.pdf"},
            "UserData": user_data,
        },
    }


def transcode(key: str = "input/a.mp4") -> dict[str, Any]:
    return {
        "Tag": "Transcode",
        "Input": {"Object": key},
        "Operation": {
            "TemplateId": "t1",
            "Output": {"Region": REGION, "Bucket": BUCKET, "Object": "output/a.mp4"},
        },
    }


def error(status: int, code: str, message: str = "") -> Answer:
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>r</RequestId></Error>"
    return Answer(status, xml.encode())


def submitted(ci: Ci, count: int, key: str = "input/en.pdf") -> list[str]:
    """The ids of as many translations."""
    results = [ci.create(AI, translation(key)) for _ in range(count)]
    assert all(result.verdict == "accepted" for result in results)
    return [result.job_id or "" for result in results]


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class TestSubmitting:
    def test_what_ci_took_is_accepted_under_its_id(self, ci: Ci, face: CiSimulator) -> None:
        """The detail tells whether CI echoed the marker."""
        result = ci.create(AI, translation(user_data="mine/ci-retry:a1:2:00c0ffee00c0ffee"))
        assert (result.verdict, result.status) == ("accepted", 200)
        assert [submission.job_id for submission in face.accepted] == [result.job_id]
        assert face.accepted[0].marker == ("a1", 2)
        assert (
            tree.text(result.detail, "Operation.UserData") == "mine/ci-retry:a1:2:00c0ffee00c0ffee"
        )

    def test_every_text_arrives_as_it_was(self, ci: Ci, face: CiSimulator) -> None:
        """Nothing in a key or a text can become markup."""
        key = "输入/</Object><Object>& \"'>\t\r\n]]>.pdf"
        result = ci.create(AI, translation(key))
        assert face.jobs[result.job_id or ""].request["Input"]["Object"] == key

    def test_a_node_that_repeats_does_so_again(self, ci: Ci, face: CiSimulator) -> None:
        """As watermarks and the keys of a compression do."""
        node = transcode()
        node["Operation"]["WatermarkTemplateId"] = ["t1", "t2", "t3"]
        job = face.jobs[ci.create(MEDIA, node).job_id or ""]
        assert job.request["Operation"]["WatermarkTemplateId"] == ["t1", "t2", "t3"]

    @pytest.mark.parametrize(
        ("family", "request_tree", "path"),
        [
            ("media", transcode(), "/jobs"),
            ("ai", translation(), "/jobs"),
            ("document", transcode() | {"Tag": "DocProcess"}, "/doc_jobs"),
            ("file", transcode() | {"Tag": "FileHashCode"}, "/jobs"),
        ],
    )
    def test_each_family_has_its_path(
        self, ci: Ci, face: CiSimulator, family: str, request_tree: Any, path: str
    ) -> None:
        """Today's, as the newest pages have it."""
        assert ci.create(FAMILIES[family], request_tree).verdict == "accepted"
        assert face.requests() == [("POST", path)]

    @pytest.mark.parametrize(
        ("family", "tag", "older"),
        [
            ("picture", "PicProcess", "/pic_jobs"),
            ("ai", "Translation", "/ai_jobs"),
            ("speech", "SpeechRecognition", "/asr_jobs"),
            ("file", "FileUncompress", "/file_jobs"),
        ],
    )
    def test_an_older_path_is_tried_where_there_is_no_other(
        self, ci: Ci, face: CiSimulator, family: str, tag: str, older: str
    ) -> None:
        """What has no path was not taken, so a second request can't make a second job."""
        face.gone.add((family, "/jobs"))
        result = ci.create(FAMILIES[family], transcode() | {"Tag": tag})
        assert result.verdict == "accepted"
        assert face.requests() == [("POST", "/jobs"), ("POST", older)]
        assert len(face.accepted) == 1

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_without_any_path_the_first_refusal_counts(self, status: int) -> None:
        """The older path's own complaint would lead nowhere."""
        http = Answers(error(status, "NotImplemented", "today's"), error(405, "X", "older"))
        result = Ci(http, CREDENTIALS, CiAddress(BUCKET, REGION)).create(AI, translation())
        assert (result.verdict, result.message) == ("refused", "today's")
        assert [url.rpartition("/")[2] for url in http.urls] == ["jobs", "ai_jobs"]

    def test_a_family_without_an_older_path_is_refused_at_once(self) -> None:
        """There is nothing else to try."""
        http = Answers(error(404, "NotFound"))
        result = Ci(http, CREDENTIALS, CiAddress(BUCKET, REGION)).create(MEDIA, transcode())
        assert (result.verdict, len(http.urls)) == ("refused", 1)

    @pytest.mark.parametrize("status", [400, 429, 500])
    def test_a_refusal_that_quotes_the_request_shows_no_secret(self, status: int) -> None:
        """CallBack holds the token of this function; Operation may hold a password."""
        callback = "https://f.example.com/callback/k3y-of-letters/x?token=a%2Fb-token&a=1"
        quoted = callback.replace("&", "&amp;")
        body = (
            "<Error><Code>InvalidArgument</Code><Message>CallBack "
            f"{quoted} (token a/b-token) with &lt;DocPassword&gt;hunter2&lt;/DocPassword&gt; is "
            "invalid</Message></Error>"
        )
        request = translation() | {"CallBack": callback}

        result = answering(Answer(status, body.encode())).create(AI, request)

        assert result.code == "InvalidArgument"
        assert "is invalid" in result.message
        for secret in ("b-token", "hunter2", "k3y-of-letters"):
            assert secret not in result.message

    def test_doubt_about_the_older_path_is_doubt(self) -> None:
        """The job may be there."""
        ci = answering(error(404, "NotFound"), error(500, "InternalError"))
        assert ci.create(AI, translation()).verdict == "unknown"

    @pytest.mark.parametrize(
        ("answer", "verdict", "code"),
        [
            (error(400, "InvalidArgument"), "refused", "InvalidArgument"),
            (error(401, "AccessDenied"), "refused", "AccessDenied"),
            (error(403, "AccessDenied"), "refused", "AccessDenied"),
            (error(200, "InvalidArgument"), "refused", "InvalidArgument"),
            (error(429, "SlowDown"), "not_taken", "SlowDown"),
            (error(503, "ServiceUnavailable"), "not_taken", "ServiceUnavailable"),
            (error(403, "QueueSaturated"), "not_taken", "QueueSaturated"),
            (error(400, "RequestTimeout"), "not_taken", "RequestTimeout"),
            (error(307, "TemporaryRedirect"), "not_taken", "TemporaryRedirect"),
            (error(500, "InternalError"), "unknown", "InternalError"),
            (error(504, "GatewayTimeout"), "unknown", "GatewayTimeout"),
            (Answer(503, b""), "unknown", ""),
            (Answer(429, b"<html>slow down</html>"), "unknown", ""),
            (Answer(502, b"<html><h1>Bad Gateway</html>"), "unknown", ""),
            (Answer(400, b"no"), "unknown", ""),
            (Answer(302, b""), "unknown", ""),
            (Answer(404, b"not found"), "refused", ""),
            (Answer(200, b""), "unknown", ""),
            (Answer(200, b"<Response><JobsDetail><JobId>a1</JobId>"), "unknown", ""),
            (Answer(200, b"<Response/>"), "unknown", ""),
            (Answer(200, b"<Response><JobsDetail><State>Submitted</State></JobsDetail></Response>"),
             "unknown", ""),
            (Answer(200, b"<Response><JobsDetail><JobId>a1</JobId></JobsDetail></Response>"),
             "accepted", ""),
        ],
    )  # fmt: skip
    def test_each_answer_has_its_verdict(self, answer: Answer, verdict: str, code: str) -> None:
        """unknown wherever a job may have come of it; refused only in CI's own words."""
        result = answering(answer).create(DOCUMENT, translation())
        assert (result.verdict, result.code, result.status) == (verdict, code, answer.status)

    @pytest.mark.parametrize(
        ("body", "verdict", "job_id"),
        [
            ("<Code>InvalidArgument</Code><State>Failed</State>", "refused", None),
            ("<Code>InvalidArgument</Code>", "refused", None),
            ("<Code>InvalidArgument</Code><State>Failed</State><JobId>a1</JobId>", "refused", "a1"),
            ("<Code>SlowDown</Code>", "not_taken", None),
            ("<Code>Success</Code><State>Submitted</State><JobId>a1</JobId>", "accepted", "a1"),
            ("<Code>Odd</Code><State>Submitted</State><JobId>a1</JobId>", "accepted", "a1"),
        ],
    )
    @pytest.mark.parametrize("wrap", ["{}", "<JobsDetail>{}</JobsDetail>"])
    def test_http_200_is_no_promise(
        self, body: str, verdict: str, job_id: str | None, wrap: str
    ) -> None:
        """CI's Go SDK has a case with Code InvalidArgument and State Failed."""
        answer = Answer(200, f"<Response>{wrap.format(body)}</Response>".encode())
        result = answering(answer).create(MEDIA, transcode())
        assert (result.verdict, result.job_id) == (verdict, job_id)

    @pytest.mark.parametrize(
        ("fault", "end"),
        [
            (Fault(before=(503, "ServiceUnavailable")), ("not_taken", 0)),
            (Fault(before=(429, "SlowDown")), ("not_taken", 0)),
            (Fault(before=(500, "InternalError")), ("unknown", 0)),
            (Fault(after=(502, "BadGateway"), body=b"<html>Bad Gateway</html>"), ("unknown", 1)),
            (Fault(reset_before=True), ("unknown", 0)),
            (Fault(reset_after=True), ("unknown", 1)),
            (Fault(delay_s=1.0), ("unknown", 1)),
            (Fault(body=b"garbage"), ("unknown", 1)),
            (Fault(cut_answer=True), ("unknown", 1)),
        ],
        ids=lambda value: value[0] if isinstance(value, tuple) else None,
    )
    def test_one_request_is_sent_whatever_becomes_of_it(
        self, ci: Ci, impatient: Ci, face: CiSimulator, fault: Fault, end: tuple[str, int]
    ) -> None:
        """A second one could be a second job: only the ledger's protocol may send it."""
        verdict, accepted = end
        with face.faulty(lambda seen: fault):
            result = (impatient if fault.delay_s else ci).create(AI, translation())
        if fault.delay_s:
            eventually(lambda: len(face.accepted) == accepted)
        assert result.verdict == verdict
        assert len(face.accepted) == accepted
        assert len(face.seen) == 1

    def test_no_connection_is_not_taken(self, http: HttpClient) -> None:
        """Nothing left this side."""
        ci = Ci(http, CREDENTIALS, CiAddress(BUCKET, REGION, ("127.0.0.1", closed_port())))
        result = ci.create(AI, translation())
        assert (result.verdict, result.status) == ("not_taken", None)
        assert "no connection" in result.message

    def test_a_request_that_is_no_xml_is_refused_unsent(self, ci: Ci, face: CiSimulator) -> None:
        """It would never be accepted, so nothing is tried."""
        result = ci.create(AI, translation(key="a\x00b"))
        assert (result.verdict, result.code) == ("refused", "NotWritableError")
        assert result.message == "Object holds U+0000, which XML does not allow"
        assert face.seen == []

    def test_a_workflow_is_triggered_for_an_object(self, ci: Ci, face: CiSimulator) -> None:
        """A new run with an id of its own."""
        result = ci.trigger_workflow("w1", "输入 a+b&c.mp4")
        assert result.verdict == "accepted"
        run = face.jobs[result.job_id or ""]
        assert run.request == {"workflowId": "w1", "object": "输入 a+b&c.mp4"}

    def test_a_workflow_that_ci_refuses(self, ci: Ci) -> None:
        """As any submission."""
        assert ci.trigger_workflow("w1", "").verdict == "refused"


class TestSigning:
    def test_wrong_keys_are_refused(self, face: CiSimulator, http: HttpClient) -> None:
        """The face checks each signature, so all other tests are tests of it too."""
        wrong = Credentials(SECRET_ID, "another", "")
        ci = Ci(http, wrong, CiAddress(BUCKET, REGION, ("127.0.0.1", face.port)))
        result = ci.create(AI, translation())
        assert (result.verdict, result.code) == ("refused", "SignatureDoesNotMatch")

    def test_a_session_token_goes_along_signed(self, face: CiSimulator, http: HttpClient) -> None:
        """SCF's credentials are temporary ones."""
        face.security_token = "token"
        temporary = CREDENTIALS._replace(session_token="token")
        ci = Ci(http, temporary, CiAddress(BUCKET, REGION, ("127.0.0.1", face.port)))
        assert ci.create(AI, translation()).verdict == "accepted"
        assert "x-ci-security-token" in face.seen[0].headers["authorization"]

    def test_the_host_is_ci_s_wherever_the_connection_goes(self, ci: Ci, face: CiSimulator) -> None:
        """It names bucket and region, and is signed."""
        ci.create(AI, translation())
        assert face.seen[0].headers["host"] == f"{BUCKET}.ci.{REGION}.myqcloud.com"

    def test_https_to_ci_itself_without_an_endpoint(self) -> None:
        """The endpoint is for tests."""
        http = Answers(Answer(200, b"<Response/>"))
        Ci(http, CREDENTIALS, CiAddress(BUCKET, REGION)).create(AI, translation())
        assert http.urls == [f"https://{BUCKET}.ci.{REGION}.myqcloud.com/jobs"]

    def test_the_signing_key_is_not_logged(self, ci: Ci, caplog: pytest.LogCaptureFixture) -> None:
        """The SDK writes it at DEBUG."""
        with caplog.at_level(logging.DEBUG):
            ci.create(AI, translation())
        assert [record for record in caplog.records if "qcloud" in record.name] == []


class TestDescribing:
    @pytest.mark.parametrize("tag", ["Transcode", "DocProcess", "FileHashCode"])
    def test_a_description_shows_the_present_state_of_a_job(
        self, ci: Ci, face: CiSimulator, tag: str
    ) -> None:
        """Each family at its own path."""
        family = {"Transcode": MEDIA, "DocProcess": DOCUMENT, "FileHashCode": FILE}[tag]
        job_id = ci.create(family, transcode() | {"Tag": tag}).job_id or ""
        face.finish(job_id, "Failed", "ResourceNotFound", "it is gone")
        described = ci.describe(family, job_id)
        assert described is not None
        assert (described.state, described.code, described.message) == (
            "Failed", "ResourceNotFound", "it is gone",
        )  # fmt: skip
        assert described.detail["JobId"] == job_id
        assert face.requests()[-1] == ("GET", f"{family.describe_path}/{job_id}")

    def test_a_job_under_way_has_no_code_of_its_own(self, ci: Ci) -> None:
        """CI says Success there from the beginning, so the state must be asked first."""
        described = ci.describe(AI, submitted(ci, 1)[0])
        assert described is not None
        assert (described.state, described.code) == ("Submitted", "Success")

    def test_what_ci_does_not_know_is_none(self, ci: Ci, face: CiSimulator) -> None:
        """A forged id, or one that was forgotten."""
        job_id = submitted(ci, 1)[0]
        face.forget(job_id)
        assert ci.describe(AI, job_id) is None

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, NONE_SUCH),
            Answer(404, NONE_SUCH),
            Answer(200, b"<Response><JobsDetail/></Response>"),
            Answer(200, b"<Response/>"),
        ],
    )
    def test_all_the_ways_to_say_no(self, answer: Answer) -> None:
        """No page says which HTTP status comes with it."""
        assert answering(answer).describe(MEDIA, UNKNOWN_ID) is None

    @pytest.mark.parametrize(
        "job_id", ["", "../queue", "j1,j2", "j1?x", "j 1", "j/1", "é", "j" * 129]
    )
    def test_what_can_be_no_id_is_not_asked_for(
        self, ci: Ci, face: CiSimulator, job_id: str
    ) -> None:
        """An id comes from a callback: it must not choose the path."""
        assert ci.describe(MEDIA, job_id) is None
        assert face.seen == []

    def test_another_job_is_no_answer(self) -> None:
        """Taken for the right one, it would end the wrong retry."""
        ci = answering(
            Answer(200, b"<Response><JobsDetail><JobId>j2</JobId></JobsDetail></Response>")
        )
        with pytest.raises(CiError, match="another job"):
            ci.describe(MEDIA, "j1")

    def test_a_run_of_a_workflow(self, ci: Ci, face: CiSimulator) -> None:
        """By its InstanceId, with its own nodes."""
        run_id = ci.trigger_workflow("w1", "a.mp4").job_id or ""
        face.finish(run_id, "Failed")
        described = ci.describe(WORKFLOW, run_id)
        assert described is not None
        assert (described.state, described.detail["RunId"]) == ("Failed", run_id)

    def test_an_error_is_raised_with_its_code(self, ci: Ci) -> None:
        """Only CI's own NonExistJobIds mean that there is no such job."""
        with pytest.raises(CiError) as raised:
            ci.describe(WORKFLOW, "i1=")
        assert (raised.value.status, raised.value.code) == (404, "ResourceNotFound")
        assert not raised.value.retryable

    def test_access_denied_says_what_to_do(self) -> None:
        """HTTP 401 can be a wrong signature as well as a missing action in CAM."""
        ci = answering(error(401, "AccessDenied"))
        with pytest.raises(CiError, match="CAM, or the signature") as raised:
            ci.describe(MEDIA, "j1")
        assert str(raised.value).endswith("(HTTP 401 AccessDenied)")

    def test_an_error_quotes_nothing(self) -> None:
        """CI's Message may hold what was sent."""
        ci = answering(error(400, "InvalidArgument", "DocPassword hunter2 is wrong"))
        with pytest.raises(CiError) as raised:
            ci.describe(MEDIA, "j1")
        assert "hunter2" not in str(raised.value)


class TestReadingTwice:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(before=(500, "InternalError")),
            Fault(before=(503, "SlowDown")),
            Fault(before=(502, "BadGateway"), body=b"<html>"),
            Fault(reset_before=True),
            Fault(reset_after=True),
            Fault(delay_s=0.7),
        ],
    )
    def test_a_read_is_sent_once_more(
        self, ci: Ci, impatient: Ci, face: CiSimulator, sleeps: list[float], fault: Fault
    ) -> None:
        """Asking twice is the same as asking once."""
        job_id = submitted(ci, 1)[0]
        faults: list[Fault | None] = [fault, None]
        with face.faulty(lambda seen: faults.pop(0)):
            assert (impatient if fault.delay_s else ci).describe(AI, job_id) is not None
        assert sleeps == [ci_module.PAUSE_S]

    @pytest.mark.parametrize(
        ("fault", "requests", "retryable"),
        [
            (Fault(before=(503, "SlowDown")), 2, True),
            (Fault(reset_before=True), 2, True),
            (Fault(before=(429, "SlowDown")), 1, True),
            (Fault(before=(403, "QueueSaturated")), 1, True),
            (Fault(before=(403, "AccessDenied")), 1, False),
            (Fault(body=b"garbage"), 1, True),
            (Fault(body=b"<html/>"), 1, True),
            (Fault(body=b"{}"), 1, True),
            (Fault(body=b"[]"), 1, True),
            (Fault(body=b"<Response>what</Response>"), 1, True),
            (Fault(body=b"<Response><JobsDetail>what</JobsDetail></Response>"), 1, True),
        ],
    )
    def test_in_the_end_it_is_raised(
        self, ci: Ci, face: CiSimulator, fault: Fault, requests: int, retryable: bool
    ) -> None:
        """Never taken for "there is no such job": that would lead to a second one."""
        with face.faulty(lambda seen: fault), pytest.raises(CiError) as raised:
            ci.describe(MEDIA, UNKNOWN_ID)
        assert len(face.seen) == requests
        assert raised.value.retryable is retryable
        face.seen.clear()
        with face.faulty(lambda seen: fault), pytest.raises(CiError):
            list(ci.list_jobs(AI, "Translation", NOW))

    def test_out_of_reach(self, http: HttpClient) -> None:
        """The error says so, without a status."""
        port = closed_port()
        ci = Ci(
            http, CREDENTIALS, CiAddress(BUCKET, REGION, ("127.0.0.1", port)), lambda seconds: None
        )
        with pytest.raises(CiError, match=r"CI describe: no answer from 127\.0\.0\.1") as raised:
            ci.describe(MEDIA, UNKNOWN_ID)
        assert (raised.value.operation, raised.value.status) == ("describe", None)


class TestListing:
    def test_all_pages_oldest_first(self, ci: Ci, face: CiSimulator, clock: Clock) -> None:
        """A page has 100 jobs at most."""
        ids = submitted(ci, 205)
        face.seen.clear()
        listed = list(ci.list_jobs(AI, "Translation", clock.now))
        assert [detail["JobId"] for detail in listed] == ids
        assert len(face.seen) == 3
        assert face.seen[0].params == {
            "tag": "Translation",
            "orderByTime": "Asc",
            "size": "100",
            "states": "All",
            "startCreationTime": "2026-09-21T22:13:19+0800",
            "queueType": "AIProcess",
        }

    def test_a_new_job_between_two_pages_does_no_harm(self, ci: Ci) -> None:
        """In order of time it comes last; the other way round it would push one out of sight."""
        ids = submitted(ci, 101)
        listing = ci.list_jobs(AI, "Translation", NOW)
        first = next(listing)
        ids += submitted(ci, 1)
        assert [first["JobId"], *(detail["JobId"] for detail in listing)] == ids

    def test_a_job_comes_with_its_user_data(self, ci: Ci) -> None:
        """By it a submission is found again whose answer was lost."""
        ci.create(AI, translation(user_data="mine/ci-retry:a1:2:00c0ffee00c0ffee"))
        detail = next(ci.list_jobs(AI, "Translation", NOW))
        assert tree.text(detail, "Operation.UserData") == "mine/ci-retry:a1:2:00c0ffee00c0ffee"

    def test_jobs_of_the_very_second_are_there(self, ci: Ci, clock: Clock) -> None:
        """CI compares whole seconds, and "greater than" at that."""
        clock.now = NOW + 0.2
        ids = submitted(ci, 1)
        listed = ci.list_jobs(AI, "Translation", NOW + 0.9)
        assert [detail["JobId"] for detail in listed] == ids

    def test_earlier_jobs_are_not(self, ci: Ci, clock: Clock) -> None:
        """A second of overlap, no more."""
        submitted(ci, 1)
        clock.now += 60
        ids = submitted(ci, 1)
        listed = ci.list_jobs(AI, "Translation", NOW + 60)
        assert [detail["JobId"] for detail in listed] == ids

    @pytest.mark.parametrize("since", [0.0, -1e9, 1.5])
    def test_no_time_at_all_means_from_the_beginning(
        self, ci: Ci, face: CiSimulator, since: float
    ) -> None:
        """A job that tells no time has 0, which is no year that CI's documents have."""
        ids = submitted(ci, 1)
        assert [job["JobId"] for job in ci.list_jobs(AI, "Translation", since)] == ids
        assert face.seen[-1].params["startCreationTime"] == "2001-01-01T08:00:00+0800"

    def test_one_input_object_alone(self, ci: Ci) -> None:
        """Whatever its name is."""
        key = "输入/a b+c&d=%2B?.pdf"
        submitted(ci, 2)
        ids = submitted(ci, 2, key)
        listed = ci.list_jobs(AI, "Translation", NOW, key)
        assert [detail["JobId"] for detail in listed] == ids

    def test_some_states_alone(self, ci: Ci, face: CiSimulator) -> None:
        """As reconciliation asks."""
        ids = submitted(ci, 2)
        face.finish(ids[1], "Failed")
        listed = ci.list_jobs(AI, "Translation", NOW, states="Success,Failed,Cancel")
        assert [detail["JobId"] for detail in listed] == ids[1:]

    @pytest.mark.parametrize("name", ["media", "picture", "ai", "speech", "document", "file"])
    def test_each_family_lists_its_own(self, ci: Ci, name: str) -> None:
        """With the queueType of its page, or without where it has none."""
        tags = {
            "media": "Tts",
            "picture": "PicProcess",
            "ai": "ImageOCR",
            "speech": "SpeechRecognition",
            "document": "DocProcess",
            "file": "FileCompress",
        }
        family = FAMILIES[name]
        result = ci.create(family, transcode() | {"Tag": tags[name]})
        listed = ci.list_jobs(family, tags[name], NOW)
        assert [detail["JobId"] for detail in listed] == [result.job_id]

    def test_no_jobs(self, ci: Ci) -> None:
        """An empty list is one."""
        assert list(ci.list_jobs(AI, "Translation", NOW)) == []

    def test_a_fault_between_two_pages_is_raised(self, ci: Ci, face: CiSimulator) -> None:
        """Half a list proves nothing about what is missing."""
        submitted(ci, 101)

        def second_page(seen: Seen) -> Fault | None:
            return Fault(before=(503, "SlowDown")) if "nextToken" in seen.params else None

        with face.faulty(second_page), pytest.raises(CiError, match="503 SlowDown"):
            list(ci.list_jobs(AI, "Translation", NOW))

    def test_a_list_without_end_is_given_up(self) -> None:
        """After so many pages that no bucket has them."""
        pages = (
            Answer(200, f"<Response><NextToken>{number}</NextToken></Response>".encode())
            for number in range(ci_module.MAX_PAGES + 1)
        )
        with pytest.raises(CiError, match="no end after 1000 pages"):
            list(answering(*pages).list_jobs(AI, "Translation", NOW))

    def test_a_list_in_a_circle_is_given_up_at_once(self) -> None:
        """The same token would bring the same page."""
        page = Answer(200, b"<Response><NextToken>1</NextToken></Response>")
        http = Answers(page)
        with pytest.raises(CiError, match="the same page again"):
            list(Ci(http, CREDENTIALS, CiAddress(BUCKET, REGION)).list_jobs(AI, "Translation", NOW))
        assert len(http.urls) == 2

    def test_runs_of_a_workflow_have_no_list_by_tag(self, ci: Ci) -> None:
        """Asking again would not help."""
        with pytest.raises(CiError, match="no list by tag of a workflow") as raised:
            list(ci.list_jobs(WORKFLOW, "", NOW))
        assert not raised.value.retryable


def eventually(condition: Any, within_s: float = 5.0) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
