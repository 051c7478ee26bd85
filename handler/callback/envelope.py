"""Tree to notices: one callback may speak of one job or of several.

A callback is known by its structure, never by a text search: old forms carry no
EventName, and CosHeaders hold a Key that is called EventName.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from handler.callback import nodes
from handler.callback.payload import Tree
from handler.errors import PayloadError

Kind: TypeAlias = Literal["job", "workflow", "review"]

MAX_JOBS = 100
"""Jobs in one callback. CI takes 6 operations in one request (document "MultiJobs")."""


@dataclass(frozen=True)
class Notice:
    """What one callback says of one job."""

    kind: Kind
    event: str | None
    job_id: str
    detail: dict[str, Tree]
    """The JobsDetail node."""
    workflow: dict[str, Tree] | None
    """Response.Workflow, where one document puts it; others put it into JobsDetail."""


@dataclass(frozen=True)
class Unreadable:
    """A job in a callback that can't be taken for one, beside others that may be fine."""

    error: PayloadError


def read(tree: Tree) -> list[Notice | Unreadable]:
    """The notices of one callback, in the order in which they were sent; at least one.

    Raises:
        PayloadError: this is no callback that this function knows.
    """
    if isinstance(tree, dict) and set(tree) == {"Response"}:
        tree = tree["Response"]
    if not isinstance(tree, dict) or "JobsDetail" not in tree:
        raise PayloadError("no_callback", "well-formed, but there is no JobsDetail in it")
    event = nodes.text(tree, "EventName")
    workflow = tree.get("Workflow")
    details = nodes.nodes(tree, "JobsDetail")
    if not details:
        raise PayloadError("no_callback", "JobsDetail is empty")
    if len(details) > MAX_JOBS:
        raise PayloadError("too_many_jobs", f"{len(details)} jobs, at most {MAX_JOBS} are read")
    return [_job(event, detail, workflow) for detail in details]


def _job(event: str | None, detail: Tree, workflow: Tree) -> Notice | Unreadable:
    job_id = nodes.text(detail, "JobId")
    if not isinstance(detail, dict) or job_id is None:
        return Unreadable(PayloadError("no_job_id", "a JobsDetail without a JobId"))
    return Notice("job", event, job_id, detail, workflow if isinstance(workflow, dict) else None)
