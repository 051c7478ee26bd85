"""Tree to notices: one callback may speak of one job or of several, or of something else.

A callback is known by its structure, never by a text search: old forms carry no
EventName, and CosHeaders hold a Key that is called EventName.

    JobsDetail                         a job or several; with an EventName Review…, a review
    WorkflowExecution                  a run of a workflow
    code, message and data.trace_id    a review in its Simple form
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

REVIEW_EVENTS = "Review"
"""What the EventName of moderation begins with: ReviewImage, ReviewVideo, …"""

TEST_TRACE_ID = "test_trace_id"
TEST_MESSAGE = "Test request when setting callback url"
"""What the console sends when the address for reviews is set (设置图片审核)."""


@dataclass(frozen=True)
class Notice:
    """What one callback says of one job, run or review."""

    kind: Kind
    event: str | None
    job_id: str
    """JobId; RunId of a run; trace_id of a Simple review."""
    detail: dict[str, Tree]
    """The JobsDetail or WorkflowExecution node; of a Simple review the whole callback."""
    workflow: dict[str, Tree] | None
    """Response.Workflow, where one document puts it; others put it into JobsDetail."""
    is_simple: bool = False
    """Whether it is a review in the Simple form."""


@dataclass(frozen=True)
class Unreadable:
    """A job in a callback that can't be taken for one, beside others that may be fine."""

    error: PayloadError


@dataclass(frozen=True)
class Ignored:
    """A message that is to be answered 200, and of which nothing is to be kept."""

    reason: str


def read(tree: Tree) -> list[Notice | Unreadable | Ignored]:
    """The notices of one callback, in the order in which they were sent; at least one.

    Raises:
        PayloadError: this is no callback that this function knows.
    """
    if isinstance(tree, dict) and set(tree) == {"Response"}:
        tree = tree["Response"]
    if not isinstance(tree, dict):
        raise _no_callback()
    if _is_simple_review(tree):
        return [_simple_review(tree)]
    if "JobsDetail" not in tree and "WorkflowExecution" not in tree:
        raise _no_callback()
    details, runs = nodes.nodes(tree, "JobsDetail"), nodes.nodes(tree, "WorkflowExecution")
    if not details and not runs:
        raise PayloadError("no_callback", "JobsDetail or WorkflowExecution is empty")
    if len(details) + len(runs) > MAX_JOBS:
        many = len(details) + len(runs)
        raise PayloadError("too_many_jobs", f"{many} jobs, at most {MAX_JOBS} are read")
    event = nodes.identifier(tree, "EventName")
    kind: Kind = "review" if (event or "").startswith(REVIEW_EVENTS) else "job"
    return [
        *(_notice(kind, event, detail, "JobId", tree.get("Workflow")) for detail in details),
        *(_notice("workflow", event, run, "RunId", None) for run in runs),
    ]


def _no_callback() -> PayloadError:
    expected = "JobsDetail, WorkflowExecution or data.trace_id"
    return PayloadError("no_callback", f"well-formed, but there is no {expected} in it")


def _notice(
    kind: Kind, event: str | None, detail: Tree, id_name: str, workflow: Tree
) -> Notice | Unreadable:
    job_id = nodes.text(detail, id_name)
    if not isinstance(detail, dict) or job_id is None:
        place = "WorkflowExecution" if kind == "workflow" else "JobsDetail"
        return Unreadable(PayloadError("no_job_id", f"a {place} without a {id_name}"))
    if len(job_id) > nodes.MAX_IDENTIFIER_CHARS:
        return _id_too_long(id_name)
    return Notice(kind, event, job_id, detail, workflow if isinstance(workflow, dict) else None)


def _id_too_long(name: str) -> Unreadable:
    limit = nodes.MAX_IDENTIFIER_CHARS
    return Unreadable(PayloadError("id_too_long", f"a {name} of more than {limit} characters"))


def _is_simple_review(tree: dict[str, Tree]) -> bool:
    return isinstance(tree.get("data"), dict) and nodes.text(tree, "data.trace_id") is not None


def _simple_review(tree: dict[str, Tree]) -> Notice | Unreadable | Ignored:
    trace_id = nodes.text(tree, "data.trace_id") or ""
    if trace_id == TEST_TRACE_ID or nodes.text(tree, "message") == TEST_MESSAGE:
        return Ignored("the console tries out the address")
    if len(trace_id) > nodes.MAX_IDENTIFIER_CHARS:
        return _id_too_long("trace_id")
    event = nodes.identifier(tree, "data.event")  # the sample of sound has none
    return Notice("review", event, trace_id, tree, None, is_simple=True)
