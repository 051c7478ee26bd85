"""The JSON Schema of `job-record/1`, built from the tables that the readers read by.

job-record-1.schema.json beside this file holds what `build` gives; a test compares them, and
`python -m tests.golden.write` writes the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from handler.app import TRIGGERS
from handler.callback import catalogue
from handler.callback.envelope import Kind
from handler.callback.outcome import Outcome
from handler.callback.record import SCHEMA
from handler.callback.results import review, workflow
from handler.callback.results.fields import MOMENT, Field, Group, Json, Rows, Schema, Several, Table
from handler.callback.tag import Tag

SOURCES = (*(trigger.NAME for trigger in TRIGGERS), "reconcile", "replay")
"""What a record may come from: a trigger, a reconciliation, or a replay."""


def build() -> Schema:
    """The whole schema. Names are in the order in which a record is written."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "job-record-1.schema.json",
        "title": SCHEMA,
        "description": "One job, workflow run or review of Tencent Cloud Infinite, as its callback "
        "reported it. One line of JSON in UTF-8, the fields in this order.",
        **_object(_record()),
        "allOf": [
            *(_where("tag", name, _ref(name, tag.result)) for name, tag in _tags()),
            _where("kind", "workflow", _ref("workflow", workflow.RUN)),
            _where("kind", "review", _ref("review", review.REVIEW)),
        ],
        "$defs": {
            **{name: tag.result.schema() for name, tag in _tags() if tag.result},
            "workflow": workflow.RUN.schema(),
            "review": review.REVIEW.schema(),
            **_shared(),
        },
    }


def _record() -> dict[str, Schema]:
    return {**_what_ended(), **_where_and_when(), **_what_it_held()}


def _what_ended() -> dict[str, Schema]:
    return {
        "schema": {"const": SCHEMA, "description": "Name and version of this form."},
        "kind": {
            "enum": list(get_args(Kind)),
            "description": "The object that ended: a job, a workflow run, or a moderation review.",
        },
        "event": _text("The callback's EventName; null where the old form has none.", "TaskFinish"),
        "job_id": _one(
            "string",
            "JobId; a workflow's RunId; a Simple review's trace_id.",
            "ac34be3aa0bf411ed9ce39d7cc972e427",
            minLength=1,
        ),
        "tag": _text(
            "The Tag: which kind of job; null for a workflow and for a review.", "Translation"
        ),
        "sub_tag": _text("The SubTag: what else the job did.", "DigitalWatermark"),
        "state": _text("State as CI sent it; null for a Simple review.", "Success"),
        "outcome": {
            "enum": list(get_args(Outcome)),
            "description": "How it ended. partial: State is Success, but a part of the result "
            "failed. The findings of a review do not affect it.",
        },
        "code": _one(
            "string",
            'Code as sent, "" where absent; it matters only where the job failed.',
            "Success",
        ),
        "message": _one("string", 'Message as sent, "" where absent.', "Success"),
    }


def _where_and_when() -> dict[str, Schema]:
    return {
        "queue_id": _text("Queue that the job ran in.", "pbde29b842b1b4e2ea4f0b20d264fcec2"),
        "queue_type": _text("Kind of that queue.", "SpeedTranscoding"),
        "progress_percent": _one(["integer", "null"], "Progress, 0 to 100, in percent.", 100),
        "created_at": _time("When it was submitted.", "2022-07-25T08:35:39Z"),
        "started_at": _time("When it began to run.", "2022-07-25T08:35:39Z"),
        "ended_at": _time("When it ended.", "2022-07-25T08:35:43Z"),
        "wait_s": _one(["number", "null"], "Seconds from created_at to started_at.", 0),
        "run_s": _one(["number", "null"], "Seconds from started_at to ended_at.", 4),
    }


def _what_it_held() -> dict[str, Schema]:
    return {
        "input": _input(),
        "outputs": _outputs(),
        "user_data": _text(
            "The user's own UserData. A marker `/ci-retry:…` at its end is taken off, whoever "
            "wrote it; `details` has the text as CI sent it.",
            "This is my Translation job.",
        ),
        "custom_id": _text("The user's own CustomId.", "order-4711"),
        "job_level": _one(["integer", "null"], "Priority in the queue: 0, 1 or 2.", 0),
        "workflow": _workflow(),
        "result": {
            "type": ["object", "null"],
            "description": "The result of the job, typed by tag; for a workflow run its tasks, for "
            "a review its findings ($defs holds each form); null for a tag without a result.",
        },
        "details": {
            "type": "object",
            "description": "The callback's own node, whole: leaves as the text that was sent, "
            "nodes that may repeat always as lists, secrets as [redacted].",
        },
        "retry": _retry(),
        "source": _source(),
    }


