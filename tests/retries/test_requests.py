"""How many requests a sweep makes: each is paid for, 43,200 times a month where it is idle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handler.ledger.folder import FolderStore
from handler.ledger.outbox import Outbox, about
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.retries.batches import AT_A_TIME
from handler.retries.sweep import MAX_CLOSED
from tests.records import keep, record
from tests.stores import How, QuickWorld, SimulatedCrash, Trouble
from tests.world import World

LATER = "_outbox/9999999999-j1-failed-retry.json"


class Asked:
    """A store that notes what is asked of it."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._inner, name)


def swept(world: World, store: Asked) -> dict[str, Any]:
    """What a sweep logs of itself."""
    opened: Any = store
    return world.sweep(store=opened)


def test_an_idle_sweep_is_one_request() -> None:
    """It says which queues hold anything. And no lease is taken."""
    world = QuickWorld()
    store = Asked(world.store)
    assert swept(world, store)["status"] == "done"
    assert store.asked == ["folders"]


def test_a_queue_that_holds_something_is_one_request_more() -> None:
    """Here a ticket that is not due."""
    world = QuickWorld()
    for key in (LATER, "_done/0000000000-j1-failed-alert.failed.json", "_dead/dt=2026-11-27/x"):
        world.store.put(key, b"{}")
    store = Asked(world.store)
    assert swept(world, store)["status"] == "done"
    assert store.asked == ["folders", "list"]


def test_an_idle_sweep_with_a_spill_is_one_request_more(tmp_path: Path) -> None:
    """In the spill's own store."""
    world = QuickWorld(SPILL_URL=f"file:{tmp_path}/spill")
    spill: Any = Asked(FolderStore(tmp_path / "spill"))
    ledger: Any = Asked(world.store)
    function = world.function(ledger)._replace(open_spill=lambda settings, time_left: spill)
    function.handle({"Type": "Timer", "TriggerName": "sweep", "Message": "sweep"}, {})
    assert (ledger.asked, spill.asked) == (["folders"], ["list"])


def test_a_hundred_alerts_are_at_most_420_requests() -> None:
    """Four for each: ticket, mark and record are read, and the mark is written. All tickets are
    deleted by one request."""
    world = QuickWorld()
    for number in range(100):
        failed = record(f"j{number:03d}", outcome="failed", state="Failed")
        keep(world.store, failed)
        Outbox(Ledger(world.store)).put(about(failed, "alert.failed"))
    store = Asked(world.store)
    assert swept(world, store)["alerts_sent"] == 100
    assert world.keys("_outbox/") == []
    assert len(store.asked) <= 420
    assert store.asked.count("delete_many") == 2  # and the lease


def retried(count: int) -> tuple[int, int]:
    """The requests of a sweep with so many retries that are due: to COS and to CI."""
    world = QuickWorld(LEASE_WAIT_S="0")
    for number in range(count):
        job = world.submit(UserData=f"u{number}")
        world.fail(job)
        world.deliver(job)
    world.now += 3600
    world.ci.seen.clear()
    store = Asked(world.store)
    assert swept(world, store)["submitted"] == count
    assert [key for key in world.keys("_outbox/") if "-retry" in key] == []
    return len(store.asked), len(world.ci.seen)


def test_tickets_that_were_dealt_with_do_not_pile_up_until_the_end() -> None:
    """Each that a sweep leaves behind, because it was killed, is looked at again."""
    world = QuickWorld(LEASE_WAIT_S="0")
    for number in range(250):
        job = world.submit(UserData=f"u{number}")
        world.fail(job)
        world.deliver(job)
    world.now += 3600

    def dies_at_the_end(number: int, what: str) -> How:
        is_end = what.startswith("delete_many") and len(world.attempts) == 250
        return "dies before" if is_end else "fine"

    with pytest.raises(SimulatedCrash):
        world.sweep(store=Trouble(dies_at_the_end).store(world.memory))
    assert 0 < len(tickets_of(world, "retry")) <= MAX_CLOSED + AT_A_TIME
    world.now += 121
    world.sweep()
    assert tickets_of(world, "retry") == []
    assert len(world.attempts) == 250


def tickets_of(world: QuickWorld, action: str) -> list[str]:
    """The keys of the tickets of an action."""
    return [key for key in world.keys("_outbox/") if key.endswith(f"-{action}.json")]


def test_a_retry_is_at_most_eight_requests_to_the_store_and_two_to_ci() -> None:
    """Ticket, record, lineage and attempt are read; claim, lineage, submission and watch written.
    The ticket goes with the lease. CI describes the job, and takes the new one."""
    (cos, ci), (more_cos, more_ci) = retried(1), retried(21)
    assert (more_cos - cos) / 20 <= 8
    assert (more_ci - ci) / 20 == 2
    assert cos - 8 <= 6  # two listings, the lease, and its listing, the digests, and the end
