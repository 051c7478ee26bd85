"""resubmit.py: what is decided about a retry ticket, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault, Seen
from handler.callback.lineage import Lineage, Marker
from handler.callback.record import JobRecord
from handler.callback.redacted import REDACTED
from handler.ledger.attempts import Attempt, State, nonce_of
from handler.ledger.outbox import Ticket, about
from handler.retries.next_step import Adopt, Alert, Defer, Done, NextStep, Submit
from handler.retries.resubmit import MAX_CLAIMS, retry
from tests.retries.contexts import context_of
from tests.stores import QuickWorld
from tests.world import TRANSLATION

NONCE = "00c0ffee00c0ffee"


class Failed(QuickWorld):
    """A job that failed, and its record."""

    def __init__(self, **env: str) -> None:
        super().__init__(None, **env)
        self.job = self.submit()
        self.fail(self.job)
        self.deliver(self.job)
        self.context = context_of(self)
        self.second = Lineage(self.job, 2)

    @property
    def record(self) -> JobRecord:
        (key,) = self.keys("jobs/")
        return JobRecord.from_json(self.memory.get(key) or b"")

    def decide(self, record: JobRecord | None = None) -> NextStep:
        with self.context.roots.worker():
            return retry(self.context, about(record or self.record, "retry"))

    def note(self, state: Any, claims: int = 1, **more: Any) -> Attempt:
        """An earlier claim of the second attempt, whose outcome may be known by now."""
        since = self.now - self.context.settings.unknown_submission_timeout_s
        attempt = Attempt(state, since, "w0", claims, nonce=NONCE, **more)
        self.context.attempts.put(self.second, attempt)
        return attempt


@pytest.fixture
def world() -> Failed:
    return Failed()


def lists_fail(seen: Seen) -> Fault | None:
    is_list = seen.method == "GET" and seen.path == "/jobs"
    return Fault(before=(500, "InternalError")) if is_list else None


def test_a_ticket_without_a_record_is_none(world: Failed) -> None:
    """Must raise: it is the ticket's own fault."""
    with pytest.raises(ValueError, match="a retry ticket without a record"):
        retry(world.context, Ticket("retry", world.job, "failed"))


def test_the_first_attempt_after_the_job_is_the_second(world: Failed) -> None:
    """Its nonce is this sweep's own; its request carries the marker."""
    step = world.decide()
    assert isinstance(step, Submit)
    assert step.lineage == world.second
    assert step.nonce == nonce_of(world.second, world.context.lease.writer)
    assert step.earlier is None
    assert step.record == world.record
    assert step.send().verdict == "accepted"
    (accepted,) = world.ci.accepted[1:]
    assert accepted.user_data == f"mine{Marker(world.second, step.nonce)}"


def test_the_attempt_after_a_proven_one_is_the_next(world: Failed) -> None:
    """Of the same root; the watch's record knows the attempt."""
    world.context.attempts.note_lineage(world.job, Lineage("j0", 2))
    marker = Marker(Lineage("j0", 2), NONCE)
    world.ci.jobs[world.job].request["Operation"]["UserData"] = f"mine{marker}"
    step = world.decide()
    assert isinstance(step, Submit)
    assert (step.lineage, step.record.lineage) == (Lineage("j0", 3), Lineage("j0", 2))


def test_the_last_attempt_is_followed_by_an_alert(world: Failed) -> None:
    """About the record that knows its attempt."""
    world.context.attempts.note_lineage(world.job, Lineage("j0", 3))
    marker = Marker(Lineage("j0", 3), NONCE)
    world.ci.jobs[world.job].request["Operation"]["UserData"] = f"mine{marker}"
    known = world.record.with_lineage(Lineage("j0", 3))
    assert world.decide() == Alert("gave-up", "attempt 3 failed", known)


# --- what CI says of the job --------------------------------------------------------------


