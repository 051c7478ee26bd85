"""How each request may be answered, as COS, CI and the channels are known to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations
from typing import Any, NamedTuple, TypeAlias

from tests.slow.model import requests as ask
from tests.slow.model.promises import GONE, KEPT_ASIDE, ONE_RECORD, RIGHTLY, SECOND, TWICE
from tests.slow.model.protocol import has_mark, record
from tests.slow.model.requests import Described, Key, LostError
from tests.slow.model.scopes import Scope
from tests.slow.model.state import Claim, Job, Lease, State, Stray, replaced


class Answer(NamedTuple):
    """A possible answer, and what is then. due: it needs no ill luck."""

    value: Any
    state: State
    due: bool = True


Answers: TypeAlias = Iterator[Answer]


def get(scope: Scope, state: State, number: int, request: ask.Get) -> Answers:
    """A GET is right; a listing may lag, and then nothing is there."""
    value = state.get(request.key)
    if value == "submitting":
        young = Claim(request.key.name) in state.timeline
        value = "submitting, young" if young else "submitting, old"
    yield Answer(value, state)
    if request.by_listing:
        yield Answer(None, state, due=False)


def put(scope: Scope, state: State, number: int, request: ask.Put) -> Answers:
    """The last one wins."""
    yield Answer(None, write(state, number, request.key, request.value))


def put_new(scope: Scope, state: State, number: int, request: ask.PutNew) -> Answers:
    """Two writers of one value, at one instant, may both be told that theirs was written."""
    present = state.get(request.key)
    if present is None:
        yield Answer(True, write(state, number, request.key, request.value))
        return
    yield Answer(False, state)
    if present == request.value:
        yield Answer(True, state, due=False)


def delete(scope: Scope, state: State, number: int, request: ask.Delete) -> Answers:
    """What is not there can be deleted as well. That a retry was there is remembered, since a
    listing may still show it."""
    after = write(state, number, request.key, None)
    if request.key.folder == "_outbox" and not has_mark(request.key.name):
        after = after.with_value(Key(GONE, request.key.name), "kept")
    yield Answer(None, after)


def put_digest(scope: Scope, state: State, number: int, request: ask.PutDigest) -> Answers:
    """No two digests ever have one name."""
    key = new_digest(state)
    yield Answer(key, write(state, number, key, request.value))


def reply(scope: Scope, state: State, number: int, request: ask.Reply) -> Answers:
    """CI has its answer, and will not deliver again."""
    yield Answer(None, state.with_slot(number, state.slots[number]._replace(answered=True)))


def list_outbox(scope: Scope, state: State, number: int, request: ask.ListOutbox) -> Answers:
    """Deleted tickets may still be listed, fresh ones not yet."""
    listed = dict.fromkeys(key.name for key in state.keys("_outbox", "_done", GONE))
    alerts = [ticket for ticket in listed if ticket.action.startswith("alert")]
    others = [ticket for ticket in listed if ticket not in alerts]
    due = [ticket for ticket in others if ticket.action == "retry" or scope.may_end(ticket.job)]
    for ticket in due:
        yield Answer(ticket, state)
    if scope.rules.channels:
        sizes = range(len(alerts) + 1)
        for some in chain.from_iterable(combinations(alerts, size) for size in sizes):
            yield Answer(some, state)
    elif not due:
        yield Answer((), state)


def list_digests(scope: Scope, state: State, number: int, request: ask.ListDigests) -> Answers:
    """One that is missing may be told again. (So that there are never more than a few, a
    listing lags only while there is but one.)"""
    digests = tuple(state.keys("_digests"))
    yield Answer(digests, state)
    if len(digests) == 1:
        again = {
            (ticket, channel)
            for ticket in state.get(digests[0]).tickets
            for channel in set().union(*scope.rules.configurations)
        }
        yield Answer((), state._replace(excused=state.excused | again), due=False)


def put_lease(scope: Scope, state: State, number: int, request: ask.PutLease) -> Answers:
    """It is the youngest of all."""
    yield Answer(None, state.with_timeline((*state.timeline, Lease(number, seen=False))))


def settle(scope: Scope, state: State, number: int, request: ask.Settle) -> Answers:
    """Then one's own lease is listed, and every one that was put before it."""
    own = state.lease(number)
    if own is None or not scope.rules.bounds.leases_settle:
        yield Answer(None, state)
        return
    upto = state.timeline.index(own)
    timeline = tuple(
        entry._replace(seen=True) if isinstance(entry, Lease) and at <= upto else entry
        for at, entry in enumerate(state.timeline)
    )
    yield Answer(None, state.with_timeline(timeline))