def _input() -> Schema:
    names = {
        "bucket": _text("Bucket with its appid.", "test-1250000000"),
        "region": _text("Region of the bucket.", "ap-chongqing"),
        "object": _text("Key of the object.", "input/en.pdf"),
        "url": _text("Address, for a job on a URL.", "https://example.com/a.mp4"),
        "headers": {
            "type": "object",
            "description": "Headers of the upload, by name.",
            "additionalProperties": {"type": "string"},
            "examples": [{"Content-Type": "video/mp4"}],
        },
    }
    about = (
        "The input of the job; null if the callback names none. It has further fields of CI's "
        "Input node under their names in snake_case."
    )
    return {
        **_object(names, about),
        "type": ["object", "null"],
        "additionalProperties": True,
    }


def _outputs() -> Schema:
    names = {
        "bucket": _text("Bucket with its appid.", "test-1250000000"),
        "region": _text("Region of the bucket.", "ap-chongqing"),
        "object": _one("string", "Key of the object.", "output/zh.pdf"),
    }
    return {
        "type": "array",
        "description": "The objects that were written, where the callback says so; else, unless "
        "it failed, the Output that it was asked for. Never a template.",
        "items": _object(names, "An object in COS."),
    }


def _workflow() -> Schema:
    names = {
        "run_id": _text("RunId.", "ic90edd59f84f11ec9d4f525400a3c59f"),
        "workflow_id": _text("WorkflowId.", "web6ac56c1ef54dbfa44d7f4103203be9"),
        "workflow_name": _text("WorkflowName.", "workflow-test"),
        "node": _text("Name of the node in the workflow.", "Snapshot_1581665960537"),
    }
    about = "The run of a workflow that it is or belongs to; null without one."
    return {**_object(names, about), "type": ["object", "null"]}


def _retry() -> Schema:
    names = {
        "root_job_id": _one(
            "string",
            "JobId of the job as its owner submitted it.",
            "ac34be3aa0bf411ed9ce39d7cc972e427",
        ),
        "attempt": _one("integer", "1 is the job as first submitted.", 1, minimum=1),
    }
    about = (
        "Which submission of a job this is, as far as the ledger proved it when the record was "
        "written; without a proof it is its own root, attempt 1. `_lineage/JOB_ID.json` proves "
        "later attempts."
    )
    return _object(names, about)


def _source() -> Schema:
    names = {
        "trigger": {"enum": list(SOURCES), "description": "The caller of the function."},
        "format": {"enum": ["xml", "json"], "description": "Form of the body."},
        "digest": _one(
            "string",
            "SHA-256 over the canonical tree: the same for the XML and the JSON of one callback.",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            pattern="^[0-9a-f]{64}$",
        ),
        "received_at": _one(
            "string",
            "When the function received it. RFC 3339 in UTC.",
            "2022-07-25T08:35:44Z",
            pattern=MOMENT,
        ),
        "request_id": _one("string", "SCF's request id.", "2891dd4f-0000-4000-8000-000000000000"),
        "verified": _one(
            ["boolean", "null"],
            "true: CI itself reported the same (VERIFY_CALLBACKS=always), or the record was made "
            "from CI's own answer. null: it was not asked before this was kept, or could not be.",
            True,
        ),
    }
    return _object(names, "How the callback reached the function.")


def _one(kind: str | list[str], about: str, example: Json, **more: Json) -> Schema:
    return {"type": kind, "description": about, "examples": [example], **more}


def _text(about: str, example: str) -> Schema:
    return _one(["string", "null"], about, example)


def _time(about: str, example: str) -> Schema:
    return _one(["string", "null"], f"{about} RFC 3339 in UTC.", example, pattern=MOMENT)


def _object(names: dict[str, Schema], about: str = "") -> Schema:
    return {
        "type": "object",
        **({"description": about} if about else {}),
        "properties": names,
        "required": list(names),
        "additionalProperties": False,
    }


# --- results ------------------------------------------------------------------------------


def _tags() -> Iterator[tuple[str, Tag]]:
    return iter(catalogue.TAGS.items())


def _ref(name: str, table: Table | None) -> Schema:
    return {"$ref": f"#/$defs/{name}"} if table else {"type": "null"}


def _where(field: str, value: str, result: Schema) -> Schema:
    return {
        "if": {"properties": {field: {"const": value}}, "required": [field]},
        "then": {"properties": {"result": result}},
    }


def _shared() -> dict[str, Schema]:
    """The groups that several tables hold, each once, by name."""
    tables = [tag.result for _, tag in _tags() if tag.result]
    groups = [group for table in tables for group in _groups(table)]
    return {group.name: group.definition() for group in groups if group.name}


def _groups(field: Field) -> Iterator[Group]:
    if isinstance(field, Rows):
        field = field.row
    if isinstance(field, Several):
        field = field.one
    if isinstance(field, Group):
        yield field
        for within in field.fields.values():
            yield from _groups(within)
