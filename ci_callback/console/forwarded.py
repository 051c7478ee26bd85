"""The lines of a time line about events: which were sent where, and with which answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ci_callback.console.events import Event, SendStatus, Tone
from ci_callback.sent_events import SentEvent, has_events, of_root
from handler.callback import converters
from handler.ledger.store import Store

_TONES: Mapping[str, Tone] = {"delivered": "good", "waiting": "wait", "failed": "odd"}


def forwarded(store: Store, root_job_id: str) -> Iterator[Event]:
    """One line for each event and destination. May raise StoreError."""
    if not has_events(store):
        return
    for event in of_root(store, root_job_id):
        for destination_id, sent in event.sent.items():
            yield _line(event, destination_id, sent)


def _line(event: SentEvent, destination_id: str, sent: Mapping[str, Any]) -> Event:
    status = str(sent.get("status"))
    moment = converters.moment(str(sent.get("at")))
    name = "final_event" if event.head.get("final") is True else "other_event"
    values = {"type": str(event.head.get("type")), "to": destination_id[:6]}
    answer = " ".join(str(sent[part]) for part in ("code", "reason") if sent.get(part))
    became = (SendStatus(status, text=answer),)
    at = moment.timestamp() if moment else None
    return Event(name, at, _TONES.get(status, "bad"), values, sent=became)
