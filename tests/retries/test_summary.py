"""sweep.py, reconcile.py, spilled.py: the one log line in which each says what it did."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ci_callback.ci_simulator import Fault
from handler.errors import StoreError
from handler.ingest import spill
from handler.ingest.received import ReceivedCallback
from handler.ledger.outbox import Outbox, Ticket
from handler.ledger.records import Ledger
from handler.retries import spilled
from handler.retries.reconcile import Reconcile
from handler.retries.spilled import SpilledIntake
from handler.retries.sweep import HELD_ALERT_S, Summary, Sweep
from handler.triggers import JobResult
from tests.retries.contexts import context_of, lines, tickets
from tests.stores import MemoryStore, QuickWorld, Trouble, Wrapped

DAY = "2026-09-21"


def failed(world: QuickWorld, count: int) -> None:
    """So many jobs failed, and their callbacks came."""
    for number in range(count):
        job = world.submit({"Tag": "Translation", "Input": {"Object": f"{number}.pdf"}} | OPERATION)
        world.fail(job)
        world.deliver(job)


OPERATION: dict[str, Any] = {"Operation": {"Translation": {"Lang": "zh"}}}


def sweep(world: QuickWorld, time_left: Callable[[], float] = lambda: 55.0) -> Summary:
    return Sweep(context_of(world), time_left).run()


def line(world: QuickWorld, event: str) -> dict[str, Any]:
    """The last one."""
    return lines(world, event)[-1]


# --- a sweep ------------------------------------------------------------------------------


def test_an_idle_sweep_says_that_nothing_was_due() -> None:
    """At INFO, with the time that it took."""
    world = QuickWorld()
    assert sweep(world) == Summary()
    assert line(world, "sweep") == {
        "level": "INFO",
        "status": "done",
        "due": 0,
        "done": 0,
        "alerts_sent": 0,
        "failed": 0,
        "remaining": 0,
        "submitted": 0,
        "duration_ms": 0.0,
    }


def test_a_sweep_counts_what_it_dealt_with() -> None:
    """Three retries, one alert, and a ticket that fails for its own fault. The lease's wait is
    its time."""
    world = QuickWorld()
    failed(world, 3)
    world.memory.put("_outbox/0000000000-j-x-later.json", Ticket("later", "j", "x").to_json())
    world.memory.put(
        "_outbox/0000000000-j-x-alert.dead.json", Ticket("alert.dead", "j", "x").to_json()
    )
    world.now += 3600
    sweep(world)
    assert line(world, "sweep") == {
        "level": "INFO",
        "status": "done",
        "due": 5,
        "done": 3,
        "alerts_sent": 1,
        "failed": 1,
        "remaining": 0,
        "submitted": 3,
        "duration_ms": line(world, "sweep")["duration_ms"],
    }
    assert line(world, "sweep")["duration_ms"] >= 2_000
    assert world.keys("_sweep/") == []


def test_a_sweep_that_may_submit_no_more_is_in_progress() -> None:
    """What is left is due in the next one."""
    world = QuickWorld(SWEEP_MAX_SUBMITS="2")
    failed(world, 5)
    world.now += 3600
    summary = sweep(world)
    assert (summary.status, summary.due, summary.done) == ("in_progress", 5, 2)
    assert (summary.remaining, summary.submitted) == (3, 2)
    assert line(world, "sweep")["level"] == "INFO"


def test_a_sweep_that_the_store_ends_is_aborted_at_error() -> None:
    """With the reason; its lease grows old."""
    world = QuickWorld()
    failed(world, 1)
    world.now += 3600
    context = context_of(world)
    trouble = Trouble(lambda number, what: "lost before" if "get _outbox/" in what else "fine")
    context.outbox = Outbox(Ledger(trouble.store(world.memory)))
    summary = Sweep(context, lambda: 55.0).run()
    assert (summary.status, summary.remaining) == ("aborted", 1)
    logged = line(world, "sweep")
    assert (logged["level"], logged["status"]) == ("ERROR", "aborted")
    assert logged["reason"].startswith("get _outbox/")
    assert len(world.keys("_sweep/")) == 1


def test_a_fault_of_the_sweep_itself_is_failed_at_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the stack trace beside it."""
    world = QuickWorld()
    world.store.put("_outbox/0000000000-a-failed-retry.json", b"{}")
    context = context_of(world)

    def broken(now: float, limit: int) -> list[str]:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr(context.outbox, "due", broken)
    assert Sweep(context, lambda: 55.0).run().status == "failed"
    assert (line(world, "sweep")["level"], "reason" in line(world, "sweep")) == ("ERROR", False)
    assert "nobody thought of this" in line(world, "internal_error")["traceback"]


