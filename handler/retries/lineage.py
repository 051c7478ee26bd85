"""Whose attempt a failed job is: what the ledger proves, whatever its marker claims.

_lineage/JOB_ID ── there: that is it (and CI must echo the marker, or a lost answer could
     │              not be made up for)
     └─ not there ── no marker ─────────────────────────────► its own root
                  └─ a marker: GET _attempts/ROOT/N
                       ├─ names this job ───────────────────► proven; noted in _lineage/
                       ├─ submitting, with the same nonce ──► not known yet: wait
                       └─ anything else ────────────────────► its own root
"""

from __future__ import annotations

from handler.callback.lineage import Lineage, Marker, detach
from handler.ledger.attempts import Attempts
from handler.retries.next_step import Alert, Defer


def proven_lineage(
    attempts: Attempts, job_id: str, user_data: str | None
) -> Lineage | Defer | Alert:
    """Root and attempt of a job, or what becomes of its ticket where they are not known.

    user_data: as CI shows it.

    Raises:
        StoreError
    """
    noted = attempts.lineage_of(job_id)
    marker = detach(user_data)[1]
    if noted is not None:
        if marker is not None:
            return noted
        reason = "CI did not echo the marker of this re-submitted job; it is not tried again"
        return Alert("unmarked", reason)
    return _own_root(job_id) if marker is None else _by_marker(attempts, job_id, marker)


def _by_marker(attempts: Attempts, job_id: str, marker: Marker) -> Lineage | Defer:
    attempt = attempts.get(marker.lineage)
    if attempt is not None and attempt.names(job_id):
        attempts.note_lineage(job_id, marker.lineage)
        return marker.lineage
    if attempt is not None and attempt.may_be(marker):
        # The ticket of the attempt before finds out; a guess would count another root.
        reason = f"whether it is attempt {marker.lineage.attempt} is not known yet"
        return Defer(reason, otherwise="held")
    return _own_root(job_id)


def _own_root(job_id: str) -> Lineage:
    return Lineage(job_id, 1)
