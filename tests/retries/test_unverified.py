"""unverified.py: what becomes of a callback that CI did not confirm."""

from __future__ import annotations

import pytest

from ci_callback.ci_simulator import Fault
from handler.callback.record import JobRecord
from handler.ledger.outbox import Ticket, about
from handler.retries.carry_out import MAX_TRIES
from handler.retries.next_step import Defer, NextStep, SetAside, Store
from handler.retries.unverified import complete_verification
from tests.retries.contexts import context_of
from tests.stores import QuickWorld

UNKNOWN = "CI does not know the job (yet)"


class Unverified(QuickWorld):
    """A callback that came before CI knew of its job's end."""

    def __init__(self) -> None:
        super().__init__(None, VERIFY_CALLBACKS="always")
        self.job = self.submit()
        body = self.ci.callback_body(self.job, "JSON").decode()
        self.post(body.replace('"Submitted"', '"Success"').replace('"-"', '""'))
        (key,) = self.keys("_outbox/")
        self.ticket = Ticket.from_json(self.memory.get(key) or b"")

    def decide(self, tries: int = 0, record: JobRecord | None = None) -> NextStep:
        ticket = self.ticket._replace(tries=tries)
        return complete_verification(
            context_of(self), ticket._replace(record=record) if record else ticket
        )


@pytest.fixture
def world() -> Unverified:
    return Unverified()


def test_a_ticket_without_a_record_is_none(world: Unverified) -> None:
    """Must raise: it is the ticket's own fault."""
    world.ticket = world.ticket._replace(record=None)
    with pytest.raises(ValueError, match="a verify ticket without a record"):
        world.decide()


def test_while_ci_calls_it_unfinished_it_is_asked_again(world: Unverified) -> None:
    """Eight times."""
    step = world.decide(MAX_TRIES - 1)
    assert step == Defer("CI reports the job as Submitted", otherwise="unknown")


def test_at_last_it_is_set_aside_as_unknown(world: Unverified) -> None:
    """With how often CI was asked."""
    world.ci.forget(world.job)
    reason = f"{UNKNOWN}; asked {MAX_TRIES + 1} times"
    assert world.decide(MAX_TRIES) == SetAside("unknown", world.ticket.record, reason)  # type: ignore[arg-type]  # it has one


def test_what_ci_confirms_is_stored_as_confirmed(world: Unverified) -> None:
    """Its record says so."""
    world.ci.finish(world.job)
    step = world.decide()
    assert isinstance(step, Store)
    assert (step.record.source["verified"], step.reason) == (True, "")
    assert step.record.job_id == world.job


def test_what_ci_contradicts_is_set_aside(world: Unverified) -> None:
    """However seldom it was asked."""
    world.ci.finish(world.job, "Failed")
    step = world.decide(1)
    assert isinstance(step, SetAside)
    assert (step.kind, step.record) == ("mismatch", world.ticket.record)
    assert step.reason.startswith("CI reports another State")
    assert step.reason.endswith("; asked 2 times")


def test_what_ci_can_not_be_asked_about_is_stored_as_it_is(world: Unverified) -> None:
    """While CI is down a callback is not held back."""
    world.ci.fault = lambda seen: Fault(before=(500, "InternalError"))
    step = world.decide()
    assert isinstance(step, Store)
    assert step.record == world.ticket.record
    assert "500" in step.reason


def test_a_job_of_no_known_family_is_stored_as_it_is(world: Unverified) -> None:
    """CI has no endpoint for it."""
    assert world.ticket.record is not None
    odd = world.ticket.record._replace(tag="Nonsense", job_id="?1")
    assert world.decide(record=odd) == Store(odd, "CI has no endpoint that is known for it")
    assert about(odd, "verify").record == odd
