"""The timer trigger (583/31927): its Message names the task. An empty one is a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handler.settings import Settings
from handler.triggers import JobResult, Task

NAME = "timer"
FAAS = "timer"


def recognises(event: Any) -> bool:
    """Whether the platform's clock invoked the function."""
    return isinstance(event, dict) and event.get("Type") == "Timer" and "TriggerName" in event


def read(event: Any, settings: Settings) -> Task:
    """The task by name; whether there is such a task is not checked here."""
    message = event.get("Message")
    return Task(message.strip()[:100] if isinstance(message, str) and message.strip() else "sweep")


def answer(results: Sequence[JobResult]) -> dict[str, Any]:
    """A timer's answer appears in the function's log only."""
    return {"status": "done"}


def answer_error(error: Exception) -> dict[str, Any]:
    """The same: SCF would run a task that raised twice more, to no avail. The log has the error."""
    return {"status": "failed"}


def unstored(event: Any, tokens: Sequence[str] | None) -> None:
    """A timer's event holds no body."""
