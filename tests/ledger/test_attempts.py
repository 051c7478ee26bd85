"""attempts.py: what is noted of a re-submission, and what it proves."""

from __future__ import annotations

import json
import re

import pytest

from handler.callback.lineage import Lineage, Marker
from handler.ledger import keys
from handler.ledger.attempts import Attempt, Attempts, State, nonce_of
from tests.callback.test_record import job
from tests.stores import MemoryStore

SECOND = Lineage("j1", 2)
NONCE = "00c0ffee00c0ffee"
SUBMITTED = Attempt("submitted", 5.5, "w1", 2, "j2", "2026-11-21T08:00:00Z", nonce=NONCE)


@pytest.fixture
def attempts() -> Attempts:
    return Attempts(MemoryStore())


def test_an_attempt_is_read_back_as_it_was_noted(attempts: Attempts) -> None:
    """Under the key of its root and number; none where it was never claimed."""
    assert attempts.get(SECOND) is None
    attempts.put(SECOND, SUBMITTED)
    assert attempts.get(SECOND) == attempts.at(keys.attempt("j1", 2)) == SUBMITTED
    assert attempts.get(Lineage("j1", 3)) is None


def test_an_attempt_says_what_it_is(attempts: Attempts) -> None:
    """For whoever reads the ledger without this code."""
    store = MemoryStore()
    Attempts(store).put(SECOND, SUBMITTED)
    assert json.loads(store.get(keys.attempt("j1", 2)) or b"") == {
        "schema": "attempt/1",
        "state": "submitted",
        "since": 5.5,
        "by": "w1",
        "claims": 2,
        "job_id": "j2",
        "created_at": "2026-11-21T08:00:00Z",
        "code": "",
        "message": "",
        "nonce": NONCE,
    }


@pytest.mark.parametrize("line", [b"[]", b"{}", b'{"schema": "attempt/2"}'])
def test_what_is_no_attempt_is_not_read_as_one(line: bytes) -> None:
    """Must raise: what is not known to be unclaimed is not claimed."""
    store = MemoryStore()
    store.put(keys.attempt("j1", 2), line)
    with pytest.raises(ValueError, match="not an attempt/1"):
        Attempts(store).get(SECOND)


@pytest.mark.parametrize(
    ("state", "job_id", "expected"),
    [("submitted", "j2", True), ("submitted", "j3", False), ("submitting", "j2", False)],
)
def test_only_a_submitted_attempt_names_its_job(state: State, job_id: str, expected: bool) -> None:
    """Another job, or a claim, proves nothing."""
    attempt = Attempt(state, 5.5, "w1", job_id="j2")
    assert attempt.names(job_id) is expected


@pytest.mark.parametrize(
    ("state", "nonce", "marked", "expected"),
    [
        ("submitting", NONCE, NONCE, True),
        ("submitting", NONCE, "1" * 16, False),
        ("submitting", "", "", False),
        ("submitted", NONCE, NONCE, False),
    ],
)
def test_only_a_claim_with_the_same_nonce_may_be_a_marked_job(
    state: State, nonce: str, marked: str, expected: bool
) -> None:
    """A workflow's run has no nonce, and no job claims to be it."""
    attempt = Attempt(state, 5.5, "w1", nonce=nonce)
    assert attempt.may_be(Marker(SECOND, marked)) is expected


def test_a_nonce_depends_on_writer_root_and_attempt() -> None:
    """Each claim of one attempt by one writer has the same; a JobId may hold anything."""
    odd = Lineage("\ud800", 2)
    made = [nonce_of(SECOND, "w1"), nonce_of(SECOND, "w2"), nonce_of(Lineage("j1", 3), "w1")]
    made += [nonce_of(Lineage("j2", 2), "w1"), nonce_of(odd, "w1")]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch("[0-9a-f]{16}", nonce) for nonce in made)
    assert nonce_of(SECOND, "w1") == made[0]


def test_a_lineage_is_proven_by_its_note_only(attempts: Attempts) -> None:
    """A record that already has one, or whose job has no marker, is left as it is."""
    marked = job(JobId="j2", Operation={"UserData": f"mine{Marker(SECOND, NONCE)}"})
    assert attempts.lineage_of("j2") is None
    assert attempts.proven(marked).lineage == Lineage("j2", 1)
    attempts.note_lineage("j2", SECOND)
    assert attempts.lineage_of("j2") == SECOND
    assert attempts.proven(marked).lineage == SECOND
    third = marked.with_lineage(Lineage("j0", 3))
    assert attempts.proven(third) is third
    assert attempts.proven(job(JobId="j2")).lineage == Lineage("j2", 1)
