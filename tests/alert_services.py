"""The services that alerts go to, on loopback: real servers that answer as those do.

    with AlertService("dingtalk", secret="SECexample") as robot:
        send(channels([robot.url])[0], message, http, robot.now)
        assert robot.texts == [message.text(20_000)]

A service checks what the real one checks: its key, its signature and the time in it, and its
limits in bytes. `refuse_with` and the faults below it are for a test to set, at any time.
`MailSink` is the same for mail. Nothing leaves the machine.
"""

from __future__ import annotations

import base64
import datetime
import email
import email.policy
import hashlib
import hmac
import ipaddress
import json
import socket
import socketserver
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

NOW = 1_790_000_000.0
KEY = "0f1e2d3c-example-key"
"""The part of every address that must not be shown to anyone."""


@dataclass(frozen=True)
class Received:
    """One request. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class AlertService:
    """A robot or webhook at `url`, to be used in a with statement.

    Attributes:
        received: every request, in the order in which they came, refused ones too.
        texts: what people got to read, of the messages that were taken.
        refuse_with: the code (of Slack the word, of a webhook the status) that every message
            is refused with; None to take them.
        answer: status and body in place of the service's own answer.
        redirect_to: an address that every request is sent on to.
        delay_s: how long an answer takes.
        reset: whether the connection is cut once the request was read.
        drip: whether the answer comes a byte at a time and never ends, from its headers or
            its body on.
    """

    def __init__(self, service: str, secret: str = "", now: float = NOW) -> None:
        self.service = service
        self.secret = secret
        self.now = now
        self.received: list[Received] = []
        self.texts: list[str] = []
        self.refuse_with: int | str | None = None
        self.answer: tuple[int, bytes] | None = None
        self.redirect_to = ""
        self.delay_s = 0.0
        self.reset = False
        self.drip: Literal["", "headers", "body"] = ""
        self.closed = threading.Event()
        self._server = _HttpServer(("127.0.0.1", 0), _Handler)
        self._server.service = self

    def __enter__(self) -> AlertService:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    @property
    def url(self) -> str:
        """What goes into ALERT_URLS."""
        secret = f"&secret={quote(self.secret, safe='')}" if self.secret else ""
        return f"{self.bare_url}#service={self.service}{secret}"

    @property
    def bare_url(self) -> str:
        """The address without its fragment."""
        return f"http://127.0.0.1:{self.port}{ROBOTS[self.service].path}"

    def take(self, request: Received) -> tuple[int, bytes]:
        """Status and body of the answer; what is taken is noted in `texts`."""
        status, body, text = ROBOTS[self.service].answer(self, request)
        if text is not None:
            self.texts.append(text)
        return status, body


Verdict = tuple[int, bytes, "str | None"]
"""Status and body of an answer, and the text where it was taken."""


def _verdict(body: dict[str, Any], text: str | None, status: int = 200) -> Verdict:
    return status, json.dumps(body, ensure_ascii=False).encode(), text


def _wecom(service: AlertService, request: Received) -> Verdict:
    text = request.json["text"]["content"]
    errors: dict[Any, str] = {
        40058: "text.content exceed max length 2048. invalid Request Parameter",
        45009: "api freq out of limit",
        93000: "invalid webhook url",
    }
    code = service.refuse_with
    if code is None and parse_qs(urlsplit(request.path).query).get("key") != [KEY]:
        code = 93000
    if code is None and len(text.encode()) > 2048:
        code = 40058
    if code is None:
        return _verdict({"errcode": 0, "errmsg": "ok"}, text)
    hint = "hint: [1755605200056773468916791], from ip: 192.0.2.1"
    return _verdict({"errcode": code, "errmsg": f"{errors.get(code, 'no')}, {hint}"}, None)


def _dingtalk(service: AlertService, request: Received) -> Verdict:
    query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
    errors: dict[Any, str] = {
        300005: "token is not exist",
        310000: "description:关键词不匹配;solution:请确认消息中包含关键词;",
        410100: "send too fast, exceed 20 times per minute",
        460101: "message too long, exceed 20000 bytes",
    }
    code = service.refuse_with
    if code is None and query.get("access_token") != KEY:
        code = 300005
    if code is None and len(request.body) > 20_000:
        code = 460101
    if code is None and service.secret:
        stamp = query.get("timestamp", "0")
        sign = _sign(service.secret.encode(), f"{stamp}\n{service.secret}".encode())
        if abs(int(stamp) / 1000 - service.now) > 3600 or query.get("sign") != sign:
            return _verdict({"errcode": 310000, "errmsg": "sign not match"}, None)
    if code is None:
        return _verdict({"errcode": 0, "errmsg": "ok"}, request.json["text"]["content"])
    return _verdict({"errcode": code, "errmsg": errors.get(code, "no")}, None)


def _feishu(service: AlertService, request: Received) -> Verdict:
    body = request.json
    errors: dict[Any, str] = {
        9499: "Bad Request",
        11232: "frequency limited psm[lark.oapi.app_platform_runtime]",
        19001: "param invalid: incoming webhook access token invalid",
        19021: "sign match fail or timestamp is not within one hour from current time",
        19024: "Key Words Not Found",
    }
    code = service.refuse_with
    if code is None and urlsplit(request.path).path.rpartition("/")[2] != KEY:
        code = 19001
    if code is None and len(request.body) > 20_000:
        code = 9499
    if code is None and service.secret:
        stamp = body.get("timestamp", "0")
        sign = _sign(f"{stamp}\n{service.secret}".encode(), b"")
        if abs(int(stamp) - service.now) > 3600 or body.get("sign") != sign:
            code = 19021
    if code is not None:
        return _verdict({"code": code, "data": {}, "msg": errors.get(code, "no")}, None)
    success = {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
    return _verdict(success, body["content"]["text"])


def _slack(service: AlertService, request: Received) -> Verdict:
    if service.refuse_with is not None:
        return 403, str(service.refuse_with).encode(), None
    if not request.path.endswith(KEY):
        return 404, b"no_service", None
    return 200, b"ok", request.json["text"]


def _webhook(service: AlertService, request: Received) -> Verdict:
    """Standard Webhooks, the receiver's side."""
    if service.refuse_with is not None:
        return int(service.refuse_with), b"not today", None
    if service.secret:
        stamp = request.headers["webhook-timestamp"]
        signed = f"{request.headers['webhook-id']}.{stamp}.".encode() + request.body
        key = base64.b64decode(service.secret.removeprefix("whsec_"))
        expected = f"v1,{_sign(key, signed)}"
        fresh = abs(int(stamp) - service.now) <= 300
        if not fresh or expected not in request.headers.get("webhook-signature", "").split():
            return 401, b"bad signature", None
    return 204, b"", request.json["data"]["text"]


