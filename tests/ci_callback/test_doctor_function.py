"""`doctor` on the deployed function: its triggers by SCF's API, its URL; and the signature."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.alert_services import closed_port
from tests.ci_callback.doctor_services import RECONCILE, SWEEP, TOKEN, URL, Services, trigger


@pytest.fixture(scope="module")
def _started() -> Iterator[Services]:
    with Services("timer", "function url") as services:
        yield services


@pytest.fixture
def here(_started: Services) -> Services:
    """All services, well."""
    _started.reset()
    return _started


def with_triggers(here: Services, *triggers: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """What is found where the function has these."""
    here.scf.functions = {("default", "ci-callback"): list(triggers)}
    return here.findings()


def test_without_the_sdk_the_triggers_are_skipped(
    here: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it says what to install."""
    monkeypatch.setitem(sys.modules, "tencentcloud.common.credential", None)
    status, what, _ = here.findings()["timer"]
    assert (status, "pip install" in what) == ("skipped", True)


def test_the_request_is_signed_and_names_the_function(here: Services) -> None:
    """The server checks the signature by its own reckoning."""
    here.scf.functions[("prod", "ci-callback")] = [SWEEP]
    assert here.findings(namespace="prod")["timer sweep"][0] == "ok"
    asked = json.loads(here.scf.seen[-1].body)
    assert asked["FunctionName"] == "ci-callback"
    assert asked["Namespace"] == "prod"


def test_temporary_credentials_send_their_token(here: Services) -> None:
    """SCF refuses them without."""
    here.scf.token = "session-token"
    assert "AuthFailure.TokenFailure" in here.findings()["timer"][1]
    here.env["TENCENTCLOUD_SESSIONTOKEN"] = "session-token"
    assert here.findings()["timer sweep"][0] == "ok"


def test_the_timers_and_the_url_of_serverless_yml_are_well(here: Services) -> None:
    """The cron is shown."""
    findings = here.findings()
    assert findings["timer sweep"] == ("ok", "sweep: 0 * * * * * *", "")
    assert findings["timer reconcile"] == ("ok", "reconcile: 0 */30 * * * * *", "")
    assert findings["url trigger"][0] == "ok"


def test_more_triggers_than_a_page_are_read(here: Services) -> None:
    """SCF gives twenty at a time."""
    others = [trigger("cos", f"bucket-{number}", "{}") for number in range(25)]
    findings = with_triggers(here, *others, SWEEP, URL)
    assert findings["timer sweep"][0] == findings["url trigger"][0] == "ok"
    asked = [seen.headers["x-tc-action"] for seen in here.scf.seen]
    assert asked.count("ListTriggers") == 2


def test_a_function_without_a_timer(here: Services) -> None:
    """Nothing would ever be retried."""
    findings = with_triggers(here, URL)
    what = "there is none: no failure is retried or leads to an alert"
    assert findings["timer sweep"] == ("fault", what, "deploy serverless.yml, which has it")
    assert "timer reconcile" not in findings


@pytest.mark.parametrize("off", [0, "CLOSE", None])
def test_a_timer_that_is_switched_off(here: Services, off: Any) -> None:
    """A fault, and the page where it is switched on."""
    timer = trigger("timer", "sweep", "0 * * * * * *", "", off)
    status, what, fix = with_triggers(here, timer, URL)["timer sweep"]
    assert (status, what) == (
        "fault",
        "sweep is switched off: no failure is retried or leads to an alert",
    )
    assert "console.cloud.tencent.com/scf/list" in fix


@pytest.mark.parametrize("desc", ["0 * * * * * *", '{"cron": "0 * * * * * *"}', "7"])
def test_an_empty_argument_is_a_sweep(here: Services, desc: str) -> None:
    """However the cron is told; one that can't be read is no fault."""
    finding = with_triggers(here, trigger("timer", "any", desc, "", "OPEN"), URL)["timer sweep"]
    assert finding[:2] == ("ok", "any: ?" if desc == "7" else "any: 0 * * * * * *")


def test_reconciling_needs_its_timer(here: Services) -> None:
    """Only where RECONCILE_TAGS asks for it."""
    off = trigger("timer", "reconcile", "x", "reconcile", 0)
    here.env["RECONCILE_TAGS"] = "Transcode:6"
    assert with_triggers(here, SWEEP, URL)["timer reconcile"][0] == "fault"
    finding = with_triggers(here, SWEEP, off, URL)["timer reconcile"]
    assert finding[1] == "reconcile is switched off: callbacks that never came are not looked for"
    assert with_triggers(here, SWEEP, RECONCILE, URL)["timer reconcile"][0] == "ok"


def test_forwarding_needs_its_timer(here: Services) -> None:
    """Only where FORWARD_URLS names a destination."""
    assert "timer forward" not in with_triggers(here, SWEEP, URL)
    key = "whsec_" + "A" * 43 + "="
    here.env["FORWARD_URLS"] = f"https://one.example.com/h#secret={key}"
    finding = with_triggers(here, SWEEP, URL)["timer forward"]
    assert finding[:2] == ("fault", "there is none: no event is sent to FORWARD_URLS")
    on = trigger("timer", "forward", "30 * * * * * *", "forward", "OPEN")
    assert with_triggers(here, SWEEP, on, URL)["timer forward"][0] == "ok"


def test_a_timer_with_an_argument_that_is_no_task(here: Services) -> None:
    """The function would log unknown_task each time."""
    odd = trigger("timer", "nightly", "0 0 0 * * * *", "sweeep")
    findings = with_triggers(here, SWEEP, odd, URL)
    assert findings["timer"][:2] == (
        "fault",
        "nightly asks for sweeep, which is no task of the function",
    )


