"""Time that passes by the requests and the CPU that are charged, and threads that share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from handler.parallel import POOL

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class VirtualTime:
    """A clock. now: epoch seconds, of the thread that runs. cpu_s: charged so far, on one core."""

    now: float
    cpu_s: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)

    def clock(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Waiting moves the clock."""
        self.now += seconds

    def charge(self, kind: str, latency_s: float, cpu_s: float) -> None:
        """One request: the thread waits for the answer, and reads it."""
        self.requests[kind] += 1
        self.cpu_s += cpu_s
        self.now += latency_s + cpu_s

    def parallel(
        self, do: Callable[[Item], Result], items: Sequence[Item], /, width: int | None = None
    ) -> list[Result]:
        """As in_parallel: so many threads, each with the next item, on one core.

        The threads wait for the network at the same time, and compute one after another.
        """
        begun, cpu_before = self.now, self.cpu_s
        threads = [begun] * (width or POOL)
        results = []
        for item in items:
            thread = min(range(len(threads)), key=threads.__getitem__)
            self.now = threads[thread]
            results.append(do(item))
            threads[thread] = self.now
        self.now = max(*threads, begun + self.cpu_s - cpu_before)
        return results
