"""A callback passed as the event itself: the cloud API's Invoke, or a test in the console.

Needs no token: CAM guards who may invoke. Recognises everything, so it is asked last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from handler.errors import StoreError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult

NAME = "direct"
FAAS = "other"


def recognises(event: Any) -> bool:
    """Whatever no other trigger takes."""
    return True


def read(event: Any, settings: Settings) -> Sequence[Delivery]:
    """The event is the callback: a decoded JSON body, or the text of either format."""
    text = event if isinstance(event, str) else json.dumps(event)
    return (Delivery(text.encode("utf-8", "surrogatepass")),)


def answer(outcomes: Sequence[JobResult]) -> dict[str, Any]:
    """What became of each job.

    Raises:
        StoreError: not all is kept; whoever invoked must do so again.
    """
    for one in outcomes:
        if one.status == "retry_later":
            raise StoreError("put", one.key or "", one.reason or "the store did not take it")
    names = ("job_id", "tag", "outcome", "status", "key", "reason")
    return {"jobs": [{name: getattr(one, name) for name in names} for one in outcomes]}
