"""Rows of instructions: of a cold start, of a refused request, and of one warm callback."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from benchmarks import instructions, payloads
from benchmarks.instructions import Counter
from benchmarks.rig import NO_BODY, SCHEMES, Rig, Scheme, expect
from benchmarks.side_by_side import STRANGER

MILLION = 1e6
BEFORE = 10
"""Callbacks of a process before those that are counted: they fill caches."""

AT_ONCE = 2
"""Processes whose instructions are counted at one time: a count does not depend on the others."""

_COLD = ("ours", "typical", "limit", "bare", "typical+pyc", "limit+")
_WARM = ("ours", "limit", "limit+")
"""Peers, those with a bar among them: boto3 and the framework take a minute each."""


class _Run(NamedTuple):
    """A process whose instructions are counted: these events, each so many times."""

    peer: str
    events: Sequence[tuple[Mapping[str, Any], int]]
    status: int = 200
    scheme: Scheme = "https"


class Counted(Rig):
    """The steps whose rows are counts of instructions, in millions."""

    def counted(self) -> None:
        """Cold and warm; nothing where the machine has no counter."""
        counter = instructions.find()
        if counter is None:
            self.say(instructions.NO_COUNTER)
            return
        self.say(f"instructions by {counter.name}")
        self._count_cold(counter)
        self._count_warm(counter)

    def _count_cold(self, counter: Counter) -> None:
        event = payloads.event(payloads.documented("Translation", "xml"))
        peers = [peer for peer in _COLD if peer in self.peers]
        for scheme, over in SCHEMES.items():
            runs = {peer: _Run(peer, [(event, 1)], scheme=scheme) for peer in peers}
            title = f"instructions, cold start, {over}"
            self.table.put(f"cold.{scheme}.ir", title, "M", **self._count(counter, runs))
        readers = [peer for peer in peers if peer not in NO_BODY]
        runs = {peer: _Run(peer, [(STRANGER, 1)], 401, "none") for peer in readers}
        title = "instructions, refused, cold"
        self.table.put("refused.ir", title, "M", **self._count(counter, runs))

    def _count_warm(self, counter: Counter) -> None:
        bodies = {**payloads.small(), "failed": ("failed", payloads.failed())}
        for name, (title, body) in bodies.items():
            event = payloads.event(body)
            figures: dict[str, float | str] = {}
            for peer in (peer for peer in _WARM if peer in self.peers):
                if peer in NO_BODY and name != next(iter(bodies)):
                    continue  # it reads none of them
                both = {
                    "before": _Run(peer, [(event, BEFORE)]),
                    "after": _Run(peer, [(event, BEFORE + self.effort.counted)]),
                }
                counts = self._count(counter, both)
                figures[peer] = (counts["after"] - counts["before"]) / self.effort.counted
            self.table.put(f"warm.ir.{name}", f"instructions, warm: {title}", "M", **figures)

    def _count(self, counter: Counter, runs: Mapping[str, _Run]) -> dict[str, float]:
        self.stub.ask("reset")

        def counted(run: _Run) -> float:
            function = self.function(run.peer, run.scheme)
            lines = [function.command_for(event, count) for event, count in run.events]
            count, written = instructions.count(
                counter, function.command, "".join(lines), function.env
            )
            for line in written.splitlines():
                expect(json.loads(line), run.status)
            return count / MILLION

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(runs, pool.map(counted, runs.values()), strict=True))
