"""early_look.py: what is read while the lease settles is not read again, and is not relied on."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from handler.callback.lineage import Lineage
from handler.ledger.attempts import Attempt, Attempts
from handler.ledger.outbox import about
from handler.parallel import POOL
from handler.retries import early_look
from tests.records import keep, record
from tests.retries.contexts import tickets
from tests.stores import How, QuickWorld, Trouble

TICK = {"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}


def alert(world: QuickWorld, job_id: str = "j1") -> str:
    """A failed job whose alert is due; the ticket's name."""
    failed = record(job_id, outcome="failed", state="Failed")
    keep(world.memory, failed)
    ticket = about(failed, "alert.failed")
    world.memory.put(f"_outbox/{ticket.name}", ticket.to_json())
    return ticket.name


def retry(world: QuickWorld) -> str:
    """A failed job whose retry is due; its id."""
    job = world.submit()
    world.fail(job)
    world.deliver(job)
    world.now += 3600
    return job


def swept(
    world: QuickWorld,
    how: Callable[[int, str], How] = lambda number, what: "fine",
    meanwhile: Callable[[], None] = lambda: None,
) -> list[str]:
    """What a sweep asks, in order. meanwhile: what happens at the end of its wait."""
    trouble = Trouble(how)

    def wait(seconds: float) -> None:
        world.sleep(seconds)
        meanwhile()

    function = world.function(trouble.store(world.memory), sleep=wait)
    function.handle(TICK, {"time_limit_in_ms": 55_000})
    return trouble.asked


def test_tickets_and_records_are_read_in_the_wait_and_not_again() -> None:
    """The mark is read once the lease is held."""
    world = QuickWorld()
    name = alert(world)
    asked = swept(world)
    listed = next(number for number, what in enumerate(asked) if what == "list _sweep/")
    reads = [what for what in asked if what.startswith("get ")]
    assert reads == [f"get _outbox/{name}", "get jobs/dt=2026-09-20/j1.json", f"get _done/{name}"]
    assert [asked.index(what) > listed for what in reads] == [False, False, True]
    assert len(world.phone.taken) == 1


def test_without_a_wait_nothing_is_read_early() -> None:
    """LEASE_WAIT_S=0, as in tests of one sweep."""
    world = QuickWorld(LEASE_WAIT_S="0")
    asked = swept(world) if alert(world) else []
    first = next(number for number, what in enumerate(asked) if what.startswith("get _outbox/"))
    assert first > asked.index("list _sweep/")


def test_an_alert_that_another_sweep_sent_meanwhile_is_not_sent_again() -> None:
    """It is marked by now, whatever was read before."""
    world = QuickWorld()
    name = alert(world)

    def sent() -> None:
        world.memory.put(f"_done/{name}", b"{}\n")
        world.memory.delete(f"_outbox/{name}")

    swept(world, meanwhile=sent)
    assert world.phone.taken == []


def test_a_job_that_another_sweep_submitted_meanwhile_is_not_submitted_again() -> None:
    """`_attempts/` says so; a retry has no mark."""
    world = QuickWorld()
    job = retry(world)
    attempt = Attempt("submitted", world.now, "other", job_id="jnew", nonce="0123456789abcdef")

    def submitted() -> None:
        Attempts(world.memory).put(Lineage(job, 2), attempt)
        for key in world.keys("_outbox/"):
            world.memory.delete(key)

    swept(world, meanwhile=submitted)
    assert world.attempts == []
    assert world.read(f"_attempts/{job}/02.json") == {"schema": "attempt/1", **attempt._asdict()}
    assert [ticket.action for ticket in tickets(world).values()] == ["watch"]


def test_a_record_that_was_missing_is_looked_at_again() -> None:
    """Its callback may have stored it since."""
    world = QuickWorld()
    job = retry(world)
    (key,) = world.keys("jobs/")
    line = world.memory.get(key) or b""
    world.memory.delete(key)
    swept(world, meanwhile=lambda: world.memory.put(key, line))
    assert [line for line in world.lines if line.get("status") == "completed"] == []
    assert world.attempts == [(job, 2)]


def test_a_read_that_fails_in_the_wait_is_made_later() -> None:
    """The sweep is not ended by it."""
    world = QuickWorld()
    name = alert(world)
    seen: list[str] = []

    def once(number: int, what: str) -> How:
        seen.append(what)
        is_first = what == f"get _outbox/{name}" and seen.count(what) == 1
        return "lost before" if is_first else "fine"

    swept(world, once)
    assert len(world.phone.taken) == 1


def test_a_large_ticket_ends_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read when its turn comes: more than a batch of such ones would be read twice."""
    monkeypatch.setattr(early_look, "MAX_BYTES", 100)
    world = QuickWorld()
    names = [alert(world, f"j{number:03d}") for number in range(3 * POOL)]
    asked = swept(world)
    early = asked[: asked.index("list _sweep/")]
    assert sum(what.startswith("get _outbox/") for what in early) == POOL
    assert sum(what.startswith("get _outbox/") for what in asked) == len(names) + POOL


def test_what_is_no_ticket_becomes_a_dead_letter_only_under_the_lease() -> None:
    """Nothing is written in the wait."""
    world = QuickWorld()
    world.memory.put("_outbox/0000000000-a-failed-retry.json", b"not a ticket")
    asked = swept(world)
    early = asked[asked.index("list _outbox/") : asked.index("list _sweep/")]
    assert {what.split()[0] for what in early if not what.startswith("put _sweep/")} <= {
        "get",
        "list",
    }
    (key,) = world.keys("_dead/")
    assert json.loads(world.memory.get(key) or b"")["reason"] == "ticket"
