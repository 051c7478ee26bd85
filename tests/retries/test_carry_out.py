"""carry_out.py: what is written for each step that was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from handler.callback.lineage import Lineage
from handler.ci_api.responses import CreateResult, Verdict
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.outbox import Ticket, about
from handler.retries.carry_out import DELAYS_S, MAX_TRIES, adopt, carry_out
from handler.retries.context import SweepContext
from handler.retries.next_step import Adopt, Alert, Defer, Done, SetAside, Store, Submit
from tests.callback.test_record import job
from tests.retries.contexts import context_of, done, lines, tickets
from tests.stores import QuickWorld

RECORD = job(State="Failed", Code="InternalError", Tag="Translation")
TICKET = about(RECORD, "retry", 5)
SECOND = Lineage("j1", 2)
NONCE = "00c0ffee00c0ffee"
CREATED = "2026-09-21T14:13:25Z"
DETAIL: dict[str, Any] = {"JobId": "x", "CreationTime": "2026-09-21T22:13:25+0800"}


@pytest.fixture
def world() -> QuickWorld:
    made = QuickWorld(CALLBACK_TOKENS="the-token-of-callbacks")
    made.memory.put(f"_outbox/{TICKET.name}", TICKET.to_json())
    return made


@pytest.fixture
def context(world: QuickWorld) -> SweepContext:
    return context_of(world)


def line(status: str, reason: str | None = None, **more: str) -> dict[str, str]:
    """The log line about the ticket."""
    said = {"reason": reason} if reason else {}
    known = {"level": "INFO", "action": "retry", "job_id": "j1", "tag": "Translation"}
    return known | {"status": status} | said | more


def tried(times: int) -> Ticket:
    return TICKET._replace(tries=times)


# --- the ends -----------------------------------------------------------------------------


@pytest.mark.parametrize("tries", range(MAX_TRIES))
def test_a_deferred_ticket_waits_longer_each_time(
    world: QuickWorld, context: SweepContext, tries: int
) -> None:
    """One try on, under a later name; the former one is gone, and needs no mark."""
    world.now += 0.5
    assert carry_out(context, TICKET.name, tried(tries), Defer("why", otherwise="held")) == 0
    due = int(world.now) + DELAYS_S[tries] + 1
    later = TICKET._replace(due=due, tries=tries + 1, note="why")
    assert tickets(world) == {later.name: later}
    assert done(world) == []
    assert lines(world, "ticket") == [line("deferred", "why")]


def test_a_ticket_that_is_deferred_to_a_time_is_not_tried_by_that(
    world: QuickWorld, context: SweepContext
) -> None:
    """However often it was tried before."""
    carry_out(context, TICKET.name, tried(MAX_TRIES), Defer("why", due=world.now + 7.2))
    (later,) = tickets(world).values()
    assert (later.due, later.tries) == (int(world.now) + 8, MAX_TRIES)


def test_the_last_delay_holds_for_all_further_tries(
    world: QuickWorld, context: SweepContext
) -> None:
    """Where no alert ends them."""
    carry_out(context, TICKET.name, tried(MAX_TRIES + 3), Defer("why"))
    assert [later.due for later in tickets(world).values()] == [int(world.now) + DELAYS_S[-1]]


def test_one_try_too_many_is_an_alert(world: QuickWorld, context: SweepContext) -> None:
    """In the ticket's place."""
    carry_out(context, TICKET.name, tried(MAX_TRIES), Defer("why", due=9.0, otherwise="held"))
    alert = about(RECORD, "alert.held", note=f"why; tried {MAX_TRIES} times")
    assert tickets(world) == {alert.name: alert}
    assert done(world) == [TICKET.name]
    assert lines(world, "ticket") == [line("alerted", alert.note, alert="held")]


def test_an_alert_is_about_the_tickets_record_or_another(
    world: QuickWorld, context: SweepContext
) -> None:
    """Such as the one that knows its attempt."""
    known = RECORD.with_lineage(Lineage("j0", 3))
    carry_out(context, TICKET.name, TICKET, Alert("gave-up", "enough", known))
    (alert,) = tickets(world).values()
    assert alert == about(known, "alert.gave-up", note="enough")


def test_what_follows_is_stored_before_the_ticket_is_done(
    world: QuickWorld, context: SweepContext
) -> None:
    """After a crash in between it is stored once more, which changes nothing."""
    following = Ticket("watch", "j2", "submitted", 9)
    carry_out(context, TICKET.name, TICKET, Done("submitted", "as j2", (following,)))
    written = [change.key for change in world.memory.journal][1:]
    assert written == [f"_outbox/{following.name}"]
    assert context.outbox.closed == [f"_outbox/{TICKET.name}"]
    assert lines(world, "ticket") == [line("submitted", "as j2")]


