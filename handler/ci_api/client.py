"""The few endpoints of CI's job API that recovery needs: describe, list, create, trigger.

Every call is one request, but for the reads, which are sent once more where CI gave no
answer or a 5xx. Nothing makes a submission harmless to repeat (no page of CI's has an
idempotency key), so `create` returns what is known of it and never tries again.

Requests are signed by the COS SDK's signer, and answers are read by payload.parse: the
SDK's own methods retry a POST, and read XML through eval().
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from handler.callback import tree
from handler.callback.families import FAMILIES, Family
from handler.callback.tree import Tree
from handler.ci_api.job_page import ENDED, JobPage, Window, page_of
from handler.ci_api.responses import (
    ANSWER_LIMITS,
    CiError,
    CreateResult,
    Described,
    Verdict,
    details_in,
    end_of,
    judge,
    response_of,
)
from handler.ci_api.signing import NotWritableError, Signer, to_xml
from handler.errors import NoAnswerError
from handler.http_client import Answer, Http
from handler.ledger.bucket import Credentials
from handler.redaction.addresses import url_secrets
from handler.redaction.text import redact

__all__ = [
    "ANSWER_LIMITS",
    "Ci",
    "CiAddress",
    "CiError",
    "CreateResult",
    "Described",
    "NotWritableError",
    "Verdict",
    "to_xml",
]

T = TypeVar("T")

TIMEOUT_S = 5.0
PAUSE_S = 0.3
"""Before a read is sent once more."""

PAGE = 100
"""Jobs in one page of a list: the most that CI gives (460/84766)."""

MAX_PAGES = 1000

OVERLAP_S = 1
"""A list begins that much earlier: some pages say "after" startCreationTime, others "from"."""

EARLIEST = datetime(2001, 1, 1, tzinfo=timezone.utc)
"""The earliest begin of a list: the year of the documents' own example, long before CI."""

_CHINA = timezone(timedelta(hours=8))
"""Every sample has +0800; nothing says that CI reads another offset."""

_JOB_ID = re.compile(r"[A-Za-z0-9_=-]{1,128}")
"""What an id may be made of to go into a path: letters, digits, and the = of an InstanceId."""


class CiAddress(NamedTuple):
    """Which bucket's CI is asked.

    endpoint: host and port to connect to by plain http in place of CI, for tests; the Host header
    stays CI's.
    """

    bucket: str
    region: str
    endpoint: tuple[str, int] | None = None


