"""Doing the same for many items, some at a time: what is waited for is the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

POOL = 16
"""At a time. SCF gives an instance 1,024 threads and file descriptors."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(do: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do it for each item; results in order. The first error is raised, after all are through."""
    if len(items) <= 1:
        return [do(item) for item in items]
    # Imported here: a single callback needs no threads.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(POOL, len(items))) as pool:
        return [future.result() for future in [pool.submit(do, item) for item in items]]
