"""Rows of `compact`: a day of records on COS, each got by a request, and one file put."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.figures import OURS, Table, exponent
from benchmarks.made_up import day_of_records
from benchmarks.processes import PREFIX, ROOT, Stub

DAY = "2026-09-20"
LATENCY_S = 0.02
MS = 1000.0
MB = 1_000_000.0


def measure(table: Table, stub: Stub, sizes: Sequence[int]) -> None:
    """Fold days of so many records, each in a process of its own, and put the rows."""
    cpus: list[tuple[float, float]] = []
    for size in sizes:
        answer = _fold(stub, size)
        title = f"compact, a day of {size:,} records on COS"
        cpus.append((float(size), answer["cpu"]))
        table.add(f"compact.{size}", f"{title}, CPU", "ms", {OURS: [answer["cpu"] * MS]})
        table.put(f"compact.wall.{size}", f"{title} at 20 ms", "s", ours=answer["wall"])
        table.put(f"compact.size.{size}", f"{title}: the file", "MB", ours=answer["bytes"] / MB)
    title = f"peak memory: compact, a day of {max(sizes):,}"
    table.put("memory.compact", title, "MB", ours=answer["peak_kb"] / MS)
    if len(cpus) > 1:
        table.put("growth.compact", "exponent: compact", "", ours=exponent(cpus))


def _fold(stub: Stub, size: int) -> dict[str, Any]:
    stub.ask("reset")
    stub.declare(day_of_records(DAY, size, PREFIX))
    stub.ask("delay", s=LATENCY_S)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compact_child", DAY],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), **stub.env},
    ).stdout
    answer: dict[str, Any] = json.loads(done)
    if answer["records"] != size:
        raise RuntimeError(f"{answer['records']} of {size} records were folded")
    return answer
