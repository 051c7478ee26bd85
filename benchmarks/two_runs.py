"""Two runs beside each other, for docs/performance.md:
python -m benchmarks.two_runs FIRST.json SECOND.json [--write docs/performance.md]."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from benchmarks.figures import BARS, Row, Table, columns

BEGIN, END = "## The tables\n", "## What each step gives\n"


def table_of(run: dict[str, Any]) -> Table:
    """What `Table.to_json` wrote. Raises KeyError for anything else."""
    rows = (
        Row(row["key"], row["title"], row["unit"], row["values"], row["samples"])
        for row in run["rows"]
    )
    return Table(run["about"], {row.key: row for row in rows})


def section(first: Table, second: Table) -> str:
    """The text under the heading: machine, spread, the bars of both, and each run whole. Raises
    ValueError where one run left out what the other measured."""
    if first.rows.keys() != second.rows.keys():
        raise ValueError("one run has rows that the other has not")
    return "\n".join(
        [
            _told(first, second),
            "",
            *_block(_bars(first, second)),
            "The first run:",
            "",
            *_block(first.rows_to_text()),
            "<details><summary>The second run</summary>",
            "",
            *_block(second.rows_to_text()),
            "</details>",
            "",
        ]
    )


def written(document: str, text: str) -> str:
    """The document with the section in place of the one it has. Raises ValueError where the
    headings around it are not there."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"not between {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def spread(first: Table, second: Table, of: str) -> float:
    """The largest difference of a bar's figure between the runs, among the bars that `of` names."""
    pairs = (
        (bar.measured(first.rows), bar.measured(second.rows)) for bar in BARS if of in bar.name
    )
    return max((abs(a - b) for a, b in pairs if not math.isnan(a - b)), default=0.0)


def _told(first: Table, second: Table) -> str:
    about, runs = first.about, (first, second)
    took = " and ".join(_minutes(run.about["seconds"]) for run in runs)
    loads = " and ".join(f"{run.about['load_before']:.1f}" for run in runs)
    failing = sorted({name for run in runs for name in run.failing()})
    held = (
        f"These bars failed in one of them: {'; '.join(failing)}."
        if failing
        else "Every bar held in both."
    )
    return (
        f"Two runs of `make bench`: Python {about['python']}, "
        f"{about['machine']}, {about['cpus']} processors (load before: {loads}), "
        f"{str(about['measured_at'])[:10]}, {took}. {held} Between the two, ratios of "
        f"CPU time moved by up to {spread(first, second, 'CPU /'):.2f}, those of instructions "
        f"by up to {spread(first, second, 'instructions'):.2f}. "
        "`python -m benchmarks.two_runs` writes this section."
    )


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _bars(first: Table, second: Table) -> str:
    lines = [["what must hold", "first", "second", "bar"]]
    for bar in BARS:
        lines.append([bar.name, bar.shown(first.rows), bar.shown(second.rows), bar.bound])
    return columns(lines)


def _block(text: str) -> list[str]:
    return ["```", text, "```", ""]


def main() -> None:
    """Print the section, or write it into the document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_runs", description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    chosen = parser.parse_args()
    text = section(
        *(table_of(json.loads(run.read_text("utf-8"))) for run in (chosen.first, chosen.second))
    )
    if chosen.write:
        chosen.write.write_text(written(chosen.write.read_text("utf-8"), text), "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
