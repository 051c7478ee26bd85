"""Retrying what a filter shows: the retries that wait for its failures are made due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ci_callback.console.follow import TicketName
from ci_callback.record_index.search import Lookup, Search


@dataclass(frozen=True)
class Bulk:
    """failed: how many failures the filter shows. tickets: names of the retries that wait for
    them."""

    failed: int
    tickets: tuple[str, ...]


def bulk(lookup: Lookup, search: Search, tickets: Iterable[str]) -> Bulk:
    """What a filter shows, of all tickets in the outbox."""
    failures = replace(search, outcome="failed")
    waiting = {
        ticket.job: name for name in tickets if (ticket := TicketName.of(name)).action == "retry"
    }
    found = lookup.names(failures, waiting)
    names = tuple(name for job, name in waiting.items() if job in found)
    return Bulk(lookup.counts(failures).get("failed", 0), names)
