"""ledger.py: a record is kept once, and a terminal state never gives way."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.ledger.dead_letters import Content, DeadLetter
from handler.ledger.folder import FolderStore
from handler.ledger.records import Conflict, Ledger, StoreResult
from tests.callback.test_record import job

KEY = "jobs/dt=1970-01-01/j1.json"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger in a folder."""
    return Ledger(FolderStore(tmp_path))


def test_a_new_record_is_kept(ledger: Ledger) -> None:
    """As one line of JSON under its key."""
    record = job(State="Success")
    assert ledger.put_record(record) == StoreResult("kept", KEY)
    assert ledger.store.get(KEY) == record.to_json()


def test_the_same_end_again_is_a_duplicate(ledger: Ledger) -> None:
    """The first record stays; the result says whether the details differ."""
    first = job(State="Success")
    ledger.put_record(first)
    again = JobRecord.from_json(first.to_json().replace(b'"r1"', b'"r2"'))
    assert ledger.put_record(again) == StoreResult("duplicate", KEY)
    other = job(State="Success", Message="done")
    assert ledger.put_record(other) == StoreResult("duplicate", KEY, differs=True)
    assert ledger.store.get(KEY) == first.to_json()


def test_the_very_same_bytes_are_ones_own_write(ledger: Ledger) -> None:
    """Its answer was lost, and the store says that it exists."""
    record = job(State="Success")
    ledger.put_record(record)
    assert ledger.put_record(record) == StoreResult("kept", KEY)


@pytest.mark.parametrize(("first", "second"), [("Success", "Failed"), ("Failed", "Success")])
def test_another_end_is_a_conflict_and_the_first_stays(
    ledger: Ledger, first: str, second: str
) -> None:
    """Whichever came first."""
    ledger.put_record(job(State=first))
    assert ledger.put_record(job(State=second)) == Conflict(KEY)
    assert ledger.store.get(KEY) == job(State=first).to_json()


def test_somebody_elses_object_in_the_place_is_a_conflict(ledger: Ledger) -> None:
    """It is neither overwritten nor taken for the record."""
    ledger.store.put(KEY, b"not a record")
    assert ledger.put_record(job(State="Success")) == Conflict(KEY)


def test_unfinished_states_have_a_place_of_their_own_and_may_be_reported_again(
    ledger: Ledger,
) -> None:
    """They never take the place of the end."""
    for _ in range(2):
        kept = ledger.put_record(job(State="Running"))
    assert kept == StoreResult("kept", "_unfinished/dt=1970-01-01/j1-~52unning.json")
    assert ledger.put_record(job(State="Success")) == StoreResult("kept", KEY)


CONTRADICTION = (
    r"^put_new (jobs|_dead)/.*: "
    "the store reported that the object exists, and then that it does not$"
)


class Forgetful(FolderStore):
    """A store that says that a key exists, and then that it does not."""

    def put_new(self, key: str, data: bytes) -> bool:
        return False


def test_a_store_that_contradicts_itself_is_a_fault(tmp_path: Path) -> None:
    """Trying again is safe, and saying "kept" would not be."""
    with pytest.raises(StoreError, match=CONTRADICTION):
        Ledger(Forgetful(tmp_path)).put_record(job(State="Success"))


LETTER = DeadLetter(b"body", "xml_invalid", "why", {}, "http", "2026-11-21T08:00:00Z", "r1")


def test_a_dead_letter_that_exists_and_then_does_not_is_a_fault(tmp_path: Path) -> None:
    """Must raise: answered as kept, it would be stored nowhere."""
    with pytest.raises(StoreError, match=CONTRADICTION):
        Ledger(Forgetful(tmp_path)).put_dead_letter(LETTER)


NOT_BASE64 = LETTER.to_json().replace(b'"body_base64":"', b'"body_base64":"!')
"""A reader that is not strict reads the same body from it."""


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"body_base64": 1}',
        b'{"body_base64": "AAAA"}',
        b"[" * 50_000,
        NOT_BASE64,
    ],
)
def test_an_object_in_the_place_of_a_dead_letter_is_replaced(
    ledger: Ledger, damaged: bytes
) -> None:
    """An empty or cut object under its key does not count as the dead letter."""
    key = ledger.put_dead_letter(LETTER)
    ledger.store.put(key, damaged)
    assert ledger.put_dead_letter(LETTER) == key
    assert ledger.store.get(key) == LETTER.to_json()


def test_a_dead_letter_that_came_again_stays_as_it_first_came(ledger: Ledger) -> None:
    """The first delivery's time and request are kept."""
    key = ledger.put_dead_letter(LETTER)
    ledger.put_dead_letter(LETTER._replace(request_id="r2"))
    assert ledger.store.get(key) == LETTER.to_json()


def test_a_dead_letter_keeps_the_body_whole(ledger: Ledger) -> None:
    """With why, and what is known of how it came; once a day."""
    letter = DeadLetter(
        b"\x00body", "xml_invalid", "why", {"user-agent": "x"}, "http", "2026-11-21T08:00:00Z", "r1"
    )
    key = ledger.put_dead_letter(letter)
    assert ledger.put_dead_letter(letter) == key
    kept = json.loads(ledger.store.get(key) or b"")
    assert base64.b64decode(kept.pop("body_base64")) == b"\x00body"
    assert kept == {
        "schema": "dead-letter/1",
        "content": "callback",
        "reason": "xml_invalid",
        "explanation": "why",
        "sha256": letter.sha256,
        "bytes": 5,
        "trigger": "http",
        "received_at": "2026-11-21T08:00:00Z",
        "request_id": "r1",
        "headers": {"user-agent": "x"},
    }


@pytest.mark.parametrize(
    ("content", "stored", "expected"),
    [
        ("callback", "callback", True),
        ("callback", "ticket", True),
        ("ticket", "ticket", True),
        ("ticket", "callback", False),
        ("record", "ticket", False),
    ],
)
def test_an_object_of_a_strangers_does_not_hold_ones_own_dead_letter(
    content: Content, stored: Content, expected: bool
) -> None:
    """A callback is held by any object with its body; a ticket or record only by its own kind."""
    present = LETTER._replace(content=stored).to_json()
    assert LETTER._replace(content=content).is_held_by(present) is expected
    assert not LETTER._replace(content=content, body=b"other").is_held_by(present)
