"""What the handler asks of COS, of CI and of the channels."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias


class Lineage(NamedTuple):
    """Root and attempt. A job that its owner submitted is attempt 1 of itself."""

    root: int
    attempt: int

    @property
    def job(self) -> int:
        """The number of the job that is submitted as this attempt."""
        return self.root if self.attempt == 1 else 10 * self.root + self.attempt


NO_CLAIM = Lineage(0, 0)
"""Of a job or a callback without a marker."""


class Ticket(NamedTuple):
    """What must still happen to a job: the name of an object under `_outbox/` and `_done/`.

    job: its number; j1 is submitted by its owner, j12 is attempt 2 of it. claim: what the marker
    in the callback says. The times of a callback are part of its ticket's name, so that a forged
    one makes a ticket of its own; here its claim stands for that. Of a watch it is the attempt.
    """

    job: int
    end: str
    action: str
    claim: Lineage = NO_CLAIM


class Event(NamedTuple):
    """What the user's own code is to hear: the name of an object under `_events/`.

    root: the job that its owner submitted, as far as it was proven. end: of the job, by its
    callback or by CI. kind: "succeeded", "recovered", "retrying", "failed", or "failed: " and why.
    claim: what the marker in the callback says. own_record: a callback put it about its record.
    """

    root: int
    job: int
    end: str
    kind: str
    claim: Lineage = NO_CLAIM
    own_record: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing more follows about its root."""
        return self.kind != "retrying"


class Callback(NamedTuple):
    """A callback that may be delivered. forged: not by CI, and so at any time."""

    job: int
    end: str
    claim: Lineage = NO_CLAIM
    forged: bool = False


class Submitted(NamedTuple):
    """What `_attempts/` says of an attempt that CI took: as which job."""

    job: int


class Described(NamedTuple):
    """What CI says of a job. claim: its marker. knows_nonce: whether the marker holds the nonce
    that was put into the claim, which no stranger can guess and anybody can copy."""

    state: str
    claim: Lineage = NO_CLAIM
    knows_nonce: bool = False


class Key(NamedTuple):
    """Where something is kept: a folder of the ledger and a name in it."""

    folder: str
    name: Any


class Digest(NamedTuple):
    """The body of a digest on its way: its tickets, and the channels that have taken it.

    was_sent: whether it was sent to any channel before; then its tickets are marked as done.
    addressed: the channels that were configured when it was made; only the careless variant of
    the protocol looks at them, and they are empty otherwise.
    """

    tickets: tuple[Ticket, ...]
    delivered: tuple[str, ...] = ()
    was_sent: bool = False
    addressed: tuple[str, ...] = ()


class LostError(Exception):
    """A request without an answer: it may have landed or not."""


class TooLateError(Exception):
    """The lease is too old for the request: it was not made."""


class Get(NamedTuple):
    """The value of a key, or None. by_listing: concluded from a listing, which may lag."""

    key: Key
    by_listing: bool = False


class Put(NamedTuple):
    """Write; the last one wins. leased: the lease's age is looked at immediately before."""

    key: Key
    value: Any = "kept"
    leased: bool = False


class PutNew(NamedTuple):
    """Write unless it is there; whether it was written."""

    key: Key
    value: Any = "kept"
    leased: bool = False


class Delete(NamedTuple):
    """Remove."""

    key: Key
    leased: bool = False


class PutDigest(NamedTuple):
    """Write a digest under a new name; its key."""

    value: Digest
    leased: bool


class Reply(NamedTuple):
    """Answer a callback with 200."""


class ListOutbox(NamedTuple):
    """One ticket for a retry or a watch, or any of the alert tickets."""


class ListDigests(NamedTuple):
    """The keys of the digests on their way."""


class PutLease(NamedTuple):
    """Put `_sweep/EPOCH-WRITER`."""


class Settle(NamedTuple):
    """Wait LEASE_WAIT_S."""


class SeeOthers(NamedTuple):
    """List `_sweep/`: whether another young lease is there."""


class DropLease(NamedTuple):
    """Delete one's own lease."""


class Either(NamedTuple):
    """Whether the lease goes first, where one request deletes it and a ticket."""


class Look(NamedTuple):
    """Look at the age of one's own lease, apart from the request that follows."""

    leased: bool = True


class Post(NamedTuple):
    """Submit an attempt to CI: "accepted", "busy" (known as not taken), "unavailable" (a 503: said
    not to be taken, and perhaps taken all the same) or "refused".

    job: the one that failed, and is submitted again.
    """

    attempt: Lineage
    job: int
    leased: bool = False


class Find(NamedTuple):
    """The oldest job in CI's list with the marker of this attempt; None where there is none."""

    attempt: Lineage
    any_nonce: bool = False
    any_age: bool = False


class Describe(NamedTuple):
    """What CI says of a job; None where it knows none."""

    job: int


class Lock(NamedTuple):
    """Be the one worker of a sweep that is about an attempt; it is waited for."""

    attempt: Lineage


class Wait(NamedTuple):
    """Whether a ticket is looked at again: a bounded number of times."""


class Send(NamedTuple):
    """Send a digest to a channel; whether its answer says that it was taken."""

    tickets: tuple[Ticket, ...]
    channel: str
    leased: bool = False


class ListEvents(NamedTuple):
    """One of the events that are queued; None where there is none."""


class Hear(NamedTuple):
    """Send an event to the user's code; whether its answer says that it was taken."""

    event: Event
    supersedes: Event | None = None
    leased: bool = False


Leased: TypeAlias = Put | PutNew | Delete | PutDigest | Post | Send | Hear
"""What the lease's age is looked at for."""

Request: TypeAlias = (
    Leased
    | Get
    | ListEvents
    | Reply
    | ListOutbox
    | ListDigests
    | PutLease
    | Settle
    | SeeOthers
    | DropLease
    | Either
    | Look
    | Find
    | Describe
    | Lock
    | Wait
)


def as_text(thing: Any) -> str:
    """A request, an answer or a part of one, as a trace tells it."""
    if isinstance(thing, tuple):
        return _tuple_as_text(thing)
    if isinstance(thing, bool):
        return "yes" if thing else "no"
    if isinstance(thing, type):
        return "no answer"
    return "nothing" if thing is None else str(thing)


def _tuple_as_text(thing: Any) -> str:
    if isinstance(thing, Key):
        return f"{thing.folder}/{as_text(thing.name)}"
    if isinstance(thing, Lineage):
        return f"j{thing.root}:{thing.attempt}"
    if isinstance(thing, Ticket):
        claims = () if thing.claim == NO_CLAIM else (as_text(thing.claim),)
        return "-".join((f"j{thing.job}", *filter(None, thing[1:3]), *claims))
    if isinstance(thing, Described):
        claim = "" if thing.claim == NO_CLAIM else f", says {as_text(thing.claim)}"
        return f"{thing.state}{claim}"
    if type(thing) is tuple:
        return ", ".join(map(as_text, thing)) or "nothing"
    parts = (as_text(part) for part in thing if part not in (True, False, "kept"))
    return " ".join((type(thing).__name__, *parts))
