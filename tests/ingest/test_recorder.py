"""recorder.py: what a record calls for, and what is stored of a callback that is not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.callback.lineage import Lineage, Marker
from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.ingest.received import ReceivedCallback
from handler.ingest.recorder import Recorder
from handler.ledger.attempts import Attempts
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.outbox import Ticket, about
from handler.ledger.records import Ledger, StoreResult
from handler.policy import Policy
from tests.callback.test_record import job
from tests.stores import MemoryStore, Wrapped

POLICY = Policy(3, 60, 3600, frozenset({"InternalError", "Both"}), frozenset({"Both"}))
FAILED = job(State="Failed", Code="InternalError", Tag="Translation")
SUCCEEDED = job(State="Success", Code="Success", Tag="Translation")
CALLBACK = ReceivedCallback(b"body", "http", "2026-11-21T08:00:00Z", "r1", {"user-agent": "x"})


def letter() -> DeadLetter:
    return CALLBACK.dead_letter("conflict", "another end")


def never() -> DeadLetter:
    """In place of a dead letter that no test expects."""
    raise AssertionError


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def recorder(store: MemoryStore) -> Recorder:
    return Recorder(Ledger(store), POLICY)


def tickets(store: MemoryStore) -> list[Ticket]:
    return [Ticket.from_json(store.get(key) or b"") for key in store.list("_outbox/")]


def test_a_dead_letter_says_how_its_callback_came() -> None:
    """Body, reason, trigger, time, request and headers; its origin is a callback."""
    assert json.loads(letter().to_json()) == {
        "schema": "dead-letter/1",
        "content": "callback",
        "reason": "conflict",
        "explanation": "another end",
        "sha256": letter().sha256,
        "bytes": 4,
        "trigger": "http",
        "received_at": "2026-11-21T08:00:00Z",
        "request_id": "r1",
        "headers": {"user-agent": "x"},
        "body_base64": "Ym9keQ==",
    }


@pytest.mark.parametrize(
    ("record", "actions"),
    [
        (FAILED, ["retry"]),
        (job(State="Failed", Code="Both"), ["retry", "alert.failed"]),
        (job(State="Failed", Code="InvalidArgument"), ["alert.failed"]),
        (SUCCEEDED, []),
    ],
)
def test_a_failure_calls_for_tickets_with_its_record(
    recorder: Recorder, record: JobRecord, actions: list[str]
) -> None:
    """A retry when the policy says so, an alert at once."""
    due = {"retry": POLICY.due(record)}
    expected = [about(record, action, due.get(action, 0)) for action in actions]
    assert recorder.tickets(record) == expected


def test_an_end_that_can_not_be_read_is_alerted(recorder: Recorder) -> None:
    """A person looks at the record."""
    record = job(State="Odd")
    note = "a callback arrived, and how the job ended can't be read from it"
    assert recorder.tickets(record) == [about(record, "alert.unknown", note=note)]


def test_tickets_are_stored_before_their_record(store: MemoryStore, recorder: Recorder) -> None:
    """A crash in between leaves a ticket, and never a record without one."""
    assert recorder.store(FAILED, never).status == "kept"
    written = [change.key.split("/")[0] for change in store.journal]
    assert written == ["_outbox", "jobs"]


def test_another_end_is_set_aside_and_its_tickets_are_done(
    store: MemoryStore, recorder: Recorder
) -> None:
    """The first end stays; a person is asked."""
    recorder.store(SUCCEEDED, never)
    assert recorder.store(FAILED, letter) == StoreResult("dead_letter", letter().key)
    assert store.get(letter().key) == letter().to_json()
    note = f"another end is kept already; this one is in {letter().key}"
    assert tickets(store) == [about(FAILED, "alert.conflict", note=note)]
    done = [key.removeprefix("_done/") for key in store.list("_done/")]
    assert done == [about(FAILED, "retry", POLICY.due(FAILED)).name]


def test_who_may_not_delete_leaves_a_marked_ticket_behind(store: MemoryStore) -> None:
    """The callback is kept as a dead letter all the same, and a sweep removes the ticket."""

    class NoDelete(Wrapped):
        def delete(self, key: str) -> None:
            raise StoreError("delete", key, "not allowed", 403, "AccessDenied")

    recorder = Recorder(Ledger(NoDelete(store)), POLICY)
    recorder.store(SUCCEEDED, never)
    assert recorder.store(FAILED, letter) == StoreResult("dead_letter", letter().key)
    retry = about(FAILED, "retry", POLICY.due(FAILED)).name
    assert store.get(f"_outbox/{retry}") is not None
    assert store.get(f"_done/{retry}") is not None


def test_what_is_not_believed_is_alerted_before_it_is_stored(
    store: MemoryStore, recorder: Recorder
) -> None:
    """By the name of what is wrong."""
    assert recorder.set_aside("mismatch", FAILED, letter(), "why") == letter().key
    assert [change.key.split("/")[0] for change in store.journal] == ["_outbox", "_dead"]
    note = f"why; this one is in {letter().key}"
    assert tickets(store) == [about(FAILED, "alert.mismatch", note=note)]


def test_a_body_that_is_not_understood_is_alerted_before_it_is_stored(
    store: MemoryStore, recorder: Recorder
) -> None:
    """By the digest of the body: the same one is alerted once."""
    assert recorder.put_dead_letter(letter()) == letter().key
    assert [change.key.split("/")[0] for change in store.journal] == ["_outbox", "_dead"]
    digest = letter().sha256[:32]
    note = f"conflict: another end; kept in {letter().key}"
    details = {"key": letter().key}
    assert tickets(store) == [Ticket("alert.dead", digest, "dead", note=note, details=details)]


def test_a_callback_that_ci_does_not_confirm_waits_whole(
    store: MemoryStore, recorder: Recorder
) -> None:
    """Under the key that is answered."""
    key = recorder.enqueue_verification(FAILED)
    assert Ticket.from_json(store.get(key) or b"") == about(FAILED, "verify")


@pytest.mark.parametrize("is_noted", [False, True])
def test_only_what_the_ledger_proves_is_an_attempt(
    store: MemoryStore, recorder: Recorder, is_noted: bool
) -> None:
    """A marker is a claim: without a note the job is its own root."""
    second = Lineage("j0", 2)
    marked: Any = {"UserData": f"mine{Marker(second, '00c0ffee00c0ffee')}"}
    if is_noted:
        Attempts(store).note_lineage("j1", second)
    recorder.store(job(State="Failed", Code="InternalError", Operation=marked), never)
    (key,) = store.list("jobs/")
    kept = JobRecord.from_json(store.get(key) or b"")
    assert kept.lineage == (second if is_noted else Lineage("j1", 1))
    assert [ticket.record for ticket in tickets(store)] == [kept]
