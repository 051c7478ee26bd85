"""`dead replay`: what the function put aside goes back; what a stranger posted is a callback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ci_callback.commands.registry import app
from ci_callback.dead_letters import dead_letters
from handler.ledger import keys
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.outbox import Ticket
from handler.ledger.records import Ledger
from tests.records import record
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """CI, a phone, a clock and an empty ledger."""
    with World(tmp_path / "ledger") as made:
        yield made


def replay(world: World, key: str) -> tuple[int, str]:
    """Exit status and output of `dead replay` on a dead letter."""
    done = CliRunner().invoke(app, ["dead", "replay", key], env=world.env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def ledger(world: World) -> dict[str, Any]:
    """Each key, and what is kept there."""
    return {key: world.read(key) for key in world.keys("")}


def names(world: World, action: str) -> list[str]:
    """Names in the outbox of tickets with an action."""
    return [key for key in world.keys("_outbox/") if key.endswith(f"-{action}.json")]


# --- bodies that a stranger posts ---

STRANGE_TICKETS: list[dict[str, Any]] = [
    {"action": "retry", "job_id": "j1", "state": "failed", "due": 0},
    {"action": 5, "job_id": "j1", "state": "failed"},
    {"action": "alert.recovered", "job_id": [], "state": None, "due": "never"},
    {"action": "watch", "job_id": "j1", "state": "x", "details": {"created_at": 7}},
    {"action": "../../x", "job_id": "j1", "state": "x"},
]


@pytest.mark.parametrize(
    "values",
    [
        *({"schema": "ticket/1", "record": None} | ticket for ticket in STRANGE_TICKETS),
        record("victim").values(),
        record("victim").values() | {"outcome": "[/b]", "retry": {"root_job_id": 1}},
        {"schema": "job-record/1"},
        {"schema": "dead-letter/1", "content": "ticket", "trigger": "timer", "reason": "ticket"},
        {"content": "ticket"},
    ],
    ids=lambda values: json.dumps(values)[:60],
)
def test_a_posted_body_is_a_callback_whatever_it_says_it_is(
    world: World, values: dict[str, Any]
) -> None:
    """It is not understood, so nothing is put into the outbox, and sweeps go on."""
    status, answer = world.post(json.dumps(values))
    assert (status, answer["status"]) == (202, "dead_letter")
    world.run(2)
    before = ledger(world)
    (key,) = world.keys("_dead/")
    assert replay(world, key)[0] == 1
    assert ledger(world) == before
    assert world.sweep()["status"] == "done"


def test_a_dead_letter_that_does_not_say_what_it_holds_is_a_callback(world: World) -> None:
    """Only the exact words that the function writes are believed."""
    ticket = Ticket("retry", "j1", "failed").to_json()
    dead_letter = DeadLetter(ticket, "ticket", "", {}, "timer", "2026-09-21T08:00:00Z", "r")
    for odd in (None, "", "Ticket", ["ticket"], True):
        values = json.loads(dead_letter.to_json()) | {"content": odd}
        key = keys.dead(dead_letter.sha256, dead_letter.received_at)
        world.store.put(key, json.dumps(values).encode())
        assert replay(world, key)[0] == 1
        assert world.keys("_outbox/") == []


# --- tickets ---


def broken(world: World) -> tuple[str, str]:
    """A failed job whose retry fails for its own fault until it is a dead letter; the job and
    the key of the dead letter."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.store.put(keys.attempt(job, 2), b"{}")
    world.run(10)
    (key,) = world.keys("_dead/")
    return job, key


def test_a_replayed_ticket_runs_again(world: World) -> None:
    """Its old name is marked as done, so it gets a new one."""
    job, key = broken(world)
    world.store.delete(keys.attempt(job, 2))
    status, out = replay(world, key)
    assert status == 0, out
    (name,) = names(world, "retry")
    assert world.keys("_done/" + name.removeprefix("_outbox/")) == []
    world.run(1)
    assert world.attempts == [(job, 2)]
    assert names(world, "retry") == []


