"""What must hold at the end of the play. Each function yields what does not."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator

from ci_callback.log_recovery import recover
from tests.slow.deployed.plan import KINDS, Callback
from tests.slow.deployed.play import Play
from tests.slow.deployed.services import SPILL_BUCKET

MAX_ATTEMPTS = 3


def broken(play: Play) -> list[str]:
    """Every promise that does not hold, and where."""
    return [
        f"{promise.__name__}: {loss}"
        for promise in (
            lost_callbacks,
            lost_alerts,
            wrong_submissions,
            unheard_ends,
            left_over,
            faults_of_its_own,
            secrets_in_the_log,
        )
        for loss in promise(play)
    ]


def lost_callbacks(play: Play) -> Iterator[str]:
    """Answered 2xx: the record is there, or the dead letter. Answered 503: the same, since it came
    again or was replayed from the log; or it is in the log."""
    records = {key.rpartition("/")[2]: line for key, line in play.cos.written("jobs/")}
    letters = {key.rpartition("/")[2] for key, _ in play.cos.written("_dead/")}
    logged = {entry.body for entry in recover(json.dumps(row.fields()) for row in play.rows).bodies}
    for callback in play.sent:
        if callback.kind == "replayed" and not callback.is_stored:
            yield f"replayed, and answered {callback.answers}"
        if not callback.is_stored and 503 not in callback.answers:
            continue
        if callback.kind in ("", "replayed"):
            sha256 = hashlib.sha256(callback.body.encode()).hexdigest()
            is_kept = f"{sha256}.json" in letters
            is_logged = not callback.is_stored and callback.body.encode() in logged
            if callback.kind == "" and not (is_kept or is_logged):
                yield f"garbage {callback.answers} {callback.body}"
            continue
        line = records.get(f"{callback.job_id}.json")
        outcome = json.loads(line)["outcome"] if line else None
        if outcome is None and not callback.is_stored and callback.body.encode() in logged:
            continue  # later than the replay
        if outcome not in _outcomes(play, callback):
            yield f"{callback.kind} {callback.job_id} {callback.answers}: {outcome}"


def _outcomes(play: Play, callback: Callback) -> tuple[str, ...]:
    """What a job's record may say."""
    if callback.kind == "submitted again":
        state = play.ci.jobs[callback.job_id].state
        return ("succeeded",) if state == "Success" else ("failed",)
    if callback.kind == "contradicts itself":
        return ("failed", "succeeded")  # whichever came first
    return (KINDS[callback.kind].outcome,)


def lost_alerts(play: Play) -> Iterator[str]:
    """Each alert ticket that was ever stored is in a message that the person's webhook accepted;
    and each job that calls for one has one. Of a job with two ends the conflict is enough: a ticket
    counts only where the record says its end."""
    accepted = [names for digest, names in play.cos.digests.items() if play.person.accepted[digest]]
    kinds: dict[str, set[str]] = {}
    for name in {name for names in accepted for name in names}:
        job_id, action = _job_and_action(name)
        kinds.setdefault(job_id, set()).add(action)
    for key in sorted(play.cos.objects):
        if key.startswith("ci/_outbox/") and "-alert." in key:
            job_id, action = _job_and_action(key)
            if not kinds.get(job_id, set()) & {action, "alert.conflict"}:
                yield f"never sent: {key}"
    for callback in play.sent:
        wanted, jobs = _wanted(play, callback)
        if wanted and not any(wanted in kinds.get(job, set()) for job in jobs):
            yield f"{wanted} of {callback.kind or callback.body}: {[kinds.get(j) for j in jobs]}"


def _job_and_action(key: str) -> tuple[str, str]:
    """In a ticket's name: DUE-JOB_ID-STATE-ACTION.json."""
    _, job_id, _, action = key.removesuffix(".json").split("-", 3)
    return job_id, action


def _wanted(play: Play, callback: Callback) -> tuple[str, list[str]]:
    """The alert that a callback calls for, "" for none; and the jobs that it may be about."""
    then = callback.then
    if not callback.is_stored or (then and not then.is_stored):
        return "", []
    if callback.kind == "":
        return "alert.dead", [hashlib.sha256(callback.body.encode()).hexdigest()[:32]]
    kind = KINDS.get(callback.kind)
    if kind is None or (callback.kind == "contradicts itself" and then is None):
        return "", []  # of the pair the first one has it
    again = [
        submission.job_id
        for submission in play.ci.accepted
        if submission.marker and submission.marker[0] == callback.job_id
    ]
    return kind.alert, [callback.job_id, *again]


def wrong_submissions(play: Play) -> Iterator[str]:
    """One accepted submission for each attempt; as many attempts as the job needs."""
    counts = Counter(submission.marker for submission in play.ci.accepted if submission.marker)
    for marker, count in counts.items():
        if count != 1:
            yield f"{marker} {count} times"
    for callback in play.sent:
        ends = KINDS[callback.kind].ends if callback.kind in KINDS else ()
        if not ends or not callback.is_stored:
            continue
        for attempt in range(2, len(ends) + 1):
            if counts[callback.job_id, attempt] != 1:
                yield f"{callback.kind} {callback.job_id}: attempt {attempt} is missing"
        if counts[callback.job_id, len(ends) + 1]:
            yield f"{callback.kind} {callback.job_id}: one attempt too many"


def unheard_ends(play: Play) -> Iterator[str]:
    """Each user's job whose end is kept has a final event at both receivers, and a second one names
    the one that it supersedes."""
    kept = {key.rpartition("/")[2] for key, _ in play.cos.written("jobs/")}
    roots = {callback.job_id for callback in play.sent if callback.kind in KINDS}
    for number, listener in enumerate(play.listeners):
        for root in sorted(roots):
            finals = listener.finals.get(root, {})
            if f"{root}.json" in kept and not finals:
                yield f"receiver {number}: no final event of {root}"
            if sum(earlier is None for earlier in finals.values()) > 1:
                yield f"receiver {number}: {root} ended twice: {finals}"


def left_over(play: Play) -> Iterator[str]:
    """Nothing waits any more, in the ledger or in the spill."""
    for prefix in ("_outbox/", "_digests/", "_undelivered/", "_events/", "_pending/"):
        yield from (key for key, _ in play.cos.written(prefix))
    yield from play.cos.keys(bucket=SPILL_BUCKET)


def faults_of_its_own(play: Play) -> Iterator[str]:
    """Lines that only a fault of the code can explain, and runs that the platform calls failed
    though nothing ended them."""
    for row in play.rows:
        if '"internal_error"' in row.text or '"ticket_failed"' in row.text:
            yield row.text[-800:]
    for name, count in play.counts.items():
        if name.startswith(("callback ", "timer ")) and name[-3:] not in ("200", "439"):
            yield f"{name}: {count}"


def secrets_in_the_log(play: Play) -> Iterator[str]:
    """None of the keys that the platform gave it."""
    whole = "\n".join(row.text for row in play.rows)
    yield from (secret for secret in play.keys.given if secret in whole)


def unanswered(play: Play) -> int:
    """How many callbacks got no answer and never came again: nothing is promised about them."""
    return sum(set(callback.answers) == {None} for callback in play.sent)


def in_the_log(play: Play) -> int:
    """How many bodies are whole in the log."""
    return len(recover(json.dumps(row.fields()) for row in play.rows).bodies)
