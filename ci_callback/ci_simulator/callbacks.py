"""The callbacks of CI: their bodies, and the request that carries one.

The headers are those of the one public capture (document 1545/65203): no signature, no
token, no date.
"""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from ci_callback.ci_simulator import wire
from ci_callback.ci_simulator.jobs import Job

CONTENT_TYPES = {"XML": "application/xml", "JSON": "application/json"}
"""That of JSON is stated nowhere."""


def body(job: Job, form: str = "XML") -> bytes:
    """The callback of CI once the job is over: TaskFinish or, of a workflow, WorkflowFinish."""
    tree: dict[str, Any]
    if job.family.name == "workflow":
        execution = job.execution() | {"BucketId": job.bucket}
        tree = {"EventName": "WorkflowFinish", "WorkflowExecution": execution}
    else:
        tree = {"EventName": "TaskFinish", "JobsDetail": job.detail()}
    if form == "XML":
        return (wire.PROLOG + wire.to_xml({"Response": tree})).encode("utf-8")
    return wire.to_json(tree)


def send(url: str, content: bytes, form: str = "XML", timeout_s: float = 10) -> int:
    """POST a callback; the status of the answer.

    Raises:
        OSError: the address did not answer.
    """
    target = urlsplit(url)
    connection = HTTPConnection(target.hostname or "", target.port, timeout=timeout_s)
    path = target.path or "/"
    connection.putrequest(
        "POST", f"{path}?{target.query}" if target.query else path, skip_accept_encoding=True
    )
    for name, value in (
        ("User-Agent", "Go-http-client/1.1"),
        ("Content-Length", str(len(content))),
        ("Content-Type", CONTENT_TYPES[form]),
        ("Accept-Encoding", "gzip"),
    ):
        connection.putheader(name, value)
    try:
        connection.endheaders(content)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
