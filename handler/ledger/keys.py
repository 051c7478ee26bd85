"""Every key that is ever written: the one table of prefixes, and what is below each.

A name from outside becomes part of a key by `name`: no name leads out of its folder, `-` only
separates, and two names have different keys also on a disk that ignores case.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from handler.callback.record import JobRecord
from handler.clock import is_believed

MAX_NAME_CHARS = 80
NO_DAY = "1970-01-01"
"""The day of a job without a plausible time of creation: not the day of receipt, so that a
redelivery on another day has the same key."""

QUEUES = "_"
"""What the prefix of a queue begins with: one listing of it says which queues hold anything."""

JOBS = "jobs/"
WORKFLOWS = "workflows/"
REVIEWS = "reviews/"
UNFINISHED = "_unfinished/"
OUTBOX = "_outbox/"
DONE = "_done/"
DIGESTS = "_digests/"
UNDELIVERED = "_undelivered/"
ATTEMPTS = "_attempts/"
LINEAGE = "_lineage/"
LEASES = "_sweep/"
EVENTS = "_events/"
FINALS = "_finals/"
PENDING = "_pending/"
DESTINATIONS = "_destinations/"
DELIVERIES = "_deliveries/"
FORWARD_LEASES = "_forward/"
RECONCILE = "_reconcile/"
DEAD = "_dead/"
SPILL = "_spill/"
COMPACTED = "compacted/"
DOCTOR = "_doctor/"
CODE = "_code/"
CONNECTIONS = "_connections/"

PREFIXES: Mapping[str, str] = {
    JOBS: "one record for each job that has ended; never changed",
    WORKFLOWS: "one record for each run of a workflow that has ended; never changed",
    REVIEWS: "one record for each result of a moderation job; never changed",
    UNFINISHED: "the newest callback of each state that is not an end",
    OUTBOX: "tickets: what must still happen, and when",
    DONE: "the names of tickets that were dealt with; a lifecycle rule may let them expire",
    DIGESTS: "alerts on their way to the channels",
    UNDELIVERED: "alerts that no channel accepted, kept for a person",
    ATTEMPTS: "each re-submission, and what became of it",
    LINEAGE: "the root job and attempt of each job that the function submitted",
    LEASES: "the lease of the sweep that is running",
    EVENTS: "events that are to be sent to FORWARD_URLS",
    FINALS: "the final events of each root job, in their order",
    PENDING: "events that a destination has not taken yet, by destination",
    DESTINATIONS: "since when a destination fails, and until when it is left alone",
    DELIVERIES: "which event went to which destination, when, and with which answer",
    FORWARD_LEASES: "the lease of the task that sends events",
    RECONCILE: "how far reconciliation has come, by tag",
    DEAD: "bodies that could not be processed, kept whole for a person",
    SPILL: "callbacks that the ledger did not accept, in the store of SPILL_URL",
    COMPACTED: "one file for each day of records, made by the command line",
    DOCTOR: "objects with which `doctor` tries the store; it deletes them",
    CODE: "bundles that are too large for a request, put there by `deploy`",
    CONNECTIONS: "the settings that CI's queues had before `deploy connect` changed them",
}
"""Each prefix, and what is below it. A name that begins with `_` is passed over by Spark and its
kin."""

DELETED_BELOW = frozenset({OUTBOX, DIGESTS, LEASES, EVENTS, PENDING, FORWARD_LEASES, SPILL, DOCTOR})
"""Where the function (and `doctor`) deletes. Nowhere else does the role need DeleteObject:
docs/cam-policy.json is held against this."""

EXPIRING = frozenset({DONE, DELIVERIES, UNDELIVERED, UNFINISHED, CODE, DOCTOR})
"""What may expire a month after it was written: nothing of it is needed by then (`deploy
--expire-days`)."""

_ESCAPED = rb"~([0-9A-F]{2})"
_OTHER = rb"[^a-z0-9]"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def name(sent: str) -> str:
    """A name from outside as part of a key: [a-z0-9] as it is, every other byte as ~XX.

    A name that takes over 80 characters: its first 16, `~` and its SHA-256. That makes 81
    characters, which no shorter name has, so no short name has the key of a long one.
    """
    if len(sent) <= MAX_NAME_CHARS and _PLAIN.issuperset(sent):
        return sent  # so with the ids of CI
    raw = sent.encode("utf-8", "surrogatepass")
    # Only the bytes that fit into a key are escaped: a name may be megabytes long.
    seen = raw[: MAX_NAME_CHARS + 1]
    escaped = re.sub(_OTHER, lambda match: b"~%02X" % match[0][0], seen).decode("ascii")
    if len(escaped) <= MAX_NAME_CHARS:
        return escaped
    return f"{escaped[:16]}~{hashlib.sha256(raw).hexdigest()}"


def sent(part: str) -> str:
    """The name from outside that a part of a key was made of; the part itself where the name was
    too long to be in the key."""
    if len(part) > MAX_NAME_CHARS:
        return part
    raw = re.sub(
        _ESCAPED, lambda match: bytes([int(match[1], 16)]), part.encode("ascii", "replace")
    )
    return raw.decode("utf-8", "surrogatepass")


def is_key(key: str) -> bool:
    """Whether a key can be one of this ledger's. Listings pass over the others: the marker of a
    folder (COS's console makes `_sweep/`), and files such as `.DS_Store`."""
    return all(part and not part.startswith(".") for part in key.split("/"))


def day(time: str | None) -> str:
    """The UTC day of an RFC 3339 time in UTC; 1970-01-01 for none, and for one not believed."""
    return time[:10] if time and is_believed(time) else NO_DAY


def record(of: JobRecord) -> str:
    """The key of a record: below its kind once its state is terminal, below UNFINISHED until then.

    A review may be reported several times (a live one with each batch of pictures), and each report
    has its own key, made of its digest. The same report again has the same key.
    """
    dated = f"dt={day(of.created_at)}"
    if of.kind == "review":
        digest = name(str(of.source["digest"])[:12])
        return f"{REVIEWS}{dated}/{name(of.job_id)}-{name(of.state or 'simple')}-{digest}.json"
    if not of.is_terminal:
        return f"{UNFINISHED}{dated}/{name(of.job_id)}-{name(of.state or 'none')}.json"
    if of.kind == "workflow":
        return f"{WORKFLOWS}{dated}/{name(of.job_id)}.json"
    return job(of.job_id, of.created_at)


def is_written_once(of: JobRecord) -> bool:
    """Whether the object under the record's key is never replaced."""
    return of.is_terminal or of.kind == "review"


def job(job_id: str, created_at: str | None) -> str:
    """The key of a job's record, from its id and the time of its creation (RFC 3339)."""
    return f"{JOBS}dt={day(created_at)}/{name(job_id)}.json"


def attempt(root_job_id: str, number: int) -> str:
    """The key of the state of a job's re-submission. Never deleted."""
    return f"{ATTEMPTS}{name(root_job_id)}/{number:02d}.json"


def lineage(job_id: str) -> str:
    """The key of the root and attempt of a job that this function submitted."""
    return f"{LINEAGE}{name(job_id)}.json"


def final_events(root_job_id: str) -> str:
    """The key of the final events of a root job."""
    return f"{FINALS}{name(root_job_id)}.json"


def destination(destination_id: str) -> str:
    """The key of how a destination fares."""
    return f"{DESTINATIONS}{name(destination_id)}.json"


def deliveries(now: str, run: str) -> str:
    """The key of what became of one batch of events. now: RFC 3339 in UTC; run: unique."""
    return f"{DELIVERIES}dt={day(now)}/{run}.json"


def progress(tag: str, by_hand: bool = False) -> str:
    """The key of the points that reconciliation of a tag has reached, by its timer or by hand."""
    return f"{RECONCILE}{name(tag)}{'-by-hand' if by_hand else ''}.json"


def dead(sha256: str, received_at: str) -> str:
    """The key of a dead letter, by the SHA-256 of its body and the time of its receipt."""
    return f"{DEAD}dt={day(received_at)}/{sha256}.json"


def spilled(received_at: str, size: int, sha256: str) -> str:
    """Where a callback is kept, in another store, that the ledger did not accept. In the order of
    time; the name has the body's size, so that a listing says what reading it costs."""
    moment = received_at[:19].replace("-", "").replace(":", "")
    return f"{SPILL}{moment}-{size}-{sha256}.json"
