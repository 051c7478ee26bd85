"""One sweep at a time, as far as a store without locks allows it.

    put _sweep/EPOCH-WRITER ── wait LEASE_WAIT_S, and look around meanwhile ── list _sweep/
         ├─ another young one: delete the own one, and end     (alone or withdraw)
         └─ none: the sweep goes on; leases that are too old are of dead sweeps: delete them

Of two that put before they list, at least one sees the other, so never do both go on. Both may
withdraw; where they began together, each tries once more after a wait of its own.

Clocks differ. A lease is respected for LEASE_S by the clock of whoever reads it, and used for
CLOCK_SKEW_S less by its owner's. One from the future is of a clock that is more wrong than that,
and its sweep may be at work: a mark says when it was first seen, and it is respected for LEASE_S
from then on. Any other name below `_sweep/`, such as a folder marker, is no lease and passed over.

    _sweep/held-SINCE-LAST         sweeps withdrew, one after the other, from then to then
    _sweep/seen-EPOCH-THE_LEASE    since then a lease from the future is known

The next sweep that acquires the lease deletes both.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from handler.errors import HandlerError
from handler.ledger.keys import LEASES
from handler.ledger.store import Store, TimeLeft

CLOCK_SKEW_S = 10.0
"""By how much the clocks of two instances may differ."""

IN_A_ROW_S = 300
"""Between two sweeps that withdraw one after the other. After a longer time without one, sweeps
had nothing to do, or another one worked."""

_LEASE = re.compile(r"(\d{10})-([^/]+)")
_HELD = re.compile(r"held-(\d{10})-(\d{10})")
_SEEN = re.compile(r"seen-(\d{10})-(\d{10}-[^/]+)")


class LeaseLostError(HandlerError):
    """The lease is too old for what was about to be done; it was not done."""

    retryable = True


@dataclass(frozen=True)
class _Listed:
    """The objects below `_sweep/`. leases: of other sweeps, by name; epochs in seconds, each by its
    writer's clock."""

    leases: Mapping[str, int]
    held: tuple[tuple[int, int], ...]
    seen: Mapping[str, int]
    marks: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], writer: str) -> _Listed:
        """Read the names below `_sweep/`, in order. writer: whose leases are the own ones; a
        listing may still show one that was given up."""
        leases = [match for match in map(_LEASE.fullmatch, names) if match and match[2] != writer]
        held = [match for match in map(_HELD.fullmatch, names) if match]
        seen = [match for match in map(_SEEN.fullmatch, names) if match]
        return cls(
            {match[0]: int(match[1]) for match in leases},
            tuple((int(match[1]), int(match[2])) for match in held),
            {match[2]: int(match[1]) for match in reversed(seen)},  # the earliest of each
            tuple(match[0] for match in (*held, *seen)),
        )


@dataclass
class Lease:
    """The lease of one sweep. writer: random hexadecimal digits. folder: below which the leases are
    that it looks for. Times are in seconds. timer: of a clock that only runs forward, for the wait.
    """

    store: Store
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    writer: str
    lease_s: float
    wait_s: float
    folder: str = LEASES
    timer: Callable[[], float] = time.monotonic
    acquired_at: float = 0.0
    held_for_s: float = 0.0
    """Where `acquire` failed: for how long sweeps have withdrawn, one after the other."""
    is_abandoned: bool = False

    def acquire(self, meanwhile: Callable[[TimeLeft], None] = lambda left: None) -> bool:
        """Whether no other sweep runs. May raise StoreError: then it has not begun.

        meanwhile: called during the wait, with the seconds that are left of it. It must not write,
        and its findings may be outdated once the lease is held.
        """
        young = self._try(meanwhile)
        if young and max(young) >= self.acquired_at - 2 * self.wait_s:
            # They began together. The writer is random: they seldom wait equally long.
            self.sleep(3 * self.wait_s * zlib.crc32(self.writer.encode()) / 2**32)
            young = self._try(lambda left: None)
        return not young

    def check(self, needed_s: float) -> None:
        """Look at the lease's age again, right before something that takes up to needed_s.

        Raises:
            LeaseLostError: another sweep may have begun, or may begin before this is over.
        """
        if self.is_abandoned:
            raise LeaseLostError("a write got no answer, so this sweep does nothing more")
        age = self.clock() - self.acquired_at
        if age < 0 or needed_s >= self.left():
            raise LeaseLostError(f"the lease is {age:.0f} s old, and {needed_s:.0f} s are needed")

    def left(self) -> float:
        """Seconds for which it may still be used."""
        return self.acquired_at + self.lease_s - CLOCK_SKEW_S - self.clock()

    def abandon(self) -> None:
        """Let no check pass any more, in none of the threads: a write that got no answer may land
        late, over that of another worker."""
        self.is_abandoned = True

    def release(self, also: Sequence[str] = ()) -> None:
        """Let the next sweep begin at once. also: keys that the same request deletes."""
        self.store.delete_many([*also, self.folder + self._name])

    def _try(self, meanwhile: Callable[[TimeLeft], None]) -> list[int]:
        """The times of the leases that are in the way; empty where no other sweep runs."""
        # The age counts from before the request: it may take long to land.
        self.acquired_at = self.clock()
        self._put(self._name)
        begun = self.timer()

        def left() -> float:
            return self.wait_s - (self.timer() - begun)

        meanwhile(left)
        self.sleep(max(0.0, left()))
        names = [key.removeprefix(self.folder) for key in self.store.list(self.folder)]
        listed = _Listed.of(names, self.writer)
        young = [epoch for name, epoch in listed.leases.items() if self._is_young(name, listed)]
        if young:
            self._withdraw(listed)
            return young
        for name in (*listed.leases, *listed.marks):
            self.store.delete(self.folder + name)
        return []

    def _is_young(self, name: str, listed: _Listed) -> bool:
        now, epoch = self.clock(), listed.leases[name]
        if epoch > now + CLOCK_SKEW_S:
            epoch = listed.seen.get(name, int(now))
        return now - epoch < self.lease_s

    def _withdraw(self, listed: _Listed) -> None:
        now = int(self.clock())
        for name, epoch in listed.leases.items():
            if epoch > now + CLOCK_SKEW_S and name not in listed.seen:
                self._put(f"seen-{now:010d}-{name}")
        self.release()
        recent = [since for since, last in listed.held if 0 <= now - last <= IN_A_ROW_S]
        since = min(recent, default=now)
        self.held_for_s = float(now - since)
        self._put(_held(since, now))
        for mark in {_held(*former) for former in listed.held} - {_held(since, now)}:
            self.store.delete(self.folder + mark)

    def _put(self, name: str) -> None:
        self.store.put(self.folder + name, b"{}\n")

    @property
    def _name(self) -> str:
        return f"{int(self.acquired_at):010d}-{self.writer}"


def _held(since: int, last: int) -> str:
    return f"held-{since:010d}-{last:010d}"
