"""workflow.py: the tasks of a run."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.record import JobRecord
from handler.callback.results.workflow import RUN
from tests.callback.test_record import records, valid
from tests.callback.twins import as_json


def run(*tasks: Any, **execution: Any) -> JobRecord:
    """The record of a run with these tasks."""
    nodes = {"RunId": "i1", "WorkflowId": "w1", "State": "Success", "Tasks": tasks, **execution}
    (record,) = records(as_json({"EventName": "WorkflowFinish", "WorkflowExecution": nodes}))
    return record


def test_a_run_is_a_record_of_its_own_kind() -> None:
    """Its id is the RunId; it has neither tag nor queue."""
    record = run(
        BucketId="b-1",
        Object="a.mp4",
        CreateTime="2022-08-09 14:54:17+0800",
        CosHeaders={"Key": "Size", "Value": "7"},
    )
    written = valid(record)
    assert (written["kind"], written["job_id"], written["tag"]) == ("workflow", "i1", None)
    assert written["created_at"] == "2022-08-09T06:54:17Z"
    assert written["workflow"] == {
        "run_id": "i1",
        "workflow_id": "w1",
        "workflow_name": None,
        "node": None,
    }
    assert written["input"] == {
        "bucket": "b-1",
        "region": None,
        "object": "a.mp4",
        "url": None,
        "headers": {"Size": "7"},
    }
    assert written["retry"] == {"root_job_id": "i1", "attempt": 1}
    assert written["result"] == {"tasks": [], "failed_tasks": []}


def test_an_empty_bucket_is_none() -> None:
    """The Go SDK's example has one."""
    assert run(BucketId="", Object="").input is None


def test_each_task_has_its_end_and_the_time_of_it() -> None:
    """Failed ones are named, by their type where they have no name."""
    record = run(
        {
            "Type": "Transcode",
            "Name": "Transcode_1",
            "JobId": "j1",
            "State": "Failed",
            "Code": "InternalError",
            "Message": "sorry",
            "StartTime": "2022-08-09 14:54:18+0800",
            "EndTime": "2022-08-09T14:54:39+08:00",
        },
        {"Type": "Snapshot", "State": "Failed", "StartTime": "-"},
        {"State": "Failed"},
        {"Type": "SmartCover", "State": "Success"},
        State="Failed",
    )
    result: Any = valid(record)["result"]
    assert record.outcome == "failed"
    assert result["failed_tasks"] == ["Transcode_1", "Snapshot", ""]
    first, second, *_ = result["tasks"]
    assert (first["outcome"], first["code"], first["message"]) == (
        "failed",
        "InternalError",
        "sorry",
    )
    assert (first["started_at"], first["ended_at"], first["run_s"]) == (
        "2022-08-09T06:54:18Z",
        "2022-08-09T06:54:39Z",
        21,
    )
    assert (second["started_at"], second["run_s"], second["objects"]) == (None, None, [])


def test_a_failed_object_is_no_output() -> None:
    """And makes the run partial though its State is Success."""
    host = "https://b-1.cos.ap-x.myqcloud.com"
    record = run(
        {
            "State": "Success",
            "ResultInfo": {
                "ObjectCount": "2",
                "ObjectInfo": [
                    {"ObjectName": "/0.jpg", "ObjectUrl": f"{host}/0.jpg", "Code": "Success"},
                    {"ObjectName": "1.jpg", "InputObjectName": "a.mp4", "Code": "AccessDenied"},
                    {"ObjectName": "", "ObjectUrl": host},
                ],
                "SpriteObjectInfo": {"ObjectName": "s.jpg"},
            },
        }
    )
    assert record.outcome == "partial"
    assert record.outputs == [
        {"bucket": "b-1", "region": "ap-x", "object": "0.jpg"},
        {"bucket": None, "region": None, "object": "s.jpg"},
    ]
    result: Any = valid(record)["result"]
    (task,) = result["tasks"]
    assert (task["outcome"], task["object_count"]) == ("partial", 2)
    assert task["objects"][1] == {
        "object": "1.jpg",
        "input_object": "a.mp4",
        "url": None,
        "code": "AccessDenied",
        "message": None,
        "ocr": None,
    }
    assert [sprite["object"] for sprite in task["sprites"]] == ["s.jpg"]


def test_tasks_and_their_objects_may_repeat() -> None:
    """So they are lists in the details, though one was sent."""
    assert {
        "Tasks",
        "Tasks.ResultInfo.ObjectInfo",
        "Tasks.ResultInfo.SpriteObjectInfo",
        "Tasks.JudgementInfo.JudgementResult",
        "Tasks.FileInfo",
    } <= set(RUN.lists())


@pytest.mark.parametrize("state", [None, "Success", "Failed", "Running"])
def test_a_start_is_never_an_end(state: str | None) -> None:
    """Whatever its State: the callback of the end is yet to come."""
    nodes = {"RunId": "i1", "Tasks": [{"State": "Failed"}], **({"State": state} if state else {})}
    (record,) = records(as_json({"EventName": "WorkflowStart", "WorkflowExecution": nodes}))
    assert (record.outcome, record.is_terminal) == ("unfinished", False)
    assert valid(record)["state"] == state


def test_an_object_whose_text_could_not_be_read_is_no_output() -> None:
    """Its own Code is that of a success."""
    failed = {"ObjectName": "a.json", "Code": "Success", "ImageOcrResult": {"State": "Failed"}}
    record = run({"State": "Success", "ResultInfo": {"ObjectInfo": [failed, {"ObjectName": "b"}]}})
    assert (record.outcome, [o["object"] for o in record.outputs if isinstance(o, dict)]) == (
        "partial",
        ["b"],
    )


def test_a_decision_that_was_not_met_is_no_failure() -> None:
    """State of a JudgementResult says how the condition was decided."""
    judged = {"ObjectCount": "1", "JudgementResult": {"ObjectName": "a", "State": "Failed"}}
    record = run({"Type": "Judgement", "State": "Success", "JudgementInfo": judged})
    assert record.outcome == "succeeded"
    result: Any = valid(record)["result"]
    (task,) = result["tasks"]
    assert (task["judged_count"], task["judged"][0]["state"]) == (1, "Failed")


def test_a_run_that_goes_on_is_unfinished() -> None:
    """The newest page says that its start is told too; what as, no page says."""
    assert run(State="Running").outcome == "unfinished"
    assert not run(State="Started").is_terminal
