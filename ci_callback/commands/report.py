"""`report`: the outcomes of the jobs of some days, as a page with charts or as JSON."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, cast

import typer

from ci_callback.common import AsJson, local, moment
from ci_callback.report.figures import Figures
from ci_callback.report.gather import gather
from ci_callback.report.page import page
from ci_callback.terminal import print_json, say
from handler.alerts.texts import Lang

DAYS = 30
"""How far back it looks by default."""


def report(
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write the page to.", dir_okay=False)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=moment,
            metavar="WHEN",
            help="First day, UTC: 24h, 7d or 2026-11-20; default 30 days.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", parser=moment, metavar="WHEN", help="Last day, UTC; default today."
        ),
    ] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", help="en or zh. Default: ALERT_LANG.", metavar="en|zh")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw the outcomes of the jobs of some days: one HTML page, without network or scripts."""
    if out is None and not as_json:
        raise typer.BadParameter("pass --out FILE.html, or --json")
    if lang not in (None, "en", "zh"):
        raise typer.BadParameter("--lang must be en or zh")
    if out is not None and not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"--out: there is no folder {out.parent}")
    with local(must_exist=True, doing="Reading records") as here:
        now = datetime.fromtimestamp(here.function.clock(), timezone.utc)
        last = _day_of(until or now)
        first = _day_of(since) if since else _before(last)
        if first > last:
            raise typer.BadParameter(f"--since {first} is after --until {last}")
        figures = gather(here.ledger.store, first, last)
        spoken = cast("Lang", lang or here.settings.alert_lang)
    if out is not None:
        _write(out, page(figures, spoken, now.strftime("%Y-%m-%dT%H:%M:%SZ")))
    if as_json:
        print_json(as_plain(figures))
    else:
        say(f"{out}: {figures.jobs} jobs, {first} to {last}")


def as_plain(figures: Figures) -> dict[str, object]:
    """The figures as JSON: dates as YYYY-MM-DD, times in seconds, sizes in bytes."""
    return asdict(figures) | {"since": str(figures.since), "until": str(figures.until)}


def _day_of(at: datetime) -> date:
    return at.astimezone(timezone.utc).date()


def _before(last: date) -> date:
    return last - timedelta(min(DAYS - 1, (last - date.min).days))


def _write(out: Path, text: str) -> None:
    """Write the page whole or not at all: an older one stays until the new one is complete."""
    aside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(out)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise typer.BadParameter(f"--out: {out}: {error.strerror or error}") from error