@pytest.mark.parametrize(
    ("triggers", "words"),
    [
        ((), "no URL that CI could call"),
        ((trigger("http", "u", {"AuthType": "CAM"}),), "wants signed requests"),
        (
            (trigger("http", "u", {"AuthType": "NONE", "NetConfig": {"EnableExtranet": False}}),),
            "closed to the internet",
        ),
        ((trigger("http", "u", {"AuthType": "NONE"}, "", 0),), "switched off"),
    ],
)
def test_a_url_that_ci_can_not_call(here: Services, triggers: Any, words: str) -> None:
    """CI signs nothing, and comes from the internet."""
    status, what, _ = with_triggers(here, SWEEP, *triggers)["url trigger"]
    assert status == "fault"
    assert words in what


def test_one_open_url_is_enough(here: Services) -> None:
    """Another qualifier may have one of its own."""
    closed = trigger("http", "u", {"AuthType": "CAM"})
    assert with_triggers(here, SWEEP, closed, URL)["url trigger"][0] == "ok"


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("AuthFailure.UnauthorizedOperation", "skipped", "grant scf:ListTriggers"),
        ("UnauthorizedOperation.CAM", "skipped", "grant scf:ListTriggers"),
        ("ResourceNotFound.Namespace", "fault", "--function and --namespace"),
        ("AuthFailure.SecretIdNotFound", "fault", "check TENCENTCLOUD_SECRETID"),
        ("InternalError", "fault", "console.cloud.tencent.com/scf"),
    ],
)
def test_what_scf_refuses(here: Services, code: str, status: str, words: str) -> None:
    """Its code is told, its words are not: they may quote the request."""
    here.scf.refuse_with = code
    finding = here.findings()["timer"]
    assert finding[0] == status
    assert code in finding[1]
    assert words in finding[2]


def test_a_clock_that_scf_does_not_take(here: Services) -> None:
    """Five minutes are its bound."""
    here.scf.ahead_s = 400
    assert "off by more than 5 minutes" in here.findings()["timer"][1]


@pytest.mark.parametrize(
    "answer",
    [(502, b"<html>"), (200, b"[]"), (200, b'{"Response": "x"}'), (500, b'{"Response": {}}')],
)
def test_something_else_than_scf_answers(here: Services, answer: tuple[int, bytes]) -> None:
    """A fault, and nothing of the body."""
    here.scf.answer = answer
    status, what, _ = here.findings()["timer"]
    assert (status, what) == ("fault", "the answer is not from SCF")


@pytest.mark.parametrize("triggers", [None, "x", [1, None]])
def test_an_answer_without_triggers(here: Services, triggers: Any) -> None:
    """Is a function that has none."""
    here.scf.answer = (200, json.dumps({"Response": {"Triggers": triggers}}).encode())
    assert here.findings()["timer sweep"][0] == "fault"


def test_scf_out_of_reach(here: Services) -> None:
    """Told as that."""
    finding = here.findings(scf_endpoint=f"http://127.0.0.1:{closed_port()}")["timer"]
    assert finding[:2] == ("fault", "SCF can't be reached")


def test_without_a_name_scf_is_not_asked(here: Services) -> None:
    """The option is named."""
    status, out = here.run()
    assert status == 0
    assert "no function is named" in out
    assert "fix: python -m ci_callback doctor --function NAME" in out
    assert not here.scf.seen


def test_without_credentials_scf_is_not_asked(here: Services, tmp_path: Path) -> None:
    """A ledger in a folder needs none."""
    here.env |= {"LEDGER_URL": f"file:{tmp_path}/ledger", "TENCENTCLOUD_SECRETID": ""}
    assert here.findings()["timer"][0] == "skipped"
    assert not here.scf.seen


# --- the URL -------------------------------------------------------------------------------


def test_the_function_answers_at_its_url(here: Services) -> None:
    """At /health, and no token is sent."""
    assert here.findings()["function url"] == ("ok", f"{here.url.host} answers", "")
    (seen,) = here.url.seen
    assert (seen.method, seen.uri) == ("GET", "/health")


def test_a_url_may_be_given_as_it_stands_in_a_queue(here: Services) -> None:
    """Its token is compared, and not sent."""
    right = here.findings(url=f"{here.url.url}/?token={TOKEN}")
    assert "function token" not in right
    assert here.url.seen[-1].uri == "/health"
    wrong = here.findings(url=f"{here.url.url}/?token=another-token")["function token"]
    assert wrong[0] == "fault"
    assert "answer 401" in wrong[1]


def test_a_function_whose_settings_are_wrong(here: Services) -> None:
    """Its log names them."""
    for tokens in (here.env["CALLBACK_TOKENS"], ""):
        here.url.env = {**here.env, "ALERT_LANG": "de", "CALLBACK_TOKENS": tokens}
        status, what, fix = here.findings()["function url"]
        assert status == "fault"
        assert "its settings are wrong" in what
        assert "its log" in fix


@pytest.mark.parametrize("answer", [(404, b""), (200, b"hello"), (200, b'{"status": "up"}')])
def test_another_than_this_function_answers(here: Services, answer: tuple[int, bytes]) -> None:
    """The page where the URL is shown is named."""
    here.url.answer = answer
    status, what, _ = here.findings()["function url"]
    assert status == "fault"
    assert what == f"{here.url.host} answers {answer[0]}, not as this function does"


def test_nobody_at_the_url(here: Services) -> None:
    """No answer is a fault."""
    findings = here.findings(url=f"http://127.0.0.1:{closed_port()}")
    assert findings["function url"][0] == "fault"


def test_an_intranet_address(here: Services) -> None:
    """CI refuses it, so it is not even tried."""
    address = "https://1250000000-abc.in.ap-guangzhou.tencentscf.com"
    assert "CI refuses to call it" in here.findings(url=address)["function url"][1]
