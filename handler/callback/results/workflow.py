"""What a run of a workflow tells: its tasks, and what became of each of their objects.

Sources: 460/80039, INTL "工作流回调", and WorkflowExecutionNotifyBody of cos-go-sdk-v5's
ci_media.go. Paths begin below WorkflowExecution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from handler.callback import converters, outcome, path_trie, tree
from handler.callback.results.fields import Group, Json, Rows, Schema, integer, key, moment, text
from handler.callback.tree import Tree


@dataclass(frozen=True)
class TaskOutcome:
    """How a task ended: a Field."""

    def read(self, node: Tree) -> Json:
        return outcome.of_task(node)

    def schema(self) -> Schema:
        return {
            "enum": list(get_args(outcome.Outcome)),
            "description": "How it ended. partial: State is Success, but one of its objects failed",
        }

    def lists(self) -> Iterator[str]:
        return iter(())


@dataclass(frozen=True)
class Between:
    """Seconds from one time to another: a Field."""

    start: str
    end: str
    about: str

    def read(self, node: Tree) -> Json:
        start, end = (converters.moment(tree.text(node, path)) for path in (self.start, self.end))
        return converters.seconds_between(start, end)

    def schema(self) -> Schema:
        return {"type": ["number", "null"], "description": self.about, "examples": [21]}

    def lists(self) -> Iterator[str]:
        return iter(())


@dataclass(frozen=True)
class FailedTasks:
    """The names of the tasks that failed, or their types where they have none: a Field."""

    def read(self, node: Tree) -> Json:
        return [
            tree.text(task, "Name") or tree.text(task, "Type") or ""
            for task in tree.get_all(node, "Tasks")
            if outcome.of_task(task) == "failed"
        ]

    def schema(self) -> Schema:
        return {
            "type": "array",
            "description": "Names of the tasks that failed",
            "items": {"type": "string"},
            "examples": [["Transcode_1581665960537"]],
        }

    def lists(self) -> Iterator[str]:
        return iter(())


def _objects(path: str, about: str) -> Rows:
    return Rows(
        path,
        about,
        {
            "object": key("ObjectName", "Key of the object", "car.mp4.m3u8"),
            "input_object": key("InputObjectName", "Key of what it was made of", "car.mp4"),
            "url": text("ObjectUrl", "Its address", "https://example.com/car.mp4.m3u8"),
            "code": text("Code", "Code of its failure, or Success", "Success"),
            "message": text("Message", "Message of its failure", "success"),
        },
    )


RUN = Group(
    "",
    "The tasks of a workflow's run",
    {
        "tasks": Rows(
            "Tasks",
            "The tasks, in the order in which they were sent",
            {
                "type": text("Type", "Kind of task: a Tag, mostly", "Transcode"),
                "job_id": text("JobId", "JobId", "j168668b217b011ed8efb27bb229e2d11"),
                "name": text("Name", "Name of the node", "Transcode_1581665960537"),
                "state": text("State", "State as CI sent it", "Success"),
                "outcome": TaskOutcome(),
                "created_at": moment("CreateTime", "When it was made", "2022-08-09T06:54:18Z"),
                "started_at": moment("StartTime", "When it began", "2022-08-09T06:54:18Z"),
                "ended_at": moment("EndTime", "When it ended", "2022-08-09T06:54:39Z"),
                "run_s": Between("StartTime", "EndTime", "Seconds from started_at to ended_at"),
                "template_id": text("TemplateId", "Template", "t01e57db1c2d154d2fb57aa5de9313a897"),
                "code": text("Code", "Code of its failure", "InternalError"),
                "message": text("Message", "Message of its failure", "InternalError"),
                "object_count": integer("ResultInfo.ObjectCount", "Objects that it wrote", 1),
                "objects": _objects("ResultInfo.ObjectInfo", "Its objects"),
                "sprites": _objects("ResultInfo.SpriteObjectInfo", "Its sheets of small pictures"),
            },
        ),
        "failed_tasks": FailedTasks(),
    },
)

LIST_TRIE = path_trie.build(("CosHeaders", *RUN.lists()))
"""Nodes that may repeat."""
