"""Instructions that a process executes in user space: a count does not waver as times do.

perf counts them in the processor, where the machine lets it; valgrind's cachegrind counts them in
its own interpreter, fifty times slower, and needs nothing of the machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

NO_COUNTER = "instructions are not counted: neither perf stat nor valgrind works here"


class Counter(NamedTuple):
    """A program that runs another one and counts its instructions. prefix: what stands before the
    other's command. pattern: finds the count in what it writes to stderr."""

    name: str
    prefix: tuple[str, ...]
    pattern: str


PERF = Counter("perf stat", ("perf", "stat", "-x,", "-e", "instructions:u"), r"^(\d+),.*instr")
CACHEGRIND = Counter(
    "valgrind",
    ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"),
    r"I\s+refs:\s+([\d,]+)",
)


def find() -> Counter | None:
    """A counter that works on this machine; None where there is none."""
    for counter in (PERF, CACHEGRIND):
        if shutil.which(counter.prefix[0]) and _counted(counter, ["true"], "", {}) is not None:
            return counter
    return None


def count(
    counter: Counter, command: Sequence[str], given: str, env: Mapping[str, str]
) -> tuple[float, str]:
    """Instructions of a command that reads `given`, and what it wrote.

    Raises:
        RuntimeError: they were not counted.
    """
    counted = _counted(counter, command, given, env)
    if counted is None:
        raise RuntimeError(f"{counter.name} counted nothing of {' '.join(command)}")
    return counted


def _counted(
    counter: Counter, command: Sequence[str], given: str, env: Mapping[str, str]
) -> tuple[float, str] | None:
    done = subprocess.run(
        [*counter.prefix, *command],
        input=given,
        check=False,
        capture_output=True,
        text=True,
        env=dict(env) or None,
    )
    found = re.search(counter.pattern, done.stderr, re.MULTILINE)
    return (float(found[1].replace(",", "")), done.stdout) if found else None
