"""Counts of instructions: read from whichever counter works on the machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import instructions
from benchmarks.instructions import CACHEGRIND, PERF, Counter

HASHES = "import hashlib\nfor _ in range({}): hashlib.sha256(b'')"


def writing(text: str) -> Counter:
    """A counter that writes so on stderr, and runs what is behind it."""
    script = f"import subprocess, sys; print({text!r}, file=sys.stderr); " + (
        "sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    )
    return Counter("made up", (sys.executable, "-c", script), PERF.pattern)


@pytest.mark.parametrize(
    ("counter", "line", "expected"),
    [
        (PERF, "1234567,,instructions:u,900,100.00,,", 1234567),
        (CACHEGRIND, "==12== I   refs:      471,049,729", 471049729),
        (CACHEGRIND, "==12== I refs:        7,000", 7000),
    ],
)
def test_the_count_is_what_the_counter_writes(counter: Counter, line: str, expected: float) -> None:
    """As perf 6 and valgrind 3.16 and 3.22 write it."""
    made_up = writing(line)._replace(pattern=counter.pattern)
    count, written = instructions.count(made_up, [sys.executable, "-c", "print(1)"], "", {})
    assert (count, written) == (expected, "1\n")


def test_a_machine_that_counts_nothing_has_no_counter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither program is there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert instructions.find() is None


def test_a_counter_that_the_machine_does_not_let_count_is_an_error() -> None:
    """perf within a virtual machine: a figure of nothing would read as none."""
    refused = writing("<not supported>,,instructions:u,0,100.00,,")
    with pytest.raises(RuntimeError, match="counted nothing"):
        instructions.count(refused, [sys.executable, "-c", ""], "", {})


@pytest.mark.slow
def test_the_counter_of_this_machine_counts_the_same_twice() -> None:
    """Within a per cent; and more work is more instructions."""
    counter = instructions.find()
    if counter is None:
        assert instructions.NO_COUNTER
        return
    command = [sys.executable, "-I", "-S", "-c"]
    once, again, more = (
        instructions.count(counter, [*command, HASHES.format(count)], "", {})[0]
        for count in (1_000, 1_000, 100_000)
    )
    assert again == pytest.approx(once, rel=0.01)
    assert more > once * 1.5
