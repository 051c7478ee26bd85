"""A store that says what was written to it: so the console knows what followed from what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

from handler.ledger.store import Store

Operation: TypeAlias = Literal["put", "delete"]


class Watched:
    """A Store in front of another. `note` is called with each write that the other one accepted."""

    def __init__(self, store: Store, note: Callable[[Operation, str], None]) -> None:
        self._store = store
        self._note = note

    def put_new(self, key: str, data: bytes) -> bool:
        written = self._store.put_new(key, data)
        if written:
            self._note("put", key)
        return written

    def put(self, key: str, data: bytes) -> None:
        self._store.put(key, data)
        self._note("put", key)

    def get(self, key: str) -> bytes | None:
        return self._store.get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        return self._store.list(prefix, stop, after)

    def folders(self, prefix: str) -> Sequence[str]:
        return self._store.folders(prefix)

    def delete_many(self, names: Sequence[str]) -> None:
        self._store.delete_many(names)
        for name in names:
            self._note("delete", name)

    def delete(self, key: str) -> None:
        self._store.delete(key)
        self._note("delete", key)
