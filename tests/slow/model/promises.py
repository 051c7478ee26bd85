"""What must hold: in every state, in every state at rest, and in the long run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from tests.slow.model.protocol import dead_letter_of, mark_of, record, ticket_of
from tests.slow.model.requests import Ticket
from tests.slow.model.routines import ENDED
from tests.slow.model.scopes import Scope
from tests.slow.model.state import State

Promise: TypeAlias = Callable[[Scope, State], bool]

ONE_RECORD = "a record that is kept stays as it is"
KEPT = "a callback that was answered 200 is kept"
TICKETS = "a record has its tickets, or their done marks"
RIGHTLY = "a job is re-submitted only while its record says that it failed"
ONCE = "an attempt is accepted once"
TWICE = "an alert is told again only where noting it failed, or a listing lagged"
FOLLOWED = "a failure is re-submitted or told"
HEARD = "the end of a re-submitted job is taken in"
TOLD = "an alert is told on every channel that stays configured, on one or kept aside at least"
RESTS = "from everywhere it comes to rest"

KEPT_ASIDE = "_undelivered"
"""Stands in `State.told` for a channel: the digest is logged at ERROR and kept for a person."""


def is_at_rest(scope: Scope, state: State) -> bool:
    """Nobody runs and nothing is left to do."""
    if any(slot.place != ENDED for slot in state.slots):
        return False
    if any(scope.may_end(job.attempt) and job.state in ("sent", "running") for job in state.jobs):
        return False
    return not state.keys("_digests") and all(
        _may_stay(scope, key.name) for key in state.keys("_outbox")
    )


def _may_stay(scope: Scope, ticket: Ticket) -> bool:
    if ticket.action == "watch":
        return not scope.may_end(ticket.job)
    return ticket.action != "retry" and not scope.rules.channels


def _called_for(state: State, ticket: Ticket) -> bool:
    return any(state.get(key) is not None for key in (ticket_of(ticket), mark_of(ticket)))


def _answered_is_kept(scope: Scope, state: State) -> bool:
    """The record tells this end, or another one: then it is a dead letter, and told."""
    for (job, end), slot in zip(scope.callbacks, state.slots, strict=False):
        if slot.answered and state.get(record(job)) != end:
            conflict = Ticket(job, end, "alert.conflict")
            if state.get(dead_letter_of(job, end)) is None or not _called_for(state, conflict):
                return False
    return True


def _record_has_tickets(scope: Scope, state: State) -> bool:
    return all(
        _called_for(state, ticket)
        for key in state.keys("jobs")
        for ticket in scope.rules.calls_for(key.name, state.get(key))
    )


def _attempt_is_accepted_once(scope: Scope, state: State) -> bool:
    return len({job.attempt for job in state.jobs}) == len(state.jobs)


def _retries(scope: Scope, state: State) -> Iterator[Ticket]:
    """The retry tickets that the records call for."""
    for key in state.keys("jobs"):
        for ticket in scope.rules.calls_for(key.name, state.get(key)):
            if ticket.action == "retry":
                yield ticket


def _gave_up(state: State, ticket: Ticket) -> bool:
    actions = ("alert.refused", "alert.held")
    return any(_called_for(state, ticket._replace(action=action)) for action in actions)


def _failure_is_followed(scope: Scope, state: State) -> bool:
    submitted = {job.attempt for job in state.jobs}
    return all(
        ticket.job + 1 in submitted or _gave_up(state, ticket) for ticket in _retries(scope, state)
    )


def _end_is_taken_in(scope: Scope, state: State) -> bool:
    """But for a job that nobody knows of: its retry was told as held."""
    return all(
        state.get(record(job.attempt)) == job.state
        or _gave_up(state, Ticket(job.attempt - 1, "failed", "retry"))
        for job in state.jobs
        if scope.may_end(job.attempt)
    )


def _is_superseded(scope: Scope, state: State, ticket: Ticket) -> bool:
    """A ticket about another end than the one that is kept: the conflict is told in its place."""
    about_record = ticket in scope.rules.calls_for(ticket.job, ticket.end)
    return about_record and state.get(record(ticket.job)) != ticket.end


def _alert_is_told(scope: Scope, state: State) -> bool:
    if not scope.rules.channels:
        return True
    stay = frozenset.intersection(*map(frozenset, scope.rules.configurations))
    return all(
        (told := {channel for ticket, channel in state.told if ticket == key.name}) and stay <= told
        for key in state.keys("_done")
        if key.name.action.startswith("alert") and not _is_superseded(scope, state, key.name)
    )


ALWAYS: dict[str, Promise] = {
    ONE_RECORD: lambda _, state: state.breach != ONE_RECORD,
    KEPT: _answered_is_kept,
    TICKETS: _record_has_tickets,
    RIGHTLY: lambda _, state: state.breach != RIGHTLY,
    ONCE: _attempt_is_accepted_once,
    TWICE: lambda _, state: state.breach != TWICE,
}
"""What holds in every state."""

AT_REST: dict[str, Promise] = {
    FOLLOWED: _failure_is_followed,
    HEARD: _end_is_taken_in,
    TOLD: _alert_is_told,
}
"""What holds where nothing is left to do."""

PROMISES = frozenset((*ALWAYS, *AT_REST, RESTS))


def broken(scope: Scope, state: State, watched: frozenset[str] = PROMISES) -> str | None:
    """The first of the promises that a state breaks."""
    checked = {**ALWAYS, **AT_REST} if is_at_rest(scope, state) else ALWAYS
    for name, holds in checked.items():
        if name in watched and not holds(scope, state):
            return name
    return None