def test_a_ticket_that_becomes_a_dead_letter_twice_is_alerted_twice(world: World) -> None:
    """And may be replayed as often as one likes."""
    job, key = broken(world)
    alerted = len(world.alerts)
    assert alerted == 1
    seen = {key}
    for times in (2, 3):
        assert replay(world, key)[0] == 0
        world.run(10)
        assert len(world.alerts) == times
        assert names(world, "retry") == []
        (key,) = {dead_letter.key for dead_letter in dead_letters(world.store)} - seen
        seen.add(key)
    world.store.delete(keys.attempt(job, 2))
    assert replay(world, key)[0] == 0
    world.run(1)
    assert world.attempts == [(job, 2)]


def test_one_dead_letter_replayed_again_and_again_runs_each_time(world: World) -> None:
    """Also the first one, of which later ones were made."""
    _, key = broken(world)
    seen = set()
    for _ in range(3):
        assert replay(world, key)[0] == 0
        (name,) = names(world, "retry")
        assert name not in seen
        seen.add(name)
        world.run(10)
        assert names(world, "retry") == []
    assert len(world.alerts) == 4


def test_a_replayed_ticket_keeps_none_of_its_faults(world: World) -> None:
    """It is tried as often as a new one before it is buried again."""
    _, key = broken(world)
    replay(world, key)
    world.run(1)
    (name,) = names(world, "retry")
    assert world.read(name)["details"] == {"faults": 1}


def test_a_ticket_that_can_not_be_read_stays_a_dead_letter(world: World) -> None:
    """It is told what is wrong with it."""
    world.store.put("_outbox/0000000000-j1-failed-retry.json", b'{"schema":"ticket/1"}')
    world.run(1)
    (key,) = world.keys("_dead/")
    status, out = replay(world, key)
    assert (status, "ticket/1" in out) == (1, True)
    assert names(world, "retry") == []


# --- conflicts ---


def conflicting(world: World) -> str:
    """A job that succeeded, of which a callback then says that it failed."""
    job = world.submit()
    world.succeed(job)
    world.deliver(job)
    said = world.ci.callback_body(job, "JSON").decode()
    status, answer = world.post(said.replace('"Success"', '"Failed"'))
    assert (status, answer["jobs"][0]["status"]) == (202, "dead_letter")
    return job


def test_a_conflicting_failure_is_one_dead_letter(world: World) -> None:
    """The callback's body, and not our own record as well; it is told once."""
    conflicting(world)
    assert names(world, "retry") == []
    world.run(5)
    (key,) = world.keys("_dead/")
    assert world.read(key)["content"] == "callback"
    assert len(world.alerts) == 1
    assert world.attempts == []


def test_a_conflict_of_the_sweep_is_replayed_as_the_record_it_is(world: World) -> None:
    """The callback died before its record; meanwhile another end was kept."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    (key,) = world.keys("jobs/")
    failed = world.store.get(key) or b""
    world.store.put(key, failed.replace(b'"outcome":"failed"', b'"outcome":"succeeded"'))
    world.run(1)
    (dead_letter,) = world.keys("_dead/")
    assert world.read(dead_letter)["content"] == "record"
    status, out = replay(world, dead_letter)
    assert (status, "another end" in out) == (1, True)
    assert names(world, "retry") == []
    world.store.delete(key)
    assert replay(world, dead_letter)[0] == 0
    assert world.store.get(key) == failed


def test_what_the_function_puts_aside_goes_before_the_same_bytes_of_a_stranger(
    world: World,
) -> None:
    """Their dead letter has the same key. The other way round ours stays."""
    body = record("j1").to_json()
    ledger, day = Ledger(world.store), "2026-09-21T08:00:00Z"
    posted = DeadLetter(body, "not_ci", "", {}, "http", day, "r1")
    ours = DeadLetter(body, "conflict", "", {}, "timer", day, "r2", "record")
    for dead_letter in (posted, ours, posted):
        key = ledger.put_dead_letter(dead_letter)
    assert world.read(key)["content"] == "record"
