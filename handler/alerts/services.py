"""The chat services and webhooks that alerts go to over HTTP, as data: a row per service.

A row holds what one service does differently from another: how a message is
wrapped and signed, how the answer of a refusal reads, and how much the service takes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote_plus

from handler.alerts.digest import Message
from handler.errors import HandlerError
from handler.http_client import Answer


class UnusableUrlError(HandlerError):
    """An address that nothing can be sent by. The message holds nothing of it."""


Status: TypeAlias = Literal["delivered", "failed", "unclear"]
"""What became of a message. failed: refused, or no answer came. unclear: an answer came that
is neither a known success nor a known refusal; most likely it was delivered."""


@dataclass(frozen=True)
class SendResult:
    """The result of sending to one channel. reason: why it is not a plain success; safe to log
    once the secrets of the address are redacted."""

    status: Status
    reason: str = ""


@dataclass(frozen=True)
class Order:
    """The parts that a request is built from. url: without its fragment. secret: "" without one.
    room: bytes that the text may take. now: epoch seconds."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    message: Message
    room: int
    now: float


@dataclass(frozen=True)
class Request:
    """A POST; headers are those beside Content-Type."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Service(NamedTuple):
    """One service: everything in which it differs from the others."""

    hosts: tuple[str, ...]
    request: Callable[[Order], Request]
    read: Callable[[Answer], SendResult]
    """What an answer means."""
    text_bytes: int
    body_bytes: int


# --- requests ------------------------------------------------------------------------------


def _json(url: str, body: Mapping[str, object]) -> Request:
    return Request(url, json.dumps(body, ensure_ascii=False).encode("utf-8"))


def _wecom(order: Order) -> Request:
    content = order.message.text(order.room)
    return _json(order.url, {"msgtype": "text", "text": {"content": content}})


def _dingtalk(order: Order) -> Request:
    """Signed in the query: key is the secret, time in milliseconds."""
    url = order.url
    if order.secret:
        stamp = str(int(order.now * 1000))
        sign = _hmac(order.secret.encode(), f"{stamp}\n{order.secret}".encode())
        url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={quote_plus(sign)}"
    content = order.message.text(order.room)
    return _json(url, {"msgtype": "text", "text": {"content": content}})


def _feishu(order: Order) -> Request:
    """Signed in the body: time and secret are the key, and what is signed is empty."""
    body: dict[str, object] = {
        "msg_type": "text",
        "content": {"text": order.message.text(order.room)},
    }
    if order.secret:
        stamp = str(int(order.now))
        body |= {"timestamp": stamp, "sign": _hmac(f"{stamp}\n{order.secret}".encode(), b"")}
    return _json(order.url, body)


def _slack_request(order: Order) -> Request:
    """&, < and > are Slack's only control characters; with mrkdwn false * and _ have no meaning."""
    text = order.message.text(order.room, _escaped_for_slack)
    return _json(order.url, {"text": text, "mrkdwn": False, "unfurl_links": False})


def _webhook(order: Order) -> Request:
    """Standard Webhooks 1.0.0: three headers; the signature is over "id.timestamp.body"."""
    message = order.message
    data = {
        "id": message.id,
        "lang": message.lang,
        "title": message.title,
        "text": message.text(order.room),
    }
    request = _json(order.url, {"type": "ci.alert", "data": data})
    # The id must hold no full stop, and nothing that a header can't.
    headers = {
        "webhook-id": re.sub(r"[^A-Za-z0-9_-]", "-", message.id),
        "webhook-timestamp": str(int(order.now)),
    }
    if order.secret:
        head = f"{headers['webhook-id']}.{headers['webhook-timestamp']}."
        headers["webhook-signature"] = webhook_signature(order.secret, head, request.body)
    return replace(request, headers=headers)


