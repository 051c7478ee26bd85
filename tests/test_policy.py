"""policy.py: what follows from the end of a job, and when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handler import failure_codes
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.failure_codes import CODES, MESSAGE_CHARS
from handler.policy import Policy
from handler.settings import Settings
from tests.callback.test_record import job

POLICY = Policy(max_attempts=3, base_s=60, cap_s=3600)


def ended(
    state: str = "Failed", code: str = "InternalError", attempt: int = 1, **more: Any
) -> JobRecord:
    """The record of a job that ended so."""
    made = job(State=state, Code=code, **more)
    return made.with_lineage(Lineage("root", attempt)) if attempt > 1 else made


@pytest.mark.parametrize(
    ("record", "actions"),
    [
        (ended(), ("retry",)),
        (ended(code="NeverHeardOf"), ("retry",)),
        (ended(code=""), ("retry",)),
        (ended(code="InvalidArgument"), ("alert.failed",)),
        (ended(code="QueuePaused"), ("alert.failed",)),
        (ended(attempt=2), ("retry",)),
        (ended(attempt=3), ("alert.gave-up",)),
        (ended(attempt=9), ("alert.gave-up",)),
        (ended(code="InvalidArgument", attempt=3), ("alert.failed",)),
        (ended("Success"), ()),
        (ended("Success", attempt=2), ("alert.recovered",)),
        (ended("Success")._replace(outcome="partial"), ("alert.partial",)),
        (ended("Success", attempt=2)._replace(outcome="partial"), ("alert.partial",)),
        (ended("Cancel"), ()),
        (ended("Running"), ()),
        (ended()._replace(kind="review"), ("alert.failed",)),
        (ended()._replace(kind="workflow"), ("alert.failed",)),
        (ended("Success")._replace(kind="workflow", outcome="partial"), ("alert.partial",)),
        (ended("Success")._replace(kind="workflow"), ()),
        (ended(Workflow={"RunId": "i1"}), ("alert.failed",)),
    ],
)
def test_an_end_calls_for_its_tickets(record: JobRecord, actions: tuple[str, ...]) -> None:
    """By outcome, code and attempt."""
    assert POLICY.actions(record) == actions


def test_settings_override_the_table() -> None:
    """RETRY_CODES and ALERT_CODES win; a code in both does both."""
    policy = Policy.of(
        Settings.from_env(
            {"RETRY_CODES": "InvalidArgument,Both", "ALERT_CODES": "InternalError,Both"}
        )
    )
    assert policy.actions(ended(code="InvalidArgument")) == ("retry",)
    assert policy.actions(ended(code="InternalError")) == ("alert.failed",)
    assert policy.actions(ended(code="Both")) == ("retry", "alert.failed")
    assert policy.actions(ended(code="Both", attempt=3)) == ("alert.gave-up",)
    assert policy.actions(ended(code="SlowDown")) == ("retry",)


def test_every_setting_of_a_retry_is_heeded() -> None:
    """Attempts, both bounds of the back-off, both lists of codes, and workflows."""
    env = {
        "RETRY_MAX_ATTEMPTS": "5",
        "RETRY_BASE_S": "7",
        "RETRY_CAP_S": "70",
        "RETRY_CODES": "A,C",
        "ALERT_CODES": "B,C",
        "WORKFLOW_RETRY": "trigger",
    }
    policy = Policy.of(Settings.from_env(env))
    assert policy == Policy(5, 7, 70, frozenset("AC"), frozenset("BC"), workflow_retry=True)
    assert [policy.reaction(code) for code in "ABC"] == ["retry", "alert", "both"]


def test_a_job_of_a_workflow_is_retried_only_if_configured() -> None:
    """WORKFLOW_RETRY=trigger."""
    policy = Policy.of(Settings.from_env({"WORKFLOW_RETRY": "trigger"}))
    assert policy.actions(ended(Workflow={"RunId": "i1"})) == ("retry",)


def test_every_code_has_a_reaction_and_its_reason() -> None:
    """The table is complete, and no code is in two of its rows."""
    assert all(reaction in ("retry", "alert") and why for reaction, why in CODES.values())
    rows = [code for _, _, codes in failure_codes.ROWS for code in codes.split()]
    assert len(rows) == len(set(rows))
    assert set(rows) <= set(CODES)


@pytest.mark.parametrize(
    "code",
    [
        "InvalidParameter",
        "InvalidParameterValue",
        "InvalidParameter.ConfigFormatError",
        "MissingParameter",
        "UnsupportedOperation",
        "NoSuchKey",
        "NoSuchBucket",
        "PermanentRedirect",
        "AuditingJobNotFound",
        "MissingAuthorization",
        "ImageTooLarge",
        "Request has expired",
        "1015",
        "1103",
        "1145",
        "-46628",
        "-65007",
        "-3006",
        " -3006 ",
        # of no page
        "InvalidInputObject",
        "UnsupportedCodec",
        "FileTooLarge",
        "DocumentEncrypted",
        "ObjectNotExist",
        "OutputNotFound",
        "FileCorrupted",
        "DecodeFailed",
        "ParameterError",
        "ParamInvalid",
        "FormatError",
        "ArgumentError",
        "AuthFailure.SignatureFailure",
        "WriteDenied",
    ],
)
def test_a_code_that_stays_is_not_retried(code: str) -> None:
    """The codes of the pages, their numbers, and codes of no page by their words."""
    assert POLICY.actions(ended(code=code)) == ("alert.failed",)


@pytest.mark.parametrize(
    "code",
    [
        "InternalError",
        "1007",
        "1020",
        "-60949",
        "-29214",
        "-164",
        "RequestTimeout",
        "RequestLimitExceeded",
        "FailedOperation",
        "NetworkUnsupported",
        "Failed",
        "",
    ],
)
def test_a_code_that_may_pass_is_retried(code: str) -> None:
    """So is one that no page names and whose words name no cause."""
    assert POLICY.actions(ended(code=code)) == ("retry",)


@pytest.mark.parametrize("code", ["InternalError", "ResourceDownloadFailed", "NeverHeardOf", ""])
@pytest.mark.parametrize(
    "message",
    [
        "encrypted document",
        "The PDF is password-protected",
        "file need PASSWORD",
        "unsupported codec",
        "the format is not supported",
        "Invalid data found when processing input",
        "moov atom not found",
        "decode failed",
        "failed to decode the image",
        "The file is corrupt",
        "damaged file",
        "NoSuchKey: no such key",
        "the object does not exist",
        "input file not found",
        "GET input: HTTP status code: 404",
        "file too large",
        "file size exceeds the limit",
        "exceeded the maximum resolution",
        "invalid argument",
        "Invalid parameter: TemplateId",
        "access denied",
        "the file is empty",
        "unsupported frame rate",
        "文档已加密",
        "密码错误",
        "不支持的文件格式",
        "文件损坏",
        "解码失败",
        "输入文件不存在",
        "文件过大，无法处理",
        "视频时长超过限制",
        "超过100MB",
        "参数错误",
        "账号欠费",
    ],
)
def test_a_failure_whose_message_names_a_cause_that_stays_is_not_retried(
    code: str, message: str
) -> None:
    """Three attempts at an encrypted document are three failures."""
    assert POLICY.actions(ended(code=code, Message=message)) == ("alert.failed",)


@pytest.mark.parametrize("code", ["InternalError", "NeverHeardOf"])
@pytest.mark.parametrize(
    "message",
    [
        "",
        "failed",
        "internal error",
        "please try again",
        "timeout: node not found",
        "timed out while decoding, decode failed",
        "request rate exceeds the size of the pool",
        "too many requests",
        "service temporarily unavailable, file not found",
        "connection reset, data corrupt",
        "the queue is busy",
        "请求超时，文件不存在",
        "请求过于频繁",
        "服务繁忙，请稍后重试",
        "transcode failed",
        "处理失败",
    ],
)
def test_a_failure_whose_message_names_no_cause_or_one_of_the_moment_is_retried(
    code: str, message: str
) -> None:
    """Attempts are bounded, so the doubt is worth one."""
    assert POLICY.actions(ended(code=code, Message=message)) == ("retry",)


def test_the_settings_come_before_the_message() -> None:
    """A code in RETRY_CODES is retried whatever is said beside it."""
    policy = Policy.of(Settings.from_env({"RETRY_CODES": "InternalError,-3006"}))
    assert policy.actions(ended(Message="encrypted document")) == ("retry",)
    assert policy.actions(ended(code="-3006")) == ("retry",)


def test_the_name_of_the_input_is_no_cause() -> None:
    """A file may be called "password.pdf"."""
    named = {"BucketId": "b-1250000000", "Region": "r", "Object": "in/encrypted-password.pdf"}
    message = "failed to process in/encrypted-password.pdf"
    assert POLICY.actions(ended(Message=message, Input=named)) == ("retry",)
    assert POLICY.actions(ended(Message=f"{message}: no such key", Input=named)) == (
        "alert.failed",
    )


@given(st.text(max_size=30), st.text(max_size=300))
@example("a" * 100_000, "exceeds " * 12_500)
@example("", "size " * 20_000)
@example("A" * 500_000, "x" * (MESSAGE_CHARS - 3) + "encrypted")
def test_any_code_and_message_have_a_reaction(code: str, message: str) -> None:
    """However long, in a time that is bounded."""
    assert POLICY.reaction(code, message) in ("retry", "alert")


@given(st.text(max_size=20), st.integers(1, 200))
@example("\ud800", 1)  # no JobId, but no reason to lose the ticket either
def test_backoff_is_jittered_bounded_and_a_function_of_the_job_alone(
    root: str, attempt: int
) -> None:
    """A redelivery finds the same time."""
    waited = POLICY.backoff_s(Lineage(root, attempt))
    assert 0 <= waited < min(3600, 60 * 2 ** (attempt - 1))
    assert waited == POLICY.backoff_s(Lineage(root, attempt))


@pytest.mark.parametrize(
    ("attempt", "longest"), [(1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (200, 3600)]
)
def test_the_jitter_is_full(attempt: int, longest: int) -> None:
    """A thousand failures of one minute do not come back in one second. The longest wait
    doubles up to its cap."""
    waits = [POLICY.backoff_s(Lineage(f"j{number}", attempt)) for number in range(1000)]
    assert min(waits) < 0.03 * longest
    assert 0.97 * longest < max(waits) < longest
    assert 0.45 * longest < sum(waits) / 1000 < 0.55 * longest


@pytest.mark.parametrize(
    ("times", "base"),
    [
        ({"EndTime": "2022-07-25T16:35:43+0800"}, 1658738143),
        ({"CreationTime": "2022-07-25T16:35:39+0800", "EndTime": "-"}, 1658738139),
        ({}, 0),
        ({"EndTime": "2014-12-31T23:59:59Z"}, 0),
        ({"EndTime": "2015-01-01T00:00:00Z"}, 1420070400),
        ({"EndTime": "2026-11-22T08:00:00Z"}, 1795334400),
        ({"EndTime": "2026-11-22T08:00:01Z"}, 0),
        ({"EndTime": "2099-12-31T23:59:59Z"}, 0),
        ({"EndTime": "2101-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_retry_is_due_after_the_end(times: dict[str, Any], base: int) -> None:
    """A time that is not believed makes it due at once: one over a day after the callback, too."""
    record = ended(**times)
    assert POLICY.due(record) == base + POLICY.backoff_s(record.lineage)
