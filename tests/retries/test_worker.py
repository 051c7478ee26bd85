"""worker.py and load_ticket.py: one ticket from its name to its end, or to its own fault."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from handler.alerts.digest import Entry
from handler.callback.lineage import Lineage
from handler.callback.record import JobRecord
from handler.ci_api.client import CiError
from handler.errors import StoreError
from handler.ledger.lease import LeaseLostError
from handler.ledger.outbox import FAULTS, Ticket, about
from handler.retries import worker as module
from handler.retries.context import SweepContext
from handler.retries.next_step import Done, NextStep
from handler.retries.worker import MAX_OWN_FAULTS, Outcome, Worker
from tests.callback.test_record import job
from tests.retries.contexts import context_of, done, lines, tickets
from tests.stores import QuickWorld

RECORD = job(State="Failed", Code="InternalError", Tag="Translation")
RETRY = about(RECORD, "retry", 5)
WATCH = Ticket("watch", "j2", "submitted", 5, RECORD)


@pytest.fixture
def world() -> QuickWorld:
    return QuickWorld(CALLBACK_TOKENS="the-token-of-callbacks")


@pytest.fixture
def context(world: QuickWorld) -> SweepContext:
    return context_of(world)


def put(world: QuickWorld, ticket: Ticket) -> str:
    world.memory.put(f"_outbox/{ticket.name}", ticket.to_json())
    return ticket.name


def decide(monkeypatch: pytest.MonkeyPatch, what: NextStep | Exception) -> list[Ticket]:
    """Let every ticket be decided so; the tickets that were decided."""
    seen: list[Ticket] = []

    def decided(context: SweepContext, ticket: Ticket) -> NextStep:
        seen.append(ticket)
        if isinstance(what, Exception):
            raise what
        return what

    monkeypatch.setattr(module, "DECIDE", dict.fromkeys(("watch", "retry", "verify"), decided))
    return seen


def test_a_ticket_that_is_gone_is_nothing_to_do(world: QuickWorld, context: SweepContext) -> None:
    """The listing lagged."""
    assert Worker(context).process(WATCH.name) == Outcome("gone", 0)
    assert Worker(context).alert(WATCH.name) is None
    assert done(world) == []


def test_a_ticket_that_is_done_goes(
    world: QuickWorld, context: SweepContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redelivery had put it again."""
    seen = decide(monkeypatch, Done("done"))
    name = put(world, WATCH)
    world.memory.put(f"_done/{name}", b"{}")
    assert Worker(context).process(name) == Outcome("gone", 0)
    assert (seen, tickets(world)) == ([], {})


