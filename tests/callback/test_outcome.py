"""outcome.py: how a job, a run and a review ended."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback import outcome
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


@pytest.mark.parametrize(
    "part",
    [
        {"State": "Failed"},
        {"State": "failed "},
        {"State": "Success", "Code": "ImageTooLarge"},
        {"Code": "-1"},
        {"ErrorCode": "Denied"},
        {"ErrCode": "7"},
        {"FailPageCount": "1"},
        {"FailedFileCount": "2"},
        {"ErrorCount": "1"},
        {"ErrorFile": "a.jpg"},
        {"ErrorFile": ["", "a.jpg"]},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda part: part,
        lambda part: [part],
        lambda part: [{"State": "Success", "Code": "Success"}, part],
        lambda part: {"PageInfo": [{"PageNo": "1"}, {"Deep": part}]},
    ],
    ids=["itself", "[1]", "one of two", "deep"],
)
@pytest.mark.parametrize("name", ["PicProcessResult", "Detection", "ResultOfTomorrowResult"])
def test_whatever_in_a_result_says_that_it_failed_makes_it_partial(
    name: str, wrap: Any, part: Any
) -> None:
    """One rule for all results, also for those that no page shows."""
    record = valid(job(Tag="New", State="Success", Operation={name: wrap(part)}))
    assert record["outcome"] == "partial"


@pytest.mark.parametrize(
    "part",
    [
        {"State": "Success", "Code": "Success", "ErrorCount": "0", "ErrorFile": ""},
        {"State": "Auditing", "Code": "0", "SubErrCode": "ok", "FailPageCount": "0"},
        {"CodecName": "h264", "ErrorText": "x", "Count": "1", "StateText": "Failed"},
        {"FailPageCount": "many", "ErrorCount": "-1"},
        {"State": {"Deep": "Failed"}, "Code": {"Deep": "x"}},
    ],
    ids=str,
)
def test_nothing_else_in_a_result_is_a_failure(part: Any) -> None:
    """Another name, or a value that is none."""
    operation = {"PicProcessResult": [part], "MediaInfo": part}
    assert job(Tag="New", State="Success", Operation=operation).outcome == "succeeded"


def test_a_code_in_a_request_is_no_failure() -> None:
    """Only a State of its own is: that of a digital watermark."""
    operation = {"PosterProduction": {"Info": {"Code": "4711", "ErrorCount": "9"}}}
    assert job(State="Success", Operation=operation).outcome == "succeeded"
    operation["PosterProduction"]["Info"]["State"] = "Failed"
    assert job(State="Success", Operation=operation).outcome == "partial"


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
        ("", False),
        (" ", False),
    ],
)
def test_a_code_of_success_has_several_spellings(code: str, says_failure: bool) -> None:
    """Some algorithms have a word for it, some a number."""
    assert outcome.is_failure_code(code) is says_failure


@pytest.mark.parametrize("state", ["Failed", "Cancel", "Running", "Odd"])
def test_another_state_says_more_than_its_parts(state: str) -> None:
    """Only a success can be partial."""
    operation = {"DigitalWatermark": {"State": "Failed"}}
    assert job(State=state, Operation=operation).outcome == job(State=state).outcome != "partial"


@pytest.mark.parametrize("state", ["Failed", "fail", "FAILURE", " error "])
def test_a_state_of_failure_has_several_spellings(state: str) -> None:
    """Services of CI differ."""
    assert outcome.is_failed_state(state)
    assert not outcome.is_failed_state(f"not {state}")


WRAPS = {"lower": str.lower, "upper": str.upper, "blanks": "\n  {}\n".format}


@pytest.mark.parametrize("wrap", list(WRAPS.values()), ids=list(WRAPS))
@pytest.mark.parametrize("state", outcome.REVIEW_OUTCOMES)
def test_blanks_and_case_do_not_count_in_a_state(state: str, wrap: Any) -> None:
    """A failure whose State was indented on its way is a failure all the same."""
    expected = outcome.REVIEW_OUTCOMES[state]
    assert outcome.of_state(wrap(state)) == expected
    assert outcome.of_task({"State": wrap(state)}) == expected
    assert outcome.of_workflow(wrap(state), {}) == expected
    assert outcome.of_review(wrap(state), "", is_simple=False) == expected
    assert valid(job(State=wrap(state)))["outcome"] == expected


def test_a_part_that_was_cancelled_was_not_done() -> None:
    """Of a job as of a run."""
    operation = {"PicProcessResult": [{"State": "Success"}, {"State": "Cancel"}]}
    assert job(State="Success", Operation=operation).outcome == "partial"


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
    execution: Any = {"Tasks": [{"State": task_state} for task_state in tasks]}
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
