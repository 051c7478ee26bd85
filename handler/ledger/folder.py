"""A ledger in a folder: the embedded default, for local use and for tests.

Writes are atomic and durable: a temporary file in the same folder, fsync, then a rename
(put) or a hard link that must not exist yet (put_new), then fsync of the folder. A link
does what O_EXCL does, and no reader ever sees a file that is there and still empty.

Only the owner may read it: dead letters hold bodies as they came, secrets included.
"""

from __future__ import annotations

import heapq
import itertools
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from handler.clock import rfc3339_of
from handler.errors import StoreError
from handler.ledger import keys

FILE_MODE = 0o600
FOLDER_MODE = 0o700

MAX_LISTED = 50_000
"""Names of one folder in memory at a time, some 8 MB. A larger folder is scanned again for each
further so many."""

_TEMPORARY = ".tmp-"
_MAX_KNOWN_FOLDERS = 10_000


class FolderStore:
    """A Store on disk. Keys are paths below the root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known_folders: set[Path] = set()

    def put_new(self, key: str, data: bytes) -> bool:
        path = self._path("put_new", key)
        try:
            temporary = self._write_aside(path, data)
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                temporary.unlink()
            sync_folder(path.parent)
        except OSError as error:
            raise _failed("put_new", key, error) from error
        return True

    def put(self, key: str, data: bytes) -> None:
        path = self._path("put", key)
        try:
            temporary = self._write_aside(path, data)
            try:
                temporary.replace(path)
            except BaseException:
                temporary.unlink()
                raise
            sync_folder(path.parent)
        except OSError as error:
            raise _failed("put", key, error) from error

    def get(self, key: str) -> bytes | None:
        try:
            return self._path("get", key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed("get", key, error) from error

    def list(self, prefix: str, stop: str | None = None, after: str = "") -> Iterator[str]:
        folder, _, _ = prefix.rpartition("/")
        try:
            for key in self._walk(folder + "/" if folder else "", prefix, stop):
                if key > after:
                    yield key
        except OSError as error:
            raise _failed("list", prefix, error) from error

    def dated(self, prefix: str) -> Iterator[tuple[str, str]]:
        for key in self.list(prefix):
            try:
                modified = self._path("list", key).stat().st_mtime
            except FileNotFoundError:
                continue  # it was deleted since
            except OSError as error:
                raise _failed("list", prefix, error) from error
            yield key, rfc3339_of(modified)

    def folders(self, prefix: str) -> Sequence[str]:
        above = prefix[: prefix.rfind("/") + 1]
        try:
            found = [key for key in self._scan(above) if key.startswith(prefix)]
            # A folder outlives its last key here, and on COS it does not.
            return sorted(key for key in found if key.endswith("/") and self._holds_any(key))
        except OSError as error:
            raise _failed("list", prefix, error) from error

    def delete_many(self, names: Sequence[str]) -> None:
        for name in names:
            self.delete(name)

    def delete(self, key: str) -> None:
        path = self._path("delete", key)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
        except OSError as error:
            raise _failed("delete", key, error) from error

    # --- reading ---

    def _walk(self, folder: str, prefix: str, stop: str | None) -> Iterator[str]:
        for key in self._sorted(folder, prefix, stop):
            if key.endswith("/"):
                yield from self._walk(key, prefix, stop)
            else:
                yield key

    def _holds_any(self, folder: str) -> bool:
        return any(not key.endswith("/") or self._holds_any(key) for key in self._scan(folder))

    def _sorted(self, folder: str, prefix: str, stop: str | None) -> Iterator[str]:
        """The names in one folder, in order, MAX_LISTED names at a time."""
        after = ""
        while True:
            names = (
                key
                for key in self._scan(folder)
                if key > after
                and (stop is None or key < stop)
                and (key.startswith(prefix) or (key.endswith("/") and prefix.startswith(key)))
            )
            first = list(itertools.islice(names, MAX_LISTED))
            overflow = next(names, None)
            if overflow is None:
                yield from sorted(first)
                return
            smallest = heapq.nsmallest(MAX_LISTED, itertools.chain(first, (overflow,), names))
            del first
            yield from smallest
            after = smallest[-1]

    def _scan(self, folder: str) -> Iterator[str]:
        """The keys in one folder, in any order. A folder's ends with a slash, so that it sorts
        where its keys sort: "a-b/x" comes before "a/x"."""
        try:
            entries = os.scandir(self._root / folder)
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                if keys.is_key(entry.name):
                    yield folder + entry.name + ("/" if entry.is_dir() else "")

    # --- writing ---

    def _path(self, operation: str, key: str) -> Path:
        if not keys.is_key(key) or "\\" in key or "\0" in key:
            # Keys come from keys.py, which can't make one like that: this is the second lock.
            raise StoreError(operation, repr(key), "not a key")
        return self._root.joinpath(*key.split("/"))

    def _write_aside(self, path: Path, data: bytes) -> Path:
        """A temporary file beside the path, durable. Where it fails, as on a full disk, it is
        removed."""
        self._make_folder(path.parent)
        temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        try:
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
        except BaseException:
            temporary.unlink()
            raise
        return temporary

    def _make_folder(self, folder: Path) -> None:
        """Make a folder, durable in its parent, and so each of its parents.

        One that is there may be another process's, which has not synced it yet: so each is synced
        once by each process.
        """
        if folder in self._known_folders and folder.is_dir():
            return
        is_inside = self._root in folder.parents
        if is_inside or not folder.parent.is_dir():
            self._make_folder(folder.parent)
        try:
            folder.mkdir(FOLDER_MODE)
        except FileExistsError:
            if not folder.is_dir():
                raise
            is_new = False
        else:
            is_new = True
        if is_inside or is_new:  # the parent of a root that is there may be out of reach
            sync_folder(folder.parent)
        if len(self._known_folders) >= _MAX_KNOWN_FOLDERS:
            self._known_folders.clear()
        self._known_folders.add(folder)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(operation: str, key: str, error: OSError) -> StoreError:
    return StoreError(operation, key, f"the folder did not take it: {error.strerror or error}")
