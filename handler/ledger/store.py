"""What a ledger needs of the place it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

TimeLeft: TypeAlias = Callable[[], float]
"""Seconds that are left."""


def forever() -> float:
    """No limit."""
    return float("inf")


class Store(Protocol):
    """A flat space of keys and bytes. Every method may raise StoreError.

    A write that returned is durable. A write that raised may have landed all the same.
    """

    def put_new(self, key: str, data: bytes) -> bool:
        """Write unless the key exists; whether it was written.

        It filters duplicates and is no lock: on COS two writers at one instant may both
        be told True, and a retry after a lost answer is told False of its own write.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write; the last one wins."""
        ...

    def get(self, key: str) -> bytes | None:
        """What is kept there; None where nothing is."""
        ...

    def list(self, prefix: str, stop: str | None = None) -> Iterator[str]:
        """The keys that begin with prefix, in the order of their bytes, up to stop (excluded).

        They come one by one: of a large ledger a bounded part is in memory. What can't be a key of
        this ledger (keys.is_key) is passed over. May lag behind writes and deletes: a listing
        proposes, a get decides.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove; a key that is not there is fine."""
        ...
