"""The cursors of reconciliation, by themselves: every order of their steps, with crashes.

CI's list is compared with the ledger several times, once when its jobs have each age of AGES. A
pass reads the note, lists the jobs that were created between a cursor and that age, compares those
that ended GRACE ago, and moves the cursor. It may die before each step, and a second pass may run
beside it. Time is counted in ticks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

GRACE = 1
AGES = (2, 4)
END = 5
"""The last tick. The oldest job is created at 0, and its last look is at 4."""

THRESHOLD = 2

SKIPPED = "what a cursor passed was compared"
UNALERTED = "as many callbacks as the threshold that never came raise an alert"
TOLD = "what ended before its queue was connected is kept, and nothing follows from it"

GUARDS = (
    "note_after_take_in",
    "count_before_take_in",
    "alert_before_take_in",
    "cut_before_last_second",
    "skip_by_age",
    "old_is_silent",
    "old_is_not_counted",
)


class Job(NamedTuple):
    """Its times; came: whether its callback reached the ledger when it ended. old: it ended before
    its queue called the function."""

    created: int
    ended: int
    came: bool
    old: bool = False


@dataclass(frozen=True)
class Pass:
    """One pass in the middle of a round. missing: what is left to take in."""

    step: str
    cursors: tuple[int, ...]
    count: int
    look: int = 0
    upto: int = 0
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class State:
    now: int = 0
    taken_in: frozenset[int] = frozenset()
    told: frozenset[int] = frozenset()
    cursors: tuple[int, ...] = (0,) * len(AGES)
    count: int = 0
    alerted: bool = False
    passes: tuple[Pass | None, ...] = (None,)
    crashes: int = 0


@dataclass(frozen=True)
class Situation:
    """The jobs, how many passes run at once, how often one dies, and the guards switched off.

    page: jobs that a round lists at most; the rest of its window is for the next one.
    """

    jobs: tuple[Job, ...]
    passes: int = 1
    crashes: int = 1
    page: int = 2
    off: frozenset[str] = field(default_factory=frozenset)

    def has(self, guard: str) -> bool:
        return guard not in self.off


class Counterexample(NamedTuple):
    """The promise that is broken, and the shortest way there."""

    promise: str
    trace: tuple[State, ...]


def explore(situation: Situation) -> tuple[int, Counterexample | None]:
    """How many states there are, and what breaks a promise."""
    start = State(passes=(None,) * situation.passes, crashes=situation.crashes)
    came_from: dict[State, State | None] = {start: None}
    queue = [start]
    for state in queue:  # grows as it is walked through
        promise = _broken(situation, state)
        if promise:
            trace = [state]
            while (before := came_from[trace[-1]]) is not None:
                trace.append(before)
            return len(came_from), Counterexample(promise, tuple(reversed(trace)))
        for after in _moves(situation, state):
            if after not in came_from:
                came_from[after] = state
                queue.append(after)
    return len(came_from), None


def _broken(situation: Situation, state: State) -> str | None:
    for number, job in enumerate(situation.jobs):
        # The first look that comes after the job's end is the one that has to compare it.
        ended_at = job.ended - job.created + GRACE
        look = next((look for look, age in enumerate(AGES) if ended_at <= age), None)
        is_passed = look is not None and job.created < state.cursors[look]
        if is_passed and not job.came and number not in state.taken_in:
            return SKIPPED
    jobs = situation.jobs
    absent = [number for number in state.taken_in if not jobs[number].old]
    if situation.passes == 1 and len(absent) >= THRESHOLD and not state.alerted:
        return UNALERTED
    if any(jobs[number].old for number in state.told):
        return TOLD
    if state.alerted and all(job.old or job.came for job in jobs):
        return TOLD
    return None


def _moves(situation: Situation, state: State) -> Iterator[State]:
    if state.now < END:
        yield replace(state, now=state.now + 1)
    for number, running in enumerate(state.passes):
        if running is None:
            begun = Pass("list", state.cursors, state.count)
            yield _with(state, number, begun)
            continue
        if state.crashes:
            yield replace(_with(state, number, None), crashes=state.crashes - 1)
        step = _STEPS[running.step]
        for after, then in step(situation, state, running):
            yield _with(after, number, then)


def _with(state: State, number: int, running: Pass | None) -> State:
    passes = list(state.passes)
    passes[number] = running
    # It does not matter which of two is which.
    return replace(state, passes=tuple(sorted(passes, key=repr)))


Moves = Iterator[tuple[State, "Pass | None"]]


def _list(situation: Situation, state: State, running: Pass) -> Moves:
    """Any look whose cursor lags: the real pass takes the one that lags most."""
    for look, age in enumerate(AGES):
        begin, end = running.cursors[look], state.now - age + 1
        if begin >= end:
            continue
        listed = sorted(
            (job.created, number)
            for number, job in enumerate(situation.jobs)
            if begin <= job.created < end and job.ended <= state.now
        )
        page, rest = listed[: situation.page], listed[situation.page :]
        upto = end
        if rest:
            last = page[-1][0]
            upto = last if situation.has("cut_before_last_second") else last + 1
            if upto <= begin:  # all of one second: it is listed to its end
                page = [entry for entry in listed if entry[0] == last]
                upto = last + 1
        compared = (number for _, number in page if _is_compared(situation, state, look, number))
        missing = tuple(
            number
            for number in compared
            if not situation.jobs[number].came and number not in state.taken_in
        )
        counts_old = not situation.has("old_is_not_counted")
        absent = [number for number in missing if counts_old or not situation.jobs[number].old]
        count = min(running.count + len(absent), THRESHOLD)
        yield state, Pass("count", running.cursors, count, look, upto, missing)


def _is_compared(situation: Situation, state: State, look: int, number: int) -> bool:
    job = situation.jobs[number]
    if state.now - job.ended < GRACE:
        return False
    if look == 0:
        return True
    grace = GRACE if situation.has("skip_by_age") else 0
    return job.ended > job.created + AGES[look - 1] - grace


def _count(situation: Situation, state: State, running: Pass) -> Moves:
    is_noted = situation.has("count_before_take_in") and running.missing
    after = replace(state, count=running.count) if is_noted else state
    yield after, replace(running, step="alert")


def _alert(situation: Situation, state: State, running: Pass) -> Moves:
    first = "take_in" if situation.has("note_after_take_in") else "note"
    after = state
    if running.count >= THRESHOLD and situation.has("alert_before_take_in"):
        after = replace(state, alerted=True)
    yield after, replace(running, step=first)


def _take_in(situation: Situation, state: State, running: Pass) -> Moves:
    if running.missing:
        first = running.missing[0]
        is_silent = situation.jobs[first].old and situation.has("old_is_silent")
        told = state.told if is_silent else state.told | {first}
        after = replace(state, taken_in=state.taken_in | {first}, told=told)
        yield after, replace(running, missing=running.missing[1:])
    elif situation.has("note_after_take_in"):
        yield state, replace(running, step="note")
    else:
        yield _alerted_late(situation, state, running), None


def _note(situation: Situation, state: State, running: Pass) -> Moves:
    cursors = list(running.cursors)
    cursors[running.look] = running.upto
    after = replace(state, cursors=tuple(cursors), count=running.count)
    if situation.has("note_after_take_in"):
        after = _alerted_late(situation, after, running)
        yield after, None  # the next round is another pass
    else:
        yield after, replace(running, step="take_in")


def _alerted_late(situation: Situation, state: State, running: Pass) -> State:
    if situation.has("alert_before_take_in") or running.count < THRESHOLD:
        return state
    return replace(state, alerted=True)


_STEPS = {"list": _list, "count": _count, "alert": _alert, "take_in": _take_in, "note": _note}