class Robot(NamedTuple):
    """A service's side. path: of its address, with the key. answer: to a request."""

    path: str
    answer: Callable[[AlertService, Received], Verdict]


ROBOTS: dict[str, Robot] = {
    "wecom": Robot(f"/cgi-bin/webhook/send?key={KEY}", _wecom),
    "dingtalk": Robot(f"/robot/send?access_token={KEY}", _dingtalk),
    "feishu": Robot(f"/open-apis/bot/v2/hook/{KEY}", _feishu),
    "lark": Robot(f"/open-apis/bot/v2/hook/{KEY}", _feishu),
    "slack": Robot(f"/services/T0EXAMPLE/B0EXAMPLE/{KEY}", _slack),
    "webhook": Robot(f"/alerts/{KEY}", _webhook),
}
"""A row per service of handler/alerts/services.py."""


def _sign(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def closed_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    service: AlertService

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away in the middle of things: that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        """Tests don't print."""

    def answer(self) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, self.path, headers, body)
        service.received.append(request)
        if service.reset:
            # Time 0 to linger: closing sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if service.delay_s:
            service.closed.wait(service.delay_s)
        if service.drip:
            self._drip(service)
            return
        if service.redirect_to:
            self._reply(307, b"", {"Location": service.redirect_to})
        else:
            self._reply(*(service.answer or service.take(request)))

    do_GET = do_POST = do_PUT = answer

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "session=1; Path=/")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, service: AlertService) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n")
        self.wfile.write(b"\r\n" if service.drip == "body" else b"X-Slow: ")
        while not service.closed.wait(0.02):
            self.wfile.write(b"x")


# --- mail ----------------------------------------------------------------------------------


@dataclass
class Delivered:
    """One mail that was taken: the envelope, and the message."""

    sender: str
    recipients: list[str] = field(default_factory=list)
    message: EmailMessage = field(default_factory=EmailMessage)