def test_while_ci_is_down_the_sweep_says_so_once_an_hour() -> None:
    """After three tickets in a row."""
    world = QuickWorld()
    failed(world, 5)
    world.now += 3600
    world.ci.fault = lambda seen: Fault(before=(500, "InternalError"))
    summary = sweep(world)
    assert (summary.failed, summary.remaining) == (3, 2)
    alerts = [ticket for ticket in tickets(world).values() if ticket.action == "alert.sweep"]
    note = "CI could not be asked; see the function's log"
    assert alerts == [Ticket("alert.sweep", "sweep", f"{DAY}T15", note=note)]


def test_a_time_limit_without_room_for_a_step_is_alerted_once_a_day() -> None:
    """With the setting to change."""
    world = QuickWorld()
    failed(world, 1)
    world.now += 3600
    summary = sweep(world, lambda: 5.0)
    (reason,) = summary.reasons
    assert summary.status == "failed"
    assert line(world, "sweep")["reason"] == reason
    assert "the function's time limit is too short" in reason
    (alert,) = (ticket for ticket in tickets(world).values() if ticket.action == "alert.sweep")
    assert alert == Ticket("alert.sweep", "sweep", DAY, note=reason)


def test_a_lease_that_is_held_is_no_fault_at_first() -> None:
    """From ten minutes on it is an error and an alert."""
    world = QuickWorld()
    failed(world, 1)
    world.now += 3600
    begun = world.now
    # A sweep that finds the lease held may wait up to nine seconds before it withdraws.
    while world.now - begun < HELD_ALERT_S - 60:
        world.memory.put(f"_sweep/{int(world.now):010d}-ff", b"{}")
        assert sweep(world).status == "lease_held"
        assert line(world, "sweep")["level"] == "INFO"
        world.now += 50
    world.now = begun + HELD_ALERT_S + 10
    world.memory.put(f"_sweep/{int(world.now):010d}-ff", b"{}")
    summary = sweep(world)
    (reason,) = summary.reasons
    assert re.fullmatch(r"no sweep got the lease for 10 minutes", reason)
    assert line(world, "sweep")["level"] == "ERROR"
    (alert,) = (ticket for ticket in tickets(world).values() if ticket.action == "alert.sweep")
    assert alert.note == (
        f"{summary.reasons[0]}: see _sweep/, LEASE_S, and how many timers there are"
    )


# --- a reconciliation -----------------------------------------------------------------------


def test_a_pass_says_how_many_it_listed_and_how_many_were_absent() -> None:
    """And each that was absent has a line of its own."""
    world = QuickWorld(RECONCILE_TAGS="Translation:6")
    jobs = [world.submit() for _ in range(3)]
    for job in jobs:
        world.succeed(job)
    world.deliver(jobs[0])
    world.now += 3600
    Reconcile(context_of(world), lambda: 55.0).run()
    logged = line(world, "reconcile")
    assert logged.pop("duration_ms") >= 0
    assert logged == {
        "level": "INFO",
        "tag": "Translation",
        "status": "done",
        "listed": 3,
        "absent": 2,
        "lag_s": 0,
    }
    absent = lines(world, "callback_absent")
    assert sorted(callback["job_id"] for callback in absent) == jobs[1:]
    assert absent[0] == {
        "level": "WARNING",
        "job_id": absent[0]["job_id"],
        "tag": "Translation",
        "outcome": "succeeded",
        "status": "kept",
        "key": f"jobs/dt={DAY}/{absent[0]['job_id']}.json",
    }


@pytest.mark.parametrize(
    ("tag", "reason"),
    [("FileHashCode", "CI has no list of this tag that is known"), ("Translation", "500")],
)
def test_a_pass_that_fails_is_an_error_with_the_reason(tag: str, reason: str) -> None:
    """The other tags go on."""
    world = QuickWorld(RECONCILE_TAGS=f"{tag}:6")
    world.ci.fault = lambda seen: Fault(before=(500, "InternalError"))
    (summary,) = Reconcile(context_of(world), lambda: 55.0).run()
    logged = line(world, "reconcile")
    assert logged["level"] == "ERROR"
    assert logged["status"] == summary.status == ("aborted" if reason == "500" else "failed")
    assert reason in logged["reason"]


# --- the spill ------------------------------------------------------------------------------


class Accepting:
    """In place of the ingest: results as they are given."""

    def __init__(self, *results: JobResult) -> None:
        self.results = list(results)
        self.processed: list[ReceivedCallback] = []

    def process(self, callback: ReceivedCallback) -> list[JobResult]:
        self.processed.append(callback)
        return self.results


