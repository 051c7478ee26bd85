"""Calls in threads: many at a time, or one within a time. They wait for the network."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol, TypeVar

POOL = 16
"""At a time. SCF gives an instance 1,024 threads and file descriptors."""

GRACE_S = 0.2
"""How much longer than its own time-out a call within a time may take, so that its own error comes
first: that one knows more."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Parallel(Protocol):
    """in_parallel, or what takes its place where time is played."""

    def __call__(
        self, do: Callable[[Item], Result], items: Sequence[Item], /, width: int | None = None
    ) -> list[Result]: ...


def in_parallel(
    do: Callable[[Item], Result], items: Sequence[Item], width: int | None = None
) -> list[Result]:
    """Do it for each item, `width` at a time (POOL); results in order. The first error is raised,
    after all are through."""
    if len(items) <= 1:
        return [do(item) for item in items]
    # Imported here: a single callback needs no threads.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(width or POOL, len(items))) as pool:
        return [future.result() for future in [pool.submit(do, item) for item in items]]


def within(timeout_s: float, call: Callable[[], Result]) -> Result:
    """What `call` returns or raises, if it does so within so many seconds.

    It runs in a thread of its own, which goes on when it is late: a look-up of a name, for one,
    can't be stopped.

    Raises:
        TimeoutError: it is late. It may still do what it was called for.
    """
    outcome: list[Callable[[], Result]] = []

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # raised again in the thread that waits
            outcome.append(functools.partial(_raise, error))
        else:
            outcome.append(lambda: result)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not outcome:
        raise TimeoutError
    return outcome[0]()


def _raise(error: BaseException) -> NoReturn:
    raise error
