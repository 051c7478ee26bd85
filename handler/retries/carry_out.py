"""Carries out what was decided about a ticket: the one place of the retries that writes.

    Submit ── put submitting ── POST once ── accepted ──────────► Adopt
                                         ├── refused ───────────► note it ── Alert
                                         ├── known as not taken ► note it ── Defer
                                         └── no clear answer ───► Defer; Alert for a workflow's run
    Adopt ─── put _lineage/ ── put submitted ── put the watch ticket ── the ticket is done

The claim comes before the request, and is as old as the request can be: "not accepted" and
"accepted and not listed yet" look the same, and only time tells them apart. The lease's age is
checked right before the POST and before each write to `_attempts/`, except the note that a job
was submitted, which is true whatever the lease's age.
"""

from __future__ import annotations

import math

from handler.callback import converters, tree
from handler.callback.lineage import Lineage
from handler.callback.outcome import TERMINAL, of_state
from handler.callback.record import JobRecord
from handler.callback.tree import Tree
from handler.ci_api.responses import CreateResult
from handler.ledger.attempts import Attempt, State
from handler.ledger.dead_letters import DeadLetter
from handler.ledger.outbox import Ticket, alert_of
from handler.redaction.text import redact
from handler.retries.context import SweepContext
from handler.retries.final_events import put_final
from handler.retries.next_step import Adopt, Alert, Defer, Done, NextStep, SetAside, Store, Submit
from handler.retries.watch_ticket import watch_ticket

MAX_TRIES = 8
"""How often a ticket is deferred for one reason before an alert is raised in its place."""

DELAYS_S = (60, 120, 300, 600, 1800, 3600, 7200, 14400)
"""Until a deferred ticket is looked at again, by how often it was deferred before."""

WRITE_S = 5.0
"""The longest that a write to `_attempts/` may take."""

MAX_MESSAGE_CHARS = 500
"""Of CI's refusal, in an attempt and in an alert."""


def carry_out(context: SweepContext, name: str, ticket: Ticket, step: NextStep) -> int:
    """Take a ticket to its end in this sweep; how many submissions were sent. name: of its key.

    Raises:
        StoreError, LeaseLostError: the ticket stays, and the next sweep finds how far it came.
    """
    submitted = 0
    while not isinstance(step, (Defer, Alert, Done)):
        submitted += isinstance(step, Submit)
        step = _further(context, step)
    if isinstance(step, Defer):
        if not step.otherwise or ticket.tries < MAX_TRIES:
            _defer(context, name, ticket, step)
            return submitted
        step = Alert(step.otherwise, f"{step.reason}; tried {ticket.tries} times")
    if isinstance(step, Alert):
        about = ticket if step.record is None else ticket._replace(record=step.record)
        put_final(context, ticket, step.kind, step.reason, step.record)
        context.outbox.put(alert_of(about, step.kind, step.reason))
        context.outbox.close(name)
        log_ticket(context, ticket, "alerted", step.reason, step.kind)
        return submitted
    if step.status == "submitted" and not step.tickets:
        put_final(context, ticket, "rerun", f"its workflow runs again, {step.reason}")
    if step.proven is not None and context.recorder.events is not None:
        context.recorder.events.put_end(step.proven)
    for follow_up in step.tickets:
        context.outbox.put(follow_up)
    context.outbox.close(name)
    log_ticket(context, ticket, step.status, step.reason)
    return submitted


def log_ticket(
    context: SweepContext, ticket: Ticket, status: str, reason: str = "", alert: str = ""
) -> None:
    """One log line about a ticket. alert: the kind of the one that was raised."""
    context.log.info(
        "ticket",
        action=ticket.action,
        job_id=ticket.job_id,
        tag=ticket.record.tag if ticket.record else None,
        status=status,
        alert=alert or None,
        reason=reason or None,
    )


def adopt(lineage: Lineage, claim: Attempt, record: JobRecord, detail: dict[str, Tree]) -> Adopt:
    """The step for a job that CI answered with, or that its list shows."""
    created = converters.moment(tree.text(detail, "CreationTime"))
    return Adopt(
        lineage,
        claim,
        record,
        tree.text(detail, "JobId") or "",
        converters.rfc3339(created),
        of_state(tree.text(detail, "State")) in TERMINAL,
    )


