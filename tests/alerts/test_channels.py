"""Alerts reach every kind of channel, and a channel's own answer says whether they did."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from handler.alerts.channels import Transports, channels, send, send_to_channels
from handler.alerts.digest import Entry, Message, compose
from handler.alerts.services import SERVICES, SendResult, webhook_signature
from handler.errors import NoAnswerError
from handler.http_client import Answer, HttpClient
from tests.alert_services import KEY, NOW, AlertService, closed_port

SECRETS = {
    "dingtalk": "SEC0123456789abcdef",
    "feishu": "feishu-secret-ABC",
    "lark": "lark-secret-ABC",
    "webhook": "whsec_" + base64.b64encode(b"\xfb\xff0123456789abcdef01234567").decode(),
}
MESSAGE = Message(
    "1790000000-ab12", "[Cloud Infinite] Failed: 1", ("■ Failed: 1", "  jobs: j1 & <j2>")
)
CHINESE = Message("d2", "[数据万象] 任务失败：300", ("输入文件没有视频流。" * 20,) * 300, "zh")


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def sent_to(service: AlertService, http: HttpClient, message: Message = MESSAGE) -> SendResult:
    """Send to a service; what became of it."""
    return send(channels([service.url])[0], message, Transports(http), NOW)


# --- addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "service", "label"),
    [
        (f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}", "wecom", None),
        (f"https://oapi.dingtalk.com/robot/send?access_token={KEY}", "dingtalk", None),
        (f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}", "feishu", None),
        (f"https://open.larksuite.com/open-apis/bot/v2/hook/{KEY}", "lark", None),
        (f"https://HOOKS.slack.com/services/T0/B0/{KEY}", "slack", None),
        (f"https://user:{KEY}@alerts.example.com/{KEY}", "webhook", "alerts.example.com"),
        (f"http://alerts.example.com/{KEY}", "webhook", "alerts.example.com"),
        (f"https://bot.example.com/{KEY}#service=wecom", "wecom", "bot.example.com"),
        (f"https://x.example.com/#secret={KEY}&service=lark", "lark", "x.example.com"),
        (f"https://x.example.com/#service={KEY}", "unknown", "x.example.com"),
        (f"smtps://user:{KEY}@mail.example.com/?to=a@b.c", "mail", "mail.example.com"),
        ("SMTP://mail.example.com/?to=a@b.c", "mail", "mail.example.com"),
        (f"apprise:tgram://{KEY}/chat", "apprise", "apprise:tgram"),
        (f"apprise:{KEY}", "apprise", "apprise:?"),
        (f"https://[{KEY}", "unknown", "?"),
        ("gopher://old.example.com", "unknown", "old.example.com"),
    ],
)
def test_an_address_is_known_by_its_host_or_scheme(
    url: str, service: str, label: str | None
) -> None:
    """What the service shows is what goes into ALERT_URLS; the label holds no key."""
    [channel] = channels([url])

    known = SERVICES[service].hosts[0] if label is None else label
    assert (channel.service, channel.label) == (service, known)
    assert KEY not in repr(channel)
    assert KEY not in channel.id


def test_each_address_is_one_channel_however_often_it_is_named() -> None:
    """Twins collapse, the order stays, and the id depends on the address alone."""
    once = channels(
        ["https://a.example.com/1", "https://b.example.com/", "https://a.example.com/1"]
    )

    assert [channel.label for channel in once] == ["a.example.com", "b.example.com"]
    assert once[0].id == channels(["https://a.example.com/1"])[0].id == "fe89be12079883c9"
    assert once[0].id != channels(["https://a.example.com/2"])[0].id


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example.com/#secret=a", "0841dab6019f40d3"),
        ("smtps://user:pw@mail.example.com/?to=a@b.c", "b2a7412d21154f26"),
        ("apprise:json://h/p#x", "461cabf8521dcd76"),
        ("https://a.example.com/\udcff", "06e8d4b8819221e6"),
    ],
)
def test_an_id_is_the_same_in_each_release(url: str, expected: str) -> None:
    """A digest that waits names by it who took the alert; another id would post it again."""
    assert [channel.id for channel in channels([url])] == [expected]


def test_an_environment_that_is_no_utf8_makes_channels_too() -> None:
    """Bytes that the environment could not decode are surrogates: the id takes them."""
    [channel] = channels(["https://a.example.com/\udcff"])

    assert len(channel.id) == 16


@pytest.mark.parametrize(
    "url", ["https://x.example.com/#service=telegraph", "gopher://old.example.com", "https://["]
)
def test_an_address_that_names_no_service_says_so(http: HttpClient, url: str) -> None:
    """It is found out without anything being sent, and without anything being raised."""
    sent = send(channels([url])[0], MESSAGE, Transports(http), NOW)

    assert sent.status == "failed"
    assert "#service= is not one of wecom, dingtalk, feishu, lark, slack, webhook" in sent.reason


# --- services that take --------------------------------------------------------------------


@pytest.mark.parametrize("service", list(SERVICES))
def test_a_message_reaches_its_readers(service: str, http: HttpClient) -> None:
    """Each service takes the message, signed where it signs, in its own wrapping."""
    with AlertService(service, SECRETS.get(service, "")) as robot:
        assert sent_to(robot, http) == SendResult("delivered")

        [request] = robot.received
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json; charset=utf-8"
        shown = robot.texts[0].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert shown == MESSAGE.text(1000)


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("wecom", {"msgtype": "text", "text": {"content": "t\nl"}}),
        ("dingtalk", {"msgtype": "text", "text": {"content": "t\nl"}}),
        ("feishu", {"msg_type": "text", "content": {"text": "t\nl"}}),
        ("slack", {"text": "t\nl", "mrkdwn": False, "unfurl_links": False}),
        (
            "webhook",
            {"type": "ci.alert", "data": {"id": "d", "lang": "en", "title": "t", "text": "t\nl"}},
        ),
    ],
)
def test_the_wrapping_is_the_services_own(
    service: str, body: dict[str, Any], http: HttpClient
) -> None:
    """Plain text, where the service has it, so that no name is read as markup."""
    with AlertService(service) as robot:
        sent_to(robot, http, Message("d", "t", ("l",)))

        assert robot.received[0].json == body
        assert "sign" not in robot.received[0].path


def test_slack_gets_its_control_characters_escaped(http: HttpClient) -> None:
    """& < > are all that Slack acts on."""
    with AlertService("slack") as robot:
        sent_to(robot, http)

        assert robot.texts == [
            "[Cloud Infinite] Failed: 1\n■ Failed: 1\n  jobs: j1 &amp; &lt;j2&gt;"
        ]


def test_a_webhook_is_distinguished_by_its_id(http: HttpClient) -> None:
    """Standard Webhooks: the id is the message's and stays, the time is that of sending."""
    with AlertService("webhook", SECRETS["webhook"]) as hook:
        [channel] = channels([hook.url])
        for now in (NOW, NOW + 60):
            assert (
                send(channel, Message("a.b\r\nc", "t", ()), Transports(http), now).status
                == "delivered"
            )

        headers = [request.headers for request in hook.received]
        assert [header["webhook-id"] for header in headers] == ["a-b--c"] * 2
        assert [header["webhook-timestamp"] for header in headers] == ["1790000000", "1790000060"]
        assert headers[0]["webhook-signature"] != headers[1]["webhook-signature"]


