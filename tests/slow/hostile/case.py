"""What a case is, and what the families build theirs of."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

TOKEN = "opens-every-door-7f3a"
"""The token of the cases that need one. It may be written nowhere."""

PLANTED = "planted-secret-51c9"
"""Stands in bodies where CI echoes a secret. It may be written nowhere but in a dead letter."""

GUARDED: Mapping[str, str] = {"CALLBACK_TOKENS": f"{TOKEN},another-token"}

Event: TypeAlias = "Any | Callable[[], Any]"


@dataclass(frozen=True)
class Case:
    """One input and the answer that it must get."""

    name: str
    event: Event
    """What the platform passes on; a callable that makes it, where it is large."""
    status: int
    """Of the HTTP answer."""
    words: str | tuple[str, ...]
    """The status of the whole where no job could be told, else that of each job, in order."""
    reason: str | None = None
    """Of the one dead letter that it must leave; None where it must leave none."""
    key: str | None = None
    """Under which the record must be kept."""
    holds: Mapping[str | tuple[str, ...], Any] = field(default_factory=dict)
    """What the record must hold, by path: {"retry.attempt": 2}, or by the names on the way."""
    env: Mapping[str, str] = field(default_factory=dict)

    def made(self) -> Any:
        """The event."""
        return self.event() if callable(self.event) else self.event


@dataclass(frozen=True)
class Bait:
    """What a body may ask for, and what must never be fetched."""

    url: str
    """Somebody listens there, and counts."""
    path: str
    """A file; its text is `text`."""
    text: str


def post(body: Any, **event: Any) -> dict[str, Any]:
    """A POST as a function URL passes it on. Bytes travel in base64."""
    if isinstance(body, bytes):
        event = {"isBase64Encoded": True} | event
        body = base64.b64encode(body).decode("ascii")
    return {"httpMethod": "POST", "path": "/", "headers": {}, "body": body} | event


JOB: Mapping[str, Any] = {"JobId": "j1", "Tag": "Transcode", "State": "Success"}


def json_job(**detail: Any) -> str:
    """A callback of one job; detail: what is otherwise. None leaves a node out."""
    return json.dumps({"JobsDetail": _with(detail)})


def xml_job(inner: str = "", **detail: Any) -> str:
    """The same as XML, with more text of XML behind the nodes."""
    nodes = "".join(
        f"<{name}>{escape(str(value))}</{name}>" for name, value in _with(detail).items()
    )
    return f"<Response><JobsDetail>{nodes}{inner}</JobsDetail></Response>"


def kept(name: str, body: Any, **more: Any) -> Case:
    """A callback that must be kept."""
    return Case(name, post(body), 200, ("kept",), **more)


def dead(name: str, body: Any, reason: str, **more: Any) -> Case:
    """A body that must become a dead letter as a whole."""
    return Case(name, post(body), 202, "dead_letter", reason, **more)


def no_id(name: str, body: Any, **more: Any) -> Case:
    """A callback whose one job has no id that can be read."""
    return dead(name, body, "no_job_id", **more)


def refused(name: str, event: Any, status: int, **more: Any) -> Case:
    """A request of which nothing may be kept."""
    return Case(name, event, status, "rejected", **more)


def _with(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**JOB, **detail}.items() if value is not None}
