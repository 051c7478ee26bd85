"""pipelined.py: many requests at a time, in order, of which only some are in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ci_callback.pipelined import AHEAD, in_order


def test_results_come_in_the_order_of_the_items() -> None:
    """Whichever is done first."""
    first = threading.Event()

    def do(number: int) -> int:
        if number == 0:
            first.wait()
        else:
            first.set()
        return number * 2

    assert list(in_order(do, range(100), 4)) == [number * 2 for number in range(100)]


def test_only_so_many_are_begun_before_one_is_taken() -> None:
    """However many there are."""
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield number

    results = in_order(lambda number: number, items(), 3)
    assert next(results) == 0
    assert taken <= 3 * AHEAD + 1
    results.close()


def test_an_error_is_raised_in_the_place_of_its_result() -> None:
    """What came before it was given."""

    def do(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    results = in_order(do, range(1_000), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_of_no_items_there_are_no_results() -> None:
    """And no thread is needed."""
    assert list(in_order(len, [], 2)) == []
