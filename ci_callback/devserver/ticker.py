"""The timer trigger: invokes a task at its pace until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticker(threading.Thread):
    """Does something every so many seconds, the first time after as many."""

    def __init__(self, every_s: float, do: Callable[[], object]) -> None:
        super().__init__(daemon=True, name="ticker")
        self._every_s = every_s
        self._do = do
        self._stop_it = threading.Event()

    def run(self) -> None:
        while not self._stop_it.wait(self._every_s):
            self._do()

    def stop(self) -> None:
        """Stop, once what is being done is done."""
        self._stop_it.set()
        self.join()
