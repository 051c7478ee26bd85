"""The sweep that the timer runs each minute: due tickets, and digests that are on their way.

The steps are numbered as in docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from handler.alerts import stored
from handler.alerts.digest import Entry
from handler.alerts.send import MAX_TICKETS, Alerts
from handler.ci_api.client import TIMEOUT_S
from handler.errors import StoreError
from handler.ledger import keys
from handler.ledger.lease import LeaseLostError
from handler.ledger.outbox import Ticket, action_of
from handler.parallel import POOL
from handler.retries.batches import Batches
from handler.retries.budget import Budget, too_short
from handler.retries.context import SweepContext
from handler.retries.early_look import EarlyLook
from handler.retries.worker import Worker

MAX_LISTED = 10_000
"""Names of due tickets that one sweep lists: ten requests."""

HELD_ALERT_S = 600.0
"""Sweeps that withdraw one after the other for so long raise an alert."""

MAX_CLOSED = 100
"""Tickets that were dealt with and are still there: after a crash each is looked at again."""

READING_SHARE = 0.5
"""Of the time that is left: what reading alerts may take. Marking them takes about half as long."""

_warned: set[str] = set()
"""What was said by an earlier sweep of this process: it would be noise each minute."""


@dataclass
class Summary:
    """The counts of one sweep, for its one log line.

    status: done; lease_held; in_progress: its time is up, and tickets remain; aborted: by the
    store, or since its lease is too old; failed. due: tickets that were listed. done, failed:
    of those that are no alerts. alerts_sent: alert tickets in the digest. remaining: listed and
    not dealt with. submitted: re-submissions.
    """

    status: str = "done"
    due: int = 0
    done: int = 0
    alerts_sent: int = 0
    failed: int = 0
    remaining: int = 0
    submitted: int = 0
    reasons: list[str] = field(default_factory=list)


class Due(NamedTuple):
    """Names of tickets that are due, each kind in the order of time."""

    alerts: list[str]
    verifications: list[str]
    retries: list[str]
    watches: list[str]

    @classmethod
    def of(cls, names: Sequence[str]) -> Due:
        """Sort names by the actions in them. A name without a known action is the least urgent."""
        due = cls([], [], [], [])
        for name in names:
            action = action_of(name) or ""
            kinds = {"verify": due.verifications, "retry": due.retries}
            of_kind = due.alerts if action.startswith("alert.") else kinds.get(action, due.watches)
            of_kind.append(name)
        return due

    def up_to(self, max_submits: int) -> Due:
        """Without the retries that this sweep will not come to."""
        return self._replace(retries=self.retries[:max_submits])

    @property
    def in_order(self) -> list[str]:
        """The order of work."""
        return [*self.alerts, *self.verifications, *self.retries, *self.watches]


class Sweep:
    """One sweep. time_left: the seconds that the platform still lets it run."""

    def __init__(self, context: SweepContext, time_left: Callable[[], float]) -> None:
        self._context = context
        self._time_left = time_left
        self._summary = Summary()

    def run(self) -> Summary:
        """Do what is due. Raises nothing of the store, the lease or CI: it is logged, the
        next sweep goes on, and raising would make the platform run this one again."""
        started = self._context.timer()
        try:
            self._run()
        except (StoreError, LeaseLostError) as error:
            self._end("aborted", str(error))
        except Exception:  # raised, SCF would run this one again
            self._end("failed", "")
            self._context.log.failure("internal_error")
        self._log(started)
        return self._summary

    def _run(self) -> None:
        context = self._context
        self._warn()
        # Step 0: one request says which queues hold anything, and each that does costs one more.
        queues = context.ledger.store.folders(keys.QUEUES)
        names = context.outbox.due(context.clock(), MAX_LISTED) if keys.OUTBOX in queues else []
        if not names and not (keys.DIGESTS in queues and stored.waiting(context.ledger.store)):
            return
        self._summary.due = self._summary.remaining = len(names)
        due = Due.of(names)
        early = EarlyLook(context)
        # Step 1
        soon = due.up_to(context.settings.sweep_max_submits)
        if not context.lease.acquire(lambda left: early.run(soon.in_order, left)):
            self._withdraw()
            return
        # Only now: another sweep may have put a digest since, and ended before its tickets
        # were marked. Without it here they would be sent a second time.
        self._work(due, Worker(context, early), stored.waiting(context.ledger.store))
        # Not where it was aborted: a write that got no answer may land late, and over that of
        # the next sweep. Until the lease has grown old there is none.
        context.lease.release(context.outbox.closed)

    def _work(self, due: Due, worker: Worker, digests: Sequence[str]) -> None:
        """Alerts first, then what is due, and watches last: none waits behind a backlog of what
        is less urgent."""
        context = self._context
        budget = Budget.of(self._time_left, context.lease.left)
        self._send_alerts(worker, budget, due.alerts, digests)
        others = due.in_order[len(due.alerts) :]
        if others and not budget.fits_a_step:
            self._end("failed", too_short(budget))
            self._raise_sweep_alert(too_short(budget), context.now()[:10])
            return
        context.ci = replace(context.ci, timeout_s=min(TIMEOUT_S, budget.request_s))
        batches = Batches(
            worker.process,
            budget,
            context.sleep,
            context.timer,
            context.parallel,
            lambda: context.outbox.delete_closed(MAX_CLOSED),
        )
        try:
            batches.run(due.verifications)
            batches.run(due.retries, context.settings.sweep_max_submits)
            batches.run(due.watches)
        finally:
            self._count(batches)
        if batches.is_ci_down:
            self._raise_sweep_alert("CI could not be asked; see the function's log")

    # --- step 5 ---

    def _send_alerts(
        self, worker: Worker, budget: Budget, names: Sequence[str], digests: Sequence[str]
    ) -> None:
        alerts = Alerts(self._context, budget.left)
        alerts.send_waiting(digests)
        # Read only now: a digest that was on its way has just marked its tickets.
        entries = self._entries(worker, budget, names[:MAX_TICKETS])
        alerts.send_due(entries)
        self._summary.alerts_sent = len(entries)

    def _entries(
        self, worker: Worker, budget: Budget, names: Sequence[str]
    ) -> list[tuple[str, Entry]]:
        """The entries of the alert tickets, as far as there is time to send them. The tickets
        themselves are let go: each holds a whole record."""
        until = budget.left() * (1 - READING_SHARE)
        entries: list[tuple[str, Entry]] = []
        for at in range(0, len(names), POOL):
            if budget.left() < until:
                break
            batch = names[at : at + POOL]
            entries += [entry for entry in self._context.parallel(worker.alert, batch) if entry]
            self._summary.remaining -= len(batch)
        return entries

    # --- its log lines and its own alerts ---

    def _warn(self) -> None:
        if self._context.settings.confirms_before_retrying or "never" in _warned:
            return
        _warned.add("never")
        self._context.log.warning(
            "unverified_retries",
            reason="VERIFY_CALLBACKS=never: who has a token can have any job submitted",
        )

    def _withdraw(self) -> None:
        held_s = self._context.lease.held_for_s
        self._end("lease_held", "")
        if held_s >= HELD_ALERT_S:
            reason = f"no sweep got the lease for {held_s / 60:.0f} minutes"
            self._summary.reasons.append(reason)
            self._raise_sweep_alert(
                f"{reason}: see _sweep/, LEASE_S, and how many timers there are"
            )

    def _count(self, batches: Batches) -> None:
        summary, results = self._summary, batches.results
        summary.done += results["done"]
        summary.failed += results["failed"] + results["ci_failed"]
        summary.remaining -= results.total()
        summary.submitted += batches.submitted
        if summary.remaining and summary.status == "done":
            summary.status = "in_progress"

    def _end(self, status: str, reason: str) -> None:
        self._summary.status = status
        if reason:
            self._summary.reasons.append(reason)

    def _raise_sweep_alert(self, note: str, period: str = "") -> None:
        """Say that sweeps are in trouble; once in an hour, or in another period."""
        period = period or self._context.now()[:13]
        self._context.outbox.put(Ticket("alert.sweep", "sweep", period, note=note))

    def _log(self, started: float) -> None:
        context, summary = self._context, self._summary
        is_well = summary.status in ("done", "in_progress", "lease_held") and not summary.reasons
        write = context.log.info if is_well else context.log.error
        write(
            "sweep",
            status=summary.status,
            due=summary.due,
            done=summary.done,
            alerts_sent=summary.alerts_sent,
            failed=summary.failed,
            remaining=summary.remaining,
            submitted=summary.submitted,
            reason="; ".join(summary.reasons) or None,
            duration_ms=round((context.timer() - started) * 1000, 1),
        )
