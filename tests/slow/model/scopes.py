"""The situations that are explored. Each is small, and explored to its end.

What is left out of one is the matter of another. Where no channel is given, an alert ticket in
the outbox counts as told: that it will be is what the scopes with channels show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.slow.model.protocol import Bounds, Rules, record, ticket_of
from tests.slow.model.requests import Callback, Event, Key, Lineage, Ticket
from tests.slow.model.state import NO_FORWARDER

RULES = Rules()


@dataclass(frozen=True)
class Scope:
    """A situation to explore.

    callbacks: each callback that may be delivered, each any number of times until it is answered
    200. sweeps: how many may run at once. forwarders: the same, of those that send events. kept:
    what the ledger holds at first. ends: jobs that CI may bring to an end, and how. strays: whether
    a PUT under `_attempts/`, `_digests/` or `_finals/` may land after its sweep gave it up. calm:
    nobody dies, and only a submission's answer may be lost: the matter is what strangers do. truth:
    how jobs ended that were there before, by CI's word; where nothing is said they failed. foreign:
    a job that a stranger may submit. claims: the markers that it may carry.
    """

    name: str
    rules: Rules = RULES
    callbacks: tuple[Callback, ...] = ()
    sweeps: int = 1
    forwarders: int = 0
    kept: tuple[tuple[Key, Any], ...] = ()
    ends: tuple[tuple[int, str], ...] = ()
    strays: bool = False
    calm: bool = False
    truth: tuple[tuple[int, str], ...] = ()
    foreign: int = 0
    claims: tuple[Lineage, ...] = ()

    def forwards(self, number: int) -> bool:
        """Whether a lease, or a slot by its number, is a forwarder's."""
        return number == NO_FORWARDER or number >= len(self.callbacks) + self.sweeps

    def may_end(self, job: int) -> bool:
        """Whether a job comes to an end here; else it runs on, and its watch ticket stays."""
        return any(job == ended_job for ended_job, _ in self.ends)


def _kept(*tickets: Ticket) -> tuple[tuple[Key, Any], ...]:
    """What callbacks left behind that were answered 200."""
    records = ((record(ticket.job), ticket.end) for ticket in tickets)
    return (*records, *((ticket_of(ticket), "kept") for ticket in tickets))


_FAILED, _SUCCEEDED = Callback(1, "failed"), Callback(1, "succeeded")
_RETRY = _kept(Ticket(1, "failed", "retry"))
_ALERT = Ticket(1, "failed", "alert.failed")
_ENDS_OF_2 = ((12, "failed"), (12, "succeeded"))
_ENDS_OF_3 = ((13, "failed"), (13, "succeeded"))
_ENDS_OF_STRANGER = ((2, "failed"), (2, "succeeded"))
_TELL_2 = tuple(Callback(*end) for end in _ENDS_OF_2)
_TELL_STRANGER = tuple(Callback(*end) for end in _ENDS_OF_STRANGER)
_THREE = Rules(max_attempts=3)
_ALERTED = Rules(retries=False, channels=("x",))
_TOLD_TWICE = Rules(retries=False, channels=("x", "y"))

CALLBACK = Scope("a callback, delivered twice", callbacks=(_FAILED, _FAILED))
OVERLAP = Scope("a callback, two sweeps", callbacks=(_FAILED,), sweeps=2)
TWO_ENDS = Scope("two ends of one job", callbacks=(_FAILED, _SUCCEEDED))
RESUBMIT = Scope("a retry, two sweeps", kept=_RETRY, sweeps=2, strays=True)
SHARED = Scope(
    "two tickets of one job, worked on at a time",
    Rules(shared=True),
    kept=_kept(Ticket(1, "failed", "retry"), Ticket(1, "failed", "retry", Lineage(3, 1))),
    sweeps=2,
    strays=True,
)
HOLD = Scope(
    "the same, ON_UNKNOWN_SUBMISSION=hold",
    Rules(hold=True, bounds=Bounds(list_catches_up=False)),
    kept=_RETRY,
    sweeps=2,
)
RECOVER = Scope("a retry that ends", callbacks=_TELL_2, kept=_RETRY, ends=_ENDS_OF_2)
UNHEARD = Scope("two retries, unheard", _THREE, kept=_RETRY, ends=(_ENDS_OF_2[0], *_ENDS_OF_3))
ALERT = Scope("an alert, delivered twice", _ALERTED, callbacks=(_FAILED, _FAILED))
DIGEST = Scope("a digest, two sweeps", _ALERTED, kept=_kept(_ALERT), sweeps=2, strays=True)
CHANNELS = Scope("a digest, two channels", _TOLD_TWICE, kept=_kept(_ALERT), strays=True)
RECONFIGURED = Scope(
    "a digest, ALERT_URLS changes",
    Rules(retries=False, channels=("x",), other_channels=(("y",), ())),
    kept=_kept(_ALERT),
)
BLUE_GREEN = Scope(
    "a digest, two functions",
    Rules(retries=False, channels=("x", "y"), other_channels=(("y", "z"),)),
    kept=_kept(_ALERT),
)
GROUPED = Scope("a digest of two", _ALERTED, kept=_kept(_ALERT, _ALERT._replace(job=2)))
CLAIMED = Scope(
    "a stranger's job that claims an attempt",
    callbacks=_TELL_STRANGER,
    kept=_RETRY,
    calm=True,
    ends=_ENDS_OF_STRANGER,
    foreign=2,
    claims=(Lineage(1, 1), Lineage(1, 2)),
)
COPIED = Scope(
    "a copy of a retry that fails",
    callbacks=_TELL_2[:1],
    kept=_RETRY,
    calm=True,
    ends=_ENDS_OF_2[:1],
    foreign=2,
    claims=(Lineage(1, 2),),
)
FORGED = Scope(
    "a forged callback of a failed job",
    callbacks=(Callback(1, "failed", Lineage(3, 1), forged=True),),
    kept=_RETRY,
    calm=True,
    ends=(_ENDS_OF_2[0],),
)
FORGED_FAILURE = Scope(
    "a forged failure",
    callbacks=(_FAILED._replace(forged=True), _SUCCEEDED),
    calm=True,
    truth=((1, "succeeded"),),
)
FORGED_RECOVERY = Scope(
    "a forged recovery",
    callbacks=(_TELL_2[1]._replace(forged=True), _TELL_2[0]),
    kept=_RETRY,
    calm=True,
    ends=(_ENDS_OF_2[0],),
)

