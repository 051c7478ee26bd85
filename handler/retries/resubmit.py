"""One attempt at re-submitting one job: step 3 of the way of a failure.

    describe ── failed? ── GET the attempt
                              ├─ submitted ───────────────────────────────► (d)
                              ├─ refused ──────► alert.refused
                              ├─ submitting, young ── leave it
                              ├─ submitting, old ── CI's list: the marker? ── yes: note ► (d)
                              │                                              └─ no:
                              └─ none, not taken ──────────────────────────────┐
    (c) put submitting, now ── POST once ── accepted: lineage, submitted ► (d) ◄┘ (claim renewed)
    (d) put the watch, then the ticket is done

The claim comes before the request, and is as old as the request can be: "not accepted" and
"accepted and not listed yet" look the same, and only time tells them apart.
"""

from __future__ import annotations

from dataclasses import replace

from handler.callback import converters, tree
from handler.callback.catalogue import family_of
from handler.callback.families import Family
from handler.callback.lineage import Lineage, detach
from handler.callback.record import JobRecord
from handler.callback.tree import Tree
from handler.ci_api import request_builder as rebuild
from handler.ci_api.client import TIMEOUT_S, Ci, CiError, CreateResult
from handler.ci_api.verification import check
from handler.ledger.attempts import Attempt
from handler.ledger.outbox import Ticket
from handler.retries.context import MAX_TRIES, SweepContext

MAX_CLAIMS = 3
"""Claims of one attempt whose outcome stayed unknown, before a person is asked."""

POST_S = 2 * TIMEOUT_S + 2
"""Longest that the POST may take, an older path included."""

WRITE_S = 5.0
"""What a write to `_attempts/` may take."""


def retry(bench: SweepContext, name: str, ticket: Ticket) -> None:
    """Take a retry ticket as far as it goes.

    Raises:
        StoreError, LeaseLostError: the sweep ends here; CiError, CiUnreachableError: CI is out of
        reach. The ticket stays in each case.
    """
    record = ticket.record
    if record is None:
        raise ValueError("a retry ticket without a record")
    if record.workflow is not None:
        _Workflow(bench, name, ticket, record).run()
    else:
        _Retry(bench, name, ticket, record).run()


