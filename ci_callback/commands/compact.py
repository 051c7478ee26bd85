"""`compact`: fold the records of a day into one file, so that queries need not open each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from ci_callback.common import AsJson, local
from ci_callback.compaction import compact as fold
from ci_callback.compaction import part_key, stale_days
from ci_callback.terminal import print_json, say
from handler.ledger.store import Store


def compact(
    date: Annotated[
        list[datetime] | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="UTC day on which the jobs were created. Repeatable.",
        ),
    ] = None,
    all_stale: Annotated[
        bool,
        typer.Option("--all-stale", help="Every day with records that are not folded yet."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fold the records of a day into compacted/dt=DAY/part-0.ndjson.gz. The records stay."""
    if not date and not all_stale:
        raise typer.BadParameter("name a day with --date, or pass --all-stale")
    days = {moment.date().isoformat() for moment in date or ()}
    with local() as here:
        store = here.ledger.store
        days.update(stale_days(store) if all_stale else ())
        folded = [_fold(store, day) for day in sorted(days)]
    if as_json:
        print_json(folded)
        return
    for summary in folded:
        line = "{day}  {records:,} records  {bytes:,} bytes  {part}" if summary["part"] else ""
        say((line or "{day}  has no records").format(**summary))
    if not folded:
        say("No day is stale.")


def _fold(store: Store, day: str) -> dict[str, Any]:
    manifest = fold(store, day)
    if manifest is None:
        return {"day": day, "records": 0, "bytes": 0, "part": None}
    return {
        "day": day,
        "records": len(manifest.names),
        "bytes": manifest.part_bytes,
        "part": part_key(day),
    }
