"""What the handler asks and when, step by step as the design numbers it.

Each routine reads as the code that it stands for would, with a `yield` wherever a request goes
out. Between two requests anything may happen: another routine's request, a crash, time.

GUARDS names what keeps the protocol right. Each can be switched off, so that the tests can
show what it is there for. What a step would do without its guard is the carelessness that the
guard stands against, and not always the mere absence of a request.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.slow.model.requests import (
    NO_CLAIM,
    Callback,
    Delete,
    Describe,
    Described,
    Digest,
    DropLease,
    Either,
    Event,
    Find,
    Get,
    Hear,
    Key,
    Leased,
    Lineage,
    ListDigests,
    ListEvents,
    ListOutbox,
    Lock,
    Look,
    LostError,
    Post,
    Put,
    PutDigest,
    PutLease,
    PutNew,
    Reply,
    SeeOthers,
    Send,
    Settle,
    Submitted,
    Ticket,
    TooLateError,
    Wait,
)
from tests.slow.model.routines import Steps, Then

GUARDS = {
    "marker_is_a_claim": "callback 1: a marker counts only where _lineage/ names the job",
    "ticket_before_record": "callback 2, 3: the tickets are put before the record",
    "record_put_new": "callback 3: a record that is there is not written over",
    "answered_last": "callback 4: 200 is answered when all the rest was acknowledged",
    "lease_taken": "1: a sweep works alone",
    "lease_settled": "1: the leases are listed LEASE_WAIT_S after one's own was put",
    "old_lease_ignored": "1: a lease older than LEASE_S is in nobody's way",
    "lease_kept_in_doubt": "1: after a write without an answer the lease is left to run out",
    "done_mark_checked": "2, 5: a ticket with a done mark is swept away (a retry has none)",
    "record_checked": "2: a ticket without its record is taken in before it is acted upon",
    "other_end_checked": "2: a ticket is not acted upon where the record has another end",
    "lease_given_up_by_all": "1: where one worker's write got no answer, no other goes on either",
    "verified": "3a: CI itself is asked whether the job failed",
    "lineage_from_ci": "3a: the marker is read from CI's word, not from the callback",
    "claim_proved": "3a: it counts only where _attempts/ names the job",
    "open_claim_waited_for": "3a: where the attempt is not known to be submitted yet, it waits",
    "get_decides": "3b: that an attempt has no note is told by a GET, not by a listing",
    "young_claim_left": "3b: a claim younger than UNKNOWN_SUBMISSION_TIMEOUT_S is left alone",
    "old_claim_taken_up": "3b: a claim older than UNKNOWN_SUBMISSION_TIMEOUT_S is not left alone",
    "list_before_resubmit": "3b: CI's list is asked before an old claim is renewed",
    "unavailable_looked_up": "3b: it is asked too where a 503 said that the job was not taken",
    "nonce_compared": "3b: a job in CI's list is adopted only by the nonce of the claim",
    "oldest_adopted": "3b: of several, the oldest: the nonce can be copied once it is seen",
    "one_worker_per_attempt": "3b: of the tickets worked on at a time one is about an attempt",
    "claim_before_post": "3c: the claim is put before the request goes out",
    "claim_renewed": "3c: an old claim is put again with the time of now",
    "lease_looked_at_before_post": "3c: a sweep whose lease is old doesn't submit",
    "lease_looked_at_before_attempt_write": "3c: nor does it write under _attempts/",
    "refusal_told_before_done": "3c: alert.refused is put before the retry ticket is done",
    "watch_before_done": "3d: the watch ticket is put before the retry ticket is done",
    "late_proof_followed": "4: what a callback called for, had its lineage been known, is put",
    "end_compared": "4: where the record has another end than CI, someone is told",
    "digests_listed_under_lease": "5: the digests on their way are listed once the lease is held",
    "digests_first": "5: they are dealt with before a new one is made",
    "digest_written_before_send": "5: a digest is written before anything is sent",
    "tickets_done_before_send": "5: its tickets are done before anything is sent",
    "delivery_noted": "5: it is rewritten with the channels that took it",
    "gone_channel_replaced": "5: it goes to all that are configured now and have not taken it",
    "undelivered_kept_before_delete": "5: with no channel configured it is kept aside first",
    "lease_looked_at_before_send": "5: a sweep whose lease is old sends nothing",
    "lease_looked_at_before_digest_write": "5: nor does it write under _digests/",
    "done_mark_before_delete": "5: a ticket's done mark is put before it is deleted",
    "event_before_record": "events: the event of a record is put before the record",
    "event_before_done": "events: that of a ticket which is given up before the ticket is done",
    "late_proof_heard": "events: what a callback called for, had its lineage been known, is put",
    "forward_lease_taken": "events: a forwarder works alone",
    "event_checked": "events: a failure whose record has another end announces no retry",
    "final_noted": "events: a final event is noted as its root's before it is sent",
    "finals_appended": "events: one after it is noted behind it, and supersedes it",
    "lease_looked_at_before_note": "events: a forwarder whose lease is old notes nothing",
    "event_deleted_after_taken": "events: it is deleted once it was taken",
}
"""Each guard: the step that it belongs to, and what it says."""


@dataclass(frozen=True)
class Bounds:
    """The bounds of the honest promise; each can be lifted.

    leases_settle: listings show a lease within LEASE_WAIT_S. awake: a sweep is not stalled
    between its last look at its lease and what follows. list_catches_up: CI's list shows a job
    within UNKNOWN_SUBMISSION_TIMEOUT_S of the claim. unavailable_is_listed: a job that CI accepted
    although a 503 was answered is in that list by the next try.
    """

    leases_settle: bool = True
    awake: bool = True
    list_catches_up: bool = True
    unavailable_is_listed: bool = True


@dataclass(frozen=True)
class Rules:
    """Which guards are off, and the settings that matter.

    shared: one sweep works on several tickets at a time, under one lease. retries: whether a
    failure is worth a retry (else it calls for an alert). hold: ON_UNKNOWN_SUBMISSION=hold.
    events: FORWARD_URLS is set. forwards_alone: one forwarder and no other, without a lease.
    retried_ends: the jobs whose failure is worth a retry, where retries is set (none: all).
    channels: where alerts go (none: alerts are not sent, and stay in the outbox).
    other_channels: other values of ALERT_URLS that a sweep may find, because it was changed or
    because another function with other settings works on the same ledger.
    """

    off: frozenset[str] = frozenset()
    bounds: Bounds = Bounds()
    shared: bool = False
    retries: bool = True
    max_attempts: int = 2
    hold: bool = False
    events: bool = False
    forwards_alone: bool = False
    retried_ends: frozenset[int] = frozenset()
    channels: tuple[str, ...] = ()
    other_channels: tuple[tuple[str, ...], ...] = ()

    @property
    def configurations(self) -> tuple[tuple[str, ...], ...]:
        """Every value of ALERT_URLS that a sweep may find."""
        return (self.channels, *self.other_channels)

    def on(self, guard: str) -> bool:
        """Whether a guard is in its place."""
        assert guard in GUARDS, guard
        return guard not in self.off

    def calls_for(self, callback: Callback, lineage: Lineage) -> tuple[Ticket, ...]:
        """The policy: the tickets that an end calls for."""
        job, end, claim, _ = callback
        if end == "succeeded":
            return (Ticket(job, end, "alert.recovered"),) if lineage.attempt > 1 else ()
        if not self.retries or (self.retried_ends and job not in self.retried_ends):
            return (Ticket(job, end, "alert.failed"),)
        if lineage.attempt < self.max_attempts:
            return (Ticket(job, end, "retry", claim),)
        return (Ticket(job, end, "alert.gave-up"),)

    def event_of(self, callback: Callback, lineage: Lineage) -> Event:
        """The policy: the event that an end calls for."""
        job, end, claim, _ = callback
        if end == "succeeded":
            kind = "recovered" if lineage.attempt > 1 else "succeeded"
        else:
            action = self.calls_for(callback, lineage)[0].action
            words = {"retry": "retrying", "alert.gave-up": "failed: gave-up"}
            kind = words.get(action, "failed")
        return Event(lineage.root, job, end, kind, claim, own_record=True)


OWN_RECORD = ("retry", "alert.failed", "alert.recovered", "alert.gave-up")
"""Actions of tickets that are about the record of their own job."""


def record(job: int) -> Key:
    """Where the record of a job is kept."""
    return Key("jobs", job)


def ticket_of(ticket: Ticket) -> Key:
    """Where a ticket is kept."""
    return Key("_outbox", ticket)


def mark_of(ticket: Ticket) -> Key:
    """Where it is kept that a ticket is done."""
    return Key("_done", ticket)


def note_of(attempt: Lineage) -> Key:
    """Where it is kept how far the submission of an attempt came."""
    return Key("_attempts", attempt)


def proof_of(job: int) -> Key:
    """Where it is kept which attempt a job is that the function itself submitted."""
    return Key("_lineage", job)


def queued(event: Event) -> Key:
    """Where an event is kept until it is sent."""
    return Key("_events", event)


def finals_of(root: int) -> Key:
    """Where the final events of a job are noted, in their order."""
    return Key("_finals", root)


def dead_letter_of(job: int, end: str) -> Key:
    """Where a callback is kept that tells another end than the record."""
    return Key("_dead", Ticket(job, end, ""))


# --- The way of a callback -----------------------------------------------------------------


def delivery(rules: Rules, report: Callback) -> Steps:
    """A callback is delivered. (To parse it asks for nothing.)"""
    if not rules.on("answered_last"):
        yield Reply()
    yield from callback(rules, report)
    if rules.on("answered_last"):  # 4
        yield Reply()


def callback(rules: Rules, report: Callback) -> Steps:
    """Steps 1 to 3. Gives the end that is kept, which may be another one."""
    lineage = Lineage(report.job, 1)
    if report.claim != NO_CLAIM:  # 1
        proven = yield Get(proof_of(report.job))
        lineage = proven or (lineage if rules.on("marker_is_a_claim") else report.claim)
    tickets = [PutNew(ticket_of(ticket)) for ticket in rules.calls_for(report, lineage)]
    events = [Put(queued(rules.event_of(report, lineage)))] if rules.events else []
    if rules.on("event_before_record"):
        yield from events
    if rules.on("ticket_before_record"):  # 2
        yield from _all(tickets)
    new = True
    if rules.on("record_put_new"):  # 3
        new = yield PutNew(record(report.job), report.end)
    else:
        yield Put(record(report.job), report.end)
    if not rules.on("ticket_before_record"):
        yield from _all(tickets)
    if not rules.on("event_before_record"):
        yield from events
    if new:
        return report.end
    kept = yield Get(record(report.job))
    if kept != report.end:
        yield from put_dead_letter(report.job, report.end)
    return kept


def _all(tickets: list[PutNew]) -> Steps:
    """Each of them; which were there already makes no difference."""
    for ticket in tickets:
        _ = yield ticket


def put_dead_letter(job: int, end: str) -> Steps:
    """Another end than the one that is kept: a dead letter, and someone is told."""
    yield PutNew(dead_letter_of(job, end))
    yield Put(ticket_of(Ticket(job, end, "alert.conflict")))


# --- The way of a failure ------------------------------------------------------------------


def sweep(rules: Rules, channels: tuple[str, ...]) -> Steps:
    """Steps 0 and 1: list, and be alone. channels: what ALERT_URLS says to this sweep.

    The tickets are listed after the lease here. Since a listing may be as old as it likes, and
    a GET decides, that comes to the same as listing them before. It is not so for the digests.
    A sweep deals with one ticket here: dealing with more is what several sweeps do in a row.
    """
    digests = None
    if not rules.on("digests_listed_under_lease"):
        digests = yield ListDigests()
    if rules.on("lease_taken"):
        yield PutLease()
        if rules.on("lease_settled"):
            yield Settle()
        if (yield SeeOthers()):
            return Then(leave)
    listed = yield ListOutbox()
    if isinstance(listed, Ticket):
        return Then(take_up, (listed,))
    return Then(alerts, (channels, listed, digests))


def worker(rules: Rules) -> Steps:
    """One of those that work at a time, once the sweep has its lease."""
    listed = yield ListOutbox()
    return Then(take_up, (listed,)) if isinstance(listed, Ticket) else None


def leave(rules: Rules, *done: Ticket) -> Steps:
    """The end of a sweep: one request deletes what it dealt with, and its lease. It may be done in
    part, in any order. One with several workers gives its lease back when all have ended."""
    gives_back = rules.on("lease_taken") and not rules.shared
    lease_first = (yield Either()) if gives_back and done else False
    if gives_back and lease_first:
        yield DropLease()
    for ticket in done:
        yield Delete(ticket_of(ticket))
    if gives_back and not lease_first:
        yield DropLease()


def take_up(rules: Rules, ticket: Ticket) -> Steps:
    """Step 2 for a ticket that is no alert."""
    if not (yield from is_due(rules, ticket)):
        return Then(leave)
    return Then(retry if ticket.action == "retry" else watch, (ticket,))


def is_due(rules: Rules, ticket: Ticket) -> Steps:
    """Step 2: whether something is left to be done about a ticket that was listed.

    It was read while the lease settled, or later. What was read so early may be gone by now: so
    here each ticket that was ever there may be listed, and counts as read.
    """
    if has_mark(ticket) and rules.on("done_mark_checked") and (yield Get(mark_of(ticket))):
        yield Delete(ticket_of(ticket))
        return False
    if ticket.action not in OWN_RECORD:
        return True
    kept = ticket.end
    if rules.on("record_checked"):
        kept = yield Get(record(ticket.job))
        if kept is None:
            kept = yield from callback(rules, Callback(ticket.job, ticket.end, ticket.claim))
    if kept != ticket.end and rules.on("other_end_checked"):
        yield from put_dead_letter(ticket.job, ticket.end)
        yield from close(ticket)
        return False
    return True


def has_mark(ticket: Ticket) -> bool:
    """Whether a ticket that is done has a mark. That a retry is done stands under `_attempts/`, or
    in an alert that has a mark of its own."""
    return ticket.action != "retry"


def close(ticket: Ticket) -> Steps:
    """A ticket is done, and goes at once."""
    if has_mark(ticket):
        yield Put(mark_of(ticket))
    yield Delete(ticket_of(ticket))


def finish(rules: Rules, ticket: Ticket) -> Steps:
    """A ticket is done: put its mark, and delete it at the end of the sweep."""
    if has_mark(ticket):
        yield Put(mark_of(ticket))
    return Then(leave, (ticket,))


def with_lease(rules: Rules, guard: str, request: Leased) -> Steps:
    """Look at the lease's age, then make the request at once.

    A write without an answer may land later: the sweep ends, and its lease stays until then.
    """
    if rules.on(guard):
        if rules.bounds.awake:
            request = request._replace(leased=True)
        else:
            yield Look()
    try:
        return (yield request)
    except LostError:
        if isinstance(request, Post) or not rules.on("lease_kept_in_doubt"):
            raise
        raise TooLateError from None


def retry(rules: Rules, ticket: Ticket) -> Steps:
    """Step 3a: did the job fail by CI's word, and whose attempt is it?"""
    report = yield Describe(ticket.job)
    if rules.on("verified"):
        if report is None or report.state == "running":
            known = Lineage(ticket.job, 2)
            note = yield Get(note_of(known))
            if isinstance(note, Submitted):
                return Then(hand_over, (ticket, known, note.job))
            again = yield Wait()
            return Then(leave) if again else Then(give_up, (ticket, "alert.unknown"))
        if report.state != "failed":
            return Then(give_up, (ticket, "alert.mismatch"))
    if report is None or not rules.on("lineage_from_ci"):
        report = Described("failed", ticket.claim)
    return Then(place, (ticket, report.claim, report.knows_nonce))