def test_the_signature_is_the_one_that_others_make() -> None:
    """The example that the libraries of Standard Webhooks test themselves with."""
    signature = webhook_signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.",
        b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_secret_that_is_none_is_reported(http: HttpClient) -> None:
    """Nothing is sent unsigned where a signature was asked for."""
    with AlertService("webhook") as hook:
        [channel] = channels([f"{hook.bare_url}#secret=not*base64"])

        sent = send(channel, MESSAGE, Transports(http), NOW)

        assert sent == SendResult("failed", "the webhook's secret is not whsec_ and base64")
        assert hook.received == []


def test_a_robot_address_without_a_query_is_signed_too(http: HttpClient) -> None:
    """The signature starts a query where the address has none."""
    with AlertService("dingtalk") as robot:
        url = robot.bare_url.partition("?")[0]
        send(channels([f"{url}#service=dingtalk&secret=S"])[0], MESSAGE, Transports(http), NOW)

        assert robot.received[0].path.startswith("/robot/send?timestamp=1790000000000&sign=")


# --- services that refuse ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "code", "reason"),
    [
        ("wecom", 93000, "refused with errcode 93000: invalid webhook url, hint: "),
        ("wecom", 45009, "refused with errcode 45009: api freq out of limit, hint: "),
        ("dingtalk", 310000, "refused with errcode 310000: description:关键词不匹配"),
        ("dingtalk", 410100, "refused with errcode 410100: send too fast"),
        ("feishu", 19024, "refused with code 19024: Key Words Not Found"),
        ("lark", 11232, "refused with code 11232: frequency limited"),
        ("slack", "invalid_payload", "HTTP 403 invalid_payload"),
        ("webhook", 410, "HTTP 410 not today"),
    ],
)
def test_a_refusal_is_not_taken(
    service: str, code: int | str, reason: str, http: HttpClient
) -> None:
    """Robots refuse with HTTP 200 and a code: that reads as a refusal, in the service's words."""
    with AlertService(service, SECRETS.get(service, "")) as robot:
        robot.refuse_with = code

        sent = sent_to(robot, http)

        assert sent.status == "failed"
        assert sent.reason.startswith(reason)
        assert robot.texts == []


