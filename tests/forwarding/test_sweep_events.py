"""What sweeps put of jobs whose retries end, and reconciliations of callbacks that never came."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.lineage import Lineage
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.outbox import Ticket
from handler.retries.carry_out import carry_out
from handler.retries.load_ticket import put_dead_letter
from handler.retries.next_step import Alert, Done
from handler.retries.watch_ticket import watch_ticket
from tests.forwarding.receivers import ForwardWorld
from tests.retries.contexts import context_of, tickets


def finals(world: ForwardWorld) -> list[tuple[str, str | None, str]]:
    """(type, reason, root) of the final events that were heard."""
    world.forward()
    return [
        (event["type"], event["reason"], event["root_job_id"])
        for event in world.receiver.heard
        if event["final"]
    ]


def waiting(world: ForwardWorld) -> tuple[str, str, Ticket]:
    """A root that failed, and the name and ticket of its retry."""
    root = world.ended("Failed", "InternalError")
    ((name, ticket),) = tickets(world).items()
    return root, name, ticket


@pytest.mark.parametrize("kind", ["refused", "held", "unknown", "mismatch", "unmarked"])
def test_a_retry_that_ends_in_an_alert_ends_in_a_final_event(kind: str) -> None:
    """With the alert's kind as its reason, and its words as the note."""
    world = ForwardWorld()
    root, name, ticket = waiting(world)
    carry_out(context_of(world), name, ticket, Alert(kind, "in words"))
    assert finals(world) == [("job.failed", kind, root)]
    (event,) = (event for event in world.receiver.heard if event["final"])
    assert event["note"] == "in words"


def test_a_retry_that_becomes_a_dead_letter_ends_in_a_final_event() -> None:
    """The person replays it; the user's code hears that it failed."""
    world = ForwardWorld()
    root, name, ticket = waiting(world)
    put_dead_letter(context_of(world), name, ticket, ticket.to_json(), "failed 5 times")
    assert finals(world) == [("job.failed", "dead", root)]


def test_a_workflow_that_runs_again_ends_the_job_that_failed() -> None:
    """The jobs of the new run are others."""
    world = ForwardWorld()
    root, name, ticket = waiting(world)
    carry_out(context_of(world), name, ticket, Done("submitted", "as run w2"))
    assert finals(world) == [("job.failed", "rerun", root)]


def test_a_watched_job_that_ci_does_not_know_ends_its_root() -> None:
    """It is named by its own id, its root and its attempt."""
    world = ForwardWorld()
    root, _, ticket = waiting(world)
    claim = Attempt("submitted", world.now, "w", job_id="a12", nonce="00c0ffee00c0ffee")
    assert ticket.record is not None
    watch = watch_ticket(Lineage(root, 2), claim, ticket.record, 60)
    carry_out(context_of(world), watch.name, watch, Alert("unknown", "no callback came"))
    assert finals(world) == [("job.failed", "unknown", root)]
    (event,) = (event for event in world.receiver.heard if event["final"])
    assert (event["job_id"], event["attempt"]) == ("a12", 2)


def test_a_watch_ticket_without_its_attempt_ends_the_job_of_its_record() -> None:
    """It is a dead letter for that."""
    world = ForwardWorld()
    root, name, ticket = waiting(world)
    broken = ticket._replace(action="watch", details=None)
    put_dead_letter(context_of(world), name, broken, broken.to_json(), "failed 5 times")
    assert finals(world) == [("job.failed", "dead", root)]


@pytest.mark.parametrize("action", ["verify", "alert.failed"])
def test_what_is_not_believed_has_no_event(action: str) -> None:
    """A verify ticket holds a callback that CI does not confirm; a person is told."""
    world = ForwardWorld()
    _, name, ticket = waiting(world)
    carry_out(context_of(world), name, ticket._replace(action=action), Alert("unknown", "x"))
    assert finals(world) == []


def test_a_callback_that_never_came_is_heard_of_before_its_end() -> None:
    """Reconciliation takes the end from CI's list."""
    world = ForwardWorld(RECONCILE_TAGS="Translation:6")
    job_id = world.submit()
    world.succeed(job_id)
    world.now += 3600
    tick = {"Type": "Timer", "TriggerName": "r", "Message": "reconcile"}
    world.function().handle(tick, {"request_id": "r", "time_limit_in_ms": 55_000})
    world.forward()
    assert sorted(world.receiver.types) == [
        ("job.missing_callback", job_id),
        ("job.succeeded", job_id),
    ]
    missing: dict[str, Any] = next(one for one in world.receiver.heard if not one["final"])
    assert missing["record"]["source"]["trigger"] == "reconcile"


def test_a_retry_whose_callback_never_came_recovers_all_the_same() -> None:
    """The watch asks CI."""
    world = ForwardWorld(MISSING_CALLBACK_CHECK_S="600")
    root = world.ended("Failed", "InternalError")
    world.run(3)
    again = next(one.job_id for one in world.ci.accepted if one.marker)
    world.succeed(again)
    world.run(15)
    assert finals(world) == [("job.recovered", None, root)]
    assert ("job.missing_callback", again) in world.receiver.types


def test_an_end_that_came_before_the_proof_is_heard_of_under_its_root_too() -> None:
    """First under its own id, then under the root that is proven."""
    world = ForwardWorld(MISSING_CALLBACK_CHECK_S="600")
    root = world.ended("Failed", "InternalError")
    world.run(3)
    again = next(one.job_id for one in world.ci.accepted if one.marker)
    (proof,) = world.keys("_lineage/")
    noted = world.memory.get(proof) or b""
    world.store.delete(proof)
    world.succeed(again)
    world.deliver(again)
    assert ("job.succeeded", None, again) in finals(world)
    world.store.put(proof, noted)
    assert Attempts(world.memory).lineage_of(again) == Lineage(root, 2)
    world.run(15)
    assert ("job.recovered", None, root) in finals(world)
