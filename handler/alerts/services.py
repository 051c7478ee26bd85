"""The chat services and webhooks that alerts go to over HTTP, as data: a row a service.

Everything that one service does differently from another stands here: how a message is
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
from typing import NamedTuple
from urllib.parse import quote_plus

from handler.alerts.digest import Message
from handler.errors import HandlerError
from handler.http_client import Answer


class UnusableUrlError(HandlerError):
    """An address that nothing can be sent by. The message holds nothing of it."""


@dataclass(frozen=True)
class Order:
    """What a request is built from. url: without its fragment. secret: "" where there is none.
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
    """What is different from one service to the next."""

    hosts: tuple[str, ...]
    request: Callable[[Order], Request]
    refusal: Callable[[Answer], str]
    """Why an answer is a refusal; "" where it is none."""
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


def _slack(order: Order) -> Request:
    """&, < and > are Slack's only control characters; mrkdwn false leaves * and _ alone."""
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
    """What Standard Webhooks calls a symmetric signature. head: "id.timestamp.".

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


def _coded(*names: tuple[str, str]) -> Callable[[Answer], str]:
    """For robots that refuse with HTTP 200: taken is a code of 0 under the first name there is.
    names: of a code, and of the sentence that goes with it."""

    def refusal(answer: Answer) -> str:
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            return _not_2xx(answer) or "the answer is not JSON"
        for code, words in names:
            if isinstance(told, dict) and code in told:
                if told[code] == 0 and type(told[code]) is int:
                    return _not_2xx(answer)
                return f"refused with {code} {told[code]}: {told.get(words, '')}"
        return _not_2xx(answer) or "the answer does not say whether it was taken"

    return refusal


def _not_ok(answer: Answer) -> str:
    """Slack answers 200 and the two letters ok; else its word for what is wrong."""
    taken = answer.status == 200 and answer.body.strip() == b"ok"
    return "" if taken else _not_2xx(answer) or "the answer is not ok"


def _not_2xx(answer: Answer) -> str:
    if 200 <= answer.status < 300:
        return ""
    return f"HTTP {answer.status} {answer.body.decode('utf-8', 'replace')}"


_ERRCODE = _coded(("errcode", "errmsg"))
_CODE = _coded(("code", "msg"), ("StatusCode", "StatusMessage"))

SERVICES: dict[str, Service] = {
    # developer.work.weixin.qq.com/document/path/91770: content at most 2,048 bytes. A longer
    # one is refused with 40058. (4,096 for markdown, which would read job names as markup.)
    "wecom": Service(("qyapi.weixin.qq.com",), _wecom, _ERRCODE, 2_048, 20_000),
    # open.dingtalk.com, custom robot: refused with 460101, "message too long, exceed 20000
    # bytes"; the newer wording says that the body is meant.
    "dingtalk": Service(("oapi.dingtalk.com",), _dingtalk, _ERRCODE, 20_000, 20_000),
    # open.feishu.cn, custom bot guide: the request's body at most 20 KB, refused with 9499.
    # Whether a KB is 1,000 or 1,024 is not said. The older answer has StatusCode alone.
    "feishu": Service(("open.feishu.cn",), _feishu, _CODE, 20_000, 20_000),
    "lark": Service(("open.larksuite.com",), _feishu, _CODE, 20_000, 20_000),
    # api.slack.com/changelog/2018-04-truncating-really-long-messages: cut at 40,000 characters,
    # and above the former 4,000 bytes it may be broken into several messages.
    "slack": Service(("hooks.slack.com",), _slack, _not_ok, 4_000, 40_000),
    # standardwebhooks.com: "usually smaller than 20kb"; taken is any 2xx and nothing else.
    "webhook": Service((), _webhook, _not_2xx, 20_000, 20_000),
}
