"""The play: minute after minute jobs end, the timers fire, and everything fails.

Each request to the store fails in 30 of 100 cases, before or after it was carried out, and is tried
three times, as CosStore does. A process is killed before or after some of them. One destination
answers or not by the minute; of the other a few answers are lost. In the end nothing fails.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ci_callback.ci_simulator import End
from handler.errors import StoreError
from handler.http_client import Answer
from handler.ledger.store import Store
from tests.forwarding.receivers import ForwardWorld, Receiver
from tests.stores import How, SimulatedCrash, Trouble, Wrapped
from tests.world import MINUTE, TRANSLATION

T = TypeVar("T")

FAULTS, KILLS, TRIES = 0.3, 0.0005, 3
MINUTES, STEP = 120, 2
LOST_ANSWERS = 0.01

ENDS: dict[str, tuple[float, Sequence[End]]] = {
    "succeeds": (0.84, (End("Success"),)),
    "fails for good": (0.06, (End("Failed", "InvalidArgument"),)),
    "is cancelled": (0.03, (End("Cancel"),)),
    "recovers": (0.04, (End("Failed", "InternalError"), End("Success"))),
    "is given up": (0.02, (End("Failed", "InternalError"),) * 3),
    "contradicts itself": (0.01, (End("Failed", "InvalidArgument"),)),
}
"""Kinds of jobs: the share of each, and how its submissions end. Of one that contradicts itself a
success is reported after its failure."""

DUPLICATES = 0.06


class RetryingStore(Wrapped):
    """Asks again after an error, as CosStore does: what was carried out is carried out twice."""

    def _ask(self, request: Callable[[], T]) -> T:
        for _ in range(TRIES - 1):
            try:
                return request()
            except StoreError:
                continue
        return request()

    def put_new(self, key: str, data: bytes) -> bool:
        return self._ask(lambda: self.inner.put_new(key, data))

    def put(self, key: str, data: bytes) -> None:
        self._ask(lambda: self.inner.put(key, data))

    def get(self, key: str) -> bytes | None:
        return self._ask(lambda: self.inner.get(key))

    def list(self, prefix: str, *more: Any) -> Iterator[str]:
        return iter(self._ask(lambda: [*self.inner.list(prefix, *more)]))

    def delete(self, key: str) -> None:
        self._ask(lambda: self.inner.delete(key))

    def delete_many(self, keys: Sequence[str]) -> None:
        if keys:
            self._ask(lambda: self.inner.delete_many(keys))


class Play(ForwardWorld):
    """One play. Attributes: roots: the users' jobs by JobId, and how they end."""

    def __init__(self, seed: int) -> None:
        self.steady, self.flapping = Receiver(), Receiver("two.example.com")
        super().__init__(self.steady, self.flapping, RETRY_BASE_S="30", LEASE_WAIT_S="0.1")
        self.chance = random.Random(seed)
        self.roots: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.is_calm = False
        self._owed: list[str] = []
        self.steady.answer = self._steadily
        self.flapping.answer = self._flapping

    def play(self, callbacks: int) -> None:
        """Everything, to its end."""
        for minute in range(0, MINUTES, STEP):
            count = callbacks * (minute + STEP) // MINUTES - callbacks * minute // MINUTES
            self._submit(count)
            self._round()
        self.is_calm = True
        for _ in range(400):
            self._round()
            if not self.keys("_events/") and not self.keys("_pending/") and not self._owed:
                if not self.keys("_outbox/"):
                    return
                self.now += 60 * MINUTE
        raise AssertionError("it does not come to rest")

    def troubled(self) -> Store:
        """The store of one process."""
        return self.store if self.is_calm else RetryingStore(Trouble(self._how).store(self.store))

    def _how(self, number: int, what: str) -> How:
        drawn = self.chance.random()
        if drawn < KILLS:
            self.counts["kills"] += 1
            return self.chance.choice(("dies before", "dies after"))
        if drawn < FAULTS:
            self.counts["faults"] += 1
            return self.chance.choice(("lost before", "lost after"))
        return "fine"

    def _steadily(self, number: int) -> Answer | None:
        return Answer(200, b"") if self.is_calm or self.chance.random() > LOST_ANSWERS else None

    def _flapping(self, number: int) -> Answer | None:
        if self.is_calm or int(self.now / MINUTE) % 10 < 5:
            return Answer(204, b"")
        return self.chance.choice((None, Answer(503, b""), Answer(500, b"")))

    # --- the minutes ---

    def _submit(self, count: int) -> None:
        for _ in range(count):
            (kind,) = self.chance.choices(list(ENDS), [share for share, _ in ENDS.values()])
            ends = ENDS[kind][1]
            name = f"{len(self.roots)}.pdf"
            self.ci.script(name, list(ends), queue_s=5, run_s=5)
            before = self.now
            job_id = self.submit(request_of(name))
            self.now = before
            self.roots[job_id] = kind

    def _round(self) -> None:
        self.now += STEP * MINUTE
        owed, self._owed = self._owed, []
        for job_id in [*owed, *self.ci.settle()]:
            self._callback(job_id)
        for task in ("sweep", "forward"):
            self._guarded(functools.partial(self._tick, task))

    def _callback(self, job_id: str) -> None:
        kind = self.roots.get(job_id)
        times = 2 if self.chance.random() < DUPLICATES else 1
        for _ in range(times):
            if self._guarded(lambda: self._delivered(job_id)) is not True:
                self._owed.append(job_id)
                return
        if kind == "contradicts itself":
            self.ci.finish(job_id)
            self.roots[job_id] = "contradicted itself"
            self._owed.append(job_id)

    def _delivered(self, job_id: str) -> bool:
        return self.deliver(job_id, store=self.troubled())[0] < 300

    def _tick(self, task: str) -> None:
        tick = {"Type": "Timer", "TriggerName": task, "Message": task}
        context = {"request_id": "t", "time_limit_in_ms": 55_000}
        self.function(self.troubled()).handle(tick, context)

    def _guarded(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except SimulatedCrash:
            return None


def request_of(name: str) -> dict[str, Any]:
    """A request for a job with an input of its own."""
    return TRANSLATION | {"Input": {"Object": name}}
