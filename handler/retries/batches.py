"""Tickets, several at a time: as many as CI, the time and the cap on submissions allow."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from handler.parallel import Parallel, in_parallel
from handler.retries.budget import Budget
from handler.retries.worker import Outcome, Result

AT_A_TIME = 16
"""Tickets. Each makes about ten requests, two of them to CI."""

AT_A_TIME_FAST = 7
"""Where answers come fast: two batches of 16 within a second would make 64 requests to CI. Three of
7, and the first one of 3, make 48."""

SLOW_S = 0.5
"""What a batch takes where answers are slow enough for the larger one: the second request of each
ticket to CI comes at least 0.2 s after the first then, so that no second has more than 48."""

AT_FIRST = 3
"""Until one was dealt with: whether CI answers is not known yet."""

TICKETS_PER_S = 20.0
"""CI takes 50 asynchronous requests a second outside mainland China and for finance, and 100
elsewhere (CI 460/36620): 40 of a sweep's leave room for whoever else submits jobs."""

MAX_CI_FAULTS = 3
"""In a row: then CI is left alone for this sweep."""


@dataclass
class Batches:
    """Works through tickets. process: deals with one, and may be called from several threads.

    sleep and timer: seconds. parallel: deals with a batch. after_batch: called in between, by no
    other thread.
    """

    process: Callable[[str], Outcome]
    budget: Budget
    sleep: Callable[[float], None]
    timer: Callable[[], float]
    parallel: Parallel = in_parallel
    after_batch: Callable[[], None] = lambda: None
    results: Counter[Result] = field(default_factory=Counter)
    submitted: int = 0
    ci_faults: int = 0
    """In a row, up to now."""
    _took_s: float = 0.0
    """The last batch, without the pause before it."""
    _free_at: float = 0.0
    """By the timer: from when on the next batch keeps to the rate, of whichever kind it is."""
    _counting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_ci_down(self) -> bool:
        """Whether CI is asked nothing more."""
        return self.ci_faults >= MAX_CI_FAULTS

    def run(self, names: Sequence[str], max_submits: int | None = None) -> int:
        """Deal with tickets in their order; how many are left.

        max_submits: of all runs together. None: no ticket among these submits.

        Raises:
            StoreError, LeaseLostError: after all that were begun have ended.
        """
        begun, done_before = 0, self.results["done"]
        while begun < len(names) and not self.is_ci_down and self.budget.allows_step():
            # Of each kind a few first: what was done before may not have asked CI.
            width = self._width() if self.results["done"] > done_before else AT_FIRST
            if max_submits is not None:
                width = min(width, max_submits - self.submitted)
            if width <= 0:
                break
            batch = names[begun : begun + width]
            self.sleep(max(0.0, self._free_at - self.timer()))
            started = self.timer()
            self._free_at = started + len(batch) / TICKETS_PER_S
            self.parallel(self._process, batch)
            self._took_s = self.timer() - started
            self.after_batch()
            begun += len(batch)
        return len(names) - begun

    def _width(self) -> int:
        return AT_A_TIME if self._took_s >= SLOW_S else AT_A_TIME_FAST

    def _process(self, name: str) -> None:
        outcome = self.process(name)
        with self._counting:
            self.results[outcome.result] += 1
            self.submitted += outcome.submitted
            if outcome.result == "ci_failed":
                self.ci_faults += 1
            elif outcome.result == "done" and not self.is_ci_down:
                self.ci_faults = 0