@pytest.mark.parametrize(
    ("service", "reason"),
    [("dingtalk", "sign not match"), ("feishu", "sign match fail"), ("webhook", "HTTP 401")],
)
@pytest.mark.parametrize("fault", ["another secret", "an old clock"])
def test_signatures_are_really_checked(
    service: str, reason: str, fault: str, http: HttpClient
) -> None:
    """Another secret, or a clock that is two hours late, and the service refuses."""
    with AlertService(service, SECRETS[service]) as robot:
        url, now = robot.url, NOW
        if fault == "an old clock":
            now -= 7200
        else:
            robot.secret = SECRETS["webhook"].replace("MDEy", "NDEy") + "x" * 4

        sent = send(channels([url])[0], MESSAGE, Transports(http), now)

        assert sent.status == "failed"
        assert reason in sent.reason


NOT_UNDERSTOOD = "the answer is not understood: "


@pytest.mark.parametrize(
    ("service", "status", "body", "reason"),
    [
        ("wecom", 502, b"bad gateway", "HTTP 502 bad gateway"),
        ("wecom", 502, b"{}", "HTTP 502 {}"),
        ("wecom", 500, b'{"errcode":0}', 'HTTP 500 {"errcode":0}'),
        ("wecom", 200, b'{"errcode":-1}', "refused with errcode -1:"),
        ("wecom", 200, b'{"ok":true,"errcode":1,"errmsg":"no"}', "refused with errcode 1: no"),
        ("wecom", 200, b'{"success":false,"message":"no"}', "refused with success false: no"),
        ("feishu", 200, b'{"StatusCode":9,"StatusMessage":"no"}', "refused with StatusCode 9: no"),
        ("feishu", 200, b'{"StatusCode":0,"code":19024}', "refused with code 19024:"),
        ("feishu", 400, b'{"code":9499,"msg":"Bad Request"}', 'HTTP 400 {"code":9499'),
        ("slack", 404, b"no_service", "HTTP 404 no_service"),
        (
            "slack",
            200,
            b'{"ok":false,"error":"invalid_auth"}',
            "refused with ok false: invalid_aut",
        ),
        ("slack", 200, b'{"success":false}', "refused with success false:"),
        ("slack", 400, b'{"success":false,"error":"no channel"}', "HTTP 400 "),
        ("slack", 200, b'{"status":"error","message":"no"}', 'refused with status "error": no'),
        ("webhook", 302, b"", "HTTP 302"),
        (
            "webhook",
            200,
            b'{"ok":false,"description":"chat not found"}',
            "refused with ok false: chat not f",
        ),
        (
            "webhook",
            200,
            b'{"success":false,"error":"no room"}',
            "refused with success false: no r",
        ),
        ("webhook", 200, b'{"result":"error","msg":"no"}', 'refused with result "error": no'),
        ("webhook", 200, b'{"errcode":93000,"errmsg":"no"}', "refused with errcode 93000: no"),
    ],
)
def test_the_known_ways_to_refuse(
    service: str, status: int, body: bytes, reason: str, http: HttpClient
) -> None:
    """Any status but 2xx; with 2xx a code, or a member that says that it failed."""
    with AlertService(service) as robot:
        robot.answer = (status, body)

        sent = sent_to(robot, http)

        assert sent.status == "failed"
        assert sent.reason.startswith(reason)


