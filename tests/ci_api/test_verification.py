"""VERIFY_CALLBACKS=always: what reached the public address is believed once CI tells the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault
from ci_callback.sweep_preview import plan
from handler.callback.families import FAMILIES
from handler.callback.record import JobRecord
from handler.ci_api.locate import CiLocator
from handler.ci_api.verification import INLINE_S, Inline
from handler.http_client import HttpClient
from handler.retries.carry_out import MAX_TRIES
from handler.retries.context import Invocation, SweepContext
from handler.settings import Settings
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A function that asks CI about everything."""
    with World(tmp_path / "ledger", VERIFY_CALLBACKS="always") as made:
        yield made


def records(world: World) -> list[dict[str, Any]]:
    """What stands under jobs/."""
    return [json.loads(world.store.get(key) or b"") for key in world.store.list("jobs/")]


def forged(world: World, job: str, **changes: str) -> tuple[int, dict[str, Any]]:
    """A callback that says something else of a job than CI does."""
    body = json.loads(world.ci.callback_body(job, "JSON"))
    body["JobsDetail"][0].update(changes)
    return world.post(json.dumps(body))


def letters(world: World) -> list[dict[str, Any]]:
    """The dead letters."""
    return [json.loads(world.store.get(key) or b"") for key in world.store.list("_dead/")]


def test_a_success_that_ci_confirms_is_kept_as_verified(world: World) -> None:
    """In the one request to the store, and one question to CI."""
    job = world.submit()
    world.succeed(job)
    before = len(world.ci.seen)
    status, answer = world.deliver(job)
    assert (status, answer["jobs"][0]["status"]) == (200, "kept")
    assert [record["source"]["verified"] for record in records(world)] == [True]
    assert [seen.method for seen in world.ci.seen[before:]] == ["GET"]


@pytest.mark.parametrize(
    "changes",
    [
        {"State": "Failed", "Code": "InternalError"},
        {"Tag": "Transcode"},
        {"QueueId": "p00000000000000000000000000000000"},
        {"Input": {"Object": "somebody/elses.pdf"}},
    ],
    ids=str,
)
def test_a_callback_that_differs_from_ci_is_a_dead_letter_with_an_alert(
    world: World, changes: dict[str, Any]
) -> None:
    """No record is put for it, and a forged failure starts no job; the true callback still can
    come."""
    job = world.submit()
    world.succeed(job)
    status, answer = forged(world, job, **changes)
    assert (status, answer["jobs"][0]["status"]) == (202, "dead_letter")
    assert answer["jobs"][0]["key"].startswith("_dead/")
    assert [letter["reason"] for letter in letters(world)] == ["mismatch"]
    assert records(world) == []
    world.run(minutes=180)
    assert world.attempts == []
    assert len(world.alerts) == 1
    assert "CI reports another" in world.alerts[0]
    assert world.deliver(job)[0] == 200
    assert len(records(world)) == 1


def test_only_fields_that_both_sides_carry_are_compared(world: World) -> None:
    """What a callback leaves out is not held against it."""
    job = world.submit()
    world.succeed(job)
    body = json.dumps({"JobsDetail": {"JobId": job, "Tag": "Translation", "State": "Success"}})
    assert world.post(body)[1]["jobs"][0]["status"] == "kept"


def test_a_callback_ahead_of_cis_books_is_kept_once_they_agree(world: World) -> None:
    """Not known (yet) is not forged: it waits in the outbox, whole."""
    job = world.submit()
    running = world.ci.callback_body(job, "JSON").decode()
    status, answer = world.post(running.replace('"Submitted"', '"Success"'))
    assert (status, answer["jobs"][0]["status"]) == (202, "unverified")
    assert answer["jobs"][0]["key"].startswith("_outbox/")
    world.run(minutes=3)
    assert (records(world), world.alerts) == ([], [])
    world.succeed(job)
    world.run(minutes=30)
    assert [(record["job_id"], record["source"]["verified"]) for record in records(world)] == [
        (job, True)
    ]
    assert (world.alerts, list(world.store.list("_outbox/"))) == ([], [])


def test_a_failure_ahead_of_cis_books_is_retried_once_they_agree(world: World) -> None:
    """All that the callback calls for follows then."""
    job = world.submit()
    running = world.ci.callback_body(job, "JSON").decode()
    world.post(running.replace('"Submitted"', '"Failed"'))
    world.run(minutes=3)
    assert world.attempts == []
    world.fail(job, "Success")  # the code that the early callback carried
    world.run(minutes=90)
    assert world.attempts == [(job, 2)]


