"""Tickets: the work that is left, and its times. Each is one object in `_outbox/`.

Its name says all that a listing needs, and sorts by time:

    DUE-JOB_ID-STATE-ACTION.json     DUE: 10-digit epoch seconds; alerts are always due

A ticket is put before the record that calls for it, under a name that depends on
the job and its end only: a redelivery writes the same one again.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.ledger import keys
from handler.ledger.keys import DONE, OUTBOX
from handler.ledger.records import Ledger
from handler.parallel import Parallel, in_parallel

SCHEMA = "ticket/1"
FAULTS = "faults"
"""Among a ticket's details: how often it failed for its own fault."""

MAX_WATCHES = 1_000
"""Watches that are due and listed: more than one sweep can deal with."""

MAX_SCANNED = 50_000
"""Keys that a listing of what is due looks at: 50 requests."""

_NAME = r"\d{10}-[^-/]+-[^-/]+-([a-z]+(?:\.[a-z-]+)?)\.json"

Action: TypeAlias = Literal["retry", "watch", "verify"]
"""What a ticket asks for, other than an alert, whose action is `alert.KIND`."""

OWN_RECORD = frozenset(
    {"retry", "alert.failed", "alert.partial", "alert.gave-up", "alert.recovered"}
)
"""Actions of the tickets that a callback puts about its own record."""


class Ticket(NamedTuple):
    """One thing that must still happen.

    due: epoch seconds. state: the end that it speaks of. record: the whole record; None if none
    could be made. note: for a person. tries: how often it was put off. details: what the next step
    needs (a watch: the attempt; a dead letter: its key).
    replays: how often it was replayed from a dead letter.
    """

    action: str
    job_id: str
    state: str
    due: int = 0
    record: JobRecord | None = None
    note: str = ""
    tries: int = 0
    details: dict[str, Any] | None = None
    replays: int = 0

    @property
    def name(self) -> str:
        """The last part of its key. A replayed ticket, and each alert that it leads to, has a name
        of its own: the former one is marked as done."""
        due = min(max(self.due, 0), 9_999_999_999)
        state = keys.name(f"{self.state}.{self.replays}" if self.replays else self.state)
        return f"{due:010d}-{keys.name(self.job_id)}-{state}-{self.action}.json"

    @property
    def faults(self) -> int:
        """How often it failed for its own fault; 0 where its file holds something else there."""
        count = (self.details or {}).get(FAULTS, 0)
        return count if type(count) is int and count > 0 else 0

    def to_json(self) -> bytes:
        """The ticket as it is kept: one line of JSON."""
        values = {"schema": SCHEMA} | {
            name: getattr(self, name)
            for name in ("action", "job_id", "state", "due", "note", "tries", "details", "replays")
        }
        values["record"] = self.record.values() if self.record else None
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )

    @classmethod
    def from_json(cls, line: bytes) -> Ticket:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: it is no ticket/1.
        """
        try:
            values: Any = json.loads(line)
            if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
                raise ValueError(f"not a {SCHEMA}")
            record = values.pop("record", None)
            made = JobRecord.from_json(json.dumps(record).encode()) if record else None
            ticket = cls(**values, record=made)
        except RecursionError as error:
            raise ValueError("nested too deep") from error
        except TypeError as error:
            raise ValueError(f"a {SCHEMA} with other fields than it should have") from error
        if not all(isinstance(getattr(ticket, name), kind) for name, kind in _KINDS.items()):
            raise ValueError(f"a {SCHEMA} whose values have other types")
        return ticket

    def replayed(self) -> Ticket:
        """The same ticket as a new one: it is tried as often as one that never failed."""
        details = {name: value for name, value in (self.details or {}).items() if name != FAULTS}
        return self._replace(replays=self.replays + 1, tries=0, details=details or None)

    def later(self, due: float, note: str, counts: bool) -> Ticket:
        """The same ticket at a later time; one try on where it counts as one."""
        return self._replace(due=int(due), tries=self.tries + counts, note=note)


_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("action", "job_id", "state", "note"), str),
    **dict.fromkeys(("due", "tries", "replays"), int),
    "details": (dict, type(None)),
}


def about(record: JobRecord, action: str, due: int = 0, note: str = "") -> Ticket:
    """A ticket about a record."""
    return Ticket(action, record.job_id, record.outcome, due, record, note)


def alert_of(ticket: Ticket, kind: str, note: str, details: dict[str, Any] | None = None) -> Ticket:
    """An alert about what another ticket is about."""
    return ticket._replace(
        action=f"alert.{kind}", due=0, note=note, tries=0, details=details or ticket.details
    )


def has_mark(name: str) -> bool:
    """Whether a ticket that was dealt with has a mark, by its name. A retry has none: `_attempts/`
    says that it was submitted, and an alert in its place has a mark of its own."""
    return action_of(name) != "retry"


def action_of(name: str) -> str | None:
    """The action of a ticket by its name; None where it is no ticket's name."""
    match = re.fullmatch(_NAME, name)
    return match[1] if match else None


