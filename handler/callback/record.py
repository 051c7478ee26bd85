"""Notice to JobRecord: the one normalised form in which everything is kept, `job-record/1`.

job-record-1.schema.json beside this file says what each field is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from handler.callback import catalogue, nodes
from handler.callback.envelope import Kind, Notice
from handler.callback.families import SECRET_NODES
from handler.callback.fields import Json
from handler.callback.lineage import Lineage, detach
from handler.callback.payload import Format, Tree

SCHEMA = "job-record/1"
REDACTED = "[redacted]"

Outcome: TypeAlias = Literal["succeeded", "partial", "failed", "cancelled", "unfinished", "unknown"]

OUTCOMES: dict[str, Outcome] = {
    "Success": "succeeded",
    "Failed": "failed",
    "Cancel": "cancelled",
    "Submitted": "unfinished",
    "Running": "unfinished",
    "Pause": "unfinished",
}
"""States of the submit and describe pages of CI's API reference."""

TERMINAL: frozenset[Outcome] = frozenset({"succeeded", "partial", "failed", "cancelled"})
"""Outcomes that a job never leaves again."""


@dataclass(frozen=True)
class Source:
    """How a callback reached this function."""

    trigger: str
    format: Format
    received_at: str
    request_id: str


@dataclass(frozen=True)
class JobRecord:
    """One job, as one callback told it. The fields stand in the order in which they are written."""

    kind: Kind
    event: str | None
    job_id: str
    tag: str | None
    state: str | None
    outcome: Outcome
    code: str
    message: str
    queue_id: str | None
    created_at: str | None
    started_at: str | None
    ended_at: str | None
    wait_s: float | None
    run_s: float | None
    input: dict[str, Json] | None
    outputs: list[Json]
    user_data: str | None
    job_level: int | None
    workflow: dict[str, Json] | None
    result: Json
    details: dict[str, Tree]
    retry: dict[str, Json]
    source: dict[str, Json]

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can become of the job."""
        return self.outcome in TERMINAL

    @property
    def lineage(self) -> Lineage:
        """Root and attempt of the job."""
        return Lineage(str(self.retry["root_job_id"]), int(str(self.retry["attempt"])))

    def to_json(self) -> bytes:
        """The record as it is kept: one line of JSON, UTF-8, with its line break."""
        values = {"schema": SCHEMA} | {f.name: getattr(self, f.name) for f in fields(self)}
        return _dumps(values) + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> JobRecord:
        """Read back what `to_json` wrote.

        Raises:
            ValueError: it is no job-record/1.
        """
        values: Any = json.loads(line)
        names = {f.name for f in fields(cls)}
        if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
            raise ValueError(f"not a {SCHEMA}")
        if set(values) != names or not isinstance(values["retry"], dict):
            raise ValueError(f"a {SCHEMA} with other fields than it should have")
        return cls(**values)


def normalise(notice: Notice, source: Source) -> JobRecord:
    """Make the record of a notice."""
    tag = nodes.text(notice.detail, "Tag")
    known = catalogue.TAGS.get(tag or "", catalogue.UNKNOWN)
    detail = _with_lists(notice.detail, (*catalogue.COMMON_LISTS, *known.lists))
    detail = _without_secrets(detail, SECRET_NODES)
    state = nodes.text(detail, "State")
    code = nodes.text(detail, "Code") or ""
    created, started, ended = (
        nodes.moment(nodes.text(detail, name)) for name in ("CreationTime", "StartTime", "EndTime")
    )
    user_data, lineage = detach(nodes.text(detail, "Operation.UserData"))
    lineage = lineage or Lineage(notice.job_id, 1)
    workflow = _workflow(detail.get("Workflow"), notice.workflow)
    return JobRecord(
        kind=notice.kind,
        event=notice.event,
        job_id=notice.job_id,
        tag=tag,
        state=state,
        outcome=_outcome(state, code),
        code=code,
        message=nodes.text(detail, "Message") or "",
        queue_id=nodes.text(detail, "QueueId"),
        created_at=nodes.rfc3339(created),
        started_at=nodes.rfc3339(started),
        ended_at=nodes.rfc3339(ended),
        wait_s=nodes.seconds_between(created, started),
        run_s=nodes.seconds_between(started, ended),
        input=_input(detail),
        outputs=_outputs(detail),
        user_data=user_data,
        job_level=nodes.integer(nodes.text(detail, "Operation.JobLevel")),
        workflow=workflow,
        result=known.result.read(detail) if known.result else None,
        details=detail,
        retry={"root_job_id": lineage.root_job_id, "attempt": lineage.attempt},
        source={
            "trigger": source.trigger,
            "format": source.format,
            "digest": _digest({"detail": detail, "workflow": workflow}),
            "received_at": source.received_at,
            "request_id": source.request_id,
        },
    )


def _outcome(state: str | None, code: str) -> Outcome:
    if state is not None:
        return OUTCOMES.get(state, "unknown")
    # WordsGeneralize's sample has no State: a Code of Success then says how it ended.
    return "succeeded" if code == "Success" else "unknown"


def _input(detail: dict[str, Tree]) -> dict[str, Json] | None:
    sent = detail.get("Input")
    headers = _headers(nodes.nodes(sent, "CosHeaders")) or _headers(
        nodes.nodes(detail, "Operation.Input.CosHeaders")
    )
    if (not isinstance(sent, dict) or nodes.is_blank(sent)) and not headers:
        return None
    read: dict[str, Json] = {
        "bucket": nodes.text(sent, "BucketId"),
        "region": nodes.text(sent, "Region"),
        "object": nodes.text(sent, "Object"),
        "url": nodes.text(sent, "Url"),
        "headers": headers,
    }
    spoken_for = {"BucketId", "Region", "Object", "Url", "CosHeaders"}
    for name, value in sent.items() if isinstance(sent, dict) else ():
        plain_name = nodes.snake_case(name)
        if name not in spoken_for and plain_name not in read and not nodes.is_blank(value):
            read[plain_name] = value  # type: ignore[assignment]  # a Tree is Json of another name
    return read


def _headers(sent: list[Tree]) -> dict[str, Json]:
    """Headers as {name: value}: TaskFinish sends Key and Value pairs, moderation sends a map."""
    headers: dict[str, Json] = {}
    for one in sent:
        if isinstance(one, dict) and "Key" in one:
            headers[nodes.text(one, "Key") or ""] = nodes.text(one, "Value") or ""
        elif isinstance(one, dict):
            headers.update({name: value for name, value in one.items() if isinstance(value, str)})
    return headers


def _outputs(detail: dict[str, Tree]) -> list[Json]:
    """The objects that were written: ObjectPrefix + ObjectName where CI names them, else Output.

    Output.Object may be a template such as ${number}; a template is no object.
    """
    written: list[Json] = []
    for path in (
        "Operation.MediaResult.OutputFile",
        "Operation.MediaResult.OutputFile.SpriteOutputFile",
    ):
        file = nodes.node(detail, path)
        prefix = nodes.text(file, "ObjectPrefix") or ""
        for name in nodes.nodes(file, "ObjectName"):
            if isinstance(name, str):
                written.append(_object(file, prefix + name))
    output = nodes.node(detail, "Operation.Output")
    name = nodes.text(output, "Object")
    if not written and name and "${" not in name:
        written.append(_object(output, name))
    return written


def _object(at: Tree, name: str) -> Json:
    return {"bucket": nodes.text(at, "Bucket"), "region": nodes.text(at, "Region"), "object": name}


def _workflow(*places: Tree) -> dict[str, Json] | None:
    """Documents put Workflow into JobsDetail or into Response: each field from where it is."""
    names = {
        "run_id": "RunId",
        "workflow_id": "WorkflowId",
        "workflow_name": "WorkflowName",
        "node": "Name",
    }
    read: dict[str, Json] = {
        field: next((found for at in places if (found := nodes.text(at, name))), None)
        for field, name in names.items()
    }
    return read if any(read.values()) else None


def _with_lists(detail: dict[str, Tree], paths: Sequence[str]) -> dict[str, Tree]:
    for path in paths:
        detail = _changed(detail, path.split("."), _as_list)
    return detail


def _without_secrets(detail: dict[str, Tree], paths: Sequence[str]) -> dict[str, Tree]:
    for path in paths:
        detail = _changed(detail, path.split("."), _redacted)
    return detail


def _as_list(value: Tree) -> Tree:
    if isinstance(value, list):
        return value
    return [] if nodes.is_blank(value) else [value]


def _redacted(value: Tree) -> Tree:
    return value if nodes.is_blank(value) else REDACTED


def _changed(at: Any, path: Sequence[str], change: Any) -> Any:
    """A copy of the tree in which what stands at the path is changed; itself where nothing does."""
    if not path:
        return change(at)
    if isinstance(at, list):
        return [_changed(one, path, change) for one in at]
    if not isinstance(at, dict) or path[0] not in at:
        return at
    return {**at, path[0]: _changed(at[path[0]], path[1:], change)}


def _digest(tree: Json | dict[str, Any]) -> str:
    """SHA-256 over the canonical tree: names in order, what is empty left out, and a list of
    one as that one. So the XML and the JSON of one callback have the same digest, unknown
    tags included.
    """
    return hashlib.sha256(_dumps(_canonical(tree), sort_keys=True)).hexdigest()


def _canonical(tree: Any) -> Any:
    # Recursive: payload.py lets no tree through that is nested deeper than its limit.
    if isinstance(tree, dict):
        kept = {name: _canonical(value) for name, value in tree.items()}
        return {name: value for name, value in kept.items() if not nodes.is_blank(value)}
    if isinstance(tree, list):
        several = [_canonical(one) for one in tree]
        return several[0] if len(several) == 1 else several
    return tree


def _dumps(value: object, sort_keys: bool = False) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, allow_nan=False
    ).encode("utf-8")