@pytest.mark.parametrize("service", ["wecom", "dingtalk", "feishu", "lark", "slack"])
@pytest.mark.parametrize(
    "body",
    [
        *(b"<html>login</html>", b"\xff\xfe", b"[" * 60_000, b"[0]", b"{}", b"null", b'"ok"', b"{"),
        *(b'{"errcode":"x"}', b'{"code":null}', b'{"errcode":false}', b'{"ok":"yes"}', b'{"ok":1}'),
        *(
            b'{"success":null}',
            b'{"status":"ok","data":[]}',
            b'{"status":200}',
            b'{"status":{}}',
            b'{"result":[]}',
            b"not ok",
        ),
    ],
)
def test_an_answer_in_other_words_is_neither_a_success_nor_a_refusal(
    service: str, body: bytes, http: HttpClient
) -> None:
    """A login page or an empty object may follow a delivery or not: the reason quotes it."""
    with AlertService(service) as robot:
        robot.answer = (200, body)

        sent = sent_to(robot, http)

        assert sent.status == "unclear"
        assert sent.reason.startswith(NOT_UNDERSTOOD.strip())


@pytest.mark.parametrize(
    ("service", "status", "body"),
    [
        ("feishu", 200, b'{"Extra":null,"StatusCode":0,"StatusMessage":"success"}'),
        ("dingtalk", 200, b'{"errmsg":"ok","errcode":0}'),
        ("slack", 200, b"ok\n"),
        ("slack", 201, b"ok"),
        ("slack", 200, b'{"ok":true}'),  # a trigger of Workflow Builder
        ("slack", 200, b""),  # the same, node-slack-sdk#2674
        ("slack", 200, b'{"success":true}'),  # Rocket.Chat
        ("wecom", 200, b'{"ok":true}'),  # a relay of one's own
        ("wecom", 200, b"OK"),
        ("dingtalk", 200, b'{"success":true,"message":""}'),
        ("lark", 200, b'{"result":"success","msg":""}'),
        ("webhook", 200, b"whatever"),
        ("webhook", 200, b"1"),
        ("webhook", 202, b""),
        ("webhook", 200, b'{"id":"x","status":"queued","code":200,"errcode":"0"}'),
    ],
)
def test_the_known_ways_to_report_a_success(
    service: str, status: int, body: bytes, http: HttpClient
) -> None:
    """In the service's own words, or in those of others that take its messages."""
    with AlertService(service) as robot:
        robot.answer = (status, body)

        assert sent_to(robot, http) == SendResult("delivered")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("reset", "127.0.0.1: the connection broke"),
        ("slow", "127.0.0.1: no whole answer within 0.3 s"),
        ("gone", "127.0.0.1: no connection: refused"),
        ("redirect", "HTTP 307"),
    ],
)
def test_no_answer_is_a_reason_and_no_error(fault: str, reason: str, http: HttpClient) -> None:
    """Whatever happens on the way, send tells it; a redirect is not followed."""
    with AlertService("wecom") as robot, AlertService("wecom") as elsewhere:
        robot.reset = fault == "reset"
        robot.delay_s = 5 if fault == "slow" else 0
        robot.redirect_to = elsewhere.bare_url if fault == "redirect" else ""
        port = str(closed_port() if fault == "gone" else robot.port)
        url = robot.url.replace(str(robot.port), port)

        sent = send(
            channels([url])[0],
            MESSAGE,
            Transports(http, timeout_s=0.3 if fault == "slow" else 5),
            NOW,
        )

        assert sent.status == "failed"
        assert sent.reason.strip() == reason
        assert elsewhere.received == []


# --- limits --------------------------------------------------------------------------------


@pytest.mark.parametrize("service", list(SERVICES))
@pytest.mark.parametrize(
    "message",
    [
        pytest.param(CHINESE, id="Chinese"),
        pytest.param(Message("d", '"' * 50, ('"\\' * 40,) * 900), id="quotes"),
        pytest.param(Message("d", "&" * 50, ("<&>" * 30,) * 900), id="entities"),
    ],
)
def test_a_long_message_is_cut_to_what_a_service_takes(
    service: str, message: Message, http: HttpClient
) -> None:
    """Bytes count, of the text or of the whole body, after all escaping; the services check."""
    with AlertService(service, SECRETS.get(service, "")) as robot:
        assert sent_to(robot, http, message) == SendResult("delivered")

        row, body = SERVICES[service], robot.received[0].body
        size = len(robot.texts[0].encode())
        assert size <= row.text_bytes
        assert len(body) <= row.body_bytes
        assert size > row.text_bytes * 0.85 or len(body) > row.body_bytes * 0.85
        assert robot.texts[0].splitlines()[-1].startswith("…")


@pytest.mark.parametrize(("service", "limit"), [("wecom", 2_048), ("slack", 4_000)])
def test_a_service_gets_all_that_it_takes(service: str, limit: int, http: HttpClient) -> None:
    """One long line is cut at the very byte."""
    with AlertService(service) as robot:
        assert sent_to(robot, http, Message("d", "x" * 50_000, ())).status == "delivered"
        assert len(robot.texts[0]) == limit


