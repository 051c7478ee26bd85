"""The queue triggers: CKafka and CMQ topics (583/17530, and the events of the component docs).

One invocation brings several messages, each a callback of its own. The platform delivers the
whole batch again where the function raises; that is harmless, since twice is once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handler.errors import StoreError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult
from handler.triggers.bodies import as_bytes

NAME = "queue"
FAAS = "pubsub"

CARRIERS: Mapping[str, str] = {"Ckafka": "msgBody", "CMQ": "msgBody"}
"""Which node of a record is the message, by the name of the queue service, and its body's name."""


def recognises(event: Any) -> bool:
    """Whether each record is a message of a known queue service."""
    records = event.get("Records") if isinstance(event, dict) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, dict) and _carrier(record) is not None for record in records)
    )


def read(event: Any, settings: Settings) -> Sequence[Delivery]:
    """A delivery for each message, in their order. An empty one is a delivery too: it becomes
    a dead letter, so that it is seen and the others go on."""
    return tuple(Delivery(_body(record)) for record in event["Records"])


def answer(results: Sequence[JobResult]) -> dict[str, Any]:
    """The number of jobs by status.

    Raises:
        StoreError: not all is stored; the platform delivers the batch again.
    """
    unstored = [result for result in results if result.status == "retry_later"]
    if unstored:
        raise StoreError(
            "put", unstored[0].key or "", f"{len(unstored)} of the batch are not stored"
        )
    statuses = [result.status for result in results]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def answer_error(error: Exception) -> Any:
    """Raise the error: the platform delivers the batch again."""
    raise error


def unstored(event: Any, tokens: Sequence[str] | None) -> None:
    """The queue keeps the messages."""


def _carrier(record: Mapping[str, Any]) -> str | None:
    return next((name for name in CARRIERS if isinstance(record.get(name), dict)), None)


def _body(record: Mapping[str, Any]) -> bytes:
    """The message as bytes. It is not documented how CI's body travels in a message: text is
    taken as it is, base64 of a callback is decoded, an object that was decoded is encoded."""
    name = _carrier(record) or ""
    body = record[name].get(CARRIERS[name])
    raw = as_bytes(body)
    if not isinstance(body, str) or raw.lstrip()[:1] in (b"<", b"{", b"[") or not raw.strip():
        return raw
    import base64  # no other trigger needs it

    try:
        decoded = base64.b64decode(raw, validate=True)
    except ValueError:
        return raw
    return decoded if decoded.lstrip()[:1] in (b"<", b"{") else raw