def webhook_signature(secret: str, head: str, body: bytes) -> str:
    """The symmetric signature of Standard Webhooks. head: "id.timestamp.".

    Raises:
        UnusableUrlError: the secret is not base64 behind whsec_.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise UnusableUrlError("the webhook's secret is not whsec_ and base64") from error
    return f"v1,{_hmac(key, head.encode('utf-8') + body)}"


def _hmac(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def _escaped_for_slack(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- answers -------------------------------------------------------------------------------

_OK_TEXTS = (b"ok", b"1")
"""Texts that stand for a success: Slack, Mattermost and Discord's Slack address answer `ok`,
a Teams connector `1` (and other texts with the same status 200 where it failed)."""

_FLAGS: Mapping[str, Mapping[object, Status]] = {
    "ok": {True: "delivered", False: "failed"},
    "success": {True: "delivered", False: "failed"},
    "status": {"error": "failed"},
    "result": {"success": "delivered", "error": "failed"},
}
"""What members of a JSON answer mean, at whichever service. ok: Slack's Workflow Builder
(node-slack-sdk#2615) and Telegram. success: Rocket.Chat, which takes Slack's messages
(gogs#3169). result: Zulip's address for Slack's messages. status: Rocket.Chat's errors; that it
is "ok" means nothing, since a proxy or a load balancer says so too."""

_REASONS = ("errmsg", "msg", "StatusMessage", "error", "message", "description")
"""Members that say in words what is wrong; the first one that is there is shown."""


def _by_code(*codes: str) -> Callable[[Answer], SendResult]:
    """For robots that refuse with HTTP 200: a code of 0 is a success, any other a refusal."""

    def read(answer: Answer) -> SendResult:
        if not _is_2xx(answer):
            return _refused(answer)
        return _flagged(answer, codes) or _unclear(answer)

    return read


def _slack(answer: Answer) -> SendResult:
    """Slack, and what takes Slack's messages. An empty answer is a success: Workflow Builder's
    trigger has run (node-slack-sdk#2674)."""
    if not _is_2xx(answer):
        return _refused(answer)
    if not answer.body.strip():
        return SendResult("delivered")
    return _flagged(answer) or _unclear(answer)


def _standard_webhook(answer: Answer) -> SendResult:
    """Any 2xx is a success, unless the body reports a failure in a known form."""
    if not _is_2xx(answer):
        return _refused(answer)
    known = _flagged(answer, ("errcode",))
    return known if known and known.status == "failed" else SendResult("delivered")


def _flagged(answer: Answer, codes: tuple[str, ...] = ()) -> SendResult | None:
    """The result that the body states; None where its form is not known. One member that reports
    a failure outweighs all others."""
    if answer.body.strip().lower() in _OK_TEXTS:
        return SendResult("delivered")
    try:
        members = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    said = {name: _meaning(name, value, codes) for name, value in members.items()}
    for name, status in said.items():
        if status == "failed":
            why = next((members[word] for word in _REASONS if word in members), "")
            return SendResult("failed", f"refused with {name} {json.dumps(members[name])}: {why}")
    return SendResult("delivered") if "delivered" in said.values() else None


def _meaning(name: str, value: object, codes: tuple[str, ...]) -> Status | None:
    if name in codes:
        # bool is an int, and false is not 0: no service is known to answer so.
        return ("failed" if value else "delivered") if type(value) is int else None
    meanings = _FLAGS.get(name, {})
    return meanings.get(value) if isinstance(value, (bool, str)) else None


def _is_2xx(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _refused(answer: Answer) -> SendResult:
    return SendResult("failed", f"HTTP {answer.status} {_text(answer)}")


def _unclear(answer: Answer) -> SendResult:
    return SendResult("unclear", f"the answer is not understood: {_text(answer)}")


def _text(answer: Answer) -> str:
    return answer.body.decode("utf-8", "replace")


_ERRCODE = _by_code("errcode")
_CODE = _by_code("code", "StatusCode")

SERVICES: dict[str, Service] = {
    # developer.work.weixin.qq.com/document/path/91770: content at most 2,048 bytes. A longer
    # one is refused with 40058. (4,096 for markdown, which would read job names as markup.)
    "wecom": Service(("qyapi.weixin.qq.com",), _wecom, _ERRCODE, 2_048, 20_000),
    # open.dingtalk.com, custom robot: refused with 460101, "message too long, exceed 20000
    # bytes"; the newer wording says that the body is meant.
    "dingtalk": Service(("oapi.dingtalk.com",), _dingtalk, _ERRCODE, 20_000, 20_000),
    # open.feishu.cn, custom bot guide: the request's body at most 20 KB, refused with 9499.
    # Whether a KB is 1,000 or 1,024 is not said. The older answer has StatusCode in place of code.
    "feishu": Service(("open.feishu.cn",), _feishu, _CODE, 20_000, 20_000),
    "lark": Service(("open.larksuite.com",), _feishu, _CODE, 20_000, 20_000),
    # api.slack.com/changelog/2018-04-truncating-really-long-messages: cut at 40,000 characters,
    # and above the former 4,000 bytes it may be broken into several messages.
    "slack": Service(("hooks.slack.com",), _slack_request, _slack, 4_000, 40_000),
    # standardwebhooks.com: "usually smaller than 20kb"; taken is any 2xx and nothing else.
    "webhook": Service((), _webhook, _standard_webhook, 20_000, 20_000),
}
