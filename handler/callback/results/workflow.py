"""The result of a workflow run: its tasks, and what became of each of their objects.

Sources: 460/80039, INTL "工作流回调", and WorkflowExecutionNotifyBody of cos-go-sdk-v5's
ci_media.go. Paths begin below WorkflowExecution.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, get_args

from handler.callback import converters, outcome, path_trie, tree
from handler.callback.results.fields import Group, Json, Rows, Schema
from handler.callback.results.leaves import etag, integer, key, moment, seconds, text
from handler.callback.results.pictures import OCR
from handler.callback.tree import Tree


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


class Between(NamedTuple):
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
            "ocr": Group(
                "ImageOcrResult",
                "The text in the picture; null where it was not looked for",
                OCR,
                optional=True,
            ),
        },
    )


# JAVA MediaTaskJudgementInfo: what a node that decides looked at, and how it decided.
_JUDGED = Rows(
    "JudgementInfo.JudgementResult",
    "The objects that a condition was tried on",
    {
        "object": key("ObjectName", "Key of the object", "car.mp4"),
        "url": text("ObjectUrl", "Its address", "https://example.com/car.mp4"),
        "state": text("State", "The result, as CI sent it", "Success"),
        "width_px": integer("InputObjectInfo.Width", "Width", 1280, "pixels"),
        "height_px": integer("InputObjectInfo.Height", "Height", 720, "pixels"),
        "display_aspect_ratio": text("InputObjectInfo.Dar", "Width to height", "16:9"),
        "duration_s": seconds("InputObjectInfo.Duration", "Length", 13.654),
        "size_bytes": integer("InputObjectInfo.Size", "Size", 15134046, "bytes"),
        "picture_width_px": integer("InputObjectInfo.ImageWidth", "Width", 500, "pixels"),
        "picture_height_px": integer("InputObjectInfo.ImageHeight", "Height", 417, "pixels"),
        "picture_aspect_ratio": text("InputObjectInfo.ImageDar", "Width to height", "500:417"),
    },
)

# JAVA FileInfoObject.
_FILE_INFO = Rows(
    "FileInfo",
    "Properties of its files",
    {
        "object": key("BasicInfo.Object", "Key of the object", "car.mp4"),
        "content_type": text("BasicInfo.ContentType", "Content-Type", "video/mp4"),
        "size_bytes": integer("BasicInfo.Size", "Size", 15134046, "bytes"),
        "etag": etag("BasicInfo.ETag|BasicInfo.Etag"),
        "last_modified_at": moment(
            "BasicInfo.LastModified", "When it was last changed", "2022-08-09T06:54:18Z"
        ),
        "duration_s": seconds("MediaInfo.Format.Duration", "Length of the whole", 13.654),
        "video_duration_s": seconds("MediaInfo.Video.Duration", "Length of the video", 13.64),
        "audio_duration_s": seconds("MediaInfo.Audio.Duration", "Length of the sound", 13.653),
        "video_width_px": integer("MediaInfo.Video.Width", "Width of the video", 1280, "pixels"),
        "video_height_px": integer("MediaInfo.Video.Height", "Height of the video", 720, "pixels"),
        "display_aspect_ratio": text("MediaInfo.Video.Dar", "Width to height", "16:9"),
        "picture_format": text("ImageInfo.Format", "Format of the picture", "JPEG"),
        "picture_width_px": integer("ImageInfo.Width", "Width of the picture", 500, "pixels"),
        "picture_height_px": integer("ImageInfo.Height", "Height of the picture", 417, "pixels"),
        "picture_md5": text("ImageInfo.Md5", "MD5 of the picture", "5d41402abc4b2a76"),
        "picture_quality": integer("ImageInfo.Quality", "Quality of the picture, 1 to 100", 92),
        "picture_average_color": text("ImageInfo.Ave", "Average colour", "0x736246"),
        "picture_orientation": integer("ImageInfo.Orientation", "Orientation, as in EXIF", 0),
        "frame_count": integer("ImageInfo.FrameCount", "Frames of an animation", 12),
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
                "template_name": text("TemplateName", "Name of the template", "MP4-720p"),
                "transcode_template_id": text(
                    "TranscodeTemplateId",
                    "The transcoding template that it uses",
                    "t04e1ab865549",
                ),
                "transcode_template_name": text(
                    "TranscodeTemplateName", "Name of that template", "MP4-720p"
                ),
                "hdr_mode": text("HdrMode", "HLG or HDR10", "HLG"),
                "code": text("Code", "Code of its failure", "InternalError"),
                "message": text("Message", "Message of its failure", "InternalError"),
                "object_count": integer("ResultInfo.ObjectCount", "Objects that it wrote", 1),
                "objects": _objects("ResultInfo.ObjectInfo", "Its objects"),
                "sprite_count": integer("ResultInfo.SpriteObjectCount", "Sheets that it wrote", 1),
                "sprites": _objects("ResultInfo.SpriteObjectInfo", "Its sheets of small pictures"),
                "judged_count": integer("JudgementInfo.ObjectCount", "Objects it decided on", 1),
                "judged": _JUDGED,
                "file_infos": _FILE_INFO,
            },
        ),
        "failed_tasks": FailedTasks(),
    },
)

LIST_TRIE = path_trie.build(("CosHeaders", *RUN.lists()))
"""Nodes that may repeat."""
