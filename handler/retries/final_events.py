"""The final event of a job whose retries end here without a success."""

from __future__ import annotations

from handler.callback.record import JobRecord
from handler.events.event import of_failure
from handler.events.queue import EventQueue
from handler.ledger.outbox import Ticket
from handler.retries.context import SweepContext
from handler.retries.watch_ticket import marker_of


def put_final(
    context: SweepContext, ticket: Ticket, reason: str, note: str, record: JobRecord | None = None
) -> None:
    """Put a job.failed for what a retry or watch ticket is about, before the ticket is done. Other
    tickets are about callbacks that are not believed. record: in place of the ticket's own.

    Raises:
        StoreError
    """
    events, record = context.recorder.events, record or ticket.record
    if events is None or record is None:
        return
    if ticket.action == "retry":
        events.put_failure(record, reason, note)
    elif ticket.action == "watch":
        _put_of_watched(events, ticket, record, (reason, note))


def _put_of_watched(
    events: EventQueue, ticket: Ticket, record: JobRecord, words: tuple[str, str]
) -> None:
    """A watch ticket holds the record of the attempt before the one that it watches."""
    try:
        lineage = marker_of(ticket).lineage
    except ValueError:  # the ticket is a dead letter for that
        events.put_failure(record, *words)
        return
    event = of_failure(record.with_lineage(lineage), *words)
    events.put(event._replace(job_id=ticket.job_id, own_record=False))
