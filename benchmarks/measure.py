"""One run over all rows, or over those of some steps."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.counted import Counted
from benchmarks.growth import Growth
from benchmarks.side_by_side import SideBySide


class SweepContext(SideBySide, Counted, Growth):
    """Every step, in order."""

    def run(self, only: Sequence[str] | None = None) -> None:
        """Every row, or those of some steps."""
        for step in (
            self.cold,
            self.counted,
            self.warm,
            self.memory,
            self.requests,
            self.slow,
            self.sizes,
            self.body_growth,
            self.later,
            self.backlog,
            self.queue,
            self.reconcile,
            self.compact,
            self.tool,
            self.pages,
        ):
            if only and step.__name__ not in only:
                continue
            self.say(step.__name__)
            self.stub.ask("reset")
            step()
