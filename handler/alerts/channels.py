"""Where alerts go: the addresses of ALERT_URLS, and sending one message to all of them.

An address is what the service itself shows, known by its host or scheme:

    https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…            WeCom
    https://oapi.dingtalk.com/robot/send?access_token=…#secret=SEC…   DingTalk
    https://open.feishu.cn/open-apis/bot/v2/hook/…#secret=…           Feishu
    https://open.larksuite.com/open-apis/bot/v2/hook/…#secret=…       Lark
    https://hooks.slack.com/services/…                                Slack
    smtps://user:password@host/?to=a@example.com                      mail: see mail.py
    apprise:tgram://…                                                 whatever Apprise knows
    any other http(s) address                                         JSON, Standard Webhooks

Of the fragment, which never leaves this function, two parameters are read, percent-encoded
where need be: `secret`, which the service signs with, and `service`, a name of the table
for a host that can't be known, as in

    https://wecom-proxy.example.com/cgi-bin/webhook/send?key=…#service=wecom

A robot that accepts only messages with a keyword needs the keyword Cloud Infinite, or 数据万象
where ALERT_LANG is zh: each title begins with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote

from handler.alerts.digest import Message, harmless
from handler.alerts.mail import Mail, compose_mail, read_route, smtp_mail
from handler.alerts.services import (
    SERVICES,
    Order,
    Request,
    SendResult,
    Service,
    UnusableUrlError,
)
from handler.errors import HandlerError
from handler.http_client import Http, host_of
from handler.parallel import GRACE_S, within
from handler.redaction.addresses import url_secrets
from handler.redaction.text import redact


@dataclass(frozen=True)
class Channel:
    """One address that alerts go to. All but the URL may be stored, logged and shown."""

    id: str
    """The first 16 hex digits of the SHA-256 of the address without its fragment and without
    the password before its host: a rotated secret leaves it as it is."""
    service: str
    """A name in SERVICES, "mail" or "apprise"; "unknown" where the address names none."""
    label: str
    """The host; of Apprise the scheme, since its hosts may be tokens."""
    url: str = field(repr=False)


Apprise: TypeAlias = Callable[[str, str, str], bool]
"""Hand an Apprise URL, a title and a text to Apprise; whether it says that they were taken.
Raises ImportError where it is not installed."""

APPRISE_BYTES = 2_000
"""Discord's 2,000 characters are the shortest of the common chat services that Apprise knows."""

_PASSWORD = re.compile(r"(?<=://)([^/?#:@]*):[^/?#]*@")


def channels(urls: Sequence[str]) -> tuple[Channel, ...]:
    """The channels of these addresses, in their order, each once.

    Of two addresses that differ only in their secret the last one counts. Never raises: a
    channel that can't be used says so when it is sent to.
    """
    return tuple({channel.id: channel for channel in map(_channel, urls)}.values())


def _channel(url: str) -> Channel:
    service, label = _service(url)
    # Apprise has no secret of its own behind the #.
    lasting = url if service == "apprise" else _PASSWORD.sub(r"\1@", url.partition("#")[0])
    digest = hashlib.sha256(lasting.encode("utf-8", "surrogateescape")).hexdigest()
    return Channel(digest[:16], service, label, url)


def _service(url: str) -> tuple[str, str]:
    """Name of the service, and label."""
    scheme, _, rest = url.partition(":")
    host = host_of(url)
    if scheme.lower() == "apprise":
        inner = re.match(r"[A-Za-z0-9+.-]+(?=://)", rest)
        return "apprise", f"apprise:{inner[0].lower() if inner else '?'}"
    if scheme.lower() in ("smtp", "smtps"):
        return "mail", host
    if scheme.lower() not in ("http", "https") or host == "?":
        return "unknown", host
    named = _fragment(url).get("service") or _service_of(host)
    return named if named in SERVICES else "unknown", host


def _service_of(host: str) -> str:
    return next((name for name, row in SERVICES.items() if host in row.hosts), "webhook")


def _fragment(url: str) -> dict[str, str]:
    """The parameters behind #. A + stays one: base64 has it."""
    pairs = (pair.partition("=") for pair in url.partition("#")[2].split("&"))
    return {name: unquote(value) for name, _, value in pairs}


