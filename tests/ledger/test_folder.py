"""folder.py: what its errors say, and the order of its listings. What it shares with COS is in
test_stores.py."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.errors import StoreError
from handler.ledger import folder
from handler.ledger.folder import FolderStore
from tests.stores import MemoryStore

OPERATIONS: Mapping[str, Callable[[FolderStore, str], object]] = {
    "put": lambda store, key: store.put(key, b""),
    "put_new": lambda store, key: store.put_new(key, b""),
    "get": lambda store, key: store.get(key),
    "delete": lambda store, key: store.delete(key),
    "list": lambda store, key: list(store.list(f"{key}/")),
}

names = st.text("a-~0", min_size=1, max_size=2)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
files = paths.map(lambda path: f"{path}.json")
stops = st.none() | paths | files


def error_of(operation: str, store: FolderStore, key: str) -> StoreError:
    """What an operation that must fail raises."""
    with pytest.raises(StoreError) as caught:
        OPERATIONS[operation](store, key)
    assert (caught.value.operation, caught.value.status) == (operation, None)
    return caught.value


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_error_names_operation_key_and_what_the_disk_said(
    tmp_path: Path, operation: str
) -> None:
    """Here a file is where a folder should be."""
    (tmp_path / "a").write_bytes(b"")
    said = "File exists" if operation.startswith("put") else "Not a directory"
    key = "a/b/" if operation == "list" else "a/b"
    error = error_of(operation, FolderStore(tmp_path), "a/b")
    assert str(error) == f"{operation} {key}: the folder did not take it: {said}"


@pytest.mark.parametrize("operation", ["put", "put_new", "get", "delete"])
def test_a_key_that_is_none_is_named_as_such(tmp_path: Path, operation: str) -> None:
    """By its repr: it may hold anything."""
    error = error_of(operation, FolderStore(tmp_path), "a\0b")
    assert str(error) == f"{operation} 'a\\x00b': not a key"


def test_a_blank_in_a_key_separates_nothing(tmp_path: Path) -> None:
    """Only a slash leads to another folder."""
    FolderStore(tmp_path).put("a b/c d", b"1")
    assert (tmp_path / "a b" / "c d").read_bytes() == b"1"


@given(keys=st.sets(files, max_size=8), prefix=st.just("") | paths, stop=stops, at_a_time=names)
def test_a_listing_is_that_of_the_keys_in_order(
    keys: set[str], prefix: str, stop: str | None, at_a_time: str
) -> None:
    """However many names of a folder are in memory at a time, with any prefix and any stop."""
    memory = MemoryStore()
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        for key in keys:
            memory.put(key, b"")
            path = Path(root, *key.split("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        patch.setattr(folder, "MAX_LISTED", len(at_a_time))
        listed = list(FolderStore(Path(root)).list(prefix, stop))
    assert listed == list(memory.list(prefix, stop))
