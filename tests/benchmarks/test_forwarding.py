"""forwarding.py: the real task in virtual time, in small."""

from __future__ import annotations

import pytest

from benchmarks import forwarding
from benchmarks.figures import BARS, Table
from benchmarks.sweep_world import LIMIT_S


@pytest.mark.parametrize("latency_s", [0.02, 0.05])
def test_a_million_jobs_a_day_reach_two_destinations(latency_s: float) -> None:
    """Within each minute, below three requests for each event, none twice."""
    run = forwarding.played(latency_s, forwarding.A_MINUTE, 3)
    assert run.longest_s < LIMIT_S / 2
    assert run.requests < 2.2
    assert (run.left, run.twice) == (0, 0)


def test_more_than_a_minute_holds_is_left_for_the_next_run() -> None:
    """So a task that is too slow shows."""
    assert forwarding.played(2.0, 300, 1).left > 0


def test_its_rows_are_those_of_its_bars() -> None:
    """A bar of a row that is never put would hold nothing."""
    table = Table({})
    forwarding.measure(table, 1)
    rows = {row.key for row in table.rows.values()}
    bars = {bar.top for bar in BARS if bar.top.startswith("events.")}
    assert bars == {key for key in rows if key.startswith("events.")}
