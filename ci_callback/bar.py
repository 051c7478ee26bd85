"""Work that is counted while it is done, for a progress bar (terminal.bar)."""

from __future__ import annotations

import threading
from collections.abc import Callable


def _unseen(expected: int, done: int) -> None:
    pass


class Bar:
    """How much is expected, and how much of it is done. Threads may share it."""

    def __init__(self, show: Callable[[int, int], None] = _unseen) -> None:
        """show: is told both numbers whenever one changes."""
        self._show = show
        self._lock = threading.Lock()
        self._expected = self._done = 0

    def expect(self, count: int) -> None:
        """So much more is to be done."""
        self._count(count, 0)

    def step(self, count: int = 1) -> None:
        """So much more is done."""
        self._count(0, count)

    def _count(self, expected: int, done: int) -> None:
        with self._lock:
            self._expected += expected
            self._done += done
            self._show(self._expected, self._done)


NO_BAR = Bar()
"""For work that nobody watches."""
