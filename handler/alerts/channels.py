"""Where alerts go: a table of services, and the sending of one message to all of them.

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

A robot that lets only messages with a keyword through needs the keyword CI.
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
from handler.alerts.mail import Mail, letter, route, smtp_mail
from handler.alerts.services import SERVICES, Order, UnusableUrlError
from handler.errors import HandlerError
from handler.http_client import Http, host_of
from handler.parallel import GRACE_S, within
from handler.redaction import REDACTED, url_secrets


@dataclass(frozen=True)
class Channel:
    """One address that alerts go to. All but the URL may be stored, logged and shown."""

    id: str
    """The first 16 hex digits of the SHA-256 of the URL."""
    service: str
    """A name in SERVICES, "mail" or "apprise"; "unknown" where the address names none."""
    label: str
    """The host; of Apprise the scheme, since its hosts may be tokens."""
    url: str = field(repr=False)


@dataclass(frozen=True)
class Sent:
    """Whether the channel's own answer says that it took the message; if not, why."""

    taken: bool
    reason: str = ""


Apprise: TypeAlias = Callable[[str, str, str], bool]
"""Hand an Apprise URL, a title and a text to Apprise; whether it says that they were taken.
Raises ImportError where it is not installed."""

APPRISE_BYTES = 2_000
"""Discord's 2,000 characters are the shortest of the common chat services that Apprise knows."""

_BY_HOST = {host: name for name, service in SERVICES.items() for host in service.hosts}


def channels(urls: Sequence[str]) -> tuple[Channel, ...]:
    """The channels of these addresses, in their order, each once. Never raises: a channel that
    can't be used says so when it is sent to."""
    return tuple({url: _channel(url) for url in urls}.values())


def _channel(url: str) -> Channel:
    service, label = _service(url)
    digest = hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()
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
    named = _fragment(url).get("service") or _BY_HOST.get(host, "webhook")
    return named if named in SERVICES else "unknown", host


def _fragment(url: str) -> dict[str, str]:
    """The parameters behind #. A + stays one: base64 has it."""
    pairs = (pair.partition("=") for pair in url.partition("#")[2].split("&"))
    return {name: unquote(value) for name, _, value in pairs}


def apprise_notify(url: str, title: str, body: str) -> bool:
    """`Apprise` through the library, if it is installed. It heeds http_proxy and its kin, and
    takes every HTTP 200 for a yes: that is why the common robots are in the table above."""
    import importlib
    import logging

    library = importlib.import_module("apprise")
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may hold the URL
    target = library.Apprise()
    if not target.add(url):
        raise UnusableUrlError("Apprise does not know this kind of address")
    return bool(target.notify(body=body, title=title, body_format="text"))


def send_all(
    to: Sequence[Channel],
    message: Message,
    http: Http,
    now: float,
    timeout_s: float = 5.0,
    *,
    mail: Mail = smtp_mail,
    apprise: Apprise = apprise_notify,
) -> dict[str, Sent]:
    """Send to all channels at the same time; channel id → what became of it."""
    if not to:
        return {}
    with ThreadPoolExecutor(len(to)) as pool:
        running = {
            channel.id: pool.submit(
                send, channel, message, http, now, timeout_s, mail=mail, apprise=apprise
            )
            for channel in to
        }
    return {name: sending.result() for name, sending in running.items()}


def send(
    channel: Channel,
    message: Message,
    http: Http,
    now: float,
    timeout_s: float = 5.0,
    *,
    mail: Mail = smtp_mail,
    apprise: Apprise = apprise_notify,
) -> Sent:
    """Send one message to one channel. Never raises for the channel's fault.

    now: epoch seconds, for signatures. timeout_s: seconds for the whole of it. The reason
    is safe to log: nothing of the URL is in it but the host.
    """
    try:
        if channel.service == "mail":
            sent = _by_mail(channel, message, now, timeout_s, mail)
        elif channel.service == "apprise":
            sent = _by_apprise(channel, message, timeout_s, apprise)
        else:
            sent = _by_http(channel, message, http, now, timeout_s)
    except HandlerError as error:
        sent = Sent(False, str(error))
    except Exception as error:  # the other channels must hear, and this one hears again
        # Only the kind is told: the words of a library may hold the address.
        sent = Sent(False, f"failed with {type(error).__name__}")
    return Sent(sent.taken, _without_secrets(sent.reason, channel.url))


def _by_http(channel: Channel, message: Message, http: Http, now: float, timeout_s: float) -> Sent:
    service = SERVICES.get(channel.service)
    if service is None:
        known = ", ".join(SERVICES)
        raise UnusableUrlError(f"not an http(s) address, or its #service= is none of {known}")
    secret = _fragment(channel.url).get("secret", "")
    url = channel.url.partition("#")[0]
    room = service.text_bytes
    while True:
        request = service.request(Order(url, secret, message, room, now))
        size = len(request.body)
        if size <= service.body_bytes or not room:
            break
        # JSON doubles quotes and backslashes: the body may be over where the text is not.
        room = room * service.body_bytes // size
    headers = {"Content-Type": "application/json; charset=utf-8", **request.headers}
    refusal = service.refusal(http.send("POST", request.url, headers, request.body, timeout_s))
    return Sent(not refusal, refusal)


def _by_mail(channel: Channel, message: Message, now: float, timeout_s: float, mail: Mail) -> Sent:
    way = route(channel.url)
    refused = mail(way, letter(way, message, now), timeout_s)
    # Sent again, it would reach those twice who have it.
    told = f"taken, but refused for {refused} of {len(way.recipients)} recipients"
    return Sent(True, told if refused else "")


def _by_apprise(channel: Channel, message: Message, timeout_s: float, apprise: Apprise) -> Sent:
    url = channel.url.partition(":")[2]
    body = message.body(APPRISE_BYTES)
    try:
        taken = within(timeout_s + GRACE_S, lambda: apprise(url, message.title, body))
    except ImportError as error:
        raise UnusableUrlError("Apprise is not installed: add it to requirements.txt") from error
    except TimeoutError as error:
        raise UnusableUrlError(f"no answer within {timeout_s:g} s") from error
    return Sent(taken, "" if taken else "Apprise says that it was not taken")


def _without_secrets(reason: str, url: str) -> str:
    """The reason on one line, short, and without any part of the address that opens a door."""
    for secret in sorted(url_secrets(url), key=len, reverse=True):
        reason = reason.replace(secret, REDACTED)
    return harmless(reason)
