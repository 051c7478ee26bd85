"""One fuzz run in a process of its own, and its figures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.slow.fuzz import seeds

ROOT = Path(__file__).parents[3]
FOUND = ROOT / "dist" / "fuzz"
"""Where runs leave what they find; git ignores it."""

MAX_INPUT_BYTES = 16_384
TIMEOUT_S = 10
"""For one input. The slowest takes a tenth of a second."""
RSS_LIMIT_MB = 1_024
GRACE_S = 60
"""For the start, the seeds and the input that is at work when the time is over."""

INVOCATIONS = "invocations of the function:"
"""A line of the child's goes on with those by an event and by a timer, up to then."""

_INVOCATIONS = re.compile(rf"{INVOCATIONS} (\d+) (\d+)")
_PULSE = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)/")
_WRITTEN = re.compile(r"Test unit written to (.+)")
_STAT = re.compile(r"stat::number_of_executed_units:\s+(\d+)")


@dataclass(frozen=True)
class Figures:
    """What a run did. edges: of the instrumented byte code of handler/. seeds: executions that
    the run began with. found: inputs that reached something new. seconds: from start to end.
    events, timers: invocations of the function, without those of the last few executions.
    crashes: inputs that broke a promise, took too long or too much memory."""

    target: str
    seconds: float
    status: int
    executions: int
    edges: int
    seeds: int
    found: int
    events: int
    timers: int
    crashes: tuple[Path, ...]
    report: str
    """The end of what libFuzzer printed."""

    def __str__(self) -> str:
        per_second = self.executions / self.seconds
        return (
            f"{self.target}: {self.executions:,} executions in {self.seconds:,.0f} s "
            f"({per_second:.0f}/s) from {self.seeds:,} seeds, {self.edges:,} edges, "
            f"{self.found:,} new inputs, {len(self.crashes)} crashes; "
            f"{self.events:,} events, {self.timers:,} timer runs"
        )


@dataclass(frozen=True)
class Budget:
    """How long a target is fuzzed: so many seconds or executions, whichever end first; -1
    executions for no bound. seed: 0 for another one each time."""

    seconds: int
    executions: int = -1
    seed: int = 0


def fuzz(
    target: str,
    budget: Budget,
    folder: Path = FOUND,
    echo: Callable[[str], object] = lambda line: None,
) -> Figures:
    """Fuzz a target.

    New inputs are kept in folder/corpus-TARGET, what breaks a promise in folder/TARGET-crash-….
    """
    grown = folder / f"corpus-{target}"
    grown.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    before = set(grown.iterdir())
    with tempfile.TemporaryDirectory() as temporary:
        begin = Path(temporary) / "seeds"
        begin.mkdir()
        for data in seeds.seeds(target):
            (begin / seeds.file_name(data)).write_bytes(data)
        words = Path(temporary) / "words"
        words.write_text(seeds.dictionary(), encoding="ascii")
        flags = [
            f"-max_total_time={budget.seconds}",
            f"-max_len={MAX_INPUT_BYTES}",
            f"-timeout={TIMEOUT_S}",
            f"-rss_limit_mb={RSS_LIMIT_MB}",
            f"-artifact_prefix={folder}/{target}-",
            f"-dict={words}",
            f"-seed={budget.seed}",
            f"-runs={budget.executions}",
            "-len_control=0",
            "-print_final_stats=1",
        ]
        folders = [grown, begin, seeds.CORPUS / target]
        status, lines = _child([target, *flags, *map(str, folders)], budget.seconds, echo)
    report = "\n".join(lines)
    pulses = _PULSE.findall(report)
    executed = _STAT.search(report)
    invoked = [*_INVOCATIONS.findall(report), ("0", "0")]
    return Figures(
        target,
        time.monotonic() - started,
        status,
        int(executed[1]) if executed else int(pulses[-1][0]) if pulses else 0,
        int(pulses[-1][1]) if pulses else 0,
        len(set(seeds.seeds(target))) + len(seeds.corpus(target)) + len(before),
        len(set(grown.iterdir()) - before),
        max(int(events) for events, _ in invoked),
        max(int(timers) for _, timers in invoked),
        tuple(Path(path) for path in _WRITTEN.findall(report) if "-slow-unit-" not in path),
        "\n".join(lines[-40:]),
    )


def _child(
    arguments: list[str], seconds: int, echo: Callable[[str], object]
) -> tuple[int, list[str]]:
    """Exit status and lines of output. A coverage measurement of the parent is not the child's."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    env["PYTHONHASHSEED"] = "0"
    command = [sys.executable, "-m", "tests.slow.fuzz.child", *arguments]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        watchdog = threading.Timer(seconds + GRACE_S, child.kill)
        watchdog.start()
        assert child.stdout
        for line in child.stdout:
            lines.append(line.rstrip("\n"))
            echo(lines[-1])
        watchdog.cancel()
        return child.wait(), lines
