"""The queue triggers: CKafka and CMQ topics (583/17530, and the events of the component docs).

One invocation brings several messages, each a callback of its own. The platform delivers the
whole batch again where the function raises; that is harmless, since twice is once.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from handler.errors import StoreError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult

NAME = "queue"
FAAS = "pubsub"

CARRIERS: Mapping[str, str] = {"Ckafka": "msgBody", "CMQ": "msgBody"}
"""Which node of a record is the message, by the name of the queue service, and its body's name."""


def recognises(event: Any) -> bool:
    """Whether each record is a message of a queue service that is known."""
    records = event.get("Records") if isinstance(event, dict) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(one, dict) and _carrier(one) is not None for one in records)
    )


def read(event: Any, settings: Settings) -> Sequence[Delivery]:
    """A delivery for each message, in their order. An empty one is a delivery too: it becomes
    a dead letter, so that it is seen and the others go on."""
    return tuple(Delivery(_body(one)) for one in event["Records"])


def answer(outcomes: Sequence[JobResult]) -> dict[str, Any]:
    """How many jobs were kept, and how.

    Raises:
        StoreError: not all is kept; the platform delivers the batch again.
    """
    missing = [one for one in outcomes if one.status == "retry_later"]
    if missing:
        raise StoreError("put", missing[0].key or "", f"{len(missing)} of the batch are not kept")
    statuses = [one.status for one in outcomes]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def _carrier(record: Mapping[str, Any]) -> str | None:
    return next((name for name in CARRIERS if isinstance(record.get(name), dict)), None)


def _body(record: Mapping[str, Any]) -> bytes:
    """The message as bytes. It is not documented how CI's body travels in a message: text is
    taken as it is, base64 of a callback is decoded, an object that was decoded is encoded."""
    name = _carrier(record) or ""
    body = record[name].get(CARRIERS[name])
    if body is None:
        return b""
    if not isinstance(body, str):
        return json.dumps(body).encode("ascii")
    raw = body.encode("utf-8", "surrogatepass")
    if raw.lstrip()[:1] in (b"<", b"{", b"[") or not raw.strip():
        return raw
    try:
        decoded = base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw
    return decoded if decoded.lstrip()[:1] in (b"<", b"{") else raw
