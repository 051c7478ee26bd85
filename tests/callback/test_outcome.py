"""outcome.py: how a job, a run and a review ended."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback import outcome
from handler.callback.outcome import PartialFailureRule
from tests.callback.test_record import job, valid


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"DigitalWatermark": {"State": "Failed", "IgnoreError": "true"}}, "partial"),
        ({"DigitalWatermark": {"State": "Success"}}, "succeeded"),
        ({"DocProcessResult": {"FailPageCount": "1", "SuccPageCount": "2"}}, "partial"),
        ({"DocProcessResult": {"FailPageCount": "0", "TotalPageCount": "9"}}, "succeeded"),
        ({"FileCompressResult": {"ErrorCount": 2}}, "partial"),
        ({"FileCompressResult": {"ErrorDetail": {"ErrorCount": "3"}}}, "partial"),
        ({"FileCompressResult": {"ErrorDetail": {"ErrorFile": ["a.jpg"]}}}, "partial"),
        ({"FileCompressResult": {"ErrorCount": "0", "ErrorDetail": ""}}, "succeeded"),
        ({"ImageInspectResult": {"State": "Failed"}}, "partial"),
        ({"ImageInspectResult": {"Code": "InternalError"}}, "partial"),
        ({"ImageInspectResult": {"Code": "Success", "State": "Success"}}, "succeeded"),
        (
            {"ImageInspectResult": {"ProcessResult": {"AutoProcessResult": {"Code": "Denied"}}}},
            "partial",
        ),
        ({"VideoTagResult": {"StreamData": {"SubErrCode": "-1"}}}, "partial"),
        ({"VideoTagResult": {"StreamData": {"SubErrCode": 0, "SubErrMsg": "ok"}}}, "succeeded"),
        ({"Detection": {"State": "Failed"}}, "partial"),
        ({"Detection": {"Code": "DownloadFailed"}}, "partial"),
        ({"Detection": {"Code": "", "State": ""}}, "succeeded"),
        ("", "succeeded"),
    ],
)
def test_a_success_that_hides_a_failed_part_is_partial(operation: Any, expected: str) -> None:
    """Under any tag: one that nobody knows may hold the same nodes."""
    assert valid(job(Tag="New", State="Success", Operation=operation))["outcome"] == expected
    assert job(Tag="New", Code="Success", Operation=operation).outcome == expected


def test_a_doubt_is_looked_for_along_its_path() -> None:
    """In all that repeats on the way, and nowhere else."""
    doubts = {"Result": (PartialFailureRule("Part.State", outcome.failed),)}
    for part in ({"State": "Failed"}, [{"State": "Success"}, {"State": "Failed"}]):
        told = {"Result": {"Part": part}}
        assert outcome.of_job("Success", "", told, doubts) == "partial"
    for elsewhere in ({"Result": {"State": "Failed"}}, {"Part": {"State": "Failed"}}):
        assert outcome.of_job("Success", "", elsewhere, doubts) == "succeeded"


@pytest.mark.parametrize(
    ("code", "says_failure"),
    [
        ("Success", False),
        (" success ", False),
        ("OK", False),
        ("0", False),
        ("Failed", True),
        ("-1", True),
        ("00", True),
    ],
)
def test_a_code_of_success_has_several_spellings(code: str, says_failure: bool) -> None:
    """Some algorithms have a word for it, some a number."""
    assert outcome.no_success(code) is says_failure


@pytest.mark.parametrize("state", ["Failed", "Cancel", "Running", "Odd"])
def test_another_state_says_more_than_its_parts(state: str) -> None:
    """Only a success can be partial."""
    operation = {"DigitalWatermark": {"State": "Failed"}}
    assert job(State=state, Operation=operation).outcome == job(State=state).outcome != "partial"


def test_a_missing_state_is_no_failure() -> None:
    """Not even with a failed part: it is unknown how the job ended."""
    assert job(Operation={"DigitalWatermark": {"State": "Failed"}}).outcome == "unknown"


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"State": "Success"}, "succeeded"),
        ({"State": "Failed"}, "failed"),
        ({"State": "Running"}, "unfinished"),
        ({}, "unknown"),
        ({"State": "Success", "ResultInfo": {"ObjectInfo": {"Code": "Success"}}}, "succeeded"),
        ({"State": "Success", "ResultInfo": {"ObjectInfo": [{}, {"Code": "Denied"}]}}, "partial"),
        ({"State": "Success", "ResultInfo": {"SpriteObjectInfo": {"Code": "Denied"}}}, "partial"),
        (
            {
                "State": "Success",
                "ResultInfo": {"ObjectInfo": {"ImageOcrResult": {"State": "Failed"}}},
            },
            "partial",
        ),
    ],
)
def test_a_task_is_as_good_as_its_objects(task: Any, expected: str) -> None:
    """Each of them has a code of its own."""
    assert outcome.of_task(task) == expected


@pytest.mark.parametrize(
    ("state", "tasks", "expected"),
    [
        ("Success", ["Success", "Success"], "succeeded"),
        ("Success", ["Success", "Failed"], "partial"),
        ("Success", ["Cancel"], "partial"),
        ("Failed", ["Success"], "failed"),
        ("Running", ["Failed"], "unfinished"),
        ("Odd", [], "unknown"),
        (None, ["Failed"], "unknown"),
    ],
)
def test_a_run_is_as_good_as_its_tasks(state: str | None, tasks: list[str], expected: str) -> None:
    """Where its State is Success. A missing State is no failure here either."""
    execution: Any = {"Tasks": [{"State": one} for one in tasks]}
    assert outcome.of_workflow(state, execution) == expected


@pytest.mark.parametrize(
    ("state", "code", "is_simple", "expected"),
    [
        ("Success", "", False, "succeeded"),
        ("Failed", "InternalError", False, "failed"),
        ("Snapshoting", "", False, "unfinished"),
        ("Auditing", "", False, "unfinished"),
        ("Submitted", "", False, "unfinished"),
        (None, "", False, "unknown"),
        (None, "0", True, "succeeded"),
        (None, "-61011", True, "failed"),
        (None, "", True, "unknown"),
    ],
)
def test_a_review_ends_by_its_state_or_its_code(
    state: str | None, code: str, is_simple: bool, expected: str
) -> None:
    """What it found is no matter of this."""
    assert outcome.of_review(state, code, is_simple) == expected
