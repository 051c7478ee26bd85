"""One worker of a sweep at a time is about the attempts of one root.

Tickets are worked on several at a time. Two about one attempt would both find it unclaimed, and
both submit it: two retry tickets of one job (their names differ by what the callback said of the
times), or failed jobs of one workflow, which share a run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RootLocks:
    """The locks of one sweep, by root."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._held = threading.local()

    @contextmanager
    def worker(self) -> Iterator[None]:
        """One ticket's work, in one thread. Its memory is released at its end."""
        self._held.locks = []
        try:
            yield
        finally:
            for lock in self._held.locks:
                lock.release()

    def hold(self, root_job_id: str) -> None:
        """Wait until no other worker is about this root. Once for each ticket: who holds one
        root waits for no other."""
        with self._guard:
            lock = self._locks.setdefault(root_job_id, threading.Lock())
        lock.acquire()
        self._held.locks.append(lock)
