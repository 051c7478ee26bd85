"""The interface of a store: COS or a folder."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias

TimeLeft: TypeAlias = Callable[[], float]
"""Seconds that are left."""


def forever() -> float:
    """No limit."""
    return float("inf")


class Store(Protocol):
    """Bytes by key. Every method may raise StoreError.

    A write that returned is durable. A write that raised may have been done, or may be done later.
    """

    def put_new(self, key: str, data: bytes) -> bool:
        """Write unless the key exists; whether it was written.

        It filters duplicates and is no lock: on COS two writers at one instant may both get True,
        and a retry after a lost answer gets False for its own write.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write; the last one wins."""
        ...

    def get(self, key: str) -> bytes | None:
        """The bytes under a key; None where there is no such key."""
        ...

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        """The keys that begin with prefix, in the order of their bytes, behind after and up to stop
        (both excluded).

        They come one by one: of a large ledger a bounded part is in memory. What can't be a key of
        this ledger (keys.is_key) is passed over. May lag behind writes and deletes: a listing
        proposes, a get decides.
        """
        ...

    def folders(self, prefix: str) -> Sequence[str]:
        """The folders below a prefix: the beginnings of its keys up to their next slash, in order:
        `_a/` and `_b/` for `_a/x`, `_a/y` and `_b/z`. A key without such a slash is in none.

        One request, however many keys there are in them; on COS one for each 1,000 folders and keys
        in none. May lag, as `list` may.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove; a missing key is no error."""
        ...

    def delete_many(self, names: Sequence[str]) -> None:
        """Remove each of these keys, in as few requests as the store allows. Where it raises, some
        of them may be gone."""
        ...
