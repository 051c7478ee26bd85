"""workflow_rerun.py: what is decided about a failed job that a workflow started."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ledger.attempts import Attempt
from handler.ledger.outbox import Ticket, about
from handler.retries.next_step import Alert, Defer, Done, NextStep, Submit
from handler.retries.workflow_rerun import retry
from tests.retries.contexts import context_of
from tests.stores import QuickWorld

WORKFLOW = {"RunId": "i1", "WorkflowId": "w1", "WorkflowName": "n", "Name": "Translation_1"}
CREATED = 1_790_000_000.0


class Born(QuickWorld):
    """A job that a workflow started, and that failed."""

    def __init__(self, **env: str) -> None:
        super().__init__(None, **({"WORKFLOW_RETRY": "trigger"} | env))
        self.job = self.submit()
        self.ci.jobs[self.job].workflow = WORKFLOW
        self.fail(self.job)
        self.deliver(self.job)
        self.context = context_of(self)
        self.root = "w1:input/en.pdf:2026-09-21"

    @property
    def record(self) -> JobRecord:
        (key,) = self.keys("jobs/")
        return JobRecord.from_json(self.memory.get(key) or b"")

    def decide(self, record: JobRecord | None = None) -> NextStep:
        with self.context.roots.worker():
            return retry(self.context, about(record or self.record, "retry"))

    def note(self, number: int, state: Any, since: float, **more: Any) -> Attempt:
        attempt = Attempt(state, since, "w0", **more)
        self.context.attempts.put(Lineage(self.root, number), attempt)
        return attempt


@pytest.fixture
def world() -> Born:
    return Born()


def test_a_ticket_without_a_record_is_none(world: Born) -> None:
    """Must raise: it is the ticket's own fault."""
    with pytest.raises(ValueError, match="a retry ticket without a record"):
        retry(world.context, Ticket("retry", world.job, "failed"))


def test_the_workflow_runs_again_on_its_object(world: Born) -> None:
    """As the second run of the day in UTC; it takes no marker."""
    step = world.decide()
    assert isinstance(step, Submit)
    assert (step.lineage, step.nonce, step.earlier) == (Lineage(world.root, 2), "", None)
    assert step.record == world.record
    assert step.send().verdict == "accepted"
    run = world.ci.jobs[world.ci.accepted[-1].job_id]
    assert run.request == {"workflowId": "w1", "object": "input/en.pdf"}


def test_a_job_is_asked_for_where_its_tag_belongs(world: Born) -> None:
    """Whatever letter its id begins with."""
    renamed = f"x{world.job[1:]}"
    world.ci.jobs[renamed] = replace(world.ci.jobs[world.job], job_id=renamed)
    step = world.decide(world.record._replace(job_id=renamed))
    assert isinstance(step, Submit)


def test_a_run_since_the_job_is_the_jobs_own(world: Born) -> None:
    """Another failed job of the same run had started it."""
    world.note(2, "submitted", CREATED, job_id="run-2")
    assert world.decide() == Done("submitted", "as run run-2")


def test_a_run_before_the_job_is_the_one_that_failed(world: Born) -> None:
    """The next one is the third."""
    world.note(2, "submitted", CREATED - 1, job_id="run-2")
    step = world.decide()
    assert isinstance(step, Submit)
    assert step.lineage == Lineage(world.root, 3)


def test_the_last_run_is_followed_by_an_alert(world: Born) -> None:
    """Of as many as there are attempts."""
    world.note(2, "submitted", CREATED - 2, job_id="run-2")
    world.note(3, "submitted", CREATED - 1, job_id="run-3")
    assert world.decide() == Alert("gave-up", "its workflow was run 3 times")


def test_a_run_that_ci_did_not_take_is_asked_for_again(world: Born) -> None:
    """The claim before is renewed."""
    earlier = world.note(2, "not_taken", CREATED)
    step = world.decide()
    assert isinstance(step, Submit)
    assert (step.lineage, step.earlier) == (Lineage(world.root, 2), earlier)


def test_a_run_that_was_refused_is_alerted(world: Born) -> None:
    """In CI's words."""
    world.note(2, "refused", CREATED, code="C", message="m")
    assert world.decide() == Alert("refused", "CI refused the re-submission: C m")


def test_a_run_of_which_nothing_is_known_is_held(world: Born) -> None:
    """No list can tell."""
    world.note(2, "submitting", CREATED)
    assert world.decide() == Alert("held", "whether its workflow was run again is not known")


def test_a_job_that_ci_calls_otherwise_runs_nothing(world: Born) -> None:
    """And is alerted."""
    world.ci.finish(world.job, "Success")
    step = world.decide()
    assert isinstance(step, Alert)
    assert step.kind == "mismatch"
    assert step.reason.startswith("CI reports another State")
    assert step.reason.endswith("; its workflow is not run again")


def test_a_job_that_ci_does_not_know_waits(world: Born) -> None:
    """Whatever the callback named."""
    world.ci.forget(world.job)
    assert world.decide() == Defer("CI does not know the job (yet)", otherwise="unknown")


def test_a_job_of_no_known_family_is_held(world: Born) -> None:
    """CI is not asked."""
    odd = world.record._replace(tag="Nonsense", job_id="?1")
    before = len(world.ci.seen)
    reason = "which of CI's endpoints knows such a job is not known"
    assert world.decide(odd) == Alert("held", reason)
    assert len(world.ci.seen) == before


@pytest.mark.parametrize("missing", ["workflow", "object", "created"])
def test_without_workflow_object_or_time_nothing_runs(
    world: Born, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CI's own detail decides."""
    record, job = world.record, world.ci.jobs[world.job]
    if missing == "workflow":
        job.workflow = None
    elif missing == "object":
        record = record._replace(input={**(record.input or {}), "object": None})
        del job.request["Input"]["Object"]
    else:
        shown = job.detail() | {"CreationTime": "-"}
        monkeypatch.setattr(job, "detail", lambda: shown)
    reason = "CI's detail does not name its workflow and object"
    assert world.decide(record) == Alert("failed", reason)


def test_one_worker_at_a_time_is_about_a_workflows_day(
    world: Born, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failed jobs of one run share it."""
    held: list[str] = []
    monkeypatch.setattr(world.context.roots, "hold", held.append)
    world.decide()
    assert held == [world.root]
