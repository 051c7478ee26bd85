"""What can happen next: someone goes on, fails, dies or begins, or time passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.slow.model import protocol
from tests.slow.model import requests as ask
from tests.slow.model.answers import ANSWERS, land, new_digest, taken
from tests.slow.model.promises import GONE
from tests.slow.model.requests import Lineage, LostError, TooLateError, as_text
from tests.slow.model.routines import ENDED, Routines, Then
from tests.slow.model.scopes import Scope
from tests.slow.model.state import (
    NO_FORWARDER,
    NOBODY,
    Claim,
    Job,
    Lease,
    Slot,
    State,
    Stray,
    replaced,
)

_READS = (ask.Get, ask.ListDigests, ask.Find, ask.Describe, ask.ListEvents)
_WRITES = (ask.Put, ask.PutNew, ask.Delete, ask.PutDigest)


class Move(NamedTuple):
    """One thing that can happen. what: who, what, and the answer. due: it needs neither ill
    luck nor help from outside, so that it can be counted on."""

    what: tuple[Any, ...]
    state: State
    due: bool = True

    def __str__(self) -> str:
        return " ".join(map(as_text, self.what))


class World:
    """All that can happen in a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._routines = Routines(scope.rules, after_loss=Then(protocol.leave))
        callbacks = [f"callback of j{report.job}, {report.end}:" for report in scope.callbacks]
        self._names = [*callbacks, *(f"sweep {'AB'[number]}:" for number in range(scope.sweeps))]
        self._names += [f"forwarder {'AB'[number]}:" for number in range(scope.forwarders)]
        kinds = [*scope.callbacks, *("sweep",) * scope.sweeps, *("forwarder",) * scope.forwarders]
        self._twins = [at for at in range(len(kinds) - 1) if kinds[at] == kinds[at + 1]]

    @property
    def initial(self) -> State:
        """Nobody runs."""
        return State(frozenset(self.scope.kept), (Slot(),) * len(self._names))

    def moves(self, state: State) -> Iterator[Move]:
        """Everything that can happen next."""
        for number, slot in enumerate(state.slots):
            if slot.place != ENDED:
                yield from self._go_on(state, number)
            elif number < len(self.scope.callbacks):
                yield from self._deliver(state, number)
            elif self.scope.forwards(number):
                yield from self._begin_forwarder(state, number)
            elif state.keys("_outbox", "_done", "_digests", GONE):
                yield from self._begin(state, number)
        yield from self._grow_old(state)
        yield from self._end_jobs(state)
        yield from self._submit_foreign(state)

    def canonical(self, state: State) -> State:
        """One state for all that differ only in which of two like slots is which."""
        for first in self._twins:
            slot, other = state.slots[first : first + 2]
            if slot > other or (slot == other and self._is_younger(state, first)):
                slots = (*state.slots[:first], other, slot, *state.slots[first + 2 :])
                names = {first: first + 1, first + 1: first}
                timeline = tuple(
                    entry._replace(sweep=names.get(entry.sweep, entry.sweep))
                    if isinstance(entry, Lease)
                    else entry
                    for entry in state.timeline
                )
                state = state._replace(slots=slots, timeline=timeline)
        return state

    def _is_younger(self, state: State, first: int) -> bool:
        """Whether a slot's lease is younger than that of the next slot."""
        leases = [entry.sweep for entry in state.timeline if isinstance(entry, Lease)]
        return first in leases and first + 1 in leases[: leases.index(first)]

    # --- deliveries and sweeps

    def _deliver(self, state: State, number: int) -> Iterator[Move]:
        """A callback comes, or comes again as long as it was not answered 200."""
        report = self.scope.callbacks[number]
        job = state.job(report.job)
        may_come = report.job == 1 or report.forged or (job is not None and job.state == report.end)
        if may_come and not state.slots[number].answered:
            if job is not None and not report.forged:
                report = report._replace(claim=job.claim)  # CI echoes what was submitted
            begun = Slot(self._routines.start(protocol.delivery, report))
            yield Move((self._names[number], "comes"), state.with_slot(number, begun), False)

    def _begin(self, state: State, number: int) -> Iterator[Move]:
        """A sweep begins, with any of the values that ALERT_URLS may have."""
        for channels in self.scope.rules.configurations:
            begun = Slot(self._routines.start(protocol.sweep, channels))
            with_channels = ("with", channels) if self.scope.rules.other_channels else ()
            what = (self._names[number], "begins", *with_channels)
            yield Move(what, state.with_slot(number, begun))

    def _begin_forwarder(self, state: State, number: int) -> Iterator[Move]:
        if state.keys("_events"):
            begun = Slot(self._routines.start(protocol.forward))
            yield Move((self._names[number], "begins"), state.with_slot(number, begun))

    def _go_on(self, state: State, number: int) -> Iterator[Move]:
        """A request is answered; or its sender dies before it goes out."""
        slot, name = state.slots[number], self._names[number]
        request = self._routines.requests[slot.place]
        if not self.scope.calm:
            yield Move((name, "dies"), self._die(state.with_excuse(number), number), False)
        if slot.late and getattr(request, "leased", False):
            stopped = self._answer(state.with_excuse(number), number, TooLateError)
            yield Move((name, request, "-> not made, the lease is old"), stopped)
            return
        for answer in ANSWERS[type(request)](self.scope, state, number, request):
            after = self._answer(answer.state, number, answer.value)
            has_answer = answer.value is not None or isinstance(request, ask.Get)
            report = ("->", answer.value) if has_answer else ()
            yield Move((name, request, *report), after, answer.due)
        if number >= len(self.scope.callbacks) and not self.scope.calm:
            yield from self._fail(state, number, request)
        if self._is_overtaken(state, number, request):
            overtaken = self._answer(state, number, True)
            yield Move((name, request, "-> yes, and is written over"), overtaken, False)

    def _is_overtaken(self, state: State, number: int, request: ask.Request) -> bool:
        """Whether another forwarder writes another value at the same instant: both may be told
        that theirs was written. For records that is beyond the bounds of the promise."""
        if not isinstance(request, ask.PutNew) or request.key.folder != "_finals":
            return False
        others = [
            self._routines.requests[slot.place]
            for other, slot in enumerate(state.slots)
            if other != number and slot.place != ENDED and not slot.late
        ]
        return state.get(request.key) is None and any(
            isinstance(other, ask.PutNew) and other.key == request.key for other in others
        )

    def _fail(self, state: State, number: int, request: ask.Request) -> Iterator[Move]:
        """No answer comes to a sweep, whether or not its request landed.

        To a callback that is the same as to die: it does no more, and is not answered 200.
        """
        name = self._names[number]
        if isinstance(request, (*_READS, *_WRITES)):
            lost = self._answer(state.with_excuse(number), number, LostError)
            yield Move((name, request, "fails"), lost, False)
        if isinstance(request, _WRITES):
            for answer in ANSWERS[type(request)](self.scope, state, number, request):
                lost = self._answer(answer.state.with_excuse(number), number, LostError)
                yield Move((name, request, "lands, its answer is lost"), lost, False)
        if self.scope.strays and isinstance(request, ask.Put | ask.PutDigest):
            yield from self._stray(state, number, request)

    def _stray(self, state: State, number: int, request: ask.Put | ask.PutDigest) -> Iterator[Move]:
        """No answer comes, and a PUT is still on its way to the store; one at a time."""
        key = request.key if isinstance(request, ask.Put) else new_digest(state)
        own = state.lease(self._owner(number))
        if own is None or key.folder not in ("_attempts", "_digests", "_finals"):
            return
        if any(isinstance(entry, Stray) for entry in state.timeline):
            return
        stray = Stray(key, request.value)
        timeline = replaced(state.timeline, state.timeline.index(own), stray, own)
        astray = state.with_excuse(number).with_timeline(timeline)
        lost = self._answer(astray, number, LostError)
        yield Move((self._names[number], request, "is given up, and still on its way"), lost, False)

    def _answer(self, state: State, number: int, answer: Any) -> State:
        """A routine goes on with an answer."""
        slot = state.slots[number]
        place = self._routines.answer(slot.place, answer)
        if place != ENDED:
            return state.with_slot(number, Slot(place, *slot[1:]))
        return self._end(state, number, in_doubt=answer in (LostError, TooLateError))

    def _owner(self, number: int) -> int:
        """Whose lease a routine works under."""
        return number

    def _die(self, state: State, number: int) -> State:
        """A process dies."""
        return self._end(state, number)

    def _end(self, state: State, number: int, in_doubt: bool = False) -> State:
        """A routine is over. If it has a lease, that stays.

        Of a sweep that died before it listed the leases nothing stays: it has done nothing but
        to be in the way of others, and they need not have begun.
        """
        own = state.lease(number)
        if own is not None:
            nobody = NO_FORWARDER if self.scope.forwards(number) else NOBODY
            orphan = (Lease(nobody, seen=True),) if own.seen else ()
            timeline = replaced(state.timeline, state.timeline.index(own), *orphan)
            state = state.with_timeline(timeline)
        return state.with_slot(number, Slot(answered=state.slots[number].answered))

    # --- time

    def _grow_old(self, state: State) -> Iterator[Move]:
        """The oldest lease or stray, and the claims that are older."""
        for at, entry in enumerate(state.timeline):
            after = state.with_timeline(replaced(state.timeline, at))
            if isinstance(entry, Claim):
                for jobs in self._outcomes(state.jobs, entry.attempt):
                    what = ("time: the claim to", entry.attempt, "is old;", *jobs)
                    yield Move(what, after.with_jobs(jobs))
                continue
            if isinstance(entry, Lease):
                yield from self._outlive(state, after, entry)
            else:
                yield Move(("late: Put", entry.key, entry.value, "lands"), land(state, at))
            return

    def _outlive(self, state: State, after: State, lease: Lease) -> Iterator[Move]:
        """A lease is old. Its sweep, if it lives, is as good as dead."""
        if lease.sweep >= 0:
            late = self._too_late(after, lease.sweep)
            yield Move((f"time: the lease is old of {self._names[lease.sweep][:-1]}",), late)
        elif self.scope.rules.on("old_lease_ignored"):
            yield Move(("time: the lease is old of a sweep that is no more",), after)

    def _too_late(self, state: State, owner: int) -> State:
        """All that works under a lease is told that it is over."""
        slot = state.slots[owner]._replace(late=True)
        return state.with_slot(owner, slot).with_excuse(owner)

    def _outcomes(self, jobs: tuple[Job, ...], attempt: Lineage) -> list[tuple[Job, ...]]:
        """What became of the POSTs that were made with a claim, now that it is old."""
        ways: list[tuple[Job, ...]] = [()]
        for job in jobs:
            if (
                job.claim != attempt
                or not job.in_time
                or not self.scope.rules.bounds.list_catches_up
            ):
                ways = [(*way, job) for way in ways]
                continue
            listed = job._replace(
                state="running" if job.state == "sent" else job.state, listed=True
            )
            never = ways if job.state == "sent" else []
            ways = [*((*way, listed) for way in ways), *never]
        return ways

    def _end_jobs(self, state: State) -> Iterator[Move]:
        """A job comes to its end at CI; so it had been taken."""
        for at, job in enumerate(state.jobs):
            if job.state in ("sent", "running"):
                for number, end in self.scope.ends:
                    if number == job.number:
                        ended = replaced(state.jobs, at, job._replace(state=end))
                        yield Move((f"CI: j{number} has {end}",), state.with_jobs(ended))

    # --- a stranger

    def _submit_foreign(self, state: State) -> Iterator[Move]:
        """Somebody submits a job of his own, with whatever marker, once.

        A nonce can be copied once there is a job that has it.
        """
        number = self.scope.foreign
        if not number or state.job(number) is not None:
            return
        for claim in self.scope.claims:
            stranger = Job(number, 0, number, claim, False, "running", listed=False, in_time=False)
            what = ("a stranger submits", f"j{number}", "as", claim)
            yield Move(what, state.with_jobs((*state.jobs, stranger)), False)
            for job in state.jobs:
                if job.claim == claim and job.knows_nonce:
                    jobs = (*taken(state.jobs, job), stranger._replace(knows_nonce=True))
                    yield Move((*what, "with its nonce"), state.with_jobs(jobs), False)
