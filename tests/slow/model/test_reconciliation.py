"""The cursors of reconciliation skip nothing, and none of their guards can be left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.slow.model.reconciliation import (
    GUARDS,
    SKIPPED,
    TOLD,
    UNALERTED,
    Job,
    Situation,
    explore,
)

# The model runs no code whose coverage is measured.
pytestmark = pytest.mark.no_cover

SHORT = Situation((Job(0, 1, False), Job(1, 1, True), Job(1, 2, False)))
LONG = Situation((Job(0, 3, False), Job(0, 1, False)))
LATE = Situation((Job(0, 2, False),), crashes=0)
CROWDED = Situation((Job(0, 1, True), Job(1, 1, True), Job(1, 2, False)), page=2)
OLD = Situation((Job(0, 1, False, old=True), Job(0, 2, True), Job(1, 2, False, old=True)))
TOGETHER = Situation((Job(0, 1, False),), passes=2, crashes=0)


@pytest.mark.parametrize("situation", [SHORT, LONG, LATE, CROWDED, OLD, TOGETHER])
def test_every_promise_holds_in_every_state(situation: Situation) -> None:
    """Whatever dies, and whatever runs beside it."""
    states, found = explore(situation)
    assert found is None
    assert states > 20


NEEDED = (
    ("note_after_take_in", SHORT, SKIPPED),
    ("count_before_take_in", SHORT, UNALERTED),
    ("alert_before_take_in", SHORT, UNALERTED),
    ("cut_before_last_second", CROWDED, SKIPPED),
    ("skip_by_age", LATE, SKIPPED),
    ("old_is_silent", OLD, TOLD),
    ("old_is_not_counted", OLD, TOLD),
)
"""A guard, a situation where it matters, and the promise that breaks there without it."""


@pytest.mark.parametrize(("guard", "situation", "promise"), NEEDED)
def test_no_guard_can_be_left_out(guard: str, situation: Situation, promise: str) -> None:
    """Without it the promise breaks."""
    _, found = explore(replace(situation, off=frozenset({guard})))
    assert found is not None
    assert found.promise == promise


def test_every_guard_is_tried() -> None:
    """A new one would be tried nowhere."""
    assert {guard for guard, _, _ in NEEDED} == set(GUARDS)
