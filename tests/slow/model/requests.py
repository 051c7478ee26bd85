"""What the handler asks of COS, of CI and of the channels."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias


class Ticket(NamedTuple):
    """What must still happen to a job: the name of an object under `_outbox/` and `_done/`.

    job: its number. The job that is submitted as attempt n is job n, so j1 is the root.
    """

    job: int
    end: str
    action: str


class Key(NamedTuple):
    """Where something is kept: a folder of the ledger and a name in it."""

    folder: str
    name: Any


class Digest(NamedTuple):
    """The body of a digest on its way: its tickets, and the channels that have taken it.

    addressed: the channels that were configured when it was made; only the careless variant of
    the protocol looks at them, and they are empty otherwise.
    """

    tickets: tuple[Ticket, ...]
    delivered: tuple[str, ...] = ()
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


class Look(NamedTuple):
    """Look at the age of one's own lease, apart from the request that follows."""

    leased: bool = True


class Post(NamedTuple):
    """Submit an attempt to CI: "accepted", "busy" (known as not taken) or "refused"."""

    attempt: int
    leased: bool = False


class Find(NamedTuple):
    """Whether CI's list shows a job with the marker of this attempt."""

    attempt: int


class Describe(NamedTuple):
    """What CI says of a job: "running" or its end."""

    job: int


class Send(NamedTuple):
    """Send a digest to a channel; whether its answer says that it was taken."""

    tickets: tuple[Ticket, ...]
    channel: str
    leased: bool = False


Leased: TypeAlias = Put | Delete | PutDigest | Post | Send
"""What the lease's age is looked at for."""

Request: TypeAlias = (
    Leased
    | Get
    | PutNew
    | Reply
    | ListOutbox
    | ListDigests
    | PutLease
    | Settle
    | SeeOthers
    | DropLease
    | Look
    | Find
    | Describe
)


def tell(thing: Any) -> str:
    """A request, an answer or a part of one, as a trace tells it."""
    if isinstance(thing, bool):
        return "yes" if thing else "no"
    if isinstance(thing, type):
        return "no answer"
    if isinstance(thing, Key):
        return f"{thing.folder}/{tell(thing.name)}"
    if isinstance(thing, Ticket):
        return "-".join((f"j{thing.job}", *filter(None, thing[1:])))
    if type(thing) is tuple:
        return ", ".join(map(tell, thing)) or "nothing"
    if isinstance(thing, tuple):
        parts = (tell(part) for part in thing if part not in (True, False, "kept"))
        return " ".join((type(thing).__name__, *parts))
    return "nothing" if thing is None else str(thing)
