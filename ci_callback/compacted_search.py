"""Which records of a compacted day can match a filter, by the day's one file.

`jobs --failed` of a large day reads nearly all records only to leave them out. Where the day is
compacted, two requests tell which ones are worth a request of their own. Without DuckDB, without a
part, or with one that can't be read, all of them are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ci_callback import compacted_day
from ci_callback.compacted_day import TAIL_BYTES, Manifest
from ci_callback.newest import OfDay
from ci_callback.record_filter import RecordFilter
from handler.ledger.keys import NO_DAY, name
from handler.ledger.store import Store

if TYPE_CHECKING:
    import duckdb

MATCHING = """
SELECT job_id FROM read_parquet($path)
WHERE ($tag IS NULL OR tag = $tag) AND ($state IS NULL OR state = $state)
  AND ($outcome IS NULL OR outcome = $outcome)
"""

WORTH = 100
"""Records. Fewer are read at once, which takes no longer than to ask for the part."""


def can_match(store: Store, of_day: OfDay, wanted: RecordFilter) -> Sequence[str]:
    """The keys of a day without those of records that its part shows not to match. May raise
    StoreError."""
    if not wanted.is_narrow or len(of_day.keys) < WORTH or of_day.day == NO_DAY:
        return of_day.keys
    manifest = compacted_day.load(store, of_day.day)
    if manifest is None or manifest.is_older([of_day.last_written]):
        return of_day.keys
    matching = _matching(store, manifest, wanted)
    if matching is None:
        return of_day.keys
    there = compacted_day.folder(of_day.day)
    others = {f"{there}{known}" for known in manifest.names - matching}
    return [key for key in of_day.keys if key not in others]


def _matching(store: Store, manifest: Manifest, wanted: RecordFilter) -> frozenset[str] | None:
    """Names of records; None where the part does not tell."""
    try:
        import duckdb
    except ModuleNotFoundError:
        return None
    part = store.get(compacted_day.part_key(manifest.day))
    if part is None or not manifest.fits(len(part), part[-TAIL_BYTES:]):
        return None
    with tempfile.TemporaryDirectory(prefix="ci-callback-") as folder:
        path = Path(folder) / compacted_day.PART
        path.write_bytes(part)
        try:
            with duckdb.connect() as database:
                return frozenset(_names(database, path, wanted))
        except duckdb.Error:
            return None  # the records themselves are read, and say what is wrong with them


def _names(database: duckdb.DuckDBPyConnection, path: Path, wanted: RecordFilter) -> Iterator[str]:
    asked = {"tag": wanted.tag, "state": wanted.state, "outcome": wanted.outcome}
    found = database.execute(MATCHING, {"path": str(path), **asked})
    return (f"{name(job_id)}.json" for (job_id,) in found.fetchall())
