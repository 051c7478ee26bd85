"""watch.py: what becomes of the watch over a submitted job."""

from __future__ import annotations

from typing import Any

import pytest

from handler.callback.lineage import Lineage, Marker
from handler.callback.record import JobRecord
from handler.ledger.attempts import Attempt
from handler.ledger.outbox import Ticket
from handler.retries.carry_out import MAX_TRIES
from handler.retries.next_step import Alert, Defer, Done, Store
from handler.retries.watch import AGAIN_S, watch
from handler.retries.watch_ticket import marker_of, watch_ticket
from tests.retries.contexts import context_of, tickets
from tests.stores import QuickWorld
from tests.world import TRANSLATION

NONCE = "00c0ffee00c0ffee"


class Watched(QuickWorld):
    """CI has a root that failed, and its second attempt."""

    def __init__(self) -> None:
        super().__init__(CI_BUCKET="records-1250000000")
        self.root = self.submit()
        self.fail(self.root)
        self.deliver(self.root)
        self.marker = Marker(Lineage(self.root, 2), NONCE)
        self.job = self.submit(UserData=f"mine{self.marker}")
        self.context = context_of(self)

    @property
    def first(self) -> JobRecord:
        """The root's record."""
        (key,) = (key for key in self.keys("jobs/") if self.root in key)
        return JobRecord.from_json(self.memory.get(key) or b"")

    @property
    def ticket(self) -> Ticket:
        created = "2026-09-21T14:13:40Z"
        claim = Attempt("submitted", self.now, "w1", 1, self.job, created, nonce=NONCE)
        return watch_ticket(self.marker.lineage, claim, self.first, 60)

    def prove(self) -> None:
        self.context.attempts.note_lineage(self.job, self.marker.lineage)


@pytest.fixture
def world() -> Watched:
    return Watched()


def test_a_ticket_knows_the_marker_of_its_job(world: Watched) -> None:
    """And is about the record before."""
    ticket = world.ticket
    assert marker_of(ticket) == world.marker
    assert (ticket.due, ticket.record) == (int(world.now) + 60, world.first)


@pytest.mark.parametrize(
    "details", [None, {}, {"root_job_id": "j1"}, {"root_job_id": "j1", "attempt": None}]
)
def test_a_ticket_without_its_attempt_is_no_watch(world: Watched, details: Any) -> None:
    """Must raise: it is the ticket's own fault."""
    with pytest.raises(ValueError, match="a watch ticket without its attempt"):
        watch(world.context, world.ticket._replace(details=details))


def test_a_ticket_without_a_record_is_no_watch(world: Watched) -> None:
    """Must raise: nothing says where the job's CI is."""
    with pytest.raises(ValueError, match="a watch ticket without a record"):
        watch(world.context, world.ticket._replace(record=None))


# --- no callback came ---------------------------------------------------------------------


def test_a_job_that_runs_is_looked_at_again(world: Watched) -> None:
    """After six hours, eight times at most."""
    step = watch(world.context, world.ticket)
    assert step == Defer("it is Submitted", world.now + AGAIN_S, otherwise="unknown")


def test_a_job_that_ci_does_not_know_is_alerted(world: Watched) -> None:
    """CI forgets jobs after a month."""
    world.ci.forget(world.job)
    step = watch(world.context, world.ticket)
    assert step == Alert("unknown", "no callback came, and CI does not know the job")


@pytest.mark.parametrize("state", ["Success", "Failed"])
def test_a_job_that_ended_is_stored_by_cis_word(world: Watched, state: str) -> None:
    """As the attempt that it is."""
    world.ci.finish(world.job, state)
    step = watch(world.context, world.ticket)
    assert isinstance(step, Store)
    assert step.reason == "no callback came; CI was asked"
    record = step.record
    assert (record.job_id, record.state, record.tag) == (world.job, state, "Translation")
    assert record.lineage == world.marker.lineage
    assert (record.source["trigger"], record.source["format"]) == ("timer", "xml")
    assert record.source["received_at"] == world.context.now()
    assert (record.source["request_id"], record.source["verified"]) == ("r1", True)


# --- its callback came --------------------------------------------------------------------