FORWARDED = Scope(
    "two ends, forwarded",
    Rules(retries=False, events=True, forwards_alone=True),
    callbacks=(_FAILED, _SUCCEEDED),
    sweeps=0,
    forwarders=1,
)
TWO_FORWARDERS = Scope(
    "two ends, two forwarders",
    Rules(retries=False, events=True),
    kept=(
        (record(1), "succeeded"),
        (Key("_events", Event(1, 1, "failed", "failed", own_record=True)), "kept"),
        (Key("_events", Event(1, 1, "succeeded", "succeeded", own_record=True)), "kept"),
    ),
    sweeps=0,
    forwarders=2,
    strays=True,
)
FORWARDED_CONFLICT = Scope(
    "a success, then a failure, forwarded",
    Rules(events=True, forwards_alone=True),
    callbacks=(_FAILED,),
    kept=((record(1), "succeeded"),),
    forwarders=1,
)
FORWARDED_REFUSAL = Scope(
    "a retry that CI refuses, forwarded",
    Rules(events=True, forwards_alone=True),
    kept=_RETRY,
    forwarders=1,
)
FORWARDED_RETRY = Scope(
    "a retry that recovers, forwarded",
    Rules(events=True, forwards_alone=True),
    callbacks=_TELL_2[1:],
    kept=_RETRY,
    forwarders=1,
    calm=True,
    ends=_ENDS_OF_2[1:],
)
FORWARDED_FAILURE = Scope(
    "a retry that fails for good, forwarded",
    Rules(events=True, forwards_alone=True, retried_ends=frozenset({1})),
    callbacks=_TELL_2[:1],
    kept=_RETRY,
    forwarders=1,
    calm=True,
    ends=_ENDS_OF_2[:1],
)

SCOPES = (
    CALLBACK,
    OVERLAP,
    TWO_ENDS,
    RESUBMIT,
    SHARED,
    HOLD,
    RECOVER,
    UNHEARD,
    ALERT,
    DIGEST,
    CHANNELS,
    RECONFIGURED,
    BLUE_GREEN,
    GROUPED,
    CLAIMED,
    COPIED,
    FORGED,
    FORGED_FAILURE,
    FORGED_RECOVERY,
    FORWARDED,
    TWO_FORWARDERS,
    FORWARDED_CONFLICT,
    FORWARDED_REFUSAL,
    FORWARDED_RETRY,
    FORWARDED_FAILURE,
)
"""What the tests explore."""

LARGE = (
    Scope("a callback twice, two sweeps", callbacks=(_FAILED, _FAILED), sweeps=2),
    Scope("two ends, two sweeps", callbacks=(_FAILED, _SUCCEEDED), sweeps=2),
    replace(
        COPIED,
        name="a copy that ends, of a retry that ends",
        callbacks=(*_TELL_2, _TELL_STRANGER[0]),
        ends=(*_ENDS_OF_2, _ENDS_OF_STRANGER[0]),
    ),
    replace(CLAIMED, name="a job that claims an attempt, and crashes", calm=False),
    Scope("two retries", _THREE, callbacks=_TELL_2, kept=_RETRY, ends=_ENDS_OF_2),
    Scope("two retries, two sweeps", _THREE, kept=_RETRY, ends=_ENDS_OF_2[:1], sweeps=2),
    Scope("two ends, told", _ALERTED, callbacks=(_FAILED, _SUCCEEDED)),
    Scope("an alert, two sweeps", _ALERTED, callbacks=(_FAILED,), sweeps=2),
    Scope("two functions, two sweeps", BLUE_GREEN.rules, kept=_kept(_ALERT), sweeps=2),
    Scope("two channels, two sweeps", _TOLD_TWICE, kept=_kept(_ALERT), sweeps=2, strays=True),
    replace(FORWARDED_FAILURE, name="a forwarded failure, with crashes", calm=False),
)
"""A quarter of an hour and some gigabytes: `python -m tests.slow.model.explore --large`."""