def see_others(scope: Scope, state: State, number: int, request: ask.SeeOthers) -> Answers:
    """One that is not yet sure to be listed may be seen, or not."""
    leases = [entry for entry in state.timeline if isinstance(entry, Lease)]
    kind = scope.forwards(number)
    others = [
        lease for lease in leases if lease.sweep != number and scope.forwards(lease.sweep) == kind
    ]
    if others:
        yield Answer(True, state)
    if not any(lease.seen for lease in others):
        yield Answer(False, state, due=not others)


def drop_lease(scope: Scope, state: State, number: int, request: ask.DropLease) -> Answers:
    """It is gone; if it was old, it was so already."""
    own = state.lease(number)
    timeline = tuple(entry for entry in state.timeline if entry is not own)
    yield Answer(None, state.with_timeline(timeline))


def either(scope: Scope, state: State, number: int, request: ask.Either) -> Answers:
    """The store's own choice."""
    yield Answer(False, state)
    yield Answer(True, state)


def look(scope: Scope, state: State, number: int, request: ask.Look) -> Answers:
    """Only a lease that is young is looked at here."""
    yield Answer(None, state)


def post(scope: Scope, state: State, number: int, request: ask.Post) -> Answers:
    """Taken; without an answer, and nobody knows; not taken; a 503, which may come from in front
    of CI, after CI took the job."""
    claim = request.attempt
    in_time = Claim(claim) in state.timeline
    before = state.job(request.job)
    rightly = state.get(record(request.job)) == "failed" == _end(scope, state, request.job)
    taken = state if rightly else state._replace(breach=RIGHTLY)
    root = before.root if before else request.job
    for answer, at in (("accepted", "running"), (LostError, "sent")):
        job = Job(claim.job, request.job, root, claim, True, at, listed=False, in_time=in_time)
        jobs = (*taken.jobs, job)
        yield Answer(answer, taken.with_jobs(jobs), due=answer is not LostError)
    yield Answer("busy", state, due=False)
    yield Answer("unavailable", state, due=False)
    listed = scope.rules.bounds.unavailable_is_listed
    job = Job(claim.job, request.job, root, claim, True, "running", listed, in_time)
    yield Answer("unavailable", taken.with_jobs((*taken.jobs, job)), due=False)
    yield Answer("refused", state, due=False)


def find(scope: Scope, state: State, number: int, request: ask.Find) -> Answers:
    """What CI took may be in its list at any time, and is in the end.

    The function's own job is older than all that copied its nonce: that was not seen before.
    """
    jobs = [
        job
        for job in state.jobs
        if job.claim == request.attempt and (job.knows_nonce or request.any_nonce)
    ]
    jobs.sort(key=lambda job: job.is_ours, reverse=not request.any_age)
    sure = [at for at, job in enumerate(jobs) if job.listed]
    for job in jobs[: sure[0] + 1] if sure else jobs:
        yield Answer(job.number, state.with_jobs(taken(state.jobs, job)))
    if not sure:
        yield Answer(None, state)


def describe(scope: Scope, state: State, number: int, request: ask.Describe) -> Answers:
    """Asked by JobId, CI knows."""
    job = state.job(request.job)
    if job is None:
        yield Answer(Described(_end(scope, state, request.job)), state)
        return
    now = "running" if job.state == "sent" else job.state
    jobs = taken(state.jobs, job)
    yield Answer(Described(now, job.claim, job.knows_nonce), state.with_jobs(jobs))


def lock(scope: Scope, state: State, number: int, request: ask.Lock) -> Answers:
    """Once no other worker has it."""
    if all(slot.holds != request.attempt for slot in state.slots):
        slot = state.slots[number]._replace(holds=request.attempt)
        yield Answer(None, state.with_slot(number, slot))


def wait(scope: Scope, state: State, number: int, request: ask.Wait) -> Answers:
    """It is not counted here how often."""
    yield Answer(True, state)
    yield Answer(False, state)


def send(scope: Scope, state: State, number: int, request: ask.Send) -> Answers:
    """Taken; taken, but the answer is lost; not taken."""
    pairs = frozenset((ticket, request.channel) for ticket in request.tickets)
    again = pairs & state.alerted - state.excused
    after = state._replace(alerted=state.alerted | pairs, breach=TWICE if again else state.breach)
    slot = after.slots[number]
    unnoted = tuple(sorted({*slot.unnoted, *pairs}))
    yield Answer(True, after.with_slot(number, slot._replace(unnoted=unnoted)))
    yield Answer(False, after._replace(excused=after.excused | pairs), due=False)
    yield Answer(False, state, due=False)


