"""The task of the timer that sends events: new ones to each destination that takes them, and what
is pending beside that.

    _events/ ── 100 at a time: the record, the note of a final event ── each destination at once
         │         behind what is pending, left alone, or too slow ──► _pending/DESTINATION/
         └── _deliveries/ says what became of each ── deleted from _events/

A destination is sent to in a thread of its own, and a batch waits for it INLINE_S at most: what is
not sent by then is pending. It takes a lease of its own, so that no retry and no alert waits.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from handler.errors import StoreError
from handler.forwarding.context import ForwardContext
from handler.forwarding.drain import Drain
from handler.forwarding.finals import WRITE_S
from handler.forwarding.intake import Intake, Loaded
from handler.forwarding.outlet import RESERVE_S, Outlet, Sent
from handler.forwarding.pending import Place, places
from handler.forwarding.sending import Outgoing, is_wanted
from handler.forwarding.stored import Unsent, put_deliveries, put_unsent, results_of
from handler.ledger.keys import EVENTS, PENDING, QUEUES
from handler.ledger.lease import LeaseLostError
from handler.parallel import POOL

BATCH = 100
"""Events whose fate is one object below `_deliveries/`."""

BATCH_BYTES = 8 * 1024 * 1024
"""Of the events of one batch, in memory: a batch ends where it is reached."""

MAX_LISTED = 10_000
"""Names of events, and of pending batches of one destination, that one run lists: ten requests
each."""

INLINE_S = 5.0
"""How long a batch waits for its slowest destination, but for deliveries under way."""


TOO_SHORT = (
    "there is no time for one delivery: set the function's time limit to 55 s, and LEASE_S to 120"
)


class Forward:
    """One run."""

    def __init__(self, context: ForwardContext) -> None:
        self._context = context
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        self.status = "done"
        self.reason = ""

    def run(self) -> Forward:
        """Send what is there. Raises nothing of the store or the lease: it is logged, and the next
        run goes on."""
        begun = self._context.timing.timer()
        try:
            self._run()
        except (StoreError, LeaseLostError) as error:
            self.status, self.reason = "aborted", str(error)
        except Exception:  # raised, SCF would run this one again
            self.status = "failed"
            self._context.log.failure("internal_error")
        self._log(begun)
        return self

    def _run(self) -> None:
        context = self._context
        # One request lists the queues that hold anything. An idle run costs no more than that.
        held = context.store.folders(QUEUES)
        listed = self._listed(EVENTS) if EVENTS in held else []
        names = [key.removeprefix(EVENTS) for key in listed]
        pending = self._pending() if PENDING in held else {}
        self._counts["due"] = len(names)
        if not names and not pending:
            return
        if not context.lease.acquire():
            self.status = "lease_held"
            return
        context = self._context = _within_lease(context)
        if context.timing.time_left() <= RESERVE_S:
            self.status, self.reason = "failed", TOO_SHORT
            context.lease.release()
            return
        outlets = [
            Outlet(context, destination, _is_behind(context, pending.get(destination.id, ())))
            for destination in context.settings.forward_urls
        ]
        try:
            self._work(names, outlets, pending)
        finally:
            for outlet in outlets:
                outlet.close()
        context.lease.release()

    def _listed(self, prefix: str) -> list[str]:
        return list(islice(self._context.store.list(prefix), MAX_LISTED))

    def _pending(self) -> dict[str, list[Place]]:
        """One listing for each destination, so that a long one hides no other."""
        wanted = self._context.settings.forward_urls
        return places([key for to in wanted for key in self._listed(f"{PENDING}{to.id}/")])

    def _work(
        self, names: Sequence[str], outlets: Sequence[Outlet], pending: dict[str, list[Place]]
    ) -> None:
        with ThreadPoolExecutor(max(1, len(outlets))) as pool:
            drains = [
                pool.submit(
                    Drain(self._context, outlet, self._count).run, pending[outlet.destination.id]
                )
                for outlet in outlets
                if outlet.is_behind
            ]
            try:
                self._send_new(names, outlets)
            finally:
                for drain in drains:
                    drain.result()

    def _send_new(self, names: Sequence[str], outlets: Sequence[Outlet]) -> None:
        intake, left, number = Intake(self._context), list(names), 0
        while left and self._context.timing.time_left() > RESERVE_S:
            number += 1
            name = f"{self._context.batch_name(number)}-new"
            key = self._context.deliveries_key(name)
            loaded, taken = self._load(intake, left, key)
            left = left[taken:]
            if taken and not loaded:
                self.status, self.reason = "aborted", "the store did not give any of the events"
                return
            self._send_batch(name, key, loaded, outlets)
        if left or intake.faults:
            self.status = "in_progress"

    def _load(self, intake: Intake, names: Sequence[str], key: str) -> tuple[list[Loaded], int]:
        """The next batch, and how many names were looked at."""
        loaded: list[Loaded] = []
        taken = size = 0
        while taken < min(BATCH, len(names)) and size < BATCH_BYTES:
            part = names[taken : min(taken + POOL, BATCH)]
            parallel = self._context.timing.parallel
            found = [one for one in parallel(lambda name: intake.load(name, key), part) if one]
            loaded += found
            taken += len(part)
            size += sum(len(one.outgoing.body) for one in found if one.outgoing)
            if not found:
                break
        return loaded, taken

    def _send_batch(
        self, name: str, key: str, loaded: Sequence[Loaded], outlets: Sequence[Outlet]
    ) -> None:
        """Send a batch to each destination; its events leave the queue once it is stored what
        became of them."""
        context = self._context
        events = list({one.outgoing.id: one.outgoing for one in loaded if one.outgoing}.values())
        context.lease.check(WRITE_S)
        results = self._send_to_all(events, outlets)
        kept: dict[str, Sequence[Sent]] = {}
        for outlet, sent in zip(outlets, results, strict=True):
            unsent = [one for one in sent if one.result.status != "delivered"]
            if unsent:
                waits = any(one.result.status == "waiting" for one in unsent)
                outlet.is_behind = outlet.is_behind or waits
                now = context.timing.clock()
                to = outlet.destination
                put_unsent(context, to, f"{name}-{to.id}", Unsent(now, 0, unsent))
            kept[outlet.destination.id] = sent
            self._count(sent)
        if events:
            context.lease.check(WRITE_S)
            put_deliveries(context, key, kept, events)
        self._counts["repeated"] += len(loaded) - len(events)
        context.store.delete_many([EVENTS + one.name for one in loaded])

    def _send_to_all(
        self, events: Sequence[Outgoing], outlets: Sequence[Outlet]
    ) -> list[list[Sent]]:
        def send(outlet: Outlet) -> list[Sent]:
            wanted = [event for event in events if is_wanted(event, outlet.destination)]
            return outlet.send(wanted, 0.0 if outlet.is_behind else INLINE_S)

        return self._context.timing.parallel(send, outlets)

    def _count(self, sent: Sequence[Sent]) -> None:
        with self._counting:
            self._counts.update(results_of(sent))

    def _log(self, begun: float) -> None:
        context = self._context
        is_well = self.status in ("done", "in_progress", "lease_held")
        write = context.log.info if is_well else context.log.error
        write(
            "forward",
            status=self.status,
            due=self._counts["due"],
            delivered=self._counts["delivered"],
            failed=self._counts["failed"],
            waiting=self._counts["waiting"],
            given_up=self._counts["given_up"],
            repeated=self._counts["repeated"],
            reason=self.reason or None,
            duration_ms=round((context.timing.timer() - begun) * 1000, 1),
        )


def _within_lease(context: ForwardContext) -> ForwardContext:
    """The same context, whose time ends with the lease too."""
    time_left, lease = context.timing.time_left, context.lease
    timing = context.timing._replace(time_left=lambda: min(time_left(), lease.left()))
    return context._replace(timing=timing)


def _is_behind(context: ForwardContext, of: Sequence[Place]) -> bool:
    """Whether events of a destination wait that come before new ones. A single event that was not
    accepted, and is due later, does not count."""
    now = context.timing.clock()
    return any(place.due <= now for place in of)
