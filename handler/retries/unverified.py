"""The next step of a verify ticket: a callback that CI did not confirm is asked about again."""

from __future__ import annotations

from handler.ci_api.verification import Inline
from handler.ledger.outbox import Ticket
from handler.retries.carry_out import MAX_TRIES
from handler.retries.context import SweepContext
from handler.retries.next_step import Defer, NextStep, SetAside, Store


def complete_verification(context: SweepContext, ticket: Ticket) -> NextStep:
    """Decide what becomes of a verify ticket: the callback that it holds is not believed yet.

    Raises:
        ValueError: the ticket holds no record.
    """
    record = ticket.record
    if record is None:
        raise ValueError("a verify ticket without a record")
    checked = Inline(context.ci).check(record)
    if checked.verdict == "unsettled" and ticket.tries < MAX_TRIES:
        return Defer(checked.note, otherwise="unknown")
    if checked.verdict in ("confirmed", "not_asked"):
        confirmed = record.confirmed() if checked.verdict == "confirmed" else record
        return Store(confirmed, checked.note)
    kind = "mismatch" if checked.verdict == "differs" else "unknown"
    return SetAside(kind, record, f"{checked.note}; asked {ticket.tries + 1} times")
