"""What the timer runs each minute: tickets that are due, and digests that are on their way.

The steps are numbered as in docs/decisions.md, "The way of a failure".
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from handler.alerts import stored
from handler.alerts.send import MAX_TICKETS, Alerts
from handler.callback.record import JobRecord
from handler.ci_api.client import CiError
from handler.ci_api.locate import CiUnreachableError
from handler.ci_api.responses import ANSWER_LIMITS
from handler.errors import StoreError
from handler.http_client import Http, HttpClient
from handler.ledger import keys
from handler.ledger.lease import Lease, LeaseLostError
from handler.ledger.outbox import FAULTS, OWN_RECORD, Ticket, alert_of
from handler.ledger.records import Ledger
from handler.ledger.store import Store
from handler.log import Log
from handler.parallel import in_parallel
from handler.retries import resubmit, unverified, watch
from handler.retries.context import SweepContext
from handler.settings import Settings

RESERVE_S = 5.0
"""Every chore ends with that much of its time left."""

STEP_S = 15.0
"""What one retry may take where CI and COS are slow: it is not begun with less time left."""

MAX_OWN_FAULTS = 5
"""How often a ticket that fails for its own fault is tried, before it goes to `_dead/`."""

MAX_CI_FAULTS = 3
"""In a row: then CI is left alone for this sweep, and tickets that need it stay as they are."""


def make_sweep_context(
    settings: Settings,
    store: Store,
    http: Http | None,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    log: Log,
    request_id: str,
) -> SweepContext:
    """The tools of one sweep, with a lease that nobody else can have."""
    writer = secrets.token_hex(8)
    lease = Lease(store, clock, sleep, writer, settings.lease_s, settings.lease_wait_s)
    http = http or HttpClient(ANSWER_LIMITS.max_bytes)
    return SweepContext(settings, Ledger(store), lease, http, clock, sleep, log, request_id)


_STEPS: Mapping[str, Callable[[SweepContext, str, Ticket], None]] = {
    "retry": resubmit.retry,
    "watch": watch.watch,
    "verify": unverified.settle,
}
"""What is done for a ticket that is not an alert, by its action."""


@dataclass
class Summary:
    """What one sweep did, for its one log line."""

    status: str = "done"
    due: int = 0
    done: int = 0
    told: int = 0
    failed: int = 0
    left: int = 0
    submits: int = 0
    reasons: list[str] = field(default_factory=list)


class Sweep:
    """One sweep. `time_left` gives the seconds that the platform still lets it run."""

    def __init__(self, bench: SweepContext, time_left: Callable[[], float]) -> None:
        self._bench = bench
        self._time_left = time_left
        self._summary = Summary()
        self._ci_faults = 0

    def run(self) -> Summary:
        """Do what is due. Raises nothing of the store, the lease or CI: it is logged, the
        next sweep goes on, and raising would make the platform run this one again."""
        started = time.perf_counter()
        try:
            self._run()
        except (StoreError, LeaseLostError) as error:
            self._summary.status = "broken_off"
            self._summary.reasons.append(str(error))
        except Exception:  # raised, SCF would run this one again
            self._summary.status = "failed"
            self._bench.log.failure("internal_error")
        self._log(started)
        return self._summary

    def _run(self) -> None:
        # Step 0. Both empty: done, at the price of two requests.
        bench = self._bench
        names = bench.outbox.due(bench.clock(), MAX_TICKETS)
        if not names and not stored.waiting(bench.ledger.store):
            return
        # Step 1
        if not bench.lease.take():
            self._summary.status = "withdrew"
            return
        try:
            # Only now: another sweep may have put a digest since, and ended before its tickets
            # were marked. Without it here they would be told anew.
            self._work(names, stored.waiting(bench.ledger.store))
        finally:
            self._summary.submits = bench.submits
        # Not where it broke off: a write that got no answer may land late, and over that of the
        # next sweep. Until the lease has grown old there is none.
        bench.lease.release()

    def _work(self, names: list[str], digests: list[str]) -> None:
        """Alerts come before retries: a backlog of the one must not keep the other unheard."""
        self._summary.due = len(names)
        alerts = Alerts(self._bench, self._time_left)
        alerts.send_waiting(digests)
        # Looked at only now: a digest that was on its way has just marked its tickets.
        due = [pair for pair in in_parallel(self._look, names) if pair]
        telling = [(name, one) for name, one in due if one.action.startswith("alert.")]
        alerts.send_due(telling)
        self._summary.told = len(telling)
        for name, ticket in due:
            if ticket.action.startswith("alert."):
                continue
            if self._time_left() < RESERVE_S + STEP_S or self._ci_faults >= MAX_CI_FAULTS:
                self._summary.left += 1
                continue
            self._take(name, ticket)
        if self._ci_faults >= MAX_CI_FAULTS:
            self._trouble("CI could not be asked; see the function's log")

    # --- step 2 ---

    def _look(self, name: str) -> tuple[str, Ticket] | None:
        """A ticket that is to be dealt with; None where it is gone, done, or not to be believed."""
        bench = self._bench
        if self._time_left() < RESERVE_S:
            return None
        line = bench.outbox.get(name)
        if line is None:
            return None
        if bench.outbox.is_done(name):
            bench.outbox.forget(name)
            return None
        try:
            ticket = Ticket.from_json(line)
        except ValueError as error:
            self._put_dead_letter(
                name, Ticket("alert.dead", name, "ticket"), line, f"unreadable: {error}"
            )
            return None
        if ticket.action not in OWN_RECORD:
            return name, ticket
        if ticket.record is None:
            self._put_dead_letter(name, ticket, line, "unreadable: it holds no record")
            return None
        return (name, ticket) if self._record_agrees(name, ticket, ticket.record) else None

    def _record_agrees(self, name: str, ticket: Ticket, record: JobRecord) -> bool:
        """Whether the record is there, made now if the callback died, and tells the same end."""
        bench = self._bench
        letter = bench.letter(record.to_json(), "record", "conflict", "another end is kept already")
        verdict = bench.ledger.compare(record)
        if verdict is None:
            # The callback died half-way: do the rest of its way, tickets included.
            taken = bench.intake.store(record, lambda: letter)
            bench.note(ticket, "completed", "its callback had died before the record")
            if taken.status != "dead_letter":
                return True
        elif verdict != "conflict":
            return True
        else:
            bench.intake.conflict(record, letter)
        bench.outbox.done(name)
        bench.note(ticket, "conflict", "the record tells another end")
        return False

    # --- steps 3 and 4 ---

    def _take(self, name: str, ticket: Ticket) -> None:
        step = _STEPS.get(ticket.action)
        bench = self._bench
        try:
            if step is None:
                raise ValueError(f"no ticket asks for {ticket.action[:40]!r}")
            step(bench, name, ticket)
        except (StoreError, LeaseLostError):
            raise
        except (CiError, CiUnreachableError) as error:
            self._ci_faults += 1
            self._summary.failed += 1
            otherwise = "held" if ticket.action == "retry" else "unknown"
            bench.put_off(name, ticket, otherwise, str(error))
        except Exception as error:  # a ticket's own fault must not stop the others
            self._summary.failed += 1
            bench.log.failure("ticket_failed", action=ticket.action)
            self._own_fault(name, ticket, type(error).__name__)
        else:
            self._ci_faults = 0
            self._summary.done += 1

    def _own_fault(self, name: str, ticket: Ticket, why: str) -> None:
        faults = int((ticket.details or {}).get(FAULTS, 0)) + 1
        if faults >= MAX_OWN_FAULTS:
            self._put_dead_letter(name, ticket, ticket.to_json(), f"failed {faults} times: {why}")
            return
        details = {**(ticket.details or {}), FAULTS: faults}
        self._bench.outbox.put(replace(ticket, details=details))

    def _put_dead_letter(self, name: str, ticket: Ticket, line: bytes, why: str) -> None:
        """A ticket that can't be dealt with goes to `_dead/`, and is told."""
        bench = self._bench
        letter = bench.letter(line, "ticket", "ticket", why)
        key = keys.dead(letter.sha256, letter.received_at)
        note = f"a ticket {why}; kept in {key}"
        bench.outbox.put(alert_of(ticket, "dead", note, {"key": key}))
        bench.ledger.put_dead_letter(letter)
        bench.outbox.done(name)
        bench.note(ticket, "dead_letter", note)

    def _trouble(self, note: str) -> None:
        """Tell that sweeps are in trouble; once an hour."""
        bench = self._bench
        hour = bench.now()[:13]
        bench.outbox.put(Ticket("alert.sweep", "sweep", hour, note=note))

    def _log(self, started: float) -> None:
        done = self._summary
        write = (
            self._bench.log.info if done.status in ("done", "withdrew") else self._bench.log.error
        )
        write(
            "sweep",
            status=done.status,
            due=done.due,
            done=done.done,
            told=done.told,
            failed=done.failed,
            left=done.left,
            submits=done.submits,
            reason="; ".join(done.reasons) or None,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )
