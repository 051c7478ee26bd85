"""Is the deployed function reached, does it check the token, store, and do its timers run?

The sample is of a job that still runs: the function stores it below `_unfinished/`, and neither
retries nor reports it, nor does a reader of the records see it. The ticket for the timer is marked
as done before it is put: a sweep removes it, and nothing else follows.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from ci_callback.doctor.findings import Finding, fault, ok, skipped
from ci_callback.samples.options import SampleOptions
from ci_callback.samples.samples import sample
from handler.errors import NoAnswerError, StoreError
from handler.http_client import Answer, Http
from handler.ledger import keys
from handler.ledger.outbox import Ticket
from handler.ledger.store import Store
from handler.triggers.http import HEALTH_PATH

TAG = "Transcode"
REQUEST_S = 10.0
REACHED_S, REACHED_POLL_S = 60.0, 3.0
"""A new URL is not known everywhere at once."""
SWEPT_S, SWEPT_POLL_S = 130.0, 5.0
"""Two ticks of a timer that runs each minute, and some seconds."""
CONSOLE = "https://console.cloud.tencent.com/scf/list"


@dataclass(frozen=True)
class Place:
    """The deployed function. address: https, without path and token. through: http://host:port that
    stands in for it, "" for itself. bucket, region: of a job that it accepts."""

    address: str
    through: str
    token: str = field(repr=False)
    bucket: str
    region: str


@dataclass(frozen=True)
class Tools:
    """store: the ledger, with the operator's keys. sleep: seconds. timer: seconds."""

    http: Http
    store: Store
    sleep: Callable[[float], object] = time.sleep
    timer: Callable[[], float] = time.monotonic


def verify(place: Place, tools: Tools) -> list[Finding]:
    """The findings, in the order in which they were made; the objects that they wrote are
    removed."""
    reached = _reached(place, tools)
    if reached.status == "fault":
        return [reached]
    try:
        return [
            reached,
            _refused(place, tools),
            *_kept(place, tools),
            _swept(tools),
        ]
    except NoAnswerError as error:
        return [reached, fault("answer", f"no answer from {error}", f"look at its log: {CONSOLE}")]
    except StoreError as error:
        fix = "the operator's keys must get, put and delete below the ledger's prefix"
        return [reached, fault("ledger", f"it can't be read with these keys: {error}", fix)]


def _send(place: Place, tools: Tools, method: str, path: str, body: bytes) -> Answer:
    base = place.through or place.address
    headers = {"Host": urlsplit(place.address).netloc, "Content-Type": "application/xml"}
    return tools.http.send(method, f"{base}{path}", headers, body, REQUEST_S)


def _reached(place: Place, tools: Tools) -> Finding:
    """Asked until it answers, for a minute."""
    name, host, until = "reached", urlsplit(place.address).netloc, tools.timer() + REACHED_S
    while True:
        try:
            answer = _send(place, tools, "GET", HEALTH_PATH, b"")
            if answer.status == HTTPStatus.OK and _json(answer.body) == {"status": "ok"}:
                return ok(name, f"{host} answers")
            why = f"it answers {answer.status}, not as this function does"
        except NoAnswerError as error:
            why = f"no answer from {error}"
        if tools.timer() >= until:
            return fault(name, f"{host}: {why}", f"its log names what is wrong: {CONSOLE}")
        tools.sleep(REACHED_POLL_S)


def _refused(place: Place, tools: Tools) -> Finding:
    """A callback without the token: its 401 must arrive as a 401, not as the platform's own."""
    name = "token"
    if not place.token:
        return skipped(name, "CALLBACK_TOKENS is none: every callback is accepted")
    answer = _send(place, tools, "POST", "/", _sample(place, _job_id()))
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return ok(name, "a callback without it is answered 401")
    what = f"a callback without it is answered {answer.status}, not 401"
    return fault(name, what, "is another function behind this address?")


def _kept(place: Place, tools: Tools) -> list[Finding]:
    """A callback with the token, its object in the ledger, and gone again."""
    name, job_id = "callback", _job_id()
    path = f"/?token={quote(place.token, safe='')}" if place.token else "/"
    answer = _send(place, tools, "POST", path, _sample(place, job_id))
    key = _key(answer, job_id)
    if key is None:
        what = f"a sample with the token is answered {answer.status} and not kept"
        return [fault(name, what, f"its log names the reason: {CONSOLE}")]
    stored = tools.store.get(key)
    tools.store.delete(key)
    if stored is None or _member(_json(stored), "job_id") != job_id:
        what = f"it answered 200, and {key} is not in this ledger"
        return [fault(name, what, "does the function have another LEDGER_URL?")]
    return [ok(name, "a sample is kept, read back from the ledger, and removed")]


def _swept(tools: Tools) -> Finding:
    """A ticket that is marked as done: the next sweep removes it."""
    name = "timer"
    ticket = Ticket("watch", _job_id(), "verified")
    done, waiting = f"{keys.DONE}{ticket.name}", f"{keys.OUTBOX}{ticket.name}"
    tools.store.put(done, b"{}\n")
    try:
        tools.store.put(waiting, ticket.to_json())
        started = tools.timer()
        while tools.store.get(waiting) is not None:
            if tools.timer() - started >= SWEPT_S:
                tools.store.delete(waiting)
                what = f"no sweep removed a ticket within {SWEPT_S:.0f} s"
                return fault(name, what, f"do the timers run, and may the role delete? {CONSOLE}")
            tools.sleep(SWEPT_POLL_S)
        return ok(name, f"a sweep removed a ticket after {tools.timer() - started:.0f} s")
    finally:
        tools.store.delete(done)


def _job_id() -> str:
    return f"verify{uuid.uuid4().hex}"


def _sample(place: Place, job_id: str) -> bytes:
    options = SampleOptions(
        state="Running", job_id=job_id, bucket=place.bucket, region=place.region
    )
    return sample(TAG, options, time.time(), uuid.uuid4().hex).body


def _key(answer: Answer, job_id: str) -> str | None:
    """Where the sample is, if the answer says that it is kept as one of a job that runs."""
    jobs = _member(_json(answer.body), "jobs")
    first = jobs[0] if answer.status == HTTPStatus.OK and isinstance(jobs, list) and jobs else None
    key = _member(first, "key")
    is_ours = _member(first, "job_id") == job_id and isinstance(key, str)
    return key if is_ours and key.startswith(keys.UNFINISHED) else None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _member(values: Any, name: str) -> Any:
    return values.get(name) if isinstance(values, dict) else None
