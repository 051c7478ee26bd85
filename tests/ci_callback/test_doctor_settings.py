"""`doctor` on settings that can be read, and on the alert channels."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ci_callback.doctor import on_alerts, on_settings
from ci_callback.doctor.case import Case, Target
from ci_callback.doctor.findings import Finding
from handler.http_client import HttpClient
from handler.run import MAX_TASK_S
from handler.settings import Settings
from tests.alert_services import KEY, AlertService, closed_port

WELL = {
    "LEDGER_URL": "cos://records-1250000000/ci",
    "COS_REGION": "ap-guangzhou",
    "TENCENTCLOUD_SECRETID": "AKIDexample",
    "TENCENTCLOUD_SECRETKEY": "example-secret-key",
    "CALLBACK_TOKENS": "a-token-that-is-long-enough",
    "ALERT_URLS": "https://hooks.slack.com/services/T0/B0/0f1e2d3c",
}


def opinions(**env: str) -> list[Finding]:
    """What is said of these settings."""
    return on_settings.opinions(Settings.from_env(WELL | env))


def test_settings_that_fit_are_well() -> None:
    """And the kind of the credentials is told."""
    assert [(finding.name, finding.status) for finding in opinions()] == [
        ("settings", "ok"),
        ("credentials", "ok"),
    ]
    assert "permanent" in opinions()[1].what
    assert "with a session token" in opinions(TENCENTCLOUD_SESSIONTOKEN="x" * 20)[1].what


@pytest.mark.parametrize(
    ("env", "status", "words"),
    [
        ({"CALLBACK_TOKENS": "none"}, "warning", "everyone who knows the function's URL"),
        ({"CALLBACK_TOKENS": "abc,a-token-that-is-long-enough"}, "warning", "1 of 2 are shorter"),
        ({"CALLBACK_TOKENS": "a-token+with/odd&signs"}, "warning", "percent-encoded"),
        ({"ALERT_URLS": ""}, "warning", "alerts reach no one"),
        ({"ALERT_URLS": "https://x.example.com/#service=pager"}, "fault", "no way is known"),
        ({"ALERT_URLS": "smtps://u:p4ssw0rd@mx.example.com/"}, "fault", "mx.example.com: ?to="),
        ({"LEASE_S": f"{MAX_TASK_S:g}"}, "fault", "outlive its lease"),
        ({"UNKNOWN_SUBMISSION_TIMEOUT_S": "60"}, "warning", "does not list yet"),
        (
            {"MISSING_CALLBACK_CHECK_S": "600"},
            "warning",
            "shorter than UNKNOWN_SUBMISSION_TIMEOUT_S (900 s)",
        ),
        ({"LEASE_WAIT_S": "0"}, "warning", "listings of COS may lag"),
        ({"VERIFY_CALLBACKS": "never"}, "warning", "any job submitted"),
        ({"COS_ENDPOINT": "http://127.0.0.1:1"}, "warning", "only for tests"),
        ({"RETRY_CALLBACK_URL": "https://x.example.com/"}, "fault", "holds no token"),
        ({"RETRY_CALLBACK_URL": "https://x.example.com/?token=b"}, "fault", "holds no token"),
    ],
)
def test_what_will_surprise(env: dict[str, str], status: str, words: str) -> None:
    """The variable is named, what follows from it, and what fixes it; no value of a secret."""
    (finding,) = [finding for finding in opinions(**env) if finding.status != "ok"]
    (variable,) = env
    assert finding.name == f"settings {variable}"
    assert finding.status == status
    assert words in finding.what
    assert finding.fix
    assert "p4ssw0rd" not in finding.what


@pytest.mark.parametrize(
    "env",
    [
        {"LEASE_S": f"{MAX_TASK_S + 1:g}"},
        {"MISSING_CALLBACK_CHECK_S": "900"},
        {"UNKNOWN_SUBMISSION_TIMEOUT_S": "300"},
        {"LEASE_WAIT_S": "1"},
        {"RETRY_CALLBACK_URL": "https://x.example.com/?token=a-token-that-is-long-enough"},
        {"RETRY_CALLBACK_URL": "https://x.example.com/", "CALLBACK_TOKENS": "none"},
        {"ALERT_URLS": "smtps://u:p@mx.example.com/?to=a@example.com"},
        {"LEDGER_URL": "file:./x", "LEASE_WAIT_S": "0"},
    ],
)
def test_what_is_just_right(env: dict[str, str]) -> None:
    """At the bounds, nothing is said."""
    names = {finding.name for finding in opinions(**env) if finding.status != "ok"}
    assert names <= {"settings CALLBACK_TOKENS"}


def test_secrets_of_settings_that_can_not_be_read_are_known() -> None:
    """By every part that a list has."""
    env = {"CALLBACK_TOKENS": "one-token, two words", "ALERT_URLS": "gopher://x  https://y/k"}
    known = on_settings.secrets_of(env, None)
    assert {"one-token", "two words", "gopher://x", "https://y/k"} <= known
    assert on_settings.secrets_of({"CALLBACK_TOKENS": "none"}, None) == set()


# --- alerts --------------------------------------------------------------------------------


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """One for a test, closed behind it."""
    client = HttpClient()
    yield client
    client.close()


def sent(http: HttpClient, urls: str, lang: str = "en", send: bool = True) -> list[Finding]:
    """What became of a test alert."""
    settings = Settings.from_env(WELL | {"ALERT_URLS": urls, "ALERT_LANG": lang})
    return on_alerts.alerts(Case(settings, Target(send_test_alert=send), http, time.time))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_test_alert_is_marked_as_one(http: HttpClient, lang: str) -> None:
    """It goes to each channel once, and who took it is told."""
    with AlertService("wecom") as robot, AlertService("slack") as slack:
        findings = sent(http, f"{robot.url} {slack.url}", lang)
        assert [finding.status for finding in findings] == ["ok", "ok"]
        assert findings[0].what == "wecom at 127.0.0.1 accepted the test message"
        title = {"en": "[Cloud Infinite] Test alert\n", "zh": "[数据万象] 测试告警\n"}[lang]
        assert [len(robot.texts), len(slack.texts)] == [1, 1]
        assert robot.texts[0].startswith(title)


def test_a_channel_that_refuses_hides_no_other(http: HttpClient) -> None:
    """Its own reason is told, nothing of its address but the host."""
    nobody = f"http://127.0.0.1:{closed_port()}/hook/{KEY}"
    with AlertService("wecom") as robot, AlertService("slack") as slack:
        robot.refuse_with = 93000
        findings = sent(http, f"{robot.url} {nobody} {slack.url}")
    assert [finding.status for finding in findings] == ["fault", "fault", "ok"]
    assert "refused with errcode 93000" in findings[0].what
    assert "no connection" in findings[1].what
    assert all(KEY not in finding.what + finding.fix for finding in findings)


def test_nothing_is_sent_unless_asked_for(http: HttpClient) -> None:
    """The option is named."""
    with AlertService("wecom") as robot:
        other = robot.url.replace("#", "other#")
        (finding,) = sent(http, f"{robot.url} {other}", send=False)
        assert (finding.status, finding.what) == ("skipped", "2 channels, not tried")
        assert finding.fix == "python -m ci_callback doctor --send-test-alert"
        assert robot.received == []
    assert sent(http, "")[0].what == "ALERT_URLS is empty"
