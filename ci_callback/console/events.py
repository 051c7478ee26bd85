"""The lines of a time line, and their order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ci_callback.ledger_reader import StoredRecord

Tone: TypeAlias = Literal["good", "odd", "bad", "wait", "plain"]


@dataclass(frozen=True)
class SendStatus:
    """What became of an event or of a digest. by: the channel. text: words from outside."""

    status: str
    by: str = ""
    text: str = ""


@dataclass(frozen=True)
class Event:
    """One line of a time line. at: epoch seconds; None where it is not known.

    name: the text `event.NAME`; values: what is filled in. text: words from outside.
    sent: what became of what was sent.
    delivery, task: the number of the invocation that did it.
    """

    name: str
    at: float | None = None
    tone: Tone = "plain"
    values: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    sent: Sequence[SendStatus] = ()
    delivery: int | None = None
    task: int | None = None
    ticket: str = ""
    """Name of a retry that waits, so that it can be made due."""
    after: float = 0.0
    """It was not before this, though CI, whose times are whole seconds, may say so."""


@dataclass(frozen=True)
class Timeline:
    """The history of one job. records: of each attempt, in their order."""

    root_job_id: str
    records: Sequence[StoredRecord]
    events: Sequence[Event]


RANK = (
    "created", "submitted", "refused", "submitting", "not_taken", "running", "ended", "callback",
    "taken_in", "callback_odd", "again", "deferred", "stopped", "alert_sent", "alert_undelivered",
    "alert_waits", "verify_waits", "retry_waits", "other_event", "final_event",
)  # fmt: skip


def in_order(events: Iterable[Event]) -> list[Event]:
    """By time, and at one time in the order of the protocol. An event without a time comes
    last: it is either under way, or so old that only its mark is left."""
    last = float("inf")
    return sorted(
        events,
        key=lambda event: (
            max(event.at, event.after) if event.at is not None else last,
            RANK.index(event.name),
        ),
    )
