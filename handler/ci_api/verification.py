"""Whether CI reports the same of a job as its callback. The callback's address is public, and CI
signs nothing; so CI itself is asked.

Only fields that both sides carry are compared. That CI does not know a job, or calls it
unfinished, proves nothing: its books may lag, and it forgets jobs after about a month. So
that is asked again later, a bounded number of times, and then an alert is raised.

    VERIFY_CALLBACKS=failures   before a job is submitted again (resubmit.py)
    VERIFY_CALLBACKS=always     that, and before any record is put:

    callback ── CI reports the same ───────► kept, source.verified true
             ── CI reports another ────────► dead letter, alert.mismatch
             ── CI can't be asked ─────────► kept, source.verified null
             ── CI does not know it (yet) ─► a ticket with the whole record: the sweep asks
                                             again; MAX_TRIES later: dead letter, alert.unknown
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from handler.callback import tree
from handler.callback.catalogue import family_of
from handler.callback.families import Family
from handler.callback.outcome import of_state, spelling
from handler.callback.record import JobRecord
from handler.ci_api.client import Ci, CiError, Described
from handler.ci_api.locate import CiLocator, CiUnreachableError

INLINE_S = 15.0
"""What the questions about one invocation's jobs may take before the rest go unasked: CI waits
for its answer, and the function's own limit is 55 s."""

Verdict: TypeAlias = Literal["confirmed", "differs", "unsettled", "not_asked"]


@dataclass(frozen=True)
class Checked:
    """The answer of CI about a record. described: the job as CI reports it, if CI knows it."""

    verdict: Verdict
    note: str = ""
    described: Described | None = None


def check(ci: Ci, family: Family, record: JobRecord) -> Checked:
    """Ask CI about a job that is said to have ended.

    Raises:
        CiError: CI is out of reach, or answers an error or something else.
    """
    described = ci.describe(family, record.job_id)
    if described is None:
        return Checked("unsettled", "CI does not know the job (yet)")
    if of_state(described.state) in ("unfinished", "unknown"):
        return Checked(
            "unsettled", f"CI reports the job as {described.state or 'without a state'}", described
        )
    differing = differences(record, described)
    if differing:
        note = f"CI reports another {', '.join(differing)} than the callback did"
        return Checked("differs", note, described)
    return Checked("confirmed", described=described)


def differences(record: JobRecord, described: Described) -> list[str]:
    """The fields in which CI's own word and the callback's differ, of those that both carry."""
    pairs = {
        "State": (spelling(record.state), spelling(described.state)),
        "Code": (record.code, described.code),
        "Tag": (record.tag, tree.text(described.detail, "Tag")),
        "QueueId": (record.queue_id, tree.text(described.detail, "QueueId")),
        "Input.Object": (record.job_input.object, tree.text(described.detail, "Input.Object")),
    }
    return [
        name
        for name, (recorded, answered) in pairs.items()
        if recorded and answered and recorded != answered
    ]


@dataclass
class Inline:
    """VERIFY_CALLBACKS=always, while CI waits for its answer: one for each invocation.

    budget_s: time for the questions, in seconds; after that the other jobs are stored without a
    question.
    """

    ci: CiLocator
    timer: Callable[[], float] = time.perf_counter
    budget_s: float = INLINE_S
    spent_s: float = 0.0

    def check(self, record: JobRecord) -> Checked:
        """The answer of CI about a job's end. Raises nothing: a job that CI can't be asked about is
        not held back."""
        family = family_of(record.tag, record.job_id) if record.kind == "job" else None
        if family is None:
            return Checked("not_asked", "CI has no endpoint that is known for it")
        if self.spent_s > self.budget_s:
            return Checked("not_asked", f"the questions about other jobs took {self.spent_s:.0f} s")
        begun = self.timer()
        try:
            return check(self.ci.of(record), family, record)
        except (CiError, CiUnreachableError) as error:
            return Checked("not_asked", str(error))
        finally:
            self.spent_s += self.timer() - begun