def test_a_job_that_ci_does_not_know_waits(world: Failed) -> None:
    """It may know it later."""
    world.ci.forget(world.job)
    assert world.decide() == Defer("CI does not know the job (yet)", otherwise="unknown")


@pytest.mark.parametrize("state", ["submitted", "submitting", "refused", "not_taken"])
def test_a_job_that_ci_forgot_since_it_was_submitted_again_is_dealt_with(
    world: Failed, state: State
) -> None:
    """Its callback was replayed after a month: a retry has no mark that would say so."""
    attempt = Attempt(state, world.now, "w", job_id="j2", nonce=NONCE)
    world.context.attempts.put(world.second, attempt)
    world.ci.forget(world.job)
    step = world.decide()
    assert isinstance(step, Done) is (state == "submitted")
    if isinstance(step, Done):
        assert (step.status, step.reason) == ("submitted", "as j2, attempt 2")


def test_a_job_that_ci_calls_otherwise_is_alerted(world: Failed) -> None:
    """And never submitted."""
    world.ci.finish(world.job, "Success")
    step = world.decide()
    assert isinstance(step, Alert)
    assert step.kind == "mismatch"
    assert step.reason.startswith("CI reports another State")
    assert step.reason.endswith("; not tried again")


def test_a_job_of_no_known_family_is_held(world: Failed) -> None:
    """CI is not asked."""
    odd = world.record._replace(tag="Nonsense", job_id="?1")
    before = len(world.ci.seen)
    reason = "which of CI's endpoints takes such a job is not known"
    assert world.decide(odd) == Alert("held", reason)
    assert len(world.ci.seen) == before


@pytest.mark.parametrize("change", ["forget", "down"])
def test_with_verify_never_the_callbacks_word_is_enough(change: str) -> None:
    """Where CI does not know the job, or does not answer."""
    world = Failed(VERIFY_CALLBACKS="never", ALLOWED_BUCKETS="1250000000")
    if change == "forget":
        world.ci.forget(world.job)
    else:
        world.ci.fault = lambda seen: Fault(before=(500, "InternalError"))
    step = world.decide()
    assert isinstance(step, Submit)
    assert step.lineage == world.second


# --- what is noted of the attempt ---------------------------------------------------------


def test_an_attempt_that_was_submitted_is_watched(world: Failed) -> None:
    """The sweep before died between the note and the watch."""
    world.note("submitted", job_id="j2")
    step = world.decide()
    assert isinstance(step, Done)
    assert (step.status, step.reason) == ("submitted", "as j2, attempt 2")
    (watch,) = step.tickets
    since = world.now - world.context.settings.unknown_submission_timeout_s
    assert watch.due == int(since) + world.context.settings.missing_callback_check_s
    assert watch.record is not None
    assert watch.record.job_id == world.job


def test_an_attempt_that_was_refused_is_alerted(world: Failed) -> None:
    """The sweep before died between the note and the alert."""
    world.note("refused", code="InvalidTag", message="no such tag")
    assert world.decide() == Alert(
        "refused", "CI refused the re-submission: InvalidTag no such tag"
    )


def test_a_young_claim_may_be_on_its_way(world: Failed) -> None:
    """It is looked at again when it no longer can be; that is no try."""
    world.note("submitting")
    world.now -= 1
    assert world.decide() == Defer("a submission may be on its way", world.now + 1)


def test_an_old_claim_that_ci_lists_is_adopted(world: Failed) -> None:
    """The oldest job with its marker."""
    claim = world.note("submitting")
    marker = Marker(world.second, NONCE)
    first, _ = (world.submit(UserData=f"mine{marker}") for _ in range(2))
    world.now += 1
    step = world.decide()
    assert isinstance(step, Adopt)
    assert (step.lineage, step.claim, step.job_id) == (world.second, claim, first)
    assert step.record == world.record
    assert step.created_at == "2026-09-21T14:13:40Z"


