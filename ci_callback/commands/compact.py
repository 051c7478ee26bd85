"""`compact`: fold the records of a day into one file, so that queries need not open each."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import typer

from ci_callback.common import EXIT_NOT_2XX, AsJson, local, moment
from ci_callback.compacted_day import Manifest, part_key
from ci_callback.compaction import compact_days, stale_days
from ci_callback.ledger_reader import DayRange
from ci_callback.terminal import bar, complain, print_json, say
from ci_callback.writing import name_for_writing


def compact(
    date: Annotated[
        list[datetime] | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="UTC day on which the jobs were created. Repeatable.",
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=moment,
            metavar="WHEN",
            help="Stale days from this one on: 7d, 2026-11-20. Days before are not looked at.",
        ),
    ] = None,
    all_stale: Annotated[
        bool,
        typer.Option(
            "--all-stale", help="Every day that is over and not folded, or changed since."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fold the records of a day into compacted/dt=DAY/part-0.parquet. The records stay.

    Needs DuckDB. Run it each night outside the function: compact --since 7d.
    """
    if not date and not since and not all_stale:
        raise typer.BadParameter("name a day with --date, or pass --since or --all-stale")
    _check_duckdb()
    days = {moment.date().isoformat() for moment in date or ()}
    with local(must_exist=True, writes=True, doing=None) as here:
        name_for_writing(here.settings)
        store = here.ledger.store
        if since or all_stale:
            days.update(stale_days(store, _over(None if all_stale else since)))
        ordered = sorted(days)
        with bar("Folding records") as shown:
            done = dict(zip(ordered, compact_days(store, ordered, shown), strict=True))
        folded = {day: made for day, made in done.items() if not isinstance(made, Exception)}
        summaries = [_summary(day, made) for day, made in folded.items()]
        _print(summaries, as_json, bool(done))
        failed = [made for made in done.values() if isinstance(made, Exception)]
        for error in failed[1:]:
            complain(error)
        if failed:
            raise failed[0]


def _check_duckdb() -> None:
    try:
        import duckdb  # noqa: F401  # whether it is there is asked before anything is read
    except ModuleNotFoundError as error:
        complain("compact needs DuckDB: pip install duckdb")
        raise typer.Exit(EXIT_NOT_2XX) from error


def _over(since: datetime | None) -> DayRange:
    """The days from one on that are over: today's file would be stale with the next record."""
    yesterday = datetime.now(timezone.utc).date() - timedelta(1)
    return DayRange(since.astimezone(timezone.utc).date() if since else None, yesterday)


def _print(summaries: list[dict[str, Any]], as_json: bool, is_any: bool) -> None:
    if as_json:
        print_json(summaries)
        return
    for summary in summaries:
        line = "{day}  {records:,} records  {bytes:,} bytes  {part}" if summary["part"] else ""
        say((line or "{day}  has no records").format(**summary))
    if not is_any:
        say("No day is stale.")


def _summary(day: str, manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None:
        return {"day": day, "records": 0, "bytes": 0, "part": None}
    return {
        "day": day,
        "records": len(manifest.names),
        "bytes": manifest.part.size,
        "part": part_key(day),
    }
