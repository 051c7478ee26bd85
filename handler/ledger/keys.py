"""Every key that is ever written, in one place.

A name from outside becomes part of a key by `name`: nothing escapes its place, `-`
separates without doubt, and no two names meet on a disk that ignores case.
"""

from __future__ import annotations

import hashlib
import re

from handler.callback.record import JobRecord

MAX_NAME_CHARS = 80
NO_DAY = "1970-01-01"
"""The partition of a job without a believable time of creation: never the day of receipt, so
that a redelivery on another day meets the same key."""

SPILL = "_spill/"

_ESCAPED = re.compile(rb"~([0-9A-F]{2})")
_OTHER = re.compile(rb"[^a-z0-9]")


def name(sent: str) -> str:
    """A name from outside as part of a key: [a-z0-9] as it is, every other byte as ~XX.

    Over 80 characters: its first 16, `~` and its SHA-256. That makes 81 characters, which
    no name that is written out can have, so a short name can't be made to meet a long one.
    """
    raw = sent.encode("utf-8", "surrogatepass")
    # No more is looked at than can stand in a key: a name may be megabytes long.
    seen = raw[: MAX_NAME_CHARS + 1]
    escaped = _OTHER.sub(lambda match: b"~%02X" % match[0][0], seen).decode("ascii")
    if len(escaped) <= MAX_NAME_CHARS:
        return escaped
    return f"{escaped[:16]}~{hashlib.sha256(raw).hexdigest()}"


def sent(part: str) -> str:
    """The name from outside that `name` made a part of a key of; the part itself where it was
    too long to be written out."""
    if len(part) > MAX_NAME_CHARS:
        return part
    raw = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), part.encode("ascii", "replace"))
    return raw.decode("utf-8", "surrogatepass")


def is_key(key: str) -> bool:
    """Whether a key can be one of this ledger's. Listings pass over the others: the marker of a
    folder (COS's console makes `_sweep/`), and files such as `.DS_Store`."""
    return all(part and not part.startswith(".") for part in key.split("/"))


def day(time: str | None) -> str:
    """The UTC day of an RFC 3339 time in UTC; 1970-01-01 for none, before 2015 or after 2100."""
    if time is None or not "2015" <= time[:4] <= "2100":
        return NO_DAY
    return time[:10]


def record(of: JobRecord) -> str:
    """Where a record is kept: once its state is terminal under its kind, until then aside.

    A review may be told several times (a live one with each batch of pictures), and each
    telling is kept for itself. One that is told again word by word meets its own key.
    """
    dated = f"dt={day(of.created_at)}"
    if of.kind == "review":
        told = name(str(of.source["digest"])[:12])
        return f"reviews/{dated}/{name(of.job_id)}-{name(of.state or 'simple')}-{told}.json"
    if not of.is_terminal:
        return f"_unfinished/{dated}/{name(of.job_id)}-{name(of.state or 'none')}.json"
    if of.kind == "workflow":
        return f"workflows/{dated}/{name(of.job_id)}.json"
    return job(of.job_id, of.created_at)


def is_written_once(of: JobRecord) -> bool:
    """Whether what stands under the record's key never gives way to another."""
    return of.is_terminal or of.kind == "review"


def job(job_id: str, created_at: str | None) -> str:
    """Where the record of a job is kept, for whoever has no record of it."""
    return f"jobs/dt={day(created_at)}/{name(job_id)}.json"


def attempt(root_job_id: str, number: int) -> str:
    """Where it is noted how a re-submission of a job stands. Never deleted."""
    return f"_attempts/{name(root_job_id)}/{number:02d}.json"


def lineage(job_id: str) -> str:
    """Where root and attempt of a job are noted that this function submitted."""
    return f"_lineage/{name(job_id)}.json"


def dead(sha256: str, received_at: str) -> str:
    """Where a body is kept that could not be understood."""
    return f"_dead/dt={day(received_at)}/{sha256}.json"


def spilled(received_at: str, size: int, sha256: str) -> str:
    """Where a callback is kept, in another store, that the ledger did not accept. In the order of
    time; the name has the body's size, so that a listing says what reading it costs."""
    moment = received_at[:19].replace("-", "").replace(":", "")
    return f"{SPILL}{moment}-{size}-{sha256}.json"
