"""Everything there is at one moment.

Time is an order and not a number. What is young stands in `State.timeline`, the oldest first,
and leaves it when it is old: a lease after LEASE_S, a claim after UNKNOWN_SUBMISSION_TIMEOUT_S. The
latter is the longer, so a claim is never old before the leases that were put before it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from tests.slow.model.requests import NO_CLAIM, Event, Key, Lineage, Ticket
from tests.slow.model.routines import ENDED

NOBODY = -1
"""Whose lease it is when its sweep is dead."""

NO_FORWARDER = -2
"""Whose lease it is when its forwarder is dead."""

Alerted: TypeAlias = tuple[Ticket, str]
"""A ticket, and the channel that it was told on."""


class Lease(NamedTuple):
    """A young lease. seen: LEASE_WAIT_S have passed, every listing shows it."""

    sweep: int
    seen: bool


class Claim(NamedTuple):
    """A young claim to an attempt: `_attempts/` says "submitting", not long since."""

    attempt: Lineage


class Stray(NamedTuple):
    """A PUT that its sweep has given up, and that will land: before the lease that it was made
    with, and that stands behind it in the timeline, would be old."""

    key: Key
    value: Any


Timeline: TypeAlias = tuple[Lease | Claim | Stray, ...]


class Job(NamedTuple):
    """A POST that CI took, or may have taken.

    number: of the job. of: the job that it is the next attempt of; 0 for a stranger's. root: the
    job that its owner submitted, by what really happened. claim: its marker. knows_nonce: with
    the nonce of that attempt. state: "sent" (nobody knows), "running", or its end. listed: CI's
    list is sure to show it. in_time: it was sent with a young claim, so it is listed when that
    is old, or never was.
    """

    number: int
    of: int
    root: int
    claim: Lineage
    knows_nonce: bool
    state: str
    listed: bool
    in_time: bool

    @property
    def is_ours(self) -> bool:
        """Whether the function submitted it."""
        return self.of != 0


class Slot(NamedTuple):
    """Room for one delivery or one sweep at a time.

    place: where its routine stands. late: its lease is old, or was given up. holds: the attempt
    that it has locked. answered: CI was told 200. unnoted: what it told and did not yet note in
    the digest, in order.
    """

    place: int = ENDED
    late: bool = False
    holds: Lineage = NO_CLAIM
    answered: bool = False
    unnoted: tuple[Alerted, ...] = ()


_SILENT, _ANSWERED = Slot(), Slot(answered=True)
_UNSEEN: Any = object()
"""What is no fact. A promise that looks through it ends in a TypeError, and does not hold by
finding nothing there."""


class State(NamedTuple):
    """The ledger, who runs, what is young, and what CI has.

    The rest is for the promises alone. told: what was told, and where. excused: what may be
    told again, since noting it failed. breach: a promise that a request has broken. heard: the
    events that the user's code got, each with the one that it supersedes.
    """

    store: frozenset[tuple[Key, Any]]
    slots: tuple[Slot, ...]
    timeline: Timeline = ()
    jobs: tuple[Job, ...] = ()
    alerted: frozenset[Alerted] = frozenset()
    excused: frozenset[Alerted] = frozenset()
    breach: str = ""
    heard: frozenset[tuple[Event, Event | None]] = frozenset()

    @property
    def facts(self) -> State:
        """The same without who runs and what is young: what is kept, at CI, and answered."""
        slots = tuple([_ANSWERED if slot.answered else _SILENT for slot in self.slots])
        return State(self.store, slots, _UNSEEN, self.jobs, _UNSEEN, _UNSEEN, self.breach, _UNSEEN)

    def get(self, key: Key) -> Any:
        """What is kept there; None where nothing is."""
        for there, value in self.store:
            if there == key:
                return value
        return None

    def keys(self, *folders: str) -> list[Key]:
        """What is kept in these folders, in order."""
        return sorted(key for key, _ in self.store if key.folder in folders)

    def lease(self, sweep: int) -> Lease | None:
        """The young lease of a sweep."""
        for entry in self.timeline:
            if isinstance(entry, Lease) and entry.sweep == sweep:
                return entry
        return None

    def job(self, number: int) -> Job | None:
        """A job that CI took, or may have taken; None for one that was there before."""
        return next((job for job in self.jobs if job.number == number), None)

    def with_slot(self, number: int, slot: Slot) -> State:
        """The same with another slot in this place."""
        slots = (*self.slots[:number], slot, *self.slots[number + 1 :])
        return State(self.store, slots, *self[2:])  # what _replace does, in half the time

    def with_value(self, key: Key, value: Any) -> State:
        """The same with a value written; removed where it is None."""
        before = self.get(key)
        if before == value:
            return self
        store = self.store - {(key, before)}
        return State(store if value is None else store | {(key, value)}, *self[1:])

    def with_timeline(self, timeline: Timeline) -> State:
        """The same at another time. Leases of the dead side by side are as good as one."""
        kept: list[Lease | Claim | Stray] = []
        for entry in timeline:
            if not (kept and kept[-1] == entry and isinstance(entry, Lease)):
                kept.append(entry)
        return State(self.store, self.slots, tuple(kept), *self[3:])

    def with_jobs(self, jobs: tuple[Job, ...]) -> State:
        """The same with other jobs at CI, in whatever order."""
        in_order = tuple(sorted(jobs))
        return State(self.store, self.slots, self.timeline, in_order, *self[4:])

    def with_excuse(self, number: int) -> State:
        """The same after noting what was told has failed: it may be told again."""
        slot = self.slots[number]
        if not slot.unnoted:
            return self
        excused = self.excused.union(slot.unnoted)
        return self.with_slot(number, slot._replace(unnoted=()))._replace(excused=excused)


def replaced(items: tuple[Any, ...], at: int, *others: Any) -> tuple[Any, ...]:
    """A tuple with others, or nothing, in the place of one item."""
    return (*items[:at], *others, *items[at + 1 :])