class _Retry:
    """The attempt at one ticket."""

    def __init__(self, bench: SweepContext, name: str, ticket: Ticket, record: JobRecord) -> None:
        self.bench = bench
        self.name = name
        self.ticket = ticket
        self.record = record
        self.ci = bench.ci(record)

    def run(self) -> None:
        """Steps a and b."""
        lineage = self._lineage()
        if lineage is None:
            note = "CI did not echo the marker of this re-submitted job; it is not tried again"
            self._tell("unmarked", note)
            return
        family = family_of(self.record.tag, self.record.job_id)
        if family is None:
            self._tell("held", "which of CI's endpoints takes such a job is not known")
            return
        detail = self._confirmed(family)
        if detail is None:
            return
        following = Lineage(lineage.root_job_id, lineage.attempt + 1)
        attempt = self.bench.attempts.get(following)
        if attempt is not None and attempt.state == "submitted":
            self._watch(following, attempt)
        elif attempt is not None and attempt.state == "refused":
            self._refused(attempt)
        elif attempt is not None and attempt.state == "submitting":
            self._claimed(family, detail, following, attempt)
        else:
            self._submit(family, detail, following, attempt)

    def _lineage(self) -> Lineage | None:
        """Root and attempt, by the marker or as a root; None where CI dropped the marker."""
        told = self.record.lineage
        if told.attempt > 1:
            return told
        return None if self.bench.attempts.lineage_of(self.record.job_id) else told

    # --- a ---

    def _confirmed(self, family: Family) -> dict[str, Tree] | None:
        """The JobsDetail to submit again, from CI where it knows the job; None: dealt with."""
        never = not self.bench.settings.confirms_before_retrying
        try:
            checked = check(self.ci, family, self.record)
        except CiError:
            if never:
                return self.record.details
            raise
        if never:
            return checked.told.detail if checked.told else self.record.details
        if checked.verdict == "unsettled":
            self._put_off("unknown", checked.note)
        elif checked.verdict == "differs":
            self._tell("mismatch", f"{checked.note}; not tried again")
        elif checked.told is not None:
            return checked.told.detail
        return None

    # --- b ---

    def _claimed(
        self, family: Family, detail: dict[str, Tree], lineage: Lineage, attempt: Attempt
    ) -> None:
        """A claim stands whose outcome is not known: only CI's list can tell, and not at once."""
        settled = attempt.since + self.bench.settings.unknown_submission_timeout_s
        if self.bench.clock() < settled:
            self.bench.wait(self.name, self.ticket, settled, "a submission may be on its way")
            return
        if not (family.list_known and family.user_data_known):
            self._tell("held", "whether it was submitted is not known, and CI's list can't tell")
            return
        try:
            found = with_marker(self.ci, family, self.record, lineage)
        except CiError as error:
            self._put_off("held", f"whether it was submitted is not known: {error}")
            return
        if found:
            job = found[0]
            self._accepted(
                lineage, attempt, tree.text(job, "JobId") or "", tree.text(job, "CreationTime")
            )
        elif self.bench.settings.on_unknown_submission == "hold":
            self._tell("held", "its submission got no answer, and CI's list does not show it")
        elif attempt.claims >= MAX_CLAIMS:
            self._tell("held", f"{attempt.claims} submissions got no answer")
        else:
            self._submit(family, detail, lineage, attempt)

    def _refused(self, attempt: Attempt) -> None:
        self._tell("refused", f"CI refused the re-submission: {attempt.code} {attempt.message}")

    # --- c ---

    def _submit(
        self, family: Family, detail: dict[str, Tree], lineage: Lineage, before: Attempt | None
    ) -> None:
        bench = self.bench
        try:
            request = rebuild.request(detail, lineage, bench.settings.retry_callback_url)
        except rebuild.NoRoomError as error:
            self._tell("unmarked", f"{error}; it is not tried again")
            return
        except rebuild.NotRebuildableError as error:
            self._tell("held", f"the request can't be made again: {error}")
            return
        if bench.submits >= bench.settings.sweep_max_submits:
            bench.note(self.ticket, "left", "SWEEP_MAX_SUBMITS")
            return
        claim = self._claim(lineage, before)
        bench.lease.check(POST_S)
        bench.submits += 1
        self._settle(lineage, claim, self.ci.create(family, request))

    def _claim(self, lineage: Lineage, before: Attempt | None) -> Attempt:
        """Say that a request goes out, before it does; an old claim is renewed, since its own
        request may still be on its way."""
        bench = self.bench
        bench.lease.check(WRITE_S + POST_S)
        claims = before.claims if before is not None and before.state == "submitting" else 0
        claim = Attempt("submitting", bench.clock(), bench.lease.writer, claims + 1)
        bench.attempts.put(lineage, claim)
        return claim

    def _settle(self, lineage: Lineage, claim: Attempt, result: CreateResult) -> None:
        bench = self.bench
        if result.verdict == "accepted" and result.job_id:
            created = tree.text(result.detail, "CreationTime") if result.detail else None
            self._accepted(lineage, claim, result.job_id, created)
        elif result.verdict == "refused":
            bench.lease.check(WRITE_S)
            refused = replace(
                claim, state="refused", code=result.code, message=result.message[:500]
            )
            bench.attempts.put(lineage, refused)
            self._refused(refused)
        elif result.verdict == "not_taken":
            bench.lease.check(WRITE_S)
            bench.attempts.put(lineage, replace(claim, state="not_taken", code=result.code))
            self._put_off("held", f"CI did not take it: {result.code or result.message}")
        else:
            settled = claim.since + bench.settings.unknown_submission_timeout_s
            bench.wait(self.name, self.ticket, settled, "the submission got no clear answer")

    def _accepted(self, lineage: Lineage, claim: Attempt, job_id: str, created: str | None) -> None:
        """The note that a job was submitted is written whatever the lease's age: it is true."""
        bench = self.bench
        created_at = converters.rfc3339(converters.moment(created))
        bench.attempts.note_lineage(job_id, lineage)
        submitted = replace(claim, state="submitted", job_id=job_id, created_at=created_at)
        bench.attempts.put(lineage, submitted)
        self._watch(lineage, submitted)

    # --- d ---

    def _watch(self, lineage: Lineage, attempt: Attempt) -> None:
        """Look after the new job, should its callback never come; then this ticket is done."""
        bench = self.bench
        watch = Ticket(
            "watch",
            attempt.job_id,
            "submitted",
            int(attempt.since) + bench.settings.missing_callback_check_s,
            self.record,
            note=f"attempt {lineage.attempt} of {lineage.root_job_id}",
            details={
                "root_job_id": lineage.root_job_id,
                "attempt": lineage.attempt,
                "created_at": attempt.created_at,
            },
        )
        bench.outbox.put(watch)
        bench.outbox.done(self.name)
        bench.note(self.ticket, "submitted", f"as {attempt.job_id}, attempt {lineage.attempt}")

    def _tell(self, kind: str, note: str) -> None:
        self.bench.tell(self.name, self.ticket, kind, note)

    def _put_off(self, otherwise: str, note: str) -> None:
        self.bench.put_off(self.name, self.ticket, otherwise, note)


