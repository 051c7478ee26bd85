"""What must hold: in every state, in every state at rest, and in the long run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

from tests.slow.model.protocol import (
    OWN_RECORD,
    dead_letter_of,
    mark_of,
    proof_of,
    record,
    ticket_of,
)
from tests.slow.model.requests import NO_CLAIM, Callback, Key, Lineage, Ticket
from tests.slow.model.routines import ENDED
from tests.slow.model.scopes import Scope
from tests.slow.model.state import State

Promise: TypeAlias = Callable[[Scope, State], bool]

ONE_RECORD = "a record that is kept stays as it is"
KEPT = "a callback that was answered 200 is kept"
TICKETS = "a record has its tickets, or their done marks"
RIGHTLY = "a job is re-submitted only while its record says that it failed"
ONCE = "an attempt is accepted once"
BOUNDED = "a job is re-submitted at most max_attempts - 1 times, whatever claims to be it"
TWICE = "an alert is told again only where noting it failed, or a listing lagged"
FOLLOWED = "a failure is re-submitted or told"
HEARD = "the end of a re-submitted job is taken in"
RECOVERED = "that a re-submitted job succeeded is told"
TRUE = "only what has recovered is told as recovered, or that ends differ is told too"
ALERTED = "an alert is told on every channel that stays configured, on one or kept aside at least"
SECOND = "a second final event of a job names the one that it supersedes"
HEARD_OF = "of an end that was answered 200 the user's code gets a final event, or a true retry"
ENDED_ONCE = "a job whose end is kept ends in a final event"
RESTS = "from everywhere it comes to rest"

GONE = "retries that were dealt with"
"""A folder of the model alone: what `_outbox/` once held, and nothing else remembers."""

KEPT_ASIDE = "_undelivered"
"""In `State.alerted` in place of a channel: the digest is logged at ERROR and kept."""


def is_at_rest(scope: Scope, state: State) -> bool:
    """Nobody runs and nothing is left to do."""
    if any(slot.place != ENDED for slot in state.slots):
        return False
    if any(scope.may_end(job.number) and job.state in ("sent", "running") for job in state.jobs):
        return False
    return not state.keys("_digests", "_events") and all(
        _may_stay(scope, key.name) for key in state.keys("_outbox")
    )


def _may_stay(scope: Scope, ticket: Ticket) -> bool:
    if ticket.action == "watch":
        return not scope.may_end(ticket.job)
    return ticket.action != "retry" and not scope.rules.channels


def _called_for(state: State, ticket: Ticket) -> bool:
    places = (ticket_of(ticket), mark_of(ticket), Key(GONE, ticket))
    return any(state.get(key) is not None for key in places)


def _answered_is_kept(scope: Scope, state: State) -> bool:
    """The record tells this end, or another one: then it is a dead letter, and told."""
    for (job, end, *_), slot in zip(scope.callbacks, state.slots, strict=False):
        if slot.answered and state.get(record(job)) != end:
            conflict = Ticket(job, end, "alert.conflict")
            if state.get(dead_letter_of(job, end)) is None or not _called_for(state, conflict):
                return False
    return True


def _record_has_tickets(scope: Scope, state: State) -> bool:
    """Those that it calls for by its own word, or by what is known of its lineage since."""
    return all(
        any(
            all(_called_for(state, ticket) for ticket in scope.rules.calls_for(callback, lineage))
            for callback, lineage in _readings(scope, state, key.name)
        )
        for key in state.keys("jobs")
    )


def _readings(scope: Scope, state: State, job: int) -> Iterator[tuple[Callback, Lineage]]:
    """What the record of a job may have been read as when it was taken in."""
    end = state.get(record(job))
    at_ci = state.job(job)
    claims = {callback.claim for callback in scope.callbacks if callback[:2] == (job, end)}
    claims |= {at_ci.claim if at_ci else NO_CLAIM}
    for claim in claims:
        for lineage in (Lineage(job, 1), state.get(proof_of(job))):
            if lineage is not None:
                yield Callback(job, end, claim), lineage


def _attempt_is_accepted_once(scope: Scope, state: State) -> bool:
    ours = [job.number for job in state.jobs if job.is_ours]
    return len(set(ours)) == len(ours)


def _attempts_are_bounded(scope: Scope, state: State) -> bool:
    roots = Counter(job.root for job in state.jobs if job.is_ours)
    return max(roots.values(), default=0) < scope.rules.max_attempts


def _failure_is_followed(scope: Scope, state: State) -> bool:
    """By a job that was submitted for it, and not by one that says that it was; or someone is
    told."""
    submitted = {job.of for job in state.jobs}
    retries = {key.name for key in state.keys(GONE, "_outbox") if key.name.action == "retry"}
    return all(
        ticket.job in submitted or _is_alerted(scope, state, ticket.job, ticket.end)
        for ticket in retries
    )


def _is_alerted(scope: Scope, state: State, job: int, end: str) -> bool:
    actions = ("refused", "held", "gave-up", "mismatch", "unknown", "conflict")
    return any(_called_for(state, Ticket(job, end, f"alert.{action}")) for action in actions)


def _end_is_taken_in(scope: Scope, state: State) -> bool:
    """But for a job that nobody knows of: its retry was told as held."""
    return all(
        state.get(record(job.number)) == job.state
        or _is_alerted(scope, state, job.of, "failed")
        or _is_alerted(scope, state, job.number, job.state)
        for job in state.jobs
        if job.is_ours and scope.may_end(job.number)
    )


def _recovery_is_alerted(scope: Scope, state: State) -> bool:
    return all(
        _called_for(state, Ticket(job.number, job.state, "alert.recovered"))
        or _is_alerted(scope, state, job.of, "failed")
        or _is_alerted(scope, state, job.number, job.state)
        for job in state.jobs
        if job.is_ours and job.state == "succeeded"
    )


def _recovery_is_true(scope: Scope, state: State) -> bool:
    for key in state.keys("_done", "_outbox"):
        number, _, action, _ = key.name
        job = state.job(number)
        if action == "alert.recovered" and not (
            job and job.is_ours and (job.state == "succeeded" or _differs(scope, state, number))
        ):
            return False
    return True


def _differs(scope: Scope, state: State, number: int) -> bool:
    """Whether someone is told that two ends of a job were told."""
    return any(
        _called_for(state, Ticket(number, end, action))
        for end in ("failed", "succeeded")
        for action in ("alert.conflict", "alert.mismatch")
    )


def _is_superseded(scope: Scope, state: State, ticket: Ticket) -> bool:
    """A ticket about another end than the one that is kept: the conflict is told in its place."""
    return ticket.action in OWN_RECORD and state.get(record(ticket.job)) != ticket.end


def _alert_is_sent(scope: Scope, state: State) -> bool:
    if not scope.rules.channels:
        return True
    stay = frozenset.intersection(*map(frozenset, scope.rules.configurations))
    return all(
        (channels := {channel for ticket, channel in state.alerted if ticket == key.name})
        and stay <= channels
        for key in state.keys("_done")
        if key.name.action.startswith("alert") and not _is_superseded(scope, state, key.name)
    )


def _end_is_heard(scope: Scope, state: State) -> bool:
    """Under the job that its owner submitted; unless a re-submission of it runs on."""
    if not scope.rules.events:
        return True
    heard = {event.root for event, _ in state.heard if event.is_final}
    watched = {key.name.claim.root for key in state.keys("_outbox") if key.name.action == "watch"}
    roots = {_root(state, key.name) for key in state.keys("jobs")}
    return roots <= heard | watched


def _answered_is_heard(scope: Scope, state: State) -> bool:
    """A failure that announces a retry is the one whose record is kept."""
    if not scope.rules.events:
        return True
    events = [event for event, _ in state.heard]
    return all(
        any(
            event[1:3] == callback[:2]
            and (event.is_final or state.get(record(callback.job)) == callback.end)
            for event in events
        )
        for callback, slot in zip(scope.callbacks, state.slots, strict=False)
        if slot.answered
    )


def _root(state: State, number: int) -> int:
    job = state.job(number)
    return job.root if job else number


ALWAYS: dict[str, Promise] = {
    ONE_RECORD: lambda _, state: state.breach != ONE_RECORD,
    KEPT: _answered_is_kept,
    TICKETS: _record_has_tickets,
    RIGHTLY: lambda _, state: state.breach != RIGHTLY,
    ONCE: _attempt_is_accepted_once,
    BOUNDED: _attempts_are_bounded,
    TWICE: lambda _, state: state.breach != TWICE,
    SECOND: lambda _, state: state.breach != SECOND,
}
"""What holds in every state."""

AT_REST: dict[str, Promise] = {
    FOLLOWED: _failure_is_followed,
    HEARD: _end_is_taken_in,
    RECOVERED: _recovery_is_alerted,
    TRUE: _recovery_is_true,
    ALERTED: _alert_is_sent,
    ENDED_ONCE: _end_is_heard,
    HEARD_OF: _answered_is_heard,
}
"""What holds where nothing is left to do."""

PROMISES = frozenset((*ALWAYS, *AT_REST, RESTS))


class Judge:
    """Finds the promises that states of a scope break."""

    def __init__(self, scope: Scope, watched: frozenset[str]) -> None:
        self._scope = scope
        self._watched = watched
        self._verdicts: dict[State, str | None] = {}

    def broken(self, state: State) -> str | None:
        """The first of the promises that a state breaks.

        Many states have the same facts, and the promises of ALWAYS look at nothing else.
        """
        facts = state.facts
        if facts not in self._verdicts:
            self._verdicts[facts] = self._first(ALWAYS, facts)
        verdict = self._verdicts[facts]
        if verdict is None and is_at_rest(self._scope, state):
            verdict = self._first(AT_REST, state)
        return verdict

    def _first(self, promises: dict[str, Promise], state: State) -> str | None:
        for name, holds in promises.items():
            if name in self._watched and not holds(self._scope, state):
                return name
        return None
