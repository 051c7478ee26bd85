"""A marker in UserData is a claim: what anybody can write silences nobody and takes no attempt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault
from handler.callback.lineage import Lineage, Marker
from handler.callback.record import JobRecord
from handler.ledger.attempts import Attempts
from tests.world import World

GUESS = "0" * 16


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which everything works."""
    with World(tmp_path / "ledger") as made:
        yield made


def claim(root: str, attempt: int, nonce: str = GUESS) -> str:
    """A UserData that claims an attempt."""
    return f"theirs{Marker(Lineage(root, attempt), nonce)}"


def user_data(world: World, job: str) -> str:
    """What CI shows of a job."""
    return str(world.ci.jobs[job].request["Operation"]["UserData"])


def failed(world: World, code: str = "InternalError", **operation: Any) -> str:
    """A job that failed and whose callback came."""
    job = world.submit(**operation)
    world.fail(job, code)
    world.deliver(job)
    return job


def record_of(world: World, job: str) -> Any:
    """What the ledger keeps of a job."""
    (key,) = [key for key in world.keys("jobs/") if job in key]
    return world.read(key)


def submitted_for(world: World, *roots: str) -> list[int]:
    """How many jobs the function submitted for each root, by the markers that CI took."""
    return [sum(submitted == root for submitted, _ in world.attempts) for root in roots]


def test_success_that_claims_an_attempt_is_no_recovery(world: World) -> None:
    """The victim's failure is raised as one, whatever claims to have mended it."""
    victim = failed(world, "InvalidArgument")
    stranger = world.submit(UserData=claim(victim, 2))
    world.succeed(stranger)
    world.deliver(stranger)
    world.run(minutes=3)
    assert "InvalidArgument" in world.alerts[0]
    assert not any("recovered" in text.lower() for text in world.alerts)
    record = record_of(world, stranger)
    assert record["retry"] == {"root_job_id": stranger, "attempt": 1}
    assert record["user_data"] == "theirs"


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_failure_that_claims_an_attempt_takes_none(world: World, attempt: int) -> None:
    """Both are submitted again, each as its own root."""
    victim = world.submit()
    stranger = failed(world, UserData=claim(victim, attempt))
    world.run(minutes=3)
    world.fail(victim)
    world.deliver(victim)
    world.run(minutes=3)
    ours = [
        submission
        for submission in world.ci.accepted
        if submission.at > 0 and submission.job_id not in (victim, stranger)
    ]
    assert [submission.marker for submission in ours] == [(stranger, 2), (victim, 2)]


