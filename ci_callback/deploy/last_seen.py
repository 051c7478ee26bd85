"""The last sweep and the last callback of a deployed function, in a request or two.

Its log topic knows both. Without one the ledger tells the last callback; an idle sweep leaves
nothing there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ci_callback import cloud_logs
from ci_callback.cloud_api import CloudError
from ci_callback.deploy.actual import Api
from ci_callback.newest import Dated
from handler.clock import rfc3339_of
from handler.errors import HandlerError
from handler.ledger import keys
from handler.ledger.store import Store

WINDOW_S = 7 * 86_400
DAY_S = 86_400
MAX_KEYS = 1_000
"""One page of a listing: of a day with more jobs the last one is at least this late."""

SHOWN = {
    "sweep": ("status", "due", "alerts_sent", "submitted"),
    "callback": ("status", "tag", "job_id"),
}
"""What is shown of a line, by its event."""


@dataclass(frozen=True)
class Place:
    """topic: of the function, "" for none. store: opens the ledger; raises what stops that."""

    api: Api
    topic: str
    store: Callable[[], Store] = field(repr=False)


def last(place: Place, now: float) -> dict[str, str]:
    """`last sweep` and `last callback`, each as a line for a person. now: epoch seconds."""
    if place.topic:
        return {f"last {event}": _logged(place, event, now) for event in SHOWN}
    unknown = "unknown: the function has no log topic of its own (deploy --logs)"
    return {"last sweep": unknown, "last callback": _stored(place, now)}


def _logged(place: Place, event: str, now: float) -> str:
    asked = cloud_logs.query({"event": event})
    begin_ms, end_ms = int((now - WINDOW_S) * 1000), int(now * 1000) + 1
    try:
        line = cloud_logs.newest(place.api, place.topic, asked, begin_ms, end_ms)
    except CloudError as error:
        return f"unknown: {error}"
    if line is None:
        return "none in seven days"
    at, fields = rfc3339_of(line.at_ms // 1000), _fields(line.text)
    words = [f"{name} {fields[name]}" for name in SHOWN[event] if name in fields]
    return ", ".join([at, *words])


def _fields(text: str) -> dict[str, Any]:
    try:
        values: Any = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _stored(place: Place, now: float) -> str:
    """By the time at which a record of today or yesterday was written; of the last seconds none is
    missed, since each end of a job is a record of its own."""
    try:
        store = place.store()
        if not isinstance(store, Dated):
            return "unknown: this store does not say when an object was written"
        for day_s in (now, now - DAY_S):
            day = rfc3339_of(int(day_s))[:10]
            rows = list(islice(store.dated(f"{keys.JOBS}dt={day}/"), MAX_KEYS))
            if rows:
                return _newest(rows)
    except HandlerError as error:  # also of settings that open no ledger
        return f"unknown: {error}"
    return "none of a job that was created today or yesterday"


def _newest(rows: Sequence[tuple[str, str]]) -> str:
    key, at = max(rows, key=lambda row: row[1])
    if len(rows) == MAX_KEYS:
        return f"{at} or later, by the first {MAX_KEYS:,} records of its day"
    return f"{at}, {key}"