def apprise_notify(url: str, title: str, body: str) -> bool:
    """`Apprise` through the library, if it is installed. It uses the proxies of the environment,
    and reads every HTTP 200 as a success: that is why the common robots are in SERVICES."""
    import importlib
    import logging

    library = importlib.import_module("apprise")
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may hold the URL
    target = library.Apprise()
    if not target.add(url):
        raise UnusableUrlError("Apprise does not know this kind of address")
    return bool(target.notify(body=body, title=title, body_format="text"))


@dataclass(frozen=True)
class Transports:
    """The clients that messages are sent through. timeout_s: seconds for all of one channel."""

    http: Http
    mail: Mail = smtp_mail
    apprise: Apprise = apprise_notify
    timeout_s: float = 5.0


def send_to_channels(
    to: Sequence[Channel], message: Message, transports: Transports, now: float
) -> dict[str, SendResult]:
    """Send to all channels at the same time; results by channel id."""
    if not to:
        return {}
    with ThreadPoolExecutor(len(to)) as pool:
        running = {
            channel.id: pool.submit(send, channel, message, transports, now) for channel in to
        }
    return {name: sending.result() for name, sending in running.items()}


def send(channel: Channel, message: Message, transports: Transports, now: float) -> SendResult:
    """Send one message to one channel. Never raises for the channel's fault.

    now: epoch seconds, for signatures. The reason holds nothing of the address but its host.
    """
    try:
        if channel.service == "mail":
            result = _by_mail(channel, message, transports, now)
        elif channel.service == "apprise":
            result = _by_apprise(channel, message, transports)
        else:
            result = _by_http(channel, message, transports, now)
    except HandlerError as error:
        result = SendResult("failed", str(error))
    except Exception as error:  # a fault of one channel must not keep the others from the message
        # Only the kind is shown: the words of a library may hold the address.
        result = SendResult("failed", f"failed with {type(error).__name__}")
    return SendResult(result.status, _without_secrets(result.reason, channel.url))


def _by_http(channel: Channel, message: Message, transports: Transports, now: float) -> SendResult:
    service = SERVICES.get(channel.service)
    if service is None:
        known = ", ".join(SERVICES)
        raise UnusableUrlError(f"not an http(s) address, or its #service= is not one of {known}")
    request = _request(service, channel.url, message, now)
    headers = {"Content-Type": "application/json; charset=utf-8", **request.headers}
    answer = transports.http.send("POST", request.url, headers, request.body, transports.timeout_s)
    return service.read(answer)


def _request(service: Service, url: str, message: Message, now: float) -> Request:
    """The request, with the text cut until the service takes the body."""
    secret = _fragment(url).get("secret", "")
    room = service.text_bytes
    while True:
        request = service.request(Order(url.partition("#")[0], secret, message, room, now))
        size = len(request.body)
        if size <= service.body_bytes or not room:
            return request
        # JSON doubles quotes and backslashes: the body may be over where the text is not.
        room = room * service.body_bytes // size


def _by_mail(channel: Channel, message: Message, transports: Transports, now: float) -> SendResult:
    route = read_route(channel.url)
    refused = transports.mail(route, compose_mail(route, message, now), transports.timeout_s)
    # Sent again, it would reach those twice who have it.
    note = f"taken, but refused for {refused} of {len(route.recipients)} recipients"
    return SendResult("delivered", note if refused else "")


def _by_apprise(channel: Channel, message: Message, transports: Transports) -> SendResult:
    url = channel.url.partition(":")[2]
    body = message.body(APPRISE_BYTES)
    timeout_s = transports.timeout_s
    try:
        taken = within(timeout_s + GRACE_S, lambda: transports.apprise(url, message.title, body))
    except ImportError as error:
        raise UnusableUrlError("Apprise is not installed: add it to requirements.txt") from error
    except TimeoutError as error:
        raise UnusableUrlError(f"no answer within {timeout_s:g} s") from error
    return SendResult("delivered") if taken else SendResult("failed", "Apprise reports a failure")


def _without_secrets(reason: str, url: str) -> str:
    """The reason on one line, short, and without any secret of the address."""
    return harmless(redact(reason, url_secrets(url)))
