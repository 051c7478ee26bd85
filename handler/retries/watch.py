"""The next step of a watch ticket: step 4 of the way of a failure. It looks after a re-submitted
job whose callback may never come, and compares one that came with CI's own word."""

from __future__ import annotations

from handler.callback import tree
from handler.callback.catalogue import family_of
from handler.callback.envelope import Notice
from handler.callback.lineage import Marker
from handler.callback.outcome import TERMINAL, of_state, spelling
from handler.callback.record import JobRecord, Source, normalise
from handler.callback.tree import Tree
from handler.ledger import keys
from handler.ledger.outbox import Ticket, about, alert_of
from handler.retries.carry_out import MAX_TRIES
from handler.retries.context import SweepContext
from handler.retries.listed import Search, jobs_with_marker
from handler.retries.next_step import Alert, Defer, Done, NextStep, Store
from handler.retries.watch_ticket import marker_of

AGAIN_S = 6 * 3600
"""Until a job that still runs is looked at again: with MAX_TRIES, two days and a half in all."""


def watch(context: SweepContext, ticket: Ticket) -> NextStep:
    """Decide what becomes of a watch ticket.

    Raises:
        StoreError: the sweep ends here. CiError, CiUnreachableError: CI is out of reach.
        ValueError: the ticket holds no record or no attempt.
    """
    record, marker = ticket.record, marker_of(ticket)
    if record is None:
        raise ValueError("a watch ticket without a record")
    detail = _at_ci(context, ticket, record, marker)
    key = keys.job(ticket.job_id, (ticket.details or {}).get("created_at"))
    kept = context.ledger.store.get(key)
    if kept is not None:
        return _compared(context, ticket, JobRecord.from_json(kept), detail)
    if detail is None:
        return Alert("unknown", "no callback came, and CI does not know the job")
    notice = Notice("job", None, ticket.job_id, detail, None)
    source = Source("timer", "xml", context.now(), context.request_id, True)
    ended = normalise(notice, source).with_lineage(marker.lineage)
    if ended.is_terminal:
        return Store(ended, "no callback came; CI was asked", is_missing=True)
    return _later(context, f"it is {ended.state}")


def _at_ci(
    context: SweepContext, ticket: Ticket, record: JobRecord, marker: Marker
) -> dict[str, Tree] | None:
    """The job as CI describes it now; None where CI does not know it.

    Other jobs with its marker raise an alert: CI took the submission twice, outside the bounds
    of the promise, or a user copied the job's UserData. Which of the two can't be known, so
    none of them is cancelled.
    """
    family = family_of(record.tag, ticket.job_id)
    if family is None:
        return None
    ci = context.ci.of(record)
    listed: dict[str | None, dict[str, Tree]] = {}
    if family.list_known and family.user_data_known:
        jobs = jobs_with_marker(ci, family, Search.after_record(record, context.clock()), marker)
        listed = {tree.text(job, "JobId"): job for job in jobs}
    detail = listed.pop(ticket.job_id, None)
    if listed:
        others = ", ".join(
            f"{job_id} ({tree.text(job, 'State')})" for job_id, job in listed.items()
        )
        note = f"also with the marker of attempt {marker.lineage.attempt}: {others}"
        context.outbox.put(alert_of(ticket, "duplicate", note))
    if detail is None:
        described = ci.describe(family, ticket.job_id)
        detail = described.detail if described else None
    return detail


def _compared(
    context: SweepContext, ticket: Ticket, kept: JobRecord, detail: dict[str, Tree] | None
) -> NextStep:
    """The callback came. It may have come before the note that the job is an attempt, and it may
    not have been CI's."""
    state = tree.text(detail, "State") or kept.state or ""
    if of_state(state) not in TERMINAL and ticket.tries < MAX_TRIES:
        return _later(context, f"a callback says {kept.state}, and CI still {state}")
    proven = kept.with_lineage(marker_of(ticket).lineage)
    alerts = []
    if kept.outcome == "succeeded" and kept.lineage != proven.lineage:
        alerts.append(about(proven, "alert.recovered"))
    if spelling(state) != spelling(kept.state):
        note = f"a callback said {kept.state}, and CI says {state}"
        alerts.append(about(proven, "alert.mismatch", note=note))
    late = proven if kept.lineage != proven.lineage else None
    return Done("done", "its callback came", tuple(alerts), late)


def _later(context: SweepContext, reason: str) -> Defer:
    return Defer(reason, context.clock() + AGAIN_S, otherwise="unknown")
