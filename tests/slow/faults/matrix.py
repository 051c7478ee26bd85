"""The fault matrix: every operation of the store, of CI and of the channel failing in every way,
alone and in pairs, over the whole way of a failure.

    python -m tests.slow.faults.matrix          what the suite plays in memory
    python -m tests.slow.faults.matrix --all    each call of each operation, and all pairs
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from unittest.mock import patch
from zlib import crc32

from tests.slow.faults.promises import Promises
from tests.slow.faults.story import ENV, PARTS, Timeline, play
from tests.slow.faults.ways import OPERATIONS, WAYS, Wrong
from tests.slow.faults.worlds import MemoryWorld

Case = tuple[Wrong, ...]

CELLS = tuple(itertools.product(OPERATIONS, WAYS))
EVERY = 14
"""Of the pairs the suite plays about each fourteenth; their names decide."""


def tell(*wrong: Wrong) -> tuple[Timeline, list[str]]:
    """Play the whole way in memory; what is broken in the end."""
    # One thread, so that a number always means the same call.
    with patch("handler.parallel.POOL", 1):
        try:
            story = play(MemoryWorld(**ENV), tuple(PARTS), *wrong)
        except AssertionError as error:
            raise AssertionError(f"{' and '.join(map(str, wrong))}: {error}") from error
        return story, Promises(story).broken()


def calls() -> dict[str, int]:
    """How often each operation is called where all is well."""
    return dict(tell()[0].injector.calls)


def singles(counts: dict[str, int], every_call: bool = False) -> Iterator[Case]:
    """Each operation in each way: at its first call and at one of the others, or at each."""
    for operation, way in CELLS:
        count = counts[operation]
        other = _pick(f"{operation} {way}", count)
        for nth in range(1, count + 1) if every_call else sorted({1, other}):
            yield (Wrong(operation, way, nth),)


def pairs(counts: dict[str, int], every: int = 1) -> Iterator[Case]:
    """Each cell with each, itself too; at which calls, their names decide."""
    for cell, other in itertools.combinations_with_replacement(CELLS, 2):
        if crc32(f"{cell} and {other}".encode()) % every:
            continue
        first = _pick(f"{cell} {other}", counts[cell[0]])
        second = _pick(f"{other} {cell}", counts[other[0]])
        if cell[0] == other[0] and first == second:
            second += 1  # right behind the first, or what follows from it
        yield Wrong(*cell, first), Wrong(*other, second)


def _pick(name: str, count: int) -> int:
    return 1 + crc32(name.encode()) % count


def main() -> int:
    """Play, count and tell; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="each call, and all pairs")
    all_of_it = parser.parse_args().all
    counts = calls()
    print(f"{len(CELLS)} cells; calls where all is well: {counts}")
    failures = 0
    for name, cases in (
        ("alone", singles(counts, all_of_it)),
        ("in pairs", pairs(counts, 1 if all_of_it else EVERY)),
    ):
        started = time.perf_counter()
        played = met = 0
        for case in cases:
            story, broken = tell(*case)
            played += 1
            met += len(story.injector.met) == len(case)
            for promise in broken:
                failures += 1
                print(" and ".join(map(str, case)), "→", promise)
        took = time.perf_counter() - started
        print(f"{name}: {played} played, {met} of them met in full, {took:.0f} s")
    print(f"{failures} broken promises")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