def test_a_ticket_without_a_record_is_logged_without_a_tag(
    world: QuickWorld, context: SweepContext
) -> None:
    """And without what it has not."""
    bare = Ticket("watch", "j2", "submitted")
    carry_out(context, bare.name, bare, Done("done"))
    known = {"level": "INFO", "action": "watch", "job_id": "j2", "status": "done"}
    assert lines(world, "ticket") == [known]


# --- a record -----------------------------------------------------------------------------


def test_a_record_is_stored_by_the_way_of_a_callback(
    world: QuickWorld, context: SweepContext
) -> None:
    """Its own tickets with it."""
    carry_out(context, TICKET.name, TICKET, Store(RECORD, "CI was asked"))
    assert [key for key in world.keys("jobs/") if key.endswith("/j1.json")]
    assert lines(world, "ticket") == [line("kept", "CI was asked")]


def test_a_record_of_another_end_is_a_dead_letter_of_ones_own(
    world: QuickWorld, context: SweepContext
) -> None:
    """`dead replay` may take it for a record."""
    context.ledger.put_record(job(State="Success", Tag="Translation"))
    carry_out(context, TICKET.name, TICKET, Store(RECORD, "CI was asked"))
    (letter,) = (world.read(key) for key in world.keys("_dead/"))
    assert letter["content"] == "record"
    assert (letter["reason"], letter["explanation"]) == ("conflict", "another end is kept already")
    assert (letter["trigger"], letter["request_id"]) == ("timer", "r1")
    assert lines(world, "ticket") == [line("dead_letter", "CI was asked")]


def test_a_record_that_is_not_believed_is_set_aside(
    world: QuickWorld, context: SweepContext
) -> None:
    """With an alert that says where it is."""
    carry_out(context, TICKET.name, TICKET, SetAside("mismatch", RECORD, "CI says otherwise"))
    (key,) = world.keys("_dead/")
    letter = world.read(key)
    assert (letter["reason"], letter["explanation"]) == ("mismatch", "CI says otherwise")
    assert letter["content"] == "record"
    (alert,) = tickets(world).values()
    assert (alert.action, alert.record) == ("alert.mismatch", RECORD)
    assert alert.note == f"CI says otherwise; this one is in {key}"
    assert world.keys("jobs/") == []
    assert lines(world, "ticket") == [line("dead_letter", "CI says otherwise")]


# --- a submission -------------------------------------------------------------------------


class Asked:
    """A submission with an answer; looks at what is noted when it is sent."""

    def __init__(self, world: QuickWorld, answer: CreateResult) -> None:
        self._world = world
        self._answer = answer
        self.claims: list[Attempt | None] = []

    def __call__(self) -> CreateResult:
        self.claims.append(Attempts(self._world.memory).get(SECOND))
        return self._answer


def submit(
    world: QuickWorld,
    context: SweepContext,
    answer: CreateResult,
    earlier: Attempt | None = None,
    nonce: str = NONCE,
) -> Attempt | None:
    """Carry a submission out; the claim that was noted when it was sent."""
    asked = Asked(world, answer)
    step = Submit(SECOND, nonce, asked, earlier, RECORD)
    assert carry_out(context, TICKET.name, TICKET, step) == 1
    assert len(asked.claims) == 1
    return asked.claims[0]


ACCEPTED = CreateResult("accepted", "j2", detail=DETAIL)


def test_a_submission_is_claimed_before_it_is_sent(
    world: QuickWorld, context: SweepContext
) -> None:
    """And noted as submitted after, with the job's watch."""
    claim = submit(world, context, ACCEPTED)
    assert claim == Attempt("submitting", world.now, context.lease.writer, 1, nonce=NONCE)
    noted = claim._replace(state="submitted", job_id="j2", created_at=CREATED)
    assert context.attempts.get(SECOND) == noted
    assert context.attempts.lineage_of("j2") == SECOND
    (watch,) = tickets(world).values()
    due = int(world.now) + context.settings.missing_callback_check_s
    assert (watch.action, watch.job_id, watch.due, watch.record) == ("watch", "j2", due, RECORD)
    assert watch.note == "attempt 2 of j1"
    assert watch.details == {
        "root_job_id": "j1",
        "attempt": 2,
        "created_at": CREATED,
        "nonce": NONCE,
    }
    assert lines(world, "ticket") == [line("submitted", "as j2, attempt 2")]


@pytest.mark.parametrize(
    ("state", "claims"), [("submitting", 3), ("not_taken", 1), ("submitted", 1)]
)
def test_a_claim_that_is_renewed_counts_the_ones_before(
    world: QuickWorld, context: SweepContext, state: Any, claims: int
) -> None:
    """Of those whose outcome stayed unknown; CI's word that it took none counts for none."""
    earlier = Attempt(state, 1.0, "w0", 2, nonce=NONCE)
    claim = submit(world, context, ACCEPTED, earlier)
    assert claim == Attempt("submitting", world.now, context.lease.writer, claims, nonce=NONCE)