def take_in(world: QuickWorld, store: Any, ingest: Any, left: float = 30.0) -> None:
    log = context_of(world).log
    SpilledIntake(store, ingest, log, lambda: left, "2026-09-21T15:00:00Z").run()


def spill_of(count: int) -> MemoryStore:
    store = MemoryStore()
    for number in range(count):
        at = f"2026-09-21T14:13:{number:02d}Z"
        spill.put(store, ReceivedCallback(b"%d" % number, "http", at, "r1"))
    return store


def test_what_was_taken_in_is_counted() -> None:
    """An empty spill is no line."""
    world, store = QuickWorld(), spill_of(3)
    ingest = Accepting(JobResult("kept"))
    take_in(world, store, ingest)
    logged = line(world, "spilled")
    assert logged.pop("duration_ms") >= 0
    assert logged == {"level": "INFO", "status": "done", "done": 3, "failed": 0}
    assert [callback.body for callback in ingest.processed] == [b"0", b"1", b"2"]
    assert list(store.list("")) == []
    take_in(world, store, ingest)
    assert len(lines(world, "spilled")) == 1


def test_what_the_ledger_does_not_accept_aborts_the_run_with_its_words() -> None:
    """Or with a sentence, where it said none."""
    world = QuickWorld()
    said = {"COS refused it": "COS refused it", None: "the ledger does not accept it"}
    for cause, reason in said.items():
        store = spill_of(3)
        take_in(world, store, Accepting(JobResult("retry_later", cause=cause)))
        logged = line(world, "spilled")
        assert (logged["level"], logged["status"], logged["done"]) == ("ERROR", "aborted", 0)
        assert logged["reason"] == reason
        assert len(list(store.list(""))) == 3


def test_an_object_that_can_not_be_deleted_fails_the_run() -> None:
    """It is taken in once more by the next one, which is the same as once."""

    class Undeletable(Wrapped):
        def delete(self, key: str) -> None:
            raise StoreError("delete", "k", "no")

    world = QuickWorld()
    take_in(world, Undeletable(spill_of(2)), Accepting(JobResult("kept")))
    logged = line(world, "spilled")
    assert (logged["level"], logged["status"]) == ("ERROR", "failed")
    assert (logged["done"], logged["failed"], logged["reason"]) == (0, 2, "delete k: no")


def test_without_time_nothing_is_begun() -> None:
    """The rest is for the next sweep."""
    world, store = QuickWorld(), spill_of(2)
    take_in(world, store, Accepting(JobResult("kept")), left=0.0)
    logged = line(world, "spilled")
    assert (logged["level"], logged["status"], logged["done"]) == ("INFO", "in_progress", 0)
    assert len(list(store.list(""))) == 2


def test_a_fault_of_the_intake_is_logged_and_not_raised() -> None:
    """Alerts and retries have their turn."""

    class Broken(Wrapped):
        def list(self, prefix: str, stop: str | None = None, after: str = "") -> Any:
            raise KeyError("nobody thought of this")

    world = QuickWorld()
    take_in(world, Broken(spill_of(1)), Accepting())
    assert line(world, "spilled")["status"] == "failed"
    assert "nobody thought" in line(world, "internal_error")["traceback"]


def test_an_object_that_holds_no_callback_is_a_dead_letter_of_the_spill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whole, with what is wrong with it."""
    store = spill_of(1)
    (key,) = store.list("")
    store.put(key, b"[]")
    letters: list[tuple[ReceivedCallback, str]] = []

    class Burying(Accepting):
        def put_dead_letter(self, callback: ReceivedCallback, error: Exception) -> JobResult:
            letters.append((callback, str(error)))
            return JobResult("dead_letter")

    take_in(QuickWorld(), store, Burying())
    whole = ReceivedCallback(b"[]", "spill", "2026-09-21T15:00:00Z", "")
    why = "spill_invalid: an object of the spill that can't be read: not a spill/1"
    assert letters == [(whole, why)]
    assert list(store.list("")) == []


def test_few_objects_and_few_bytes_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One first; then as many as the pool takes, or as many bytes."""
    monkeypatch.setattr(spilled, "POOL", 3)
    monkeypatch.setattr(spilled, "BATCH_BYTES", 20)
    sizes = [5, 1, 1, 1, 1, 19, 2, 18, 30, 1]
    objects = [spilled.SpilledObject(str(at), size) for at, size in enumerate(sizes)]
    batched = [[entry.size for entry in batch] for batch in spilled.batches(iter(objects))]
    assert batched == [[5], [1, 1, 1], [1, 19], [2, 18], [30], [1]]
    assert list(spilled.batches(iter(()))) == []
