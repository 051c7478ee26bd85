"""The way of a callback that is understood: first its event and its tickets, then its record.

    (0) a marker in UserData? ── GET _lineage/JOB_ID: only what it proves counts
    (1) unfinished?  stored under _unfinished/ ── done
        where FORWARD_URLS is set: its event for the user's own code
    (2) put_new a ticket for each thing that must follow    ← a crash here: a ticket without
    (3) put_new the record                                   its record; the sweep goes on
         ├─ it is new ── done
         └─ it exists: the same end ── a duplicate
                       another end ── alert.conflict, this one becomes a dead letter, and its
                                      own tickets are done

The record comes last, so no record is without its tickets and its event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handler.callback.record import JobRecord
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.keys import OUTBOX
from handler.ledger.outbox import Outbox, Ticket, about
from handler.ledger.records import Conflict, Ledger, StoreResult
from handler.ledger.store import Store
from handler.policy import Policy
from handler.settings import Settings

if TYPE_CHECKING:
    from handler.events.queue import EventQueue


class Recorder:
    """Stores what callbacks say. Every method may raise StoreError: something may not be
    durable, and doing it all again is safe."""

    def __init__(self, ledger: Ledger, policy: Policy, events: EventQueue | None = None) -> None:
        """events: where the user's own code is told of ends; None where it is not."""
        self.events = events
        self._ledger = ledger
        self._outbox = Outbox(ledger)
        self._policy = policy

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Recorder:
        """A recorder as the settings want it."""
        ledger, policy = Ledger(store), Policy.of(settings)
        if not settings.forward_urls:
            return cls(ledger, policy)
        # Imported here: most functions forward nothing.
        from handler.events.queue import EventQueue

        return cls(ledger, policy, EventQueue(store, policy))

    def store(self, record: JobRecord, dead_letter: Callable[[], DeadLetter]) -> StoreResult:
        """Store a record and its tickets. dead_letter: makes what is stored in its place where the
        ledger holds another end of the same job."""
        record = self._proven(record)
        if self.events is not None:
            self.events.put_end(record)
        tickets = self.tickets(record)
        for ticket in tickets:
            self._outbox.put_first(ticket)
        stored = self._ledger.put_record(record)
        if isinstance(stored, Conflict):
            key = self.conflict(record, dead_letter())
            for ticket in tickets:
                # Otherwise a sweep finds the conflict again and makes a second dead letter. It does
                # so of a retry where the role may delete nothing (`deploy --split`).
                self._outbox.drop(ticket.name)
            return StoreResult("dead_letter", key)
        return stored

    def store_old(self, record: JobRecord) -> StoreResult | Conflict:
        """Store a record from which nothing follows: its job ended before this function was told of
        such ends. No event, no ticket; where another end is kept, that stays."""
        return self._ledger.put_record(self._proven(record))

    def _proven(self, record: JobRecord) -> JobRecord:
        """A record whose lineage is only what the ledger proves."""
        if record.marker is None:
            return record
        from handler.ledger.attempts import Attempts  # only a job with a marker needs it

        return Attempts(self._ledger.store).proven(record)

    def tickets(self, record: JobRecord) -> list[Ticket]:
        """The tickets that a record calls for."""
        if record.outcome == "unknown":
            note = "a callback arrived, and how the job ended can't be read from it"
            return [about(record, "alert.unknown", note=note)]
        return [
            about(record, action, self._policy.due(record) if action == "retry" else 0)
            for action in self._policy.actions(record)
        ]

    def conflict(self, record: JobRecord, dead_letter: DeadLetter) -> str:
        """Store the second of two different ends of one job as a dead letter, and raise
        alert.conflict; the dead letter's key."""
        return self.set_aside("conflict", record, dead_letter, "another end is kept already")

    def set_aside(self, kind: str, record: JobRecord, dead_letter: DeadLetter, note: str) -> str:
        """Store a callback that is understood and not believed as a dead letter, and raise
        alert.`kind`; the dead letter's key."""
        key = dead_letter.key
        self._outbox.put(about(record, f"alert.{kind}", note=f"{note}; this one is in {key}"))
        return self._ledger.put_dead_letter(dead_letter)

    def enqueue_verification(self, record: JobRecord) -> str:
        """Store a callback that CI does not confirm yet as a ticket, for a sweep; its key."""
        ticket = about(record, "verify")
        self._outbox.put(ticket)
        return OUTBOX + ticket.name

    def put_dead_letter(self, dead_letter: DeadLetter) -> str:
        """Store a body that could not be understood, and raise alert.dead; its key. The ticket is
        first: an alert whose dead letter is missing is better than one that is never raised."""
        key = dead_letter.key
        note = f"{dead_letter.reason}: {dead_letter.explanation}; kept in {key}"
        self._outbox.put(
            Ticket("alert.dead", dead_letter.sha256[:32], "dead", note=note, details={"key": key})
        )
        return self._ledger.put_dead_letter(dead_letter)
