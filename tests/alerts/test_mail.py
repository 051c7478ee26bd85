"""Alerts by mail: through TLS, to every recipient, and with nothing that could be injected."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import pytest

from handler.alerts.channels import Transports, channels, send
from handler.alerts.digest import Message
from handler.alerts.mail import MailError, read_route, smtp_mail
from handler.alerts.services import SendResult
from handler.http_client import HttpClient
from tests.alert_services import NOW, MailSink, self_signed

MESSAGE = Message("d1", "[Cloud Infinite] Failed: 1", ("■ Failed: 1",))
CHINESE = Message("d2", "[数据万象] 任务失败：300", ("输入文件没有视频流。" * 20,) * 300, "zh")


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """Mail has no use for it, but `send` is handed one."""
    client = HttpClient()
    yield client
    client.close()


def test_a_mail_reaches_every_recipient(http: HttpClient) -> None:
    """Subject, sender, recipients, date and text; the id makes a second delivery known."""
    with MailSink() as sink:
        url = sink.url("to=a%2Bnight@example.com,b@example.org&from=ci@example.com")

        assert send(channels([url])[0], CHINESE, Transports(http), NOW) == SendResult("delivered")

        [mail] = sink.delivered
        assert "ehlo [127.0.0.1]" in sink.commands  # no name that the DNS would be asked for
        assert mail.sender == "ci@example.com"
        assert mail.recipients == ["a+night@example.com", "b@example.org"]
        assert mail.message["Subject"] == "[数据万象] 任务失败：300"
        assert mail.message["To"] == "a+night@example.com, b@example.org"
        assert mail.message["Message-ID"] == "<d2@example.com>"
        assert mail.message["Date"] == "Mon, 21 Sep 2026 14:13:20 -0000"
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert len(mail.message.as_bytes()) < 65_536
        content = mail.message.get_content()
        assert content.startswith(CHINESE.text(40_000)[:1000])
        assert content.rstrip().splitlines()[-1].startswith("……另有")


def test_a_user_signs_in(http: HttpClient) -> None:
    """User and password are percent-decoded; the user is the sender where it is an address."""
    with MailSink(credentials=("ci@example.com", "p@ss:word")) as sink:
        url = sink.url(user="ci%40example.com:p%40ss%3Aword")

        assert send(channels([url])[0], MESSAGE, Transports(http), NOW) == SendResult("delivered")
        assert sink.delivered[0].sender == "ci@example.com"


def test_the_report_of_a_wrong_password_does_not_hold_it(http: HttpClient) -> None:
    """The server's own words, without user and password."""
    with MailSink(credentials=("ci@example.com", "right")) as sink:
        [channel] = channels([sink.url(user="ci%40example.com:wr0ng")])

        sent = send(channel, MESSAGE, Transports(http), NOW)

        assert sent == SendResult(
            "failed", "127.0.0.1: refused with 535 5.7.8 wrong user or password"
        )
        assert "wr0ng" not in repr(channel) + repr(read_route(channel.url))


@pytest.mark.parametrize("tls", ["at once", "starttls"])
def test_mail_goes_through_tls(http: HttpClient, tls: Literal["at once", "starttls"]) -> None:
    """smtps from the first byte, smtp after STARTTLS, with a certificate that is checked."""
    with self_signed("0.0.0.0") as (server_side, trust), MailSink(tls, server_side) as sink:
        # 0.0.0.0 reaches this machine, and is no loopback address.
        [channel] = channels([sink.url(host="0.0.0.0")])

        assert (
            send(
                channel, MESSAGE, Transports(http, mail=partial(smtp_mail, trust=trust)), NOW
            ).status
            == "delivered"
        )
        assert len(sink.delivered) == 1

        sent = send(channel, MESSAGE, Transports(http), NOW)
        assert sent == SendResult(
            "failed", "0.0.0.0: no mail was accepted (SSLCertVerificationError)"
        )
        assert len(sink.delivered) == 1


def test_without_tls_nothing_leaves_the_machine(http: HttpClient) -> None:
    """A server that lacks STARTTLS gets no mail and no password, unless it is on loopback."""
    with MailSink() as sink:
        [channel] = channels([sink.url(host="0.0.0.0", user="me:secret-password")])

        sent = send(channel, MESSAGE, Transports(http), NOW)

        assert sent == SendResult("failed", "0.0.0.0: the server lacks STARTTLS, or AUTH")
        assert sink.delivered == []
        assert not any(line.upper().startswith(("AUTH", "MAIL")) for line in sink.commands)


def test_refused_recipients(http: HttpClient) -> None:
    """All refused is a refusal. Some refused is taken, since the others have it; it is told."""
    with MailSink() as sink:
        [channel] = channels([sink.url("to=a@example.com,b@example.com")])
        sink.refused_recipients = {"a@example.com"}
        assert send(channel, MESSAGE, Transports(http), NOW) == SendResult(
            "delivered", "taken, but refused for 1 of 2 recipients"
        )

        sink.refused_recipients = {"a@example.com", "b@example.com"}
        assert send(channel, MESSAGE, Transports(http), NOW) == SendResult(
            "failed", "127.0.0.1: every recipient refused (550)"
        )


