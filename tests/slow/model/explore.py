"""Every state of a scope, breadth first, so that a counter-example is as short as can be.

python -m tests.slow.model.explore            a table of the scopes
python -m tests.slow.model.explore --large    with those that take half an hour and more
"""

from __future__ import annotations

import gc
import sys
import time
from collections import deque
from typing import NamedTuple

from tests.slow.model.promises import PROMISES, RESTS, Judge, is_at_rest
from tests.slow.model.scopes import LARGE, SCOPES, Scope
from tests.slow.model.state import State
from tests.slow.model.workers import SharedWorld
from tests.slow.model.world import World


class Report(NamedTuple):
    """What was found: the promise that is broken, and the shortest way there."""

    scope: str
    states: int
    moves: int
    broken: str | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = (f"{number:3}. {step}" for number, step in enumerate(self.trace, 1))
        verdict = f"broken: {self.broken}" if self.broken else "all promises hold"
        head = f"{self.scope}: {self.states:,} states, {self.moves:,} moves; {verdict}"
        return "\n".join((head, *lines))


def explore(scope: Scope, watched: frozenset[str] = PROMISES) -> Report:
    """Look at every state that can be come to, until one breaks a promise."""
    gc.disable()  # it would look through millions of states that hold no circle
    try:
        return _explore(scope, watched)
    finally:
        gc.enable()


def _explore(scope: Scope, watched: frozenset[str]) -> Report:
    world = (SharedWorld if scope.rules.shared else World)(scope)
    judge = Judge(scope, watched)
    states = [world.canonical(world.initial)]
    numbers = {states[0]: 0}
    came_from = [0]
    due_from: list[list[int]] = [[]]
    moves = 0
    for here, state in enumerate(states):  # grows as it is walked through
        for move in world.moves(state):
            moves += 1
            after = world.canonical(move.state)
            there = numbers.setdefault(after, len(states))
            if there == len(states):
                states.append(after)
                came_from.append(here)
                due_from.append([])
                promise = judge.broken(after)
                if promise:
                    trace = _trace(world, states, came_from, there)
                    return Report(scope.name, len(states), moves, promise, trace)
            if move.due:
                due_from[there].append(here)
    restless = _restless(scope, states, due_from) if RESTS in watched else None
    if restless is None:
        return Report(scope.name, len(states), moves)
    trace = _trace(world, states, came_from, restless)
    return Report(scope.name, len(states), moves, RESTS, trace)


def _restless(scope: Scope, states: list[State], due_from: list[list[int]]) -> int | None:
    """The first state from which no moves that are due lead to one at rest."""
    resting = [number for number, state in enumerate(states) if is_at_rest(scope, state)]
    rests = bytearray(len(states))
    queue = deque(resting)
    for number in resting:
        rests[number] = True
    while queue:
        for before in due_from[queue.popleft()]:
            if not rests[before]:
                rests[before] = True
                queue.append(before)
    restless = rests.find(0)
    return None if restless < 0 else restless


def _trace(world: World, states: list[State], came_from: list[int], at: int) -> tuple[str, ...]:
    """The way to a state, told anew from the start, so that each sweep keeps its name."""
    path = []
    while at:
        path.append(states[at])
        at = came_from[at]
    trace = []
    state = world.initial
    for target in reversed(path):
        move = next(m for m in world.moves(state) if world.canonical(m.state) == target)
        trace.append(str(move))
        state = move.state
    return tuple(trace)


def main() -> None:
    """Print the table."""
    print(f"{'scope':32}{'states':>12}{'moves':>12}{'seconds':>9}")
    only = [name for name in sys.argv[1:] if not name.startswith("-")]
    for scope in (*SCOPES, *LARGE) if "--large" in sys.argv else SCOPES:
        if only and not any(name in scope.name for name in only):
            continue
        began = time.perf_counter()
        report = explore(scope)
        took = time.perf_counter() - began
        print(f"{scope.name:32}{report.states:12,}{report.moves:12,}{took:9.1f}", flush=True)
        if report.broken:
            print(report)


if __name__ == "__main__":
    main()