def test_job_is_not_adopted_by_a_marker_that_was_made_up(world: World) -> None:
    """The submission never arrived, and a stranger's job on the same input claims to be it."""
    victim = failed(world)
    posts = iter([Fault(reset_before=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=2)
        stranger = world.submit(UserData=claim(victim, 2))
        world.run(minutes=20)
    attempt = world.read(f"_attempts/{victim}/02.json")
    assert attempt["state"] == "submitted"
    assert attempt["job_id"] != stranger
    assert world.ci.jobs[attempt["job_id"]].request["Operation"]["UserData"].startswith("mine/")


def test_copy_of_a_marker_is_not_adopted(world: World) -> None:
    """Of two with one nonce the function's own job is the older one: it was not seen before."""
    victim = failed(world)
    posts = iter([Fault(reset_after=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=2)
    ours = world.ci.accepted[-1].job_id
    copy = world.submit(UserData=user_data(world, ours))
    world.fail(copy)
    world.deliver(copy)
    world.run(minutes=20)
    assert world.read(f"_attempts/{victim}/02.json")["job_id"] == ours
    assert submitted_for(world, victim, copy) == [2, 1]  # ours, the copy itself, and its retry


def test_user_who_submits_again_with_what_ci_shows_has_a_job_of_his_own(world: World) -> None:
    """After all attempts were used up: it is submitted again and given up as any other job."""
    job = world.submit()
    for _ in range(3):
        world.fail(job)
        world.deliver(job)
        world.run(minutes=70)
        job = world.ci.accepted[-1].job_id
    assert sum("gave up" in text.lower() for text in world.alerts) == 1
    again = failed(world, UserData=user_data(world, job))
    last = again
    for _ in range(3):
        world.run(minutes=70)
        last = world.ci.accepted[-1].job_id
        if not world.ci.jobs[last].is_over:
            world.fail(last)
            world.deliver(last)
    assert [attempt for attempt in world.attempts if attempt[0] == again] == [
        (again, 2),
        (again, 3),
    ]
    assert sum("gave up" in text.lower() for text in world.alerts) == 2


def test_copy_of_a_marker_is_alerted_and_never_cancelled(world: World) -> None:
    """It may be the user's own job."""
    failed(world)
    world.run(minutes=3)
    ours = world.ci.accepted[-1].job_id
    copy = world.submit(UserData=user_data(world, ours))
    world.succeed(ours)
    world.deliver(ours)
    world.now += 21_600
    world.run(minutes=2)
    assert world.ci.jobs[copy].state == "Submitted"
    assert any(copy in text for text in world.alerts)


def test_forged_duplicates_of_a_failure_start_no_more_than_the_failure(world: World) -> None:
    """Each with another marker, and other times, so that each has a ticket of its own."""
    job = failed(world)
    body = json.loads(world.ci.callback_body(job, "JSON"))
    (detail,) = body["JobsDetail"]
    for number in range(20):
        detail["Operation"]["UserData"] = claim(f"root{number}", 1 + number % 2)
        detail["EndTime"] = f"2026-09-21T22:13:{number:02}+0800"
        if number % 2:
            detail["CreationTime"] = f"2026-09-{number + 1:02}T22:13:20+0800"
        assert world.post(json.dumps(body))[0] == 200
    world.run(minutes=150)
    assert world.attempts == [(job, 2)]
    second = world.ci.accepted[-1].job_id
    world.fail(second)
    body = json.loads(world.ci.callback_body(second, "JSON"))
    (detail,) = body["JobsDetail"]
    for number in range(20):
        detail["Operation"]["UserData"] = claim(f"other{number}", 1)
        detail["EndTime"] = f"2026-09-21T22:20:{number:02}+0800"
        world.post(json.dumps(body))
    world.deliver(second)
    world.run(minutes=150)
    assert world.attempts == [(job, 2), (job, 3)]


def test_recovery_is_alerted_where_the_callback_came_before_the_proof(world: World) -> None:
    """The answer to the submission was lost, and the job was over before it was found."""
    job = failed(world)
    posts = iter([Fault(reset_after=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=2)
    again = world.ci.accepted[-1].job_id
    world.succeed(again)
    world.deliver(again)
    assert record_of(world, again)["retry"] == {"root_job_id": again, "attempt": 1}
    world.run(minutes=20)
    (text,) = world.alerts
    assert "recovered" in text.lower()
    assert job in text


def test_failure_that_came_before_the_proof_is_the_next_attempt(world: World) -> None:
    """It waits until its own submission is known, and then counts on."""
    job = failed(world)
    posts = iter([Fault(reset_after=True)])
    with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
        world.run(minutes=2)
    again = world.ci.accepted[-1].job_id
    world.fail(again)
    world.deliver(again)
    world.run(minutes=40)
    assert world.attempts == [(job, 2), (job, 3)]


def test_claim_that_stays_open_is_alerted_and_not_counted_as_another_root(tmp_path: Path) -> None:
    """ON_UNKNOWN_SUBMISSION=hold: a person was asked about the submission, and it turns up."""
    with World(tmp_path, ON_UNKNOWN_SUBMISSION="hold") as world:
        job = failed(world)
        posts = iter([Fault(reset_after=True)])
        world.ci.lag(3 * 3600)
        with world.ci.faulty(lambda seen: next(posts, None) if seen.method == "POST" else None):
            world.run(minutes=30)
        again = world.ci.accepted[-1].job_id
        world.fail(again)
        world.deliver(again)
        for _ in range(12):
            world.now += 4 * 3600
            world.run(minutes=1)
        assert world.attempts == [(job, 2)]
        assert sum(again in text for text in world.alerts) == 1


def test_forged_success_of_a_retry_is_alerted_as_a_mismatch(world: World) -> None:
    """Its true end would be taken for the second one; the watch asks CI."""
    failed(world)
    world.run(minutes=3)
    again = world.ci.accepted[-1].job_id
    body = world.ci.callback_body(again, "JSON").decode()
    world.post(body.replace('"Submitted"', '"Success"'))
    world.fail(again)  # and its callback is lost
    world.now += 21_600
    world.run(minutes=2)
    assert any(again in text for text in world.alerts)
    assert [key for key in world.keys("_done/") if "mismatch" in key] != []


def test_forged_success_of_a_retry_that_runs_is_asked_about_until_it_ends(world: World) -> None:
    """CI's word is not final yet."""
    failed(world)
    world.run(minutes=3)
    again = world.ci.accepted[-1].job_id
    body = world.ci.callback_body(again, "JSON").decode()
    world.post(body.replace('"Submitted"', '"Success"'))
    world.now += 21_600
    world.run(minutes=2)
    assert [key for key in world.keys("_outbox/") if "watch" in key] != []
    world.succeed(again)
    world.now += 21_600
    world.run(minutes=2)
    assert world.keys("_outbox/") == []
    assert [key for key in world.keys("_done/") if "mismatch" in key] == []


def test_marker_costs_one_get(world: World) -> None:
    """By the exact key; a callback without one costs nothing more."""
    asked: list[str] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            def ask(key: str, *rest: Any) -> Any:
                asked.append(f"{name} {key.partition('/')[0]}")
                return getattr(world.store, name)(key, *rest)

            return ask

    plain, marked = world.submit(), world.submit(UserData=claim("j1", 2))
    for job in (plain, marked):
        world.succeed(job)
        world.deliver(job, store=Counting())
    assert asked == ["put_new jobs", "get _lineage", "put_new jobs"]


def test_reader_goes_by_what_was_proven_since(world: World) -> None:
    """One function for all of them."""
    job = world.submit(UserData=claim("root", 2))
    world.succeed(job)
    world.deliver(job)
    (key,) = world.keys("jobs/")
    record = JobRecord.from_json(world.store.get(key) or b"")
    attempts = Attempts(world.store)
    assert attempts.proven(record) == record
    attempts.note_lineage(job, Lineage("root", 2))
    assert attempts.proven(record).lineage == Lineage("root", 2)
    # A redelivery is stored with it, if the record is new, and calls for the recovery.
    world.deliver(job)
    assert [key.rpartition("-")[2] for key in world.keys("_outbox/")] == ["alert.recovered.json"]
