"""What a sweep would do now, without doing it: for `python -m ci_callback sweep --dry-run`."""

from __future__ import annotations

from dataclasses import dataclass

from handler.alerts import stored
from handler.alerts.send import MAX_TICKETS
from handler.callback.lineage import Lineage
from handler.ledger.attempts import Attempt
from handler.ledger.keys import LEASES, OUTBOX
from handler.ledger.outbox import Ticket
from handler.retries.context import SweepContext


@dataclass(frozen=True)
class Planned:
    """One thing that a sweep would look at. key: of the ticket, digest or lease."""

    key: str
    action: str
    job_id: str
    would: str


def plan(bench: SweepContext) -> list[Planned]:
    """Reads alone: no lease is taken, and CI and the channels are not asked.

    Raises:
        StoreError
    """
    store = bench.ledger.store
    planned = [
        Planned(key, "lease", "", "withdraw while it is young, else delete it")
        for key in store.list(LEASES)
    ]
    planned += [
        Planned(key, "digest", "", "send it on to the channels that have not taken it")
        for key in stored.waiting(store)
    ]
    for name in bench.outbox.due(bench.clock(), MAX_TICKETS):
        planned.append(_ticket(bench, name))
    return planned


def _ticket(bench: SweepContext, name: str) -> Planned:
    line = bench.outbox.get(name)
    key = OUTBOX + name
    if line is None:
        return Planned(key, "", "", "skip: it is gone")
    try:
        ticket = Ticket.from_json(line)
    except ValueError:
        return Planned(key, "", "", "move it to _dead/ and tell: it can't be read")
    if bench.outbox.is_done(name):
        would = "delete it: it was dealt with"
    elif ticket.action.startswith("alert."):
        would = f"tell it: {ticket.action.removeprefix('alert.')}"
    elif ticket.action == "retry":
        would = _retry(bench, ticket)
    elif ticket.action == "verify":
        would = "ask CI again about a callback that it did not confirm yet"
    else:
        would = "look whether the new job's record is there, else ask CI"
    return Planned(key, ticket.action, ticket.job_id, would)


def _retry(bench: SweepContext, ticket: Ticket) -> str:
    if ticket.record is None:
        return "move it to _dead/ and tell: it holds no record"
    if ticket.record.workflow is not None:
        return "run its workflow again, unless that was done for this run"
    lineage = ticket.record.lineage
    following = Lineage(lineage.root_job_id, lineage.attempt + 1)
    return _WOULD[_state(bench.attempts.get(following))].format(following.attempt)


def _state(attempt: Attempt | None) -> str:
    return attempt.state if attempt else ""


_WOULD = {
    "": "ask CI for the job, and submit it again as attempt {}",
    "not_taken": "ask CI for the job, and submit it again as attempt {}",
    "submitting": "look for attempt {} in CI's list once its claim is old enough",
    "submitted": "watch attempt {}: it is submitted",
    "refused": "tell that CI refused attempt {}",
}
