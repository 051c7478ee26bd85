"""A callback passed as the event itself: the cloud API's Invoke, or a test in the console. The
event {"task": "self-check"} asks for that task.

Needs no token: CAM guards who may invoke. Recognises every event, so it comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handler.errors import StoreError
from handler.settings import Settings
from handler.triggers import SELF_CHECK, Delivery, JobResult, Task
from handler.triggers.bodies import as_bytes, as_json

NAME = "direct"
FAAS = "other"


def recognises(event: Any) -> bool:
    """Every event that no other trigger recognises."""
    return True


def read(event: Any, settings: Settings) -> Sequence[Delivery] | Task:
    """The event is the callback: a decoded JSON body, or the text of either format."""
    if event == {"task": SELF_CHECK}:
        return Task(SELF_CHECK)
    return (Delivery(as_bytes(event) if isinstance(event, str) else as_json(event)),)


def answer(results: Sequence[JobResult]) -> dict[str, Any]:
    """The result for each job.

    Raises:
        StoreError: not all is stored; the invoker must invoke again.
    """
    for result in results:
        if result.status == "retry_later":
            raise StoreError(
                "put", result.key or "", result.reason or "the store did not accept it"
            )
    names = ("job_id", "tag", "outcome", "status", "key", "reason")
    return {"jobs": [{name: getattr(result, name) for name in names} for result in results]}


def answer_error(error: Exception) -> Any:
    """The invoker gets the error."""
    raise error


def unstored(event: Any, tokens: Sequence[str] | None) -> None:
    """The invoker still has the callback."""
