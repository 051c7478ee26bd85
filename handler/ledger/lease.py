"""One sweep at a time, as far as that can be had without a lock.

    put _sweep/EPOCH-WRITER ── wait LEASE_WAIT_S ── list _sweep/
         ├─ another young one: delete one's own, and end     (alone or withdraw)
         └─ none: the sweep is on; leases that are too old belong to the dead: delete them

Of two that put before they list, at least one sees the other, so never do both go on; both
may withdraw, and a minute later one of them is alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handler.errors import HandlerError
from handler.ledger.keys import LEASES
from handler.ledger.store import Store


class LeaseLostError(HandlerError):
    """The lease is too old for what was about to be done; it was not done."""

    retryable = True


@dataclass
class Lease:
    """The lease of one sweep. writer is random; times are in seconds."""

    store: Store
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    writer: str
    lease_s: float
    settle_s: float
    taken_at: float = 0.0

    def take(self) -> bool:
        """Whether this sweep is alone. May raise StoreError: then it has not begun."""
        # The age counts from before the request: it may take long to land.
        self.taken_at = self.clock()
        self.store.put(self._key, b"{}\n")
        self.sleep(self.settle_s)
        others = [key for key in self.store.list(LEASES) if key != self._key]
        if any(self._is_young(key) for key in others):
            self.release()
            return False
        for key in others:
            self.store.delete(key)
        return True

    def check(self, needed_s: float) -> None:
        """Look at the lease's age again, right before something that takes up to needed_s.

        Raises:
            LeaseLostError: another sweep may have begun, or will before this is over.
        """
        age = self.clock() - self.taken_at
        if not 0 <= age + needed_s < self.lease_s:
            raise LeaseLostError(f"the lease is {age:.0f} s old, and {needed_s:.0f} s are needed")

    def release(self) -> None:
        """Let the next sweep begin at once."""
        self.store.delete(self._key)

    @property
    def _key(self) -> str:
        return f"{LEASES}{int(self.taken_at):010d}-{self.writer}"

    def _is_young(self, key: str) -> bool:
        epoch = key.removeprefix(LEASES)[:10]
        # A name that can't be read, or a time to come, is somebody's that is not to be disturbed.
        return not epoch.isdigit() or self.clock() - int(epoch) < self.lease_s
