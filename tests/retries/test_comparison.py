"""comparison.py: keys that the ledger does not hold, of many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.parallel import in_parallel
from handler.retries import comparison
from handler.retries.comparison import missing_keys
from tests.stores import MemoryStore, Wrapped

DAY = "jobs/dt=2026-09-21/"
NAMES = st.text("ab01~", min_size=1, max_size=3)


class Counting(Wrapped):
    """Counts GETs, listings, and the keys that were listed."""

    def __init__(self, inner: MemoryStore) -> None:
        super().__init__(inner)
        self.gets = self.lists = self.listed = 0

    def get(self, key: str) -> bytes | None:
        self.gets += 1
        return super().get(key)

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        self.lists += 1
        for key in super().list(prefix, stop, after):
            self.listed += 1
            yield key


def ledger(*keys: str) -> MemoryStore:
    """A store that holds the keys."""
    store = MemoryStore()
    for key in keys:
        store.put(key, b"")
    return store


@given(st.sets(NAMES), st.lists(st.tuples(st.sampled_from("12"), NAMES)), st.integers(1, 4))
def test_it_is_what_a_get_of_each_key_says(
    kept: set[str], wanted: list[tuple[str, str]], chunk: int
) -> None:
    """Whatever the keys are, over several days, and with repeated ones."""
    store = ledger(*(f"jobs/dt=2026-09-21/{name}.json" for name in kept))
    keys = [f"jobs/dt=2026-09-2{day}/{name}.json" for day, name in wanted]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "CHUNK", chunk)
        patch.setattr(comparison, "SPARSE", chunk)
        missing = missing_keys(store, keys, in_parallel)
    assert missing == {key for key in keys if store.get(key) is None}


def test_keys_that_lie_close_together_are_listed() -> None:
    """No GET for those that are there, and one for each that is not."""
    keys = [f"{DAY}{number:04d}.json" for number in range(600)]
    store = Counting(ledger(*keys[:-2]))
    assert missing_keys(store, keys, in_parallel) == set(keys[-2:])
    assert (store.gets, store.lists) == (2, 3)


def test_keys_that_lie_far_apart_are_asked_for_one_by_one() -> None:
    """A listing of all that lies between them is left after its first page or so."""
    keys = [f"{DAY}{number:06d}.json" for number in range(20_000)]
    wanted = keys[::2_000]
    store = Counting(ledger(*keys))
    assert missing_keys(store, wanted, in_parallel) == set()
    assert store.gets == len(wanted) - 1
    assert store.listed < 2_000


def test_nothing_wanted_asks_nothing() -> None:
    """Not even a listing."""
    store = Counting(ledger())
    assert missing_keys(store, [], in_parallel) == set()
    assert (store.gets, store.lists) == (0, 0)