def test_an_old_claim_that_ci_does_not_list_is_submitted_again(world: Failed) -> None:
    """With the nonce that it had: the first request may land yet."""
    claim = world.note("submitting", MAX_CLAIMS - 1)
    step = world.decide()
    assert isinstance(step, Submit)
    assert (step.nonce, step.earlier) == (NONCE, claim)


def test_claims_without_an_answer_are_bounded(world: Failed) -> None:
    """A person looks."""
    world.note("submitting", MAX_CLAIMS)
    assert world.decide() == Alert("held", f"{MAX_CLAIMS} submissions got no answer")


def test_an_old_claim_is_held_where_that_is_wanted() -> None:
    """Rather none than two."""
    world = Failed(ON_UNKNOWN_SUBMISSION="hold")
    world.note("submitting")
    reason = "its submission got no answer, and CI's list does not show it"
    assert world.decide() == Alert("held", reason)


def test_while_ci_lists_nothing_an_old_claim_waits(world: Failed) -> None:
    """It counts as a try; at last it is held."""
    world.note("submitting")
    world.ci.fault = lists_fail
    step = world.decide()
    assert isinstance(step, Defer)
    assert step.reason.startswith("whether it was submitted is not known: ")
    assert (step.due, step.otherwise) == (None, "held")


@pytest.mark.parametrize(("code", "is_searched"), [("ServiceUnavailable", True), ("", False)])
def test_what_ci_did_not_take_is_searched_for_where_that_is_in_doubt(
    world: Failed, code: str, is_searched: bool
) -> None:
    """A 503 may come from in front of CI; its own limits leave no doubt."""
    earlier = world.note("not_taken", code=code)
    asked: list[Seen] = []
    world.ci.fault = lambda seen: asked.append(seen) if seen.path == "/jobs" else None
    step = world.decide()
    assert isinstance(step, Submit)
    assert (step.nonce, step.earlier) == (NONCE, earlier)
    assert bool(asked) is is_searched


# --- what can't be made again -------------------------------------------------------------


def full(world: Failed) -> None:
    world.ci.jobs[world.job].request["Operation"]["UserData"] = "x" * 1020


def secret(world: Failed) -> None:
    world.ci.jobs[world.job].request["Operation"]["DocPassword"] = REDACTED


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        (full, "unmarked", "UserData leaves no room for the marker; it is not tried again"),
        (secret, "held", "the request can't be made again: it holds a secret that is not kept"),
    ],
)
def test_a_request_that_can_not_be_made_is_alerted(
    world: Failed, change: Callable[[Failed], None], kind: str, reason: str
) -> None:
    """With the reason."""
    change(world)
    step = world.decide()
    assert isinstance(step, Alert)
    assert step.kind == kind
    assert step.reason.startswith(reason)


def test_an_output_bucket_that_nothing_allows_is_refused() -> None:
    """Where CI did not confirm the failure."""
    world = Failed(VERIFY_CALLBACKS="never")
    output = {"Bucket": "other-1299999999", "Region": "ap-guangzhou", "Object": "a"}
    operation = TRANSLATION["Operation"] | {"Output": output}
    world.ci.jobs[world.job].request["Operation"] = operation
    reason = "its output bucket 'other-1299999999' is not allowed here"
    assert world.decide() == Alert("refused", reason)


def test_the_callback_address_of_the_settings_is_submitted() -> None:
    """CI does not show the one of the job before."""
    world = Failed(RETRY_CALLBACK_URL="https://example.com/?token=t")
    step = world.decide()
    assert isinstance(step, Submit)
    step.send()
    again = world.ci.jobs[world.ci.accepted[-1].job_id]
    assert again.request["CallBack"] == "https://example.com/?token=t"


def test_one_worker_at_a_time_is_about_a_root(
    world: Failed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is held before what is noted of its attempt is read."""
    held: list[str] = []
    monkeypatch.setattr(world.context.roots, "hold", held.append)
    world.decide()
    assert held == [world.job]
