"""Tree to notices: one callback may report one job or several, or something else.

A callback is known by its structure, never by a text search: old forms carry no
EventName, and CosHeaders hold a Key that is called EventName. What a node of a known
structure is (a job or a review, a start or an end) is decided by the EventName where there is
one, else by the fields of the node.

    JobsDetail                         a job or several, or a review
    WorkflowExecution                  a run of a workflow
    code, message and data.trace_id    a review in its Simple form
    message                            a test of the console
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from handler.callback import tree
from handler.callback.outcome import OUTCOMES, REVIEW_OUTCOMES
from handler.callback.tree import Tree
from handler.errors import PayloadError

Kind: TypeAlias = Literal["job", "workflow", "review"]

MAX_JOBS = 100
"""Jobs in one callback. CI takes 6 operations in one request (document "MultiJobs")."""

EVENT_KINDS: Mapping[str, Kind] = {"review": "review", "task": "job", "job": "job"}
"""What the EventName of a JobsDetail begins with, in lower case: ReviewImage, …, TaskFinish."""

START = "start"
"""What the EventName of a start ends with, in lower case: WorkflowStart. Nothing has ended then,
whatever State says."""

REVIEW_NODES = frozenset(
    {
        # the verdict
        *("Result", "Suggestion", "Label", "SubLabel", "Labels", "ForbidState", "DetectDetail"),
        # what was looked at; a job has an Input for it
        *("Object", "Url", "BucketId", "DataId", "Content"),
        # what was found in it
        *("AudioText", "SnapshotCount", "SectionCount", "PageCount", "Snapshot", "Section"),
        *("AudioSection", "PageSegment", "ImageResults", "TextResults", "CompressionResult"),
        *("UserInfo", "ListInfo", "MaskInfo", "HighlightHtml"),
    }
)
"""Children of a JobsDetail that only reviews have. GO: ImageAuditingResult and its neighbours,
VirusDetectJobDetail."""

REVIEW_STATES = frozenset(REVIEW_OUTCOMES) - frozenset(OUTCOMES)
"""States that only reviews have."""

MAX_TEST_CHARS = 200
"""Longest message of a test: an object of no other field."""

TEST = "the console tries out the address"
"""Why a test is ignored."""
TEST_TRACE_ID = "test_trace_id"
TEST_MESSAGE = "Test request when setting callback url"
"""What the console sends when the address for reviews is set (设置图片审核)."""


class Notice(NamedTuple):
    """One job, run or review, as one callback reports it."""

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
    is_start: bool = False
    """Whether it says that something began: it is then no end, whatever its State."""


class Unreadable(NamedTuple):
    """A job in a callback that can't be taken for one, beside others that may be fine."""

    error: PayloadError


class Ignored(NamedTuple):
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
    if _is_test(node):
        return [Ignored(TEST)]
    if "JobsDetail" not in node and "WorkflowExecution" not in node:
        raise _no_callback()
    details, runs = tree.get_all(node, "JobsDetail"), tree.get_all(node, "WorkflowExecution")
    if not details and not runs:
        raise PayloadError("no_callback", "JobsDetail or WorkflowExecution is empty")
    if len(details) + len(runs) > MAX_JOBS:
        many = len(details) + len(runs)
        raise PayloadError("too_many_jobs", f"{many} jobs, at most {MAX_JOBS} are read")
    event = (tree.identifier(node, "EventName") or "").strip() or None
    return [
        *(_notice(_kind(event, detail), event, detail, node.get("Workflow")) for detail in details),
        *(_notice("workflow", event, run, None) for run in runs),
    ]


def _kind(event: str | None, detail: Tree) -> Kind:
    """Whether a JobsDetail is a job or a review."""
    for beginning, kind in EVENT_KINDS.items():
        if event is not None and event.lower().startswith(beginning):
            return kind
    return "review" if _is_review(detail) else "job"


def _is_review(detail: Tree) -> bool:
    """By its fields: moderation and virus detection may come without an EventName."""
    if not isinstance(detail, dict):
        return False
    if any(not tree.is_hollow(detail.get(name)) for name in ("Tag", "Operation", "Input")):
        return False
    return tree.text(detail, "State") in REVIEW_STATES or not REVIEW_NODES.isdisjoint(detail)


def _no_callback() -> PayloadError:
    expected = "JobsDetail, WorkflowExecution or data.trace_id"
    return PayloadError("no_callback", f"well-formed, but there is no {expected} in it")


def _notice(kind: Kind, event: str | None, detail: Tree, workflow: Tree) -> Notice | Unreadable:
    place, id_name = (
        ("WorkflowExecution", "RunId") if kind == "workflow" else ("JobsDetail", "JobId")
    )
    job_id = tree.text(detail, id_name)
    if not isinstance(detail, dict) or job_id is None:
        return Unreadable(PayloadError("no_job_id", f"a {place} without a {id_name}"))
    if len(job_id) > tree.MAX_IDENTIFIER_CHARS:
        return _id_too_long(id_name)
    is_start = event is not None and event.lower().endswith(START)
    own = workflow if isinstance(workflow, dict) else None
    return Notice(kind, event, job_id, detail, own, is_start=is_start)


def _id_too_long(name: str) -> Unreadable:
    limit = tree.MAX_IDENTIFIER_CHARS
    return Unreadable(PayloadError("id_too_long", f"a {name} of more than {limit} characters"))


def _is_simple_review(node: dict[str, Tree]) -> bool:
    return isinstance(node.get("data"), dict) and tree.text(node, "data.trace_id") is not None


def _is_test(node: dict[str, Tree]) -> bool:
    """Whether the body is an object of one short message."""
    message = tree.text(node, "message") if len(node) == 1 else None
    return message is not None and len(message) <= MAX_TEST_CHARS


def _simple_review(node: dict[str, Tree]) -> Notice | Unreadable | Ignored:
    trace_id = tree.text(node, "data.trace_id") or ""
    if trace_id == TEST_TRACE_ID or tree.text(node, "message") == TEST_MESSAGE:
        return Ignored(TEST)
    if len(trace_id) > tree.MAX_IDENTIFIER_CHARS:
        return _id_too_long("trace_id")
    event = tree.identifier(node, "data.event")  # the sample of sound has none
    return Notice("review", event, trace_id, node, None, is_simple=True)
