"""CI on loopback, by the clock that it is given.

Clients talk to it through real sockets, also from other processes. It verifies signatures,
counts requests, injects faults, and sends the callbacks. Requests for a COS host are handed
on to whoever is given for it, since one endpoint stands in for both.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from ci_callback.ci_simulator import callbacks, signature, wire
from ci_callback.ci_simulator.api import Api, Asked, RefusalError
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY, Fault
from ci_callback.ci_simulator.jobs import Accepted, End, Job
from ci_callback.ci_simulator.queues import Queues
from ci_callback.ci_simulator.server import Reply, ResetError, Seen, Server, hand_on

_HOST = re.compile(r"([a-z0-9-]+-\d+)\.(ci|cos)\.([a-z0-9-]+)\.myqcloud\.com")


class Cos(Protocol):
    """Answers requests for COS."""

    @property
    def port(self) -> int: ...


class CiSimulator:
    """CI on loopback. Use as a context manager; `endpoint` is what COS_ENDPOINT takes.

    Jobs stay Submitted until `finish`, or end by `script` as the clock goes on.
    """

    def __init__(self, clock: Callable[[], float] = time.time, cos: Cos | None = None) -> None:
        """clock: epoch seconds. cos: who answers requests for COS."""
        self.clock = clock
        self._cos = cos
        self._lock = threading.Lock()
        self._server: Server | None = None
        self.reset()

    def reset(self) -> None:
        """Forget every job, request, script and fault."""
        self.api = Api()
        self._ended: list[Job] = []
        self.seen: list[Seen] = []
        self.delivered: list[tuple[str, int | None]] = []
        """(JobId, status of the answer, or None where nobody answered) of each callback."""
        self.fault: Callable[[Seen], Fault | None] = lambda seen: None
        self.secrets = {SECRET_ID: SECRET_KEY}
        self.security_token: str | None = None
        self.callback_url: str | None = None
        self.callback_format = "XML"
        self.deliver_on_finish = False
        self.queue_api: Queues | None = None

    def __enter__(self) -> CiSimulator:
        self._server = Server(self.answer)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("enter the face first: it is a context manager")
        return self._server.port

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- the jobs ---

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs and runs by their id, in the order of their submission."""
        return self.api.jobs.by_id

    @property
    def accepted(self) -> list[Accepted]:
        """The accepted submissions, in order: each of them costs money."""
        return self.api.accepted

    @property
    def gone(self) -> set[tuple[str, str]]:
        """(family, path): where nothing can be submitted, as before today's paths were there."""
        return self.api.gone

    def script(
        self,
        tag_or_object: str,
        ends: Sequence[str | End | None],
        queue_s: float | None = None,
        run_s: float | None = None,
    ) -> None:
        """How the first, the second, … submission of an input object ends; the last for all
        that follow, None for one that never does. By tag, or for one object alone.

        queue_s, run_s: how long every scripted job is Submitted, and then Running (1 and 1).
        """
        jobs = self.api.jobs
        jobs.scripts[tag_or_object] = ends
        jobs.queue_s = jobs.queue_s if queue_s is None else queue_s
        jobs.run_s = jobs.run_s if run_s is None else run_s

    def lag(self, seconds: float) -> None:
        """How long a new job stays out of the lists."""
        self.api.list_lag_s = seconds

    def know(self, job: Job) -> None:
        """A job that was submitted elsewhere; one with the same id gives way to it."""
        with self._lock:
            self.jobs[job.job_id] = job

    def start(self, job_id: str) -> None:
        """From Submitted to Running, now."""
        self.jobs[job_id].start(self.clock())

    def finish(
        self,
        job_id: str,
        state: str = "Success",
        code: str | None = None,
        message: str | None = None,
        result: dict[str, Any] | None = None,
    ) -> None:
        """End a job now. result: nodes below Operation."""
        plain = End.of(state)
        code = plain.code if code is None else code
        message = plain.message if message is None else message
        with self._lock:
            job = self.jobs[job_id]
            job.finish(End(state, code, message, result or {}), self.clock())
            self._ended.append(job)
        if self.deliver_on_finish:
            self.settle()

    def forget(self, job_id: str) -> None:
        """Know nothing of a job any more."""
        with self._lock:
            del self.jobs[job_id]

    def hide_from_list(self, job_id: str) -> None:
        """Leave a job out of the lists, though it can be described."""
        self.jobs[job_id].is_hidden = True

    def keep(self, of_ended: int, of_all: int, of_requests: int) -> None:
        """Forget the oldest jobs (Jobs.keep), and what was seen and delivered beyond so many."""
        with self._lock:
            self.api.jobs.keep(of_ended, of_all)
            del self.seen[: max(0, len(self.seen) - of_requests)]
            del self.delivered[: max(0, len(self.delivered) - of_requests)]

    def take_accepted(self) -> list[Accepted]:
        """The submissions since the last call; they are not in `accepted` any more."""
        with self._lock:
            taken = list(self.api.accepted)
            self.api.accepted.clear()
        return taken

    # --- callbacks ---

    def settle(self) -> list[str]:
        """Bring the scripted jobs to where the clock says; the ids of all that have ended since
        the last time. With deliver_on_finish their callbacks are sent."""
        with self._lock:
            self._advance()
            ended, self._ended = self._ended, []
        if self.deliver_on_finish:
            for job in ended:
                self.deliver(job.job_id)
        return [job.job_id for job in ended]

    def callback_body(self, job_id: str, form: str = "XML") -> bytes:
        """A job as CI reports it, in XML or JSON."""
        return callbacks.body(self.jobs[job_id], form)

    def deliver(self, job_id: str) -> int | None:
        """Send a job's callback to its own CallBack, else to callback_url, once.

        The status of the answer; None without an address, or without an answer.
        """
        job = self.jobs[job_id]
        url = job.request.get("CallBack") or self.callback_url
        if url is None or url.lower() == "no":
            return None
        form = job.request.get("CallBackFormat") or self.callback_format
        try:
            status: int | None = callbacks.send(url, callbacks.body(job, form), form)
        except OSError:
            status = None
        self.delivered.append((job_id, status))
        return status

    # --- serving ---

    def requests(self) -> list[tuple[str, str]]:
        """(method, path) of what was seen, in order. Those for COS are the FakeCos's."""
        return [(request.method, request.path) for request in self.seen]

    @contextmanager
    def faulty(self, fault: Callable[[Seen], Fault | None]) -> Iterator[None]:
        """Ask `fault` about each request for a while."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = lambda seen: None

    def answer(self, seen: Seen) -> Reply:
        """The answer to a request, faults included. Raises ResetError: there is no answer."""
        host = _HOST.fullmatch(seen.headers.get("host", ""))
        if host and host[2] == "cos" and self._cos:
            return hand_on(seen, self._cos.port)
        with self._lock:
            self.seen.append(seen)
        fault = self.fault(seen) or Fault()
        if fault.delay_s:
            time.sleep(fault.delay_s)
        if fault.reset_before:
            raise ResetError
        reply = _refused(*fault.before) if fault.before else self._do(seen, host)
        if fault.after:
            reply = _refused(*fault.after)
        if fault.reset_after:
            raise ResetError
        body = reply.body if fault.body is None else fault.body
        return Reply(reply.status, body, reply.headers, 100 if fault.cut_answer else 0)

    def _do(self, seen: Seen, host: re.Match[str] | None) -> Reply:
        try:
            if host is None or host[2] != "ci":
                raise RefusalError(400, "InvalidHost")
            self._check_signature(seen)
            with self._lock:
                self._advance()
                asked = Asked(seen.method, seen.path, seen.params, seen.body)
                xml = self.queue_api.answer(*asked) if self.queue_api else ""
                xml = xml or self.api.answer(asked, (host[1], host[3]), self.clock())
        except RefusalError as refusal:
            return _refused(refusal.status, refusal.code, refusal.message)
        return Reply(200, (wire.PROLOG + xml).encode("utf-8") if xml else b"")

    def _check_signature(self, seen: Seen) -> None:
        if not signature.is_valid(seen.method, seen.path, seen.query, seen.headers, self.secrets):
            raise RefusalError(403, "SignatureDoesNotMatch")
        if seen.headers.get("x-ci-security-token") != self.security_token:
            raise RefusalError(403, "InvalidSecurityToken")
        # As a bucket in strict signature mode does.
        signed = re.search(r"q-header-list=([^&]*)", seen.headers["authorization"])
        named = signed[1].split(";") if signed else []
        must_sign = {"host", "content-type", "content-length"} & set(seen.headers)
        if not must_sign <= set(named):
            raise RefusalError(
                401, "AccessDenied", "Content-Type, Content-Length or Host is not signed"
            )
        if seen.body and seen.headers.get("content-type") != "application/xml":
            raise RefusalError(400, "InvalidContentType")

    def _advance(self) -> None:
        self._ended += self.api.jobs.advance(self.clock())


def _refused(status: int, code: str, message: str = "") -> Reply:
    error = {"Code": code, "Message": message or code, "RequestId": "NWFiMjM="}
    return Reply(status, (wire.PROLOG + wire.to_xml({"Error": error})).encode("utf-8"))