def place(rules: Rules, ticket: Ticket, claim: Lineage, knows_nonce: bool) -> Steps:
    """Step 3a: a claim is no proof. What this function has noted itself is."""
    lineage = yield Get(proof_of(ticket.job))
    if lineage is None and claim != NO_CLAIM:
        if not (rules.on("claim_proved") and rules.on("lineage_from_ci")):
            lineage = claim
        else:
            note = yield Get(note_of(claim))
            if note == Submitted(ticket.job):
                yield Put(proof_of(ticket.job), claim)
                lineage = claim
            elif (
                note in ("submitting, young", "submitting, old", "unavailable")
                and knows_nonce
                and rules.on("open_claim_waited_for")
            ):
                # The ticket of the attempt before it will find out.
                again = yield Wait()
                return Then(leave) if again else Then(give_up, (ticket, "alert.held"))
    lineage = lineage or Lineage(ticket.job, 1)
    if lineage.attempt >= rules.max_attempts:
        return Then(give_up, (ticket, "alert.gave-up"))
    return Then(attempt, (ticket, Lineage(lineage.root, lineage.attempt + 1)))


def attempt(rules: Rules, ticket: Ticket, following: Lineage) -> Steps:
    """Step 3b."""
    if rules.shared and rules.on("one_worker_per_attempt"):
        yield Lock(following)
    note = yield Get(note_of(following), by_listing=not rules.on("get_decides"))
    if isinstance(note, Submitted):
        return Then(hand_over, (ticket, following, note.job))
    if note == "refused":
        return Then(give_up, (ticket, "alert.refused"))
    if note == "unavailable" and rules.on("unavailable_looked_up"):
        existing = yield _listed(rules, following)
        if existing is not None:
            return Then(accepted, (ticket, following, existing))
    if note not in ("submitting, young", "submitting, old"):
        return Then(submit, (ticket, following))
    is_young = note == "submitting, young"
    if rules.on("young_claim_left") if is_young else not rules.on("old_claim_taken_up"):
        return Then(leave)
    return (yield from resume(rules, ticket, following))