def refused(attempt: Attempt) -> Alert:
    """The step for an attempt that CI refused."""
    return Alert("refused", f"CI refused the re-submission: {attempt.code} {attempt.message}")


def _further(context: SweepContext, step: Submit | Adopt | Store | SetAside) -> NextStep:
    if isinstance(step, Submit):
        return _submit(context, step)
    if isinstance(step, Adopt):
        return _adopt(context, step)
    record, reason = step.record, step.reason
    if isinstance(step, Store):
        if step.is_missing and context.recorder.events is not None:
            context.recorder.events.put_missing_callback(record)

        def conflict() -> DeadLetter:
            explanation = "another end is kept already"
            return context.dead_letter(record.to_json(), "record", "conflict", explanation)

        return Done(context.recorder.store(record, conflict).status, reason)
    dead_letter = context.dead_letter(record.to_json(), "record", step.kind, reason)
    context.recorder.set_aside(step.kind, record, dead_letter, reason)
    return Done("dead_letter", reason)


def _defer(context: SweepContext, name: str, ticket: Ticket, step: Defer) -> None:
    delay = DELAYS_S[min(ticket.tries, len(DELAYS_S) - 1)]
    due = context.clock() + delay if step.due is None else step.due
    later = ticket.later(math.ceil(due), step.reason, counts=step.otherwise != "")
    context.outbox.move(name, later)
    log_ticket(context, ticket, "deferred", step.reason)


def _submit(context: SweepContext, step: Submit) -> NextStep:
    post_s = 2 * context.ci.timeout_s + 2  # an older path included
    context.lease.check(WRITE_S + post_s)
    claim = _claim(context, step)
    context.attempts.put(step.lineage, claim)
    context.lease.check(post_s)
    result = step.send()
    if result.verdict == "accepted" and result.job_id:
        detail = {**(result.detail or {}), "JobId": result.job_id}
        return adopt(step.lineage, claim, step.record, detail)
    if result.verdict == "refused":
        return refused(_note(context, step, claim, result, "refused"))
    if result.verdict == "not_taken":
        _note(context, step, claim, result, "not_taken")
        return Defer(f"CI did not take it: {result.code or result.message}", otherwise="held")
    if not step.nonce:
        return Alert("held", "the request to run its workflow again got no clear answer")
    settled = claim.since + context.settings.unknown_submission_timeout_s
    return Defer("the submission got no clear answer", settled)


def _claim(context: SweepContext, step: Submit) -> Attempt:
    """The attempt as it is stored before its request is sent. An old claim is renewed, since its
    own request may still be on its way; its nonce stays."""
    earlier = step.earlier
    claims = earlier.claims if earlier is not None and earlier.state == "submitting" else 0
    now, writer = context.clock(), context.lease.writer
    return Attempt("submitting", now, writer, claims + 1, nonce=step.nonce)


def _note(
    context: SweepContext, step: Submit, claim: Attempt, result: CreateResult, state: State
) -> Attempt:
    """The answer of CI without secrets that it quotes: CallBack holds a token."""
    message = redact(result.message, context.settings.secrets)[:MAX_MESSAGE_CHARS]
    noted = claim._replace(state=state, code=result.code, message=message)
    context.lease.check(WRITE_S)
    context.attempts.put(step.lineage, noted)
    return noted


def _adopt(context: SweepContext, step: Adopt) -> Done:
    attempt = step.claim._replace(state="submitted", job_id=step.job_id, created_at=step.created_at)
    if attempt.nonce:
        context.attempts.note_lineage(step.job_id, step.lineage)
    context.attempts.put(step.lineage, attempt)
    if not attempt.nonce:
        return Done("submitted", f"as run {attempt.job_id}")
    # One that had ended before it was found may have had a callback that proved nothing.
    after_s = 0 if step.is_over else context.settings.missing_callback_check_s
    return submitted(step.lineage, attempt, step.record, after_s)


def submitted(lineage: Lineage, attempt: Attempt, record: JobRecord, after_s: int) -> Done:
    """The step for an attempt that was submitted: its job is watched."""
    watch = watch_ticket(lineage, attempt, record, after_s)
    return Done("submitted", f"as {attempt.job_id}, attempt {lineage.attempt}", (watch,))
