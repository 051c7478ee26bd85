"""run.py: how the time of an invocation is divided."""

from __future__ import annotations

from typing import Any

import pytest

from handler.run import FALLBACK_S, LOG_S, MAX_TASK_S, Run


class Timer:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("limit_s", [1.0, 3.0, 20.0, 55.0, 900.0])
def test_the_log_comes_after_the_spill_and_the_spill_after_the_ledger(limit_s: float) -> None:
    """Each has its time before the platform ends the function, however short its limit is."""
    run = Run.of({"time_limit_in_ms": limit_s * 1000}, Timer())
    assert 0 < run.left_for_ledger() < run.left_for_spill() < limit_s
    assert run.left_for_ledger() >= limit_s * 0.6
    assert limit_s - run.left_for_ledger() <= FALLBACK_S
    assert limit_s - run.left_for_spill() <= LOG_S


def test_what_is_left_goes_down_with_the_time() -> None:
    timer = Timer()
    run = Run.of({"time_limit_in_ms": 55_000}, timer)
    timer.now += 44
    assert (run.left_for_ledger(), run.left_for_spill(), run.left_for_task()) == (1, 9, 11)
    timer.now += 44
    assert run.left_for_task() < 0


@pytest.mark.parametrize(("limit_s", "left_s"), [(3.0, 3.0), (20.0, 20.0), (900.0, MAX_TASK_S)])
def test_a_task_ends_before_the_next_one_begins(limit_s: float, left_s: float) -> None:
    """And with the function where its limit is shorter."""
    assert Run.of({"time_limit_in_ms": limit_s * 1000}, Timer()).left_for_task() == left_s


@pytest.mark.parametrize(
    ("sent", "limit_s"),
    [
        (55_000, 55.0),
        ("55000", 55.0),
        (2_500.5, 2.5005),
        (None, None),
        (0, None),
        (-1, None),
        ("", None),
        ("soon", None),
        (float("nan"), None),
        ([], None),
        ({"a": 1}, None),
        (10**400, None),
    ],
)
def test_the_limit_is_read_whatever_the_context_holds(sent: Any, limit_s: float | None) -> None:
    """Its fields were observed and are not documented."""
    run = Run.of({"time_limit_in_ms": sent}, Timer())
    assert run.limit_s == limit_s
    if limit_s is None:
        assert run.left_for_ledger() == run.left_for_spill() == float("inf")
        assert run.left_for_task() == MAX_TASK_S


@pytest.mark.parametrize(
    ("sent", "read"), [("r1", "r1"), (None, ""), (5, "5"), ("x" * 999, "x" * 100)]
)
def test_the_request_id_is_a_short_text(sent: Any, read: str) -> None:
    """It is on every line of the log."""
    assert Run.of({"request_id": sent}, Timer()).request_id == read


def test_a_request_id_can_be_stored_whatever_it_is() -> None:
    """A lone surrogate in it would make a dead letter of every callback."""
    assert Run.of({"request_id": "r\ud800" * 99}, Timer()).request_id == "r?" * 50
    assert Run.of({"request_id": None}, Timer()).request_id == ""
