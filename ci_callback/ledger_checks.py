"""Whether an object of the ledger can be what the function wrote. Pure.

Everyone who may write into the bucket may put an object there. Readers rely on the types and times
of a record; without this check a text in the place of a number would end in a stack trace.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger.attempts import Attempt
from handler.ledger.outbox import Ticket

T = TypeVar("T", JobRecord, Ticket, Attempt, Lineage)

TIMES = ("created_at", "started_at", "ended_at", "received_at")
"""Fields, of any object, that hold an RFC 3339 time in UTC."""


def checked(made: T) -> T:
    """The same dataclass, if each field holds what its annotation says, and each time can be read.

    Raises:
        ValueError: it does not; the message names the field.
    """
    for name, is_of_type in _TESTS[type(made)].items():
        value = getattr(made, name)
        if not is_of_type(value):
            raise ValueError(f"{name} holds what it can't hold")
        if name in TIMES and isinstance(value, str):
            _check_time(name, value)
    if isinstance(made, JobRecord):
        _check_record(made)
    return made


def _check_record(record: JobRecord) -> None:
    root, attempt = record.retry.get("root_job_id"), record.retry.get("attempt")
    if not (isinstance(root, str) and type(attempt) is int and attempt > 0):
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


def _test_of(hint: object) -> Callable[[Any], bool]:
    """What tells whether a value is of a type; into dicts and lists it does not look."""
    origin = get_origin(hint) or hint
    if origin in (Union, types.UnionType):
        tests = tuple(map(_test_of, get_args(hint)))
        return lambda value: any(test(value) for test in tests)
    if origin is Literal:
        choices = get_args(hint)
        return lambda value: value in choices
    if origin is float:
        return lambda value: type(value) in (int, float) and abs(value) <= sys.float_info.max
    if origin is int:
        return lambda value: type(value) is int
    if origin is Any:
        return lambda value: True
    return lambda value: isinstance(origin, type) and isinstance(value, origin)


_TESTS: Mapping[type, Mapping[str, Callable[[Any], bool]]] = {
    kind: {name: _test_of(hint) for name, hint in get_type_hints(kind).items()}
    for kind in (JobRecord, Ticket, Attempt, Lineage)
}
"""The test of each field, made once: a ledger has many records."""