class Ci:
    """CI's job API for one bucket. Cheap to make: the connections are those of `http`."""

    def __init__(
        self,
        http: Http,
        credentials: Credentials,
        address: CiAddress,
        sleep: Callable[[float], None] = time.sleep,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """http: one that reads answers up to ANSWER_LIMITS.max_bytes. timeout_s: for the whole
        of one request."""
        self._http = http
        self._signer = Signer(credentials, address.region)
        self._host = f"{address.bucket}.ci.{address.region}.myqcloud.com"
        endpoint = address.endpoint
        self._base = f"http://{endpoint[0]}:{endpoint[1]}" if endpoint else f"https://{self._host}"
        self._sleep = sleep
        self._timeout_s = timeout_s

    def describe(self, family: Family, job_id: str) -> Described | None:
        """One job; None where CI says that it does not know it, or no job can have such an id.

        Raises:
            CiError: CI is out of reach, or answers an error or something else.
        """
        if not _JOB_ID.fullmatch(job_id):
            return None
        response = self._read("describe", f"{family.describe_path}/{job_id}", {}, response_of)
        details = details_in("describe", response, family.detail_node)
        for detail in details:
            if tree.text(detail, family.id_node) == job_id:
                return Described(*end_of(detail), detail)
        if details:
            raise CiError("describe", "CI answered with another job")
        return None

    def list_jobs(
        self,
        family: Family,
        tag: str,
        since: float,
        input_object: str | None = None,
        states: str = "All",
    ) -> Iterator[dict[str, Tree]]:
        """The JobsDetail of each job of a tag that was created since then, oldest first.

        since: epoch seconds. input_object: the key of the input, an exact match; not every
        family's page has it, so look at what comes. states: comma-separated.

        Raises (at the first step, or between two pages):
            CiError: CI is out of reach, answers an error or something else, or does not end.
        """
        if family.list_path is None:
            raise CiError("list", f"CI has no list by tag of a {family.name}", retryable=False)
        params = _list_params(family, tag, since, states)
        if input_object is not None:
            params["inputObject"] = input_object
        for _ in range(MAX_PAGES):
            response = self._read("list", family.list_path, params, response_of)
            yield from details_in("list", response, "JobsDetail")
            token = tree.text(response, "NextToken")
            if token is None:
                return
            if token == params.get("nextToken"):
                raise CiError("list", "CI gave the same page again")
            params["nextToken"] = token
        raise CiError("list", f"no end after {MAX_PAGES} pages")

    def list_page(self, family: Family, tag: str, window: Window, token: str | None) -> JobPage:
        """One page of the jobs of a tag that were created in a window and have ended, oldest first.

        token: of the page before; None for the first one. Jobs that CI gives from beyond the
        window are left out.

        Raises:
            CiError: CI is out of reach, or answers an error or something else.
        """
        # Some pages say "before" endCreationTime, others "to".
        until = {"endCreationTime": _china_time(window.end + OVERLAP_S)}
        params = _list_params(family, tag, window.begin, ",".join(ENDED)) | until
        if token is not None:
            params["nextToken"] = token
        page = self._read("list", family.list_path or "", params, page_of)
        inside = [
            job
            for job in page.jobs
            if job.created_at is None or window.begin <= job.created_at.timestamp() < window.end
        ]
        return page._replace(jobs=inside)

    def create(self, family: Family, request: dict[str, Tree]) -> CreateResult:
        """Submit a job, once. request: the nodes below <Request>: Tag, Input, Operation, ….

        An older path is tried only after today's one said that there is no such thing. Any
        doubt is a verdict; nothing is raised. The message of a refusal may quote the request:
        it is without what is secret there, the token in CallBack included.
        """
        result = self._create(family, request)
        secrets = url_secrets(str(request.get("CallBack") or ""))
        return replace(result, message=redact(result.message, secrets))

    def _create(self, family: Family, request: dict[str, Tree]) -> CreateResult:
        try:
            body = to_xml({"Request": request})
        except NotWritableError as error:
            return CreateResult("refused", code="NotWritableError", message=str(error))
        result = self._submit(family.create_path, {}, body)
        if family.older_create_path is None or not result.is_no_such_path:
            return result
        older = self._submit(family.older_create_path, {}, body)
        return result if older.is_no_such_path else older

    def trigger_workflow(self, workflow_id: str, object_key: str) -> CreateResult:
        """Run a workflow on an object, once: a new run of all its nodes, with an id of its own.

        The answer (436/76863) has the run's id as InstanceId, and no state.
        """
        params = {"workflowId": workflow_id, "object": object_key}
        return self._submit(FAMILIES["workflow"].create_path, params, b"")

    def _read(
        self,
        operation: str,
        path: str,
        params: Mapping[str, str],
        read: Callable[[str, Answer], T],
    ) -> T:
        """GET, and once more where that may help. read: the answer, or raises CiError."""
        try:
            return read(operation, self._send(operation, "GET", path, params))
        except CiError as error:
            if error.status is not None and error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
        self._sleep(PAUSE_S)
        return read(operation, self._send(operation, "GET", path, params))

    def _send(self, operation: str, method: str, path: str, params: Mapping[str, str]) -> Answer:
        try:
            return self._exchange(method, path, params, b"")
        except NoAnswerError as error:
            raise CiError(operation, f"no answer from {error}") from error

    def _submit(self, path: str, params: Mapping[str, str], body: bytes) -> CreateResult:
        try:
            answer = self._exchange("POST", path, params, body)
        except NoAnswerError as error:
            verdict: Verdict = "unknown" if error.may_have_arrived else "not_taken"
            return CreateResult(verdict, message=f"no answer from {error}")
        return judge(answer)

    def _exchange(self, method: str, path: str, params: Mapping[str, str], body: bytes) -> Answer:
        query = "&".join(
            f"{name}={quote(value, safe='')}" if value else name for name, value in params.items()
        )
        url = f"{self._base}{path}?{query}".removesuffix("?")
        headers = self._signer.headers(method, self._host, path, params, body)
        return self._http.send(method, url, headers, body, self._timeout_s)


def _list_params(family: Family, tag: str, since: float, states: str) -> dict[str, str]:
    params = {
        "tag": tag,
        "orderByTime": "Asc",
        "size": str(PAGE),
        "states": states,
        "startCreationTime": _china_time(since - OVERLAP_S),
    }
    if family.queue_type is not None:
        params["queueType"] = family.queue_type
    return params


def _china_time(epoch_s: float) -> str:
    """Whole seconds, cut off: 2022-07-25T16:35:39+0800."""
    floor = math.floor(max(epoch_s, EARLIEST.timestamp()))
    return datetime.fromtimestamp(floor, _CHINA).strftime("%Y-%m-%dT%H:%M:%S%z")