def test_a_job_that_ci_never_knows_becomes_a_dead_letter_with_one_alert(world: World) -> None:
    """After a bounded number of questions; delivered again meanwhile, it is still one."""
    body = json.dumps(
        {"JobsDetail": {"JobId": "a" + "0" * 32, "Tag": "Translation", "State": "Success"}}
    )
    assert world.post(body)[1]["jobs"][0]["status"] == "unverified"
    world.run(minutes=5)
    assert world.post(body)[1]["jobs"][0]["status"] == "unverified"
    for _ in range(MAX_TRIES + 4):
        world.now += 4 * 3600
        world.run(minutes=1)
    assert [letter["reason"] for letter in letters(world)] == ["unknown"]
    assert len(world.alerts) == 1
    assert "does not know the job" in world.alerts[0]
    assert (records(world), list(world.store.list("_outbox/"))) == ([], [])


def test_a_later_difference_from_ci_is_alerted_as_a_mismatch(world: World) -> None:
    """The question had no answer when the callback came."""
    job = world.submit()
    running = world.ci.callback_body(job, "JSON").decode()
    world.post(running.replace('"Submitted"', '"Success"'))
    world.ci.finish(job, "Failed")
    world.run(minutes=30)
    assert [letter["reason"] for letter in letters(world)] == ["mismatch"]
    assert "CI reports another State" in world.alerts[0]
    assert (world.attempts, records(world)) == ([], [])


def test_while_ci_can_not_be_asked_nothing_is_held_back(world: World) -> None:
    """It is kept, and the record says that nobody confirmed it."""
    job = world.submit()
    world.succeed(job)
    with world.ci.faulty(
        lambda seen: Fault(before=(500, "InternalError")) if seen.method == "GET" else None
    ):
        status, answer = world.deliver(job)
    assert (status, answer["jobs"][0]["status"]) == (200, "kept")
    assert [record["source"]["verified"] for record in records(world)] == [None]
    assert any(line["event"] == "not_asked" for line in world.lines)


def test_a_doubt_that_can_not_be_asked_about_any_more_is_kept_unverified(world: World) -> None:
    """As it would have been had CI been away at first."""
    job = world.submit()
    running = world.ci.callback_body(job, "JSON").decode()
    world.post(running.replace('"Submitted"', '"Success"'))
    with world.ci.faulty(lambda seen: Fault(before=(500, "InternalError"))):
        world.run(minutes=2)
    assert [record["source"]["verified"] for record in records(world)] == [None]


def test_a_job_of_no_known_family_and_a_review_are_kept_unverified(world: World) -> None:
    """No endpoint could be asked."""
    world.post(json.dumps({"JobsDetail": {"JobId": "z1", "State": "Success"}}))
    assert [record["source"]["verified"] for record in records(world)] == [None]


def test_an_unfinished_state_is_not_asked_about(world: World) -> None:
    """It claims nothing that matters."""
    job = world.submit()
    before = len(world.ci.seen)
    assert world.deliver(job)[0] == 200
    assert len(world.ci.seen) == before


def test_a_verify_ticket_is_planned_for_what_it_is(world: World) -> None:
    """`sweep --dry-run` names it."""
    job = world.submit()
    world.post(world.ci.callback_body(job, "JSON").decode().replace('"Submitted"', '"Success"'))
    settings = Settings.from_env(world.env)
    function = world.function()
    invocation = Invocation(world.clock, world.sleep, function.log, "request")
    context = SweepContext.of(settings, world.store, invocation)
    assert [planned.would for planned in plan(context) if planned.action == "verify"] == [
        "ask CI again about a callback that it did not confirm yet"
    ]


@pytest.mark.parametrize("budget_s", [INLINE_S, 1.0])
def test_the_questions_of_one_invocation_take_a_bounded_time(world: World, budget_s: float) -> None:
    """CI waits for its answer: past the bound the others are kept unasked."""
    job = world.submit()
    world.succeed(job)
    world.deliver(job)
    (key,) = world.store.list("jobs/")
    record = JobRecord.from_json(world.store.get(key) or b"")
    ticks = iter(range(0, 1000, int(budget_s) + 1))
    settings = Settings.from_env(world.env)
    ci = CiLocator(settings, HttpClient(), world.sleep)
    inline = Inline(ci, lambda: float(next(ticks)), budget_s=budget_s)
    assert inline.check(record).verdict == "confirmed"
    asked = len(world.ci.seen)
    again = inline.check(record)
    assert (again.verdict, len(world.ci.seen)) == ("not_asked", asked)


def test_every_family_that_is_described_can_be_verified() -> None:
    """The check needs the describe path alone."""
    assert all(family.describe_path for family in FAMILIES.values())
