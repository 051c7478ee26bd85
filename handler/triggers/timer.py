"""The timer trigger (583/31927): its Message names the chore. An empty one is a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handler.settings import Settings
from handler.triggers import Chore, JobResult

NAME = "timer"
FAAS = "timer"


def recognises(event: Any) -> bool:
    """Whether the platform's clock called."""
    return isinstance(event, dict) and event.get("Type") == "Timer" and "TriggerName" in event


def read(event: Any, settings: Settings) -> Chore:
    """The chore by name; whether there is such a chore is not looked at here."""
    message = event.get("Message")
    return Chore(message.strip()[:100] if isinstance(message, str) and message.strip() else "sweep")


def answer(outcomes: Sequence[JobResult]) -> dict[str, Any]:
    """Nobody reads a timer's answer but the function's log."""
    return {"status": "done"}