def test_a_refused_mail(http: HttpClient) -> None:
    """The server's code and words come back."""
    with MailSink() as sink:
        sink.refuse_with = "552 too big"

        sent = send(channels([sink.url()])[0], MESSAGE, Transports(http), NOW)

        assert sent == SendResult("failed", "127.0.0.1: refused with 552 too big")


@pytest.mark.parametrize("goodbye", ["421 in a hurry", ""])
def test_a_bad_goodbye_does_not_undo_a_delivery(http: HttpClient, goodbye: str) -> None:
    """Once a mail is accepted it must not be sent again, however QUIT is answered."""
    with MailSink() as sink:
        sink.goodbye = goodbye

        assert send(channels([sink.url()])[0], MESSAGE, Transports(http), NOW).status == "delivered"
        assert len(sink.delivered) == 1


def test_a_mail_server_that_is_silent_or_gone(http: HttpClient) -> None:
    """A time-out, and a refused connection, are reasons."""
    with MailSink() as sink:
        sink.silent = True
        sent = send(channels([sink.url()])[0], MESSAGE, Transports(http, timeout_s=0.2), NOW)
        assert sent.reason == "127.0.0.1: no mail was accepted (SMTPServerDisconnected)"

    sent = send(channels([sink.url()])[0], MESSAGE, Transports(http), NOW)
    assert sent.reason == "127.0.0.1: no mail was accepted (ConnectionRefusedError)"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtps://mail.example.com/", "?to="),
        ("smtps://mail.example.com/?to=", "?to="),
        ("smtps://mail.example.com/?to=nobody", "?to="),
        ("smtps://mail.example.com/?to=a@example.com%0d%0aBcc:all@example.com", "?to="),
        ("smtps://mail.example.com/?to=a@example.com&from=b@example.com%0aX:1", "?to="),
        ("smtps://mail.example.com/?to=a@example.com%3E%20SIZE=1", "?to="),
        ("smtps://mail.example.com/?to=配@example.com", "?to="),
        ("smtps://me%0d%0aQUIT:p@mail.example.com/?to=a@example.com", "printable ASCII"),
        ("smtps://me:配置@mail.example.com/?to=a@example.com", "printable ASCII"),
        ("smtps://mail.example.com:port/?to=a@example.com", "can't be read"),
        ("smtps://[/?to=a@example.com", "can't be read"),
    ],
)
def test_a_mail_address_that_is_none(http: HttpClient, url: str, reason: str) -> None:
    """Line breaks that would start a header or a command never get as far as a server."""

    def never(*_: object) -> int:
        raise AssertionError("nothing must be sent")

    sent = send(channels([url])[0], MESSAGE, Transports(http, mail=never), NOW)

    assert sent.status == "failed"
    assert reason in sent.reason


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://h.example.com/?to=a@b.cn", ("h.example.com", 465, "at once", "a@b.cn")),
        ("smtp://h.example.com/?to=a@b.cn", ("h.example.com", 587, "starttls", "a@b.cn")),
        ("smtp://h.example.com:25?to=a@b.cn", ("h.example.com", 25, "starttls", "a@b.cn")),
        ("smtp://localhost/?to=a@b.cn", ("localhost", 587, "none", "a@b.cn")),
        ("smtp://[::1]/?to=a@b.cn", ("::1", 587, "none", "a@b.cn")),
        ("smtps://127.0.0.1/?to=a@b.cn&from=f@b.cn", ("127.0.0.1", 465, "at once", "f@b.cn")),
        ("smtps://u@h.example.com/?to=a@b.cn", ("h.example.com", 465, "at once", "a@b.cn")),
    ],
)
def test_what_a_mail_address_says(url: str, expected: tuple[str, int, str, str]) -> None:
    """Host, port, TLS and sender, with what is not said filled in."""
    route = read_route(url)

    assert (route.host, route.port, route.tls, route.sender) == expected
    assert route.recipients == ("a@b.cn",)


def test_route_must_raise_for_another_scheme() -> None:
    """It reads mail addresses alone."""
    with pytest.raises(MailError):
        read_route("https://example.com/?to=a@b.cn")


def test_a_title_with_a_line_break_starts_no_header(http: HttpClient) -> None:
    """Even a message that was not composed here can't write headers."""
    with MailSink() as sink:
        message = Message("x>\r\nBcc: all@example.com", "t\r\nBcc: all@example.com", ())

        assert send(channels([sink.url()])[0], message, Transports(http), NOW).status == "delivered"

        mail = sink.delivered[0].message
        assert mail["Bcc"] is None
        assert mail["Subject"] == "t  Bcc: all＠example.com"
        assert mail["Message-ID"] == "<x---Bcc--all-example-com@example.com>"
