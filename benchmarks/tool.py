"""Rows of the command line over a ledger of ten days, in a folder and on COS with 20 ms a request.

Each command is a process of its own, as a person starts it, with `-v`: its requests are those that
it counts itself. The days are the last ten, since `show` asks for the last ones first.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.figures import Table
from benchmarks.made_up import day_of_records
from benchmarks.processes import PREFIX, ROOT, Stub
from benchmarks.stub_objects import Range

DAYS = 10
LATENCY_S = 0.02
TURNS = 3
"""Times that a command is run which leaves nothing behind; the median counts."""

SQL = "SELECT tag, outcome, count(*) AS jobs FROM jobs GROUP BY ALL"


class Took(NamedTuple):
    """One command: seconds, those of its processor, and its requests by kind."""

    seconds: float
    cpu: float
    requests: Mapping[str, int]


class Place(NamedTuple):
    """Where a ledger is. records: in all of it."""

    key: str
    title: str
    env: Mapping[str, str]
    records: int
    scratch: Path


def measure(table: Table, stub: Stub, records: int) -> None:
    """Make the ledger twice, run the commands, and put their rows."""
    days = [day_of_records(name, records // DAYS) for name in last_days()]
    with tempfile.TemporaryDirectory(prefix="ci-callback-bench-") as scratch:
        base = Path(scratch)
        root = base / "ledger"
        for day in days:
            write(root, day)
        stub.ask("reset")
        for name in last_days():
            stub.declare(day_of_records(name, records // DAYS, PREFIX))
        stub.ask("delay", s=LATENCY_S)
        url = {"LEDGER_URL": f"file:{root}"}
        _place(table, Place("folder", "a folder", url, records, base / "of-folder"), days)
        _place(table, Place("cos", "COS at 20 ms", stub.env, records, base / "of-cos"), days)


def last_days() -> list[str]:
    """The last ten UTC days, today's last."""
    today = datetime.now(timezone.utc).date()
    return [str(today - timedelta(back)) for back in reversed(range(DAYS))]


def write(root: Path, day: Range) -> None:
    """The records of a day as files."""
    for number in range(day.count):
        path = root / day.key(number)
        if not number:
            path.parent.mkdir(parents=True)
        path.write_bytes(day.content(number))


def _place(table: Table, place: Place, days: Sequence[Range]) -> None:
    def put(key: str, what: str, took: Sequence[Took]) -> None:
        title = f"{place.records:,} records, {place.title}: {what}"
        seconds = median(one.seconds for one in took)
        table.put(f"tool.{place.key}.{key}", title, "s", ours=seconds)
        cpu = median(one.cpu for one in took)
        table.put(f"tool.{place.key}.{key}.cpu", "the same: CPU", "s", ours=cpu)
        for kind, name in (("GET", "gets"), ("LIST", "lists")):
            count = took[0].requests.get(kind, 0)
            table.put(
                f"tool.{place.key}.{key}.{name}", f"the same: {kind} requests", "", ours=count
            )

    newest, oldest = (Path(day.key(day.count // 2)).stem for day in (days[-1], days[0]))
    put("jobs", "jobs --limit 20", _turns(place, "jobs", "--limit", "20"))
    put("show", "show a job of today", _turns(place, "show", newest))
    put("show_old", f"show a job of {DAYS} days ago", _turns(place, "show", oldest))
    copies = place.scratch / "copies"
    query: tuple[str, ...] = ("query", "--copies", str(copies), SQL)
    if place.key == "cos":
        put("query_copy", "query that copies the ledger", [_run(place, *query)])
        put("query_listing", "query that asks COS for what is new", _turns(place, *query))
        shutil.rmtree(copies / "queries", ignore_errors=True)
    again, once = query, ""
    if place.key == "cos":
        again, once = (*query, "--offline"), " once it is copied (--offline)"
    put("query_first", f"query, the first time{once}", [_run(place, *again)])
    put("query_next", f"query, the next time{once}", _turns(place, *again))
    size = sum(path.stat().st_size for path in (copies / "queries").rglob("*.parquet"))
    title = f"{place.records:,} records, {place.title}: the cache of queries"
    table.put(f"tool.{place.key}.cache", title, "MB", ours=size / 1e6)
    compact = [part for day in days for part in ("--date", day.before.split("/dt=")[1][:10])]
    put("compact", f"compact, {DAYS} days", [_run(place, "compact", *compact)])
    anew = ("query", "--copies", str(place.scratch / "compacted"), SQL)
    put("query_compacted", "query of compacted days, the first time", [_run(place, *anew)])


def _turns(place: Place, *arguments: str) -> list[Took]:
    return [_run(place, *arguments) for _ in range(TURNS)]


def _run(place: Place, *arguments: str) -> Took:
    """A command, as a person starts it.

    Raises:
        RuntimeError: it failed, or printed nothing.
    """
    begun, cpu = time.perf_counter(), _cpu()
    done = subprocess.run(
        [sys.executable, "-m", "ci_callback", "-v", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), **place.env},
        check=False,
    )
    seconds = time.perf_counter() - begun
    if done.returncode or not done.stdout:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return Took(seconds, _cpu() - cpu, requests_of(done.stderr))


def _cpu() -> float:
    """Seconds that processes took which were waited for; the stub still runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def requests_of(stderr: str) -> dict[str, int]:
    """The requests by kind, as `-v` prints them."""
    (line,) = re.findall(r"^requests to the ledger: (.*)$", stderr, re.M)
    counted = re.findall(r"(\d[\d,]*) ([A-Z]+)", line)
    return {kind: int(count.replace(",", "")) for count, kind in counted}
