"""Makes waiting retries due now, for a person who does not want to wait.

The ticket moves as the sweep itself moves one: the new one is put before the old one is
marked done. The claim in `_attempts/` keeps one submission per attempt, whichever is first.
"""

from __future__ import annotations

from collections.abc import Iterable

from handler.ledger.outbox import Outbox, Ticket

NOTE = "made due by hand"


def make_due(outbox: Outbox, names: Iterable[str], now: float) -> int:
    """Make these retries due at `now` (epoch seconds); how many were later than that.

    Raises:
        StoreError
    """
    moved = 0
    for name in names:
        line = outbox.get(name)
        if line is None or outbox.is_done(name):
            continue
        try:
            ticket = Ticket.from_json(line)
        except ValueError:
            continue  # the sweep puts it aside
        if ticket.action == "retry" and ticket.due > now:
            outbox.move(name, ticket.later(now, NOTE, counts=False))
            moved += 1
    return moved
