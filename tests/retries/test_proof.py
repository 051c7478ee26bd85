"""lineage.py: whose attempt a failed job is, by what the ledger proves."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.lineage import Lineage, Marker
from handler.ledger.attempts import Attempt, Attempts
from handler.retries.lineage import proven_lineage
from handler.retries.next_step import Alert, Defer
from tests.stores import MemoryStore

SECOND = Lineage("j1", 2)
NONCE = "00c0ffee00c0ffee"
MARKED = f"mine{Marker(SECOND, NONCE)}"


@pytest.fixture
def attempts() -> Attempts:
    return Attempts(MemoryStore())


@pytest.mark.parametrize("user_data", [None, "", "mine"])
def test_a_job_without_a_marker_is_its_own_root(attempts: Attempts, user_data: str | None) -> None:
    """As its owner submitted it."""
    assert proven_lineage(attempts, "j2", user_data) == Lineage("j2", 1)


def test_a_job_that_is_noted_is_what_the_note_says(attempts: Attempts) -> None:
    """Whatever its marker claims; but CI must echo one."""
    attempts.note_lineage("j2", Lineage("j0", 3))
    assert proven_lineage(attempts, "j2", MARKED) == Lineage("j0", 3)
    reason = "CI did not echo the marker of this re-submitted job; it is not tried again"
    assert proven_lineage(attempts, "j2", "mine") == Alert("unmarked", reason)


def test_a_job_that_its_attempt_names_is_proven_and_noted(attempts: Attempts) -> None:
    """The note had been lost."""
    attempts.put(SECOND, Attempt("submitted", 1.0, "w", job_id="j2", nonce=NONCE))
    assert proven_lineage(attempts, "j2", MARKED) == SECOND
    assert attempts.lineage_of("j2") == SECOND


def test_a_job_that_may_be_a_claimed_attempt_waits(attempts: Attempts) -> None:
    """The ticket of the attempt before finds out; at last it is held."""
    attempts.put(SECOND, Attempt("submitting", 1.0, "w", nonce=NONCE))
    expected = Defer("whether it is attempt 2 is not known yet", otherwise="held")
    assert proven_lineage(attempts, "j2", MARKED) == expected
    assert attempts.lineage_of("j2") is None


@pytest.mark.parametrize(
    ("state", "job_id", "nonce"),
    [("submitted", "j3", NONCE), ("submitting", "", "1" * 16), ("refused", "", NONCE)],
)
def test_a_marker_that_nothing_proves_is_a_job_of_its_own(
    attempts: Attempts, state: Any, job_id: str, nonce: str
) -> None:
    """Somebody copied it, or made it up."""
    assert proven_lineage(attempts, "j2", MARKED) == Lineage("j2", 1)
    attempts.put(SECOND, Attempt(state, 1.0, "w", job_id=job_id, nonce=nonce))
    assert proven_lineage(attempts, "j2", MARKED) == Lineage("j2", 1)
    assert attempts.lineage_of("j2") is None