class MailSink:
    """An SMTP server that keeps what it gets, to be used in a with statement.

    tls: "at once", "starttls" or "none". credentials: user and password that it insists on.

    Attributes:
        delivered: the mails that were taken.
        commands: every line that a client sent before it sent a mail.
        refused_recipients: addresses that are answered with 550.
        refuse_with: the line that a mail is refused with, such as "552 too big".
        goodbye: the answer to QUIT; "" to hang up without one.
        silent: whether it never says a word.
    """

    def __init__(
        self,
        tls: Literal["at once", "starttls", "none"] = "none",
        server_side: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        self.tls = tls
        self.server_side = server_side
        self.credentials = credentials
        self.delivered: list[Delivered] = []
        self.commands: list[str] = []
        self.refused_recipients: set[str] = set()
        self.refuse_with = ""
        self.goodbye = "221 bye"
        self.silent = False
        self.closed = threading.Event()
        self._server = _MailServer(("127.0.0.1", 0), _MailHandler)
        self._server.sink = self

    def __enter__(self) -> MailSink:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    def url(self, query: str = "to=on-call@example.com", user: str = "", host: str = "") -> str:
        """An address for ALERT_URLS; user as in "name:password", percent-encoded."""
        scheme = "smtps" if self.tls == "at once" else "smtp"
        return f"{scheme}://{user + '@' if user else ''}{host or '127.0.0.1'}:{self.port}/?{query}"


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    sink: MailSink

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that don't trust the certificate hang up: that is what some tests are about."""


class _MailHandler(socketserver.StreamRequestHandler):
    server: _MailServer

    def handle(self) -> None:
        sink = self.server.sink
        if sink.silent:
            sink.closed.wait(10)
            return
        if sink.tls == "at once":
            self._start_tls()
        self._signed_in = sink.credentials is None
        self._mail = Delivered("")
        self._say("220 sink")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            sink.commands.append(line)
            verb = line.split(" ")[0].upper()
            self._say(*self._do(verb, line))
            if verb == "QUIT":
                break

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # once TLS has started this is another one than the server's

    def _do(self, verb: str, line: str) -> tuple[str, ...]:
        verbs = {
            "EHLO": self._ehlo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail_from,
            "RCPT": self._rcpt_to,
            "DATA": self._data,
            "QUIT": self._quit,
        }
        return verbs[verb](line) if verb in verbs else ("250 ok",)

    def _ehlo(self, line: str) -> tuple[str, ...]:
        sink = self.server.sink
        offered = ["STARTTLS"] if sink.tls == "starttls" else []
        offered += ["AUTH PLAIN"] if sink.credentials else []
        return ("sink", *offered)

    def _starttls(self, line: str) -> tuple[str, ...]:
        self._say("220 go ahead")
        self._start_tls()
        return ()

    def _auth(self, line: str) -> tuple[str, ...]:
        expected = "\0" + "\0".join(self.server.sink.credentials or ())
        self._signed_in = base64.b64decode(line.split(" ")[2]).decode() == expected
        return ("235 welcome",) if self._signed_in else ("535 5.7.8 wrong user or password",)

    def _mail_from(self, line: str) -> tuple[str, ...]:
        self._mail = Delivered(_address(line))
        return ("250 ok",) if self._signed_in else ("530 sign in first",)

    def _rcpt_to(self, line: str) -> tuple[str, ...]:
        if _address(line) in self.server.sink.refused_recipients:
            return ("550 no such user",)
        self._mail.recipients.append(_address(line))
        return ("250 ok",)

    def _quit(self, line: str) -> tuple[str, ...]:
        goodbye = self.server.sink.goodbye
        return (goodbye,) if goodbye else ()

    def _data(self, line: str) -> tuple[str, ...]:
        self._say("354 go ahead")
        lines = list(iter(self.rfile.readline, b".\r\n"))
        sink = self.server.sink
        if sink.refuse_with:
            return (sink.refuse_with,)
        plain = b"".join(line.removeprefix(b".") for line in lines)
        self._mail.message = email.message_from_bytes(
            plain,
            policy=email.policy.default,
        )
        sink.delivered.append(self._mail)
        return ("250 kept",)

    def _say(self, *lines: str) -> None:
        """A line with its code, or the several lines of an answer to EHLO."""
        if len(lines) > 1 or lines == ("sink",):
            last = len(lines) - 1
            lines = tuple(f"250{' ' if i == last else '-'}{text}" for i, text in enumerate(lines))
        for line in lines:
            self.wfile.write(f"{line}\r\n".encode())

    def _start_tls(self) -> None:
        context = self.server.sink.server_side
        assert context is not None, "MailSink(server_side=…) is needed for TLS"
        self.connection = self.request = context.wrap_socket(self.connection, server_side=True)
        self.setup()


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


# --- TLS -----------------------------------------------------------------------------------


@contextmanager
def self_signed(*addresses: str) -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    """A certificate for IP addresses: the server's context, and one that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    today = datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    ips = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - day)
        .not_valid_after(today + day)
        .add_extension(x509.SubjectAlternativeName(ips), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(private + pem)
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(file)
    yield server_side, ssl.create_default_context(cadata=pem.decode())