def list_events(scope: Scope, state: State, number: int, request: ask.ListEvents) -> Answers:
    """Deleted events may still be listed, and fresh ones not yet."""
    queued = [key.name for key in state.keys("_events")]
    for event in queued:
        yield Answer(event, state)
    gone = {event for event, _ in state.heard if event.own_record}
    for event in sorted(gone.difference(queued)):
        yield Answer(event, state, due=False)
    yield Answer(None, state, due=not queued)


def hear(scope: Scope, state: State, number: int, request: ask.Hear) -> Answers:
    """Taken; taken, but the answer is lost; not taken."""
    event, supersedes = request.event, request.supersedes
    firsts = {
        heard
        for heard, earlier in state.heard
        if heard.root == event.root and heard.is_final and earlier is None
    }
    is_second = event.is_final and supersedes is None and bool(firsts - {event})
    after = state._replace(
        heard=state.heard | {(event, supersedes)}, breach=SECOND if is_second else state.breach
    )
    yield Answer(True, after)
    yield Answer(False, after, due=False)
    yield Answer(False, state, due=False)


def _end(scope: Scope, state: State, number: int) -> str:
    """How a job ended by CI's word. One that was there before has failed, or as the scope says."""
    job = state.job(number)
    return job.state if job else dict(scope.truth).get(number, "failed")


def taken(jobs: tuple[Job, ...], job: Job) -> tuple[Job, ...]:
    """The same jobs, it being known now that CI took this one."""
    known = job._replace(state="running") if job.state == "sent" else job
    return (*(other for other in jobs if other is not job), known)


def write(state: State, number: int, key: Key, value: Any) -> State:
    """A write lands: what is kept, what is young, and what is noted with it."""
    before, state = state.get(key), state.with_value(key, value)
    if key.folder == "jobs" and before not in (None, value):
        return state._replace(breach=ONE_RECORD)
    if key.folder == "_attempts":
        others = (entry for entry in state.timeline if entry != Claim(key.name))
        claim = (Claim(key.name),) if value == "submitting" else ()
        return state.with_timeline((*others, *claim))
    if key.folder == "_digests":
        slot = state.slots[number]
        unnoted = tuple(
            pair for pair in slot.unnoted if value is not None and pair[1] not in value.delivered
        )
        return state.with_slot(number, slot._replace(unnoted=unnoted))
    if key.folder == "_undelivered":
        kept = frozenset((ticket, KEPT_ASIDE) for ticket in value.tickets)
        return state._replace(alerted=state.alerted | kept)
    return state


def land(state: State, at: int) -> State:
    """A stray lands.

    A claim is as old as the request was that made it, and it may take the place of a younger
    one: a job that was submitted with that need not be listed when this is old.
    """
    stray = state.timeline[at]
    assert isinstance(stray, Stray)
    claim = Claim(stray.key.name)
    younger = claim in state.timeline
    jobs = (
        job._replace(in_time=job.in_time and not younger)
        if job.is_ours and job.claim == claim.attempt
        else job
        for job in state.jobs
    )
    claims = (claim,) if stray.value == "submitting" else ()
    others = tuple(entry for entry in state.timeline if entry != claim)
    timeline = replaced(others, others.index(stray), *claims)
    return state.with_value(stray.key, stray.value).with_jobs(tuple(jobs)).with_timeline(timeline)


def new_digest(state: State) -> Key:
    """A name that no digest has, nor one that is still on its way to the store."""
    strays = (entry.key for entry in state.timeline if isinstance(entry, Stray))
    taken = {*state.keys("_digests"), *strays}
    names = (Key("_digests", f"digest-{number}") for number in range(len(taken) + 1))
    return next(key for key in names if key not in taken)


ANSWERS: dict[type, Callable[[Scope, State, int, Any], Answers]] = {
    ask.Get: get,
    ask.Put: put,
    ask.PutNew: put_new,
    ask.Delete: delete,
    ask.PutDigest: put_digest,
    ask.Reply: reply,
    ask.ListOutbox: list_outbox,
    ask.ListDigests: list_digests,
    ask.PutLease: put_lease,
    ask.Settle: settle,
    ask.SeeOthers: see_others,
    ask.DropLease: drop_lease,
    ask.Either: either,
    ask.Look: look,
    ask.Post: post,
    ask.Find: find,
    ask.Describe: describe,
    ask.Lock: lock,
    ask.Wait: wait,
    ask.Send: send,
    ask.ListEvents: list_events,
    ask.Hear: hear,
}
"""By the kind of request."""
