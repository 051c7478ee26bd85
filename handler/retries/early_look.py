"""Reads tickets and their records while the lease of a sweep settles.

The wait is paid for, so what only reads is done in it. Another sweep may deal with a ticket before
the lease is held: so the mark of a ticket is read under the lease, and of a retry, which has no
mark, `_attempts/`. That a record agrees stays true, since records are never changed; that one is
missing does not, and is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from handler.errors import StoreError
from handler.ledger.outbox import OWN_RECORD, Ticket
from handler.ledger.store import TimeLeft
from handler.parallel import POOL
from handler.retries.context import SweepContext
from handler.retries.load_ticket import read_ticket

MAX_TICKETS = 512
MAX_BYTES = 16 * 1024
"""Of one ticket. Larger ones are read when their turn comes: what is read early stays in memory."""


class Seen(NamedTuple):
    """A ticket, and whether the record that it needs is there and has the same end."""

    ticket: Ticket
    agrees: bool


class EarlyLook:
    """The early look of one sweep."""

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._seen: dict[str, Seen] = {}
        self._met_large = False

    def run(self, names: Sequence[str], left: TimeLeft) -> None:
        """Read as many tickets, in this order, as there is time for. left: seconds. Raises no error
        of the store: a ticket that could not be read is read again later."""
        names = names[:MAX_TICKETS]
        for at in range(0, len(names), POOL):
            if left() <= 0:
                return
            batch = names[at : at + POOL]
            try:
                found = self._context.parallel(self._look, batch)
            except StoreError:
                return
            self._seen |= {name: seen for name, seen in zip(batch, found, strict=True) if seen}
            if self._met_large:
                return  # more would be read twice

    def take(self, name: str) -> Seen | None:
        """The early reading of a ticket, once; None where it must be read."""
        return self._seen.pop(name, None)

    def _look(self, name: str) -> Seen | None:
        line = self._context.outbox.get(name)
        if line is None:
            return None
        if len(line) > MAX_BYTES:
            self._met_large = True
            return None
        try:
            ticket = read_ticket(name, line)
        except ValueError:
            return None
        if ticket.record is None or ticket.action not in OWN_RECORD:
            return Seen(ticket, True)
        return Seen(ticket, self._context.ledger.compare(ticket.record) in ("kept", "duplicate"))
