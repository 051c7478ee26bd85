"""callbacks.py with an `inline` that asks CI first, and a `fallback` for what is not stored."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from handler.callback.envelope import TEST_MESSAGE, TEST_TRACE_ID
from handler.callback.record import JobRecord
from handler.ci_api.verification import Checked
from handler.errors import PayloadError
from handler.ingest.callbacks import CallbackIngest
from handler.ingest.fallback import Elsewhere, Fallback
from handler.ingest.received import ReceivedCallback
from handler.ingest.recorder import Recorder
from handler.ledger.outbox import Ticket
from handler.ledger.records import Ledger
from handler.log import Log
from handler.policy import Policy
from handler.settings import Settings
from handler.triggers import JobResult
from tests.conftest import NOW
from tests.stores import MemoryStore, Trouble

JOB = {"JobId": "j1", "Tag": "Translation", "State": "Failed", "Code": "InternalError"}
CALLBACK = ReceivedCallback(
    json.dumps({"JobsDetail": JOB}).encode(), "http", "2026-11-21T08:00:00Z", "r1"
)


class Asked:
    """In place of CI: one answer, and what it was asked about."""

    def __init__(self, checked: Checked) -> None:
        self._checked = checked
        self.records: list[JobRecord] = []

    def check(self, record: JobRecord) -> Checked:
        self.records.append(record)
        return self._checked


class Ingesting:
    """An ingest in memory. wrong: what becomes of the store's requests."""

    def __init__(self, inline: Asked | None = None, wrong: Trouble | None = None) -> None:
        self.store = MemoryStore()
        self.output = io.StringIO()
        self.log = Log(self.output, lambda: NOW)
        settings = Settings.from_env({"LEDGER_URL": "file:nowhere"})
        ledger = Ledger(wrong.store(self.store) if wrong else self.store)
        asked: Any = inline
        self.ingest = CallbackIngest(
            settings,
            Recorder(ledger, Policy.of(settings)),
            asked,
            None,
            self.log,
            lambda: 30.0,
            0.0,
            lambda: 0.12346,
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        logged = [json.loads(line) for line in self.output.getvalue().splitlines()]
        return [{name: value for name, value in line.items() if name != "time"} for line in logged]

    def record(self) -> JobRecord:
        (key,) = self.store.list("jobs/")
        return JobRecord.from_json(self.store.get(key) or b"")


def asked_line(event: str, reason: str) -> dict[str, str]:
    about = {"job_id": "j1", "tag": "Translation", "reason": reason}
    return {"level": "WARNING", "event": event, **about}


def test_what_ci_confirms_is_stored_as_confirmed() -> None:
    """And is no line of its own."""
    asked = Asked(Checked("confirmed"))
    made = Ingesting(asked)
    (result,) = made.ingest.process(CALLBACK)
    assert result.status == "kept"
    assert made.record().source["verified"] is True
    assert [record.job_id for record in asked.records] == ["j1"]
    assert [line["event"] for line in made.lines] == ["callback"]


def test_what_ci_can_not_be_asked_about_is_stored_with_a_warning() -> None:
    """It says so itself."""
    made = Ingesting(Asked(Checked("not_asked", "CI answered 500")))
    (result,) = made.ingest.process(CALLBACK)
    assert result.status == "kept"
    assert made.record().source["verified"] is None
    assert made.lines[0] == asked_line("not_asked", "CI answered 500")


def test_what_ci_does_not_confirm_yet_waits_for_a_sweep() -> None:
    """Whole, as a ticket."""
    made = Ingesting(Asked(Checked("unsettled", "CI does not know the job (yet)")))
    (result,) = made.ingest.process(CALLBACK)
    (key,) = made.store.list("")
    assert (result.status, result.key) == ("unverified", key)
    assert Ticket.from_json(made.store.get(key) or b"").action == "verify"
    assert made.lines[0] == asked_line("not_confirmed", "CI does not know the job (yet)")
    assert (made.lines[1]["level"], made.lines[1]["status"]) == ("WARNING", "unverified")


def test_what_ci_contradicts_is_a_dead_letter_and_an_alert() -> None:
    """With CI's words."""
    made = Ingesting(Asked(Checked("differs", "CI says Success")))
    (result,) = made.ingest.process(CALLBACK)
    (key,) = made.store.list("_dead/")
    assert (result.status, result.key) == ("dead_letter", key)
    letter = json.loads(made.store.get(key) or b"")
    assert (letter["reason"], letter["explanation"]) == ("mismatch", "CI says Success")
    assert letter["content"] == "callback"
    (name,) = made.store.list("_outbox/")
    alert = Ticket.from_json(made.store.get(name) or b"")
    assert alert.action == "alert.mismatch"
    assert alert.note == f"CI says Success; this one is in {key}"
    assert made.lines[0] == asked_line("mismatch", "CI says Success")
    assert list(made.store.list("jobs/")) == []


def test_a_job_that_still_runs_is_not_asked_about() -> None:
    """It claims nothing that matters."""
    asked = Asked(Checked("differs"))
    body = json.dumps({"JobsDetail": JOB | {"State": "Running"}}).encode()
    (result,) = Ingesting(asked).ingest.process(CALLBACK._replace(body=body))
    assert (result.status, asked.records) == ("kept", [])


def test_the_second_of_two_ends_is_a_dead_letter_of_the_callback() -> None:
    """As it came."""
    made = Ingesting()
    made.ingest.process(CALLBACK)
    body = json.dumps({"JobsDetail": JOB | {"State": "Success"}}).encode()
    (result,) = made.ingest.process(CALLBACK._replace(body=body))
    assert result.status == "dead_letter"
    letter = json.loads(made.store.get(result.key or "") or b"")
    assert (letter["reason"], letter["content"]) == ("conflict", "callback")
    assert letter["explanation"] == "another end of this job is kept already, and stays"


# --- what is not stored ---------------------------------------------------------------------


def test_a_record_says_how_its_callback_came() -> None:
    """Trigger, form, time and request."""
    made = Ingesting()
    made.ingest.process(CALLBACK)
    source = made.record().source
    assert (source["trigger"], source["format"]) == ("http", "json")
    assert (source["received_at"], source["request_id"]) == ("2026-11-21T08:00:00Z", "r1")


def test_a_body_that_can_not_be_stored_anywhere_comes_again() -> None:
    """With the store's own words for the log."""
    made = Ingesting(wrong=Trouble(lambda number, what: "lost before"))
    error = PayloadError("json_invalid", "it is no JSON")
    result = made.ingest.put_dead_letter(CALLBACK, error)
    assert (result.status, result.reason) == ("retry_later", "the store did not accept it")
    assert result.cause is not None
    assert result.cause.startswith("put _outbox/")
    assert made.lines == []


def test_a_body_that_is_not_understood_is_one_line() -> None:
    """With its reason and its key."""
    made = Ingesting()
    result = made.ingest.put_dead_letter(CALLBACK, PayloadError("json_invalid", "it is no JSON"))
    (key,) = made.store.list("_dead/")
    assert result == JobResult("dead_letter", key=key, reason="json_invalid: it is no JSON")
    assert made.lines == [
        {
            "level": "WARNING",
            "event": "callback",
            "status": "dead_letter",
            "key": key,
            "reason": "json_invalid: it is no JSON",
            "duration_ms": 123.5,
        }
    ]


def test_a_fault_of_the_code_is_a_dead_letter_that_names_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its stack trace is there."""
    made = Ingesting()

    def broken(*_: object) -> JobResult:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr(CallbackIngest, "_process_notice", broken)
    (result,) = made.ingest.process(CALLBACK)
    why = "internal_error: the function failed on it; its log has the stack trace"
    assert (result.status, result.reason) == ("dead_letter", why)
    assert made.lines[0]["event"] == "internal_error"
    assert "nobody thought of this" in made.lines[0]["traceback"]


def test_a_test_of_the_address_is_ignored() -> None:
    """CI's console sends one when an address is set; it is a line, and nothing is stored."""
    made = Ingesting()
    body = json.dumps({"code": 0, "message": TEST_MESSAGE, "data": {"trace_id": TEST_TRACE_ID}})
    (result,) = made.ingest.process(CALLBACK._replace(body=body.encode()))
    assert result == JobResult("ignored", reason="the console tries out the address")
    (line,) = made.lines
    assert (line["level"], line["status"]) == ("INFO", "ignored")
    assert line["reason"] == "the console tries out the address"
    assert list(made.store.list("")) == []


@pytest.mark.parametrize("has_spill", [True, False])
def test_what_the_ledger_does_not_accept_goes_to_the_spill_or_into_the_log(has_spill: bool) -> None:
    """Durable where the status says so."""
    made, spill = Ingesting(), MemoryStore()
    kept = Fallback(lambda: spill if has_spill else None, made.log).keep(CALLBACK)
    if has_spill:
        (key,) = spill.list("")
        assert (kept, made.lines) == (Elsewhere("spilled", key), [])
    else:
        assert kept == Elsewhere("retry_later", None)
        (line,) = made.lines
        assert line["event"] == "callback_not_stored"
        assert (line["reason"], line["authenticated"]) == ("store", "true")


def test_a_spill_that_fails_too_is_an_error_with_its_words() -> None:
    """And the log has the body."""
    made = Ingesting()
    away = Trouble(lambda number, what: "lost before").store(MemoryStore())
    assert Fallback(lambda: away, made.log).keep(CALLBACK) == Elsewhere("retry_later", None)
    failed, kept = made.lines
    assert (failed["level"], failed["event"]) == ("ERROR", "spill_failed")
    assert failed["reason"].startswith("put _spill/")
    assert kept["event"] == "callback_not_stored"


def test_a_fault_of_the_code_is_not_taken_for_one_of_the_spill() -> None:
    """Must raise: the trigger's own last resort is behind it."""

    class Broken(MemoryStore):
        def put(self, key: str, data: bytes) -> None:
            raise KeyError("nobody thought of this")

    with pytest.raises(KeyError):
        Fallback(Broken, Ingesting().log).keep(CALLBACK)


@pytest.mark.parametrize(("left_s", "begun"), [(0.5, 1), (0.0, 0), (-1.0, 0)])
def test_a_job_is_begun_while_any_time_is_left(left_s: float, begun: int) -> None:
    """The store gives up by itself; without time nothing is asked of it."""
    made = Ingesting()
    results = made.ingest._replace(time_left=lambda: left_s).process(CALLBACK)
    assert [result.status for result in results] == ["kept" if begun else "retry_later"]
    assert len(list(made.store.list("jobs/"))) == begun


def test_all_jobs_of_a_callback_that_is_in_the_spill_name_its_key() -> None:
    """The first failure settles the others."""
    made = Ingesting(wrong=Trouble(lambda number, what: "lost before"))
    spill = MemoryStore()
    body = json.dumps({"JobsDetail": [JOB, JOB | {"JobId": "j2"}, JOB | {"JobId": "j3"}]})
    ingest = made.ingest._replace(fallback=Fallback(lambda: spill, made.log))
    results = ingest.process(CALLBACK._replace(body=body.encode()))
    (key,) = spill.list("")
    assert [(result.status, result.key) for result in results] == [("spilled", key)] * 3
    assert [line["status"] for line in made.lines] == ["spilled", "spilled"]
    assert {line["level"] for line in made.lines} == {"WARNING"}


def test_a_job_that_can_not_be_read_is_a_dead_letter_beside_the_others() -> None:
    """Of the whole body; the other job is stored."""
    made = Ingesting()
    body = json.dumps({"JobsDetail": [{"State": "Success"}, JOB]}).encode()
    unread, stored = made.ingest.process(CALLBACK._replace(body=body))
    assert (unread.status, stored.status) == ("dead_letter", "kept")
    assert (unread.reason or "").startswith("no_job_id: ")
    letter = json.loads(made.store.get(unread.key or "") or b"")
    assert base64.b64decode(letter["body_base64"]) == body


def test_a_job_of_which_no_record_can_be_made_is_a_dead_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the reason."""

    def refuse(*_: object) -> JobRecord:
        raise PayloadError("too_long", "a list is longer than any real one")

    monkeypatch.setattr("handler.callback.record.normalise", refuse)
    (result,) = Ingesting().ingest.process(CALLBACK)
    assert result.status == "dead_letter"
    assert result.reason == "too_long: a list is longer than any real one"