def resume(rules: Rules, ticket: Ticket, following: Lineage) -> Steps:
    """Step 3b, a claim of which it is not known whether its request arrived."""
    if rules.on("list_before_resubmit"):
        existing = yield _listed(rules, following)
        if existing is not None:
            return Then(accepted, (ticket, following, existing))
    if rules.hold:
        return Then(give_up, (ticket, "alert.held"))
    return Then(submit if rules.on("claim_renewed") else post, (ticket, following))


def _listed(rules: Rules, following: Lineage) -> Find:
    """Ask CI's list for the job of an attempt."""
    return Find(following, not rules.on("nonce_compared"), not rules.on("oldest_adopted"))


def submit(rules: Rules, ticket: Ticket, following: Lineage) -> Steps:
    """Step 3c, the claim."""
    if rules.on("claim_before_post"):
        claim = Put(note_of(following), "submitting")
        yield from with_lease(rules, "lease_looked_at_before_attempt_write", claim)
    return Then(post, (ticket, following))


def post(rules: Rules, ticket: Ticket, following: Lineage) -> Steps:
    """Step 3c, the request: once. Without an answer the claim is left as it stands."""
    request = Post(following, ticket.job)
    answer = yield from with_lease(rules, "lease_looked_at_before_post", request)
    if answer == "accepted":
        return Then(accepted, (ticket, following, following.job))
    notes = {"refused": "refused", "busy": "not taken", "unavailable": "unavailable"}
    note = Put(note_of(following), notes[answer])
    yield from with_lease(rules, "lease_looked_at_before_attempt_write", note)
    return Then(give_up, (ticket, "alert.refused")) if answer == "refused" else Then(leave)


