"""From the filter in an address to a question to the index."""

from __future__ import annotations

from datetime import date

from flask import g

from ci_callback.console import times
from ci_callback.console.context import ConsoleContext
from ci_callback.console.filters import Filter
from ci_callback.record_index.search import Lookup, Search
from ci_callback.report.retries import RETRIED


def search_of(context: ConsoleContext, lookup: Lookup, asked: Filter) -> Search:
    """The question for the reader's time zone. May raise StoreError."""
    return asked.search(g.tz, _roots(context, lookup, asked) if asked.fate else None)


def _roots(context: ConsoleContext, lookup: Lookup, asked: Filter) -> set[str]:
    """The root jobs of failures that came to an end such as the filter asks for."""
    since, until = (date.fromisoformat(day) if day else None for day in (asked.since, asked.until))
    fates = context.index.fates(
        lookup, since or times.FIRST, until or times.LAST, context.records.tickets()
    )
    wanted = RETRIED if asked.fate == "retried" else (asked.fate,)
    return {root for root, fate in fates.items() if fate in wanted}
