"""Which of CI's jobs a reconciliation looks at.

RECONCILE_TAGS names tags: all their jobs are compared, whatever their queue. RECONCILE_QUEUES names
queues whose address was set to this function's, and since when: of all other tags that CI lists,
the jobs of these queues are compared, and no others. What ended before its queue was connected was
told to someone else, or to nobody: it is kept, and nothing follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from handler.callback import converters
from handler.callback.catalogue import TAGS
from handler.ci_api.job_page import ListedJob
from handler.settings import Settings

QUEUE_HOURS = 6
"""To look back for the jobs of RECONCILE_QUEUES."""

_SECONDS = len("2026-11-27T10:40:00")


class Scope(NamedTuple):
    """One tag, and the hours to look back. since: QueueId → when its address was set, RFC 3339 in
    UTC. is_any_queue: the jobs of other queues are compared too."""

    tag: str
    hours: int
    since: Mapping[str, str]
    is_any_queue: bool

    def has(self, job: ListedJob) -> bool:
        """Whether the job is compared."""
        return self.is_any_queue or job.queue_id in self.since

    def is_old(self, job: ListedJob) -> bool:
        """Whether it ended before its queue was connected. Of one whose end CI does not tell its
        creation counts."""
        since = self.since.get(job.queue_id)
        ended = converters.rfc3339(job.ended_at or job.created_at)
        return since is not None and ended is not None and ended[:_SECONDS] < since[:_SECONDS]


def scopes_of(settings: Settings) -> tuple[Scope, ...]:
    """Each tag that is looked at, once; () where there is nothing to look at."""
    since = {queue.queue_id: queue.since for queue in settings.reconcile_queues}
    named = {tag: Scope(tag, hours, since, True) for tag, hours in settings.reconcile_tags}
    listed = [tag for tag, row in TAGS.items() if row.family.list_known] if since else []
    others = (Scope(tag, QUEUE_HOURS, since, False) for tag in listed if tag not in named)
    return (*named.values(), *others)
