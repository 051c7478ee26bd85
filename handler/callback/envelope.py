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

from handler.callback import tree
from handler.callback.tree import Tree
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


def read(node: Tree) -> list[Notice | Unreadable | Ignored]:
    """The notices of one callback, in the order in which they were sent; at least one.

    Raises:
        PayloadError: this is no callback that this function knows.
    """
    if isinstance(node, dict) and set(node) == {"Response"}:
        node = node["Response"]
    if not isinstance(node, dict):
        raise _no_callback()
    if _is_simple_review(node):
        return [_simple_review(node)]
    if "JobsDetail" not in node and "WorkflowExecution" not in node:
        raise _no_callback()
    details, runs = tree.get_all(node, "JobsDetail"), tree.get_all(node, "WorkflowExecution")
    if not details and not runs:
        raise PayloadError("no_callback", "JobsDetail or WorkflowExecution is empty")
    if len(details) + len(runs) > MAX_JOBS:
        many = len(details) + len(runs)
        raise PayloadError("too_many_jobs", f"{many} jobs, at most {MAX_JOBS} are read")
    event = tree.identifier(node, "EventName")
    kind: Kind = "review" if (event or "").startswith(REVIEW_EVENTS) else "job"
    return [
        *(_notice(kind, event, detail, "JobId", node.get("Workflow")) for detail in details),
        *(_notice("workflow", event, run, "RunId", None) for run in runs),
    ]


def _no_callback() -> PayloadError:
    expected = "JobsDetail, WorkflowExecution or data.trace_id"
    return PayloadError("no_callback", f"well-formed, but there is no {expected} in it")


def _notice(
    kind: Kind, event: str | None, detail: Tree, id_name: str, workflow: Tree
) -> Notice | Unreadable:
    job_id = tree.text(detail, id_name)
    if not isinstance(detail, dict) or job_id is None:
        place = "WorkflowExecution" if kind == "workflow" else "JobsDetail"
        return Unreadable(PayloadError("no_job_id", f"a {place} without a {id_name}"))
    if len(job_id) > tree.MAX_IDENTIFIER_CHARS:
        return _id_too_long(id_name)
    return Notice(kind, event, job_id, detail, workflow if isinstance(workflow, dict) else None)


def _id_too_long(name: str) -> Unreadable:
    limit = tree.MAX_IDENTIFIER_CHARS
    return Unreadable(PayloadError("id_too_long", f"a {name} of more than {limit} characters"))


def _is_simple_review(node: dict[str, Tree]) -> bool:
    return isinstance(node.get("data"), dict) and tree.text(node, "data.trace_id") is not None


def _simple_review(node: dict[str, Tree]) -> Notice | Unreadable | Ignored:
    trace_id = tree.text(node, "data.trace_id") or ""
    if trace_id == TEST_TRACE_ID or tree.text(node, "message") == TEST_MESSAGE:
        return Ignored("the console tries out the address")
    if len(trace_id) > tree.MAX_IDENTIFIER_CHARS:
        return _id_too_long("trace_id")
    event = tree.identifier(node, "data.event")  # the sample of sound has none
    return Notice("review", event, trace_id, node, None, is_simple=True)