def test_a_job_that_the_list_does_not_show_is_asked_for_by_its_id(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list may lag, and older jobs leave it."""
    monkeypatch.setattr("handler.retries.watch.jobs_with_marker", lambda *asked: [])
    world.ci.finish(world.job, "Success")
    step = watch(world.context, world.ticket)
    assert isinstance(step, Store)
    assert step.record.job_id == world.job


def test_a_callback_that_came_ends_the_watch(world: Watched) -> None:
    """With nothing to add where it was known to be the attempt."""
    world.prove()
    world.succeed(world.job)
    world.deliver(world.job)
    assert watch(world.context, world.ticket) == Done("done", "its callback came")


def test_a_recovery_that_came_before_the_proof_is_alerted_now(world: Watched) -> None:
    """Its callback was taken for a job of its own."""
    world.succeed(world.job)
    world.deliver(world.job)
    step = watch(world.context, world.ticket)
    assert isinstance(step, Done)
    (alert,) = step.tickets
    assert (alert.action, alert.job_id, alert.note) == ("alert.recovered", world.job, "")
    assert alert.record is not None
    assert alert.record.lineage == world.marker.lineage


def test_a_failure_that_came_before_the_proof_is_the_sweeps(world: Watched) -> None:
    """Its own retry ticket finds out whose attempt it is. The user's code hears of it under the
    root that is proven by now."""
    world.fail(world.job)
    world.deliver(world.job)
    step = watch(world.context, world.ticket)
    assert isinstance(step, Done)
    assert (step.status, step.reason, step.tickets) == ("done", "its callback came", ())
    assert step.proven is not None
    assert step.proven.lineage == world.marker.lineage


def test_a_callback_that_was_not_cis_is_alerted(world: Watched) -> None:
    """It said success, and CI says failure."""
    world.prove()
    world.succeed(world.job)
    world.deliver(world.job)
    world.ci.finish(world.job, "Failed")
    step = watch(world.context, world.ticket)
    assert isinstance(step, Done)
    (alert,) = step.tickets
    assert (alert.action, alert.job_id) == ("alert.mismatch", world.job)
    assert alert.note == "a callback said Success, and CI says Failed"


def test_while_ci_says_that_it_runs_a_callback_is_doubted(world: Watched) -> None:
    """Eight times; then a person is asked."""
    world.prove()
    world.succeed(world.job)
    world.deliver(world.job)
    world.ci.jobs[world.job].state = "Running"
    step = watch(world.context, world.ticket)
    reason = "a callback says Success, and CI still Running"
    assert step == Defer(reason, world.now + AGAIN_S, otherwise="unknown")
    step = watch(world.context, world.ticket._replace(tries=MAX_TRIES))
    assert isinstance(step, Done)
    assert [alert.note for alert in step.tickets] == [
        "a callback said Success, and CI says Running"
    ]


def test_a_callback_of_a_job_that_ci_forgot_is_believed(world: Watched) -> None:
    """There is nothing to compare it with."""
    world.prove()
    world.succeed(world.job)
    world.deliver(world.job)
    world.ci.forget(world.job)
    assert watch(world.context, world.ticket) == Done("done", "its callback came")


# --- other jobs with its marker -----------------------------------------------------------


def test_other_jobs_with_the_marker_are_alerted_each_with_its_state(world: Watched) -> None:
    """Whoever submitted them: none is cancelled."""
    world.prove()
    others = [world.submit(UserData=f"mine{world.marker}") for _ in range(2)]
    world.ci.finish(others[1], "Failed")
    world.ci.start(others[0])
    watch(world.context, world.ticket)
    alerts = [ticket for ticket in tickets(world).values() if ticket.action == "alert.duplicate"]
    (alert,) = alerts
    assert alert.job_id == world.job
    assert alert.note == (
        f"also with the marker of attempt 2: {others[0]} (Running), {others[1]} (Failed)"
    )
    assert alert.record == world.first


def test_jobs_on_another_input_or_with_another_marker_are_not_counted(world: Watched) -> None:
    """CI's list is asked by input and tag."""
    other = Marker(world.marker.lineage, "1" * 16)
    world.submit(UserData=f"mine{other}")
    world.submit(TRANSLATION | {"Input": {"Object": "b.pdf"}}, UserData=f"mine{world.marker}")
    watch(world.context, world.ticket)
    assert [
        ticket for ticket in tickets(world).values() if ticket.action == "alert.duplicate"
    ] == []


def test_a_job_of_no_known_family_is_not_asked_about(world: Watched) -> None:
    """No endpoint is known for it."""
    odd = world.first._replace(tag="Nonsense")
    ticket = world.ticket._replace(job_id="?1", record=odd)
    before = len(world.ci.seen)
    assert watch(world.context, ticket) == Alert(
        "unknown", "no callback came, and CI does not know the job"
    )
    assert len(world.ci.seen) == before
