"""A trigger is one module, and its name in TRIGGERS of handler/app.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ci_callback.record_schema import SOURCES
from handler import app
from handler.errors import RefusedError
from handler.settings import Settings
from handler.triggers import Delivery, JobResult, Unstored
from tests.conftest import PAYLOADS, Invoked

BODY = (PAYLOADS / "Translation.seed.xml").read_text(encoding="utf-8")


def post_office() -> ModuleType:
    """A made-up trigger: an event with a letter in it."""
    module = ModuleType("post_office")

    def recognises(event: Any) -> bool:
        return isinstance(event, dict) and "letter" in event

    def read(event: Any, settings: Settings) -> Sequence[Delivery]:
        if "stamp" not in event:
            raise RefusedError(402, "no stamp")
        return (Delivery(event["letter"].encode()),)

    def answer(results: Sequence[JobResult]) -> Any:
        return [result.status for result in results]

    def answer_error(error: Exception) -> Any:
        return f"returned to sender: {error}"

    def unstored(event: Any, tokens: Sequence[str] | None) -> Unstored:
        return Unstored(event["letter"].encode(), authenticated=True)

    members = (recognises, read, answer, answer_error, unstored)
    vars(module).update({member.__name__: member for member in members}, NAME="post", FAAS="other")
    return module


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoked:
    """The function with this trigger too."""
    monkeypatch.setattr(app, "TRIGGERS", (post_office(), *app.TRIGGERS))
    return Invoked({"LEDGER_URL": f"file:{tmp_path}"})


def test_its_events_are_processed_and_answered_by_it(function: Invoked) -> None:
    """The callback is stored, once, and the log names the trigger."""
    event = {"letter": BODY, "stamp": 1}
    assert [function.event(event), function.event(event)] == [["kept"], ["duplicate"]]
    assert {line["faas.trigger"] for line in function.lines} == {"other"}


def test_its_refusals_and_its_faults_are_answered_by_it(function: Invoked) -> None:
    """Where settings are wrong, its body goes to the log."""
    assert function.event({"letter": BODY}).startswith("returned to sender: ")
    function.env["RETRY_BASE_S"] = "soon"
    assert function.event({"letter": BODY, "stamp": 1}).startswith("returned to sender: ")
    assert "callback_not_stored" in {line["event"] for line in function.lines}


def test_other_events_go_to_their_own_triggers(function: Invoked) -> None:
    """As before."""
    assert function.post(BODY)[0] == 200


def test_the_schema_lists_the_name_of_every_trigger() -> None:
    """As a record's source.trigger."""
    assert {trigger.NAME for trigger in app.TRIGGERS} <= set(SOURCES)
