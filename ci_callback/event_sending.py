"""Events sent again: by the function, or from this machine to one address."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Any

from ci_callback.common import Local
from ci_callback.sent_events import SentEvent, outgoing
from handler.errors import HandlerError
from handler.forwarding.pending import Batch
from handler.forwarding.sending import Outgoing, send
from handler.http_client import HttpClient
from handler.ledger.store import Store
from handler.settings import Destination
from handler.settings.destinations import read_destination

BATCH, BATCH_BYTES = 100, 8 * 1024 * 1024
"""Events of one object below `_pending/`, and their bytes: the function reads all of them."""


class UnusableAddressError(HandlerError):
    """An address that events can't be sent to. Nothing of it is shown."""


def destination(text: str) -> Destination:
    """An address as FORWARD_URLS has them.

    Raises:
        UnusableAddressError
    """
    try:
        return read_destination(text)
    except ValueError as error:
        words = "not an address with #secret=whsec_ and the base64 of 24 to 64 bytes"
        raise UnusableAddressError(words) from error


def send_to(here: Local, address: str, events: Sequence[SentEvent]) -> list[dict[str, Any]]:
    """Send events from this machine, one after the other; returns the result of each.

    Raises:
        UnusableAddressError, StoreError
    """
    to, client = destination(address), HttpClient()
    try:
        results = []
        for event in events:
            made = outgoing(here.ledger.store, event)
            if made is None:
                results.append(_result(event, "failed", "its record is not in the ledger"))
                continue
            sent = send(client, to, made, time.time())
            results.append(_result(event, sent.status, sent.reason, sent.code))
        return results
    finally:
        client.close()


def requeue(store: Store, events: Sequence[SentEvent]) -> list[dict[str, Any]]:
    """Queue events again, for each destination that they were meant for: the function sends them
    at its next run. May raise StoreError."""
    results, by_destination = [], dict[str, list[Outgoing]]()
    for event in events:
        made = outgoing(store, event)
        if made is None:
            results.append(_result(event, "failed", "its record is not in the ledger"))
            continue
        for name in event.sent:
            by_destination.setdefault(name, []).append(made)
        results.append(_result(event, "queued" if event.sent else "failed"))
    now, run = time.time(), secrets.token_hex(8)
    for name, wanted in by_destination.items():
        for number, part in enumerate(_parts(wanted)):
            batch = Batch(name, now, 0, tuple(part))
            store.put(batch.key(now, f"{run}-{number:04d}-resent"), batch.to_json())
    return results


def _parts(events: list[Outgoing]) -> Iterable[list[Outgoing]]:
    part: list[Outgoing] = []
    size = 0
    for event in events:
        if part and (len(part) >= BATCH or size + len(event.body) > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(event)
        size += len(event.body)
    yield part


def _result(
    event: SentEvent, status: str, reason: str = "", code: int | None = None
) -> dict[str, Any]:
    head = event.head
    return {
        "id": event.id,
        "type": head.get("type"),
        "job_id": head.get("job_id"),
        "status": status,
        "code": code,
        "reason": reason or None,
    }
