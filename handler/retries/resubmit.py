"""The next step of a retry ticket: step 3 of the way of a failure.

describe ── failed? ── whose attempt is it? ── GET the next attempt
                          ├─ submitted ────────────────────────────────► watch it
                          ├─ refused ──────► alert.refused
                          ├─ submitting, young ── later
                          ├─ submitting, old ── CI's list: the marker? ── yes: adopt it
                          │                                              └─ no: submit again
                          ├─ not taken, by a 503 ── CI's list ── as above, at once
                          └─ none, not taken ──────────────────────────► submit
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handler.callback import tree
from handler.callback.catalogue import family_of
from handler.callback.families import Family
from handler.callback.lineage import Lineage, Marker
from handler.callback.outcome import of_state
from handler.callback.record import JobRecord
from handler.callback.tree import Tree
from handler.ci_api import request_builder
from handler.ci_api.client import Ci, CiError
from handler.ci_api.responses import CERTAINLY_NOT_TAKEN, CreateResult, Described
from handler.ci_api.verification import check
from handler.ledger.attempts import Attempt, nonce_of
from handler.ledger.outbox import Ticket
from handler.retries.carry_out import adopt, refused, submitted
from handler.retries.context import SweepContext
from handler.retries.lineage import proven_lineage
from handler.retries.listed import Search, jobs_with_marker
from handler.retries.next_step import Alert, Defer, NextStep, Submit
from handler.retries.output_bucket import foreign_output_bucket

MAX_CLAIMS = 3
"""Claims of one attempt whose outcome stayed unknown, before a person is asked."""


def retry(context: SweepContext, ticket: Ticket) -> NextStep:
    """Decide what becomes of a retry ticket of a job that no workflow started.

    Raises:
        StoreError: the sweep ends here. CiError, CiUnreachableError: CI is out of reach.
        ValueError: the ticket holds no record.
    """
    record = ticket.record
    if record is None:
        raise ValueError("a retry ticket without a record")
    family = family_of(record.tag, record.job_id)
    if family is None:
        return Alert("held", "which of CI's endpoints takes such a job is not known")
    ci = context.ci.of(record)
    detail = confirmed_detail(context, ci, family, record)
    if not isinstance(detail, dict):
        return _dealt_with(context, record) or detail if isinstance(detail, Defer) else detail
    user_data = tree.text(detail, "Operation.UserData")
    lineage = proven_lineage(context.attempts, record.job_id, user_data)
    if not isinstance(lineage, Lineage):
        return lineage
    record = record.with_lineage(lineage)
    if lineage.attempt >= context.policy.max_attempts:
        return Alert("gave-up", f"attempt {lineage.attempt} failed", record)
    following = Lineage(lineage.root_job_id, lineage.attempt + 1)
    context.roots.hold(lineage.root_job_id)
    return _Attempt(context, ci, family, record, detail, following).next_step()


def _dealt_with(context: SweepContext, record: JobRecord) -> NextStep | None:
    """The next step of a ticket that came again after its job was submitted: CI forgets jobs after
    about a month, and a callback may be replayed later. None where it was not submitted."""
    following = Lineage(record.lineage.root_job_id, record.lineage.attempt + 1)
    attempt = context.attempts.get(following)
    if attempt is None or attempt.state != "submitted":
        return None
    return submitted(following, attempt, record, context.settings.missing_callback_check_s)


def confirmed_detail(
    context: SweepContext, ci: Ci, family: Family, record: JobRecord
) -> dict[str, Tree] | NextStep:
    """The JobsDetail to submit again: CI's, once it confirms the failure. With
    VERIFY_CALLBACKS=never CI's where it knows the job, else the callback's.

    Raises:
        CiError
    """
    is_unverified = not context.settings.confirms_before_retrying
    try:
        checked = check(ci, family, record)
    except CiError:
        if is_unverified:
            return record.details
        raise
    if is_unverified:
        return checked.described.detail if checked.described else record.details
    if checked.verdict == "differs" and not _failed_too(context, checked.described):
        return Alert("mismatch", f"{checked.note}; not tried again")
    if checked.verdict == "unsettled" or checked.described is None:
        return Defer(checked.note, otherwise="unknown")
    return checked.described.detail


def _failed_too(context: SweepContext, described: Described | None) -> bool:
    """Whether a retry follows from CI's own word alone, where the callback says something else of
    the job: with a token anybody can send a callback about a job that did fail, and could else keep
    it from being retried. What is submitted is made of CI's detail."""
    if described is None or of_state(described.state) != "failed":
        return False
    return context.policy.reaction(described.code, described.message) in ("retry", "both")


