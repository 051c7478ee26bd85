"""The answers of CI and their meaning: an error, a job, or a verdict about a submission."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias

from handler.callback import tree
from handler.callback.payload import Limits, parse
from handler.callback.tree import Tree
from handler.errors import HandlerError, PayloadError
from handler.http_client import Answer

ANSWER_LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_nodes=500_000)
"""Of one answer: a page of 100 jobs, some of which tell their whole result. The Http that is
passed in must read that far as well."""

Verdict: TypeAlias = Literal["accepted", "refused", "not_taken", "unknown"]

_BUSY_CODES = frozenset(
    {"SlowDown", "QueueSaturated", "ServiceUnavailable", "RequestTimeout", "TemporaryRedirect"}
)
"""Refusals that say: not now. Error codes of media processing and of COS; QueueSaturated is a
403, RequestTimeout a 400 that says that the body did not arrive in time."""

CERTAINLY_NOT_TAKEN = _BUSY_CODES - {"ServiceUnavailable"} | {""}
"""Codes of submissions that CI has not got; "" where no connection was made."""

_STATES_OF_A_JOB = frozenset({"Submitted", "Running", "Success", "Pause"})


class CiError(HandlerError):
    """CI did not answer, or did not do, what was asked of it.

    Attributes:
        operation: describe or list.
        status: the HTTP status that CI answered with; None where it gave no answer.
        code: CI's own name for the fault, such as "AccessDenied"; "" where it gave none.
        retryable: whether asking again later can help.
    """

    def __init__(
        self,
        operation: str,
        explanation: str,
        status: int | None = None,
        code: str = "",
        retryable: bool = True,
    ) -> None:
        self.operation = operation
        self.status = status
        self.code = code
        self.retryable = retryable
        answered = f" (HTTP {status} {code})".replace(" )", ")") if status else ""
        super().__init__(f"CI {operation}: {explanation}{answered}")


@dataclass(frozen=True)
class Described:
    """A job, or a run of a workflow, as CI describes it now."""

    state: str | None
    code: str
    message: str
    detail: dict[str, Tree]
    """The whole JobsDetail or WorkflowExecution."""


@dataclass(frozen=True)
class CreateResult:
    """The result of a submission once its one request is over.

    accepted: CI gave it an id. refused: CI will not have it, now or later. not_taken: CI
    has not got it, and may take it later. unknown: it may run or not.
    """

    verdict: Verdict
    job_id: str | None = None
    """The JobId; a workflow's InstanceId. Given with a refusal too, where CI gave one."""
    code: str = ""
    message: str = ""
    """CI's own words or ours, for a person."""
    status: int | None = None
    """The HTTP status; None where there was no answer."""
    detail: dict[str, Tree] | None = None
    """The JobsDetail that CI answered with, which echoes the UserData."""

    @property
    def is_no_such_path(self) -> bool:
        """Whether CI has nothing at that path, so that another one may be tried."""
        return self.verdict == "refused" and self.status in (404, 405, 501)


def read_tree(operation: str, answer: Answer) -> dict[str, Tree]:
    """An answer's body.

    Raises:
        CiError: it can't be read.
    """
    try:
        node, _ = parse(answer.body, ANSWER_LIMITS)
    except PayloadError as error:
        raise CiError(operation, f"CI's answer can't be read: {error}", answer.status) from error
    return node if isinstance(node, dict) else {}


def response_of(operation: str, answer: Answer) -> dict[str, Tree]:
    """The nodes below <Response>, {} where that is empty.

    Raises:
        CiError: it is an error or something else.
    """
    node = read_tree(operation, answer)
    response = node.get("Response")
    # No page says which status comes with ids of which CI knows none.
    knows_none = bool(tree.get_all(response, "NonExistJobIds"))
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES and not knows_none:
        raise refusal(operation, answer.status, node)
    if isinstance(response, dict):
        return response
    if "Response" in node and tree.is_blank(response):
        return {}
    raise refusal(operation, answer.status, node)


def refusal(operation: str, status: int, node: dict[str, Tree]) -> CiError:
    """CI's error, in words that hold nothing of what CI quotes."""
    code = tree.text(node, "Error.Code") or ""
    if not code:
        return CiError(operation, "CI answered something else than was asked for", status)
    explanation = "CI refused it"
    if code == "AccessDenied":
        explanation += ": the function's role needs the action in CAM, or the signature is wrong"
    busy = (
        status == HTTPStatus.TOO_MANY_REQUESTS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or code in _BUSY_CODES
    )
    return CiError(operation, explanation, status, code, retryable=busy)


def details_in(operation: str, response: dict[str, Tree], name: str) -> list[dict[str, Tree]]:
    """The jobs in a response.

    Raises:
        CiError: one of them is not a job. It might have been the one that is looked for.
    """
    nodes = tree.get_all(response, name)
    details = [node for node in nodes if isinstance(node, dict)]
    if len(details) != len(nodes):
        raise CiError(operation, f"CI answered with a {name} that holds no job")
    return details


def end_of(detail: Tree) -> tuple[str | None, str, str]:
    """State, Code and Message."""
    state, code, message = (tree.text(detail, name) for name in ("State", "Code", "Message"))
    return state, code or "", message or ""


def judge(answer: Answer) -> CreateResult:
    """The result that an answer to a submission states."""
    node: Tree = None
    unclear = "CI answered something else than a job or an error"
    try:
        node, _ = parse(answer.body, ANSWER_LIMITS)
    except PayloadError as error:
        unclear = f"CI's answer can't be read: {error}"
    if tree.text(node, "Error.Code"):
        return _judge_error(answer.status, node)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return _judge_response(answer.status, tree.get(node, "Response"), unclear)
    # Without CI's own words: only that there is no such path is beyond doubt.
    gone = answer.status in (404, 405)
    return CreateResult("refused" if gone else "unknown", message=unclear, status=answer.status)


def _judge_error(status: int, node: Tree) -> CreateResult:
    code = tree.text(node, "Error.Code") or ""
    verdict: Verdict = "refused"
    if status in (429, 503) or code in _BUSY_CODES:
        verdict = "not_taken"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED:
        verdict = "unknown"
    message = tree.text(node, "Error.Message") or ""
    return CreateResult(verdict, code=code, message=message, status=status)


def _judge_response(status: int, response: Tree, unclear: str) -> CreateResult:
    """HTTP 200 is no promise: CI's Go SDK has one with Code InvalidArgument and State Failed."""
    detail = next(iter(tree.get_all(response, "JobsDetail")), response)
    job_id = tree.text(detail, "JobId") or tree.text(detail, "InstanceId")
    state, code, message = end_of(detail)
    job = detail if isinstance(detail, dict) else None
    is_fault = code.lower() not in ("", "success") and state not in _STATES_OF_A_JOB
    if state == "Failed" or is_fault:
        busy = code in _BUSY_CODES and job_id is None
        verdict: Verdict = "not_taken" if busy else "refused"
        return CreateResult(verdict, job_id, code, message, status, job)
    if job_id is None:
        return CreateResult("unknown", None, code, message or unclear, status, job)
    return CreateResult("accepted", job_id, code, message, status, job)
