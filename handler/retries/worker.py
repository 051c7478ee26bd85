"""One ticket, from its name to its end in this sweep. Called from several threads at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from handler.alerts.digest import Entry
from handler.alerts.send import entry
from handler.ci_api.client import CiError
from handler.ci_api.locate import CiUnreachableError
from handler.errors import StoreError
from handler.ledger.lease import LeaseLostError
from handler.ledger.outbox import FAULTS, Ticket, has_mark
from handler.retries import resubmit, unverified, watch, workflow_rerun
from handler.retries.carry_out import carry_out
from handler.retries.context import SweepContext
from handler.retries.early_look import EarlyLook
from handler.retries.load_ticket import agreed, load_ticket, put_dead_letter
from handler.retries.next_step import Defer, NextStep

MAX_OWN_FAULTS = 5
"""How often a ticket that fails for its own fault is tried, before it becomes a dead letter."""

LARGE_BYTES = 128 * 1024
"""Of a ticket. Parsed it takes a multiple of that, so larger ones are dealt with one at a time:
16 of 2 MB at a time would end a function of 256 MB."""

Result: TypeAlias = Literal["done", "gone", "failed", "ci_failed"]


class Outcome(NamedTuple):
    """The result for one ticket. submitted: how many submissions were sent for it."""

    result: Result
    submitted: int = 0


def _retry(context: SweepContext, ticket: Ticket) -> NextStep:
    if ticket.record is not None and ticket.record.workflow is not None:
        return workflow_rerun.retry(context, ticket)
    return resubmit.retry(context, ticket)


DECIDE: Mapping[str, Callable[[SweepContext, Ticket], NextStep]] = {
    "retry": _retry,
    "watch": watch.watch,
    "verify": unverified.complete_verification,
}
"""What decides about a ticket that is not an alert, by its action."""


class Worker:
    """The work of one sweep. Its methods may raise StoreError or LeaseLostError: then no ticket
    is dealt with any more under this lease."""

    def __init__(self, context: SweepContext, early: EarlyLook | None = None) -> None:
        """early: the tickets that are read already."""
        self._context = context
        self._early = early or EarlyLook(context)
        self._large = threading.Lock()

    def process(self, name: str) -> Outcome:
        """Deal with a ticket that is not an alert."""
        with self._working(), self._ticket(name) as ticket:
            return Outcome("gone") if ticket is None else self._decide(name, ticket)

    def alert(self, name: str) -> tuple[str, Entry] | None:
        """The entry of an alert ticket; None where nothing is left to report."""
        with self._working(), self._ticket(name) as ticket:
            return None if ticket is None else (name, entry(ticket, self._context.settings.secrets))

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        context = self._context
        with context.roots.worker():
            try:
                yield
            except (StoreError, LeaseLostError):
                # Before the root is released: a write that got no answer may land late.
                context.lease.abandon()
                raise

    @contextlib.contextmanager
    def _ticket(self, name: str) -> Iterator[Ticket | None]:
        """A ticket by its name; None where it is gone, done, a dead letter or a conflict."""
        context, outbox = self._context, self._context.outbox
        seen = self._early.take(name)
        line = outbox.get(name) if seen is None else b""
        if line is None:
            yield None
        elif has_mark(name) and outbox.is_done(name):
            outbox.forget(name)
            yield None
        elif seen is not None:
            yield seen.ticket if seen.agrees else agreed(context, name, seen.ticket)
        else:
            with self._large if len(line) > LARGE_BYTES else contextlib.nullcontext():
                yield load_ticket(context, name, line)

    def _decide(self, name: str, ticket: Ticket) -> Outcome:
        context = self._context
        try:
            decide = DECIDE.get(ticket.action)
            if decide is None:
                raise ValueError(f"there is no action {ticket.action[:40]!r}")
            return Outcome("done", carry_out(context, name, ticket, decide(context, ticket)))
        except (StoreError, LeaseLostError):
            raise
        except (CiError, CiUnreachableError) as error:
            otherwise = "held" if ticket.action == "retry" else "unknown"
            carry_out(context, name, ticket, Defer(str(error), otherwise=otherwise))
            return Outcome("ci_failed")
        except Exception as error:  # a ticket's own fault must not stop the others
            context.log.failure("ticket_failed", action=ticket.action)
            self._note_fault(name, ticket, type(error).__name__)
            return Outcome("failed")

    def _note_fault(self, name: str, ticket: Ticket, reason: str) -> None:
        faults = ticket.faults + 1
        if faults >= MAX_OWN_FAULTS:
            note = f"failed {faults} times: {reason}"
            put_dead_letter(self._context, name, ticket, ticket.to_json(), note)
            return
        details = {**(ticket.details or {}), FAULTS: faults}
        self._context.outbox.put(ticket._replace(details=details))
