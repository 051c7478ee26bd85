"""One event to one destination: a signed POST after Standard Webhooks 1.0.0."""

from __future__ import annotations

import base64
import hashlib
import hmac
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, TypeAlias

from handler.alerts.digest import harmless
from handler.errors import NoAnswerError
from handler.events.event import Event
from handler.http_client import Http
from handler.ledger import keys
from handler.redaction.text import redact
from handler.settings import Destination

TIMEOUT_S = 10.0
"""For the whole of one delivery, look-up and TLS included."""

MAX_REASON_CHARS = 200

MAX_RETRY_AFTER_S = 86_400.0
"""A longer wait that a destination asks for is cut to this."""

Status: TypeAlias = Literal["delivered", "failed", "waiting", "given_up"]


class Result(NamedTuple):
    """What became of an event at a destination.

    failed: no 2xx came within TIMEOUT_S. waiting: it was not sent, since the destination is left
    alone or others come first. given_up: it was not taken for days. code: the HTTP status; None
    without an answer. at: epoch seconds. retry_after_s: what the answer asked for; 0 for nothing.
    """

    status: Status
    at: float
    code: int | None = None
    reason: str = ""
    ms: int = 0
    retry_after_s: float = 0.0

    def values(self, at: str) -> dict[str, Any]:
        """As it is stored. at: RFC 3339."""
        values = {"status": self.status, "code": self.code, "at": at, "ms": self.ms}
        return values | ({"reason": self.reason} if self.reason else {})


class Outgoing(NamedTuple):
    """An event as it is sent. head: all of it but the record. record_key: where the record is to
    be; is_kept: whether it was seen there. tag: of its job."""

    id: str
    type: str
    tag: str | None
    head: dict[str, Any]
    record_key: str
    body: bytes
    is_kept: bool = True

    @classmethod
    def of(cls, event: Event, is_kept: bool) -> Outgoing:
        """Make the body of an event."""
        key, body = keys.record(event.record), event.to_json()
        return cls(event.id, event.type, event.record.tag, event.head(), key, body, is_kept)


def is_wanted(outgoing: Outgoing, by: Destination) -> bool:
    """Whether a destination takes events of this type and tag."""
    if by.tags is not None and outgoing.tag not in by.tags:
        return False
    return any(fnmatchcase(outgoing.type, pattern) for pattern in by.types)


def signed_headers(outgoing: Outgoing, secret: str, now: float) -> dict[str, str]:
    """The headers of a POST. secret: base64. now: epoch seconds."""
    stamp = str(int(now))
    signed = f"{outgoing.id}.{stamp}.".encode() + outgoing.body
    digest = hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": outgoing.id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode('ascii')}",
    }


def send(http: Http, to: Destination, outgoing: Outgoing, now: float) -> Result:
    """Send an event once. Never raises for the destination's fault. now: epoch seconds."""
    headers = signed_headers(outgoing, to.secret, now)
    try:
        answer = http.send("POST", to.url, headers, outgoing.body, TIMEOUT_S)
    except NoAnswerError as error:
        return Result("failed", now, reason=_safe(error.explanation, to))
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Result("delivered", now, answer.status)
    words = answer.body.decode("utf-8", "replace")
    wait_s = _seconds(answer.retry_after, now)
    return Result("failed", now, answer.status, _safe(words, to), retry_after_s=wait_s)


def _safe(words: str, to: Destination) -> str:
    # Whole, as http_client reads it: a secret that was cut would not be found.
    return harmless(redact(words, to.secrets)[: 2 * MAX_REASON_CHARS])[:MAX_REASON_CHARS]


def _seconds(retry_after: str, now: float) -> float:
    """Of a Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
    from email.utils import parsedate_to_datetime

    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:9]), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(retry_after).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(moment - now, 0.0), MAX_RETRY_AFTER_S)
