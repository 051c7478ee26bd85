"""What follows from a failed job: sweeps submit it again, watch it and give up, while answers of CI
and of the store get lost, processes die, and callbacks come never, late or twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ci_callback.ci_simulator import BUCKET, REGION, Fault, Job, Seen, callbacks
from handler.callback import envelope, payload, tree
from handler.callback.catalogue import family_of
from handler.callback.lineage import detach
from handler.callback.record import JobRecord
from handler.errors import PayloadError
from handler.ledger import keys
from handler.ledger.attempts import Attempts
from handler.ledger.outbox import action_of
from tests.slow.fuzz import promises
from tests.slow.fuzz.events import OPEN_DOOR, TOKEN, Case, Mood
from tests.slow.fuzz.trees import for_xml
from tests.slow.fuzz.world import COUNT, HOUR, TIMER, World, numbered_writers
from tests.stores import How, SimulatedCrash, Trouble

TIMERS = 6
"""That run while something goes wrong."""

CALM_TIMERS = 80
"""That run at most, every eight hours, while all goes well: a watched job is given up after two
days and a half, and there may be several attempts."""


@dataclass
class KnownJob(Job):
    """A job that CI shows just as the callback did."""

    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def input_object(self) -> str | None:
        return tree.text(self.shown, "Input.Object")

    def detail(self) -> dict[str, Any]:
        return self.shown


def follow(world: World, case: Case, body: bytes) -> None:
    """Play what follows from the callback that the world has just taken; see that it is within
    the promises."""
    if case.sweeps != "unknown":
        _know(world, body, case.sweeps == "differs")
    for job in world.ci.jobs.values():
        world.ci.script(job.tag, case.ends)
    with numbered_writers():
        troubled = _in_trouble(world, case)
        world.ci.fault = lambda seen: None
        _calm(world)
    for name in world.digests_of():
        COUNT[f"alert {(action_of(name) or '').removeprefix('alert.')}"] += 1
    promises.of_store(world.kept())
    _is_within_bounds(world, int(case.env.get("RETRY_MAX_ATTEMPTS", "3")))
    _is_told_once(world, troubled)
    _is_not_silent(world)


def _know(world: World, body: bytes, differs: bool) -> None:
    """Let CI know the jobs that a callback is about; differs: by another code than it says."""
    try:
        notices = envelope.read(payload.parse(body, payload.Limits())[0])
    except PayloadError:
        return
    for notice in notices:
        if not isinstance(notice, envelope.Notice) or notice.kind != "job":
            continue
        shown = for_xml({**notice.detail, "Code": "NoSuchKey"} if differs else notice.detail)
        tag = tree.text(shown, "Tag") or ""
        family = family_of(tag, notice.job_id)
        if family is not None and isinstance(shown, dict):
            job = KnownJob(notice.job_id, tag, family, 0, {}, BUCKET, REGION, world.now)
            job.state, job.shown = tree.text(shown, "State") or "", shown
            world.ci.know(job)


def _in_trouble(world: World, case: Case) -> str:
    """Timers, callbacks and duplicates, with one request that goes wrong; which it was, and
    how."""
    hit: list[str] = []

    def how(number: int, what: str) -> How:
        if number != case.trouble_at or case.trouble == "fine":
            return "fine"
        hit.append(f"{case.trouble}: {what}")
        return case.trouble

    world.ci.fault = moody(case.mood)
    trouble = Trouble(how)
    for _ in range(TIMERS):
        world.now += case.pace.gap_s
        try:
            world.invoke(TIMER, trouble.store(world.memory), trouble.http(world.http))
        except SimulatedCrash:
            trouble = Trouble()
        world.logged()
        _call_back(world, case.pace.copies)
        if case.pace.repeats:
            world.invoke(case.event)
            world.logged()
    return "".join(hit)


def moody(mood: Mood) -> Callable[[Seen], Fault | None]:
    """Faults of CI's answers to so many requests of a kind."""
    left = [mood.times]

    def fault(seen: Seen) -> Fault | None:
        if _kind(seen) != mood.kind or not left[0]:
            return None
        left[0] -= 1
        return mood.fault

    return fault


