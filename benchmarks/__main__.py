"""Measure everything: python -m benchmarks [--quick]. Prints the table, writes dist/bench.json and
docs/bench.svg; fails where a bar fails."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import backlog, chart, compaction, figures, measure, pages, rig, tool, trees
from benchmarks.processes import ROOT, Stub
from tools.environment import StepError

WITHOUT_PEERS = frozenset({"backlog", "compact", "tool", "pages"})
"""Steps of which nothing is compared: `--only` one of them installs no packages."""


def main() -> None:
    """Parse the arguments, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs and smaller ledgers")
    parser.add_argument("--python", type=Path, help="the interpreter that runs all peers")
    parser.add_argument("--only", nargs="+", help="steps of the run: cold warm memory …")
    parser.add_argument("--json", type=Path, default=ROOT / "dist" / "bench.json")
    parser.add_argument("--svg", type=Path, default=ROOT / "docs" / "bench.svg")
    parser.add_argument("--records", type=int, help="in the ledgers of compact, tool and pages")
    chosen = parser.parse_args()
    started = time.monotonic()
    effort = rig.QUICK if chosen.quick else rig.FULL
    if chosen.records:
        effort = replace(effort, ledgers=(chosen.records,), tool=chosen.records)
    if chosen.only and set(chosen.only) <= WITHOUT_PEERS:
        table = _without_peers(effort, chosen.only)
    else:
        table = run(_built(chosen.python), effort, chosen.only)
    table.about = {**table.about, "seconds": round(time.monotonic() - started)}
    chosen.json.parent.mkdir(exist_ok=True)
    chosen.json.write_text(json.dumps(table.to_json(), indent=1) + "\n", "utf-8")
    if not chosen.only:
        chosen.svg.write_text(chart.draw(table), "utf-8")
    print(table.to_text())
    if table.failing():
        sys.exit(f"benchmarks: {len(table.failing())} of what must hold fails")


def _without_peers(effort: rig.Effort, only: list[str]) -> figures.Table:
    """Steps that need neither bundles nor packages."""
    load = os.getloadavg()[0]
    table = figures.Table({**about(Path(sys.executable)), "load_before": load})
    with Stub() as stub:
        if "backlog" in only:
            backlog.measure(table, effort.backlog)
        if "compact" in only:
            compaction.measure(table, stub, effort.ledgers)
        if "tool" in only:
            tool.measure(table, stub, effort.tool)
    if "pages" in only:
        pages.measure(table, effort.tool)
    return table


def _built(python: Path | None) -> trees.Trees:
    try:
        return trees.build(trees.python_for(python), list(figures.PEERS))
    except StepError as error:
        sys.exit(f"benchmarks: {error}")


def run(built: trees.Trees, effort: rig.Effort, only: list[str] | None = None) -> figures.Table:
    """Measure the rows; what is measured just now is told on stderr."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", file=sys.stderr, flush=True)

    table = figures.Table({**about(built.python), "load_before": os.getloadavg()[0]})
    with Stub(built.certificates) as stub:
        measure.SweepContext(built, stub, effort, table, say).run(only)
    say("done")
    return table


def about(python: Path) -> dict[str, object]:
    """Where it was measured, so that figures of two runs are not taken for comparable ones."""
    version = subprocess.run([python, "-V"], check=True, capture_output=True, text=True).stdout
    return {
        "python": version.split()[-1],
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


if __name__ == "__main__":
    main()
