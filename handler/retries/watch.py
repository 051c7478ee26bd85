"""Looking after a re-submitted job whose callback may never come: step 4 of a failure's way."""

from __future__ import annotations

from handler.callback import tree
from handler.callback.catalogue import family_of
from handler.callback.envelope import Notice
from handler.callback.lineage import Lineage, Marker
from handler.callback.record import OUTCOMES, TERMINAL, JobRecord, Source, normalise
from handler.callback.tree import Tree
from handler.ledger import keys
from handler.ledger.outbox import Ticket, about, alert_of
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
    detail = _at_ci(bench, ticket, record)
    key = keys.job(ticket.job_id, ticket.details["created_at"])
    kept = bench.ledger.store.get(key)
    if kept is not None:
        _came(bench, name, ticket, JobRecord.from_json(kept), detail)
        return
    if detail is None:
        bench.tell(name, ticket, "unknown", "no callback came, and CI does not know the job")
        return
    notice = Notice("job", None, ticket.job_id, detail, None)
    source = Source("timer", "xml", bench.now(), bench.request_id, True)
    ended = normalise(notice, source).with_lineage(_lineage(ticket))
    if ended.is_terminal:
        # The callback was lost: it is taken in by the way that it would have gone.
        letter = bench.letter(ended.to_json(), "record", "conflict", "another end is kept already")
        taken = bench.intake.store(ended, lambda: letter)
        bench.outbox.done(name)
        bench.note(ticket, taken.status, "no callback came; CI was asked")
    elif ticket.tries >= MAX_TRIES:
        bench.tell(name, ticket, "unknown", f"it has been {ended.state} for days")
    else:
        bench.wait(name, ticket, bench.clock() + AGAIN_S, f"it is {ended.state}", counts=True)


def _at_ci(bench: SweepContext, ticket: Ticket, record: JobRecord) -> dict[str, Tree] | None:
    """The job as CI tells it now; None where CI does not know it.

    Other jobs with its marker are told: CI took the submission twice, outside the bounds of the
    promise, or somebody copied the job's UserData. Which of the two can't be known, so none of
    them is cancelled.
    """
    family = family_of(record.tag, ticket.job_id)
    if family is None:
        return None
    listed: dict[str | None, dict[str, Tree]] = {}
    if family.list_known and family.user_data_known:
        marker = Marker(_lineage(ticket), (ticket.details or {})["nonce"])
        jobs = with_marker(bench.ci(record), family, record, marker)
        listed = {tree.text(job, "JobId"): job for job in jobs}
    detail = listed.pop(ticket.job_id, None)
    if listed:
        others = ", ".join(
            f"{job_id} ({tree.text(job, 'State')})" for job_id, job in listed.items()
        )
        note = f"also with the marker of attempt {_lineage(ticket).attempt}: {others}"
        bench.outbox.put(alert_of(ticket, "duplicate", note))
    if detail is None:
        described = bench.ci(record).describe(family, ticket.job_id)
        detail = described.detail if described else None
    return detail


def _came(
    bench: SweepContext,
    name: str,
    ticket: Ticket,
    kept: JobRecord,
    detail: dict[str, Tree] | None,
) -> None:
    """The callback came. It may have come before the note that the job is an attempt, and it may
    not have been CI's."""
    state = tree.text(detail, "State") or kept.state or ""
    if OUTCOMES.get(state, "unknown") not in TERMINAL and ticket.tries < MAX_TRIES:
        note = f"a callback says {kept.state}, and CI still {state}"
        bench.wait(name, ticket, bench.clock() + AGAIN_S, note, counts=True)
        return
    proven = kept.with_lineage(_lineage(ticket))
    if kept.outcome == "succeeded" and kept.lineage != proven.lineage:
        bench.outbox.put(about(proven, "alert.recovered"))
    if state != kept.state:
        note = f"a callback said {kept.state}, and CI says {state}"
        bench.outbox.put(about(proven, "alert.mismatch", note=note))
    bench.outbox.done(name)
    bench.note(ticket, "done", "its callback came")


def _lineage(ticket: Ticket) -> Lineage:
    details = ticket.details or {}
    return Lineage(details["root_job_id"], details["attempt"])
