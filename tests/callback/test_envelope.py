"""envelope.py: which jobs a callback speaks of."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.envelope import MAX_JOBS, Ignored, Notice, Unreadable, read
from handler.errors import PayloadError

JOB: Any = {"JobId": "j1", "State": "Success"}


@pytest.mark.parametrize(
    "tree",
    [
        {"EventName": "TaskFinish", "JobsDetail": JOB},
        {"EventName": "TaskFinish", "JobsDetail": [JOB]},
        {"Response": {"EventName": "TaskFinish", "JobsDetail": JOB}},
    ],
)
def test_one_job_may_be_an_object_or_a_list_of_one(tree: Any) -> None:
    """Both stand in the documents, in both formats."""
    assert read(tree) == [Notice("job", "TaskFinish", "j1", JOB, None)]


def test_an_old_callback_without_an_event_name_is_known_by_its_structure() -> None:
    """CosHeaders may hold a Key called EventName, which names no event."""
    detail: Any = JOB | {"Input": {"CosHeaders": [{"Key": "EventName", "Value": "x"}]}}
    (notice,) = read({"JobsDetail": detail})
    assert isinstance(notice, Notice)
    assert notice.event is None


def test_workflow_is_read_from_response_too() -> None:
    """One table of the documents puts it there, others into JobsDetail."""
    (notice,) = read({"Response": {"JobsDetail": JOB, "Workflow": {"RunId": "i1"}}})
    assert isinstance(notice, Notice)
    assert notice.workflow == {"RunId": "i1"}
    (notice,) = read({"JobsDetail": JOB, "Workflow": "i1"})
    assert isinstance(notice, Notice)
    assert notice.workflow is None


def test_a_job_without_an_id_does_not_spoil_its_neighbours() -> None:
    """Each job of a callback stands for itself."""
    first, second, third = read({"JobsDetail": [{"State": "Success"}, JOB, "text"]})
    assert isinstance(first, Unreadable)
    assert isinstance(second, Notice)
    assert isinstance(third, Unreadable)


RUN: Any = {"RunId": "i1", "State": "Success"}


@pytest.mark.parametrize(
    ("tree", "event"),
    [
        ({"EventName": "WorkflowFinish", "WorkflowExecution": RUN}, "WorkflowFinish"),
        ({"Response": {"WorkflowExecution": RUN}}, None),
        ({"WorkflowExecution": [RUN]}, None),
    ],
)
def test_a_run_of_a_workflow_is_known_with_and_without_root_and_event(
    tree: Any, event: str | None
) -> None:
    """The old form has no EventName, the newest page no root."""
    assert read(tree) == [Notice("workflow", event, "i1", RUN, None)]


def test_a_run_without_an_id_has_a_result_of_its_own() -> None:
    """Jobs beside it are fine."""
    job, run = read({"JobsDetail": JOB, "WorkflowExecution": {"State": "Success"}})
    assert isinstance(job, Notice)
    assert isinstance(run, Unreadable)
    assert str(run.error) == "no_job_id: a WorkflowExecution without a RunId"
    run, job = reversed(read({"JobsDetail": {"RunId": "j1"}, "WorkflowExecution": RUN}))
    assert isinstance(run, Notice)
    assert isinstance(job, Unreadable)
    assert str(job.error) == "no_job_id: a JobsDetail without a JobId"


def test_a_review_is_known_by_its_event() -> None:
    """Its JobsDetail has neither Tag nor Operation."""
    assert read({"EventName": "ReviewText", "JobsDetail": JOB}) == [
        Notice("review", "ReviewText", "j1", JOB, None)
    ]


@pytest.mark.parametrize(
    "node", [{"Tag": "AIRec"}, {"Operation": {"T": "1"}}, {"Input": {"O": "k"}}]
)
def test_what_has_the_nodes_of_a_job_is_none_by_the_fields_of_a_review(node: Any) -> None:
    """Each of them is enough."""
    review: dict[str, Any] = {**JOB, "Label": "Porn"}
    found = [read({"JobsDetail": detail})[0] for detail in (review | node, review)]
    assert [notice.kind for notice in found if isinstance(notice, Notice)] == ["job", "review"]


@pytest.mark.parametrize("event", [{"event": "ReviewAudio"}, {}])
def test_a_simple_review_is_known_by_its_structure(event: dict[str, str]) -> None:
    """The sample of sound names no event."""
    tree: Any = {"code": "0", "message": "success", "data": {"trace_id": "t1", **event}}
    assert read(tree) == [Notice("review", event.get("event"), "t1", tree, None, is_simple=True)]
    assert read({"Response": tree}) == read(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {"code": "0", "message": "x", "data": {"trace_id": "test_trace_id"}},
        {"message": "Test request when setting callback url", "data": {"trace_id": "t1"}},
    ],
)
def test_the_consoles_test_message_is_ignored(tree: Any) -> None:
    """It speaks of no review that ever was."""
    (notice,) = read(tree)
    assert isinstance(notice, Ignored)
    assert notice.reason


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({}, "no_callback"),
        ({"WorkflowExecution": ""}, "no_callback"),
        ({"data": {"trace_id": ""}}, "no_callback"),
        ({"data": "trace_id"}, "no_callback"),
        ({"JobsDetail": [JOB] * 60, "WorkflowExecution": [RUN] * 41}, "too_many_jobs"),
        ([JOB], "no_callback"),
        ("text", "no_callback"),
        ({"JobsDetail": []}, "no_callback"),
        ({"JobsDetail": ""}, "no_callback"),
        ({"Response": "x"}, "no_callback"),
        ({"JobsDetail": [JOB] * (MAX_JOBS + 1)}, "too_many_jobs"),
    ],
)
def test_what_is_no_callback_is_refused(tree: Any, reason: str) -> None:
    """Well-formed is not enough."""
    with pytest.raises(PayloadError) as caught:
        read(tree)
    assert caught.value.reason == reason
    assert caught.value.explanation


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (
            {"Job": JOB},
            "well-formed, but there is no JobsDetail, WorkflowExecution or data.trace_id in it",
        ),
        ({"JobsDetail": ""}, "JobsDetail or WorkflowExecution is empty"),
        (
            {"JobsDetail": [JOB] * 60, "WorkflowExecution": [RUN] * 41},
            "101 jobs, at most 100 are read",
        ),
    ],
)
def test_what_was_looked_for_is_reported(tree: Any, said: str) -> None:
    """Whoever finds the dead letter sees at once what is wrong with it."""
    with pytest.raises(PayloadError) as caught:
        read(tree)
    assert caught.value.explanation == said


def test_the_limit_on_jobs_is_inclusive() -> None:
    """Jobs and runs are counted together."""
    assert len(read({"JobsDetail": [JOB] * 60, "WorkflowExecution": [RUN] * 40})) == MAX_JOBS


@pytest.mark.parametrize(
    "event", ["WorkflowStart", "TaskStart", "workflowstart", "WORKFLOW_START", " WorkflowStart\n"]
)
@pytest.mark.parametrize("state", ["Success", "Failed", "Cancel"])
@pytest.mark.parametrize("node", [{"JobsDetail": JOB}, {"WorkflowExecution": RUN}])
def test_an_event_of_a_start_is_one_however_it_is_written(
    event: str, state: str, node: dict[str, Any]
) -> None:
    """A start that is taken for an end would make a conflict of the end that follows."""
    ((name, detail),) = node.items()
    (notice,) = read({"EventName": event, name: detail | {"State": state}})
    assert isinstance(notice, Notice)
    assert notice.is_start
    assert notice.event == event.strip()


def test_the_kind_of_an_event_does_not_depend_on_its_case() -> None:
    """A review's event decides, whatever fields it has."""
    (notice,) = read({"EventName": "reviewimage", "JobsDetail": JOB | {"Tag": "x"}})
    assert isinstance(notice, Notice)
    assert notice.kind == "review"