def accepted(rules: Rules, ticket: Ticket, following: Lineage, job: int) -> Steps:
    """Step 3c, the note that it was submitted: whatever the lease's age, since it is true."""
    yield Put(proof_of(job), following)
    yield Put(note_of(following), Submitted(job))
    return Then(hand_over, (ticket, following, job))


def hand_over(rules: Rules, ticket: Ticket, following: Lineage, job: int) -> Steps:
    """Step 3d: from the retry ticket to the watch ticket."""
    yield from before_done(rules, "watch_before_done", ticket, Ticket(job, "", "watch", following))
    return Then(finish, (ticket,))


def give_up(rules: Rules, ticket: Ticket, action: str) -> Steps:
    """From the retry ticket to an alert, and to the final event of its job."""
    report = Ticket(ticket.job, ticket.end, action)
    kind = f"failed: {action.removeprefix('alert.')}"
    event = Put(queued(Event(ticket.job, ticket.job, ticket.end, kind, ticket.claim)))
    if rules.events and rules.on("event_before_done"):
        yield event
    yield from before_done(rules, "refusal_told_before_done", ticket, report)
    if rules.events and not rules.on("event_before_done"):
        yield from close(ticket)
        yield event
    return Then(finish, (ticket,))


def before_done(rules: Rules, guard: str, ticket: Ticket, following: Ticket) -> Steps:
    """Put what follows from a ticket, before the ticket is done."""
    if not rules.on(guard):
        yield from close(ticket)
    yield Put(ticket_of(following))


