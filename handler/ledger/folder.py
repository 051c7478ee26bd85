"""A ledger in a folder: the embedded default, for local use and for tests.

Writes are atomic and durable: a temporary file in the same folder, fsync, then a rename
(put) or a hard link that must not exist yet (put_new), then fsync of the folder. A link
does what O_EXCL does, and no reader ever sees a file that is there and still empty.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from handler.errors import StoreError

_TEMPORARY = ".tmp-"


class FolderStore:
    """A Store on disk. Keys are paths below the root."""

    def __init__(self, root: Path) -> None:
        self._root = root

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
            self._sync_folder(path.parent)
        except OSError as error:
            raise _failed("put_new", key, error) from error
        return True

    def put(self, key: str, data: bytes) -> None:
        path = self._path("put", key)
        try:
            self._write_aside(path, data).replace(path)
            self._sync_folder(path.parent)
        except OSError as error:
            raise _failed("put", key, error) from error

    def get(self, key: str) -> bytes | None:
        try:
            return self._path("get", key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed("get", key, error) from error

    def list(self, prefix: str, stop: str | None = None) -> Iterator[str]:
        folder, _, _ = prefix.rpartition("/")
        try:
            yield from self._walk(folder + "/" if folder else "", prefix, stop)
        except OSError as error:
            raise _failed("list", prefix, error) from error

    def delete(self, key: str) -> None:
        path = self._path("delete", key)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                self._sync_folder(path.parent)
        except OSError as error:
            raise _failed("delete", key, error) from error

    def _walk(self, folder: str, prefix: str, stop: str | None) -> Iterator[str]:
        try:
            entries = list(os.scandir(self._root / folder))
        except FileNotFoundError:
            return
        # With its slash a folder sorts where its keys sort: "a-b/x" comes before "a/x".
        keys = sorted(
            folder + entry.name + ("/" if entry.is_dir() else "")
            for entry in entries
            if not entry.name.startswith(_TEMPORARY)
        )
        for key in keys:
            if stop is not None and key >= stop:
                return
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix, stop)
            elif key.startswith(prefix):
                yield key

    def _path(self, operation: str, key: str) -> Path:
        parts = key.split("/")
        if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
            # Keys come from keys.py, which can't make one like that: this is the second lock.
            raise StoreError(operation, repr(key), "not a key")
        return self._root.joinpath(*parts)

    def _write_aside(self, path: Path, data: bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return temporary

    @staticmethod
    def _sync_folder(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _failed(operation: str, key: str, error: OSError) -> StoreError:
    return StoreError(operation, key, f"the folder did not take it: {error.strerror or error}")
