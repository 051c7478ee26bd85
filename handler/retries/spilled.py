"""Takes the callbacks that are in the spill into the ledger, and deletes them there.

    list the spill ─► read a few ─► each by the way of a callback ─► the ledger has it ─► delete

An object is deleted only once the ledger has it: as records, or as a dead letter where the
callback, or the object itself, can't be read. A crash in between takes it in twice, which is the
same as once. For the same reason no lease is needed.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal, NamedTuple, TypeAlias

from handler.errors import PayloadError, StoreError
from handler.ingest import spill
from handler.ingest.callbacks import CallbackIngest
from handler.ingest.received import ReceivedCallback
from handler.ledger.keys import SPILL
from handler.ledger.store import Store
from handler.log import Log
from handler.parallel import POOL, in_parallel
from handler.triggers import JobResult

MAX_OBJECTS = 4_000
MAX_BYTES = 64 * 1024 * 1024
"""Of bodies in one run: with the rest of a sweep they stay within its time and its cost."""

BATCH_BYTES = 2 * 1024 * 1024
"""Of bodies that are read at a time: parsing one takes a multiple of its size in memory."""

_NAME = re.compile(rf"{SPILL}\d{{8}}T\d{{6}}-(\d{{1,9}})-[0-9a-f]{{64}}\.json")


Result: TypeAlias = Literal["done", "failed", "not_accepted"]
"""done: the ledger has it, and the spill no more. failed: the spill did not give it or did not
delete it. not_accepted: by the ledger."""


class SpilledObject(NamedTuple):
    """size: of the body, in bytes."""

    key: str
    size: int


class SpilledIntake:
    """One run. time_left: seconds that it may still take. now: RFC 3339 in UTC."""

    def __init__(
        self,
        store: Store,
        ingest: CallbackIngest,
        log: Log,
        time_left: Callable[[], float],
        now: str,
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._log = log
        self._time_left = time_left
        self._now = now
        self._counts: Counter[Result] = Counter()
        self._reason = ""

    def run(self) -> None:
        """Take in what is there, in the order of time, and log how far that came. Raises nothing:
        the rest of the sweep goes on, and the next one continues here."""
        begun = time.perf_counter()
        try:
            status = self._take_in_all()
        except StoreError as error:
            status, self._reason = "aborted", str(error)
        except Exception:  # a fault of this code must not keep alerts and retries from their turn
            self._log.failure("internal_error")
            status = "failed"
        if status == "done" and not self._counts:
            return
        write = self._log.info if status in ("done", "in_progress") else self._log.error
        write(
            "spilled",
            status=status,
            done=self._counts["done"],
            failed=self._counts["failed"],
            reason=self._reason or None,
            duration_ms=round((time.perf_counter() - begun) * 1000, 1),
        )

    def _take_in_all(self) -> str:
        """How it ended: done, in_progress where more is left, or why not.

        Raises:
            StoreError: of the listing.
        """
        size = 0
        for batch in batches(self._objects()):
            size += sum(spilled.size for spilled in batch)
            is_full = self._counts.total() >= MAX_OBJECTS or size > MAX_BYTES
            if self._time_left() <= 0 or (is_full and self._counts):
                return "in_progress"
            self._counts.update(in_parallel(self._take_in, batch))
            if self._counts["not_accepted"]:
                return "aborted"
        return "failed" if self._counts["failed"] else "done"

    def _objects(self) -> Iterator[SpilledObject]:
        """The spilled callbacks. A key of another form, such as a folder marker, is passed over."""
        for key in self._store.list(SPILL):
            name = _NAME.fullmatch(key)
            if name is not None:
                yield SpilledObject(key, int(name[1]))

    def _take_in(self, spilled: SpilledObject) -> Result:
        try:
            line = self._store.get(spilled.key)
            if line is None:
                return "done"  # another sweep took it in; the listing lagged
            results = self._process(line)
            refused = [result for result in results if result.status == "retry_later"]
            if refused:
                self._reason = refused[0].cause or "the ledger does not accept it"
                return "not_accepted"
            self._store.delete(spilled.key)
        except StoreError as error:
            self._reason = str(error)
            return "failed"
        return "done"

    def _process(self, line: bytes) -> list[JobResult]:
        """Store the callback that an object holds, or the object itself where it holds none."""
        try:
            callback = spill.read(line)
        except ValueError as error:
            whole = ReceivedCallback(line, "spill", self._now, "")
            explanation = f"an object of the spill that can't be read: {error}"
            problem = PayloadError("spill_invalid", explanation)
            return [self._ingest.put_dead_letter(whole, problem)]
        return self._ingest.process(callback)


def batches(objects: Iterator[SpilledObject]) -> Iterator[list[SpilledObject]]:
    """One object first, to learn whether the ledger accepts any; then several at a time."""
    batch = list(islice(objects, 1))
    if batch:
        yield batch
    batch = []
    for spilled in objects:
        if batch and (
            len(batch) >= POOL or sum(queued.size for queued in batch) + spilled.size > BATCH_BYTES
        ):
            yield batch
            batch = []
        batch.append(spilled)
    if batch:
        yield batch
