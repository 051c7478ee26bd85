"""Decides what follows the end of a job (a retry, an alert, both or nothing) and when (the
back-off).

The meaning of a code is in failure_codes.py; the settings RETRY_CODES and ALERT_CODES come first.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple

from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.clock import is_believed
from handler.failure_codes import Reaction, reaction_to
from handler.settings import Settings

MAX_AHEAD_S = 86_400
"""By how much a job may have ended after its callback arrived: clocks and zones differ."""


class Policy(NamedTuple):
    """The settings that decide. Times are in seconds."""

    max_attempts: int
    base_s: int
    cap_s: int
    retry_codes: frozenset[str] | None = None
    alert_codes: frozenset[str] | None = None
    workflow_retry: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """The policy that the settings describe."""
        return cls(
            settings.retry_max_attempts,
            settings.retry_base_s,
            settings.retry_cap_s,
            settings.retry_codes,
            settings.alert_codes,
            settings.workflow_retry == "trigger",
        )

    def reaction(self, code: str, message: str = "") -> Reaction:
        """The reaction to a failure: by the settings, else by the table and the message."""
        retried = code in (self.retry_codes or ())
        alerted = code in (self.alert_codes or ())
        if retried or alerted:
            return "both" if retried and alerted else "retry" if retried else "alert"
        return reaction_to(code, message)

    def actions(self, record: JobRecord) -> tuple[str, ...]:
        """The tickets that a record calls for, each by its action; none where all is well."""
        attempt = record.lineage.attempt
        if record.outcome == "partial":
            return ("alert.partial",)
        if record.kind != "job":
            # A run's jobs have callbacks of their own, where the queue sends them; a user who has
            # only the workflow's must receive its failure too. A review can't be submitted again.
            return ("alert.failed",) if record.outcome == "failed" else ()
        if record.outcome == "succeeded":
            return ("alert.recovered",) if attempt > 1 else ()
        if record.outcome != "failed":
            return ()
        reaction = self.reaction(record.code, _without_names(record))
        wants_retry = reaction in ("retry", "both")
        if record.workflow is not None and not self.workflow_retry:
            # On its own it would lose the nodes behind it, and the user asked for no second run.
            wants_retry = False
        if wants_retry and attempt >= self.max_attempts:
            return ("alert.gave-up",)
        actions = ("retry",) if wants_retry else ("alert.failed",)
        return (*actions, "alert.failed") if wants_retry and reaction == "both" else actions

    def backoff_s(self, lineage: Lineage) -> int:
        """Seconds from the end of an attempt to the next: exponential, with full jitter.

        The jitter is a hash of root and attempt, so a redelivery finds the same time.
        """
        longest = min(self.cap_s, self.base_s * 2 ** min(lineage.attempt - 1, 30))
        seed = f"{lineage.root_job_id}:{lineage.attempt}".encode("utf-8", "surrogatepass")
        share = int.from_bytes(hashlib.sha256(seed).digest()[:4], "big") / 2**32
        return int(longest * share)

    def due(self, record: JobRecord) -> int:
        """When a record's job may be tried again, in epoch seconds. It depends on the record only.

        Counted from its end, else from its creation. A time that is not believed (clock.py), or
        that is over a day later than the callback, reads as 0: such a ticket is due at once, not
        never.
        """
        ended = record.ended_at or record.created_at
        if ended is None or not is_believed(ended):
            return self.backoff_s(record.lineage)
        ended_s = _epoch(ended)
        if ended_s > _epoch(str(record.source["received_at"])) + MAX_AHEAD_S:
            return self.backoff_s(record.lineage)
        return int(ended_s) + self.backoff_s(record.lineage)


def _epoch(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def _without_names(record: JobRecord) -> str:
    """A record's message without the names of its input, whose words are not of the cause."""
    message = record.message
    for name in filter(None, (record.job_input.url, record.job_input.object)):
        message = message.replace(name, " ")
    return message