class _Workflow(_Retry):
    """A job born of a workflow is tried again by running the whole workflow on its object.

    A run takes no UserData, so no marker tells which attempt a job belongs to: the runs of a
    workflow on one object and day are counted instead, and a job belongs to the newest run
    that was claimed before it was created. CI's list can't tell whether a run was accepted,
    so an unknown outcome is held.
    """

    def run(self) -> None:
        workflow_id = str((self.record.workflow or {}).get("workflow_id") or "")
        key = str((self.record.input or {}).get("object") or "")
        family = family_of(self.record.tag, self.record.job_id)
        if not workflow_id or not key or family is None:
            self._tell("failed", "the callback does not name the workflow and its object")
            return
        if self._confirmed(family) is None:
            return
        day = (self.record.created_at or "")[:10]
        root = f"{workflow_id}:{key}:{day}"
        created = converters.moment(self.record.created_at)
        for number in range(2, self.bench.policy.max_attempts + 1):
            lineage = Lineage(root, number)
            attempt = self.bench.attempts.get(lineage)
            if attempt is None or attempt.state == "not_taken":
                self._trigger(lineage, workflow_id, key)
            elif attempt.state == "refused":
                self._refused(attempt)
            elif attempt.state == "submitting":
                self._tell("held", "whether its workflow was run again is not known")
            elif created is None or attempt.since >= created.timestamp():
                self.bench.outbox.done(self.name)
                self.bench.note(self.ticket, "submitted", f"as run {attempt.job_id}")
            else:
                continue
            return
        self._tell("gave-up", f"its workflow was run {self.bench.policy.max_attempts} times")

    def _trigger(self, lineage: Lineage, workflow_id: str, key: str) -> None:
        bench = self.bench
        if bench.submits >= bench.settings.sweep_max_submits:
            bench.note(self.ticket, "left", "SWEEP_MAX_SUBMITS")
            return
        claim = self._claim(lineage, None)
        bench.lease.check(POST_S)
        bench.submits += 1
        result = self.ci.trigger_workflow(workflow_id, key)
        if result.verdict == "unknown":
            self._tell("held", "the request to run its workflow again got no clear answer")
            return
        self._settle(lineage, claim, result)

    def _watch(self, lineage: Lineage, attempt: Attempt) -> None:
        """The jobs of the new run have callbacks of their own."""
        self.bench.outbox.done(self.name)
        self.bench.note(self.ticket, "submitted", f"as run {attempt.job_id}")


def with_marker(
    ci: Ci, family: Family, record: JobRecord, lineage: Lineage
) -> list[dict[str, Tree]]:
    """The jobs in CI's list that carry the marker of an attempt, oldest first.

    Listed since the job before it ended, never since the claim: a claim is renewed, and the
    job that is looked for may be older than it.

    Raises:
        CiError
    """
    ended = converters.moment(record.ended_at or record.created_at)
    key = (record.input or {}).get("object")
    listed = ci.list_jobs(
        family,
        record.tag or "",
        ended.timestamp() if ended else 0.0,
        str(key) if key else None,
    )
    return [job for job in listed if detach(tree.text(job, "Operation.UserData"))[1] == lineage]


__all__ = ["MAX_CLAIMS", "MAX_TRIES", "retry", "with_marker"]
