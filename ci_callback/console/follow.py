"""The fate of a failed job, in one word: for the list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ci_callback.console.record_cache import RecordCache
from ci_callback.record_index.search import Lookup
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger import keys
from handler.ledger.attempts import Attempts

Fate: TypeAlias = Literal[
    "retry_waits", "submitted", "submitting", "recovered", "failed_again", "refused", "gave_up",
    "alert_due", "alert_sent",
]  # fmt: skip


@dataclass(frozen=True)
class FollowUp:
    """due: epoch seconds, of a retry that waits. job_id: of the attempt that followed."""

    fate: Fate
    due: float | None = None
    job_id: str = ""


class Following:
    """Looks at what is waiting once, for all rows of a page."""

    def __init__(self, records: RecordCache, lookup: Lookup) -> None:
        self._lookup = lookup
        self._policy = records.policy
        self._attempts = Attempts(records.store)
        self._waiting: dict[tuple[str, str], float] = {}
        for name in records.tickets():
            ticket = TicketName.of(name)
            self._waiting[ticket.job, ticket.action] = ticket.due

    def of(self, record: JobRecord) -> FollowUp | None:
        """Of a failure; None of anything else, and where nothing is known."""
        if record.outcome != "failed":
            return None
        lineage = Lineage(record.lineage.root_job_id, record.lineage.attempt + 1)
        ended = self._lookup.end_of(lineage.root_job_id, lineage.attempt)
        if ended is not None:
            outcome, job_id = ended
            went_well = outcome in ("succeeded", "partial")
            return FollowUp("recovered" if went_well else "failed_again", job_id=job_id)
        name = keys.name(record.job_id)
        due = self._waiting.get((name, "retry"))
        if due is not None:
            return FollowUp("retry_waits", due)
        actions = self._policy.actions(record)
        if "alert.gave-up" in actions:
            return FollowUp("gave_up")
        if "retry" in actions:
            return self._attempted(lineage)
        return FollowUp("alert_due" if (name, "alert.failed") in self._waiting else "alert_sent")

    def _attempted(self, lineage: Lineage) -> FollowUp | None:
        try:
            attempt = self._attempts.get(lineage)
        except ValueError:
            return None
        if attempt is None:
            # No ticket and no attempt: CI reported another end or gave no answer, and an
            # alert was raised.
            return FollowUp("alert_sent")
        fate = _BY_STATE.get(attempt.state)
        return FollowUp(fate, job_id=attempt.job_id) if fate else None


def retried(names: Iterable[str]) -> list[str]:
    """The jobs, as in keys, that tickets are to submit again or to verify."""
    read = map(TicketName.of, names)
    return [ticket.job for ticket in read if ticket.action in ("retry", "verify")]


_BY_STATE: dict[str, Fate] = {
    "submitted": "submitted",
    "submitting": "submitting",
    "refused": "refused",
}


@dataclass(frozen=True)
class TicketName:
    """The parts of a ticket's name. due: epoch seconds. job, state: as they are in keys."""

    due: float
    job: str
    state: str
    action: str

    @classmethod
    def of(cls, name: str) -> TicketName:
        """Read a name; one that is no ticket's gives empty texts."""
        match = _TICKET.fullmatch(name)
        return cls(float(match[1]), match[2], match[3], match[4]) if match else cls(0, "", "", "")


_TICKET = re.compile(r"([0-9]{10})-([a-z0-9~A-F]+)-([a-z0-9~A-F]+)-([a-z.-]+)\.json")
