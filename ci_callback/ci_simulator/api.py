"""The answers of CI to each request, without signatures and faults.

Pages: submit 460/84799 and its kin, list 460/84766, describe 436/120621, cancel
436/120620, workflows 436/76863. What they leave open is decided here as strictly as may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from xml.etree import ElementTree

from ci_callback.ci_simulator import wire
from ci_callback.ci_simulator.jobs import Accepted, Job, Jobs, families_at
from handler.callback.catalogue import family_of
from handler.callback.families import FAMILIES, Family

MAX_IDS = 10
MAX_JOBS = 100
MAX_USER_DATA = 1024

_STATES = ("Submitted", "Running", "Success", "Failed", "Pause", "Cancel")


@dataclass
class RefusalError(Exception):
    """An answer that is an error."""

    status: int
    code: str
    message: str = ""


class Asked(NamedTuple):
    """A request, once its signature is known to be right."""

    method: str
    path: str
    params: Mapping[str, str]
    body: bytes


class Api:
    """Routes requests to the jobs. Times are epoch seconds."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self.accepted: list[Accepted] = []
        self.gone: set[tuple[str, str]] = set()
        """(family, path): nothing can be submitted there."""
        self.list_lag_s = 0.0

    def answer(self, asked: Asked, place: tuple[str, str], now: float) -> str:
        """The XML of the answer, without its prolog; "" for none. place: bucket and region.

        Raises:
            RefusalError: an error is the answer.
        """
        method, path, params, body = asked
        folder, _, rest = path[1:].partition("/")
        where = f"/{folder}"
        if method == "POST" and path == "/triggerworkflow":
            return self._trigger(params, place, now)
        if method == "GET" and where == "/workflowexecution" and rest:
            return self._execution(rest)
        if method == "POST" and not rest:
            return self._create(where, body, place, now)
        if method == "GET" and rest and families_at(where):
            return self._describe(where, rest)
        if method == "GET" and families_at(where):
            return self._list(where, params, now)
        if method == "PUT" and "cancel" in params and families_at(where):
            return self._cancel(where, rest, now)
        raise RefusalError(405, "MethodNotAllowed")

    def _create(self, path: str, body: bytes, place: tuple[str, str], now: float) -> str:
        try:
            request = wire.from_xml(body)
        except ElementTree.ParseError as error:
            raise RefusalError(400, "MalformedXML") from error
        tag = request.get("Tag", "")
        family = family_of(tag, "")
        if family is None:
            raise RefusalError(400, "InvalidArgument", "unknown Tag")
        known = (family.create_path, family.older_create_path)
        if path not in known or (family.name, path) in self.gone:
            raise RefusalError(404, "NotFound", "no such path")
        self._check(request)
        job = self.jobs.add(family, tag, request, place, now)
        user_data = request["Operation"].get("UserData", "")
        self.accepted.append(Accepted(job.job_id, tag, path, job.input_object, user_data, now))
        return wire.to_xml({"Response": {"JobsDetail": job.detail()}})

    def _check(self, request: dict[str, Any]) -> None:
        operation = request.get("Operation")
        if not isinstance(operation, dict):
            raise RefusalError(400, "MissingContent", "Operation is required")
        user_data, job_input = operation.get("UserData", ""), request.get("Input") or {}
        if not (isinstance(user_data, str) and isinstance(job_input, dict)):
            raise RefusalError(400, "InvalidArgument", "UserData or Input")
        if not isinstance(job_input.get("Object", ""), str):
            raise RefusalError(400, "InvalidArgument", "Input.Object")
        if len(user_data) > MAX_USER_DATA or not (user_data.isascii() and user_data.isprintable()):
            raise RefusalError(400, "InvalidArgument", "UserData")
        read_only = {"BucketId", "Region", "CosHeaders"} & set(job_input)
        results = {name for name in operation if name.endswith("Result")}
        if read_only or results:
            raise RefusalError(
                400, "InvalidArgument", f"{sorted(read_only | results)} is not yours"
            )

    def _describe(self, path: str, ids: str) -> str:
        asked = ids.split(",")
        if len(asked) > MAX_IDS:
            raise RefusalError(400, "InvalidArgument", f"at most {MAX_IDS} ids")
        jobs = {job_id: self._find(path, job_id) for job_id in asked}
        response = {
            "JobsDetail": [job.detail() for job in jobs.values() if job],
            "NonExistJobIds": [job_id for job_id, job in jobs.items() if not job],
        }
        return wire.to_xml({"Response": response})

    def _find(self, path: str, job_id: str) -> Job | None:
        job = self.jobs.by_id.get(job_id)
        return job if job and job.family in families_at(path) else None

    def _list(self, path: str, params: Mapping[str, str], now: float) -> str:
        # File jobs have no list of their own: they are in the common one by their queueType.
        families = families_at(path) + ((FAMILIES["file"],) if path == "/jobs" else ())
        size = int(params.get("size", "10"))
        if "tag" not in params or not 1 <= size <= MAX_JOBS:
            raise RefusalError(400, "InvalidArgument", "tag or size")
        jobs = [
            job
            for job in self.jobs.by_id.values()
            if job.family in families
            and not job.is_hidden
            and job.tag == params["tag"]
            and now >= job.created_at + self.list_lag_s
            and _fits(job, params)
        ]
        jobs.sort(key=lambda job: job.number, reverse=params.get("orderByTime") != "Asc")
        after = params.get("nextToken")
        if after:
            numbers = [str(job.number) for job in jobs]
            if after not in numbers:
                raise RefusalError(400, "InvalidArgument", "nextToken")
            jobs = jobs[numbers.index(after) + 1 :]
        page = jobs[:size]
        more = str(page[-1].number) if len(jobs) > size else ""
        response = {"JobsDetail": [job.detail() for job in page], "NextToken": more}
        return wire.to_xml({"Response": response})

    def _cancel(self, path: str, job_id: str, now: float) -> str:
        job = self._find(path, job_id)
        if job is None or job.family.name in ("file", "workflow"):
            raise RefusalError(404, "ResourceNotFound")
        if job.state != "Submitted":
            raise RefusalError(400, "InvalidArgument", "The job provided can not be modified")
        job.state, job.ended_at = "Cancel", now
        return ""

    def _trigger(self, params: Mapping[str, str], place: tuple[str, str], now: float) -> str:
        if not params.get("workflowId") or not params.get("object"):
            raise RefusalError(400, "InvalidArgument", "workflowId or object")
        run = self.jobs.add(FAMILIES["workflow"], "", dict(params), place, now)
        self.accepted.append(
            Accepted(run.job_id, "", "/triggerworkflow", params["object"], "", now)
        )
        return wire.to_xml({"Response": {"RequestId": "NWFiMjM=", "InstanceId": run.job_id}})

    def _execution(self, run_id: str) -> str:
        run = self.jobs.by_id.get(run_id)
        if run is None or run.family.name != "workflow":
            raise RefusalError(404, "ResourceNotFound")
        return wire.to_xml({"Response": {"WorkflowExecution": run.execution()}})


def _fits(job: Job, params: Mapping[str, str]) -> bool:
    states = params.get("states", "All").split(",")
    if not set(states) <= {"All", *_STATES}:
        raise RefusalError(400, "InvalidArgument", "states")
    created = int(job.created_at)  # CI tells, and so compares, whole seconds
    try:
        # "greater than", as the media page says: the stricter of the two readings.
        early = "startCreationTime" in params and created <= wire.epoch(params["startCreationTime"])
        late = "endCreationTime" in params and created >= wire.epoch(params["endCreationTime"])
    except ValueError as error:
        raise RefusalError(400, "InvalidArgument", "time") from error
    return not (
        early
        or late
        or ("All" not in states and job.state not in states)
        or params.get("inputObject", job.input_object) != job.input_object
        or params.get("queueType", _queue(job.family)) != _queue(job.family)
    )


def _queue(family: Family) -> str:
    return family.queue_type or {"media": "Transcoding", "document": "DocProcess"}[family.name]
