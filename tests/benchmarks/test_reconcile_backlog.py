"""reconcile_backlog.py: reconciliation of many jobs a day, in virtual time."""

from __future__ import annotations

import pytest

from benchmarks import reconcile_backlog
from benchmarks.reconcile_backlog import Costs, Jobs, MadeUpLedger, play
from benchmarks.virtual_time import VirtualTime

COSTS = Costs(0.02, 0.04, 0.006, 0.004)


def test_what_was_lost_is_taken_in_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, by a number of requests that is far below the number of jobs."""
    monkeypatch.setattr(reconcile_backlog, "LOST_EVERY", 101)
    result = play(400_000, 0.02, COSTS)
    due, taken_in = result.lost
    assert due == taken_in > 20
    jobs = 400_000 * reconcile_backlog.BEHIND_S // 86_400
    assert result.requests["LIST"] + result.requests["GET"] < jobs
    assert result.load < 0.1


def test_the_made_up_ledger_lists_what_it_gives() -> None:
    """In the order of keys, behind one and up to one."""
    virtual = VirtualTime(reconcile_backlog.BEGIN)
    ledger = MadeUpLedger(Jobs(5_000), virtual, COSTS)
    folder = "jobs/dt=2026-09-21/"
    listed = list(ledger.list(folder))
    assert listed == sorted(listed)
    assert 4_500 < len(listed) < 5_000
    assert virtual.requests["LIST"] == 5
    every = [f"{folder}j{rank:08d}.json" for rank in range(5_000)]

    def has(key: str) -> bool:
        virtual.now = reconcile_backlog.BEGIN  # a request takes time, and jobs end meanwhile
        return ledger.get(key) is not None

    assert [key for key in every if has(key)] == listed
    assert list(ledger.list(folder, after=listed[9], stop=listed[12])) == listed[10:12]


def test_threads_wait_together_and_compute_one_after_another() -> None:
    """16 at a time, on one core."""
    waiting = VirtualTime(0)
    waiting.parallel(lambda _: waiting.charge("GET", 1, 0), range(32))
    assert waiting.now == pytest.approx(2)
    computing = VirtualTime(0)
    computing.parallel(lambda _: computing.charge("GET", 0.1, 1), range(32))
    assert computing.now == pytest.approx(32)
    assert computing.requests == {"GET": 32}
