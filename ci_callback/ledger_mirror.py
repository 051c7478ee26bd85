"""Copies a ledger on COS into a folder for queries: each time, only new objects.

A record never changes once it is written, so a file that is there is good. Of a compacted
day only the part is copied, unless the day is stale: then its records are.

A listing may lag, so a name counts if it is in the listing, in the day's manifest or in the
folder already, and a GET of its exact key shows whether there is a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ci_callback import compaction as compact
from handler.ledger.folder import FolderStore
from handler.ledger.keys import LINEAGE, REVIEWS, WORKFLOWS
from handler.ledger.store import Store
from handler.parallel import POOL, in_parallel
from handler.settings import Settings

COPYING = "_copying"
"""The name of a mark in a folder into which a ledger is being copied."""


@dataclass(frozen=True)
class Copied:
    """How much was copied."""

    records: int
    parts: int


def local_folder(settings: Settings, store: Store, copies: Path) -> Path:
    """The folder to query: the ledger's own, or the copy of it below `copies`, up to date.

    Raises:
        StoreError: the ledger can't be read, or the copy can't be written.
    """
    url = settings.ledger_url
    if url.scheme == "file":
        return url.folder
    folder = copies / url.bucket / url.prefix
    copy_down(store, folder)
    return folder


def copy_down(store: Store, folder: Path) -> Copied:
    """Copy into a folder what queries read of a ledger.

    An interrupted run leaves a mark that keeps the folder from being queried; the next run
    continues where it stopped.

    Raises:
        StoreError: the ledger can't be read, or the folder can't be written.
    """
    copy = _Copy(store, folder)
    copy.here.put(COPYING, b"")
    parts, keys = copy.days()
    keys += copy.others(WORKFLOWS) + copy.others(REVIEWS) + copy.others(LINEAGE)
    records = copy.bring(keys)
    copy.here.delete(COPYING)
    return Copied(records, parts)


class _Copy:
    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.here = FolderStore(folder)

    def days(self) -> tuple[int, list[str]]:
        """Bring the parts of whole days; their number, and the keys of records to bring."""
        parts, keys = 0, []
        compacted = set(compact.compacted_days(self.store))
        days = self._listed(compacted)
        while some := list(islice(days, POOL)):
            for brought, missing in in_parallel(lambda listed_day: self._day(*listed_day), some):
                parts += brought
                keys += missing
        return parts, keys

    def others(self, prefix: str) -> list[str]:
        """Keys below a prefix that are not here yet. These objects never change."""
        present = set(self.here.list(prefix))
        listed = (key for key in self.store.list(prefix) if key.endswith(".json"))
        return [key for key in listed if key not in present]

    def bring(self, keys: list[str]) -> int:
        """Copy records; how many there were."""
        batches = range(0, len(keys), compact.BATCH)
        return sum(
            sum(in_parallel(self._record, keys[start : start + compact.BATCH])) for start in batches
        )

    def _listed(self, compacted: set[str]) -> Iterator[tuple[str, set[str], bool]]:
        """Each day, the names that are listed, and whether it is compacted."""
        left = set(compacted)
        for day, names in compact.listed_days(self.store):
            left.discard(day)
            yield day, names, day in compacted
        for day in sorted(left):  # a listing may lag, so an absent day proves nothing
            yield day, set(), True

    def _day(self, day: str, names: set[str], is_compacted: bool) -> tuple[int, list[str]]:
        """Bring a day's part, where it has all of the day; else give the records to bring."""
        present = set(compact.listed(self.here, day))
        names |= present
        manifest = compact.load(self.store, day) if is_compacted else None
        if manifest is not None:
            if manifest.covers(names) and (brought := self._part(manifest)) is not None:
                return brought, []
            names |= manifest.names
        return 0, [compact.folder(day) + name for name in sorted(names - present)]

    def _part(self, manifest: compact.Manifest) -> int | None:
        """Bring a part and its manifest: 1, or 0 where they are here; None if they don't fit."""
        day = manifest.day
        if compact.load(self.here, day) == manifest and compact.is_whole(self.folder, manifest):
            return 0
        part = self.store.get(compact.part_key(day))
        if part is None or not manifest.fits(len(part), part):
            return None
        self.here.put(compact.part_key(day), part)
        self.here.put(compact.manifest_key(day), manifest.to_json())
        return 1

    def _record(self, key: str) -> bool:
        record = self.store.get(key)
        return record is not None and self.here.put_new(key, record)