def test_a_ticket_is_decided_about_and_carried_out(
    world: QuickWorld, context: SweepContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is done."""
    seen = decide(monkeypatch, Done("done"))
    assert Worker(context).process(put(world, WATCH)) == Outcome("done", 0)
    assert (seen, done(world)) == ([WATCH], [WATCH.name])


def test_an_alert_is_what_a_digest_says_of_it(world: QuickWorld, context: SweepContext) -> None:
    """Of its record and its note, without a token."""
    record = job(
        State="Failed",
        Code="InternalError",
        Tag="Translation",
        Message="no: the-token-of-callbacks",
        Input={"BucketId": "b-1250000000", "Object": "a.pdf"},
    ).with_lineage(Lineage("j0", 2))
    ticket = about(record, "alert.held", note="why the-token-of-callbacks")
    alert = Worker(context).alert(put(world, ticket))
    assert alert is not None
    name, said = alert
    assert name == ticket.name
    assert "the-token" not in said.message + said.note
    assert said.message.startswith("no: ")
    assert said.note.startswith("why ")
    assert replace(said, message="", note="") == Entry(
        kind="held",
        tag="Translation",
        code="InternalError",
        job_id="j1",
        root_job_id="j0",
        attempts=2,
        object="b-1250000000/a.pdf",
        message="",
        note="",
    )


def test_an_alert_without_a_record_says_what_it_is_about(
    world: QuickWorld, context: SweepContext
) -> None:
    """A dead letter, for one."""
    alert = Worker(context).alert(put(world, Ticket("alert.dead", "0f", "dead", note="why")))
    assert alert is not None
    assert alert[1] == Entry("dead", None, "", "0f", "0f", 0, "", "", "why")


# --- what fails ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ticket", "kind"), [(RETRY, "held"), (WATCH, "unknown"), (about(RECORD, "verify"), "unknown")]
)
def test_while_ci_is_out_of_reach_a_ticket_waits_and_at_last_is_alerted(
    world: QuickWorld,
    context: SweepContext,
    monkeypatch: pytest.MonkeyPatch,
    ticket: Ticket,
    kind: str,
) -> None:
    """As held where a submission is meant, else as unknown."""
    context.ledger.put_record(RECORD)
    decide(monkeypatch, CiError("describe", "CI answered 500"))
    assert Worker(context).process(put(world, ticket)) == Outcome("ci_failed", 0)
    (later,) = tickets(world).values()
    assert (later.action, later.tries) == (ticket.action, 1)
    assert "CI answered 500" in later.note
    assert Worker(context).process(put(world, later._replace(tries=8))) == Outcome("ci_failed", 0)
    (alert,) = tickets(world).values()
    assert alert.action == f"alert.{kind}"


@pytest.mark.parametrize(
    "error", [StoreError("get", "k", "COS gave no answer"), LeaseLostError("too old")]
)
def test_a_fault_of_the_store_or_the_lease_ends_every_worker(
    world: QuickWorld,
    context: SweepContext,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """Must raise: what was written last may land late."""
    decide(monkeypatch, error)
    with pytest.raises(type(error)):
        Worker(context).process(put(world, WATCH))
    assert context.lease.is_abandoned
    assert list(tickets(world)) == [WATCH.name]


def test_a_tickets_own_fault_is_counted_and_stops_no_other(
    world: QuickWorld, context: SweepContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times; then the ticket is a dead letter, and a person is asked."""
    decide(monkeypatch, KeyError("nobody thought of this"))
    name = put(world, WATCH._replace(details={"attempt": 2}))
    for times in range(1, MAX_OWN_FAULTS):
        assert Worker(context).process(name) == Outcome("failed", 0)
        (ticket,) = tickets(world).values()
        assert ticket.details == {"attempt": 2, FAULTS: times}
    failed = ticket.to_json()
    assert Worker(context).process(name) == Outcome("failed", 0)
    assert [line["action"] for line in lines(world, "ticket_failed")] == ["watch"] * 5
    (key,) = world.keys("_dead/")
    letter = world.read(key)
    assert base64.b64decode(letter["body_base64"]) == failed
    assert (letter["content"], letter["reason"]) == ("ticket", "ticket")
    assert letter["explanation"] == "failed 5 times: KeyError"
    (alert,) = tickets(world).values()
    assert (alert.action, alert.details) == ("alert.dead", {"key": key})
    assert alert.note == f"a ticket failed 5 times: KeyError; kept in {key}"
    assert done(world) == [name]
    assert lines(world, "ticket")[-1] == {
        "level": "INFO",
        "action": "watch",
        "job_id": "j2",
        "tag": "Translation",
        "status": "dead_letter",
        "reason": alert.note,
    }


def test_an_action_of_a_later_version_is_a_fault_of_the_ticket(
    world: QuickWorld, context: SweepContext
) -> None:
    """It is kept, since a later version may know what to do."""
    name = put(world, Ticket("later", "j2", "x"))
    assert Worker(context).process(name) == Outcome("failed", 0)
    (failed,) = lines(world, "ticket_failed")
    assert failed["action"] == "later"
    assert "ValueError: there is no action 'later'" in failed["traceback"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[]", "not a ticket/1"),
        (about(RECORD, "verify").to_json(), "it is a ticket of another action: 'verify'"),
        (RETRY._replace(record=None).to_json(), "it holds no record"),
    ],
)
def test_a_ticket_that_can_not_be_read_becomes_a_dead_letter(
    world: QuickWorld, context: SweepContext, line: bytes, why: str
) -> None:
    """With what is wrong with it, under the name that it had."""
    world.memory.put(f"_outbox/{RETRY.name}", line)
    assert Worker(context).process(RETRY.name) == Outcome("gone", 0)
    (key,) = world.keys("_dead/")
    letter = world.read(key)
    assert base64.b64decode(letter["body_base64"]) == line
    assert letter["explanation"] == f"unreadable: {why}"
    (alert,) = tickets(world).values()
    assert alert.action == "alert.dead"
    assert (alert.job_id, alert.state) == (RETRY.name, "ticket")
    assert alert.note == f"a ticket unreadable: {why}; kept in {key}"
    assert done(world) == [RETRY.name]
    (line_,) = lines(world, "ticket")
    assert (line_["action"], line_["status"]) == ("alert.dead", "dead_letter")


