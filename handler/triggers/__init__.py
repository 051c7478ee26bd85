"""One module a trigger, all with the same members; the first that recognises an event takes it.

NAME        what the trigger is called in a record's source
FAAS        the value of OpenTelemetry's faas.trigger
recognises  whether an event is one of its own
read        event → deliveries (callback bodies), or a chore
answer      what became of them → what the platform is given back
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from handler.settings import Settings

Status: TypeAlias = Literal[
    "kept", "duplicate", "ignored", "rejected", "unverified", "dead_letter", "retry_later"
]


@dataclass(frozen=True)
class Delivery:
    """One callback body as it reached the function."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names, and only such headers as are known to hold no secret."""


@dataclass(frozen=True)
class Chore:
    """What a timer asks for, by name."""

    name: str


@dataclass(frozen=True)
class JobResult:
    """What became of one job of a callback, or of a callback in which no job could be told."""

    status: Status
    job_id: str | None = None
    tag: str | None = None
    outcome: str | None = None
    key: str | None = None
    reason: str | None = None


class Trigger(Protocol):
    """What each module of this package is."""

    NAME: str
    FAAS: str

    def recognises(self, event: Any) -> bool: ...

    def read(self, event: Any, settings: Settings) -> Sequence[Delivery] | Chore:
        """Raises RefusedError where nothing of the request is to be kept."""
        ...

    def answer(self, outcomes: Sequence[JobResult]) -> Any:
        """Raises StoreError where only an exception makes the platform deliver again."""
        ...
