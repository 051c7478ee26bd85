"""Looking after a re-submitted job whose callback may never come: step 4 of a failure's way."""

from __future__ import annotations

from handler.callback import tree
from handler.callback.catalogue import family_of
from handler.callback.envelope import Notice
from handler.callback.lineage import Lineage
from handler.callback.record import Source, normalise
from handler.ledger import keys
from handler.ledger.outbox import Ticket, alert_of
from handler.retries.context import MAX_TRIES, SweepContext
from handler.retries.resubmit import with_marker

AGAIN_S = 6 * 3600
"""Until a job that still runs is looked at again: with MAX_TRIES, two days and a half in all."""


def watch(bench: SweepContext, name: str, ticket: Ticket) -> None:
    """Take a watch ticket as far as it goes.

    Raises:
        StoreError, LeaseLostError, CiError, CiUnreachableError: the ticket stays.
    """
    record = ticket.record
    if record is None or ticket.details is None:
        raise ValueError("a watch ticket without a record or details")
    _tell_doubles(bench, ticket)
    created_at = ticket.details["created_at"]
    if bench.ledger.store.get(keys.job(ticket.job_id, created_at)) is not None:
        bench.outbox.done(name)
        bench.note(ticket, "done", "its callback came")
        return
    family = family_of(record.tag, ticket.job_id)
    described = bench.ci(record).describe(family, ticket.job_id) if family else None
    if described is None:
        bench.tell(name, ticket, "unknown", "no callback came, and CI does not know the job")
        return
    notice = Notice("job", None, ticket.job_id, described.detail, None)
    source = Source("timer", "xml", bench.now(), bench.request_id, True)
    ended = normalise(notice, source)
    if ended.is_terminal:
        # The callback was lost: it is taken in by the way that it would have gone.
        letter = bench.letter(ended.to_json(), "record", "conflict", "another end is kept already")
        taken = bench.intake.store(ended, lambda: letter)
        bench.outbox.done(name)
        bench.note(ticket, taken.status, "no callback came; CI was asked")
    elif ticket.tries >= MAX_TRIES:
        bench.tell(name, ticket, "unknown", f"it has been {described.state} for days")
    else:
        bench.wait(name, ticket, bench.clock() + AGAIN_S, f"it is {described.state}", counts=True)


def _tell_doubles(bench: SweepContext, ticket: Ticket) -> None:
    """Two jobs with one marker: the bounds of the promise were left. Cancel what has not begun."""
    record, details = ticket.record, ticket.details or {}
    family = family_of(record.tag, ticket.job_id) if record else None
    if record is None or family is None or not (family.list_known and family.user_data_known):
        return
    lineage = Lineage(details["root_job_id"], details["attempt"])
    ci = bench.ci(record)
    others = {
        tree.text(job, "JobId") or "": tree.text(job, "State")
        for job in with_marker(ci, family, record, lineage)
    }
    others.pop(ticket.job_id, None)
    if not others:
        return
    told = []
    for job_id, state in others.items():
        bench.lease.check(10)
        cancelled = state in ("Submitted", "Pause") and ci.cancel(family, job_id)
        told.append(f"{job_id} ({'cancelled' if cancelled else state})")
    note = f"attempt {lineage.attempt} was submitted more than once: also as {', '.join(told)}"
    bench.outbox.put(alert_of(ticket, "duplicate", note))