# --- a ticket of a callback's own record ---------------------------------------------------


def test_a_record_that_the_callback_did_not_store_is_stored_now(
    world: QuickWorld, context: SweepContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had died before; then its ticket is dealt with."""
    seen = decide(monkeypatch, Done("done"))
    assert Worker(context).process(put(world, RETRY)) == Outcome("done", 0)
    assert context.ledger.compare(RECORD) == "kept"
    assert seen == [RETRY]
    completed = lines(world, "ticket")[0]
    assert (completed["status"], completed["reason"]) == (
        "completed",
        "its callback had died before the record",
    )


def test_a_ticket_of_another_end_than_the_records_is_a_conflict(
    world: QuickWorld, context: SweepContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own end is set aside."""
    seen = decide(monkeypatch, Done("done"))
    context.ledger.put_record(job(State="Success", Tag="Translation"))
    assert Worker(context).process(put(world, RETRY)) == Outcome("gone", 0)
    assert seen == []
    (key,) = world.keys("_dead/")
    letter = world.read(key)
    assert base64.b64decode(letter["body_base64"]) == RECORD.to_json()
    assert (letter["content"], letter["reason"]) == ("record", "conflict")
    assert letter["explanation"] == "another end is kept already"
    (alert,) = tickets(world).values()
    assert alert == about(
        RECORD, "alert.conflict", note=f"another end is kept already; this one is in {key}"
    )
    assert done(world) == [RETRY.name]
    (line,) = lines(world, "ticket")
    assert (line["status"], line["reason"]) == ("conflict", "the record has another end")


def test_an_end_that_came_in_between_is_a_conflict_too(
    world: QuickWorld, context: SweepContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another callback stored its own after this sweep had looked."""
    seen = decide(monkeypatch, Done("done"))
    context.ledger.put_record(job(State="Success", Tag="Translation"))
    monkeypatch.setattr(context.ledger, "compare", _not_there_yet)
    assert Worker(context).process(put(world, RETRY)) == Outcome("gone", 0)
    assert seen == []
    assert RETRY.name in done(world)
    assert [line["status"] for line in lines(world, "ticket")] == ["completed", "conflict"]


def _not_there_yet(record: JobRecord) -> None:
    """In place of Ledger.compare."""


def test_a_job_that_a_workflow_started_is_retried_by_running_it_again() -> None:
    """Any other job on its own."""
    world = QuickWorld(WORKFLOW_RETRY="trigger")
    job_id = world.submit()
    started = {"RunId": "i1", "WorkflowId": "w1", "WorkflowName": "n", "Name": "Translation_1"}
    world.ci.jobs[job_id].workflow = started
    world.fail(job_id)
    world.deliver(job_id)
    (name,) = tickets(world)
    assert Worker(context_of(world)).process(name) == Outcome("done", 1)
    assert [accepted.path for accepted in world.ci.accepted[1:]] == ["/triggerworkflow"]