def _kind(seen: Seen) -> str:
    if seen.method == "POST":
        return "submit"
    return "list" if seen.path.count("/") == 1 else "describe"


def _call_back(world: World, copies: int) -> None:
    """The callbacks of the submitted jobs that have ended meanwhile, each so often."""
    for number, job_id in enumerate(world.ci.settle()):
        body = callbacks.body(world.ci.jobs[job_id], ("XML", "JSON")[number % 2]).decode()
        for _ in range(copies):
            world.invoke({"httpMethod": "POST", "path": "/", "body": body, **OPEN_DOOR})
            world.logged()


def _calm(world: World) -> None:
    """Timers until nothing is left. Whatever was lost is made up for."""
    for _ in range(CALM_TIMERS):
        world.now += 8 * HOUR
        world.invoke(TIMER)
        world.logged()
        world.ci.settle()  # their callbacks never come
        if not world.keys("_outbox/") and not world.keys("_digests/"):
            return
    due = [key for key in world.keys("_outbox/") if int(key.split("/")[1][:10]) <= world.now]
    assert not due, f"still to do: {due}"
    assert not world.keys("_digests/")


def _is_within_bounds(world: World, limit: int) -> None:
    """Each attempt of a root is accepted once, and none is beyond the limit. A submitted job is
    no root of its own."""
    runs = [submission for submission in world.ci.accepted if submission.path == "/triggerworkflow"]
    jobs = [submission for submission in world.ci.accepted if submission.path != "/triggerworkflow"]
    submitted = Counter(submission.marker for submission in jobs)
    ids = {submission.job_id for submission in jobs}
    for marker, times in submitted.items():
        assert marker is not None, "a submission without a marker"
        assert times == 1, f"{marker} was submitted {times} times"
        assert 2 <= marker[1] <= limit, marker
        assert marker[0] not in ids, f"{marker} is of a job that was itself submitted"
    claims = {key: world.read(key) for key in world.keys("_attempts/")}
    assert all(2 <= int(key[-7:-5]) <= limit for key in claims)
    assert len(runs) <= sum(not claim["nonce"] for claim in claims.values())


def _is_told_once(world: World, troubled: str) -> None:
    """No alert is in two digests, and none is accepted twice but where the note of it was lost or
    never made. No message holds a token."""
    is_note = "/alerts" in troubled or "_digests/" in troubled or troubled.startswith("dies")
    assert max(world.times_alerted().values(), default=0) <= 1 + is_note, world.times_alerted()
    assert all(len(digests) == 1 for digests in world.digests_of().values())
    assert TOKEN.encode() not in b"".join(message.body for message in world.phone.received)


def _is_not_silent(world: World) -> None:
    """A failed job was submitted again, or an alert about it was accepted."""
    following = {_marked(submission.user_data) for submission in world.ci.accepted}
    has_run = any(submission.path == "/triggerworkflow" for submission in world.ci.accepted)
    alerted = [name for name, times in world.times_alerted().items() if times]
    attempts = Attempts(world.memory)
    for key in world.keys(keys.JOBS):
        record = JobRecord.from_json(world.memory.get(key) or b"")
        if record.outcome != "failed":
            continue
        lineage = attempts.proven(record).lineage
        was_followed = (lineage.root_job_id, lineage.attempt + 1) in following
        is_of_run = has_run and record.workflow is not None
        is_alerted = any(f"-{keys.name(record.job_id)}-" in name for name in alerted)
        assert was_followed or is_of_run or is_alerted, (
            f"nothing follows from {record.job_id[:80]!r}"
        )


def _marked(user_data: str) -> tuple[str, int]:
    marker = detach(user_data)[1]
    return (marker.lineage.root_job_id, marker.lineage.attempt) if marker else ("", 0)
