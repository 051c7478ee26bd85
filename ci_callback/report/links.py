"""Where a mark of a chart leads. A report is a single file without links; the console has links."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Protocol

from ci_callback.report.markup import Safe, el, join
from ci_callback.texts import Texts


class Links(Protocol):
    """Addresses; "" for none."""

    def records(self, **filters: str) -> str:
        """The records behind a mark, by the filters of the console's list."""
        ...

    def job(self, job_id: str) -> str:
        """The page of a job."""
        ...

    def toggled(self, outcome: str) -> str:
        """The same charts with an outcome shown that is hidden, or hidden that is shown."""
        ...


class NoLinks:
    """None."""

    def records(self, **filters: str) -> str:
        return ""

    def job(self, job_id: str) -> str:
        return ""

    def toggled(self, outcome: str) -> str:
        return ""


@dataclass(frozen=True)
class Drawn:
    """How charts are drawn: their language, where their marks lead, and which outcomes are hidden
    from the chart of days."""

    texts: Texts
    links: Links = field(default_factory=NoLinks)
    hidden: Set[str] = frozenset()


def linked(text: str, address: str) -> Safe:
    """A text that leads somewhere, if it does."""
    return el("a", text, href=address) if address else join(text)