def watch(rules: Rules, ticket: Ticket) -> Steps:
    """Step 4: a re-submitted job whose callback never came is taken in all the same."""
    kept = yield Get(record(ticket.job))
    report = yield Describe(ticket.job)
    if report.state == "running":
        return Then(leave)
    if kept is None:
        yield from callback(rules, Callback(ticket.job, report.state, ticket.claim))
        return Then(finish, (ticket,))
    if rules.events and rules.on("late_proof_heard"):
        proven = Lineage(ticket.claim.root, ticket.claim.attempt)
        yield Put(queued(rules.event_of(Callback(ticket.job, kept, ticket.claim), proven)))
    if kept == "succeeded" and rules.on("late_proof_followed"):
        # The callback may have come before the note that it is an attempt.
        yield Put(ticket_of(Ticket(ticket.job, kept, "alert.recovered")))
    if kept != report.state and rules.on("end_compared"):
        yield Put(ticket_of(Ticket(ticket.job, report.state, "alert.mismatch")))
    return Then(finish, (ticket,))


def alerts(
    rules: Rules,
    channels: tuple[str, ...],
    tickets: tuple[Ticket, ...],
    digests: tuple[Key, ...] | None,
) -> Steps:
    """Step 5: the digests on their way, then what is due."""
    if digests is None:
        digests = yield ListDigests()
    if rules.on("digests_first"):
        return Then(deliver_all, (channels, digests, tickets))
    return Then(gather, (channels, tickets, (), digests))


