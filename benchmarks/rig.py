"""What every row is measured with: the folders, the stub, how often, and where figures go."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from benchmarks import backlog, payloads, trees
from benchmarks.figures import Table
from benchmarks.processes import Function, Stub

Scheme: TypeAlias = Literal["https", "http", "none"]

MS = 1000.0
SLOW_S = 0.02
"""Injected into every answer of the store, where round trips are measured."""

NO_BODY = ("limit", "limit+", "bare")
"""Peers that read nothing."""

SCHEMES: Mapping[Scheme, str] = {"https": "TLS", "http": "http"}
"""How a store is reached: over TLS in production, and without, as other benchmarks have it."""

Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Effort:
    """How much is measured. Rounds are interleaved; sizes are in bytes and counts."""

    cold: int
    counted: int
    """Warm callbacks whose instructions are counted."""
    warm: int
    warm_calls: int
    large: int
    slow: int
    bodies: tuple[int, ...]
    backlogs: tuple[int, ...]
    batches: tuple[int, ...]
    ledgers: tuple[int, ...]
    """Records of a day that is folded."""
    tool: int
    """Records of a ledger of ten days."""
    growth: int
    jobs_a_day: int
    backlog: backlog.Size


FULL = Effort(
    cold=15,
    counted=40,
    warm=30,
    warm_calls=10,
    large=7,
    slow=5,
    bodies=(10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000),
    backlogs=(0, 900, 9_900, 99_900),
    batches=(1, 10, 100, 1_000),
    ledgers=(1_000, 10_000, 100_000),
    tool=100_000,
    growth=5,
    jobs_a_day=10_000_000,
    backlog=backlog.WHOLE,
)
QUICK = Effort(
    cold=5,
    counted=20,
    warm=10,
    warm_calls=10,
    large=3,
    slow=3,
    bodies=(10_000, 100_000, 1_000_000, 2_000_000),
    backlogs=(0, 99_900),
    batches=(1, 100),
    ledgers=(1_000, 10_000),
    tool=10_000,
    growth=3,
    jobs_a_day=1_000_000,
    backlog=backlog.QUICK,
)
QUICKEST = Effort(
    cold=1,
    counted=2,
    warm=1,
    warm_calls=1,
    large=1,
    slow=1,
    bodies=(10_000, 100_000),
    backlogs=(0, 99_900),
    batches=(1, 100),
    ledgers=(100, 1_000),
    tool=500,
    growth=1,
    jobs_a_day=30_000,
    backlog=backlog.QUICKEST,
)
"""For the harness's own tests: the figures mean nothing."""


@dataclass
class Rig:
    """say: is told what is measured just now."""

    trees: trees.Trees
    stub: Stub
    effort: Effort
    table: Table
    say: Callable[[str], None]

    @property
    def peers(self) -> list[str]:
        return list(self.trees.folders)

    def function(self, peer: str, scheme: Scheme = "https", **env: str) -> Function:
        """A peer's function, not started yet. scheme: how it reaches the stub, none where it makes
        no request."""
        reached = {
            "https": self.stub.tls_env,
            "http": self.stub.env,
            "none": self.stub.unreached_env,
        }[scheme]
        more = {**reached, **self.trees.env.get(peer, {}), **env}
        return Function(self.trees.python, self.trees.folders[peer], more)

    @contextlib.contextmanager
    def all_warm(self, peers: Sequence[str]) -> Iterator[dict[str, Function]]:
        """These functions, each having kept a callback already."""
        with contextlib.ExitStack() as stack:
            warm = {peer: stack.enter_context(self.function(peer)) for peer in peers}
            for function in warm.values():
                function.call(payloads.event(payloads.documented("Translation", "xml")), 5)
            yield warm


def expect(done: Mapping[str, Any], status: int) -> None:
    """A figure of something else would be worse than none.

    Raises:
        RuntimeError: it did not do what is measured.
    """
    answer = done.get("answer") or {}
    if answer.get("statusCode") != status:
        raise RuntimeError(f"{status} was expected: {done.get('error') or answer}")
