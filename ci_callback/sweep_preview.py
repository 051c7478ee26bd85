"""The actions that a sweep would take now, without taking them: for `sweep --dry-run`."""

from __future__ import annotations

from dataclasses import dataclass

from ci_callback.ledger_checks import checked
from handler.alerts import stored
from handler.callback.lineage import Lineage
from handler.ledger.keys import LEASES, OUTBOX
from handler.ledger.outbox import Ticket
from handler.retries.context import SweepContext
from handler.retries.sweep import MAX_LISTED


@dataclass(frozen=True)
class Planned:
    """One thing that a sweep would look at. key: of the ticket, digest or lease."""

    key: str
    action: str
    job_id: str
    would: str


def plan(context: SweepContext) -> list[Planned]:
    """The objects that a sweep would look at, in its order. It only reads: it takes no lease, and
    asks neither CI nor a channel.

    Raises:
        StoreError
    """
    store = context.ledger.store
    planned = [
        Planned(key, "lease", "", "withdraw while it is young, else delete it")
        for key in store.list(LEASES)
    ]
    planned += [
        Planned(key, "digest", "", "send it on to the channels that have not taken it")
        for key in stored.waiting(store)
    ]
    for name in context.outbox.due(context.clock(), MAX_LISTED):
        planned.append(_ticket(context, name))
    return planned


def _ticket(context: SweepContext, name: str) -> Planned:
    line = context.outbox.get(name)
    key = OUTBOX + name
    if line is None:
        return Planned(key, "", "", "skip: it is gone")
    try:
        ticket = checked(Ticket.from_json(line))
    except (ValueError, RecursionError):
        return Planned(key, "", "", "move it to _dead/ and alert: it can't be read")
    if context.outbox.is_done(name):
        would = "delete it: it was dealt with"
    elif ticket.action.startswith("alert."):
        would = f"send the alert: {ticket.action.removeprefix('alert.')}"
    elif ticket.action == "retry":
        would = _retry(context, ticket)
    elif ticket.action == "verify":
        would = "ask CI again about a callback that it did not confirm yet"
    else:
        would = "look whether the new job's record is there, else ask CI"
    return Planned(key, ticket.action, ticket.job_id, would)


def _retry(context: SweepContext, ticket: Ticket) -> str:
    if ticket.record is None:
        return "move it to _dead/ and alert: it holds no record"
    if ticket.record.workflow is not None:
        return "run its workflow again, unless that was done for this run"
    try:
        lineage = context.attempts.proven(checked(ticket.record)).lineage
        following = Lineage(lineage.root_job_id, lineage.attempt + 1)
        attempt = context.attempts.get(following)
        state = checked(attempt).state if attempt else ""
    except (ValueError, TypeError, RecursionError) as error:
        return f"fail, and after a few tries move it to _dead/ and alert: {error}"
    return _WOULD[state].format(following.attempt)


_WOULD = {
    "": "ask CI for the job, and submit it again as attempt {}",
    "not_taken": "ask CI for the job, and submit it again as attempt {}",
    "submitting": "look for attempt {} in CI's list once its claim is old enough",
    "submitted": "watch attempt {}: it is submitted",
    "refused": "alert that CI refused attempt {}",
}