def deliver_all(
    rules: Rules,
    channels: tuple[str, ...],
    digests: tuple[Key, ...],
    tickets: tuple[Ticket, ...],
) -> Steps:
    """Step 5, for digests that were listed; then the tickets."""
    if not digests:
        return Then(gather, (channels, tickets, (), ()))
    body = yield Get(digests[0])
    if body is not None:
        yield from deliver(rules, channels, digests[0], body)
    return Then(deliver_all, (channels, digests[1:], tickets))


def gather(
    rules: Rules,
    channels: tuple[str, ...],
    tickets: tuple[Ticket, ...],
    due: tuple[Ticket, ...],
    digests: tuple[Key, ...],
) -> Steps:
    """Step 5, for alert tickets that were listed: what is due becomes one new digest."""
    if tickets:
        if (yield from is_due(rules, tickets[0])):
            due = (*due, tickets[0])
        return Then(gather, (channels, tickets[1:], due, digests))
    if due:
        body = Digest(due, addressed=() if rules.on("gone_channel_replaced") else channels)
        key = Key("_digests", "never written")
        if rules.on("digest_written_before_send"):
            request = PutDigest(body, leased=False)
            key = yield from with_lease(rules, "lease_looked_at_before_digest_write", request)
        yield from deliver(rules, channels, key, body)
    return Then(deliver_all, (channels, digests, ())) if digests else Then(leave)


