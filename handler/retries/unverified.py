"""Verify tickets: callbacks that CI did not confirm yet are asked about again."""

from __future__ import annotations

from handler.ci_api.verification import Inline
from handler.ledger.outbox import Ticket
from handler.retries.context import MAX_TRIES, SweepContext


def settle(bench: SweepContext, name: str, ticket: Ticket) -> None:
    """Take a verify ticket as far as it goes: the callback that it holds is not believed yet.

    Raises:
        StoreError, LeaseLostError: the ticket stays.
    """
    record = ticket.record
    if record is None:
        raise ValueError("a verify ticket without a record")
    checked = Inline(bench.settings, bench.http, bench.sleep).check(record)
    if checked.verdict == "unsettled" and ticket.tries < MAX_TRIES:
        bench.put_off(name, ticket, "unknown", checked.note)
        return
    letter = bench.letter(record.to_json(), "record", checked.verdict, checked.note)
    if checked.verdict in ("confirmed", "not_asked"):
        confirmed = record.confirmed() if checked.verdict == "confirmed" else record
        taken = bench.intake.store(confirmed, lambda: letter)
        status, note = taken.status, checked.note
    else:
        kind = "mismatch" if checked.verdict == "differs" else "unknown"
        note = f"{checked.note}; asked {ticket.tries + 1} times"
        bench.intake.set_aside(kind, record, letter, note)
        status = "dead_letter"
    bench.outbox.done(name)
    bench.note(ticket, status, note)
