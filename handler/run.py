"""One invocation of the function, and the time that its parts may take."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

MAX_TASK_S = 58.0
"""A task's time where the function's own limit is longer: shorter than the timer's minute."""

FALLBACK_S = 10.0
"""Kept of an invocation's time for callbacks that the ledger did not accept: they must be written
elsewhere. A third of the time where the function's limit is short."""

LOG_S = 2.0
"""Kept of that for the log. A tenth of the time where the function's limit is short."""


class Run(NamedTuple):
    """One invocation.

    started: the timer's reading when it began. limit_s: after how many seconds the platform ends
    it; None where it does not, or does not say. timer: seconds, of a clock that only runs forward.
    """

    request_id: str
    started: float
    limit_s: float | None = None
    timer: Callable[[], float] = time.perf_counter

    @classmethod
    def of(cls, context: Mapping[str, Any], timer: Callable[[], float]) -> "Run":
        """Read SCF's context: `request_id` and `time_limit_in_ms` (observed, not documented)."""
        try:
            limit_s = float(context.get("time_limit_in_ms") or 0) / 1000
        except (TypeError, ValueError, OverflowError):
            limit_s = 0.0
        request_id = str(context.get("request_id") or "")[:100]
        # A lone surrogate can't be stored: every callback would become a dead letter.
        request_id = request_id.encode("utf-8", "replace").decode("utf-8")
        return cls(request_id, timer(), limit_s if limit_s > 0 else None, timer)

    def left_for_task(self) -> float:
        """Seconds until the platform ends this invocation, or the next sweep begins."""
        return min(self.limit_s or MAX_TASK_S, MAX_TASK_S) - self._passed()

    def left_for_ledger(self) -> float:
        """Seconds until what the ledger did not accept must be written elsewhere."""
        return self._left(FALLBACK_S, 1 / 3)

    def left_for_spill(self) -> float:
        """Seconds until what is stored nowhere must be in the log."""
        return self._left(LOG_S, 1 / 10)

    def _left(self, reserve_s: float, share: float) -> float:
        if self.limit_s is None:
            return float("inf")
        return self.limit_s - min(reserve_s, self.limit_s * share) - self._passed()

    def _passed(self) -> float:
        return self.timer() - self.started