class Outbox:
    """Tickets in a ledger. Every method may raise StoreError."""

    def __init__(self, ledger: Ledger, parallel: Parallel = in_parallel) -> None:
        """parallel: how many marks are written at a time."""
        self._parallel = parallel
        self._store = ledger.store
        self.closed: list[str] = []
        """Keys of tickets that were dealt with, and that are still there."""

    def put(self, ticket: Ticket) -> None:
        """Put a ticket; again is the same as once."""
        self._store.put(OUTBOX + ticket.name, ticket.to_json())

    def put_first(self, ticket: Ticket) -> None:
        """Put a ticket about a callback's own record; one that is there stays. Its name depends on
        the job and its end only, so a later callback of the same, which need not be CI's, would
        take the place of the first."""
        self._store.put_new(OUTBOX + ticket.name, ticket.to_json())

    def get(self, name: str) -> bytes | None:
        """A ticket by its name; None where it is gone (the listing lagged)."""
        return self._store.get(OUTBOX + name)

    def is_done(self, name: str) -> bool:
        """Whether it was dealt with, however late it is put again."""
        return self._store.get(DONE + name) is not None

    def done(self, name: str) -> None:
        """It was dealt with: first the mark, then the ticket goes.

        The other way round a redelivery in between would raise a second alert.
        """
        self._mark(name)
        self._store.delete(OUTBOX + name)

    def drop(self, name: str) -> None:
        """The same by who may not be allowed to delete: a ticket that stays is marked, and a sweep
        removes it."""
        self._mark(name)
        with contextlib.suppress(StoreError):
            self._store.delete(OUTBOX + name)

    def done_all(self, names: Sequence[str]) -> None:
        """The same for many: all marks, then one request in which the tickets go."""
        self._parallel(self._mark, names)
        self._store.delete_many([OUTBOX + name for name in names])

    def close(self, name: str) -> None:
        """It was dealt with by a sweep, which deletes `closed` at its end, with its lease."""
        if has_mark(name):
            self._mark(name)
        self.closed.append(OUTBOX + name)

    def delete_closed(self, at_least: int = 1) -> None:
        """Delete the tickets of `closed`, where they are so many."""
        if len(self.closed) >= at_least:
            keys_of_closed, self.closed = self.closed, []
            self._store.delete_many(keys_of_closed)

    def _mark(self, name: str) -> None:
        self._store.put(DONE + name, b"{}\n")

    def forget(self, name: str) -> None:
        """A ticket that is marked as done already goes, with `closed`."""
        self.closed.append(OUTBOX + name)

    def move(self, name: str, ticket: Ticket) -> None:
        """Put a ticket off: the later one is there before the earlier one goes."""
        self.put(ticket)
        if ticket.name == name:
            return
        if has_mark(name):
            self._mark(name)
        self._store.delete(OUTBOX + name)

    def due(self, now: float, limit: int) -> list[str]:
        """Names of tickets that are due, in the order of time; at most `limit`, and of these at
        most MAX_WATCHES watches, so that no backlog of them hides what is more urgent.

        The listing stops at now, so a large backlog of later ones costs nothing. Any other name,
        such as a folder marker, is ignored.
        """
        listed = self._store.list(OUTBOX, stop=f"{OUTBOX}{int(now) + 1:010d}")
        names: list[str] = []
        watches = 0
        for key in islice(listed, MAX_SCANNED):
            name = key.removeprefix(OUTBOX)
            action = action_of(name)
            watches += action == "watch"
            if action is None or (action == "watch" and watches > MAX_WATCHES):
                continue
            names.append(name)
            if len(names) >= limit:
                break
        return names
