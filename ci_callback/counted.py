"""A store that counts its requests, as COS is paid for them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from ci_callback.newest import Dated
from handler.ledger.store import Store

T = TypeVar("T")

PAGE = 1_000
"""Keys of one request that lists. A store on COS has the same; a folder needs nothing of it."""


class DatedStore(Store, Dated, Protocol):
    """A store of this project: both kinds say when an object was written."""


def _unseen() -> None:
    pass


class Counted:
    """A Store in front of another one. requests: how many of each kind. Threads may share it.

    A listing counts once for each 1,000 keys that were read of it, as on COS.
    """

    def __init__(self, store: DatedStore, on_request: Callable[[], None] = _unseen) -> None:
        """on_request: is called before each request, in its thread."""
        self._store = store
        self._on_request = on_request
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.requests.items()))

    def put_new(self, key: str, data: bytes) -> bool:
        self._count("PUT")
        return self._store.put_new(key, data)

    def put(self, key: str, data: bytes) -> None:
        self._count("PUT")
        self._store.put(key, data)

    def get(self, key: str) -> bytes | None:
        self._count("GET")
        return self._store.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        return self._pages(self._store.list(prefix, stop, after))

    def dated(self, prefix: str) -> Iterator[tuple[str, str]]:
        """As the store's own."""
        return self._pages(self._store.dated(prefix))

    def folders(self, prefix: str) -> Sequence[str]:
        self._count("LIST")
        return self._store.folders(prefix)

    def delete(self, key: str) -> None:
        self._count("DELETE")
        self._store.delete(key)

    def delete_many(self, names: Sequence[str]) -> None:
        self._count("POST")
        self._store.delete_many(names)

    def _pages(self, listed: Iterable[T]) -> Iterator[T]:
        self._count("LIST")
        for number, entry in enumerate(listed):
            if number and number % PAGE == 0:
                self._count("LIST")
            yield entry

    def _count(self, kind: str) -> None:
        with self._lock:
            self.requests[kind] += 1
        self._on_request()
