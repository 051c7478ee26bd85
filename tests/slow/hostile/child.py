"""Runs cases in forked processes, and judges what came of each.

    python -m tests.slow.hostile.child PLAN FUNCTION EACH

PLAN is a folder that run.py wrote: plan.json, and each event in a file. FUNCTION is
`module:name` of an entrypoint, and EACH how many cases a process takes. For each case one
line of JSON goes to stdout.

This process imports the function, takes callbacks through it until it is warm, and then
forks. Linux counts the peak of a forked process from its own start (ru_maxrss), so the peak
less what it was at the start is what the case took, its event included, as decoded from JSON,
and what the cases before it in the same process left behind: never too little. A case that is
slow or large, and what follows one that ended its process, is run in a process of its own.
Time is the processor's: the ledger is in memory, so the function waits for nothing, and what
else the machine has to do does not count.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.slow.hostile.judge import Scene, faults
from tests.slow.hostile.warm import CALLBACKS
from tests.slow.hostile.watch import Watch

MAX_S = 1.0
MAX_BYTES = 64 * 1024 * 1024
GIVE_UP_S = 30

_UNIT = 1 if sys.platform == "darwin" else 1024
CONTEXT = {"request_id": "torture-1", "time_limit_in_ms": 55_000, "memory_limit_in_mb": 256}

Handler = Callable[[Any, Any], Any]
Row = Mapping[str, Any]
Run = Callable[[Row, int], dict[str, Any]]
"""A case, and the peak of the process when it began: to what came of it."""


def main(plan: Path, function: str, each: int) -> None:
    module, _, name = function.partition(":")
    handler: Handler = getattr(importlib.import_module(module), name)
    watch = Watch()
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=_in_memory()))
    try:
        _warm(handler, folder)
        rig = _Rig(handler, watch, plan, folder, os.environ.copy())
        cases = json.loads((plan / "plan.json").read_bytes())
        for outcome in _outcomes(rig.run, cases, each):
            print(json.dumps(outcome), flush=True)
    finally:
        shutil.rmtree(folder)


def _in_memory() -> str | None:
    """A file system without a disk, where there is one: the disk's pace is not the function's."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _warm(handler: Handler, folder: Path) -> None:
    """Let everything be imported that a callback may need."""
    environment = dict(os.environ)
    os.environ["LEDGER_URL"] = f"file:{folder}/warm"
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        for body in CALLBACKS:
            with contextlib.suppress(Exception):  # a bad function is for the cases to find out
                handler({"httpMethod": "POST", "path": "/", "headers": {}, "body": body}, CONTEXT)
    os.environ.clear()
    os.environ.update(environment)
    gc.collect()
    gc.freeze()


def _outcomes(run: Run, cases: Sequence[Row], each: int) -> Iterator[dict[str, Any]]:
    """Of every case, in order. A slow or a large one is tried again alone: the less counts."""
    left = list(cases)
    while left:
        batch = left[:each]
        outcomes = _forked(run, batch)
        left = left[len(outcomes) :]
        for case, first in zip(batch, outcomes, strict=False):
            best = first
            if _is_heavy(first):
                best = _lighter(first, *_forked(run, [case]))
            if best["seconds"] > MAX_S:
                best["faults"].append(f"took {best['seconds']:.2f} s, more than {MAX_S:g}")
            if best["bytes"] > MAX_BYTES:
                best["faults"].append(f"took {best['bytes'] / 2**20:.0f} MB, more than 64")
            yield best


def _lighter(first: Row, again: Row) -> dict[str, Any]:
    """The faults of both runs, and of each figure the lesser."""
    return {
        **first,
        "faults": list(dict.fromkeys([*first["faults"], *again["faults"]])),
        "seconds": min(first["seconds"], again["seconds"]),
        "bytes": min(first["bytes"], again["bytes"]),
    }


def _is_heavy(outcome: Row) -> bool:
    return bool(outcome["seconds"] > MAX_S or outcome["bytes"] > MAX_BYTES)


def _forked(run: Run, batch: Sequence[Row]) -> list[dict[str, Any]]:
    """What one process makes of them, up to and with the case that ended it."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            with open(writing, "w", encoding="ascii") as pipe:
                idle = _peak()
                for case in batch:
                    signal.alarm(GIVE_UP_S)
                    pipe.write(json.dumps(run(case, idle)) + "\n")
                    pipe.flush()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)  # whatever happened: the loop of the parent is not this process's
    os.close(writing)
    with open(reading, encoding="ascii") as pipe:
        outcomes: list[dict[str, Any]] = [json.loads(line) for line in pipe]
    _, status = os.waitpid(process, 0)
    if len(outcomes) < len(batch):
        name = batch[len(outcomes)]["name"]
        how = f"was given up after {GIVE_UP_S} s" if status & 0x7F == signal.SIGALRM else "died"
        fault = f"the process {how} (status {status})"
        outcomes.append({"name": name, "faults": [fault], "seconds": 0.0, "bytes": 0, "opened": []})
    return outcomes


@dataclass(frozen=True)
class _Rig:
    """What every case is run with: the function, whom it is watched by, where the events are and
    its ledgers go, and the environment of each case but for the case's own."""

    handler: Handler
    watch: Watch
    plan: Path
    folder: Path
    environment: Mapping[str, str]

    def run(self, case: Row, idle: int) -> dict[str, Any]:
        """Runs in the forked process."""
        os.environ.clear()
        os.environ.update(self.environment)
        place = Path(tempfile.mkdtemp(dir=self.folder))
        os.environ.update({"LEDGER_URL": f"file:{place}/ledger", **case["env"]})
        output, errors = io.StringIO(), io.StringIO()
        raised, answer = "", None
        descriptors = len(os.listdir("/dev/fd"))
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            with open(self.plan / case["event"], encoding="ascii") as file:
                event = json.load(file)
            self.watch.start(place)
            started = time.process_time()
            try:
                answer = self.handler(event, dict(CONTEXT))
            except BaseException as error:  # whatever it is, it should not have come out
                raised = f"{type(error).__name__} left the function"
            seconds = time.process_time() - started
            self.watch.stop()
        took = _peak() - idle
        opened = list(self.watch.seen)
        if len(os.listdir("/dev/fd")) != descriptors:
            opened.append("a descriptor that was left open")
        problems = [raised] if raised else []
        if errors.getvalue():
            problems.append(f"wrote to stderr: {errors.getvalue()[:200]!r}")
        if threading.active_count() != 1:
            problems.append("left a thread running")
        if not raised:
            problems += faults(case, Scene(event, answer, output.getvalue(), place))
        shutil.rmtree(place)
        return {
            "name": case["name"],
            "faults": problems + [f"opened {item}" for item in opened],
            "seconds": seconds,
            "bytes": took,
            "opened": opened,
        }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
