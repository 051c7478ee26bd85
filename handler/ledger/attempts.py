"""The state of each re-submission of a job, so that none is made twice.

(none) ──► submitting ──► submitted      the job has an id; done with
               │    └───► refused        CI will not have it; a person must look
               │    └───► not_taken      CI has not got it; claimed again later
               └─ nothing known of it: left as it stands until CI's list can tell
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, NamedTuple, TypeAlias

from handler.callback.lineage import NONCE_CHARS, Lineage, Marker
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.store import Store

State: TypeAlias = Literal["submitting", "submitted", "refused", "not_taken"]
SCHEMA = "attempt/1"


class Attempt(NamedTuple):
    """One re-submission. since: epoch seconds of its newest claim; by: the sweep that claimed it;
    claims: how often it was claimed; nonce: the one in its marker, the same in each claim; job_id
    and created_at (RFC 3339) once CI has taken it."""

    state: State
    since: float
    by: str
    claims: int = 1
    job_id: str = ""
    created_at: str | None = None
    code: str = ""
    message: str = ""
    nonce: str = ""

    def names(self, job_id: str) -> bool:
        """Whether the job is this attempt: CI's answer named it, or it was found in CI's list."""
        return self.state == "submitted" and self.job_id == job_id

    def may_be(self, marker: Marker) -> bool:
        """Whether a job with this marker may be this attempt: no answer came to its submission, or
        one that CI did not take it."""
        is_open = self.state in ("submitting", "not_taken")
        return is_open and self.nonce == marker.nonce != ""


def nonce_of(lineage: Lineage, writer: str) -> str:
    """The nonce of an attempt that a sweep claims first.

    writer: random, and never shown outside the ledger, so what is made of it can't be guessed.
    """
    seed = f"{writer}:{lineage.root_job_id}:{lineage.attempt}"
    return hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()[:NONCE_CHARS]


class Attempts:
    """Attempts in a store. Every method may raise StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, lineage: Lineage) -> Attempt | None:
        """The state of a re-submission; None where it was never claimed.

        Raises:
            ValueError: the object there is no attempt/1.
        """
        return self.at(keys.attempt(lineage.root_job_id, lineage.attempt))

    def at(self, key: str) -> Attempt | None:
        """As `get`, by the key itself."""
        line = self._store.get(key)
        if line is None:
            return None
        values: Any = json.loads(line)
        if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
            raise ValueError(f"not an {SCHEMA}")
        return Attempt(**values)

    def put(self, lineage: Lineage, attempt: Attempt) -> None:
        """Write its state."""
        line = json.dumps({"schema": SCHEMA, **attempt._asdict()}).encode("ascii")
        self._store.put(keys.attempt(lineage.root_job_id, lineage.attempt), line)

    def note_lineage(self, job_id: str, lineage: Lineage) -> None:
        """Note which attempt a job is: only of a job that is proven to be one."""
        self._store.put(keys.lineage(job_id), json.dumps(lineage._asdict()).encode("ascii"))

    def lineage_of(self, job_id: str) -> Lineage | None:
        """The lineage that is stored for a job; None where this function did not submit it."""
        line = self._store.get(keys.lineage(job_id))
        return Lineage(**json.loads(line)) if line is not None else None

    def proven(self, record: JobRecord) -> JobRecord:
        """The record with the lineage that the ledger proves by now. Every reader uses it.

        One GET where the job's UserData carries a marker and the record has no lineage yet.
        """
        if record.marker is None or record.lineage.attempt > 1:
            return record
        lineage = self.lineage_of(record.job_id)
        return record if lineage is None else record.with_lineage(lineage)
