"""`reconcile`: look once in CI's lists for callbacks that never came, as its timer does."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from ci_callback.common import EXIT_NOT_2XX, EXIT_SETTINGS, AsJson, local
from ci_callback.record_filter import known_tag, tags
from ci_callback.terminal import complain, print_json, say
from ci_callback.writing import Yes, confirm_writing
from handler.retries.reconcile import Reconcile


def reconcile(
    tag: Annotated[
        str | None,
        typer.Option(
            help="Only this tag, instead of RECONCILE_TAGS and RECONCILE_QUEUES.",
            autocompletion=tags,
            callback=known_tag,
        ),
    ] = None,
    hours: Annotated[
        int, typer.Option(min=1, max=24 * 31, help="With --tag: hours to look back.")
    ] = 24,
    minutes: Annotated[int, typer.Option(min=1, help="Stop after this many minutes.")] = 15,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Ask CI for the jobs of the last hours, and store those whose callback never arrived."""
    with local(doing="Comparing") as here:
        context = here.sweep_context
        if tag is not None:
            named = ((tag, hours),)
            context.settings = context.settings._replace(reconcile_tags=named, reconcile_queues=())
        if not (context.settings.reconcile_tags or context.settings.reconcile_queues):
            complain("RECONCILE_TAGS is not set: name a tag with --tag, or set RECONCILE_TAGS.")
            raise typer.Exit(EXIT_SETTINGS)
        confirm_writing(context.settings, yes)
        deadline = time.perf_counter() + minutes * 60
        summaries = Reconcile(context, lambda: deadline - time.perf_counter(), by_hand=True).run()
    if as_json:
        print_json([asdict(summary) for summary in summaries])
    else:
        for summary in summaries:
            reason = f"  {summary.reason}" if summary.reason else ""
            say(
                f"{summary.tag}: {summary.status}, {summary.listed} looked at, "
                f"{summary.absent} stored{reason}"
            )
    if any(summary.status not in ("done", "in_progress") for summary in summaries):
        raise typer.Exit(EXIT_NOT_2XX)