def test_a_body_that_can_not_be_cut_enough_goes_out_all_the_same() -> None:
    """An id longer than the limit: the service refuses it, and nothing loops for ever."""
    keeper = _Keeper(Answer(413, b""))
    [channel] = channels(["https://hook.example.com/"])

    assert send(channel, Message("d" * 30_000, "t", ()), Transports(keeper), NOW).status == "failed"


def test_a_thousand_failures_are_one_message_everywhere(http: HttpClient) -> None:
    """The digest of a bad night is taken by every service, with its true count in front."""
    entries = [
        Entry("failed", "转码", f"C{i % 40}", f"j{i}", f"j{i}", 1, f"b/{i}.mp4", "没有视频流", "")
        for i in range(1000)
    ]
    message = compose(entries, "zh", "d1")
    for service in SERVICES:
        with AlertService(service) as robot:
            assert sent_to(robot, http, message).status == "delivered"
            assert robot.texts[0].startswith("[数据万象] 任务失败：1000\n")


# --- secrets -------------------------------------------------------------------------------


@pytest.mark.parametrize("service", list(SERVICES))
def test_a_reason_never_holds_a_key(service: str, http: HttpClient) -> None:
    """A service that repeats the address, its key or its secret in its refusal."""
    secret = SECRETS.get(service, "short")
    with AlertService(service, secret) as robot:
        url = robot.url.replace("http://", f"http://{KEY}-and-more:pw1@")
        echo = f"no: {KEY}-and-more {url} {robot.bare_url} {KEY} {secret} pw1\nsecond line"
        robot.answer = (403, echo.encode())
        if service not in ("slack", "webhook"):
            refusal = {"errcode": 1, "errmsg": echo, "code": 1, "msg": echo}
            robot.answer = (200, json.dumps(refusal).encode())

        [channel] = channels([url])
        sent = send(channel, MESSAGE, Transports(http), NOW)

        assert sent.status == "failed"
        for text in (sent.reason, repr(channel), repr(sent)):
            assert KEY not in text
            assert secret not in text
            assert "pw1" not in text
            assert "-and-more" not in text
        assert "\n" not in sent.reason
        assert len(sent.reason) <= 201


def test_words_of_an_address_are_no_secrets(http: HttpClient) -> None:
    """A reason stays readable: webhook, send and v=1 of the path and query are left standing."""
    with AlertService("wecom") as robot:
        robot.answer = (200, b'{"errcode":1,"errmsg":"1: invalid webhook url, service wecom"}')
        url = robot.url.replace("?", "?v=1&")

        sent = send(channels([url])[0], MESSAGE, Transports(http), NOW)

        assert sent.reason == "refused with errcode 1: 1: invalid webhook url, service wecom"


def test_whatever_a_library_raises_is_reported_by_its_kind() -> None:
    """An error that nobody foresaw stops no other channel, and its words stay inside."""

    class Broken(_Keeper):
        def send(self, *_: Any) -> Answer:
            raise RuntimeError(KEY)

    [channel] = channels([f"https://hook.example.com/{KEY}"])

    assert send(channel, MESSAGE, Transports(Broken()), NOW) == SendResult(
        "failed", "failed with RuntimeError"
    )


# --- several at once -----------------------------------------------------------------------


def test_channels_hear_at_the_same_time_and_apart(http: HttpClient) -> None:
    """Three slow ones take as long as one, and a dead one keeps nobody from hearing."""
    with (
        AlertService("wecom") as wecom,
        AlertService("slack") as slack,
        AlertService("lark") as bad,
    ):
        wecom.delay_s = slack.delay_s = bad.delay_s = 0.4
        bad.refuse_with = 11232
        dead = f"http://127.0.0.1:{closed_port()}/"
        known = channels([wecom.url, bad.url, dead, slack.url])
        send_to_channels(
            channels([dead]), MESSAGE, Transports(http), NOW
        )  # so that no import is timed below
        started = time.monotonic()

        sent = send_to_channels(known, MESSAGE, Transports(http), NOW)

        assert time.monotonic() - started < 1.0
        assert list(sent) == [channel.id for channel in known]
        assert [result.status for result in sent.values()] == [
            "delivered",
            "failed",
            "failed",
            "delivered",
        ]


