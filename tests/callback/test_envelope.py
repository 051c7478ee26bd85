"""envelope.py: which jobs a callback speaks of."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.envelope import MAX_JOBS, Notice, Unreadable, read
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


def test_a_job_without_an_id_does_not_spoil_its_neighbours() -> None:
    """Each job of a callback stands for itself."""
    first, second, third = read({"JobsDetail": [{"State": "Success"}, JOB, "text"]})
    assert isinstance(first, Unreadable)
    assert isinstance(second, Notice)
    assert isinstance(third, Unreadable)


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({}, "no_callback"),
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
