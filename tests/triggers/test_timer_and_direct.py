"""timer.py and direct.py."""

from __future__ import annotations

from typing import Any

import pytest

from handler.errors import StoreError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult, Task, direct, timer

SETTINGS = Settings.from_env({})
TICK = {"Type": "Timer", "TriggerName": "sweep", "Time": "2019-02-21T11:49:00Z", "Message": "sweep"}


@pytest.mark.parametrize(
    ("message", "task"),
    [("reconcile", "reconcile"), (" sweep ", "sweep"), ("", "sweep"), (None, "sweep")],
)
def test_a_timers_message_names_the_task(message: Any, task: str) -> None:
    """An empty one is a sweep."""
    event = TICK | {"Message": message}
    assert timer.recognises(event)
    assert timer.read(event, SETTINGS) == Task(task)
    assert timer.answer([]) == {"status": "done"}


@pytest.mark.parametrize("event", [None, {}, {"Type": "Timer"}, {"TriggerName": "x"}])
def test_only_a_timers_event_is_one(event: Any) -> None:
    """Both of its marks are there."""
    assert not timer.recognises(event)


@pytest.mark.parametrize(
    ("event", "body"),
    [({"JobsDetail": []}, b'{"JobsDetail": []}'), ("<a/>", b"<a/>"), (None, b"null")],
)
def test_a_direct_event_is_the_callback_itself(event: Any, body: bytes) -> None:
    """Decoded already, or the text of either format."""
    assert direct.recognises(event)
    assert direct.read(event, SETTINGS) == (Delivery(body),)


def test_a_direct_invoke_is_answered_with_the_result_of_each_job() -> None:
    """And a store failure is raised, since nobody reads a status there."""
    kept = JobResult("kept", "j1", "T", "failed", "k", None)
    assert direct.answer([kept])["jobs"][0]["status"] == "kept"
    with pytest.raises(StoreError):
        direct.answer([kept, JobResult("retry_later", "j2", reason="COS is away")])
