"""Keys that the ledger does not hold, of many: by listings where they lie close together.

Ids of jobs are in no order of time, so the records of half an hour are spread over all the keys of
their day. Where ten million keys hold a hundred thousand that are looked for, a page of 1,000 keys
answers for ten of them, at twice the work of one GET. Where they lie apart, a GET each is cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from handler.ledger.store import Store
from handler.parallel import Parallel

CHUNK = 256
"""Keys that one listing looks for, one after another."""

GETS = 48
"""At a time: at 50 ms each, what one core can sign and read."""

SPARSE = 500
"""A listing is left where it passes more than so many keys for each one that it looks for: a page
answers for two then, takes as long as three GETs, and is paid as one."""


def missing_keys(store: Store, wanted: Sequence[str], parallel: Parallel) -> set[str]:
    """Those of the wanted keys that the store does not hold.

    A listing proposes: each key that none showed is looked for by a GET.

    Raises:
        StoreError
    """
    ordered = sorted(set(wanted))
    found = parallel(lambda chunk: _unlisted(store, chunk), list(_chunks(ordered)))
    suspects = [key for keys in found for key in keys]
    kept = parallel(lambda key: store.get(key) is not None, suspects, GETS)
    return {key for key, is_kept in zip(suspects, kept, strict=True) if not is_kept}


def _chunks(ordered: Sequence[str]) -> Iterator[list[str]]:
    for _, of_folder in groupby(ordered, _folder):
        keys = list(of_folder)
        yield from (keys[begin : begin + CHUNK] for begin in range(0, len(keys), CHUNK))


def _folder(key: str) -> str:
    return key.rpartition("/")[0] + "/"


def _unlisted(store: Store, chunk: list[str]) -> list[str]:
    """The keys of a chunk, in order and of one folder, that a listing did not show."""
    unlisted: list[str] = []
    decided = 0
    # The listing begins behind a key, and ends before one: both are beside the chunk.
    listed = store.list(_folder(chunk[0]), stop=chunk[-1] + "\0", after=chunk[0][:-1])
    for passed, key in enumerate(listed, 1):
        while decided < len(chunk) and chunk[decided] < key:
            unlisted.append(chunk[decided])
            decided += 1
        if decided < len(chunk) and chunk[decided] == key:
            decided += 1
        elif passed > SPARSE * (decided + 1):
            break
    return unlisted + chunk[decided:]
