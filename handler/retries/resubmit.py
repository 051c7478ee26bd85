"""One attempt at re-submitting one job: step 3 of the way of a failure.

    describe ── failed? ── whose attempt is it? ── GET the next attempt
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
from handler.callback.lineage import Lineage, Marker, detach
from handler.callback.record import OUTCOMES, TERMINAL, JobRecord
from handler.callback.tree import Tree
from handler.ci_api import request_builder as rebuild
from handler.ci_api.client import TIMEOUT_S, Ci, CiError, CreateResult
from handler.ci_api.verification import check
from handler.ledger.attempts import Attempt, nonce_of
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
        family = family_of(self.record.tag, self.record.job_id)
        if family is None:
            self._tell("held", "which of CI's endpoints takes such a job is not known")
            return
        detail = self._confirmed(family)
        lineage = self._lineage(detail) if detail is not None else None
        if detail is None or lineage is None:
            return
        self.record = self.record.with_lineage(lineage)
        self.ticket = replace(self.ticket, record=self.record)
        if lineage.attempt >= self.bench.policy.max_attempts:
            self._tell("gave-up", f"attempt {lineage.attempt} failed")
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

    # --- a ---

    def _lineage(self, detail: dict[str, Tree]) -> Lineage | None:
        """Root and attempt, as the ledger proves them; its own root, attempt 1 where it does not.
        None: dealt with, since the proof may still come or CI dropped the marker."""
        attempts, job_id = self.bench.attempts, self.record.job_id
        noted = attempts.lineage_of(job_id)
        marker = detach(tree.text(detail, "Operation.UserData"))[1]
        if noted is not None and marker is None:
            note = "CI did not echo the marker of this re-submitted job; it is not tried again"
            self._tell("unmarked", note)
            return None
        claimed = attempts.get(marker.lineage) if noted is None and marker is not None else None
        if marker is None or claimed is None:
            return noted or Lineage(job_id, 1)
        if claimed.names(job_id):
            attempts.note_lineage(job_id, marker.lineage)
            return marker.lineage
        if claimed.may_be(marker):
            # The ticket of the attempt before finds out; until then its end must not be counted.
            self._put_off("held", f"whether it is attempt {marker.lineage.attempt} is not known")
            return None
        return Lineage(job_id, 1)

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
            marker = Marker(lineage, attempt.nonce)
            found = with_marker(self.ci, family, self.record, marker)
        except CiError as error:
            self._put_off("held", f"whether it was submitted is not known: {error}")
            return
        if found:
            # The oldest: the nonce was not to be seen before that job was.
            self._accepted(lineage, attempt, found[0])
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
        nonce = before.nonce if before else nonce_of(lineage, bench.lease.writer)
        try:
            marker = Marker(lineage, nonce)
            request = rebuild.request(detail, marker, bench.settings.retry_callback_url)
        except rebuild.NoRoomError as error:
            self._tell("unmarked", f"{error}; it is not tried again")
            return
        except rebuild.NotRebuildableError as error:
            self._tell("held", f"the request can't be made again: {error}")
            return
        if bench.submits >= bench.settings.sweep_max_submits:
            bench.note(self.ticket, "left", "SWEEP_MAX_SUBMITS")
            return
        claim = self._claim(lineage, before, nonce)
        bench.lease.check(POST_S)
        bench.submits += 1
        self._settle(lineage, claim, self.ci.create(family, request))

    def _claim(self, lineage: Lineage, before: Attempt | None, nonce: str = "") -> Attempt:
        """Say that a request goes out, before it does; an old claim is renewed, since its own
        request may still be on its way."""
        bench = self.bench
        bench.lease.check(WRITE_S + POST_S)
        claims = before.claims if before is not None and before.state == "submitting" else 0
        now, writer = bench.clock(), bench.lease.writer
        claim = Attempt("submitting", now, writer, claims + 1, nonce=nonce)
        bench.attempts.put(lineage, claim)
        return claim

    def _settle(self, lineage: Lineage, claim: Attempt, result: CreateResult) -> None:
        bench = self.bench
        if result.verdict == "accepted" and result.job_id:
            self._accepted(lineage, claim, {"JobId": result.job_id, **(result.detail or {})})
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

    def _accepted(self, lineage: Lineage, claim: Attempt, detail: dict[str, Tree]) -> None:
        """The note that a job was submitted is written whatever the lease's age: it is true."""
        bench = self.bench
        job_id = tree.text(detail, "JobId") or ""
        created_at = converters.rfc3339(converters.moment(tree.text(detail, "CreationTime")))
        bench.attempts.note_lineage(job_id, lineage)
        submitted = replace(claim, state="submitted", job_id=job_id, created_at=created_at)
        bench.attempts.put(lineage, submitted)
        # One that was found in CI's list at its end may have had a callback that proved nothing.
        is_over = OUTCOMES.get(tree.text(detail, "State") or "", "unknown") in TERMINAL
        self._watch(lineage, submitted, 0 if is_over else bench.settings.missing_callback_check_s)

    # --- d ---

    def _watch(self, lineage: Lineage, attempt: Attempt, after_s: int | None = None) -> None:
        """Look after the new job, should its callback never come; then this ticket is done."""
        bench = self.bench
        if after_s is None:
            after_s = bench.settings.missing_callback_check_s
        watch = Ticket(
            "watch",
            attempt.job_id,
            "submitted",
            int(attempt.since) + after_s,
            self.record,
            note=f"attempt {lineage.attempt} of {lineage.root_job_id}",
            details={
                "root_job_id": lineage.root_job_id,
                "attempt": lineage.attempt,
                "created_at": attempt.created_at,
                "nonce": attempt.nonce,
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
        key = self.record.job_input.object
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

    def _watch(self, lineage: Lineage, attempt: Attempt, after_s: int | None = None) -> None:
        """The jobs of the new run have callbacks of their own."""
        self.bench.outbox.done(self.name)
        self.bench.note(self.ticket, "submitted", f"as run {attempt.job_id}")


def with_marker(ci: Ci, family: Family, record: JobRecord, marker: Marker) -> list[dict[str, Tree]]:
    """The jobs on the same input in CI's list that carry the marker of an attempt, oldest first.

    Listed since the job before it ended, never since the claim: a claim is renewed, and the
    job that is looked for may be older than it.

    Raises:
        CiError
    """
    ended = converters.moment(record.ended_at or record.created_at)
    key = record.job_input.object or None
    listed = ci.list_jobs(
        family,
        record.tag or "",
        ended.timestamp() if ended else 0.0,
        key,
    )
    return [
        job
        for job in listed
        if detach(tree.text(job, "Operation.UserData"))[1] == marker
        and tree.text(job, "Input.Object") == key
    ]


__all__ = ["MAX_CLAIMS", "MAX_TRIES", "retry", "with_marker"]