def test_a_refusal_is_noted_and_alerted(world: QuickWorld, context: SweepContext) -> None:
    """In CI's words, without the token that they quote, and no longer than a person reads."""
    said = "no: the-token-of-callbacks " + "x" * 1000
    claim = submit(world, context, CreateResult("refused", code="InvalidTag", message=said))
    noted = context.attempts.get(SECOND)
    assert claim is not None
    assert noted is not None
    assert noted == claim._replace(state="refused", code="InvalidTag", message=noted.message)
    assert noted.message.startswith("no: ")
    assert "the-token" not in noted.message
    assert len(noted.message) == 500
    (alert,) = tickets(world).values()
    assert alert.action == "alert.refused"
    assert alert.note == f"CI refused the re-submission: InvalidTag {noted.message}"


@pytest.mark.parametrize(("code", "shown"), [("SlowDown", "SlowDown"), ("", "no path")])
def test_a_submission_that_ci_did_not_take_comes_again(
    world: QuickWorld, context: SweepContext, code: str, shown: str
) -> None:
    """It counts as a try."""
    claim = submit(world, context, CreateResult("not_taken", code=code, message="no path"))
    assert claim is not None
    noted = claim._replace(state="not_taken", code=code, message="no path")
    assert context.attempts.get(SECOND) == noted
    (later,) = tickets(world).values()
    assert (later.due, later.tries) == (int(world.now) + DELAYS_S[0], 1)
    assert later.note == f"CI did not take it: {shown}"


@pytest.mark.parametrize("verdict", ["unknown", "accepted"])
def test_a_submission_without_a_clear_answer_stays_claimed(
    world: QuickWorld, context: SweepContext, verdict: Verdict
) -> None:
    """Until CI's list can tell. An acceptance without an id is no clear answer."""
    claim = submit(world, context, CreateResult(verdict))
    assert context.attempts.get(SECOND) == claim
    (later,) = tickets(world).values()
    due = int(world.now) + context.settings.unknown_submission_timeout_s
    assert (later.due, later.tries) == (due, 0)
    assert later.note == "the submission got no clear answer"
    assert context.attempts.lineage_of("j2") is None


def test_a_run_without_a_clear_answer_is_held(world: QuickWorld, context: SweepContext) -> None:
    """It takes no marker: no list can tell what became of it."""
    submit(world, context, CreateResult("unknown"), nonce="")
    (alert,) = tickets(world).values()
    assert alert.action == "alert.held"
    assert alert.note == "the request to run its workflow again got no clear answer"


def test_a_run_is_no_job_to_watch(world: QuickWorld, context: SweepContext) -> None:
    """Its jobs have callbacks of their own."""
    submit(world, context, CreateResult("accepted", "run-1"), nonce="")
    noted = context.attempts.get(SECOND)
    assert noted is not None
    assert (noted.state, noted.job_id, noted.created_at) == ("submitted", "run-1", None)
    assert context.attempts.lineage_of("run-1") is None
    assert tickets(world) == {}
    assert lines(world, "ticket") == [line("submitted", "as run run-1")]


@pytest.mark.parametrize(
    ("state", "is_over"), [("Submitted", False), ("Running", False), ("Failed", True), ("", False)]
)
def test_a_job_that_is_over_already_is_watched_at_once(
    world: QuickWorld, context: SweepContext, state: str, is_over: bool
) -> None:
    """Its callback may have proved nothing when it came."""
    claim = Attempt("submitting", world.now, "w0", nonce=NONCE)
    step = adopt(SECOND, claim, RECORD, {"JobId": "j2", "State": state})
    assert step == Adopt(SECOND, claim, RECORD, "j2", None, is_over)
    assert carry_out(context, TICKET.name, TICKET, step) == 0
    after_s = 0 if is_over else context.settings.missing_callback_check_s
    assert [watch.due for watch in tickets(world).values()] == [int(world.now) + after_s]


@pytest.mark.parametrize(
    ("answer", "needed"),
    [
        (ACCEPTED, [5 + 2 * 4 + 2, 2 * 4 + 2]),
        (CreateResult("refused"), [5 + 2 * 4 + 2, 2 * 4 + 2, 5]),
        (CreateResult("not_taken"), [5 + 2 * 4 + 2, 2 * 4 + 2, 5]),
    ],
)
def test_the_lease_is_looked_at_before_each_request_and_note(
    world: QuickWorld, context: SweepContext, answer: CreateResult, needed: list[float]
) -> None:
    """But not before the note that a job was submitted, which is true whatever the lease's age."""
    checked: list[float] = []
    lease: Callable[[float], None] = checked.append
    context.lease = SimpleNamespace(check=lease, writer="w1")  # type: ignore[assignment]  # what is used of it
    context.ci = replace(context.ci, timeout_s=4)
    submit(world, context, answer)
    assert checked == needed