def deliver(rules: Rules, channels: tuple[str, ...], key: Key, body: Digest) -> Steps:
    """Step 5, for one digest: its tickets, the channels that have not taken it, its rest.

    A channel that is not sent to in this sweep (it is not yet its time) is one that refuses.
    """
    if rules.on("tickets_done_before_send") and not body.was_sent:
        yield from finish_all(rules, body)
    if not channels:
        yield from put_aside(rules, key, body)
        return
    delivered = body.delivered
    if not rules.on("gone_channel_replaced"):
        channels = tuple(channel for channel in channels if channel in body.addressed)
    for channel in channels:
        if channel not in body.delivered:
            request = Send(body.tickets, channel)
            taken = yield from with_lease(rules, "lease_looked_at_before_send", request)
            delivered += (channel,) if taken else ()
    if set(channels) <= set(delivered):
        yield Delete(key)
    elif rules.on("delivery_noted"):
        rest = Put(key, body._replace(delivered=delivered, was_sent=True))
        yield from with_lease(rules, "lease_looked_at_before_digest_write", rest)
    if not rules.on("tickets_done_before_send"):
        yield from finish_all(rules, body)


def finish_all(rules: Rules, body: Digest) -> Steps:
    """The tickets of a digest: all marks, then one request that deletes them. It may be done in
    part, so it is one request for each of them here."""
    marks: list[Put | Delete] = [Put(mark_of(ticket)) for ticket in body.tickets]
    deletes: list[Put | Delete] = [Delete(ticket_of(ticket)) for ticket in body.tickets]
    first, second = marks, deletes
    if not rules.on("done_mark_before_delete"):
        first, second = deletes, marks
    yield from (*first, *second)


def put_aside(rules: Rules, key: Key, body: Digest) -> Steps:
    """Step 5 without a channel: the digest is kept under `_undelivered/`, and leaves its place."""
    aside = Put(Key("_undelivered", key.name), body)
    if body.delivered:
        yield Delete(key)
    elif rules.on("undelivered_kept_before_delete"):
        yield aside
        yield Delete(key)
    else:
        yield Delete(key)
        yield aside


# --- The way of an event -------------------------------------------------------------------


def forward(rules: Rules) -> Steps:
    """A forwarder: be alone, then send an event. Sending more is what several do in a row."""
    if rules.on("forward_lease_taken") and not rules.forwards_alone:
        yield PutLease()
        yield Settle()
        if (yield SeeOthers()):
            return Then(leave_queue)
    event = yield ListEvents()
    return Then(leave_queue) if event is None else Then(check, (event,))


def leave_queue(rules: Rules) -> Steps:
    """The end of a forwarder."""
    if rules.on("forward_lease_taken") and not rules.forwards_alone:
        yield DropLease()


def check(rules: Rules, event: Event) -> Steps:
    """What an event is by now: with its record's end, and with the root that is proven."""
    said = event
    if event.own_record:
        kept = yield Get(record(event.job))
        if kept is None:
            kept = yield from callback(rules, Callback(event.job, event.end, event.claim))
        if kept != event.end and event.end == "failed" and rules.on("event_checked"):
            said = said._replace(kind="failed: conflict")
    if event.claim != NO_CLAIM and event.root == event.job:
        proven = yield Get(proof_of(event.job))
        if proven is not None:
            kind = "recovered" if said.kind == "succeeded" else said.kind
            said = said._replace(root=proven.root, kind=kind)
    return Then(note if said.is_final else tell, (event, said))


def note(rules: Rules, event: Event, said: Event) -> Steps:
    """The final events of a root are in one object, each behind the one that it supersedes."""
    if not rules.on("final_noted"):
        return Then(tell, (event, said))
    key = finals_of(said.root)
    if (yield from with_lease(rules, "lease_looked_at_before_note", PutNew(key, (said,)))):
        return Then(tell, (event, said))
    finals = yield Get(key)
    if said in finals:
        return Then(tell, (event, said, *finals[: finals.index(said)][-1:]))
    if rules.on("finals_appended"):
        more = Put(key, (*finals, said))
        yield from with_lease(rules, "lease_looked_at_before_note", more)
    return Then(tell, (event, said, finals[-1] if rules.on("finals_appended") else None))


def tell(rules: Rules, event: Event, said: Event, supersedes: Event | None = None) -> Steps:
    """Send it; once it was taken, it leaves the queue."""
    if not rules.on("event_deleted_after_taken"):
        yield Delete(queued(event))
        yield Hear(said, supersedes)
        return Then(leave_queue)
    if (yield Hear(said, supersedes)):
        yield Delete(queued(event))
    return Then(leave_queue)
