"""Sends the pending events of one destination, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handler.errors import StoreError
from handler.forwarding.condition import GIVE_UP_S
from handler.forwarding.context import ForwardContext
from handler.forwarding.finals import WRITE_S
from handler.forwarding.outlet import RESERVE_S, Outlet, Sent
from handler.forwarding.pending import Place, read_batch
from handler.forwarding.stored import Unsent, is_old, put_deliveries, put_unsent

Report = Callable[[Sequence[Sent]], None]
"""Counts what became of events."""


class Drain:
    """Sends what is pending for a destination. It runs beside those of the others."""

    def __init__(self, context: ForwardContext, outlet: Outlet, report: Report) -> None:
        self._context = context
        self._outlet = outlet
        self._report = report

    def run(self, places: Sequence[Place]) -> None:
        """Send the batches that are due, as long as the destination accepts them; events that are
        too old are given up either way. Raises no error of the store: an event whose result is not
        noted stays pending."""
        timing = self._context.timing
        for number, place in enumerate(places):
            too_old = timing.clock() - place.since > GIVE_UP_S
            if place.due > timing.clock() or not (self._outlet.is_ready or too_old):
                return
            if timing.time_left() <= RESERVE_S:
                return
            try:
                self._send(place, self._context.batch_name(number))
            except StoreError as error:
                self._context.log.warning("events_left", key=place.key, reason=str(error))
                return

    def _send(self, place: Place, run: str) -> None:
        context, outlet = self._context, self._outlet
        name = f"{run}-{outlet.destination.id}"
        line = context.store.get(place.key)
        if line is None:
            return  # the listing lagged
        try:
            batch = read_batch(context.store, line, context.timing.parallel)
        except ValueError as error:
            self._put_dead_letter(place, line, error)
            return
        sent = outlet.send(batch.events)
        unsent = [one for one in sent if one.result.status != "delivered"]
        left = Unsent(batch.since, batch.tries, unsent)
        if (
            sent
            and all(one.result.status == "waiting" for one in sent)
            and not is_old(context, left)
        ):
            self._report(sent)
            return
        context.lease.check(WRITE_S)
        kept = put_unsent(context, outlet.destination, name, left)
        done = [one for one in sent if one.result.status == "delivered"]
        results = {outlet.destination.id: [*done, *kept]}
        put_deliveries(context, context.deliveries_key(name), results, batch.events)
        context.store.delete(place.key)
        self._report([*done, *kept])

    def _put_dead_letter(self, place: Place, line: bytes, error: ValueError) -> None:
        context = self._context
        letter = context.dead_letter(line, "events", "events", f"unreadable: {error}")
        context.ledger.put_dead_letter(letter)
        context.log.error("events_unreadable", key=place.key, reason=str(error))
        context.store.delete(place.key)
