"""From the name of a queued event to the event that is sent.

The event of a record counts where the ledger holds that record: a missing one is stored now, since
its callback died before it, and of a failure whose record reports another end no retry is
announced. The root is looked up again: it may have been proven since.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import NamedTuple

from handler.callback.record import JobRecord
from handler.errors import StoreError
from handler.events.event import NOTES, Event, of_failure, of_record
from handler.events.queue import OWN, Queued
from handler.forwarding.context import ForwardContext
from handler.forwarding.finals import note_final
from handler.forwarding.sending import Outgoing
from handler.forwarding.stored import read_deliveries
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.keys import EVENTS
from handler.ledger.lease import LeaseLostError
from handler.ledger.outbox import Ticket

LARGE_BYTES = 128 * 1024
"""Of a record. Parsed it takes a multiple of that, so larger ones are read one at a time."""


class Loaded(NamedTuple):
    """A queued event that was looked at. outgoing: None where nothing is left to be sent of it."""

    name: str
    outgoing: Outgoing | None = None


class Intake:
    """Loads events for one batch after the other. Threads may share it."""

    def __init__(self, context: ForwardContext) -> None:
        self._context = context
        self._large = threading.Lock()
        self.faults = 0
        """Events that could not be loaded since the store failed: they stay in the queue."""

    def load(self, name: str, batch: str) -> Loaded | None:
        """Load an event, and note it where it is final. batch: the key of what becomes of it.

        None where the store failed; it is looked at again.

        Raises:
            LeaseLostError
        """
        try:
            with contextlib.ExitStack() as held:
                return self._loaded(name, batch, held)
        except StoreError as error:
            self.faults += 1
            self._context.log.warning("event_left", key=EVENTS + name, reason=str(error))
            return None

    def _loaded(self, name: str, batch: str, held: contextlib.ExitStack) -> Loaded:
        """As `_load`; an event that can't be read or dealt with is a dead letter."""
        try:
            return self._load(name, batch, held)
        except (StoreError, LeaseLostError):
            raise
        except ValueError as error:
            return self._put_dead_letter(name, str(error))
        except Exception as error:  # an event's own fault must not stop the others
            self._context.log.failure("event_failed", key=EVENTS + name)
            return self._put_dead_letter(name, type(error).__name__)

    def _load(self, name: str, batch: str, held: contextlib.ExitStack) -> Loaded:
        """held: memory that is released once only the body of the event is left."""
        event, is_kept = self._event(name, held)
        if event is None:
            return Loaded(name)
        if event.is_final:
            noted = note_final(self._context.store, self._context.lease, event, batch)
            if noted.earlier_batch is not None and self._was_sent(noted.earlier_batch, event.id):
                return Loaded(name)
            event = event._replace(supersedes=noted.supersedes)
        return Loaded(name, Outgoing.of(event, is_kept))

    def _event(self, name: str, held: contextlib.ExitStack) -> tuple[Event | None, bool]:
        """The event, and whether the ledger is known to hold its record."""
        queued = Queued.of(name)
        if queued is not None and queued.kind == OWN:
            record = self._kept(queued.record_key, held)
            if record is not None and record.outcome == queued.outcome:
                return of_record(self._proven(record), self._context.policy), True
        line = self._context.store.get(EVENTS + name)
        if line is None:
            return None, False  # the listing lagged
        self._take_turn(line, held)
        event = Event.from_queue(line)
        return (self._checked(event)) if event.own_record else (event, False)

    def _checked(self, event: Event) -> tuple[Event, bool]:
        """An event that a callback put about its own record."""
        comparison = self._context.ledger.compare(event.record)
        if comparison is None:
            stored = self._context.recorder.store(event.record, self._conflict(event.record))
            comparison = "conflict" if stored.status == "dead_letter" else "kept"
        is_kept = comparison != "conflict"
        record = self._proven(event.record)
        if record.lineage != event.record.lineage:
            event = of_record(record, self._context.policy) or event
        if not is_kept and record.kind == "job" and record.outcome == "failed":
            event = of_failure(record, "conflict", NOTES["conflict"])
        return event, is_kept

    def _kept(self, key: str, held: contextlib.ExitStack) -> JobRecord | None:
        """The record under a key; None for a missing object and for one that is not a record."""
        line = self._context.store.get(key)
        if line is None:
            return None
        self._take_turn(line, held)
        try:
            return JobRecord.from_json(line)
        except (ValueError, RecursionError):
            return None  # the event's own record decides

    def _take_turn(self, line: bytes, held: contextlib.ExitStack) -> None:
        """Wait until no other large event is in memory in parts, if this one is large."""
        held.close()  # an event's own line is read after that of the record
        if len(line) > LARGE_BYTES:
            held.enter_context(self._large)

    def _proven(self, record: JobRecord) -> JobRecord:
        return self._context.attempts.proven(record)

    def _conflict(self, record: JobRecord) -> Callable[[], DeadLetter]:
        explanation = "another end is kept already"
        return lambda: self._context.dead_letter(
            record.to_json(), "record", "conflict", explanation
        )

    def _was_sent(self, batch: str, event_id: str) -> bool:
        """Whether an earlier run noted what became of an event: then it was sent, or is pending."""
        line = self._context.store.get(batch)
        try:
            events = [] if line is None else read_deliveries(line)
        except (ValueError, RecursionError):
            return False
        return any(one.get("id") == event_id for one in events)

    def _put_dead_letter(self, name: str, reason: str) -> Loaded:
        """A queued event that can't be read; a person must look."""
        context = self._context
        line = context.store.get(EVENTS + name) or b""
        letter = context.dead_letter(line, "event", "event", f"unreadable: {reason}")
        note = f"a queued event is unreadable: {reason}; kept in {letter.key}"
        context.outbox.put(Ticket("alert.dead", name, "event", note=note))
        context.ledger.put_dead_letter(letter)
        return Loaded(name)
