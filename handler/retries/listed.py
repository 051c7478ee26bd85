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
    the job that is searched for may be older than it."""

    tag: str
    object: str | None
    since: float

    @classmethod
    def after_detail(cls, detail: dict[str, Tree]) -> Search:
        """After the job of a JobsDetail."""
        text = tree.text(detail, "EndTime"), tree.text(detail, "CreationTime")
        moment = converters.moment(text[0]) or converters.moment(text[1])
        since = moment.timestamp() if moment else 0.0
        return cls(tree.text(detail, "Tag") or "", tree.text(detail, "Input.Object"), since)

    @classmethod
    def after_record(cls, record: JobRecord) -> Search:
        """After the job of a record."""
        moment = converters.moment(record.ended_at or record.created_at)
        since = moment.timestamp() if moment else 0.0
        return cls(record.tag or "", record.job_input.object or None, since)


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