def test_without_channels_nothing_is_sent(http: HttpClient) -> None:
    """An empty ALERT_URLS is none of this module's worries."""
    assert send_to_channels((), MESSAGE, Transports(http), NOW) == {}


# --- Apprise -------------------------------------------------------------------------------


def test_apprise_gets_address_title_and_body() -> None:
    """What stands behind apprise: goes to the library as it is, the text within 2,000 bytes."""
    heard: list[tuple[str, str, str]] = []

    def apprise(url: str, title: str, body: str) -> bool:
        heard.append((url, title, body))
        return True

    [channel] = channels([f"apprise:tgram://{KEY}/chat?x=1#frag"])

    assert send(channel, CHINESE, Transports(_Keeper(), apprise=apprise), NOW) == SendResult(
        "delivered"
    )
    assert heard[0][:2] == (f"tgram://{KEY}/chat?x=1#frag", "[数据万象] 任务失败：300")
    assert 1_500 < len(heard[0][2].encode()) <= 2_000


def test_what_apprise_does_not_take() -> None:
    """False, and an error of its own, are reasons."""
    [channel] = channels([f"apprise:tgram://{KEY}/chat"])

    def broken(*_: str) -> bool:
        raise RuntimeError(KEY)

    sent = send(channel, MESSAGE, Transports(_Keeper(), apprise=lambda *_: False), NOW)
    assert sent == SendResult("failed", "Apprise reports a failure")
    sent = send(channel, MESSAGE, Transports(_Keeper(), apprise=broken), NOW)
    assert sent == SendResult("failed", "failed with RuntimeError")


def test_apprise_has_as_long_as_any_other_channel() -> None:
    """A service behind it that hangs is left alone."""
    never = threading.Event()
    [channel] = channels(["apprise:tgram://token/chat"])

    sent = send(
        channel,
        MESSAGE,
        Transports(_Keeper(), apprise=lambda *_: never.wait(10), timeout_s=0.1),
        NOW,
    )

    never.set()
    assert sent == SendResult("failed", "no answer within 0.1 s")


def test_without_apprise_its_channels_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not among the requirements: who wants it adds it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    [channel] = channels(["apprise:tgram://token/chat"])

    sent = send(channel, MESSAGE, Transports(_Keeper()), NOW)

    assert sent == SendResult("failed", "Apprise is not installed: add it to requirements.txt")


@pytest.mark.parametrize(
    ("added", "taken", "expected"),
    [
        (True, True, SendResult("delivered")),
        (True, None, SendResult("failed", "Apprise reports a failure")),
        (False, True, SendResult("failed", "Apprise does not know this kind of address")),
    ],
)
def test_how_apprise_is_called(
    monkeypatch: pytest.MonkeyPatch, added: bool, taken: bool | None, expected: SendResult
) -> None:
    """add() and notify() of the library: what they say is what counts."""
    calls: list[dict[str, str]] = []

    def notify(**values: str) -> bool | None:
        calls.append(values)
        return taken

    notifier = SimpleNamespace(add=lambda url: added, notify=notify)
    monkeypatch.setitem(sys.modules, "apprise", SimpleNamespace(Apprise=lambda: notifier))
    [channel] = channels(["apprise:tgram://token/chat"])

    assert send(channel, Message("d", "t", ("l",)), Transports(_Keeper()), NOW) == expected
    assert calls == ([{"title": "t", "body": "l", "body_format": "text"}] if added else [])


# What the library's plug-ins warn of while they load is theirs, and depends on the Python.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_real_apprise(http: HttpClient) -> None:
    """Where the library is there, its JSON channel delivers to loopback."""
    with AlertService("webhook") as hook:
        hook.answer = (200, b"")
        [channel] = channels([f"apprise:json://127.0.0.1:{hook.port}/{KEY}"])

        assert send(channel, Message("d", "t", ("<b>l</b>",)), Transports(http), NOW) == SendResult(
            "delivered"
        )
        assert hook.received[0].json["title"] == "t"
        assert hook.received[0].json["message"] == "<b>l</b>"

        hook.answer = (500, b"")
        assert send(channel, MESSAGE, Transports(http), NOW).status == "failed"


# --- twins ---------------------------------------------------------------------------------


class _Keeper:
    """An Http that answers always the same, and keeps what it was asked last."""

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer
        self.headers: Mapping[str, str] = {}
        self.body = b""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Answer:
        self.headers, self.body = headers, body
        if self._answer is None:
            raise NoAnswerError("nowhere", "nobody is asked", may_have_arrived=False)
        return self._answer
