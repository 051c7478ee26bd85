"""The next step of a retry ticket of a job that a workflow started, with WORKFLOW_RETRY=trigger.

The whole workflow runs again on its object: the job on its own would lose the nodes behind it. A
run takes no UserData, so no marker shows which attempt a job belongs to. The runs of a workflow
on one object and day are counted instead, and a job belongs to the newest run that was claimed
before the job was created. CI's list can't tell whether a run was accepted, so an unknown
outcome is held.

Workflow, object and time of creation are read from CI's detail only: a callback that names
another workflow, or another day, would start a run of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from handler.callback import converters, tree
from handler.callback.catalogue import family_of
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.callback.tree import Tree
from handler.ci_api.client import Ci
from handler.ci_api.responses import CreateResult
from handler.ci_api.verification import check
from handler.ledger.outbox import Ticket
from handler.retries.carry_out import refused
from handler.retries.context import SweepContext
from handler.retries.next_step import Alert, Defer, Done, NextStep, Submit


@dataclass(frozen=True)
class _Run:
    """The workflow that is run again. created: when the failed job was created."""

    workflow_id: str
    object: str
    created: datetime

    @property
    def root(self) -> str:
        """The name that its attempts are counted under."""
        return f"{self.workflow_id}:{self.object}:{self.created:%Y-%m-%d}"


def retry(context: SweepContext, ticket: Ticket) -> NextStep:
    """Decide what becomes of such a ticket.

    Raises:
        StoreError: the sweep ends here. CiError, CiUnreachableError: CI is out of reach.
        ValueError: the ticket holds no record.
    """
    record = ticket.record
    if record is None:
        raise ValueError("a retry ticket without a record")
    ci = context.ci.of(record)
    run = _confirmed_run(ci, record)
    if not isinstance(run, _Run):
        return run
    context.roots.hold(run.root)
    for number in range(2, context.policy.max_attempts + 1):
        lineage = Lineage(run.root, number)
        attempt = context.attempts.get(lineage)
        if attempt is None or attempt.state == "not_taken":
            return Submit(lineage, "", _sender(ci, run), attempt, record)
        if attempt.state == "refused":
            return refused(attempt)
        if attempt.state == "submitting":
            return Alert("held", "whether its workflow was run again is not known")
        if attempt.since >= run.created.timestamp():
            return Done("submitted", f"as run {attempt.job_id}")
    return Alert("gave-up", f"its workflow was run {context.policy.max_attempts} times")


def _confirmed_run(ci: Ci, record: JobRecord) -> _Run | NextStep:
    """The run that CI itself says the job belongs to; else what becomes of the ticket."""
    family = family_of(record.tag, record.job_id)
    if family is None:
        return Alert("held", "which of CI's endpoints knows such a job is not known")
    checked = check(ci, family, record)
    if checked.verdict == "differs":
        return Alert("mismatch", f"{checked.note}; its workflow is not run again")
    if checked.verdict == "unsettled" or checked.described is None:
        return Defer(checked.note, otherwise="unknown")
    run = _run_of(checked.described.detail)
    return run or Alert("failed", "CI's detail does not name its workflow and object")


def _run_of(detail: dict[str, Tree]) -> _Run | None:
    workflow_id = tree.text(detail, "Workflow.WorkflowId")
    key = tree.text(detail, "Input.Object")
    created = converters.moment(tree.text(detail, "CreationTime"))
    return _Run(workflow_id, key, created) if workflow_id and key and created else None


def _sender(ci: Ci, run: _Run) -> Callable[[], CreateResult]:
    return lambda: ci.trigger_workflow(run.workflow_id, run.object)
