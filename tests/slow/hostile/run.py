"""Hands the cases to the child, stands the bait out, and puts the figures into a table."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.slow.hostile import (
    envelope_cases,
    http_cases,
    json_cases,
    name_cases,
    size_cases,
    value_cases,
    xml_cases,
)
from tests.slow.hostile.case import Bait, Case

ROOT = Path(__file__).parents[3]

FAMILIES: Mapping[str, Callable[[Bait], list[Case]]] = {
    "XML": xml_cases.cases,
    "JSON": json_cases.cases,
    "HTTP events": http_cases.cases,
    "names": name_cases.cases,
    "times and numbers": value_cases.cases,
    "envelopes": envelope_cases.cases,
    "size": size_cases.cases,
}

PAGE = ROOT / "docs/testing.md"
COLUMNS = 6
"""The page that shows the table, and its columns."""

_NO_BAIT = Bait("http://127.0.0.1:9", "/nowhere", "nothing")

EACH = 25
"""Cases that share a process. A fork costs more than most of them do."""


def each_of(family: str) -> int:
    """How many cases of a family share a process: where memory is what counts, none do."""
    return 1 if family == "size" else EACH


@dataclass(frozen=True)
class Result:
    """What became of one case. seconds and bytes: over the idle process."""

    name: str
    faults: tuple[str, ...]
    seconds: float
    bytes: int
    opened: int
    """Files and sockets that it should not have opened, connections to the bait included."""


class _Port:
    """Listens on loopback and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._came: list[tuple[str, int]] = []
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def visits(self) -> int:
        """How many came so far. Who waits in line is seen: it is counted once this one's own
        knock, behind all of them, has been heard."""
        with socket.create_connection(self.address) as knock, self._changed:
            mine = knock.getsockname()
            self._changed.wait_for(lambda: mine in self._came)
            self._came.remove(mine)
            return len(self._came)

    def close(self) -> None:
        self._is_closing = True
        # Closing a socket does not wake up who waits on it.
        socket.create_connection(self.address).close()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._is_closing:
            connection, came_from = self._socket.accept()
            connection.close()
            with self._changed:
                self._came.append(came_from)
                self._changed.notify_all()


@contextmanager
def standing_out() -> Iterator[tuple[Bait, Callable[[], int]]]:
    """The bait, and how often somebody came to its port."""
    port = _Port()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bait.txt"
            text = "bait-8d21-that-nobody-may-read"
            path.write_text(text)
            yield Bait(f"http://127.0.0.1:{port.address[1]}", str(path), text), port.visits
    finally:
        port.close()


def run(
    cases: Sequence[Case],
    bait: Bait,
    visits: Callable[[], int],
    function: str = "index:main_handler",
    each: int = EACH,
) -> list[Result]:
    """Each case through the function, in order; what became of it. each: cases in a process."""
    twice = [name for name, count in Counter(case.name for case in cases).items() if count > 1]
    if twice:
        raise ValueError(f"cases of one name: {twice[:5]}")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder)
        rows = [_planned(plan, number, case, bait) for number, case in enumerate(cases)]
        (plan / "plan.json").write_text(json.dumps(rows))
        command = [
            sys.executable,
            "-B",
            "-W",
            "error",
            "-m",
            "tests.slow.hostile.child",
            folder,
            function,
            str(each),
        ]
        with subprocess.Popen(
            command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            came = visits()
            for line in process.stdout or ():
                row = json.loads(line)
                before, came = came, visits()
                results.append(_result(row, came - before))
        if process.returncode != 0 or len(results) != len(cases):
            raise RuntimeError(f"the child ended with {process.returncode} after {len(results)}")
    return results


def _result(row: Mapping[str, Any], visits: int) -> Result:
    faults = (*row["faults"], *(["came to the port of the bait"] if visits else []))
    return Result(row["name"], faults, row["seconds"], row["bytes"], len(row["opened"]) + visits)


def _planned(folder: Path, number: int, case: Case, bait: Bait) -> dict[str, Any]:
    event = f"{number}.json"
    (folder / event).write_text(json.dumps(case.made()), encoding="ascii")
    holds = [
        (path.split(".") if isinstance(path, str) else path, value)
        for path, value in case.holds.items()
    ]
    return {
        "name": case.name,
        "event": event,
        "status": case.status,
        "words": case.words,
        "reason": case.reason,
        "key": case.key,
        "holds": holds,
        "env": dict(case.env),
        "bait": bait.text,
    }


def _environment() -> dict[str, str]:
    """As little as may be: no settings of the function, nothing that measures coverage."""
    names = ("PATH", "SYSTEMROOT", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in names if name in os.environ}


def table(results: Mapping[str, Sequence[Result]]) -> str:
    """The figures in Markdown."""
    every = [result for family in results.values() for result in family]
    rows = [_row(name, family) for name, family in results.items()]
    head = (
        "family",
        "inputs",
        "as expected",
        "slowest, ms",
        "most memory over idle, MB",
        "sockets or files opened",
    )
    lines = [head, ("---", *("---:" for _ in head[1:])), *rows, _row("all", every)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    return (
        name,
        f"{len(results):,}",
        f"{sum(not result.faults for result in results):,}",
        f"{max(result.seconds for result in results) * 1000:.0f}",
        f"{max(result.bytes for result in results) / 2**20:.0f}",
        f"{sum(result.opened for result in results):,}",
    )


def counts() -> list[str]:
    """Of each family and of all, how many inputs there are, as the table has it."""
    each = [len(cases(_NO_BAIT)) for cases in FAMILIES.values()]
    return [f"{count:,}" for count in (*each, sum(each))]


def published_counts(page: Path) -> list[tuple[str, str]]:
    """(inputs, as expected) of each row of the table that the page shows."""
    lines = page.read_text(encoding="utf-8").splitlines()
    # Five columns of figures behind the name: no other table of these pages has as many.
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    figures = [row[1:] for row in rows if len(row) == COLUMNS]
    return [(row[0], row[1]) for row in figures if row[0].replace(",", "").isdigit()]


def is_outdated() -> bool:
    """Whether the page's table shows other numbers of inputs than a run of today."""
    return published_counts(PAGE) != [(count, count) for count in counts()]


def main(names: Sequence[str] = ()) -> int:
    """Run these families, or all of them; the exit status."""
    results: dict[str, list[Result]] = {}
    with standing_out() as (bait, visits):
        for name in names or FAMILIES:
            cases = FAMILIES[name](bait)
            results[name] = run(cases, bait, visits, each=each_of(name))
    print(table(results))
    failed = [
        (name, result) for name, family in results.items() for result in family if result.faults
    ]
    for name, result in failed:
        print(f"\n{name}: {result.name}\n  " + "\n  ".join(result.faults), file=sys.stderr)
    outdated = is_outdated()
    if outdated:
        print(f"\n{PAGE.name}: its table shows other numbers of inputs", file=sys.stderr)
    return 1 if failed or outdated else 0
