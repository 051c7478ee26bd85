"""CI's list, searched for the jobs of one attempt."""

from __future__ import annotations

from typing import NamedTuple

from handler.callback import converters, tree
from handler.callback.families import Family
from handler.callback.lineage import Marker, detach
from handler.callback.record import JobRecord
from handler.callback.tree import Tree
from handler.ci_api.client import Ci


class Search(NamedTuple):
    """Where the next attempt at a job is listed: by its tag and input, since so many epoch
    seconds. That is the end of the job, never the claim of the attempt: a claim is renewed, and
    the job that is searched for may be older than it. Of times that are ahead of the clock none is
    used: what was submitted meanwhile would not be listed, and would be submitted again."""

    tag: str
    object: str | None
    since: float

    @classmethod
    def after_detail(cls, detail: dict[str, Tree], now: float) -> Search:
        """After the job of a JobsDetail."""
        since = _first_past(now, tree.text(detail, "EndTime"), tree.text(detail, "CreationTime"))
        return cls(tree.text(detail, "Tag") or "", tree.text(detail, "Input.Object"), since)

    @classmethod
    def after_record(cls, record: JobRecord, now: float) -> Search:
        """After the job of a record."""
        since = _first_past(now, record.ended_at, record.created_at)
        return cls(record.tag or "", record.job_input.object or None, since)


def _first_past(now: float, *times: str | None) -> float:
    """The first of the times that is not ahead of now; 0 without any."""
    moments = [moment.timestamp() for moment in map(converters.moment, times) if moment]
    return next((moment for moment in moments if moment <= now), 0.0)


def jobs_with_marker(
    ci: Ci, family: Family, search: Search, marker: Marker
) -> list[dict[str, Tree]]:
    """The JobsDetail of each listed job on that input with this marker, oldest first.

    Raises:
        CiError
    """
    return [
        job
        for job in ci.list_jobs(family, search.tag, search.since, search.object)
        if detach(tree.text(job, "Operation.UserData"))[1] == marker
        and tree.text(job, "Input.Object") == search.object
    ]
