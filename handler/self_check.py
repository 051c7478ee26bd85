"""`self-check`: tries the permissions of the function's role from inside the function.

A direct invoke of {"task": "self-check"} is answered with a list of steps. It puts, reads, lists
and deletes one object below `_doctor/`, and asks CI about a job that does not exist; it submits
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from handler.callback.families import FAMILIES
from handler.ci_api.client import CiError
from handler.ci_api.locate import CiLocator, CiUnreachableError
from handler.errors import StoreError
from handler.ledger import keys
from handler.ledger.store import Store


class Step(NamedTuple):
    """One right. action: its name in CAM. code: the refusal's, "" where it is granted."""

    action: str
    is_granted: bool
    code: str = ""


def self_check(store: Store, ci: CiLocator, request_id: str) -> dict[str, Any]:
    """The answer: {"self_check": [{"action", "is_granted", "code"}]}. Raises nothing of store or
    CI."""
    key = keys.DOCTOR + keys.name(request_id or "self-check")
    steps = [
        _stored("cos:PutObject", lambda: store.put(key, b"{}\n")),
        _stored("cos:GetObject", lambda: store.get(key)),
        _stored("cos:GetBucket", lambda: next(iter(store.list(key)), None)),
        _stored("cos:DeleteObject", lambda: store.delete(key)),
        _asked("ci:DescribeMediaJob", ci),
    ]
    return {"self_check": [step._asdict() for step in steps]}


def _stored(action: str, do: Callable[[], object]) -> Step:
    try:
        do()
    except StoreError as error:
        return Step(action, False, error.code or "no answer")
    return Step(action, True)


def _asked(action: str, ci: CiLocator) -> Step:
    """An id of the form of every sample, which no job has: CI says that it does not know it."""
    family = FAMILIES["media"]
    try:
        ci.of_bucket().describe(family, f"{family.letter}{'0' * 32}")
    except CiError as error:
        return Step(action, False, error.code or "no answer")
    except CiUnreachableError as error:
        return Step(action, False, str(error))
    return Step(action, True)
