"""policy.py: what follows from the end of a job, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.policy import CODES, Policy
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
        (replace(ended("Success"), outcome="partial"), ("alert.partial",)),
        (replace(ended("Success", attempt=2), outcome="partial"), ("alert.partial",)),
        (ended("Cancel"), ()),
        (ended("Running"), ()),
        (replace(ended(), kind="review"), ("alert.failed",)),
        (replace(ended(), kind="workflow"), ("alert.failed",)),
        (replace(ended("Success"), kind="workflow", outcome="partial"), ("alert.partial",)),
        (replace(ended("Success"), kind="workflow"), ()),
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
    """The table is complete."""
    assert all(reaction in ("retry", "alert") and why for reaction, why in CODES.values())


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
        ({"EndTime": "2100-12-31T23:59:59Z"}, 4133980799),
        ({"EndTime": "2101-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_retry_is_due_after_the_end(times: dict[str, str], base: int) -> None:
    """A time that is not believed makes it due at once, never in the year 9999."""
    record = ended(**times)
    assert POLICY.due(record) == base + POLICY.backoff_s(record.lineage)
