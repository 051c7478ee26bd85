"""One destination in one run: sends events to it, or lets them wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from handler.forwarding.condition import Condition, read_condition
from handler.forwarding.context import ForwardContext
from handler.forwarding.sending import Outgoing, Result, send
from handler.ledger import keys
from handler.ledger.outbox import Ticket
from handler.settings import Destination

AT_A_TIME = 8
"""Deliveries to one destination. The whole of a run's threads stays far below SCF's 1,024."""

AT_FIRST = 3
"""Until one was taken. One that failed before is tried with a single event."""

AWAY = frozenset({None, 429, 502, 503, 504})
"""No answer, or a status of a server that is away. Any other answer may be about the event."""

RESERVE_S = 15.0
"""No delivery begins with less of the run's time left: it may take TIMEOUT_S, and what became of it
must be stored."""


class Sent(NamedTuple):
    """An event, and what became of it."""

    outgoing: Outgoing
    result: Result


class Outlet:
    """A destination in one run. One thread at a time sends to it."""

    def __init__(self, context: ForwardContext, destination: Destination, behind: bool) -> None:
        """behind: whether events are pending that come before new ones."""
        self.destination = destination
        self.is_behind = behind
        self._context = context
        self._stored = context.store.get(keys.destination(destination.id))
        self.condition = read_condition(self._stored)
        self._works = False

    @property
    def is_ready(self) -> bool:
        """Whether it may be sent to now."""
        timing = self._context.timing
        return not self.condition.rests_at(timing.clock()) and timing.time_left() > RESERVE_S

    def send(self, events: Sequence[Outgoing], within_s: float = float("inf")) -> list[Sent]:
        """Send events in their order, several at a time; returns the result of each. Events that
        are not sent within so many seconds, or before the destination rests, wait. So do those that
        it did not answer before that.
        """
        context, sent = self._context, list[Sent]()
        until = context.timing.timer() + within_s
        while len(sent) < len(events) and self.is_ready and context.timing.timer() < until:
            batch = events[len(sent) : len(sent) + self._width()]
            results = context.timing.parallel(self._send_one, batch)
            for outgoing, result in zip(batch, results, strict=True):
                sent.append(Sent(outgoing, result))
                self._count(result)
        if not self.condition.is_open:
            sent = [_waiting(one) for one in sent]
        now = context.timing.clock()
        left = events[len(sent) :]
        return [*sent, *(Sent(outgoing, Result("waiting", now)) for outgoing in left)]

    def close(self) -> None:
        """Store how the destination fares where that has changed; raise the alert that it is
        paused. May raise StoreError."""
        now, condition = self._context.timing.clock(), self.condition
        if condition.is_to_be_paused(now):
            minutes = (now - condition.failing_since) / 60
            note = (
                f"events to {self.destination.host} ({self.destination.id}) have not been taken "
                f"for {minutes:.0f} minutes; they wait, and it is tried now and then"
            )
            period = str(int(condition.failing_since))
            self._context.outbox.put(Ticket("alert.paused", self.destination.id, period, note=note))
            self.condition = condition = condition._replace(is_paused=True)
        if condition != read_condition(self._stored):
            key = keys.destination(self.destination.id)
            self._context.store.put(key, condition.to_json())

    def _width(self) -> int:
        if not self.condition.is_open:
            return 1
        return AT_A_TIME if self._works else AT_FIRST

    def _send_one(self, outgoing: Outgoing) -> Result:
        timing = self._context.timing
        begun = timing.timer()
        result = send(self._context.http, self.destination, outgoing, timing.clock())
        return result._replace(ms=round((timing.timer() - begun) * 1000))

    def _count(self, result: Result) -> None:
        if result.status == "delivered":
            self._works, self.condition = True, Condition()
            return
        now = self._context.timing.clock()
        self.condition = self.condition.failed(now, result.retry_after_s, self._context.jitter)


def _waiting(sent: Sent) -> Sent:
    """An event whose failure says nothing of it: the server is away, or has too much to do."""
    if sent.result.status != "failed" or sent.result.code not in AWAY:
        return sent
    return Sent(sent.outgoing, sent.result._replace(status="waiting"))
