"""The protocol holds in every order of its steps, and none of its guards can be left out."""

from __future__ import annotations

from dataclasses import Field, fields, replace

import pytest

from tests.slow.model import promises, scopes
from tests.slow.model.explore import Report, explore
from tests.slow.model.promises import PROMISES
from tests.slow.model.protocol import GUARDS, Bounds
from tests.slow.model.scopes import SCOPES, Scope

# The model runs no code whose coverage is measured, and to measure doubles its time.
pytestmark = pytest.mark.no_cover

NEEDED = (
    ("marker_is_a_claim", scopes.CLAIMED, promises.TRUE),
    ("ticket_before_record", scopes.CALLBACK, promises.TICKETS),
    ("record_put_new", scopes.TWO_ENDS, promises.ONE_RECORD),
    ("answered_last", scopes.CALLBACK, promises.KEPT),
    ("lease_taken", scopes.RESUBMIT, promises.ONCE),
    ("lease_settled", scopes.RESUBMIT, promises.ONCE),
    ("old_lease_ignored", scopes.RESUBMIT, promises.RESTS),
    ("lease_kept_in_doubt", scopes.RESUBMIT, promises.ONCE),
    ("lease_kept_in_doubt", scopes.DIGEST, promises.TWICE),
    ("done_mark_checked", scopes.ALERT, promises.TWICE),
    ("record_checked", scopes.CALLBACK, promises.RIGHTLY),
    ("other_end_checked", scopes.TWO_ENDS, promises.RIGHTLY),
    ("lease_given_up_by_all", scopes.SHARED, promises.ONCE),
    ("verified", scopes.FORGED_FAILURE, promises.RIGHTLY),
    ("lineage_from_ci", scopes.FORGED, promises.BOUNDED),
    ("claim_proved", scopes.CLAIMED, promises.FOLLOWED),
    ("open_claim_waited_for", scopes.RECOVER, promises.BOUNDED),
    ("get_decides", scopes.RESUBMIT, promises.ONCE),
    ("young_claim_left", scopes.RESUBMIT, promises.ONCE),
    ("old_claim_taken_up", scopes.RESUBMIT, promises.RESTS),
    ("list_before_resubmit", scopes.RESUBMIT, promises.ONCE),
    ("unavailable_looked_up", scopes.RESUBMIT, promises.ONCE),
    ("nonce_compared", scopes.CLAIMED, promises.FOLLOWED),
    ("oldest_adopted", scopes.COPIED, promises.BOUNDED),
    ("one_worker_per_attempt", scopes.SHARED, promises.ONCE),
    ("claim_before_post", scopes.RESUBMIT, promises.ONCE),
    ("claim_renewed", scopes.RESUBMIT, promises.ONCE),
    ("lease_looked_at_before_post", scopes.RESUBMIT, promises.ONCE),
    ("lease_looked_at_before_attempt_write", scopes.RESUBMIT, promises.ONCE),
    ("refusal_told_before_done", scopes.RESUBMIT, promises.FOLLOWED),
    ("watch_before_done", scopes.UNHEARD, promises.HEARD),
    ("late_proof_followed", scopes.RECOVER, promises.RECOVERED),
    ("end_compared", scopes.FORGED_RECOVERY, promises.TRUE),
    ("digests_listed_under_lease", scopes.DIGEST, promises.TWICE),
    ("digests_first", scopes.DIGEST, promises.TWICE),
    ("digest_written_before_send", scopes.DIGEST, promises.ALERTED),
    ("tickets_done_before_send", scopes.DIGEST, promises.TWICE),
    ("delivery_noted", scopes.CHANNELS, promises.TWICE),
    ("gone_channel_replaced", scopes.RECONFIGURED, promises.ALERTED),
    ("undelivered_kept_before_delete", scopes.RECONFIGURED, promises.ALERTED),
    ("lease_looked_at_before_send", scopes.DIGEST, promises.TWICE),
    ("lease_looked_at_before_digest_write", scopes.DIGEST, promises.TWICE),
    ("done_mark_before_delete", scopes.ALERT, promises.TICKETS),
    ("event_before_record", scopes.FORWARDED, promises.ENDED_ONCE),
    ("event_before_done", scopes.FORWARDED_REFUSAL, promises.ENDED_ONCE),
    ("late_proof_heard", scopes.FORWARDED_FAILURE, promises.ENDED_ONCE),
    ("forward_lease_taken", scopes.TWO_FORWARDERS, promises.SECOND),
    ("event_checked", scopes.FORWARDED_CONFLICT, promises.HEARD_OF),
    ("final_noted", scopes.FORWARDED, promises.SECOND),
    ("finals_appended", scopes.FORWARDED, promises.SECOND),
    ("lease_looked_at_before_note", scopes.TWO_FORWARDERS, promises.SECOND),
    ("event_deleted_after_taken", scopes.FORWARDED, promises.ENDED_ONCE),
)
"""A guard, a situation where it matters, and the promise that breaks there without it."""


def named(parameter: Scope | str) -> str:
    """A part of a test's name."""
    return parameter.name if isinstance(parameter, Scope) else parameter


def without(guard: str, scope: Scope, promise: str) -> Report:
    """Explore a situation with a guard switched off, until the promise breaks."""
    careless = replace(scope, rules=replace(scope.rules, off=frozenset({guard})))
    return explore(careless, frozenset({promise}))


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(scope, marks=[pytest.mark.sample] if scope is scopes.RECONFIGURED else [])
        for scope in SCOPES
    ],
    ids=named,
)
def test_every_promise_holds_in_every_state(scope: Scope) -> None:
    """Whatever the order, whoever dies, whichever answer is lost."""
    report = explore(scope)
    assert report.broken is None, str(report)


@pytest.mark.parametrize(("guard", "scope", "promise"), NEEDED, ids=named)
def test_no_guard_can_be_left_out(guard: str, scope: Scope, promise: str) -> None:
    """Without any one of them a promise breaks."""
    report = without(guard, scope, promise)
    assert report.broken == promise, str(report)


def test_every_guard_and_every_promise_is_tried() -> None:
    """A guard that stands against nothing is none; a promise that nothing breaks shows nothing."""
    assert {guard for guard, _, _ in NEEDED} == set(GUARDS)
    assert {promise for _, _, promise in NEEDED} == PROMISES


@pytest.mark.parametrize("bound", fields(Bounds), ids=lambda bound: bound.name)
def test_the_honest_promise_has_the_bounds_that_it_needs(bound: Field[bool]) -> None:
    """Beyond any one of them an attempt may be accepted twice."""
    rules = replace(scopes.RESUBMIT.rules, bounds=Bounds(**{bound.name: False}))
    report = explore(replace(scopes.RESUBMIT, rules=rules))
    assert report.broken == promises.ONCE, str(report)


def test_hold_does_not_depend_on_the_list_of_ci() -> None:
    """Who would rather have none than two sets ON_UNKNOWN_SUBMISSION=hold."""
    assert scopes.HOLD in SCOPES
    assert scopes.HOLD.rules.hold
    assert not scopes.HOLD.rules.bounds.list_catches_up


@pytest.mark.sample
def test_a_counter_example_is_short_and_can_be_read() -> None:
    """Who did what, and what came of it."""
    assert str(without("answered_last", scopes.CALLBACK, promises.KEPT)).splitlines() == [
        "a callback, delivered twice: 4 states, 5 moves; "
        "broken: a callback that was answered 200 is kept",
        "  1. callback of j1, failed: comes",
        "  2. callback of j1, failed: Reply",
    ]
