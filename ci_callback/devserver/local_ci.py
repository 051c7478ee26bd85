"""A simulator of CI on loopback, so that a failure can be seen to be retried without cost.

It knows each job that a callback reported, just as the callback described it; so
"did it really fail?" is answered with yes. A job that the function submits runs for a
moment, and then ends as it was planned for its root: it succeeds unless planned otherwise.
Its callback goes to the function's own address.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ci_callback.ci_simulator import APPID, REGION, CiSimulator, End, Job
from ci_callback.ci_simulator.fixtures import SECRET_ID, SECRET_KEY
from ci_callback.devserver.local_cos import LocalCos
from handler.callback import envelope, payload, tree
from handler.callback.catalogue import family_of
from handler.callback.lineage import Lineage, detach
from handler.errors import PayloadError

BUCKET = f"local-{APPID}"
RUN_S = 1.5
"""How long a submitted job runs."""

LOOK_S = 0.1

MAX_ENDED = 500
"""Jobs that are known after they ended well: nobody asks about them but right after."""

MAX_JOBS = 5_000
"""Jobs that are known at all. One that failed, and is retried when 5,000 have come since, is a job
that CI does not know."""

MAX_REQUESTS = 100
"""Requests that are kept, for whoever looks at them."""

SPARE = 100
"""So many more may be known before the oldest are looked for."""

Results = Callable[[str], Mapping[str, Any]]
"""By tag: what stands below Operation once such a job has succeeded."""


@dataclass
class _ReportedJob(Job):
    """A job as its callback reported it."""

    packed: bytes = b""
    """Its detail, as compressed JSON: a fifth of what its dict takes."""

    def detail(self) -> dict[str, Any]:
        detail: dict[str, Any] = json.loads(zlib.decompress(self.packed))
        return detail


@dataclass(frozen=True)
class _Plan:
    """How the retries of a job end: how many fail before one succeeds, and the format of
    their callbacks."""

    failures: int = 0
    form: str = "XML"


class LocalCi:
    """Use as a context manager. results: for the retries that succeed. cos: what answers requests
    for COS at the same address; its secrets are accepted, and no others."""

    def __init__(
        self,
        callback_url: str,
        token: str | None = None,
        run_s: float = RUN_S,
        results: Results = lambda tag: {},
        cos: LocalCos | None = None,
    ) -> None:
        self._face = CiSimulator(cos=cos)
        if cos is not None:
            self._face.secrets = cos.secrets
        self._face.callback_url = callback_url + (
            f"?token={quote(token, safe='')}" if token else ""
        )
        self._face.deliver_on_finish = True
        self._run_s = run_s
        self._results = results
        self._plans: dict[str, _Plan] = {}
        self._submissions = 0
        self._stop_it = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="local-ci")

    def __enter__(self) -> LocalCi:
        self._face.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.rest()
        self._face.__exit__(*exc)

    def rest(self) -> None:
        """End no job any more: a callback that is on its way has its answer afterwards."""
        self._stop_it.set()
        self._thread.join()

    @property
    def env(self) -> dict[str, str]:
        """The settings by which the function speaks with this CI and no other."""
        return {
            "COS_ENDPOINT": self._face.endpoint,
            "COS_REGION": REGION,
            "CI_BUCKET": BUCKET,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
            "TENCENTCLOUD_SESSIONTOKEN": "",
        }

    @property
    def submissions(self) -> int:
        """How many jobs the function has submitted."""
        return self._submissions + len(self._face.accepted)

    @property
    def known_jobs(self) -> int:
        """How many jobs it can be asked about."""
        return len(self._face.jobs)

    def plan_retries(self, root_job_id: str, failures: int, form: str) -> None:
        """How many retries of a job fail before one succeeds; form: xml or json."""
        self._plans[root_job_id] = _Plan(failures, form.upper())
        if len(self._plans) > MAX_JOBS:
            del self._plans[next(iter(self._plans))]

    def learn(self, body: bytes) -> None:
        """Know the jobs of a callback, as it describes them; the first description stays."""
        try:
            notices = envelope.read(payload.parse(body, payload.Limits())[0])
        except PayloadError:
            return
        for notice in notices:
            if isinstance(notice, envelope.Notice) and notice.kind == "job":
                self._learn(notice)

    def _learn(self, notice: envelope.Notice) -> None:
        tag = tree.text(notice.detail, "Tag") or ""
        state = tree.text(notice.detail, "State") or ""
        family = family_of(tag, notice.job_id)
        known = self._face.jobs.get(notice.job_id)
        if family is None or (known and (known.is_over or not isinstance(known, _ReportedJob))):
            return
        job = _ReportedJob(
            notice.job_id,
            tag,
            family,
            0,
            {},
            BUCKET,
            REGION,
            time.time(),
            state=state,
            packed=zlib.compress(json.dumps(notice.detail).encode(), 1),
        )
        self._face.know(job)
        self._forget_old()

    def _forget_old(self) -> None:
        """Keep what may still be asked for, whatever has come."""
        if len(self._face.jobs) > MAX_ENDED + SPARE or len(self._face.seen) > MAX_REQUESTS + SPARE:
            self._face.keep(MAX_ENDED, MAX_JOBS, MAX_REQUESTS)

    def _run(self) -> None:
        running: deque[tuple[float, str]] = deque()
        while not self._stop_it.wait(LOOK_S):
            fresh = self._face.take_accepted()
            self._submissions += len(fresh)
            for accepted in fresh:
                self._face.start(accepted.job_id)
                running.append((time.monotonic() + self._run_s, accepted.job_id))
            while running and running[0][0] <= time.monotonic():
                self._finish(running.popleft()[1])

    def _finish(self, job_id: str) -> None:
        job = self._face.jobs[job_id]
        operation = job.request.get("Operation") or {}
        marker = detach(operation.get("UserData"))[1]
        lineage = marker.lineage if marker else Lineage(job_id, 1)
        plan = self._plans.get(lineage.root_job_id, _Plan())
        job.request["CallBackFormat"] = plan.form
        end = End("Success", "Success", "", self._results(job.tag))
        if 1 < lineage.attempt <= plan.failures + 1:
            end = self._failure(lineage.root_job_id)
        self._face.finish(job_id, end.state, end.code, end.message, dict(end.result))

    def _failure(self, root_job_id: str) -> End:
        """The same as the first attempt reported."""
        root = self._face.jobs.get(root_job_id)
        detail = root.detail() if root else {}
        return End("Failed", detail.get("Code") or "InternalError", detail.get("Message") or "")
