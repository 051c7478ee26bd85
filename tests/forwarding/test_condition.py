"""condition.py: when a destination is left alone, paused, and tried again."""

from __future__ import annotations

import pytest

from handler.forwarding.condition import (
    MAX_FAULTS,
    MAX_REST_S,
    MAX_RETRY_S,
    PAUSE_AFTER_S,
    Condition,
    read_condition,
    retry_delay_s,
)

NOW = 1_790_000_000.0


def low() -> float:
    return 0.0


def high() -> float:
    return 1.0


def failed(times: int) -> Condition:
    """The condition after so many deliveries that failed at one moment."""
    condition = Condition()
    for _ in range(times):
        condition = condition.failed(NOW, 0.0, low)
    return condition


def test_it_is_left_alone_after_some_failures_in_a_row() -> None:
    """For half a minute to a minute at first."""
    assert failed(MAX_FAULTS - 1).is_open
    condition = failed(MAX_FAULTS)
    assert not condition.is_open
    assert condition.rests_at(NOW + 29)
    assert not condition.rests_at(NOW + 31)
    assert failed(MAX_FAULTS - 1).failed(NOW, 0.0, high).rests_at(NOW + 59)


def test_deliveries_under_way_at_a_time_count_as_one_rest() -> None:
    """The wait is not doubled by each of them."""
    assert failed(MAX_FAULTS + 5).rests == 1


def test_answers_under_way_that_ask_for_a_wait_count_as_one_rest_too() -> None:
    """Eight 429 at a time with `Retry-After: 1` are one rest, not a quarter of an hour; the longest
    wait that one of them asks for holds."""
    condition = Condition()
    for asked in (1.0, 300.0, *[1.0] * 6):
        condition = condition.failed(NOW, asked, high)
    assert condition.rests == 1
    assert condition.rests_until == NOW + 300
    assert condition.failed(NOW + 301, 1.0, high).rests_until == NOW + 301 + 120


def test_the_rest_doubles_up_to_a_bound() -> None:
    """However long it is away."""
    condition, now = failed(MAX_FAULTS), NOW
    lengths = []
    for _ in range(10):
        now = condition.rests_until + 1
        condition = condition.failed(now, 0.0, high)
        lengths.append(condition.rests_until - now)
    assert lengths[:3] == [120.0, 240.0, 480.0]
    assert lengths[-1] == MAX_REST_S


def test_an_answer_may_ask_for_a_longer_rest() -> None:
    """At once, whatever the number of failures."""
    condition = Condition().failed(NOW, 1_200.0, high)
    assert condition.rests_at(NOW + 1_199)
    assert not condition.rests_at(NOW + 1_201)


def test_it_is_to_be_paused_once() -> None:
    """After it has failed for so long."""
    condition = failed(MAX_FAULTS)
    assert not condition.is_to_be_paused(NOW + PAUSE_AFTER_S - 1)
    assert condition.is_to_be_paused(NOW + PAUSE_AFTER_S)
    assert not condition._replace(is_paused=True).is_to_be_paused(NOW + PAUSE_AFTER_S)
    assert not Condition().is_to_be_paused(NOW)


def test_a_time_far_ahead_is_not_believed() -> None:
    """Another machine's clock may have been wrong."""
    assert not Condition(rests_until=NOW + 10 * 86_400, rests=1).rests_at(NOW)


def test_it_is_read_back_as_it_was_stored() -> None:
    """Also with its alert raised."""
    condition = failed(MAX_FAULTS)._replace(is_paused=True)
    assert read_condition(condition.to_json()) == condition
    assert read_condition(None) == Condition()


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"{}", b"null", b"\xff", b'{"failing_since": "x"}', b"[" * 100_000],
)
def test_what_can_not_be_read_is_an_open_destination(line: bytes) -> None:
    """The worst that follows is one more try."""
    assert read_condition(line) == Condition()


def test_an_event_alone_waits_longer_with_each_try() -> None:
    """Half of the wait is random."""
    assert [retry_delay_s(tries, high) for tries in (1, 2, 3)] == [60.0, 120.0, 240.0]
    assert retry_delay_s(1, low) == 30.0
    assert retry_delay_s(50, high) == MAX_RETRY_S
