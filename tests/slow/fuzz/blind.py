"""The target of events without the guidance of coverage: several times as many invocations of the
function a second as a guided run makes, on every Python.

    python -m tests.slow.fuzz.blind --invocations 1000000 --seed 1

Prints the figures, and what became of the tickets. Exit status: 0 where no promise was broken; 1
where one was, and the inputs are then under dist/fuzz/.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.slow.fuzz import seeds
from tests.slow.fuzz.mutate import mutator
from tests.slow.fuzz.run import FOUND, MAX_INPUT_BYTES
from tests.slow.fuzz.target import TARGETS
from tests.slow.fuzz.world import COUNT

MAX_CHANGES = 4
"""Of one input."""


class Figures(NamedTuple):
    """Of one run. counts: as world.COUNT has them. broken: inputs that broke a promise."""

    executions: int
    seconds: float
    counts: Counter[str]
    broken: tuple[Path, ...]

    def __str__(self) -> str:
        counts = Counter(self.counts)
        events, timers = counts.pop("event", 0), counts.pop("timer", 0)
        lines = [
            f"{self.executions:,} executions, {events:,} events and {timers:,} timer runs in "
            f"{self.seconds:,.0f} s, {len(self.broken)} broke a promise",
            *(f"{count:>10,}  {name}" for name, count in counts.most_common()),
        ]
        return "\n".join(lines)


def run(invocations: int, seed: int, folder: Path = FOUND) -> Figures:
    """Change seeds and corpus at random until the function was invoked so often. The same seed
    makes the same inputs."""
    dice = random.Random(seed)
    mutate = mutator("event", lambda data, limit: data[:limit])
    known = [*seeds.seeds("event"), *(path.read_bytes() for path in seeds.corpus("event"))]
    before, started, executions = Counter(COUNT), time.monotonic(), 0
    broken: list[Path] = []
    while sum(COUNT[kind] - before[kind] for kind in ("event", "timer")) < invocations:
        data = dice.choice(known)
        for _ in range(dice.randint(1, MAX_CHANGES)):
            data = mutate(data, MAX_INPUT_BYTES, dice.getrandbits(32))
        executions += 1
        try:
            TARGETS["event"](data)
        except Exception:  # whatever it is, the run goes on and fails at its end
            traceback.print_exc()
            folder.mkdir(parents=True, exist_ok=True)
            broken.append(folder / f"event-blind-{seeds.file_name(data)}")
            broken[-1].write_bytes(data)
    return Figures(executions, time.monotonic() - started, COUNT - before, tuple(broken))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.slow.fuzz.blind",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--invocations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    figures = run(options.invocations, options.seed)
    print(figures)
    for path in figures.broken:
        print(f"A promise was broken by {path}", file=sys.stderr)
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())
