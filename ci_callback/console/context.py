"""The context of every page and button of the console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flask import current_app

from ci_callback.console.record_cache import RecordCache
from ci_callback.console.timeline import TimelineBuilder
from ci_callback.devserver.history import History
from ci_callback.devserver.local_function import LocalFunction

EXTENSION = "console"
"""Under which an application has its console."""


class Plans(Protocol):
    """The stand-in for CI: it takes a plan of how the retries of a job end."""

    def plan_retries(self, root_job_id: str, failures: int, form: str) -> None: ...


@dataclass(frozen=True)
class ConsoleContext:
    """One console. ci: the stand-in for CI, where there is one. Times are in seconds."""

    function: LocalFunction
    records: RecordCache
    port: int
    ci: Plans | None
    sweep_every_s: float

    @property
    def history(self) -> History:
        """The invocations of the function."""
        return self.function.history

    @property
    def ledger(self) -> str:
        """Where the ledger is, for people."""
        url = self.function.settings.ledger_url
        return f"cos://{url.bucket}/{url.prefix}" if url.scheme == "cos" else str(url.folder)

    @property
    def is_real(self) -> bool:
        """Whether what is written is seen by others: a ledger on COS."""
        return self.function.settings.ledger_url.scheme == "cos"

    def timelines(self) -> TimelineBuilder:
        """A builder of time lines from the present state. May raise StoreError."""
        return TimelineBuilder(self.records, self.history.deliveries(), self.history.tasks())


def console() -> ConsoleContext:
    """The console of the application that answers the current request."""
    context: ConsoleContext = current_app.extensions[EXTENSION]
    return context
