"""The digests that are kept: on their way to a channel, or taken by none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from handler.alerts.stored import Digest
from handler.ledger.keys import DIGESTS, UNDELIVERED
from handler.ledger.store import Store


@dataclass(frozen=True)
class Kept:
    """digest: None where it can't be read."""

    key: str
    is_on_its_way: bool
    digest: Digest | None


def kept(store: Store, limit: int) -> list[Kept]:
    """Those on their way first, then the undelivered ones, the newest of each first.

    May raise StoreError.
    """
    return [*_of(store, DIGESTS, limit), *_of(store, UNDELIVERED, limit)]


def _of(store: Store, folder: str, limit: int) -> Iterator[Kept]:
    for key in islice(sorted(store.list(folder), reverse=True), limit):
        line = store.get(key)
        if line is None:
            continue
        try:
            digest = Digest.from_json(line)
        except ValueError:
            digest = None
        yield Kept(key, folder == DIGESTS, digest)
