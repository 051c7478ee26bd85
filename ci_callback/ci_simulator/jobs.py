"""The jobs that CI keeps: the request of each one, its progress, and its end."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_callback.ci_simulator.wire import china_time
from handler.callback.families import FAMILIES, Family

_MARKER = re.compile(r"/ci-retry:(.+):([0-9]+):[0-9a-f]+\Z")
_NO_BUCKET_IN_INPUT = ("Translation", "DocProcess")
"""Tags whose Input CI echoes without BucketId and Region, by the documents' samples."""


@dataclass(frozen=True)
class End:
    """How a job ends. result: nodes that are added below Operation."""

    state: str = "Success"
    code: str = "Success"
    message: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, how: str | End) -> End:
        """An End, or the one that "Success" or "Failed" means."""
        if isinstance(how, End):
            return how
        if how == "Failed":
            return cls("Failed", "InternalError", "We encountered an internal error.")
        return cls(how)


@dataclass(frozen=True)
class Accepted:
    """A submission that CI took."""

    job_id: str
    tag: str
    path: str
    input_object: str | None
    user_data: str
    at: float

    @property
    def marker(self) -> tuple[str, int] | None:
        """Root and attempt in its UserData, as they are written there."""
        match = _MARKER.search(self.user_data)
        return (match[1], int(match[2])) if match else None


@dataclass
class Job:
    """One job, or one run of a workflow. Times are epoch seconds."""

    job_id: str
    tag: str
    family: Family
    number: int
    """The how-manieth job of this CI: the order of its lists."""
    request: dict[str, Any]
    bucket: str
    region: str
    created_at: float
    planned: End | None = None
    end: End | None = None
    state: str = "Submitted"
    started_at: float | None = None
    ended_at: float | None = None
    workflow: Mapping[str, str] | None = None
    """RunId, WorkflowId, WorkflowName and Name of the node that started it."""
    is_hidden: bool = False
    """Whether lists leave it out, though CI knows it."""

    @property
    def input_object(self) -> str | None:
        """The key of its input; None for what has none, as FileCompress."""
        job_input = self.request.get("Input") or {}
        return job_input.get("Object")

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ("Success", "Failed", "Cancel")

    def start(self, at: float) -> None:
        """From Submitted to Running."""
        self.state, self.started_at = "Running", at

    def finish(self, end: End, at: float) -> None:
        """To its end."""
        self.started_at = at if self.started_at is None else self.started_at
        self.state, self.end, self.ended_at = end.state, end, at

    def detail(self) -> dict[str, Any]:
        """Its JobsDetail. CallBack and its kin are never shown."""
        end = self.end or End(self.state)
        operation = copy.deepcopy(self.request.get("Operation") or {})
        operation.setdefault("JobLevel", "0")
        return {
            "Code": end.code,
            "CreationTime": china_time(self.created_at),
            "EndTime": china_time(self.ended_at),
            **({"Input": self._input()} if self.request.get("Input") else {}),
            "JobId": self.job_id,
            "Message": end.message,
            "Operation": operation | dict(end.result),
            "QueueId": f"p{uuid.uuid5(uuid.NAMESPACE_DNS, self.family.name).hex}",
            "StartTime": china_time(self.started_at),
            "State": self.state,
            "Tag": self.tag,
            **({"Workflow": dict(self.workflow)} if self.workflow else {}),
        }

    def execution(self) -> dict[str, Any]:
        """Its WorkflowExecution, for a run of a workflow."""
        return {
            "RunId": self.job_id,
            "WorkflowId": self.request["workflowId"],
            "WorkflowName": "workflow",
            "State": self.state,
            "CreateTime": china_time(self.created_at),
            "Object": self.request["object"],
            "Tasks": [
                {
                    "Type": "Transcode",
                    "State": self.state,
                    "Name": "Transcode_1",
                    "Code": self.end.code if self.end else "",
                    "Message": self.end.message if self.end else "",
                }
            ],
        }

    def _input(self) -> dict[str, Any]:
        job_input = dict(self.request.get("Input") or {})
        if self.tag in _NO_BUCKET_IN_INPUT:
            return job_input
        return job_input | {"BucketId": self.bucket, "Region": self.region}


class Jobs:
    """All jobs, and the script by which they end. Not locked: the face does that."""

    def __init__(self) -> None:
        self.by_id: dict[str, Job] = {}
        self.scripts: dict[str, Sequence[str | End | None]] = {}
        self.queue_s = 1.0
        self.run_s = 1.0
        self._times_submitted: dict[tuple[str, str], int] = {}
        self._number = 0

    def add(
        self, family: Family, tag: str, request: dict[str, Any], place: tuple[str, str], at: float
    ) -> Job:
        """Take a submission in. place: bucket and region."""
        self._number += 1
        letter = family.letter or "i"
        job = Job(
            f"{letter}{uuid.uuid4().hex}", tag, family, self._number, request, *place, created_at=at
        )
        job.planned = self._plan(job)
        self.by_id[job.job_id] = job
        return job

    def advance(self, now: float) -> list[Job]:
        """Bring each scripted job to where the clock says; those that ended with it."""
        ended = []
        for job in self.by_id.values():
            if job.planned is None or job.is_over:
                continue
            begin = job.created_at + self.queue_s
            if job.state == "Submitted" and now >= begin:
                job.start(begin)
            if now >= begin + self.run_s:
                job.finish(job.planned, begin + self.run_s)
                ended.append(job)
        return ended

    def keep(self, of_ended: int, of_all: int) -> None:
        """Forget the oldest jobs that did not fail beyond so many of those that ended, and the
        oldest of all beyond so many. A failed job is needed when it is retried."""
        over = [job.job_id for job in self.by_id.values() if job.is_over and job.state != "Failed"]
        for job_id in over[: max(0, len(over) - of_ended)]:
            del self.by_id[job_id]
        for job_id in list(self.by_id)[: max(0, len(self.by_id) - of_all)]:
            del self.by_id[job_id]

    def _plan(self, job: Job) -> End | None:
        if not self.scripts:
            return None
        what = job.input_object or str(job.request.get("object", ""))
        times = self._times_submitted.get((job.tag, what), 0)
        self._times_submitted[job.tag, what] = times + 1
        script = self.scripts.get(what) or self.scripts.get(job.tag) or ()
        if not script:
            return None
        how = script[min(times, len(script) - 1)]
        return None if how is None else End.of(how)


def families_at(path: str) -> tuple[Family, ...]:
    """The families whose jobs are described and cancelled at a path, older ones too."""
    names = {
        "/jobs": ("media", "picture", "ai", "speech"),
        "/pic_jobs": ("picture",),
        "/ai_jobs": ("ai",),
        "/asr_jobs": ("speech",),
        "/doc_jobs": ("document",),
        "/file_jobs": ("file",),
    }
    return tuple(FAMILIES[name] for name in names.get(path, ()))
