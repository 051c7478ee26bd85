"""parallel.py: calls in threads."""

from __future__ import annotations

import threading
from http.client import HTTPException

import pytest

from handler.parallel import in_parallel, within


def test_results_come_in_order() -> None:
    """However many threads there are."""
    assert in_parallel(lambda number: number * 2, range(100)) == [*range(0, 200, 2)]


def test_the_first_error_is_raised_after_all_are_through() -> None:
    """Must raise, and leave nothing undone."""
    done: list[int] = []

    def do(number: int) -> None:
        done.append(number)
        if number % 2:
            raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        in_parallel(do, range(10))
    assert sorted(done) == [*range(10)]


def test_within_returns_the_result_in_time() -> None:
    """None is a result too."""
    assert within(5, lambda: 42) == 42
    assert within(5, lambda: None) is None


@pytest.mark.parametrize("error", [OSError("no"), HTTPException("no"), KeyboardInterrupt()])
def test_within_raises_what_the_call_raises(error: BaseException) -> None:
    """Must raise the very same."""

    def call() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        within(5, call)
    assert caught.value is error


def test_within_does_not_wait_for_a_late_call() -> None:
    """Must raise: the call goes on in its thread."""
    never = threading.Event()

    with pytest.raises(TimeoutError):
        within(0.05, lambda: never.wait(10))
    never.set()
