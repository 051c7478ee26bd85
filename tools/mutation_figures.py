"""Of mutation testing what needs no mutmut: which mutants are chosen, which tests come first, and
the figures."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import NamedTuple

CAUGHT = ("killed", "timeout")
LEFT = ("survived", "no tests")


class Verdict(NamedTuple):
    """What became of a mutant. module: "ledger/keys". status: mutmut's word for it."""

    module: str
    name: str
    status: str


def sample(names: Iterable[str], size: int, seed: int) -> list[str]:
    """So many of the names, at random, in random order.

    Each has its place by its digest, so a change of the code elsewhere leaves the choice.
    """

    def place(name: str) -> bytes:
        return hashlib.sha256(f"{seed}:{name}".encode()).digest()

    return sorted(names, key=place)[:size]


def distance(module: PurePath, test: str) -> int:
    """0 for a test of the module itself, 1 for one of its folder, 2 for any other. module:
    "handler/ledger/keys.py"; test: its node id."""
    mirrored = PurePath("tests", *module.parts[1:-1])
    if test.startswith(f"{mirrored}/test_{module.stem}.py:"):
        return 0
    return 1 if test.startswith(f"{mirrored}/") else 2


def interval(hits: int, tries: int) -> tuple[float, float]:
    """Wilson's interval of a share, at 95 %."""
    if not tries:
        return 0.0, 1.0
    z = 1.96
    share, spread = hits / tries, z * z / tries
    middle = share + spread / 2
    half = z * math.sqrt((share * (1 - share) + spread / 4) / tries)
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def table(made: Mapping[str, int], verdicts: Iterable[Verdict]) -> str:
    """Markdown: a row for each module, the share that was killed, and the names of what was not.

    made: how many mutants there are of each module, judged or not.
    """
    verdicts = [verdict for verdict in verdicts if verdict.status in CAUGHT + LEFT]
    counts: Mapping[str, Counter[str]] = defaultdict(Counter)
    for verdict in verdicts:
        counts[verdict.module][verdict.status] += 1
    rows = [
        f"| {module} | {made[module]} | {of.total()} | {of['killed']} | {of['timeout']} "
        f"| {of['survived'] + of['no tests']} |"
        for module, of in sorted(counts.items())
    ]
    caught, judged = sum(verdict.status in CAUGHT for verdict in verdicts), len(verdicts)
    low, high = interval(caught, judged)
    share = f"{caught} of {judged} killed: {caught / max(judged, 1):.1%}"
    if judged < sum(made.values()):
        share += f" ({low:.1%} to {high:.1%} of all {sum(made.values())}, at 95 % confidence)"
    left = sorted(
        f"{verdict.status}: {verdict.name}" for verdict in verdicts if verdict.status in LEFT
    )
    head = [
        "| module | mutants | judged | killed | timed out | left |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, "", share, "", *left])
