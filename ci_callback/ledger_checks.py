"""Whether an object of the ledger can be what the function wrote. Pure.

Everyone who may write into the bucket may put an object there. Readers rely on the types and times
of a record; without this check a text in the place of a number would end in a stack trace.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger.attempts import Attempt
from handler.ledger.outbox import Ticket

T = TypeVar("T", JobRecord, Ticket, Attempt, Lineage)

_HINTS: Mapping[type, Mapping[str, object]] = {
    kind: get_type_hints(kind) for kind in (JobRecord, Ticket, Attempt, Lineage)
}

TIMES = ("created_at", "started_at", "ended_at", "received_at")
"""Fields, of any object, that hold an RFC 3339 time in UTC."""


def checked(made: T) -> T:
    """The same dataclass, if each field holds what its annotation says, and each time can be read.

    Raises:
        ValueError: it does not; the message names the field.
    """
    for name, hint in _HINTS[type(made)].items():
        value = getattr(made, name)
        if not _fits(value, hint):
            raise ValueError(f"{name} holds what it can't hold")
        if name in TIMES and isinstance(value, str):
            _check_time(name, value)
    if isinstance(made, JobRecord):
        _check_record(made)
    return made


def _check_record(record: JobRecord) -> None:
    root, attempt = record.retry.get("root_job_id"), record.retry.get("attempt")
    if not (isinstance(root, str) and _fits(attempt, int) and int(str(attempt)) > 0):
        raise ValueError("retry holds no root_job_id and attempt")
    if not all(isinstance(output, dict) for output in record.outputs):
        raise ValueError("outputs holds what it can't hold")
    if not isinstance(record.result, (dict, types.NoneType)):
        raise ValueError("result holds what it can't hold")
    received = record.source.get("received_at")
    if received is not None:
        _check_time("received_at", str(received))


def _check_time(name: str, value: str) -> None:
    try:
        ends_with_z = value.endswith("Z") and datetime.fromisoformat(value[:-1]).tzinfo is None
    except ValueError:
        ends_with_z = False
    if not ends_with_z:
        raise ValueError(f"{name} is not a time in UTC")


def _fits(value: Any, hint: object) -> bool:
    """Whether a value is of a type. The contents of dicts and lists are not looked at."""
    origin = get_origin(hint) or hint
    if origin in (Union, types.UnionType):
        return any(_fits(value, member) for member in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    if origin is int:
        return type(value) is int
    return origin is Any or (isinstance(origin, type) and isinstance(value, origin))
