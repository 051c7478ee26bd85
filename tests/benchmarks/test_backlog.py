"""backlog.py and drain.py: the real sweep in virtual time, in small."""

from __future__ import annotations

import pytest

from benchmarks import backlog, drain, sweep_world
from benchmarks.figures import BARS, Table
from benchmarks.sweep_world import MadeUpStore, World
from benchmarks.virtual_time import VirtualTime
from handler.ledger.store import Store
from tests.stores import MemoryStore

LATENCIES_S = [0.05, pytest.param(0.02, marks=pytest.mark.slow)]


@pytest.mark.parametrize("latency_s", LATENCIES_S)
def test_a_burst_of_failures_is_told_within_ten_minutes(latency_s: float) -> None:
    """At 333 a minute, of which a fifth fails again."""
    burst = drain.burst(latency_s, 666, 2)
    assert burst.minutes <= 10
    assert (burst.killed, burst.refused) == (0, 0)
    assert burst.cos < 15
    assert 2 < burst.ci < 3


def test_failures_that_come_evenly_do_not_pile_up() -> None:
    """69 a minute, and the watches of those of ten minutes before."""
    day = drain.day(0.02, backlog.A_MINUTE, 20)
    assert day.minutes <= 3
    assert day.refused == 0


@pytest.mark.parametrize("latency_s", LATENCIES_S)
def test_what_is_due_costs_the_same_however_much_it_is(latency_s: float) -> None:
    """5,000 retries, of which a sweep comes to a part: none is read that is not dealt with."""
    due = drain.due(latency_s, 5_000)
    assert due.cos <= 10
    assert due.submits > 550
    assert due.seconds < sweep_world.LIMIT_S


def test_alerts_end_in_time_where_each_request_takes_a_tenth_of_a_second() -> None:
    """And none is sent twice."""
    alerted = drain.alerts(0.1, 2_000)
    assert alerted.seconds < sweep_world.LIMIT_S
    assert (alerted.killed, alerted.twice, alerted.never) == (0, 0, 0)


def test_a_sweep_that_takes_too_long_is_ended_by_the_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever it is; what it began is finished by later ones, and nothing is sent twice."""
    monkeypatch.setattr("handler.retries.sweep.READING_SHARE", 1.0)
    alerted = drain.alerts(0.5, 1_500)
    assert alerted.killed > 0
    assert alerted.twice == 0


def test_requests_over_its_limit_are_refused_by_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a sweep that is too fast shows."""
    monkeypatch.setattr(sweep_world, "CI_PER_S", 10)
    assert drain.burst(0.02, 40, 1).refused > 0


def test_sweeps_that_never_drain_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tickets a minute are less than come."""
    monkeypatch.setattr("handler.retries.batches.TICKETS_PER_S", 0.05)
    assert drain.day(0.02, 10.0, 12).minutes > 3


def test_the_made_up_store_lists_as_a_store_does() -> None:
    """By prefix, from one key to another, and by folder."""
    made_up, real = MadeUpStore(World(0.0, VirtualTime(0.0))), MemoryStore()
    stores: tuple[Store, Store] = (made_up, real)
    for store in stores:
        for key in ("_a/1", "_a/2", "_b/1", "_b/2", "jobs/1", "jobs/2"):
            store.put(key, b"1")
        store.delete_many(["_b/1", "_b/2", "jobs/1"])
    for prefix in ("", "_", "_a/", "jobs/", "none"):
        assert list(made_up.list(prefix)) == list(real.list(prefix))
        assert [*made_up.folders(prefix)] == [*real.folders(prefix)]
    assert list(made_up.list("_a/", stop="_a/2")) == list(real.list("_a/", stop="_a/2"))
    assert list(made_up.list("_a/", after="_a/1")) == list(real.list("_a/", after="_a/1"))
    assert not made_up.put_new("_a/1", b"2")


@pytest.mark.slow
def test_each_bar_of_the_backlog_has_its_row() -> None:
    """A bar without a figure would hold for ever."""
    table = Table()
    backlog.measure(table, backlog.QUICKEST)
    bars = [bar for bar in BARS if bar.top.startswith("backlog.")]
    assert len(bars) == 16
    assert {bar.top for bar in bars} <= table.rows.keys()
    assert [bar.name for bar in bars if bar.holds(table.rows) is None] == []
