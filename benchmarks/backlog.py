"""Rows and bars of what is due and drains, or does not: drain.py plays it."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks import drain, forwarding
from benchmarks.figures import Table

MS = 1000.0
LATENCIES_MS = (20, 50)
"""Of a request to COS or CI, in virtual time."""

A_MINUTE = 10_000_000 / 1440 / 100
"""Failures, where of ten million callbacks a day each hundredth reports one."""

SLOW_MS = 100


class Size(NamedTuple):
    """How much is played. failures: within so many minutes. day: minutes. due, alerts: tickets."""

    failures: int
    minutes: int
    day: int
    due: int
    alerts: int


WHOLE = Size(20_000, 60, 60, 5_000, 2_000)
QUICK = Size(5_000, 15, 20, 5_000, 2_000)
QUICKEST = Size(100, 2, 3, 50, 40)


def measure(table: Table, size: Size) -> None:
    """Play all of it, and put its rows."""
    for ms in LATENCIES_MS:
        _burst(table, size, ms)
    for ms in LATENCIES_MS:
        day = drain.day(ms / MS, A_MINUTE, size.day)
        title = f"10 M callbacks a day, 1 % failing, {ms} ms: "
        was_due = f"{title}longest that a ticket was due"
        table.put(f"backlog.day.{ms}", was_due, "minutes", ours=day.minutes)
        table.put(f"backlog.day_refused.{ms}", f"{title}over CI's limit", "", ours=day.refused)
    for ms in LATENCIES_MS:
        due = drain.due(ms / MS, size.due)
        title = f"{size.due:,} retries due, {ms} ms: "
        table.put(f"backlog.due.{ms}", f"{title}COS requests per submission", "", ours=due.cos)
        table.put(f"backlog.submits.{ms}", f"{title}submissions in a sweep", "", ours=due.submits)
        table.put(f"backlog.took.{ms}", f"{title}the sweep", "s", ours=due.seconds)
    forwarding.measure(table, size.day)
    alerted = drain.alerts(SLOW_MS / MS, size.alerts)
    title = f"{size.alerts:,} alerts, {SLOW_MS} ms: "
    for key, what, unit, value in (
        ("alerts", "the longest sweep", "s", alerted.seconds),
        ("alerts_killed", "sweeps ended by the platform", "", alerted.killed),
        ("alerts_twice", "sent twice", "", alerted.twice),
        ("alerts_never", "never sent", "", alerted.never),
    ):
        table.put(f"backlog.{key}", title + what, unit, ours=value)


def _burst(table: Table, size: Size, ms: int) -> None:
    burst = drain.burst(ms / MS, size.failures, size.minutes)
    title = f"{size.failures:,} failures in {size.minutes} min, {ms} ms: "
    rows = (
        ("burst", "all told after the last", "minutes", burst.minutes),
        ("burst_cos", "COS requests of sweeps per failure", "", burst.cos),
        ("burst_ci", "CI requests per failure", "", burst.ci),
        ("burst_refused", "requests over CI's limit", "", burst.refused),
        ("burst_killed", "sweeps ended by the platform", "", burst.killed),
        ("burst_busy", "time of all sweeps", "s", burst.busy_s),
    )
    for key, what, unit, value in rows:
        table.put(f"backlog.{key}.{ms}", title + what, unit, ours=value)
