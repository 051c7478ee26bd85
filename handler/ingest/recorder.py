"""The way of a callback once it is understood: everything it calls for, then its record.

    (0) a marker in UserData? ── GET _lineage/JOB_ID: only what it proves counts
    (1) unfinished?  put aside ── done
    (2) a ticket for each thing that it calls for          ← a crash here: a ticket without
    (3) put_new the record                                   its record; the sweep goes on
         ├─ it is new ── done
         └─ it exists: the same end ── a duplicate
                       another end ── alert.conflict, this one becomes a dead letter, and its
                                      own tickets are done

The record comes last, so that a record whose follow-ups are missing can't be.
"""

from __future__ import annotations

from collections.abc import Callable

from handler.callback.record import JobRecord
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.keys import OUTBOX
from handler.ledger.outbox import Outbox, Ticket, about
from handler.ledger.records import Conflict, Ledger, StoreResult
from handler.policy import Policy


class Recorder:
    """Keeps what callbacks say. Every method may raise StoreError: something may not be
    durable, and doing it all again is safe."""

    def __init__(self, ledger: Ledger, policy: Policy) -> None:
        self._ledger = ledger
        self._outbox = Outbox(ledger)
        self._policy = policy

    def store(self, record: JobRecord, letter: Callable[[], DeadLetter]) -> StoreResult:
        """Keep a record and all that follows from it. `letter` makes what is kept in its
        place where the ledger holds another end of the same job already."""
        record = self._proven(record)
        tickets = self.tickets(record)
        for ticket in tickets:
            self._outbox.put(ticket)
        stored = self._ledger.put_record(record)
        if isinstance(stored, Conflict):
            key = self.conflict(record, letter())
            for ticket in tickets:
                # Otherwise a sweep finds the conflict again and makes a second dead letter.
                self._outbox.done(ticket.name)
            return StoreResult("dead_letter", key)
        return stored

    def _proven(self, record: JobRecord) -> JobRecord:
        if record.marker is None:
            return record
        from handler.ledger.attempts import Attempts  # only a job with a marker needs it

        return Attempts(self._ledger.store).proven(record)

    def tickets(self, record: JobRecord) -> list[Ticket]:
        """The tickets that a record calls for."""
        if record.outcome == "unknown":
            note = "a callback came, and how it ended can't be read from it"
            return [about(record, "alert.unknown", note=note)]
        return [
            about(record, action, self._policy.due(record) if action == "retry" else 0)
            for action in self._policy.actions(record)
        ]

    def conflict(self, record: JobRecord, letter: DeadLetter) -> str:
        """Tell that two ends of one job were sent, and keep the second; its key."""
        return self.set_aside("conflict", record, letter, "another end is kept already")

    def set_aside(self, kind: str, record: JobRecord, letter: DeadLetter, note: str) -> str:
        """Keep a callback that is understood, but not to be believed, as a dead letter, and tell
        of it as alert.`kind`; the letter's key."""
        key = letter.key
        self._outbox.put(about(record, f"alert.{kind}", note=f"{note}; this one is in {key}"))
        return self._ledger.put_dead_letter(letter)

    def enqueue_verification(self, record: JobRecord) -> str:
        """Put a callback by that CI does not confirm yet: the sweep asks again; its key."""
        ticket = about(record, "verify")
        self._outbox.put(ticket)
        return OUTBOX + ticket.name

    def put_dead_letter(self, letter: DeadLetter) -> str:
        """Keep a body that could not be understood, and tell; its key. The ticket is first:
        better an alert whose letter is missing than a letter that nobody hears of."""
        key = letter.key
        note = f"{letter.reason}: {letter.explanation}; kept in {key}"
        self._outbox.put(
            Ticket("alert.dead", letter.sha256[:32], "dead", note=note, details={"key": key})
        )
        return self._ledger.put_dead_letter(letter)