@dataclass(frozen=True)
class _Attempt:
    """The next attempt at a job. record: of the job that failed; detail: the JobsDetail of it."""

    context: SweepContext
    ci: Ci
    family: Family
    record: JobRecord
    detail: dict[str, Tree]
    lineage: Lineage

    def next_step(self) -> NextStep:
        """By what is noted of the attempt."""
        attempt = self.context.attempts.get(self.lineage)
        if attempt is None:
            return self._submit(None)
        if attempt.state == "not_taken":
            return self._adopted(attempt) or self._submit(attempt)
        if attempt.state == "submitted":
            after_s = self.context.settings.missing_callback_check_s
            return submitted(self.lineage, attempt, self.record, after_s)
        return refused(attempt) if attempt.state == "refused" else self._claimed(attempt)

    def _claimed(self, attempt: Attempt) -> NextStep:
        """A claim whose outcome is not known: only CI's list can show it, and not at once."""
        settings = self.context.settings
        settled = attempt.since + settings.unknown_submission_timeout_s
        if self.context.clock() < settled:
            return Defer("a submission may be on its way", settled)
        if not self._is_listed:
            return Alert(
                "held", "whether it was submitted is not known, and CI's list does not show it"
            )
        return self._found(attempt) or self._not_found(attempt)

    def _not_found(self, attempt: Attempt) -> NextStep:
        """CI's list does not show the attempt's job: it was not accepted."""
        if self.context.settings.on_unknown_submission == "hold":
            return Alert("held", "its submission got no answer, and CI's list does not show it")
        if attempt.claims >= MAX_CLAIMS:
            return Alert("held", f"{attempt.claims} submissions got no answer")
        return self._submit(attempt)

    @property
    def _is_listed(self) -> bool:
        """Whether CI's list can show which job the attempt is."""
        return self.family.list_known and self.family.user_data_known

    def _adopted(self, attempt: Attempt) -> NextStep | None:
        """The job that CI accepted although its answer was a refusal; None if CI lists no such job.
        A 503 may come from in front of CI; the codes of CI's own limits leave no doubt."""
        is_certain = attempt.code in CERTAINLY_NOT_TAKEN
        return None if is_certain or not self._is_listed else self._found(attempt)

    def _found(self, attempt: Attempt) -> NextStep | None:
        """The next step by CI's list; None where it does not show the attempt's job."""
        marker = Marker(self.lineage, attempt.nonce)
        try:
            search = Search.after_detail(self.detail, self.context.clock())
            jobs = jobs_with_marker(self.ci, self.family, search, marker)
        except CiError as error:
            return Defer(f"whether it was submitted is not known: {error}", otherwise="held")
        # The oldest: the nonce was not visible before that job was.
        return adopt(self.lineage, attempt, self.record, jobs[0]) if jobs else None

    def _submit(self, earlier: Attempt | None) -> NextStep:
        nonce = earlier.nonce if earlier else nonce_of(self.lineage, self.context.lease.writer)
        settings = self.context.settings
        bucket = foreign_output_bucket(self.record, self.detail, settings)
        if bucket is not None:
            return Alert("refused", f"its output bucket {bucket[:80]!r} is not allowed here")
        try:
            request = request_builder.request(
                self.detail,
                Marker(self.lineage, nonce),
                settings.retry_callback_url,
                self.record.user_data,
            )
        except request_builder.NoRoomError as error:
            return Alert("unmarked", f"{error}; it is not tried again")
        except request_builder.NotRebuildableError as error:
            return Alert("held", f"the request can't be made again: {error}")
        return Submit(self.lineage, nonce, self._sender(request), earlier, self.record)

    def _sender(self, request: dict[str, Tree]) -> Callable[[], CreateResult]:
        return lambda: self.ci.create(self.family, request)
