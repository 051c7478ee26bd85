"""Step 2 of the way of a failure: a ticket by its name, if something is left to be done for it.

A listing proposes a name, and a GET of the exact key decides. A ticket that a callback stored
about its own record is dealt with only where that record is there and has the same end.
"""

from __future__ import annotations

from handler.callback.record import JobRecord
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.outbox import OWN_RECORD, Ticket, action_of, alert_of
from handler.retries.carry_out import log_ticket
from handler.retries.context import SweepContext
from handler.retries.final_events import put_final


def load_ticket(context: SweepContext, name: str, line: bytes) -> Ticket | None:
    """The ticket that a line holds; None where it is a dead letter or a conflict now.

    Raises:
        StoreError
    """
    try:
        ticket = read_ticket(name, line)
    except ValueError as error:
        unreadable = Ticket("alert.dead", name, "ticket")
        put_dead_letter(context, name, unreadable, line, f"unreadable: {error}")
        return None
    return agreed(context, name, ticket)


def read_ticket(name: str, line: bytes) -> Ticket:
    """The ticket that a line holds.

    Raises:
        ValueError: the line is not a ticket, or not the one that its name says.
    """
    ticket = Ticket.from_json(line)
    if ticket.action != action_of(name):
        raise ValueError(f"it is a ticket of another action: {ticket.action[:40]!r}")
    if ticket.action in OWN_RECORD and ticket.record is None:
        raise ValueError("it holds no record")
    return ticket


def agreed(context: SweepContext, name: str, ticket: Ticket) -> Ticket | None:
    """The ticket; None where the ledger keeps another end of the job, which is a conflict now.

    Raises:
        StoreError
    """
    if ticket.record is None or ticket.action not in OWN_RECORD:
        return ticket
    return ticket if _record_agrees(context, name, ticket, ticket.record) else None


def put_dead_letter(
    context: SweepContext, name: str, ticket: Ticket, line: bytes, reason: str
) -> None:
    """A ticket that can't be dealt with becomes a dead letter, with an alert.

    Raises:
        StoreError
    """
    dead_letter = context.dead_letter(line, "ticket", "ticket", reason)
    note = f"a ticket {reason}; kept in {dead_letter.key}"
    put_final(context, ticket, "dead", note)
    context.outbox.put(alert_of(ticket, "dead", note, {"key": dead_letter.key}))
    context.ledger.put_dead_letter(dead_letter)
    context.outbox.done(name)
    log_ticket(context, ticket, "dead_letter", note)


def _record_agrees(context: SweepContext, name: str, ticket: Ticket, record: JobRecord) -> bool:
    """Whether the record has the same end; stored now, if the callback died before it was."""

    def conflict() -> DeadLetter:
        explanation = "another end is kept already"
        return context.dead_letter(record.to_json(), "record", "conflict", explanation)

    verdict = context.ledger.compare(record)
    if verdict is None:
        result = context.recorder.store(record, conflict)
        log_ticket(context, ticket, "completed", "its callback had died before the record")
        if result.status != "dead_letter":
            return True
    elif verdict != "conflict":
        return True
    else:
        context.recorder.conflict(record, conflict())
    context.outbox.done(name)
    log_ticket(context, ticket, "conflict", "the record has another end")
    return False
