"""Copies a ledger on COS into a folder for queries: each time, only new objects.

A record never changes once it is written, so a file that is there is good. Of a compacted
day only the part is copied, unless the day is stale: then its records are.

A listing may lag, so a name counts if it is in the listing, in the day's manifest or in the
folder already, and a GET of its exact key shows whether there is a record.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci_callback.bar import NO_BAR, Bar
from ci_callback.compacted_day import (
    Manifest,
    compacted_days,
    is_whole,
    load,
    manifest_key,
    part_key,
)
from ci_callback.compacted_day import folder as record_folder
from ci_callback.compaction import days_with_records, names_of
from ci_callback.pipelined import in_order
from ci_callback.terminal import bar as progress_bar
from handler.errors import StoreError
from handler.ledger.folder import FILE_MODE, FOLDER_MODE, FolderStore
from handler.ledger.keys import LINEAGE, REVIEWS, WORKFLOWS
from handler.ledger.store import Store
from handler.parallel import in_parallel
from handler.settings import Settings

COPYING = "_copying"
"""The name of a mark in a folder into which a ledger is being copied."""


@dataclass(frozen=True)
class Copied:
    """How much was copied."""

    records: int
    parts: int


def local_folder(settings: Settings, store: Store, copies: Path, offline: bool = False) -> Path:
    """The folder to query: the ledger's own, or the copy of it below `copies`, up to date.

    offline: the copy as it is; nothing is asked of COS.

    Raises:
        StoreError: the ledger can't be read, or the copy can't be written.
        ValueError: offline, and there is no copy.
    """
    url = settings.ledger_url
    if url.scheme == "file":
        return url.folder
    folder = copies / url.bucket / url.prefix
    if offline:
        if not folder.is_dir():
            raise ValueError(f"there is no copy in {folder}: query once without --offline")
        return folder
    with progress_bar("Copying the ledger") as bar:
        copy_down(store, folder, bar)
    return folder


def copy_down(store: Store, folder: Path, bar: Bar = NO_BAR) -> Copied:
    """Copy into a folder what queries read of a ledger.

    An interrupted run leaves a mark that keeps the folder from being queried; the next run
    continues where it stopped.

    Raises:
        StoreError: the ledger can't be read, or the folder can't be written.
    """
    copy = _Copy(store, folder, bar)
    if copy.here.get(COPYING) is not None:
        copy.forget_empty()
    copy.here.put(COPYING, b"")
    parts, keys = copy.days()
    keys += copy.others(WORKFLOWS) + copy.others(REVIEWS) + copy.others(LINEAGE)
    records = copy.bring(keys)
    if records:
        os.sync()  # once for all: 100,000 files are durable one by one in minutes
    copy.here.delete(COPYING)
    return Copied(records, parts)


class _Copy:
    def __init__(self, store: Store, folder: Path, bar: Bar) -> None:
        self.store = store
        self.folder = folder
        self.here = FolderStore(folder)
        self.bar = bar
        self.made: set[str] = set()

    def days(self) -> tuple[int, list[str]]:
        """Bring the parts of whole days; their number, and the keys of records to bring."""
        compacted = set(compacted_days(self.store))
        # A listing may lag, so a day that it does not show may have records.
        days = sorted({*days_with_records(self.store), *compacted})
        looked = in_parallel(lambda day: self._day(day, day in compacted), days)
        return sum(parts for parts, _ in looked), [key for _, keys in looked for key in keys]

    def others(self, prefix: str) -> list[str]:
        """Keys below a prefix that are not here yet. These objects never change."""
        present = set(self.here.list(prefix))
        listed = (key for key in self.store.list(prefix) if key.endswith(".json"))
        return [key for key in listed if key not in present]

    def bring(self, keys: Sequence[str]) -> int:
        """Copy records; how many there were."""
        self.bar.expect(len(keys))
        return sum(in_order(self._record, keys))

    def forget_empty(self) -> None:
        """Remove files without content, which a power failure may leave behind."""
        for path in self.folder.glob("*/**/*.json"):
            # What another run is writing just now begins with a dot.
            if not path.name.startswith(".") and not path.stat().st_size:
                path.unlink()

    def _day(self, day: str, is_compacted: bool) -> tuple[int, list[str]]:
        """Bring a day's part, where it has all of the day; else give the records to bring."""
        present = names_of(self.here, day)
        names = names_of(self.store, day) | present
        manifest = load(self.store, day) if is_compacted else None
        if manifest is not None:
            if manifest.covers(names) and (brought := self._part(manifest)) is not None:
                return brought, []
            names |= manifest.names
        return 0, [record_folder(day) + name for name in sorted(names - present)]

    def _part(self, manifest: Manifest) -> int | None:
        """Bring a part and its manifest: 1, or 0 where they are here; None if they don't fit."""
        day = manifest.day
        if load(self.here, day) == manifest and is_whole(self.folder, manifest):
            return 0
        part = self.store.get(part_key(day))
        if part is None or not manifest.fits(len(part), part):
            return None
        self.here.put(part_key(day), part)
        self.here.put(manifest_key(day), manifest.to_json())
        return 1

    def _record(self, key: str) -> bool:
        """Copy a record, whole or not at all. It need not be durable before the copy is whole."""
        record = self.store.get(key)
        self.bar.step()
        if record is None:
            return False
        above, _, name = f"{self.folder}/{key}".rpartition("/")
        aside = f"{above}/.tmp-{os.getpid()}-{name}"
        try:
            if above not in self.made:
                os.makedirs(above, FOLDER_MODE, exist_ok=True)
                self.made.add(above)
            with open(
                os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb"
            ) as file:
                file.write(record)
            os.replace(aside, f"{above}/{name}")
        except OSError as error:
            raise StoreError(
                "copy", key, f"the folder did not take it: {error.strerror}"
            ) from error
        return True
